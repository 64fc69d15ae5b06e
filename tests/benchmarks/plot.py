"""Bars as SVG: ours and theirs, the median as the bar, smallest to largest as a line. The same figures give the same
bytes; readable on light and on dark paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tests.benchmarks.measurement import Measured, Series, figure, number

WIDTH, LEFT, RIGHT = 860, 250, 180
"""Pixels: of all, of the names, of the figures."""
BAR, GAP, TITLE = 18, 6, 30
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.ours { fill: #1a7f5a }
.theirs { fill: #8c959f }
.spread { stroke: #1f2328; stroke-width: 1.5 }
.not-met { fill: #b35900 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ours { fill: #3fb68b }
  .theirs { fill: #6e7681 }
  .spread { stroke: #e6edf3 }
  .not-met { fill: #f0a050 }
}"""


def svg(measured: Sequence[Measured]) -> str:
    """One picture of what belongs together."""
    parts, top = [], 0
    for one in measured:
        block, height = _block(one, top)
        parts.append(block)
        top += height
    size = f'viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n'
        f"<style>\n{STYLE}\n</style>\n{''.join(parts)}</svg>\n"
    )


def _block(one: Measured, top: int) -> tuple[str, int]:
    """One measurement, and how high it is."""
    rows = [(one.ours, "ours"), *([(one.theirs, "theirs")] if one.theirs else [])]
    longest = max(series.spread[1] for series, _ in rows) or 1.0
    said = _verdict(one)
    colour = "not-met" if one.verdict == "not met" else "title"
    title = _text(0, top + 20, f"{one.what}, {one.unit}", "title") + _text(WIDTH, top + 20, said, colour, "end")
    bars = [
        _bar(series, kind, top + TITLE + at * (BAR + GAP), longest) for at, (series, kind) in enumerate(rows)
    ]  # fmt: skip
    return title + "".join(bars), TITLE + len(rows) * (BAR + GAP) + 10


def _bar(series: Series, kind: str, top: int, longest: float) -> str:
    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / longest

    low, high = series.spread
    middle = top + BAR / 2
    return (
        _text(LEFT - 10, top + 14, series.name, "name", "end")
        + f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{x(series.median) - LEFT:.1f}" height="{BAR}"/>\n'
        + f'<line class="spread" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{middle:g}" y2="{middle:g}"/>\n'
        + _text(WIDTH, top + 14, figure(series), "figure", "end")
    )


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>\n'


def _verdict(one: Measured) -> str:
    ratio = "" if one.ratio is None else f"{number(one.ratio)}×"
    return ", ".join(part for part in (ratio, f"wanted {one.target}: {one.verdict}" if one.target else "") if part)
