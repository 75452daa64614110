"""A histogram as SVG, readable on light and on dark ground."""

import re
from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT = 520, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 48, 34, 40
# Colours of sufficient contrast on white and on near-black; the picture follows the reader's setting.
_STYLE = """\
text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:13px}.axis{stroke:#888;stroke-width:1}
.bar{fill:#3b6fb6}.bad{fill:#c98f3a}.line{stroke:#b3261e;stroke-width:1.5;stroke-dasharray:4 3}.mark{fill:#b3261e}
@media(prefers-color-scheme:dark){text{fill:#ddd}.axis{stroke:#999}.bar{fill:#7fb0f0}.bad{fill:#e0b060}
.line{stroke:#ff8a80}.mark{fill:#ff8a80}}"""

_STYLE_ELEMENT = re.compile(r"<style>[^<]*</style>\n")


def histogram_svg(
    title: str,
    edges: Sequence[float],
    counts: Sequence[int],
    *,
    low: float | None = None,
    high: float | None = None,
) -> str:
    """A bar per bin, with a dashed line at each threshold.

    Args:
        title: Stands above.
        edges: Ascending bin edges, (n_bins + 1,).
        counts: Values per bin, (n_bins,).
        low: Threshold below which values are bad; bars wholly below it have the other colour.
        high: Threshold above which they are.
    """
    first, last, most = edges[0], edges[-1], max([1, *counts])
    bottom = _HEIGHT - _BOTTOM

    def across(value: float) -> float:
        return _LEFT + (value - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

    def up(count: float) -> float:
        return bottom - count / most * (bottom - _TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
        f' role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="{_LEFT}" y="16">{escape(title)}</text>',
    ]
    for left, right, count in zip(edges, edges[1:], counts, strict=False):
        if count:
            # The last bin holds its right edge too, so a threshold there leaves values of it that are good.
            below = low is not None and (right < low or right == low != last)
            bad = below or (high is not None and left >= high)
            # At least a pixel: one bad row among a million must be seen.
            top = min(up(count), bottom - 1)
            parts.append(
                f'<rect class="{"bad" if bad else "bar"}" x="{across(left):.1f}" y="{top:.1f}"'
                f' width="{max(0.5, across(right) - across(left) - 1):.1f}" height="{bottom - top:.1f}">'
                f"<title>{left:.3g} to {right:.3g}: {count:,}</title></rect>"
            )
    parts.append(f'<line class="axis" x1="{_LEFT}" y1="{bottom}" x2="{_WIDTH - _RIGHT}" y2="{bottom}"/>')
    for value in (first, (first + last) / 2, last):
        parts.append(f'<text x="{across(value):.1f}" y="{bottom + 16}" text-anchor="middle">{value:.3g}</text>')
    for count in (0, most):
        parts.append(f'<text x="{_LEFT - 6}" y="{up(count) + 4:.1f}" text-anchor="end">{count:,}</text>')
    for threshold in (low, high):
        if threshold is not None and first <= threshold <= last:
            x = across(threshold)
            parts.append(f'<line class="line" x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{bottom}"/>')
            label = f"threshold {threshold:.3g}"
            parts.append(f'<text class="mark" x="{x:.1f}" y="{bottom + 32}" text-anchor="middle">{label}</text>')
    return "\n".join([*parts, "</svg>", ""])


def without_style(svg: str) -> str:
    """The picture for a page that has the style itself: within a page a style would hold for all of it."""
    return _STYLE_ELEMENT.sub("", svg)


def histogram_csv(edges: Sequence[float], counts: Sequence[int]) -> str:
    """The plotted numbers: ``from,to,count``."""
    rows = [f"{left:.6g},{right:.6g},{count}" for left, right, count in zip(edges, edges[1:], counts, strict=False)]
    return "\n".join(["from,to,count", *rows, ""])
