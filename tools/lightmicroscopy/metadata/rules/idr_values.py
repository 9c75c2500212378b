"""Rules on what the values of an IDR study file say: publications, terms, dates, licences, people."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from ...archives.licences import ZERO, licence_of
from ..documents.content import shorten
from ..findings import IDR, Problem, Severity, Subject, rule
from ..idr_template import CONTROLLED, PARSER, SUBMISSION
from ..ontologies import orcid
from ..vocabulary import canonical_source, doubt_of, mail_problem
from ._documents import study

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.idr_study import Line, StudyFile

_VOCABULARY: Final = "https://github.com/IDR/idr.openmicroscopy.org"
_DOI: Final = re.compile(r"(https?://(dx\.)?doi\.org/)?10\.\d+/\S+")
_ACCESSIONS: Final = (
    ("Study BioStudies Accession", r"S-[A-Z]{4}[-_A-Z\d]+", "S-BSST123"),
    ("Study BioImage Archive Accession", r"S-[A-Z]{4}[-_A-Z\d]+", "S-BIAD123"),
    ("Study EMPIAR Accession", r"EMPIAR-\d+", "EMPIAR-10310"),
)
_OTHER_ARCHIVES: Final = tuple(key for key, *_ in _ACCESSIONS)
_PEOPLE: Final = ("Last Name", "First Name", "Email", "Address", "ORCID", "Roles")
_TAKEN: Final = (ZERO, "CC BY 4.0")


@rule(
    "idr.publications",
    severity="error",
    title="There are as many titles of publications as lists of authors.",
    why="The parser puts them together by their columns, and refuses a file where they are not as many.",
    fix="Give each publication a column of its own in both lines. The authors of one publication stand in one column, with commas between.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
)
def _publications(subject: Subject) -> Iterator[Problem]:
    titles, authors = (study(subject).get(f"Study {what}") for what in ("Publication Title", "Author List"))
    if titles and authors and len(titles.said) != len(authors.said):
        yield Problem(f"There are {len(titles.said)} titles of publications, but {len(authors.said)} lists of authors.", authors.where)


@rule(
    "idr.identifier",
    severity="error",
    title="PubMed IDs, PMC IDs and DOIs are written as the parser reads them.",
    why="The parser makes links of them, and stops at one that it does not understand.",
    fix="Write a PubMed ID as a number, a PMC ID as PMC and a number, a DOI as https://doi.org/10.1234/abcd.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
    applies=lambda subject: any(
        study(subject).value(key) for key in ("Study PubMed ID", "Study PMC ID", "Study DOI", "Study Data DOI", *_OTHER_ARCHIVES)
    ),
)
def _identifier(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    shapes = (("PubMed ID", r"\d+"), ("PMC ID", r"PMC\d+"), ("DOI", _DOI.pattern), ("Data DOI", _DOI.pattern))
    for line in found.lines:
        for name, shape in shapes:
            if line.key == f"Study {name}" or (name == "Data DOI" and line.key in ("Screen Data DOI", "Experiment Data DOI")):
                for value in line.said:
                    if not re.fullmatch(shape, value, re.ASCII):
                        yield Problem(f"“{shorten(value)}” is no {name.removeprefix('Data ')}.", line.where)
        for key, shape, example in _ACCESSIONS:
            for value in line.said if line.key == key else ():
                if not re.fullmatch(shape, value, re.ASCII):
                    message = f"“{shorten(value)}” is no accession such as {example}."
                    yield Problem(message, line.where, severity="warning", fix=f"Write it as {example}.")


@rule(
    "idr.term",
    severity="warning",
    title="Terms have the ontology they come from and their identifier, in the same columns.",
    why="By the identifiers others find the study across archives; a term without one is found only by its spelling.",
    fix="Write the ontology into “… Term Source REF” and the identifier into “… Term Accession”, each below its term.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="idr-study",
    applies=lambda subject: any(True for _ in _terms(study(subject))),
)
def _term(subject: Subject) -> Iterator[Problem]:
    for line, sources, accessions in _terms(study(subject)):
        for column, label in enumerate(line.values):
            if not label or label.startswith("#") or label.casefold() == "none":
                continue
            source, accession = _at(sources, column), _at(accessions, column)
            if not accession:
                doubt = doubt_of(label, "", source)
                message = f"“{shorten(label)}” ({line.key}) has no identifier."
                yield Problem(message, line.where, severity="info", fix=doubt.fix if doubt else None)
                continue
            if not source and not re.search(r"[_:]", accession):
                yield Problem(f"“{accession}” ({line.key}) does not say which ontology it is of.", line.where)
            doubt = doubt_of(label, accession, source)
            if doubt:
                yield Problem(f"{line.key}: {doubt.message}", line.where, severity=doubt.gravity, fix=doubt.fix)
        extra = max((len(other.said) for other in (sources, accessions) if other), default=0)
        if extra > len(line.said) > 0:
            yield Problem(f"“{line.key}” has {len(line.said)} terms, but {extra} sources or identifiers.", line.where)


@rule(
    "idr.source-spelling",
    severity="info",
    title="Ontologies are named as they name themselves.",
    why="Programs that look a term up compare the names letter for letter.",
    fix="Write the name as the ontology does.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="idr-study",
)
def _source_spelling(subject: Subject) -> Iterator[Problem]:
    for line in study(subject).lines:
        if line.key.endswith("Source REF") or line.key == "Term Source Name":
            for value in dict.fromkeys(line.said):
                if canonical_source(value) != value:
                    message = f"“{shorten(value)}” is written {canonical_source(value)}"
                    more = "; the templates spell it wrong." if value == "Fbbi" else "."
                    yield Problem(message + more, line.where, fix=f"Write {canonical_source(value)}.")


@rule(
    "idr.controlled-term",
    severity="error",
    title="Terms of the IDR's own lists have the identifiers that stand there.",
    why="The identifier, not the word, decides what the study is found as.",
    fix="Copy both from the IDR's list of controlled terms.",
    source=_VOCABULARY,
    profiles=(IDR,),
    needs="idr-study",
    applies=lambda subject: any(line.key in CONTROLLED and line.first for line in study(subject).lines),
)
def _controlled_term(subject: Subject) -> Iterator[Problem]:
    for line, _, accessions in _terms(study(subject)):
        for column, label in enumerate(line.values):
            known = CONTROLLED.get(line.key, {}).get(label)
            accession = _at(accessions, column)
            if known and accession and re.sub(r"\W", "_", accession) not in (known, known.partition("_")[2]):
                yield Problem(
                    f"“{label}” ({line.key}) is {known} in the IDR's list, and not {shorten(accession, 40)}.", line.where, fix=f"Write {known}."
                )


@rule(
    "idr.release-date",
    severity="error",
    title="The release date is a day, written as YYYY-MM-DD.",
    why="The page of the study shows it, and curators plan by it.",
    fix="Write year, month and day, such as 2026-11-30.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="idr-study",
    applies=lambda subject: bool(study(subject).value("Study Public Release Date")),
)
def _release_date(subject: Subject) -> Iterator[Problem]:
    line = study(subject).get("Study Public Release Date")
    for value in line.said if line else ():
        try:
            good = bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII)) and bool(date.fromisoformat(value))
        except ValueError:
            good = False
        if not good and line:
            yield Problem(f"“{shorten(value)}” is no day written as YYYY-MM-DD.", line.where)


@rule(
    "idr.licence",
    severity="error",
    title="The licence is one that the IDR takes, with its address.",
    why="The IDR publishes data under CC BY 4.0 or CC0; others cannot be taken.",
    fix="Write CC BY 4.0 into “Study License”, and https://creativecommons.org/licenses/by/4.0/ into “Study License URL”.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="idr-study",
)
def _licence(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    line, address = found.get("Study License"), found.get("Study License URL")
    if line is None or not line.first:
        where = line.where if line else "Study License"
        yield Problem("No licence is named; CC BY 4.0 would be assumed, which somebody must confirm.", where, severity="warning")
        return
    licence = licence_of(line.first)
    if licence.name not in _TAKEN:
        graver: Severity | None = None if not licence.name.startswith(("CC BY 3.0", "CC BY 2")) else "warning"
        yield Problem(f"The licence “{shorten(line.first)}” is none that the IDR takes.", line.where, severity=graver)
    if address is None or not address.first:
        message = "The licence has no address: “Study License URL” is empty or missing."
        yield Problem(message, address.where if address else line.where, severity="warning", fix=f"Write {licence.url}." if licence.url else None)
    elif licence.name in _TAKEN and licence_of("", address.first).name != licence.name:
        message = f"The licence is {licence.name}, but its address is that of another: {shorten(address.first)}."
        yield Problem(message, address.where, fix=f"Write {licence.url}.")


@rule(
    "idr.person",
    severity="error",
    title="People have names, one of them an e-mail address, each in the same column of every line.",
    why="Curators write to them, and the columns decide which name goes with which address.",
    fix="Give each person a column of their own in every line “Study Person …”.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="idr-study",
)
def _person(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    lines = {what: found.get(f"Study Person {what}") for what in _PEOPLE}
    people = max((len(line.said) for what in ("Last Name", "First Name") if (line := lines[what])), default=0)
    for what in ("Last Name", "First Name", "Email"):
        line = lines[what]
        if line is None or not line.said:
            yield Problem(
                f"Nobody's {'e-mail address' if what == 'Email' else what.lower()} is given.",
                line.where if line else f"Study Person {what}",
                severity="warning",
            )
        elif what != "Email" and len(line.said) != people:
            yield Problem(f"There are {len(line.said)} of {people} people in “{line.key}”.", line.where)
    for what, line in lines.items():
        if line is not None and people and len(line.said) > people:
            yield Problem(f"“Study Person {what}” has {len(line.said)} values for {people} people.", line.where, severity="warning")
    for value in lines["Email"].said if lines["Email"] else ():
        wrong, fix = mail_problem(value)
        if wrong and lines["Email"]:
            yield Problem(f"The e-mail address “{shorten(value)}” {wrong}.", lines["Email"].where, fix=fix)
    for value in lines["ORCID"].said if lines["ORCID"] else ():
        wrong, fix = orcid.problem(value)
        if wrong and lines["ORCID"]:
            yield Problem(f"“{shorten(value)}” {wrong}.", lines["ORCID"].where, fix=fix)


@rule(
    "idr.address",
    severity="warning",
    title="Addresses are whole, and each ontology has one.",
    why="The page of the study makes links of them.",
    fix="Write the whole address, with https:// before it.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="idr-study",
)
def _address(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    for key in ("Study External URL", "Term Source URI", "Study License URL"):
        line = found.get(key)
        for value in line.said if line else ():
            if not re.fullmatch(r"https?://\S+\.\S+", value) and line:
                yield Problem(f"“{shorten(value)}” ({key}) is no whole address.", line.where)
    names, addresses = found.get("Term Source Name"), found.get("Term Source URI")
    if names and addresses and len(names.said) != len(addresses.said):
        yield Problem(f"There are {len(names.said)} ontologies, but {len(addresses.said)} addresses of them.", addresses.where)


def _terms(found: StudyFile) -> Iterator[tuple[Line, Line | None, Line | None]]:
    """Lines that hold terms, each with those of its sources and accessions."""
    for lines in (found.study, *(block.lines for block in found.blocks)):
        by_key: dict[str, Line] = {}
        for line in lines:
            by_key.setdefault(line.key, line)
        for key, line in by_key.items():
            sources = by_key.get(f"{key} Term Source REF") or by_key.get(f"{key.removesuffix(' Type')} Term Source REF")
            accessions = by_key.get(f"{key} Term Accession") or by_key.get(f"{key.removesuffix(' Type')} Term Accession")
            if line.said and not key.endswith((" REF", " Accession")) and (sources or accessions):
                yield line, sources, accessions


def _at(line: Line | None, column: int) -> str:
    value = line.values[column] if line is not None and column < len(line.values) else ""
    return "" if value.startswith("#") else value
