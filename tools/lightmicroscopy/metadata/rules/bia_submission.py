"""Rules on a submission to the BioImage Archive as a whole: its structure, template, title, licence and release date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...archives.bia_pagetab import folded
from ...archives.licences import ZERO, licence_of
from ..bia_template import BACK_END, LICENCES, OLDER, POLICIES, SHORTEST_TITLE, SOURCE, STRUCTURE, TEMPLATE
from ..documents.content import shorten
from ..findings import BIA, Problem, Subject, Together, rule
from ..vocabulary import day_of, release_date_problem
from ._documents import submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.pagetab import PageTab, Said

_COLLECTION: Final = "BioImages"


@rule(
    "bia.structure",
    severity="error",
    title="The submission is PageTab: sections of attributes, links and files.",
    why="The archive's parser refuses the whole submission for one such mistake.",
    fix="Correct this place; everything else in the submission was read as if it were not there.",
    source=STRUCTURE,
    profiles=(BIA,),
    needs="pagetab",
)
def _structure(subject: Subject) -> Iterator[Problem]:
    for fault in submission(subject).faults:
        yield Problem(fault.message, fault.where, fix=fault.fix or None)


@rule(
    "bia.template",
    severity="error",
    title=f"The submission names the template {TEMPLATE} and the collection BioImages.",
    why="The template decides which fields are asked for, and the collection that the study goes to the BioImage Archive at all.",
    fix=f"Set Template to {TEMPLATE} and AttachTo to {_COLLECTION} among the attributes of the submission.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
)
def _template(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    if not found.template:
        yield Problem(f"The submission does not say which template it keeps to. It was checked as {TEMPLATE}.", "Template", severity="warning")
    elif found.is_older:
        message = f"The submission keeps to the template {OLDER}, which was followed by {TEMPLATE}. It was checked as {OLDER}."
        yield Problem(message, _place(found, "Template"), severity="info", fix=f"For a new submission take {TEMPLATE}; an old one may stay as it is.")
    elif found.template != TEMPLATE:
        message = f"The template “{shorten(found.template)}” is not known here. The submission was checked as {TEMPLATE}."
        yield Problem(message, _place(found, "Template"), severity="warning")
    attached = found.first("AttachTo")
    if attached != _COLLECTION:
        what = f"to “{shorten(attached)}”" if attached else "to no collection"
        yield Problem(f"The submission is attached {what}, so that it does not become one of the BioImage Archive.", _place(found, "AttachTo"))


@rule(
    "bia.title-short",
    severity="error",
    title=f"The title has at least {SHORTEST_TITLE} characters.",
    why="The archive's form refuses shorter ones: a title is what others find the study by.",
    fix="Say in the title what was imaged, how, and to find out what.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: bool(submission(subject).study.said("Title")),
)
def _title_short(subject: Subject) -> Iterator[Problem]:
    for said in submission(subject).study.said("Title"):
        length = len(said.value.strip())
        if length < SHORTEST_TITLE:
            yield Problem(f"The title “{shorten(said.value)}” has {length} characters.", said.where)


@rule(
    "bia.licence",
    severity="error",
    title="The licence is one that the archive takes: CC0 or CC BY 4.0.",
    why="Data under another licence are not accepted; once published, the licence cannot be changed.",
    fix="Choose CC0, which the archive recommends for new data, or CC BY 4.0.",
    source=POLICIES,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: bool(submission(subject).study.said("License", "Licence")),
)
def _licence(subject: Subject) -> Iterator[Problem]:
    for said in submission(subject).study.said("License", "Licence"):
        stated, where = said.value.strip(), said.where
        found = licence_of(stated)
        if found.name not in (ZERO, "CC BY 4.0"):
            yield Problem(f"The licence “{shorten(stated)}” is none that the BioImage Archive takes.", where)
            continue
        name = LICENCES[0] if found.name == ZERO else LICENCES[1]
        if stated != name:
            yield Problem(f"The licence is spelled “{shorten(stated)}”; the archive's form knows it as “{name}”.", where, fix=f"Write {name}.")
        address = said.qualifier("URL")
        if not address:
            message = "The licence has no address: its qualifier URL is missing."
            yield Problem(message, where, severity="warning", fix=f"Add the qualifier URL with {licence_of(name).url}.")
        elif licence_of("", address).name != found.name:
            fix = f"Write {licence_of(name).url}."
            yield Problem(f"The licence is {name}, but its address is that of another: {shorten(address)}.", where, fix=fix)


@rule(
    "bia.release-date",
    severity="error",
    title="The release date is a day between today and two years from now.",
    why="The archive refuses a date in the past for a new study, and one more than two years ahead.",
    fix="Choose a day from today to two years ahead, as YYYY-MM-DD; it can be changed until the study is released.",
    source=BACK_END,
    profiles=(BIA,),
    needs="pagetab",
)
def _release_date(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    dates = [*found.said("ReleaseDate"), *found.study.said("ReleaseDate")]
    if not dates:
        return
    seen: dict[str, Said] = {}
    for said in dates:
        value = said.value.strip()
        # A study with an accession is there already, and its date may have passed.
        wrong, is_day = release_date_problem(value, subject.today, is_released=bool(found.accno))
        day = day_of(value)
        if day is not None:
            seen.setdefault(day.isoformat(), said)
        if wrong:
            yield Problem(f"The release date {day if is_day else f'“{shorten(value)}”'} {wrong}.", said.where)
    if len(seen) > 1:
        message = f"The release date of the submission and that of its study differ: {', '.join(seen)}."
        yield Problem(message, dates[-1].where, fix="Write the same day in both places.")


@rule(
    "bia.direct-upload",
    severity="info",
    title="The submission fits every way of sending it.",
    why="The archive's page for direct upload checks JSON against a stricter description of contacts than the one it uses itself, "
    "and calls e-mail addresses and organisations unknown. A table of text is not checked there.",
    fix="If direct upload complains of E-mail or organisation, upload the same submission as TSV, or send it through the form.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: submission(subject).form == "JSON",
)
def _direct_upload(subject: Subject) -> Iterator[Problem]:
    study = submission(subject).study
    contacts = [part for part in study.of_type("Author") if part.said("E-mail")]
    if contacts and not submission(subject).accno:
        message = "Contacts are written as the archive stores them, which its page for direct upload of JSON may refuse."
        yield Problem(message, contacts[0].where)


@rule(
    "bia.submission-given",
    severity="not-run",
    title="A description of the study for the BioImage Archive is among the inputs.",
    why="Most of what the archive asks for stands in the submission (PageTab), not in the images.",
    fix="Give the submission as JSON or TSV together with the images and file lists.",
    source=SOURCE,
    profiles=(BIA,),
    needs="together",
)
def _submission_given(together: Together) -> Iterator[Problem]:
    if not together.of_kind("pagetab"):
        yield Problem("No submission (PageTab) was given, so that title, authors, samples and licence could not be checked.")


def _place(found: PageTab, name: str) -> str:
    return next((said.where for said in found.attributes if folded(said.name) == folded(name)), name)
