"""Draw what `upid bench rightsizing --json` told: our curve and the published rules, a panel a set, as SVG.

Usage: python scripts/rightsizing_front.py TOLD.json... > docs/rightsizing-front.svg
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, COLUMNS = 420, 290, 2
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 30, 40
STYLE = (
    "text{font:11px sans-serif;fill:#333}.t{font-weight:bold;font-size:12px}.g{stroke:#ddd}.c{fill:none;stroke:#1668b8;stroke-width:2}"
    ".j{fill:#c43b2b}.l{fill:none;stroke:#999}.n{font-size:10px}"
)
Scale = Callable[[float], float]


def ticks(low: float, high: float) -> Iterator[float]:
    """Yield powers of ten, and two and five times them, within a range."""
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (value for digit in (1, 2, 5) if low <= (value := digit * 10**power) <= high)


def scales(points: list[tuple[float, float]]) -> tuple[tuple[float, float, float, float], Scale, Scale]:
    """Return the range of slack and violation, and where each lies in the panel."""
    left, right = min(x for x, _ in points) - 0.02, max(x for x, _ in points) + 0.02
    low, high = min(y for _, y in points) / 1.3, max(y for _, y in points) * 1.3
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def across(slack: float) -> float:
        return LEFT + (slack - left) / (right - left) * width

    def down(violation: float) -> float:
        return TOP + (math.log(high) - math.log(violation)) / (math.log(high) - math.log(low)) * height

    return (left, right, low, high), across, down


def axes(span: tuple[float, float, float, float], across: Scale, down: Scale, of: str) -> Iterator[str]:
    """Yield grid lines with their values, in percent."""
    left, right, low, high = span
    for tick in range(math.ceil(left * 10), math.floor(right * 10) + 1):
        x = across(tick / 10)
        yield f'<path class="g" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/><text x="{x:.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{tick * 10} %</text>'
    for value in ticks(low, high):
        y = down(value)
        yield f'<path class="g" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/><text x="{LEFT - 4}" y="{y + 4:.1f}" text-anchor="end">{value * 100:g} %</text>'
    yield f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">fleet slack; down: {of}</text>'


def panel(told: dict[str, Any]) -> Iterator[str]:
    """Yield the parts of a set's panel: grid, curve, and the rules, those that are judged filled."""
    inside = [rule for rule in told["rules"] if rule["ours_at_its_slack"] and rule["violation"] and rule["fleet_slack"] > 0]
    low, high = min(rule["fleet_slack"] for rule in inside) - 0.03, max(rule["fleet_slack"] for rule in inside) + 0.03
    curve = [(p["fleet_slack"], p["violation"]) for p in told["curve"] if p["violation"] and low <= p["fleet_slack"] <= high]
    span, across, down = scales(curve + [(rule["fleet_slack"], rule["violation"]) for rule in inside])
    of = "CPU demand above the request" if told["resource"] == "cpu" else "days with memory above the request"
    yield f'<text class="t" x="{LEFT}" y="18">{escape(told["set"])}: {told["container_days"]} container-horizons</text>'
    yield from axes(span, across, down, of)
    yield f'<polyline class="c" points="{" ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in curve)}"/>'
    for rule in inside:
        x, y = across(rule["fleet_slack"]), down(rule["violation"])
        anchor, aside = ("end", -6) if x > WIDTH * 0.7 else ("start", 6)
        yield f'<circle class="{"j" if rule["judged"] else "l"}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        yield f'<text class="n" x="{x + aside:.1f}" y="{y - 5:.1f}" text-anchor="{anchor}">{escape(rule["rule"])}</text>'


def main() -> None:
    """Print the drawing of all sets in the files that are named."""
    told = [one for path in sys.argv[1:] for one in json.loads(Path(path).read_text(encoding="utf-8"))["sets"] if "curve" in one]
    rows = -(-len(told) // COLUMNS)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * COLUMNS} {HEIGHT * rows}"><style>{STYLE}</style>',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for place, one in enumerate(told):
        parts += [f'<g transform="translate({place % COLUMNS * WIDTH} {place // COLUMNS * HEIGHT})">', *panel(one), "</g>"]
    sys.stdout.write("\n".join([*parts, "</svg>", ""]))


if __name__ == "__main__":
    main()
