"""The fields of the sheet: where each stands, what REMBI calls it, who requires it, and what to write there.

Modules and fields are those of REMBI (Sarkans et al., Nature Methods 2021, 18:1418, <https://doi.org/10.1038/s41592-021-01166-8>). The paper
requires nothing by itself: `Field.required` is what the BioImage Archive's REMBI model 1.5 requires, `Field.template` what its submission
template BioImages.v5 does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["text", "number", "date", "term", "choice", "reference"]
Template = Literal["", "required", "desirable", "optional"]
TABLES: Final = ("study", "study_component", "biosample", "specimen", "acquisition", "image")
"""Sheets that hold metadata, in the order of the file."""
GROUPS: Final[Mapping[str, str]] = MappingProxyType({"author": "authors", "publication": "publications", "grant": "grants", "link": "links"})
"""Groups of fields of a study of which there can be several, and what several are called."""
MODEL: Final = "the BioImage Archive's REMBI model 1.5"
"""Source: https://github.com/BioImage-Archive/BIA-astro, rembi_types.yaml."""
MODULES: Final = (
    "Study",
    "Study component",
    "Biosample",
    "Specimen",
    "Image acquisition",
    "Image data",
    "Image correlation",
    "Analyzed data",
)
_CHOICES: Final = Path(__file__).parents[2] / "data" / "rembi_choices.tsv"
_SEPARATOR: Final = re.compile(r"\\([\\;])|\s*(;)\s*")
_TERM: Final = re.compile(r"(?P<label>.*?)\s*[(\[](?P<id>(?:[A-Za-z][A-Za-z-]*[:_][^\s()\[\]]+|https?://[^\s()\[\]]+))[)\]]", re.DOTALL)
_ID: Final = re.compile(r"[A-Za-z][A-Za-z-]*[:_]\w*\d\w*|https?://\S+")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_COMMA: Final = re.compile(r"[+-]?(?:0|\d+(?=,(?:\d{1,2}|\d{4,})$)),\d+")


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a sheet, or one line of the sheet *study*.

    Attributes
    ----------
    id
        Its name for programs, once in a sheet.
    module, rembi
        Module and field of REMBI; empty where REMBI has none.
    required
        Whether the BioImage Archive's REMBI model requires it (of a group that may be missing: where any of the group is given).
    several
        Whether it holds several values, joined as `join` does.
    ontology
        Of terms: the ontology that the BioImage Archive asks for, or that is usual.
    also
        Of terms: ontologies that are as good there.
    target
        Of references: the sheet whose names it refers to.
    group
        Fields of one group belong together, and a study may have several such groups.
    template
        What the BioImage Archive's template BioImages.v5 says of it.
    needed
        Whether the sheet itself does not hold together without it: names that others refer to, and references.
    known
        Whether images can know it, so that it may be filled in already.
    """

    id: str
    sheet: str
    title: str
    module: str
    rembi: str = ""
    required: bool = False
    several: bool = False
    kind: Kind = "text"
    ontology: str = ""
    also: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    help: str = ""
    example: str = ""
    target: str = ""
    group: str = ""
    template: Template = ""
    needed: bool = False
    known: bool = False
    long: bool = False

    @property
    def required_by(self) -> str:
        """Who requires it, in words; empty where nobody does."""
        who = [
            *([MODEL] if self.required else []),
            *([f"{'its' if self.required else 'the BioImage Archive’s'} template BioImages.v5"] if self.template == "required" else []),
            *(["this sheet"] if self.needed else []),
        ]
        return f"{', '.join(who[:-1])} and {who[-1]}" if len(who) > 1 else "".join(who)

    @property
    def marked(self) -> bool:
        """Whether an empty cell is shown as one that ought to be filled."""
        return bool(self.required_by) and self.group not in ("publication", "grant", "link", "correlation", "analysis")


@cache
def all_fields() -> tuple[Field, ...]:
    """Every field, in the order of sheets and columns."""
    from .acquisition_fields import ACQUISITION, IMAGE
    from .sample_fields import BIOSAMPLE, SPECIMEN
    from .study_fields import STUDY, STUDY_COMPONENT

    return (*STUDY, *STUDY_COMPONENT, *BIOSAMPLE, *SPECIMEN, *ACQUISITION, *IMAGE)


@cache
def fields_of(table: str) -> tuple[Field, ...]:
    """Fields of one sheet, in order."""
    return tuple(field for field in all_fields() if field.sheet == table)


@cache
def _by_word(table: str) -> Mapping[str, Field]:
    return {folded(word): field for field in fields_of(table) for word in (field.title, field.id)}


def find_field(table: str, heading: str) -> Field | None:
    """Find the field that a heading names, by its title or id, whatever its case, signs and mark of being required."""
    return _by_word(table).get(folded(heading))


def field(table: str, field_id: str) -> Field:
    """Return the field with that id.

    Raises
    ------
    KeyError
        If there is none.
    """
    found = _by_word(table).get(folded(field_id))
    if found is None or found.id != field_id:
        raise KeyError(f"{table}.{field_id}")
    return found


def folded(text: str) -> str:
    """Reduce a heading to its letters and digits."""
    return "".join(character for character in text.casefold().replace("μ", "µ").replace("µm", "um") if character.isalnum())


def table_named(name: str) -> str | None:
    """Find the table that the name of a sheet or file means."""
    known = {folded(table): table for table in TABLES} | {folded(f"{table}s"): table for table in TABLES} | {"studies": "study"}
    return known.get(folded(name))


def join(values: Iterable[str]) -> str:
    r"""Join several values of a field with ``; ``; a semicolon or backslash in one is written ``\;`` and ``\\``."""
    return "; ".join(value.replace("\\", "\\\\").replace(";", "\\;") for value in values)


def split(text: str) -> tuple[str, ...]:
    """Take several values apart again. Empty ones keep their place, as the channels in ``DAPI; ; GFP``; of an empty text there are none."""
    if not text.strip():
        return ()
    parts, start, current = [], 0, ""
    for found in _SEPARATOR.finditer(text):
        current += text[start : found.start()] + (found[1] or "")
        start = found.end()
        if found[2]:
            parts.append(current.strip())
            current = ""
    return (*parts, (current + text[start:]).strip())


def split_term(text: str) -> tuple[str, str]:
    """Take a term apart into label and identifier: ``Homo sapiens (NCBITaxon:9606)``, or either alone. What is missing is empty.

    The identifier is as it was written: `ontologies.identifiers` brings it into its usual form.
    """
    stripped = text.strip()
    if found := _TERM.fullmatch(stripped):
        return found["label"], found["id"]
    return ("", stripped) if _ID.fullmatch(stripped) else (stripped, "")


def number(text: str) -> float | None:
    """Read a number as people write it; ``None`` if it is none, or can be read in two ways (``1,024``).

    A decimal comma is understood where it cannot be one of thousands: ``0,325``, ``12,5``.
    """
    stripped = text.strip().replace("\N{MINUS SIGN}", "-")
    if _COMMA.fullmatch(stripped):
        stripped = stripped.replace(",", ".")
    value = float(stripped) if _NUMBER.fullmatch(stripped) and len(stripped) < 40 else None
    return None if value is None or abs(value) == float("inf") else value


@cache
def suggestions(table: str, field_id: str) -> tuple[str, ...]:
    """Terms to choose from in a drop-down, ``label (identifier)``; others may be written too. Empty where none are kept."""
    found = []
    for line in _CHOICES.read_text(encoding="utf-8").splitlines():
        sheet, name, label, identifier = (*line.split("\t"), "", "", "")[:4]
        if not line.startswith("#") and (sheet, name) == (table, field_id):
            found.append(f"{label} ({identifier})")
    return tuple(found)
