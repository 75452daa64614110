"""Charts as SVG: every name and number is there, and nothing stands on something else."""

import re
from itertools import pairwise
from xml.etree import ElementTree

from spanferry.corpora.report.plots import bars_svg, lines_svg

NAMES = [f"alignment[aligner_options.prior=none,rule=gap={k}]" for k in range(1, 4)]
GOLDS = [f"europarl-{k:02}" for k in range(14)]
_TEXT = re.compile(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)')


def _texts(svg: str) -> list[tuple[float, float, str]]:
    ElementTree.fromstring(svg)
    return [(float(x), float(y), text) for x, y, text in _TEXT.findall(svg)]


def test_names_along_the_axis_keep_apart() -> None:
    svg = bars_svg("F1", GOLDS, {name: [(0.9, 0.8, 1.0)] * len(GOLDS) for name in NAMES}, up="F1")
    places = {text: (x, y) for x, y, text in _texts(svg) if text in GOLDS}
    assert set(places) == set(GOLDS)
    for line in {y for _, y in places.values()}:
        along = sorted(x for x, y in places.values() if y == line)
        # Eleven characters of about six pixels each, around the middle.
        assert all(b - a > 66 for a, b in pairwise(along))
    bars = [float(width) for width in re.findall(r'<rect[^>]* width="([\d.]+)"', svg)]
    assert len(bars) == 42 and min(bars) > 6


def test_long_names_that_begin_alike_can_be_distinguished() -> None:
    svg = lines_svg("F1 by words", {name: [(0.0, 0.5)] for name in NAMES}, across="words", up="F1", ticks=("1", "2"))
    shown = "".join(text for x, _, text in _texts(svg) if x > 460)
    assert all(name in shown for name in NAMES)


def test_the_axis_name_stands_clear_of_the_title() -> None:
    svg = lines_svg("a title", {"a": [(0.5, 0.5)]}, across="share", up="F1 among them", diagonal=True)
    places = {text: y for _, y, text in _texts(svg)}
    title = float(re.findall(r'class="title"[^>]* y="([\d.]+)"', svg)[0])
    assert places["F1 among them"] - title >= 16 and places["1"] - places["F1 among them"] >= 12
