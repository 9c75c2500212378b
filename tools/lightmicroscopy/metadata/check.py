"""Checks inputs against the rules of one or more profiles, one input at a time."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from .. import readers
from ..errors import SuiteError, UnreadableError, why_unreadable
from ..inputs import Address, Given, bytes_of, location_of, names_of
from ..inspection import titles
from ..provenance import checksum_of_source, files_below, now, sha256_of
from .documents import PROFILE_OF, read_document
from .documents.content import head_of
from .findings import (
    BETWEEN_PROFILES,
    OPEN_FORMAT,
    REMBI,
    SEVERITIES,
    Finding,
    Rule,
    Severity,
    Status,
    Subject,
    Together,
    run_rule,
    run_together,
    told_once,
)
from .input_facts import InputFacts, SeriesFacts
from .rules import PROFILES, catalogue
from .safe_xml import LARGEST, parse_xml
from .sources import preview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ..image import Dataset, Image

UNREADABLE = "input.unreadable"
PREVIEW = "input.preview"
NO_PROFILE = "input.profile-missing"
OME_XML = "OME-XML"
SUITE = "Galaxy light microscopy suite"
TOLD = tuple(part.name for part in fields(Finding) if part.name not in {"about", "precision"})
"""Members of a finding that people and programs are told; the others only serve to choose among findings."""
_BEGINS_AS_XML = re.compile(r"\s*<[?!A-Za-z]")
_FAULTS = (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError, MemoryError, RecursionError)
"""Readers promise a sentence; where one of them breaks the promise, the other inputs still get their reports."""


@dataclass(frozen=True, slots=True)
class CheckedInput:
    """One input, what it holds, and how every rule went."""

    name: str
    format: str = ""
    bytes: int | None = 0
    sha256: str = ""
    series: tuple[SeriesFacts, ...] = ()
    labels: int = 0
    unreadable: str = ""
    url: str = ""
    """Where it is on the web."""
    part_of: str = ""
    """Name of the input that this file belongs to as part of a set, and was checked with."""
    statuses: Mapping[str, Status] = field(default_factory=dict)
    """How each rule went, by its id. Inputs of which all rules went alike share one of these, so that thousands of them are light."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that a check found out."""

    profiles: tuple[str, ...]
    date: str
    inputs: tuple[CheckedInput, ...]
    findings: tuple[Finding, ...]
    """Sorted by severity (gravest first), input, rule."""
    rules: tuple[Rule, ...]
    parameters: tuple[tuple[str, str], ...] = ()
    files: frozenset[Path] = frozenset()
    """All that the inputs are made of, members of sets that were not given themselves among them."""

    @property
    def checked(self) -> tuple[CheckedInput, ...]:
        """Inputs that stand for themselves; the files of a multi-file set are one."""
        return tuple(item for item in self.inputs if not item.part_of)

    @property
    def failed(self) -> tuple[CheckedInput, ...]:
        """Inputs that could not be read."""
        return tuple(item for item in self.inputs if item.unreadable)

    def count(self, severity: Severity) -> int:
        """How many findings of that severity there are."""
        return sum(finding.severity == severity for finding in self.findings)

    def reaches(self, level: str) -> bool:
        """Whether there is a finding at least as grave as ``error`` or ``warning``; a check that could not run counts as a warning."""
        grave: dict[str, tuple[Severity, ...]] = {"error": ("error",), "warning": ("error", "warning", "not-run")}
        return any(finding.severity in grave.get(level, ()) for finding in self.findings)

    def rows(self) -> Iterable[dict[str, object]]:
        """Rows of the findings table."""
        return ({name: value for name, value in told(finding).items() if name != "why"} for finding in self.findings)

    def tally(self) -> dict[str, Counter[Status]]:
        """For each rule, in how many inputs it found something, passed, could not run or had nothing to check."""
        counts: dict[str, Counter[Status]] = {rule.id: Counter() for rule in self.rules}
        for item in self.inputs:
            for rule_id, status in item.statuses.items():
                counts[rule_id][status] += 1
        return counts


