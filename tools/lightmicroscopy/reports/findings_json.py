"""The JSON of a check: all of it, for programs. docs/findings-json.md says what each key is; the keys are public interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..metadata.check import SUITE, told
from ..metadata.findings import SEVERITIES
from .findings_summary import to_fix_first, verdicts
from .tables import write_text

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from ..metadata.check import Report
    from ..metadata.findings import Rule, Status
    from .findings_summary import ProfileVerdict, ToFix

STATUSES: tuple[Status, ...] = ("found", "passed", "not-run", "not-applicable")
PASSED = "passed"
"""State of a profile by which nothing was found."""


def document(report: Report) -> dict[str, Any]:
    """Return all that a check found as data."""
    return {key: list(value) if isinstance(value, Iterator) else value for key, value in _members(report)}


def write_json(report: Report, path: Path) -> None:
    """Write all that a check found, item by item: the data of thousands of inputs are never in memory as a whole.

    Raises
    ------
    UnwritableError
        If it cannot be written.
    """
    write_text(path, _parts(report))


def _members(report: Report) -> Iterator[tuple[str, Any]]:
    """Give each key with its value; lists that grow with the inputs are made on the way."""
    went = report.tally()
    yield "suite", SUITE
    yield "version", __version__
    yield "date", report.date
    yield "profiles", list(report.profiles)
    yield "parameters", dict(report.parameters)
    yield "verdicts", [_verdict(judged) for judged in verdicts(report)]
    yield "fix_first", [_to_fix(item) for item in to_fix_first(report)]
    yield "inputs", (asdict(item) for item in report.inputs)
    yield "findings", (told(finding) for finding in report.findings)
    yield "rules", (_rule(rule, went[rule.id]) for rule in report.rules)


def _verdict(judged: ProfileVerdict) -> dict[str, Any]:
    return {
        "profile": judged.profile,
        "title": judged.title,
        "state": judged.state or PASSED,
        "verdict": judged.words,
        "counts": {severity: judged.counts[severity] for severity in SEVERITIES},
    }


def _to_fix(item: ToFix) -> dict[str, Any]:
    return {"rule": item.rule, "severity": item.severity, "inputs": item.inputs, "places": item.places, "first": told(item.example)}


def _rule(rule: Rule, went: Counter[Status]) -> dict[str, Any]:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "title": rule.title,
        "why": rule.why,
        "fix": rule.fix,
        "source": rule.source,
        "profiles": list(rule.profiles),
        "inputs": {status: went[status] for status in STATUSES if went[status]},
    }


def _parts(report: Report) -> Iterator[str]:
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    before = "{\n"
    for key, value in _members(report):
        yield f"{before}{encode(key)}: "
        before = ",\n"
        if isinstance(value, Iterator):
            yield "["
            for number, item in enumerate(value):
                yield f"{',' if number else ''}\n{encode(item)}"
            yield "\n]"
        else:
            yield encode(value)
    yield "\n}\n"
