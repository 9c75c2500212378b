"""The plot: every program's time, processor time, memory and output; below, cost against size and against threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import svg
from .comparisons import Comparison, Spread, spread
from .programs import OURS
from .rounds import describe

if TYPE_CHECKING:
    from .report import Results
    from .runs import Run

WIDTH, MARGIN, NAMES = 1180, 24, 200
ROW, HEADER, TOP = 24, 34, 100
CHART_HEIGHT, CHART_GAP = 250, 70
SPAN = 10
"""A chart's highest value over its lowest, at least: small differences must not look large."""
BLUE, ORANGE, GREY, RED = "#1f5fa8", "#c55a11", "#777777", "#b00020"


@dataclass(frozen=True)
class Measure:
    """A column of the plot."""

    title: str
    of: Callable[[Run], float]


MEASURES = (
    Measure("wall time, s", lambda run: run.wall),
    Measure("processor time, s", lambda run: run.cpu),
    Measure("peak memory, MB", lambda run: run.tree_memory / 1e6),
    Measure("output, MB", lambda run: run.output / 1e6),
)
COLUMN = (WIDTH - 2 * MARGIN - NAMES) / len(MEASURES)


def plot(results: Results) -> str:
    """Return the plot as SVG."""
    shapes = [
        svg.text(MARGIN, 30, "Conversion of a five-dimensional image: lm_convert beside other converters", size=17, bold=True),
        svg.text(MARGIN, 50, results.machine.sentence, colour=svg.FAINT),
        svg.text(
            MARGIN,
            67,
            "Dots are medians, lines ranges; scales are logarithmic; further left is better. Memory is that of all processes of a program.",
            colour=svg.FAINT,
        ),
    ]
    bottom = TOP + sum(HEADER + ROW * _rows(comparison) for comparison in results.main)
    shapes += _dots(results.main, bottom)
    height = float(bottom + 40)
    charts = list(_charts(results))
    if charts:
        width = (WIDTH - 2 * MARGIN - CHART_GAP * (len(charts) - 1)) / len(charts)
        for number, chart in enumerate(charts):
            shapes += chart.draw(MARGIN + 40 + number * (width + CHART_GAP), height + 50, width - 40)
        height += CHART_HEIGHT + 110 + 18 * max(len(chart.curves) for chart in charts)
    return svg.document(WIDTH, height, "Benchmark of lm_convert", shapes)


def _rows(comparison: Comparison) -> int:
    return len(comparison.programs) + bool(comparison.limits)


def _blocks(comparisons: Sequence[Comparison]) -> Iterator[tuple[float, float]]:
    """Yield top and bottom of the rows of each comparison."""
    y = float(TOP)
    for comparison in comparisons:
        yield y + HEADER, y + HEADER + ROW * _rows(comparison)
        y += HEADER + ROW * _rows(comparison)


def _dots(comparisons: Sequence[Comparison], bottom: float) -> Iterator[str]:
    """Yield the upper part: a row for each program, a column for each measure."""
    axes = []
    for number, measure in enumerate(MEASURES):
        left = MARGIN + NAMES + number * COLUMN
        values = [measure.of(run) for comparison in comparisons for program in comparison.programs for run in comparison.good(program.name)]
        if number == 0:
            values += [max(limit) for comparison in comparisons for limit in comparison.limits]
        axis = svg.LogAxis.over(values, left + 12, left + COLUMN - 60)
        axes.append(axis)
        yield svg.text(axis.start, TOP - 10, measure.title, bold=True)
        for tick in axis.ticks():
            for top, end in _blocks(comparisons):
                yield svg.line(axis.at(tick), top, axis.at(tick), end)
            yield svg.text(axis.at(tick), bottom + 16, svg.number(tick), size=10, anchor="middle", colour=svg.FAINT)
    y = float(TOP)
    for comparison in comparisons:
        yield svg.text(MARGIN, y + 22, describe(comparison), bold=True)
        y += HEADER
        for program in comparison.programs:
            yield from _row(comparison, program.name, program.version, axes, y + ROW / 2)
            y += ROW
        if comparison.limits:
            longest = spread([max(limit) for limit in comparison.limits])
            yield svg.text(MARGIN, y + ROW / 2 + 4, "the machine's limit", colour=svg.FAINT)
            yield from _value(axes[0], longest, y + ROW / 2, svg.FAINT, hollow=True)
            y += ROW


