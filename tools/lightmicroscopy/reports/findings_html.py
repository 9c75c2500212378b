"""The HTML report of a check: for the person who took the images.

Galaxy removes styles from the reports of tools that its administrator has not allowed to keep them, so headings, tables and
lists carry everything; the style sheet stands in a comment inside its element, which browsers apply and sanitizers drop.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING

from ..errors import SuiteError
from ..metadata.check import NO_PROFILE, PREVIEW, UNREADABLE, CheckedInput, Report, opened_again, profile_titles
from ..metadata.findings import ALL_INPUTS, SEVERITIES, Finding, Rule, Severity
from . import page
from .findings_summary import to_fix_first, verdicts
from .tables import write_text
from .thumbnail import picture_in_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ..image import Image
    from ..inputs import Given
    from ..metadata.input_facts import SeriesFacts

TEMPLATE = "findings.html"
DETAILED = 100
"""Inputs that each have a row and a section of their own; of more, those in which the same was found share a row."""
NAMES_SHOWN = 3
"""Inputs of a shared row that are named without opening it, and have a section if anything was found."""
RULES_SHOWN = 3
SERIES_SHOWN = 50
PLACES_SHOWN = 20
"""Findings of one rule over all inputs that are written out."""
PICTURES = 24
"""Series with a picture, those of the inputs with the gravest findings first; of one input at most `PICTURES_EACH`."""
PICTURES_EACH = 6
PICTURE = 160
FIXES_SHOWN = 5
CHANNELS_SHOWN = 8
_LABELS: dict[Severity, tuple[str, str, str]] = {
    "error": ("✖", "Error", "Errors"),
    "warning": ("▲", "Warning", "Warnings"),
    "info": ("●", "Note", "Notes"),
    "not-run": ("?", "Not checked", "Not checked"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one rule in one input: told once, with all places."""

    severity: Severity
    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding that speaks for all: why and fix are the rule's."""
        return self.findings[0]

    @property
    def fixes(self) -> list[str]:
        """Different ways to mend it, each once."""
        return list(dict.fromkeys(finding.fix for finding in self.findings))


@dataclass(frozen=True, slots=True)
class Section:
    """One input as the page shows it."""

    anchor: str
    item: CheckedInput
    counts: Counter[Severity]
    groups: tuple[tuple[Severity, tuple[Group, ...]], ...]
    passed: tuple[Rule, ...]

    @property
    def gravest(self) -> int:
        """Position of its gravest finding in the order of severities; larger than any where there is none."""
        return min((SEVERITIES.index(severity) for severity in self.counts), default=len(SEVERITIES))


