"""What REMBI has a field for, nobody requires, and a sheet does not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .fields import MODULES, all_fields, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .fields import Field
    from .sheet import Sheet

_OPTIONAL_GROUPS: Final = frozenset(("publication", "grant", "link"))


@dataclass(frozen=True, slots=True)
class Gap:
    """Fields of one module in one sheet that are empty; `rows` are those they are empty in (0 in the study, which says each once)."""

    module: str
    sheet: str
    fields: tuple[str, ...]
    rows: tuple[int, ...]

    @property
    def count(self) -> str:
        """How many, in words."""
        return "1 field is" if len(self.fields) == 1 else f"{len(self.fields)} fields are"


def recommended(sheet: Sheet) -> Iterator[Gap]:
    """Find fields of REMBI that are empty though nobody requires them, and those that the archive's template calls desirable."""
    for module in MODULES:
        alike: dict[tuple[str, tuple[int, ...]], list[str]] = {}
        for one in all_fields():
            if one.module != module or not _is_recommended(one, sheet):
                continue
            if one.sheet == "study":
                lacking: tuple[int, ...] = () if sheet.study(one.id) else (0,)
            else:
                lacking = tuple(row.number for row in sheet.rows(one.sheet) if row.cells and not row.text(one.id))
            if lacking:
                who = f"{one.title} (REMBI: {one.rembi})" if one.rembi and one.rembi != one.title else one.title
                alike.setdefault((one.sheet, lacking), []).append(who)
        for (table, lacking), titles in alike.items():
            yield Gap(module, table, tuple(titles), lacking)


def _is_recommended(one: Field, sheet: Sheet) -> bool:
    if one.group in ("correlation", "analysis"):
        # Modules of few studies: of one that says nothing of them every field is a recommendation.
        given = any(row.text(other.id) for row in sheet.rows(one.sheet) for other in fields_of(one.sheet) if other.group == one.group)
        return not given or not one.required_by
    if one.required_by or one.group in _OPTIONAL_GROUPS or one.group == "author":
        return False
    return bool(one.rembi) or one.template == "desirable"
