"""The IDR's bulk annotation tables: what its curators state of each well or image, in as many columns as a study needs.

Source: ome/omero-web, omeroweb/webgateway/views.py (``annotations``, ``table_query``). A screen or project has one table, which is asked for in
pages and only as far as it is about what was asked for. Nothing of it stays in memory but its columns.
"""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from ..errors import ArchiveError, MissingError, SuiteError, TooLongError
from ..reports.tables import TableFile, cell
from .seen import Seen
from .untrusted import LARGEST_ID, line, mapping, sequence, text, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from .idr import Idr
    from .idr_study import Place

MOST_COLUMNS: Final = 5_000
MOST_ROWS: Final = 5_000_000
ROWS: Final = 1_000
"""Rows asked for at once."""
FEW: Final = 20
"""Up to so many wells or images are asked for one by one."""
LEADING: Final = ("study", "parent", "table_id")
COLUMNS: Final = ("parent", "table_id", "position", "column", "type", "written_as")
"""Of the table of columns."""
_FORMULA: Final = ("=", "+", "-", "@")
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WORD: Final = re.compile(r"\w+", re.ASCII)

log = logging.getLogger("lightmicroscopy")


@dataclass
class _Scope:
    """What of a screen or project is wanted."""

    study: str
    kind: str
    id: int
    plates: set[int] = field(default_factory=set)
    datasets: set[int] = field(default_factory=set)
    wells: Seen = field(default_factory=Seen)
    images: Seen = field(default_factory=Seen)
    few_wells: list[int] = field(default_factory=list)
    few_images: list[int] = field(default_factory=list)

    @property
    def parent(self) -> str:
        return f"{self.kind}-{self.id}"


@dataclass(frozen=True, slots=True)
class _Table:
    scope: _Scope
    id: int
    names: tuple[str, ...]
    types: tuple[str, ...]
    written: tuple[str, ...]

    def of_type(self, kind: str) -> int | None:
        return next((index for index, found in enumerate(self.types) if found == kind), None)


class BulkTables:
    """Collects what is wanted, image by image, and then writes it. For one thread."""

    def __init__(self) -> None:
        self._scopes: dict[tuple[str, int], _Scope] = {}

    def add(self, image: int, place: Place | None) -> None:
        """Want what is said of an image and of its well."""
        if place is None:
            return
        key = place.container_type, place.container_id
        scope = self._scopes.setdefault(key, _Scope(place.component or place.study or place.container_name, *key))
        for number, kept in ((place.plate_id, scope.plates), (place.dataset_id, scope.datasets)):
            if number is not None:
                kept.add(number)
        for one, seen, few in ((place.well_id, scope.wells, scope.few_wells), (image, scope.images, scope.few_images)):
            if one is not None and seen.is_new(one) and len(few) <= FEW:
                few.append(one)

    def write(self, idr: Idr, path: Path, columns: Path | None = None) -> int:
        """Write the rows, and what its columns are.

        Returns
        -------
        int
            Tables that could not be had whole, of which a warning was given.

        Raises
        ------
        UnwritableError
            If a file cannot be written.
        """
        found: list[_Table] = []
        failed = 0
        for scope in sorted(self._scopes.values(), key=lambda one: (one.study, one.kind, one.id)):
            try:
                found.append(_find(idr, scope))
            except MissingError as error:
                log.warning("%s", error)
            except SuiteError as error:
                failed += 1
                log.warning("The bulk annotations of %s could not be had: %s", scope.parent, error)
        header = tuple(dict.fromkeys((*LEADING, *(name for table in found for name in table.written))))
        with TableFile(path, header) as file:
            for table in found:
                try:
                    for row in _rows(idr, table):
                        file.add(_record(table, row))
                except ArchiveError as error:
                    failed += 1
                    log.warning("The bulk annotations of %s are not complete: %s", table.scope.parent, error)
        if columns is not None:
            with TableFile(columns, COLUMNS) as file:
                for table in found:
                    for position, (name, kind, written) in enumerate(zip(table.names, table.types, table.written, strict=True)):
                        cells = (table.scope.parent, table.id, position, safe(name), safe(kind), written)
                        file.add(dict(zip(COLUMNS, cells, strict=True)))
        return failed


def safe(value: object) -> object:
    """Text that no spreadsheet takes for a formula: it gets an apostrophe before it, which spreadsheets do not show."""
    if isinstance(value, str):
        plain = text(value)
        return f"'{plain}" if plain.startswith(_FORMULA) and not _NUMBER.fullmatch(plain) else plain
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value).replace("nan", "NaN")
    if isinstance(value, list):
        return safe("; ".join(cell(safe(part)) for part in value if not isinstance(part, list | dict)))
    return value if isinstance(value, int) else None


def _record(table: _Table, row: Sequence[Any]) -> dict[str, object]:
    first = (table.scope.study, table.scope.parent, table.id)
    return dict(zip(LEADING, first, strict=True)) | {name: safe(value) for name, value in zip(table.written, row, strict=True)}