@dataclass(frozen=True, slots=True)
class Alike:
    """Inputs of one format in which the same rules found something: one row of the page."""

    format: str
    sections: tuple[Section, ...]
    rules: tuple[tuple[Severity, str], ...]
    """Severity and what should hold."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one rule found in all inputs."""

    severity: Severity
    rule: str
    title: str
    """What should hold."""
    inputs: int
    places: int
    why: str
    fixes: tuple[str, ...]
    shown: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a series; without an address, `alt` says why there is none."""

    address: str
    alt: str


def write_html(report: Report, path: Path, given: Sequence[Given] = ()) -> None:
    """Write the report as one HTML page without scripts or anything from elsewhere.

    Parameters
    ----------
    given
        The inputs that were checked, for pictures of them; without, there are none.

    Raises
    ------
    UnwritableError
        If it cannot be written.
    """
    write_text(path, render(report, given))


def render(report: Report, given: Sequence[Given] = ()) -> Iterator[str]:
    """Make the page, in pieces."""
    sections = _sections(report)
    alike = _alike(report, sections) if len(sections) > DETAILED else []
    first_of_each = [section for row in alike for section in row.sections[:NAMES_SHOWN] if section.counts] if alike else sections
    detailed = sorted((section for section in first_of_each if not section.item.part_of), key=lambda section: section.gravest)[:DETAILED]
    values = {
        "report": report,
        "verdict": verdict(report),
        "title": page.title([item.name for item in report.checked], len(report.checked)),
        "severities": SEVERITIES,
        "labels": _LABELS,
        "profiles": profile_titles(report.profiles),
        "sections": sections,
        "alike": alike,
        "names_shown": NAMES_SHOWN,
        "rules_shown": RULES_SHOWN,
        "detailed": detailed,
        "pictures": _pictures(report, given, detailed),
        "verdicts": verdicts(report),
        "first": to_fix_first(report),
        "frequent": _frequent(report),
        "tally": report.tally(),
        "series_shown": SERIES_SHOWN,
    }
    return page.render(TEMPLATE, values, size=_size, format_of=format_of, pixel=pixel_size, channels=_channels)


def verdict(report: Report) -> str:
    """One sentence for the top of the page."""
    total = len(report.checked)
    by_input: dict[str, set[Severity]] = {item.name: set() for item in report.checked}
    together: set[Severity] = set()
    for finding in report.findings:
        by_input.get(finding.input, together).add(finding.severity)
    errors = sum("error" in found for found in by_input.values())
    warned = sum("warning" in found and "error" not in found for found in by_input.values())
    every = "The input" if total == 1 else f"All {total} inputs"
    if not errors and not warned:
        if together & {"error", "warning"}:
            return f"{every} passed by {'itself' if total == 1 else 'themselves'}, but something is missing beside {'it' if total == 1 else 'them'}."
        noted = any("info" in found for found in (*by_input.values(), together))
        unchecked = any("not-run" in found for found in (*by_input.values(), together))
        rest = " Some things could not be checked." if unchecked else " There are notes on what could be added." if noted else ""
        return f"{every} passed: nothing is wrong and nothing important is missing.{rest}"
    parts = []
    if errors:
        verb = "has errors that will stop or mislead other software" if errors == 1 else "have errors that will stop or mislead other software"
        parts.append(f"{_of(errors, total)} {verb}")
    if warned:
        verb = "lacks something a reader of the data will need" if warned == 1 else "lack something a reader of the data will need"
        parts.append(f"{_of(warned, total) if not errors else str(warned) + ' more'} {verb}")
    sentence = "; ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def _of(count: int, total: int) -> str:
    if total == 1:
        return "the input"
    return f"all {total} inputs" if count == total else f"{count} of {total} inputs"


def _sections(report: Report) -> list[Section]:
    titles = {rule.id: rule for rule in report.rules}
    by_input: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_input.setdefault(finding.input, []).append(finding)
    sections = []
    whole = (CheckedInput(ALL_INPUTS, "together"),) if ALL_INPUTS in by_input else ()
    for number, item in enumerate((*report.inputs, *whole)):
        findings = by_input.get(item.name, [])
        counts = Counter(finding.severity for finding in findings)
        groups = tuple(
            (severity, tuple(_groups(severity, list(of_severity)))) for severity, of_severity in groupby(findings, key=lambda f: f.severity)
        )
        passed = tuple(titles[rule_id] for rule_id, status in item.statuses.items() if status == "passed")
        sections.append(Section(f"input-{number + 1}", item, counts, groups, passed))
    return sections


def _alike(report: Report, sections: Sequence[Section]) -> list[Alike]:
    """Put inputs together that have the same findings, the gravest and most numerous first."""
    titles = _titles(report)
    rows: dict[tuple[str, frozenset[tuple[Severity, str]]], list[Section]] = {}
    for section in sections:
        rules = frozenset((group.severity, group.first.rule) for _, groups in section.groups for group in groups)
        form = "part of a set" if section.item.part_of else format_of(section.item)
        rows.setdefault((form, rules), []).append(section)
    alike = [
        Alike(
            form,
            tuple(of_row),
            tuple((severity, titles.get(rule, rule)) for severity, rule in sorted(rules, key=lambda found: (SEVERITIES.index(found[0]), found[1]))),
        )
        for (form, rules), of_row in rows.items()
    ]
    return sorted(alike, key=lambda row: (row.sections[0].gravest, -len(row.sections)))


def format_of(item: CheckedInput) -> str:
    """Say what an input is, for a table."""
    return item.format or (f"part of {item.part_of}" if item.part_of else "unreadable")


def _titles(report: Report) -> dict[str, str]:
    """What should hold, by the rule's id; for findings too that no rule of a profile made."""
    return {rule.id: rule.title for rule in report.rules} | {
        NO_PROFILE: "The profile that a document belongs to was chosen.",
        UNREADABLE: "The input can be read.",
        PREVIEW: "The input is an image, not a preview of one.",
    }


