"""The tables, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from .comparisons import Comparison, Spread, spread
from .programs import OURS, Absent, Program
from .rounds import describe

if TYPE_CHECKING:
    from .machine import Machine
    from .runs import Run


@dataclass
class Results:
    """All that was measured.

    Attributes
    ----------
    settings
        Seed, pairs and the like, in words.
    main, sizes, threads
        Comparisons beside the peers; of several sizes; of several numbers of threads.
    small
        Seconds that ``--help`` takes, and the conversion of one small image.
    """

    machine: Machine
    versions: dict[str, str]
    settings: str
    absent: list[Absent]
    main: list[Comparison] = field(default_factory=list)
    sizes: list[Comparison] = field(default_factory=list)
    threads: list[Comparison] = field(default_factory=list)
    small: dict[str, list[float]] = field(default_factory=dict)


def as_data(results: Results) -> dict[str, Any]:
    """Return all of it, every single run, for JSON."""
    plain = {name: getattr(results, name) for name in ("versions", "settings", "small")}
    plain |= {"machine": asdict(results.machine), "absent": [asdict(absent) for absent in results.absent]}
    return plain | {name: [_data(comparison) for comparison in getattr(results, name)] for name in ("main", "sizes", "threads")}


def _data(comparison: Comparison) -> dict[str, Any]:
    told = {name: getattr(comparison, name) for name in ("source", "form", "gigabytes", "threads", "unable")}
    runs = {name: [run and asdict(run) for run in runs] for name, runs in comparison.runs.items()}
    return told | {"runs": runs, "limits": [limit._asdict() for limit in comparison.limits]}


def markdown(results: Results) -> str:
    """Return the whole report."""
    lines = [f"{results.machine.sentence}.", "", f"{', '.join(f'{name} {version}' for name, version in results.versions.items())}.", ""]
    lines += [results.settings, ""]
    for comparison in results.main:
        lines += [f"### {describe(comparison)}", "", *_comparison(comparison), ""]
    if results.absent:
        lines += ["### Not measured", "", "| program | because |", "|---|---|"]
        lines += [f"| {absent.name} | {absent.reason} |" for absent in results.absent] + [""]
    for title, first, several in (("Cost against size", "GB", results.sizes), ("Cost against threads", "threads", results.threads)):
        if several:
            lines += [f"### {title}", "", *_series(first, several), ""]
    if results.small:
        parts = [f"{name} {_numbers(spread(seconds), 2)} s" for name, seconds in results.small.items()]
        lines += ["### Small things", "", f"{'; '.join(parts)} (median, range of {len(next(iter(results.small.values())))}).", ""]
    return "\n".join(lines)


def _numbers(values: Spread | None, digits: int) -> str:
    if values is None:
        return "–"
    if values.least == values.most:
        return f"{values.median:.{digits}f}"
    return f"{values.median:.{digits}f} ({values.least:.{digits}f}–{values.most:.{digits}f})"


def _comparison(comparison: Comparison) -> Iterator[str]:
    yield "| program | wall s | CPU s | peak MB: one process, all | output MB | files | levels | pixel size | times as long as ours | pairs |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for program in comparison.programs:
        yield f"| {_name(program)} | {_row(comparison, program)} |"
    for name in comparison.unable:
        yield f"| {name} | cannot read it |{' |' * 8}"
    if comparison.limits:
        reading, encoding, writing = (spread(part) for part in zip(*comparison.limits, strict=True))
        parts = ", ".join(f"{name} {_numbers(part, 1)}" for name, part in (("read", reading), ("encode, verify", encoding), ("write", writing)))
        longest = _numbers(spread([max(limit) for limit in comparison.limits]), 1)
        share = spread([1 / times for times in comparison.times_the_limit()])
        yield f"| the limit: {parts} | {longest} | | | | | | | {_numbers(share, 2)} | {len(comparison.limits)} |"
        yield ""
        times = comparison.times_the_limit()
        yield f"{OURS} takes {_numbers(spread(times), 2)} times the limit." if times else f"{OURS} gave no result to compare with the limit."


def _name(program: Program) -> str:
    name = f"{program.name} {program.version}"
    return f"**{name}**" if program.name == OURS else name


def _row(comparison: Comparison, program: Program) -> str:
    good, problem = comparison.good(program.name), comparison.problem(program.name)
    # A fast wrong answer is no answer: one wrong run costs a program its row.
    if problem or not good:
        return f"no result: {problem or 'not run'} |{' |' * 7}"
    ratio = _numbers(spread(comparison.ratios(program.name)), 2) if program.name != OURS else "1"
    last = good[-1]
    cells = [_of(good, "wall", 1), _of(good, "cpu", 1), f"{_peak(good, 'memory')}, {_peak(good, 'tree_memory')}", f"{last.output / 1e6:.0f}"]
    return " | ".join([*cells, str(last.files), str(last.levels), last.pixel_size, ratio, str(len(good))])


def _of(runs: Sequence[Run], what: str, digits: int) -> str:
    return _numbers(spread([getattr(run, what) for run in runs]), digits)


def _peak(runs: Sequence[Run], what: str) -> str:
    return f"{max(getattr(run, what) for run in runs) / 1e6:.0f}"


def _series(first: str, several: Sequence[Comparison]) -> Iterator[str]:
    yield f"| to | program | {first} | wall s | CPU s | peak memory MB | output MB | times the limit |"
    yield "|---|---|---|---|---|---|---|---|"
    rows = [(comparison, program) for comparison in several for program in comparison.programs]
    for comparison, program in sorted(rows, key=lambda row: (row[0].form, row[1].name, row[0].gigabytes, row[0].threads)):
        good, problem = comparison.good(program.name), comparison.problem(program.name)
        step = comparison.threads if first == "threads" else comparison.gigabytes
        start = f"| {'OME-Zarr' if comparison.form == 'ome-zarr' else 'OME-TIFF'} | {program.name} | {step:g} |"
        if problem or not good:
            yield f"{start} no result: {problem or 'not run'} | | | | |"
            continue
        times = _numbers(spread(comparison.times_the_limit()), 2) if program.name == OURS else ""
        yield f"{start} {_of(good, 'wall', 1)} | {_of(good, 'cpu', 1)} | {_peak(good, 'tree_memory')} | {good[-1].output / 1e6:.0f} | {times} |"
