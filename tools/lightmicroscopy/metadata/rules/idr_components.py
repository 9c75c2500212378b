"""Rules on the screens and experiments of an IDR study: their numbers, names and organisms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..documents.content import shorten
from ..documents.idr_study import Block, find
from ..findings import IDR, Problem, Subject, rule
from ..idr_template import ACCESSION, ACCESSION_KEY, COMPONENTS, METADATA, PARSER
from ._documents import study

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = re.compile(r"(?P<study>(?P<accession>[^-/]+)-\w+(?:-\w+)?)/(?P<component>\w+)")
_COMPONENT: Final = re.compile(r"(screen|experiment)[A-Z]")


@rule(
    "idr.accession",
    severity="error",
    title="The accession is idr and four digits.",
    why="Names of files, projects, screens and of the study's repository are made of it.",
    fix="Leave it empty until the IDR has given one.",
    source=METADATA,
    profiles=(IDR,),
    needs="idr-study",
    applies=lambda subject: bool(study(subject).accession),
)
def _accession(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    line = found.get(ACCESSION_KEY)
    if line is not None and not ACCESSION.fullmatch(found.accession):
        yield Problem(f"“{shorten(found.accession)}” is no accession of the IDR, such as idr0062.", line.where)


@rule(
    "idr.component-count",
    severity="error",
    title="The study says how many screens and experiments it has, and describes each.",
    why="The parser looks for as many blocks as these numbers say: without them it finds none, and with a wrong one it stops.",
    fix="Write the number of blocks into “Study Screens Number” or “Study Experiments Number”.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
)
def _component_count(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    stated: dict[str, int | None] = {}
    for kind in COMPONENTS:
        key = f"Study {kind}s Number"
        line, blocks = found.get(key), sum(block.kind == kind for block in found.blocks)
        if line is None or not line.first:
            stated[kind] = None
            if blocks:
                where = line.where if line else key
                yield Problem(f"“{key}” does not say that there {'are' if blocks > 1 else 'is'} {blocks}.", where, fix=f"Write {blocks}.")
            continue
        if not re.fullmatch(r"\d{1,4}", line.first, re.ASCII):
            yield Problem(f"“{key}” is “{shorten(line.first)}”, which is no number.", line.where)
            stated[kind] = None
            continue
        stated[kind] = int(line.first)
        if stated[kind] != blocks:
            message = f"“{key}” says {line.first}, but the file describes {blocks}: each begins with a line “{kind} Number”."
            yield Problem(message, line.where, fix="Let both agree.")
    if not found.blocks:
        yield Problem("The study has neither a screen nor an experiment: no line “Screen Number” or “Experiment Number” is there.")


@rule(
    "idr.component-number",
    severity="error",
    title="Screens, and experiments, are numbered 1, 2, 3 and so on.",
    why="The parser asks for number 1, then for number 2; it stops at a number that is missing or there twice.",
    fix="Number them from 1 in their order.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
    applies=lambda subject: bool(study(subject).blocks),
)
def _component_number(subject: Subject) -> Iterator[Problem]:
    for kind in COMPONENTS:
        expected = 1
        seen: set[int] = set()
        for block in (block for block in study(subject).blocks if block.kind == kind):
            where = f"{block.where}, {kind} Number"
            if not re.fullmatch(r"[1-9]\d{0,3}", block.number, re.ASCII):
                what = f"“{shorten(block.number, 40)}” is no number" if block.number else "there is no number"
                yield Problem(
                    f"{what[0].upper()}{what[1:]} of {'a screen' if kind == 'Screen' else 'an experiment'}.", where, fix=f"Write {expected}."
                )
            elif int(block.number) in seen:
                yield Problem(f"{kind} {block.number} is there twice.", where)
            elif int(block.number) != expected:
                yield Problem(f"{kind} {block.number} comes where {kind.lower()} {expected} is expected.", where, fix=f"Write {expected}.")
            if block.number.isdecimal():
                seen.add(int(block.number))
            expected += 1


@rule(
    "idr.component-name",
    severity="error",
    title="Components are called idrNNNN-lastname-topic/screenA or /experimentA, all with the study's own name before the slash.",
    why="These are the names of screens and projects in the IDR; the parser refuses others.",
    fix="Write the accession, the first author's last name and a topic, a slash, and screenA, screenB or experimentA and so on.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
    applies=lambda subject: any(_name(block) for block in study(subject).blocks),
)
def _component_name(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    first = ""
    seen: set[str] = set()
    for block in found.blocks:
        name = _name(block)
        if not name:
            continue
        where = f"{block.where}, Comment[IDR {block.kind} Name]"
        match = _NAME.fullmatch(name)
        if match is None:
            yield Problem(f"“{shorten(name)}” is no name of a component.", where)
            continue
        if found.accession and match["accession"] != found.accession:
            yield Problem(f"“{shorten(name)}” does not begin with the accession {shorten(found.accession)}.", where)
        if first and match["study"] != first:
            yield Problem(f"“{shorten(name)}” is of another study than “{first}”, that of the first component.", where)
        if name in seen:
            yield Problem(f"Two components are called “{shorten(name)}”.", where)
        if not _COMPONENT.fullmatch(match["component"]) or not match["component"].startswith(block.kind.lower()):
            message = f"The part “{shorten(match['component'])}” of {block.label} is not {block.kind.lower()}A, {block.kind.lower()}B and so on."
            yield Problem(message, where, severity="warning")
        if name != name.lower() and match["study"] != match["study"].lower():
            yield Problem(f"“{match['study']}” has capital letters; names of studies have none.", where, severity="warning")
        first = first or match["study"]
        seen.add(name)


@rule(
    "idr.organism-level",
    severity="error",
    title="The organism stands at one level: that of the study, or that of every component.",
    why="The parser refuses a study with organisms at both levels, and one with none.",
    fix="Write “Study Organism” if all components have the same, else “Screen Organism” or “Experiment Organism” in each, and not both.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
)
def _organism_level(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    line = found.get("Study Organism")
    whole = bool(line and line.first)
    with_own = [block for block in found.blocks if (own := find(block.lines, f"{block.kind} Organism")) and own.first]
    if whole and with_own:
        message = f"The organism stands at both levels: in “Study Organism” and in {', '.join(block.label for block in with_own[:5])}."
        yield Problem(message, line.where if line else "")
    elif not whole and not with_own:
        yield Problem("No organism is named, neither for the study nor for its components.", line.where if line else "Study Organism")
    elif not whole:
        for block in found.blocks:
            if block not in with_own:
                yield Problem(f"{block.label} has no organism, and the study has none for all.", f"{block.where}, {block.kind} Organism")


def _name(block: Block) -> str:
    line = find(block.lines, f"Comment[IDR {block.kind} Name]")
    return line.first if line else ""
