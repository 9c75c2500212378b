"""Study files of the IDR, read as its parser reads them: a key in the first column, values in the next.

Source: IDR/idr-utils, pyidr/study_parser.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..idr_template import COMPONENTS, STUDY_KEYS, STUDY_NAME, Component, in_templates
from .content import Text, shorten, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FEWEST: Final = 3
"""Known keys that make a text a study file."""
_KNOWN: Final = frozenset(key.casefold() for key in (*STUDY_KEYS, *(key for kind in COMPONENTS for key in in_templates(kind))))


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is no comment.

    Attributes
    ----------
    key
        All before the first tab, as it stands.
    values
        The cells after it without their outer blanks; empty ones at the end are left out.
    has_tab
        Whether anything separates key and value.
    """

    number: int
    key: str
    values: tuple[str, ...]
    has_tab: bool = True

    @property
    def where(self) -> str:
        """Its place, for a finding."""
        return f"line {self.number}, {shorten(self.key, 60)}"

    @property
    def said(self) -> tuple[str, ...]:
        """Values that are there, and are no hint of the template."""
        return tuple(value for value in self.values if value and not is_hint(value))

    @property
    def first(self) -> str:
        """First value that is there; empty if there is none."""
        return self.said[0] if self.said else ""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines about one screen or experiment, from its number on."""

    kind: Component
    lines: tuple[Line, ...]

    @property
    def number(self) -> str:
        """Its number, as it stands."""
        return self.lines[0].first

    @property
    def where(self) -> str:
        """Where it begins."""
        return f"line {self.lines[0].number}"

    @property
    def label(self) -> str:
        """How a sentence calls it."""
        return f"{self.kind} {shorten(self.number, 20)}" if self.number else f"the {self.kind.lower()} at {self.where}"


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study file.

    Attributes
    ----------
    study
        Lines before the first block, those between blocks not among them.
    """

    lines: tuple[Line, ...]
    study: tuple[Line, ...]
    blocks: tuple[Block, ...]
    text: Text

    def get(self, key: str) -> Line | None:
        """First line of that key in the whole file, as the parser finds it."""
        return find(self.lines, key)

    def value(self, key: str) -> str:
        """First value of that key; empty if there is none."""
        line = self.get(key)
        return line.first if line else ""

    @property
    def accession(self) -> str:
        """Accession of the study; empty if it has none yet."""
        from ..idr_template import ACCESSION_KEY

        return self.value(ACCESSION_KEY)


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What rules over all inputs need of a study file.

    Attributes
    ----------
    components
        (kind, name of the component without its study, place) of each block.
    files
        (what, name, place) of each file that it names.
    """

    accession: str
    components: tuple[tuple[Component, str, str], ...]
    files: tuple[tuple[str, str, str], ...]


def is_hint(value: str) -> bool:
    """Whether a value is still the hint that the template has there."""
    return value.startswith("#")


def find(lines: Iterable[Line], key: str) -> Line | None:
    """First line of that key."""
    return next((line for line in lines if line.key == key and line.has_tab), None)


def looks_like_study(head: str, name: str) -> bool:
    """Whether a text means to be a study file: it has keys of one."""
    keys = {line.split("\t")[0].strip().casefold() for line in head.splitlines() if not line.startswith(("#", '"'))}
    return len(keys & _KNOWN) >= FEWEST or (STUDY_NAME.fullmatch(name) is not None and bool(keys & _KNOWN))


def read_study(path: Path) -> StudyFile:
    """Read a study file.

    Raises
    ------
    LimitError
        If it is larger than any.
    """
    return from_text(text_of(path))


def from_text(text: Text) -> StudyFile:
    """Read a study file out of text."""
    lines = tuple(_line(number, line) for number, line in enumerate(text.lines, 1) if line.strip() and not line.startswith(("#", '"')))
    starts = [number for number, line in enumerate(lines) if _begins(line)]
    ends = [*starts, len(lines)][1:]
    blocks = tuple(
        Block("Screen" if lines[start].key.strip().startswith("Screen") else "Experiment", lines[start:end])
        for start, end in zip(starts, ends, strict=True)
    )
    return StudyFile(lines, lines[: starts[0]] if starts else lines, blocks, text)


def facts(study: StudyFile) -> StudyFacts:
    """Return what rules over all inputs need of it."""
    components = tuple(
        (block.kind, (name.first.rpartition("/")[2] if (name := find(block.lines, f"Comment[IDR {block.kind} Name]")) else ""), block.where)
        for block in study.blocks
    )
    named = (("library", "Library File Name"), ("assays", "Experiment Assay File"), ("processed", "Processed Data File Name"))
    files = tuple(
        (what, each.strip(), line.where)
        for what, key in named
        for line in study.lines
        if line.key == key
        for value in line.said
        for each in value.split(",")
        if each.strip()
    )
    return StudyFacts(study.accession, components, files)


def _line(number: int, line: str) -> Line:
    key, tab, rest = line.partition("\t")
    values = [value.strip() for value in rest.split("\t")]
    while values and not values[-1]:
        values.pop()
    return Line(number, key, tuple(values), bool(tab))


def _begins(line: Line) -> bool:
    return line.key.strip() in {f"{kind} Number" for kind in COMPONENTS}
