"""The HTML report of a check: for the person who took the images.

Galaxy removes styles from the reports of tools that its administrator has not allowed to keep them, so headings, tables and
lists carry everything; the style sheet stands in a comment inside its element, which browsers apply and sanitizers drop.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ..metadata.check import NO_PROFILE, PREVIEW, UNREADABLE, CheckedInput, Report, profile_titles
from ..metadata.findings import ALL_INPUTS, SEVERITIES, Finding, Rule, Severity
from . import page
from .findings_summary import to_fix_first, verdicts
from .tables import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ..metadata.input_facts import SeriesFacts

TEMPLATE = "findings.html"
DETAILED = 200
"""Inputs with a section of their own, the gravest first; the table lists all."""
SERIES_SHOWN = 50
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


def write_html(report: Report, path: Path) -> None:
    """Write the report as one HTML page without scripts or anything from elsewhere.

    Raises
    ------
    UnwritableError
        If it cannot be written.
    """
    write_text(path, render(report))


def render(report: Report) -> Iterator[str]:
    """Make the page, in pieces."""
    sections = _sections(report)
    shown = sorted((section for section in sections if not section.item.part_of), key=lambda section: section.gravest)
    values = {
        "report": report,
        "verdict": verdict(report),
        "title": page.title([item.name for item in report.checked], len(report.checked)),
        "severities": SEVERITIES,
        "labels": _LABELS,
        "profiles": profile_titles(report.profiles),
        "sections": sections,
        "detailed": [section for section in shown if section.counts or len(sections) <= DETAILED][:DETAILED],
        "verdicts": verdicts(report),
        "first": to_fix_first(report),
        "frequent": _frequent(report),
        "tally": report.tally(),
        "series_shown": SERIES_SHOWN,
    }
    return page.render(TEMPLATE, values, size=_size, pixel=pixel_size, channels=_channels)


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


def _groups(severity: Severity, findings: list[Finding]) -> Iterator[Group]:
    for _, group in groupby(findings, key=lambda finding: finding.rule):
        yield Group(severity, tuple(group))


def _frequent(report: Report) -> list[tuple[Severity, str, str, int, int]]:
    """(severity, rule, what should hold, inputs, findings) of each rule that found something, gravest and most frequent first."""
    titles = {rule.id: rule.title for rule in report.rules}
    titles |= {
        NO_PROFILE: "The profile that a document belongs to was chosen.",
        UNREADABLE: "The input can be read.",
        PREVIEW: "The input is an image, not a preview of one.",
    }
    inputs: dict[tuple[Severity, str], set[str]] = {}
    count: Counter[tuple[Severity, str]] = Counter()
    for finding in report.findings:
        if finding.severity != "not-run":
            inputs.setdefault((finding.severity, finding.rule), set()).add(finding.input)
            count[finding.severity, finding.rule] += 1
    rows = [(severity, rule, titles.get(rule, rule), len(names), count[severity, rule]) for (severity, rule), names in inputs.items()]
    return sorted(rows, key=lambda row: (SEVERITIES.index(row[0]), -row[3], row[1]))


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