def check(
    paths: Sequence[Given],
    profiles: Sequence[str] = (OPEN_FORMAT,),
    *,
    parameters: tuple[tuple[str, str], ...] = (),
    done: Callable[[CheckedInput, int], None] | None = None,
    today: date | None = None,
) -> Report:
    """Check inputs one after another, each closed before the next is opened; then what concerns all of them together.

    Parameters
    ----------
    paths
        Files, folders, zips or stores on the web, images and documents. All of them together are where the members of multi-file sets are looked for.
    profiles
        Names out of `rules.PROFILES`.
    parameters
        Flags and values to record in the reports.
    done
        Called after each input with it and the bytes it had.
    today
        The day that release dates are measured from; by default this one, in UTC.

    Returns
    -------
    A report. An input that cannot be read is one finding in it and never costs the others theirs.
    """
    rules = catalogue(profiles)
    given = tuple(dict.fromkeys(paths))
    findings: list[Finding] = []
    inputs: list[CheckedInput] = []
    facts: list[InputFacts] = []
    members: dict[Given, str] = {}
    read: set[Path] = set()
    shared: dict[object, dict[str, Status]] = {}
    day = today or date.fromisoformat(now()[:10])
    for name, path in zip(names_of(given), given, strict=True):
        if isinstance(path, Path) and path in members:
            item = CheckedInput(name, bytes=bytes_of(path), sha256=_checksum(path, None), part_of=members[path])
            found: list[Finding] = []
            known = InputFacts(name, path, "image", bytes=item.bytes)
        else:
            item, found, files, known = _check_one(name, path, given, rules, profiles, day)
            item = replace(item, statuses=_shared(shared, dict(item.statuses)))
            members.update((file, name) for file in files if file != path)
            read.update(files)
        inputs.append(item)
        facts.append(known)
        findings.extend(found)
        if done is not None:
            done(item, item.bytes or 0)
    inputs, of_all = _check_together(rules, profiles, Together(tuple(facts), day), inputs)
    findings += of_all
    findings.sort(key=lambda finding: (SEVERITIES.index(finding.severity), finding.input, finding.rule))
    return Report(tuple(profiles), now(), tuple(inputs), tuple(findings), rules, parameters, frozenset(read))


def told(finding: Finding) -> dict[str, object]:
    """Return what the reports say of a finding, by column of the table and key of the JSON."""
    return {name: getattr(finding, name) for name in TOLD}


def images_of(report: Report, paths: Sequence[Given]) -> Iterator[tuple[str, Image]]:
    """Open what was checked once more, input by input, for a look at the images.

    Yields
    ------
    A title and each series; its pixels can be read until the next one is asked for.
    """
    given = tuple(dict.fromkeys(paths))
    for item, path in zip(report.inputs, given, strict=True):
        if not item.series:
            continue
        with opened_again(path, given) as dataset:
            yield from zip(titles(item.name, dataset.images), dataset.images, strict=True)


def opened_again(path: Given, given: Sequence[Given]) -> Dataset:
    """Open an input that was checked once more; it is closed by whoever asked."""
    return readers.open(location_of(path, tuple(dict.fromkeys(given))))


def open_subject(name: str, path: Given, files: tuple[Given, ...] = (), today: date | None = None) -> Subject:
    """Open an input for checking.

    Returns
    -------
    A subject; its `unreadable` says why where neither a reader nor the XML parser could make anything of it.
    """
    # What is on the web has no path here, whatever file may be called as it is.
    given, path = path, Path(os.devnull, path.name) if isinstance(path, Address) else path
    try:
        described = read_document(path)
        document = None if described else _ome_document(path)
    except (SuiteError, *_FAULTS) as error:
        return Subject(name, path, unreadable=why_unreadable(name, error))
    if described is not None:
        return Subject(name, path, document=described, today=today or date.fromisoformat(now()[:10]))
    try:
        dataset = readers.open(location_of(given, files))
    except (SuiteError, *_FAULTS) as error:
        # A companion file is opened with its images; alone, it is still a document that can be checked.
        reason = None if document is not None and isinstance(error, SuiteError) else why_unreadable(name, error)
        return Subject(name, path, ome_xml=document or _description(path), unreadable=reason)
    sentence = preview(dataset)
    if sentence:
        dataset.close()
        return Subject(name, path, unreadable=sentence, is_preview=True)
    return Subject(name, path, dataset, dataset.ome_source or document or _description(path))


def _description(path: Path) -> bytes | None:
    """The OME-XML in the first page of a TIFF, which a reader may have put aside because it does not fit the pixels."""
    from ..readers.files import RandomFile
    from ..readers.tiff_structure import Scanner

    if not path.is_file():
        return None
    file = None
    try:
        file = RandomFile(path)
        scanner = Scanner(file)
        description = scanner.description(scanner.first)
    except SuiteError:
        return None
    finally:
        if file is not None:
            file.close()
    return description if b"<OME" in description[:4096] or b":OME" in description[:4096] else None


def _check_one(
    name: str, path: Given, files: tuple[Given, ...], rules: tuple[Rule, ...], profiles: Sequence[str], today: date
) -> tuple[CheckedInput, list[Finding], tuple[Path, ...], InputFacts]:
    subject = open_subject(name, path, files, today)
    try:
        findings = [_unreadable(subject, profiles)] if subject.unreadable else _unasked(subject, profiles)
        statuses: dict[str, Status] = {}
        for rule in rules:
            found, statuses[rule.id] = run_rule(rule, subject, rule.counts_for(profiles))
            findings += found
        findings = told_once(findings)
        item = CheckedInput(
            name=name,
            format=subject.format,
            bytes=bytes_of(path),
            sha256=_checksum(path, subject.dataset),
            url=path.url if isinstance(path, Address) else "",
            series=tuple(SeriesFacts.of(image) for image in subject.dataset.images) if subject.dataset else (),
            labels=len(subject.dataset.labels) if subject.dataset else 0,
            unreadable=subject.unreadable or "",
            statuses=statuses,
        )
        facts = _input_facts(subject, path, item, profiles)
    finally:
        if subject.dataset is not None:
            subject.dataset.close()
    return item, findings, subject.dataset.files if subject.dataset else (), facts