def _groups(severity: Severity, findings: list[Finding]) -> Iterator[Group]:
    for _, group in groupby(findings, key=lambda finding: finding.rule):
        yield Group(severity, tuple(group))


def _frequent(report: Report) -> list[Found]:
    """Collect each rule that found something, the gravest and most frequent first."""
    titles = _titles(report)
    by_rule: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in report.findings:
        if finding.severity != "not-run":
            by_rule.setdefault((finding.severity, finding.rule), []).append(finding)
    rows = [
        Found(
            severity=severity,
            rule=rule,
            title=titles.get(rule, rule),
            inputs=len({finding.input for finding in findings}),
            places=len(findings),
            why=findings[0].why,
            fixes=tuple(islice(dict.fromkeys(finding.fix for finding in findings), FIXES_SHOWN)),
            shown=tuple(findings[:PLACES_SHOWN]),
        )
        for (severity, rule), findings in by_rule.items()
    ]
    return sorted(rows, key=lambda row: (SEVERITIES.index(row.severity), -row.inputs, row.rule))


def _pictures(report: Report, given: Sequence[Given], detailed: Sequence[Section]) -> dict[str, list[Shown]]:
    """Draw the first series of the first inputs that have a section, by the anchor of that."""
    paths = dict(zip((item.name for item in report.inputs), dict.fromkeys(given), strict=False))
    left, drawn = PICTURES, {}
    for section in detailed:
        path = paths.get(section.item.name)
        if not left or path is None or not section.item.series:
            continue
        try:
            with opened_again(path, given) as dataset:
                drawn[section.anchor] = [_drawn(section.item.name, image) for image in dataset.images[: min(left, PICTURES_EACH)]]
        except (SuiteError, OSError) as error:
            drawn[section.anchor] = [Shown("", str(error))]
        left -= len(drawn[section.anchor])
    return drawn


def _drawn(name: str, image: Image) -> Shown:
    address, remark = picture_in_page(image, PICTURE)
    what = "; ".join(filter(None, ("middle z plane, first time, contrast stretched" if address else "", remark)))
    called = f"Series {image.series}: {image.name}" if image.name else f"Series {image.series}"
    return Shown(address, f"{name}, {called}: {what}")


def pixel_size(facts: SeriesFacts) -> str:
    """Pixel size along x, y and (where there is depth) z for a table: ``0.1 × 0.1 × 0.5 µm``, ``unknown``."""
    # A stack taken downwards has a negative step.
    sizes = [facts.pixel_size_x, facts.pixel_size_y, *([facts.pixel_size_z.removeprefix("-")] if facts.size_z > 1 else [])]
    if not any(sizes):
        return "unknown"
    units = {size.rpartition(" ")[2] for size in sizes if size}
    if len(units) == 1:
        return " × ".join(size.rpartition(" ")[0] or "?" for size in sizes) + f" {units.pop()}"
    return " × ".join(size or "?" for size in sizes)


def _size(facts: SeriesFacts) -> str:
    sizes = [("Z", facts.size_z), ("C", facts.size_c), ("T", facts.size_t)]
    more = "".join(f" · {axis}\u00a0{size}" for axis, size in sizes if size > 1)
    return f"{facts.size_x} × {facts.size_y}{more}"


def _channels(names: Iterable[str]) -> str:
    listed = [name or "(no name)" for name in names]
    if not any(name != "(no name)" for name in listed):
        return "unnamed"
    rest = len(listed) - CHANNELS_SHOWN
    return ", ".join(listed[:CHANNELS_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
