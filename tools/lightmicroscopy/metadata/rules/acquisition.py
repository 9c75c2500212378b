"""Rules on how, when and by whom each series was taken, whatever its format: optics, dates, people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...provenance import NAMESPACE
from ..findings import Problem, Subject, rule
from ..ome_private import is_personal
from ..ome_xml import all_text, children
from ._views import SCHEMA, elements, has_series, listed, place, series, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE_KEY = re.compile(r"path|folder|directory|file[ _]?name", re.IGNORECASE)
_EMPTY_WORDS = frozenset({"", "unknown", "none", "n/a", "-", "true", "false", "0", "1"})
_FOLDER = re.compile(r"[\\/]")


@rule(
    "ome.objective-missing",
    severity="info",
    title="Every series says which objective it was taken with.",
    why="Magnification and numerical aperture say what the image can resolve; most archives ask for them.",
    fix="Enter magnification and numerical aperture of the objective; both are engraved on it.",
    source=f"{SCHEMA}#Objective",
    needs="path",
    applies=has_series,
)
def _objective_missing(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        if view.kind == "label":
            continue
        instrument, chosen = view.metadata.instrument, view.metadata.objective_id
        objective = next((lens for lens in instrument.objectives if lens.id == chosen), None) if instrument else None
        if objective is None:
            yield Problem(f"{view.called} does not say which objective it was taken with.", series=view.index)
            continue
        known = (
            ("magnification", objective.magnification or objective.calibrated_magnification),
            ("numerical aperture", objective.numerical_aperture),
        )
        missing = [word for word, value in known if not value]
        if missing:
            yield Problem(f"{view.called} names its objective but not the {' and '.join(missing)}.", series=view.index)


@rule(
    "ome.acquisition-date-missing",
    severity="info",
    title="Every series says when it was taken.",
    why="The date links an image to the lab book and to the state of the instrument on that day.",
    fix="Enter the date and time of acquisition (not of conversion).",
    source=f"{SCHEMA}#Image_AcquisitionDate",
    needs="path",
    applies=has_series,
)
def _acquisition_date_missing(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        if view.metadata.acquisition_date is None and view.kind != "label":
            yield Problem(f"{view.called} has no date of acquisition.", series=view.index)


@rule(
    "ome.personal-data",
    severity="warning",
    title="There are no names of people, patients or computers in the metadata.",
    why="What is published cannot be taken back: names of operators and patients, user names in paths and names of computers are personal data.",
    fix="Decide whether they may be public. Converting with “original metadata: scrub” removes what this suite recognises.",
    source="https://eur-lex.europa.eu/eli/reg/2016/679/oj",
    needs="path",
    applies=has_series,
)
def _personal_data(subject: Subject) -> Iterator[Problem]:
    if subject.ome_xml is not None:
        yield from _experimenters(subject)
    told: set[tuple[str, str]] = set()
    for view in series(subject):
        annotated = (pair for annotation in view.metadata.annotations if annotation.namespace != NAMESPACE for pair in annotation.pairs)
        for key, value in (*view.metadata.original, *annotated):
            if (key, value) not in told and _says_who_or_where(key, value):
                told.add((key, value))
                yield Problem(f"The source's own metadata say “{shorten(key)}”: “{shorten(value, 40)}”.", "original metadata", view.index)


def _experimenters(subject: Subject) -> Iterator[Problem]:
    for person in elements(subject, "Experimenter"):
        parts = [
            person.get(name) or all_text(next(children(person, name), None)) for name in ("FirstName", "LastName", "UserName", "OMEName", "Email")
        ]
        named = [part for part in parts if part]
        if named:
            yield Problem(f"An Experimenter is named: {listed(named)}.", place(person))


def _says_who_or_where(key: str, value: str) -> bool:
    """Whether a pair is personal and says something; a file name without its folders is no secret."""
    if value.strip().lower() in _EMPTY_WORDS or not is_personal(key, value):
        return False
    return bool(is_personal("", value) or (is_personal(key, "") and not (_FILE_KEY.search(key) and not _FOLDER.search(value))))
