"""Line and bar charts as SVG, readable on light and on dark ground. All values are shares, 0 to 1."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 176, 46, 56
_CHARACTER = 6.2  # width of one, about
_BAR, _GAP = 12, 10  # least width of a bar, and of what is between groups
_LEGEND = 24  # characters of a name on one line of the legend
_COLOURS = (("#3b6fb6", "#7fb0f0"), ("#c2671b", "#f0a860"), ("#3f8f4f", "#7fd08f"), ("#8a4fb0", "#c79af0"))
_DASHES = ("", "6 3", "2 3", "8 3 2 3")  # the fifth series has the first colour again, and other dashes

Point = tuple[float, float]


def lines_svg(
    title: str,
    series: Mapping[str, Sequence[Point]],
    *,
    across: str,
    up: str,
    ticks: Sequence[str] = (),
    diagonal: bool = False,
) -> str:
    """A line with its points for each series.

    Args:
        title: Stands above.
        series: Name to (x, y), both 0 to 1; with ``ticks`` x is the number of the tick, from 0.
        across: What x is.
        up: What y is.
        ticks: Names along x; without them x runs from 0 to 1.
        diagonal: Whether to draw y = x.
    """
    body = [_axes(across, up), *_ticks(ticks)]
    if diagonal:
        body.append(_line([(_x(0.0), _y(0.0)), (_x(1.0), _y(1.0))], "grid"))
    for k, (name, points) in enumerate(series.items()):
        places = [(_x((x + 0.5) / len(ticks) if ticks else x), _y(y)) for x, y in points]
        body.append(_line(places, f"s{k % len(_COLOURS)}", _DASHES[k // len(_COLOURS) % len(_DASHES)]))
        for (x, y), (cx, cy) in zip(points, places, strict=True):
            where = ticks[int(x)] if ticks else f"{x:.3f}"
            body.append(
                f'<circle class="f{k % len(_COLOURS)}" cx="{cx:.1f}" cy="{cy:.1f}" r="3">'
                f"<title>{escape(name)}: {escape(where)}, {y:.3f}</title></circle>"
            )
    return _picture(title, [*body, *_legend(list(series))])


def bars_svg(
    title: str,
    groups: Sequence[str],
    series: Mapping[str, Sequence[tuple[float, float, float] | None]],
    *,
    up: str,
) -> str:
    """A bar with its interval for each series in each group.

    Args:
        title: Stands above.
        groups: Names along x.
        series: Name to (value, low, high) for each group; None where there is none.
        up: What the values are.
    """
    wide = max(_WIDTH, _LEFT + _RIGHT + len(groups) * (len(series) * _BAR + _GAP))
    body = [_axes("", up, wide), *_ticks(groups, wide)]
    width = 0.8 / max(len(series), 1)
    for k, (name, values) in enumerate(series.items()):
        for g, value in enumerate(values):
            if value is None:
                continue
            left, right = (_x((g + 0.1 + width * (k + side)) / len(groups), wide) for side in (0, 1))
            middle = (left + right) / 2
            body.append(
                f'<rect class="bar{k // len(_COLOURS) % 2} f{k % len(_COLOURS)}" x="{left:.1f}" y="{_y(value[0]):.1f}"'
                f' width="{max(right - left - 1, 0.5):.1f}" height="{_y(0.0) - _y(value[0]):.1f}">'
                f"<title>{escape(name)}, {escape(groups[g])}: {value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"
                "</title></rect>"
            )
            body.append(_line([(middle, _y(value[1])), (middle, _y(value[2]))], "interval"))
    return _picture(title, [*body, *_legend(list(series), wide)], wide)


def _x(share: float, wide: int = _WIDTH) -> float:
    return _LEFT + share * (wide - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)


def _line(points: Sequence[Point], style: str, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    listed = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{style}" fill="none"{dashed} points="{listed}"/>'


def _axes(across: str, up: str, wide: int = _WIDTH) -> str:
    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(_line([(_x(0.0), _y(share)), (_x(1.0, wide), _y(share))], "axis" if share == 0.0 else "grid"))
        parts.append(f'<text x="{_LEFT - 6}" y="{_y(share) + 4:.1f}" text-anchor="end">{share:g}</text>')
    parts.append(f'<text x="{_x(0.5, wide):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(across)}</text>')
    parts.append(f'<text x="12" y="{_TOP - 8}">{escape(up)}</text>')
    return "\n".join(parts)


def _ticks(names: Sequence[str], wide: int = _WIDTH) -> list[str]:
    if not names:
        return [
            f'<text x="{_x(share):.1f}" y="{_y(0.0) + 16:.1f}" text-anchor="middle">{share:g}</text>'
            for share in (0.0, 0.5, 1.0)
        ]
    # Many or long names would run into each other: they stand on up to three lines, in turns.
    slot = (wide - _LEFT - _RIGHT) / len(names)
    lines = min(3, math.ceil(_CHARACTER * max(map(len, names)) / slot))
    return [
        f'<text x="{_x((k + 0.5) / len(names), wide):.1f}" y="{_y(0.0) + 14 + 13 * (k % lines):.1f}"'
        f' text-anchor="middle">{escape(name)}</text>'
        for k, name in enumerate(names)
    ]


def _legend(names: Sequence[str], wide: int = _WIDTH) -> list[str]:
    parts = []
    y, start = _TOP + 6, wide - _RIGHT + 12
    for k, name in enumerate(names):
        dashes = _DASHES[k // len(_COLOURS) % len(_DASHES)]
        parts.append(_line([(start, y), (start + 16, y)], f"s{k % len(_COLOURS)}", dashes))
        rest = name if len(name) <= 2 * _LEGEND else name[: 2 * _LEGEND - 1] + "…"
        while rest:
            shown, rest = rest[:_LEGEND], rest[_LEGEND:]
            parts.append(f'<text x="{start + 20}" y="{y + 4}">{escape(shown)}<title>{escape(name)}</title></text>')
            y += 12 if rest else 16
    return parts


def _picture(title: str, body: Sequence[str], wide: int = _WIDTH) -> str:
    light = "".join(f".s{k}{{stroke:{a};stroke-width:2}}.f{k}{{fill:{a}}}" for k, (a, _) in enumerate(_COLOURS))
    dark = "".join(f".s{k}{{stroke:{b}}}.f{k}{{fill:{b}}}" for k, (_, b) in enumerate(_COLOURS))
    style = (
        "text{font:11px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:13px}"
        f".axis{{stroke:#888;stroke-width:1}}.grid{{stroke:#8885;stroke-width:1}}.bar0{{fill-opacity:.6}}.bar1{{fill-opacity:.3}}"
        f".interval{{stroke:#333;stroke-width:1.5}}{light}"
        f"@media(prefers-color-scheme:dark){{text{{fill:#ddd}}.interval{{stroke:#ddd}}{dark}}}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {_HEIGHT}" width="{wide}"'
            f' height="{_HEIGHT}" role="img" aria-label="{escape(title)}">',
            f"<style>{style}</style>",
            f'<text class="title" x="{_LEFT}" y="16">{escape(title)}</text>',
            *body,
            "</svg>",
            "",
        ]
    )
