"""The few shapes a plot is made of, as SVG text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

INK, FAINT, GRID_LINE = "#222222", "#666666", "#dddddd"
FONT = "font-family='DejaVu Sans, Verdana, Arial, sans-serif'"


def text(x: float, y: float, words: str, *, size: int = 12, anchor: str = "start", colour: str = INK, bold: bool = False) -> str:
    """Words at a point of their base line."""
    weight = " font-weight='bold'" if bold else ""
    return f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' fill='{colour}'{weight}>{escape(words)}</text>"


def line(x1: float, y1: float, x2: float, y2: float, colour: str = GRID_LINE, width: float = 1) -> str:
    """A straight line."""
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' stroke-width='{width}'/>"


def path(points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False) -> str:
    """Lines from point to point."""
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = " stroke-dasharray='5 4'" if dashed else ""
    return f"<polyline points='{through}' fill='none' stroke='{colour}' stroke-width='2'{dashes}/>"


def dot(x: float, y: float, colour: str, *, hollow: bool = False) -> str:
    """A point."""
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{'white' if hollow else colour}' stroke='{colour}' stroke-width='2'/>"


def document(width: float, height: float, title: str, shapes: Iterable[str]) -> str:
    """A whole SVG file on white ground, so that it can be read in dark pages too."""
    head = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' viewBox='0 0 {width:.0f} {height:.0f}' {FONT}>"
    return "\n".join([head, f"<title>{escape(title)}</title>", "<rect width='100%' height='100%' fill='white'/>", *shapes, "</svg>", ""])


@dataclass(frozen=True)
class LogAxis:
    """A logarithmic axis from value `low` at place `start` to `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float, least: float = 1) -> LogAxis:
        """An axis that holds all values, ending at 1, 2 or 5 times a power of ten, and high over low being at least so much."""
        above = [value for value in values if value > 0] or [1.0]
        steps = list(_steps(min(above) / 100, max(above) * 10))
        low = max(step for step in steps if step <= min(above) * (1 + 1e-9))
        high = min(step for step in steps if step >= max(above) * (1 - 1e-9))
        high = high if high > low else low * 10
        return cls(min(low, max((step for step in steps if step <= high / least), default=low)), high, start, end)

    def at(self, value: float) -> float:
        """Where a value is."""
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Values to be named: 1, 2, 5 of every power of ten, or only the powers where there are many."""
        found = [step for step in _steps(self.low, self.high) if self.low * (1 - 1e-9) <= step <= self.high * (1 + 1e-9)]
        powers = [step for step in found if math.isclose(math.log10(step) % 1, 0, abs_tol=1e-9)]
        return powers if len(found) > 7 and len(powers) > 1 else found


def _steps(low: float, high: float) -> Iterator[float]:
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (10**power * factor for factor in (1, 2, 5))


def number(value: float) -> str:
    """A value with two or three digits, never in powers."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}".removesuffix(".0") if value >= 1 else f"{value:.2g}"