def _row(comparison: Comparison, name: str, version: str, axes: Sequence[svg.LogAxis], y: float) -> Iterator[str]:
    ours = name == OURS
    colour = BLUE if ours else GREY
    yield svg.text(MARGIN, y + 4, f"{name} {version}", colour=colour if ours else svg.INK, bold=ours)
    problem = comparison.problem(name)
    if problem or not comparison.good(name):
        yield svg.text(axes[0].start, y + 4, f"no result: {problem or 'not run'}", colour=RED)
        return
    for axis, measure in zip(axes, MEASURES, strict=True):
        yield from _value(axis, spread([measure.of(run) for run in comparison.good(name)]), y, colour)


def _value(axis: svg.LogAxis, values: Spread | None, y: float, colour: str, *, hollow: bool = False) -> Iterator[str]:
    if values is None:
        return
    yield svg.line(axis.at(values.least), y, axis.at(values.most), y, colour, 2)
    yield svg.dot(axis.at(values.median), y, colour, hollow=hollow)
    yield svg.text(axis.at(values.most) + 9, y + 4, svg.number(values.median), size=11, colour=colour)


@dataclass(frozen=True)
class Curve:
    """Points of (x, spread of y) with a name."""

    name: str
    colour: str
    points: Sequence[tuple[float, Spread]]
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """Curves over one pair of axes."""

    title: str
    below: str
    curves: Sequence[Curve]

    def draw(self, left: float, top: float, width: float) -> Iterator[str]:
        """Yield the chart's shapes, its legend below it."""
        bottom = top + CHART_HEIGHT
        places = sorted({x for curve in self.curves for x, _ in curve.points})
        across = svg.LogAxis(places[0], places[-1] if places[-1] > places[0] else places[0] * 2, left + 12, left + width - 12)
        up = svg.LogAxis.over([y for curve in self.curves for _, values in curve.points for y in values], bottom, top, SPAN)
        yield svg.text(left, top - 14, self.title, bold=True)
        for tick in up.ticks():
            yield svg.line(left, up.at(tick), left + width, up.at(tick))
            yield svg.text(left - 6, up.at(tick) + 4, svg.number(tick), size=10, anchor="end", colour=svg.FAINT)
        for place in places:
            yield svg.line(across.at(place), bottom, across.at(place), bottom + 4, svg.FAINT)
            yield svg.text(across.at(place), bottom + 17, f"{place:g}", size=10, anchor="middle", colour=svg.FAINT)
        yield svg.text(left + width / 2, bottom + 34, self.below, size=11, anchor="middle", colour=svg.FAINT)
        for number, curve in enumerate(self.curves):
            points = [(across.at(x), up.at(values.median)) for x, values in curve.points]
            yield svg.path(points, curve.colour, dashed=curve.dashed)
            for (x, values), (at, y) in zip(curve.points, points, strict=True):
                yield svg.line(across.at(x), up.at(values.least), at, up.at(values.most), curve.colour, 2)
                yield svg.dot(at, y, curve.colour, hollow=curve.dashed)
            key = bottom + 56 + 18 * number
            yield svg.path([(left, key - 4), (left + 26, key - 4)], curve.colour, dashed=curve.dashed)
            yield svg.text(left + 34, key, curve.name, size=11)


def _charts(results: Results) -> Iterator[Chart]:
    if results.sizes:
        yield Chart("Wall time (s) against size", "gigabytes of pixels", _curves(results.sizes, "gigabytes", MEASURES[0], limits=True))
        yield Chart("Peak memory (MB) against size", "gigabytes of pixels", _curves(results.sizes, "gigabytes", MEASURES[2]))
    if results.threads:
        yield Chart("Wall time (s) against threads", "threads", _curves(results.threads, "threads", MEASURES[0], limits=True))


def _curves(several: Sequence[Comparison], along: str, measure: Measure, *, limits: bool = False) -> list[Curve]:
    """One curve for each program and output, and one for the limit of each output."""
    curves = []
    for form, colour, name in (("ome-zarr", BLUE, "OME-Zarr"), ("ome-tiff", ORANGE, "OME-TIFF")):
        same = sorted((comparison for comparison in several if comparison.form == form), key=lambda comparison: float(getattr(comparison, along)))
        for program in dict.fromkeys(program.name for comparison in same for program in comparison.programs):
            points = [(getattr(one, along), spread([measure.of(run) for run in one.good(program)])) for one in same]
            curves.append(Curve(f"{program} to {name}", colour if program == OURS else GREY, _known(points)))
        if limits:
            points = [(getattr(one, along), spread([max(limit) for limit in one.limits])) for one in same]
            curves.append(Curve(f"the machine's limit, to {name}", colour, _known(points), dashed=True))
    return [curve for curve in curves if curve.points]


def _known(points: Sequence[tuple[float, Spread | None]]) -> list[tuple[float, Spread]]:
    return [(x, values) for x, values in points if values is not None]
