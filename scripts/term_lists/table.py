"""Writing a table of terms in the form that ``lightmicroscopy.metadata.ontologies.terms`` reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("id", "label", "synonyms", "parents", "obsolete", "replaced_by")


@dataclass(frozen=True)
class Row:
    """One term."""

    id: str
    label: str
    synonyms: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    obsolete: bool = False
    replaced_by: tuple[str, ...] = ()


def write(path: Path, facts: dict[str, str], rows: Iterable[Row]) -> int:
    """Write a table and give the number of its terms; rows are sorted by identifier, so that two versions can be compared."""
    # A schema may declare one thing in several places.
    ordered = sorted({row.id: row for row in rows}.values(), key=lambda row: [part.zfill(12) for part in re.split(r"[:_]", row.id)])
    lines = [f"# {name}: {value}" for name, value in facts.items()]
    lines.append("\t".join(COLUMNS))
    for row in ordered:
        cells = (row.id, row.label, _joined(row.synonyms), _joined(row.parents), "yes" if row.obsolete else "", _joined(row.replaced_by))
        if any("\t" in cell or "\n" in cell for cell in cells):
            raise ValueError(f"{row.id} has a tab or a line end in one of its texts")
        lines.append("\t".join(cells))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return len(ordered)


def _joined(values: Iterable[str]) -> str:
    return "|".join(dict.fromkeys(" ".join(value.replace("|", "/").split()) for value in values if value.strip()))