def _check_together(
    rules: tuple[Rule, ...], profiles: Sequence[str], together: Together, inputs: list[CheckedInput]
) -> tuple[list[CheckedInput], list[Finding]]:
    """Run the rules over all inputs, and note how each went for each input."""
    findings: list[Finding] = []
    named: dict[str, set[str]] = {}
    otherwise: dict[str, Status] = {}
    for rule in rules:
        if rule.is_together:
            found, status = run_together(rule, together, rule.counts_for(profiles))
            named[rule.id] = {finding.input for finding in found}
            otherwise[rule.id] = "not-applicable" if status == "found" else status
            findings += found
    shared: dict[object, dict[str, Status]] = {}
    noted = []
    for item in inputs:
        went: dict[str, Status] = {rule_id: "found" if item.name in named[rule_id] else status for rule_id, status in otherwise.items()}
        noted.append(item if item.part_of else replace(item, statuses=_shared(shared, {**item.statuses, **went})))
    return noted, findings


def _shared(known: dict[object, dict[str, Status]], statuses: dict[str, Status]) -> dict[str, Status]:
    """Give the statuses of an input before of which all rules went the same."""
    return known.setdefault(tuple(statuses.items()), statuses)


def _input_facts(subject: Subject, given: Given, item: CheckedInput, profiles: Sequence[str]) -> InputFacts:
    from ..archives.wells import WellPlace
    from ..inspection import other_names
    from .rembi.compare import told_by

    dataset, document = subject.dataset, subject.document
    plates = tuple(
        (plate.name, " ".join(WellPlace(well.row, well.column).name for well in plate.wells)) for plate in (dataset.plates if dataset else ())
    )
    return InputFacts(
        name=item.name,
        path=given if isinstance(given, Path) else None,
        kind=document.kind if document else "image" if dataset is not None or subject.ome_xml is not None else "unknown",
        format=item.format,
        bytes=item.bytes,
        is_zarr=subject.is_zarr and dataset is not None,
        series=item.series,
        plates=plates,
        told=told_by(item.name, dataset) if dataset is not None and REMBI in profiles else (),
        members=other_names(dataset) if dataset is not None and REMBI in profiles else (),
        document=document.facts if document else None,
    )


def _unasked(subject: Subject, profiles: Sequence[str]) -> list[Finding]:
    """Say of a document whose profile was not chosen that nothing in it was looked at."""
    if subject.document is None or PROFILE_OF[subject.document.kind] in profiles:
        return []
    wanted = PROFILE_OF[subject.document.kind]
    return [
        Finding(
            input=subject.name,
            series="",
            profile=BETWEEN_PROFILES.join(profiles),
            rule=NO_PROFILE,
            severity="not-run",
            location="",
            message=f"{subject.name} was not checked: it is a document (“{subject.format}”) for the profile {wanted}, which was not chosen.",
            fix=f"Choose the profile {wanted} too (--profile {wanted}), or leave the document out.",
            source="https://github.com/galaxy-light-microscopy/light-microscopy-suite",
            why="A document that nobody looked at must not be taken for one that passed.",
        )
    ]


def _unreadable(subject: Subject, profiles: Sequence[str]) -> Finding:
    fix = "Open the file in the software that made it; if it opens there, export or upload it again. Other checks of this input could not run."
    why = "What cannot be opened here will not open for the people you share it with, and nothing else about it could be checked."
    if subject.is_preview:
        fix = "Check the image it shows. In Galaxy, OME-TIFF files are in a list: choose it with the button for collections beside the input."
        why = "A preview has neither the pixel values nor the metadata of its image, so that a check of it says nothing about that."
    return Finding(
        input=subject.name,
        series="",
        profile=BETWEEN_PROFILES.join(profiles),
        rule=PREVIEW if subject.is_preview else UNREADABLE,
        severity="error",
        location="",
        message=subject.unreadable or "",
        fix=fix,
        source="https://ome-model.readthedocs.io/en/stable/",
        why=why,
    )


def _ome_document(path: Path) -> bytes | None:
    """A file's content if it is an OME-XML document by itself; ``None`` if it is no XML at all."""
    if not path.is_file():
        return None
    if not _BEGINS_AS_XML.match(head_of(path)):
        return None
    size = path.stat().st_size
    if size > LARGEST:
        raise UnreadableError(f"{path.name} is an XML document of {size:,} bytes; at most {LARGEST:,} are read. Check where it comes from.")
    document = path.read_bytes()
    root = parse_xml(document, path.name)
    local = str(root.tag).rsplit("}", 1)[-1]
    if local != "OME":
        raise UnreadableError(
            f"{path.name} is an XML document but not OME-XML: its outermost element is {local}, not OME. Give the image, or its OME-XML."
        )
    return document


def _checksum(path: Given, dataset: Dataset | None) -> str:
    if isinstance(path, Address):
        return ""
    try:
        return checksum_of_source(dataset) if dataset is not None else sha256_of(files_below(path))
    except OSError:
        return ""


def profile_titles(profiles: Iterable[str]) -> dict[str, str]:
    """What each profile asks, for headings."""
    return {profile: PROFILES[profile] for profile in profiles}
