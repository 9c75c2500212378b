"""What a check comes to: a verdict per profile, and which few things to mend first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..metadata.check import NO_PROFILE, Report, profile_titles
from ..metadata.findings import ALL_INPUTS, SEVERITIES, Severity
from .words import plural

if TYPE_CHECKING:
    from ..metadata.findings import Finding

FIRST = 5
"""Things named under what to mend first; more are no longer a beginning."""


@dataclass(frozen=True, slots=True)
class ProfileVerdict:
    """How all inputs did by one profile."""

    profile: str
    title: str
    state: Severity | None
    """The gravest severity found; None where nothing was."""
    words: str
    counts: Counter[Severity]

    @property
    def name(self) -> str:
        """The profile's name for people: what stands before the colon of its title."""
        return self.title.partition(":")[0]


@dataclass(frozen=True, slots=True)
class ToFix:
    """One rule's findings over all inputs, with how to mend them."""

    severity: Severity
    rule: str
    inputs: int
    """How many inputs it is found in; 0 where it is only about all of them together."""
    places: int
    example: Finding

    @property
    def touches(self) -> str:
        """How much it touches: ``3 places in 2 inputs``."""
        return f"{plural(self.places, 'place')} in {plural(self.inputs, 'input')}" if self.inputs else ALL_INPUTS.lower()


def verdicts(report: Report) -> tuple[ProfileVerdict, ...]:
    """Judge each profile by itself; what cannot be read fails every profile, and what breaks a rule of several fails them all."""
    counts: dict[str, Counter[Severity]] = {profile: Counter() for profile in report.profiles}
    for finding in report.findings:
        for profile in finding.profiles:
            counts[profile][finding.severity] += 1
    titles = profile_titles(report.profiles)
    reasons = dict.fromkeys(report.profiles, "Nothing in the inputs could be checked by this profile.")
    for finding in report.findings:
        if finding.severity == "not-run" and finding.input == ALL_INPUTS:
            reasons |= dict.fromkeys(finding.profiles, finding.message)
    ran = _ran(report)
    return tuple(_judged(profile, titles[profile], found, "" if profile in ran else reasons[profile]) for profile, found in counts.items())


def _ran(report: Report) -> set[str]:
    went = report.tally()
    return {profile for rule in report.rules if went[rule.id]["passed"] or went[rule.id]["found"] for profile in rule.profiles}


def _judged(profile: str, title: str, counts: Counter[Severity], why_not: str) -> ProfileVerdict:
    state = next((severity for severity in SEVERITIES if counts[severity]), None)
    besides = f" {plural(counts['not-run'], 'check')} could not be made." if counts["not-run"] else ""
    if counts["error"]:
        words = f"Does not pass: {plural(counts['error'], 'error')} must be mended.{besides}"
    elif counts["warning"]:
        words = f"Passes with gaps: {plural(counts['warning'], 'warning')}, no errors.{besides}"
    elif why_not:
        state, words = "not-run", f"Not judged. {why_not}"
    elif counts["not-run"]:
        words = f"Nothing wrong was found, but {plural(counts['not-run'], 'check')} could not be made."
    elif counts["info"]:
        words = f"Passes, with {plural(counts['info'], 'note')} on what could be added."
    else:
        words = "Passes."
    return ProfileVerdict(profile, title, state, words, counts)


def to_fix_first(report: Report) -> tuple[ToFix, ...]:
    """Choose the errors and warnings that gain most: the gravest, then those that touch most inputs."""
    found: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in report.findings:
        if finding.severity in ("error", "warning") and finding.rule != NO_PROFILE:
            found.setdefault((finding.severity, finding.rule), []).append(finding)
    items = [
        ToFix(severity, rule, len({finding.input for finding in findings} - {ALL_INPUTS}), len(findings), findings[0])
        for (severity, rule), findings in found.items()
    ]
    return tuple(sorted(items, key=lambda item: (SEVERITIES.index(item.severity), -item.inputs, -item.places, item.rule))[:FIRST])