def _find(idr: Idr, scope: _Scope) -> _Table:
    """Find the table of a screen or project: of several the newest, as the IDR's own pages do."""
    what = f"bulk annotations of {scope.parent}"
    answer = mapping(idr.asked(f"/webgateway/annotations/{scope.kind.capitalize()}/{scope.id}/", what))
    if answer.get("error") or not isinstance(answer.get("data"), list):
        raise ArchiveError(
            f"The IDR was asked for the {what} and answered {line(answer.get('error'), 200) or 'with something else'}. Try again later."
        )
    numbers = sorted({number for one in answer["data"] if (number := whole(mapping(one).get("file"), 1, LARGEST_ID)) is not None}, reverse=True)
    if not numbers:
        raise MissingError(f"The IDR has no {what}.")
    reason = ""
    for number in numbers:
        try:
            data = mapping(_page(idr, number, "*", 0, 1, what).get("data"))
        except TooLongError:
            raise
        except ArchiveError as error:
            reason = reason or str(error)
            continue
        names = tuple(line(name) for name in sequence(data.get("columns"))[: MOST_COLUMNS + 1])
        types = tuple(line(kind, 60) for kind in sequence(data.get("column_types"))[: MOST_COLUMNS + 1])
        if not names or len(names) > MOST_COLUMNS:
            raise ArchiveError(f"Table {number} of the IDR has {'no' if not names else f'more than {MOST_COLUMNS:,}'} columns, and is left out.")
        if reason:
            log.warning("The newest bulk annotations of %s could not be read, and older ones (table %d) are given: %s", scope.parent, number, reason)
        # Servers of before 2021 do not tell the types.
        types = types if len(types) == len(names) else tuple("" for _ in names)
        return _Table(scope, number, names, types, _written(names))
    raise ArchiveError(reason)


def _written(names: Sequence[str]) -> tuple[str, ...]:
    """Names in the header: columns of one name in several tables share one, two of one table do not."""
    taken = set(LEADING)
    found: list[str] = []
    for index, name in enumerate(names):
        plain = str(safe(name)) or f"column_{index}"
        wanted, count = plain, 2
        while wanted in taken:
            wanted, count = f"{plain}~{count}", count + 1
        taken.add(wanted)
        found.append(wanted)
    return tuple(found)


def _rows(idr: Idr, table: _Table) -> Iterator[Sequence[Any]]:
    """Rows that are about what was asked for."""
    scope, well, image = table.scope, table.of_type("WellColumn"), table.of_type("ImageColumn")
    index, wanted = (well, scope.wells) if well is not None and len(scope.wells) else (image, scope.images)
    for query in _queries(table):
        for row in _pages(idr, table, query):
            if index is None or (isinstance(row[index], int) and row[index] in wanted):
                yield row


def _queries(table: _Table) -> Iterator[str]:
    """As few questions as possible: by well or image where those are few, else by plate or dataset, else for all."""
    scope = table.scope
    ways = (
        ("WellColumn", scope.few_wells if len(scope.wells) <= FEW else ()),
        ("ImageColumn", scope.few_images if len(scope.images) <= FEW else ()),
        ("PlateColumn", sorted(scope.plates)),
        ("DatasetColumn", sorted(scope.datasets)),
    )
    for kind, numbers in ways:
        index = table.of_type(kind)
        # The server takes a column's name here only if it is one word.
        if index is not None and numbers and _WORD.fullmatch(table.names[index]):
            yield from (f"{table.names[index]}-{number}" for number in numbers)
            return
    yield "*"


def _pages(idr: Idr, table: _Table, query: str) -> Iterator[Sequence[Any]]:
    what = f"table {table.id} ({query})"
    at, at_once = 0, ROWS
    while True:
        try:
            answer = _page(idr, table.id, query, at, at_once, what)
        except TooLongError:
            if at_once == 1:
                raise
            at_once = max(1, at_once // 4)
            continue
        data, meta = mapping(answer.get("data")), mapping(answer.get("meta"))
        rows = data.get("rows")
        if not isinstance(rows, list) or tuple(line(name) for name in sequence(data.get("columns"))) != table.names:
            raise ArchiveError(f"The IDR was asked for {what} and answered with other columns, or none. Try again later.")
        if whole(meta.get("offset"), 0, MOST_ROWS) not in (at, None) or (at and not meta):
            raise ArchiveError(f"The IDR was asked for {what} from row {at} and gave another part. Try again later.")
        for row in rows:
            if not isinstance(row, list) or len(row) != len(table.names):
                raise ArchiveError(f"A row of {what} of the IDR has not as many values as columns. Tell the IDR.")
            yield row
        at += len(rows)
        # A server that knows no pages gives all at once and says nothing.
        total = whole(meta.get("totalCount"), 0, MOST_ROWS) if meta else at
        if at > MOST_ROWS or total is None:
            raise ArchiveError(f"{what} of the IDR has more than {MOST_ROWS:,} rows, or does not say how many. Name a smaller part.")
        if at >= total:
            return
        if not rows:
            raise ArchiveError(f"The IDR says that there are {total:,} rows of {what}, and gives {at:,} of them. Try again later, or name parts.")


def _page(idr: Idr, table: int, query: str, offset: int, limit: int, what: str) -> Mapping[str, Any]:
    asked = urlencode({"query": query, "offset": offset, "limit": limit})
    answer = mapping(idr.asked(f"/webgateway/table/{table}/query/?{asked}", what))
    if answer.get("error") or not isinstance(answer.get("data"), dict):
        said = line(answer.get("error"), 200) or "something that is no table"
        raise ArchiveError(f"The IDR was asked for {what} and answered: {said}. Try again later.")
    return answer
