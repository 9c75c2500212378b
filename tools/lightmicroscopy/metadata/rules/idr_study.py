"""Rules on the study file of the IDR as its parser reads it: keys that must be there, keys it does not know, and how they are written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ..documents.content import Text, shorten
from ..documents.idr_study import Line, StudyFile, find, is_hint
from ..findings import IDR, Problem, Severity, Subject, rule
from ..idr_template import (
    ACCESSION_KEY,
    COMPONENTS,
    METADATA,
    PARSER,
    RENAMED,
    STUDY_KEYS,
    STUDY_MANDATORY,
    STUDY_NAME,
    SUBMISSION,
    TEMPLATES,
    in_templates,
    known,
    mandatory,
)
from ._documents import study, table

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASSIGNED: Final = frozenset({ACCESSION_KEY, *(f"Comment[IDR {kind} Name]" for kind in COMPONENTS)})
"""Keys that the IDR fills in itself."""
_NOT_IN_TEMPLATES: Final = frozenset(f"{kind} Sample Type" for kind in COMPONENTS)
_CONTAINED: Final = {
    "Study Publication Title": "The parser wants the line even where nothing is published: leave its value empty then.",
    "Study Author List": "The parser wants the line even where nothing is published: name the authors of the data.",
}


@rule(
    "idr.encoding",
    severity="error",
    title="The file is UTF-8.",
    why="The IDR's parser drops bytes that are no UTF-8 without a word, so that µ, é or ø disappear from names and descriptions.",
    fix="Save the file as text in UTF-8 without a byte order mark.",
    source=METADATA,
    profiles=(IDR,),
    needs=("idr-study", "idr-table"),
)
def _encoding(subject: Subject) -> Iterator[Problem]:
    for fault in _text(subject).faults:
        yield Problem(fault.message, fault.where, fix=fault.fix or None)


@rule(
    "idr.line-ends",
    severity="warning",
    title="Lines end as the IDR's programs expect.",
    why="With the line ends of old Macintosh programs the whole file is one line for many programs.",
    fix="Save the file as text with Unix line ends (LF).",
    source=METADATA,
    profiles=(IDR,),
    needs=("idr-study", "idr-table"),
)
def _line_ends(subject: Subject) -> Iterator[Problem]:
    if _text(subject).carriage_returns:
        yield Problem(f"The lines of {subject.name} end with a carriage return (CR) alone.", "line 1")


@rule(
    "idr.study-file-name",
    severity="warning",
    title="The study file is called idrNNNN-study.txt, after its accession.",
    why="The IDR's programs find the file of a study by that name.",
    fix="Rename it once the IDR has given the accession.",
    source=METADATA,
    profiles=(IDR,),
    needs="idr-study",
    applies=lambda subject: bool(study(subject).accession),
)
def _study_file_name(subject: Subject) -> Iterator[Problem]:
    match = STUDY_NAME.fullmatch(subject.path.name)
    accession = study(subject).accession
    if match is None or match[1] != accession or match[2] != "txt":
        yield Problem(
            f"The file is called {subject.path.name}, but the study is {shorten(accession)}.", fix=f"Call it {shorten(accession)}-study.txt."
        )


@rule(
    "idr.mandatory-key",
    severity="error",
    title="Every key that the IDR's parser cannot do without is there.",
    why="The parser stops at the first that it does not find.",
    fix="Add a line with this key, a tab, and the value.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
)
def _mandatory_key(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    for key in STUDY_MANDATORY:
        if found.get(key) is None:
            yield Problem(f"“{key}” is missing.", key, fix=_CONTAINED.get(key))
    for block in found.blocks:
        for key in mandatory(block.kind):
            if find(block.lines, key) is not None:
                continue
            fix = None
            before = found.get(key) if len(found.blocks) == 1 else None
            if before is not None:
                fix = f"Move line {before.number} below “{block.kind} Number”, where the parser looks for it."
            elif key in _NOT_IN_TEMPLATES:
                fix = f"The template lacks this line, and the parser wants it. Add “{key}”, a tab, and what was imaged, such as cell or tissue."
            yield Problem(f"“{key}” is missing in {block.label}.", f"{block.where}, {key}", fix=fix)


@rule(
    "idr.mandatory-empty",
    severity="warning",
    title="Mandatory keys have a value.",
    why="The parser takes an empty value, and the page of the study then shows nothing, or the hint that the template had there.",
    fix="Fill the value in.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
)
def _mandatory_empty(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    places = [(found.lines, STUDY_MANDATORY, ""), *((block.lines, mandatory(block.kind), f" of {block.label}") for block in found.blocks)]
    for lines, keys, of in places:
        for key in keys:
            line = find(lines, key)
            if line is None or line.first:
                continue
            if key in _ASSIGNED:
                yield Problem(f"“{key}”{of} is empty: the IDR fills it in.", line.where, severity="info", fix="Nothing must be done before that.")
            elif line.values:
                yield Problem(f"“{key}”{of} still has the hint of the template: “{shorten(line.values[0], 60)}”.", line.where, severity="error")
            else:
                yield Problem(f"“{key}”{of} is empty.", line.where)


@rule(
    "idr.hint-left",
    severity="warning",
    title="No hint of the template is left in a value.",
    why="The parser takes a hint for the value and the page of the study shows it.",
    fix="Replace the hint by the value, or leave the value empty.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-study",
)
def _hint_left(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    obliged = {*STUDY_MANDATORY, *(key for kind in COMPONENTS for key in mandatory(kind))}
    parsed = {*STUDY_KEYS, *(key for kind in COMPONENTS for key in known(kind))}
    for line in found.lines:
        hint = next((value for value in line.values if is_hint(value)), None)
        if hint is not None and line.key not in obliged:
            severity: Severity | None = None if line.key in parsed else "info"
            message = f"“{shorten(line.key)}” still has the hint of the template: “{shorten(hint, 60)}”."
            yield Problem(message, line.where, severity=severity)


@rule(
    "idr.key-spelling",
    severity="error",
    title="Keys are written as the parser knows them, with a tab behind.",
    why="The parser compares keys letter for letter; one with a blank or another case is as good as missing.",
    fix="Write the key as the template has it, and one tab before the value.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
)
def _key_spelling(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    for line, keys in _with_keys(found):
        if line.key in RENAMED:
            message = f"“{line.key}” stands in old templates; the parser calls it “{RENAMED[line.key]}” and does not find this line."
            yield Problem(message, line.where, severity="warning", fix=f"Write {RENAMED[line.key]}.")
            continue
        plain = {_plain(key): key for key in keys}
        same = plain.get(_plain(line.key))
        if same is not None and line.key != same:
            yield Problem(f"“{line.key[:80]}” differs from “{same}” in blanks or case.", line.where, fix=f"Write {same}.")
        elif same is not None and not line.has_tab:
            severity: Severity | None = None if same in {*STUDY_KEYS, *(key for kind in COMPONENTS for key in known(kind))} else "info"
            yield Problem(f"“{same}” has no tab behind it, so that the parser does not find it.", line.where, severity=severity)
        elif not line.has_tab and (begun := _begun(line.key, keys)):
            yield Problem(f"There is no tab between “{begun}” and its value.", line.where, fix=f"Put one tab behind “{begun}”.")


@rule(
    "idr.key-unknown",
    severity="warning",
    title="Every line is one that the parser uses.",
    why="What the parser does not know gets onto no page, and with --strict it refuses the file.",
    fix="Correct the key. Lines about a screen or an experiment stand below its number; comments begin with #.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
)
def _key_unknown(subject: Subject) -> Iterator[Problem]:
    from difflib import get_close_matches

    found = study(subject)
    of_components = {key for kind in COMPONENTS for key in in_templates(kind)}
    outside = set(map(id, found.study))
    for line, keys in _with_keys(found):
        if line.key in keys or line.key in RENAMED or _plain(line.key) in map(_plain, keys) or (not line.has_tab and _begun(line.key, keys)):
            continue
        if id(line) in outside and line.key in of_components:
            yield Problem(
                f"“{line.key}” stands before the first “Screen Number” or “Experiment Number”, where the parser does not use it.", line.where
            )
            continue
        close = get_close_matches(line.key, keys, 1, 0.84)
        if close and found.get(close[0]) is None:
            message = f"“{shorten(line.key)}” is no key that the parser knows; “{close[0]}” is."
            yield Problem(message, line.where, severity="error" if close[0] in STUDY_KEYS else None, fix=f"Write {close[0]}.")
        elif id(line) in outside or close:
            yield Problem(f"“{shorten(line.key)}” is no key that the parser or the template knows.", line.where)


@rule(
    "idr.key-repeated",
    severity="error",
    title="Each key is there once in its part of the file.",
    why="The parser takes the first line of a key and ignores the others. Several values stand in columns of one line.",
    fix="Put all values into one line, each in a column of its own.",
    source=PARSER,
    profiles=(IDR,),
    needs="idr-study",
)
def _key_repeated(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    for lines, keys in ((found.study, STUDY_KEYS), *((block.lines, known(block.kind)) for block in found.blocks)):
        for key, number in Counter(line.key for line in lines if line.key in keys).items():
            if number > 1:
                second = [line for line in lines if line.key == key][1]
                yield Problem(f"“{key}” is there {number} times; only the first is used.", second.where)


@rule(
    "idr.old-template",
    severity="info",
    title="The file keeps to the present template.",
    why="Old templates lack lines that the parser wants, so that a file filled in with care is refused.",
    fix=f"See the study files of recent submissions, and {SUBMISSION}.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-study",
)
def _by_templates(subject: Subject) -> Iterator[Problem]:
    found = study(subject)
    lacking = [f"{block.kind} Sample Type" for block in found.blocks if find(block.lines, f"{block.kind} Sample Type") is None]
    renamed = [line.key for line in found.lines if line.key in RENAMED]
    if lacking or renamed:
        what = " and ".join([*(f"lacks “{key}”" for key in dict.fromkeys(lacking)), *(f"has “{key}”" for key in dict.fromkeys(renamed))])
        yield Problem(f"The file {what}, as the templates of 2021 do.", "line 1")


def _text(subject: Subject) -> Text:
    is_study = subject.document is not None and subject.document.kind == "idr-study"
    return study(subject).text if is_study else table(subject).text


def _with_keys(found: StudyFile) -> Iterator[tuple[Line, tuple[str, ...]]]:
    """Each line with the keys that may stand where it does."""
    for line in found.study:
        yield line, STUDY_KEYS
    for block in found.blocks:
        # A key of the study is found wherever it stands.
        keys = (*in_templates(block.kind), *STUDY_KEYS)
        for line in block.lines:
            yield line, keys


def _plain(key: str) -> str:
    return "".join(key.split()).casefold()


def _begun(line: str, keys: tuple[str, ...]) -> str:
    """The longest key that a line without a tab begins with; empty if there is none."""
    return max((key for key in keys if line.startswith(f"{key} ")), key=len, default="")
