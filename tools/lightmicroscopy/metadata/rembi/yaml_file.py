"""The sheet as YAML: a list of rows under the name of each table, and the study as one mapping with lists of authors and so on.

Every value is the text as it is written: ``1.10`` keeps its nought, ``no`` is not false, and a date is not moved between time zones. Nothing
is constructed, no tag obeyed, and aliases, which can make a small file huge, are refused.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from ...errors import LimitError, UnreadableError
from .fields import GROUPS, TABLES, Field, fields_of, find_field, join, table_named
from .layout import MOST_VALUES, Taken, table_twice
from .sheet import Cell, Row, Sheet, SheetProblem, clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import yaml

MOST_EVENTS: Final = 4_000_000
"""Texts, and beginnings and ends of lists and mappings."""
DEEPEST: Final = 8
_NOTHING: Final = ("", "~", "null", "Null", "NULL")


def sheet_yaml(sheet: Sheet) -> Iterator[str]:
    """Write a sheet, a row at a time."""
    yield "# Metadata of a set of images (REMBI). Write values after the colons; several of one kind with semicolons between them.\n"
    for table in TABLES:
        rows = sheet.rows(table)
        if table == "study":
            yield "\n" + _dumped({table: _study(rows)})
            continue
        yield f"\n{table}:{'' if rows else ' []'}\n"
        columns = fields_of(table)
        for row in rows:
            yield _dumped([{one.id: row.cells[one.id].text if one.id in row.cells else "" for one in columns}])


def _study(rows: Sequence[Row]) -> dict[str, Any]:
    """What there is once, and the groups as lists. A row that has nothing of a group keeps its place in it, if others follow."""
    found: dict[str, Any] = {}
    for one in fields_of("study"):
        if not one.group:
            found[one.id] = rows[0].cells[one.id].text if rows and one.id in rows[0].cells else ""
            continue
        members: list[dict[str, str]] = found.setdefault(GROUPS[one.group], [])
        ids = [other.id for other in fields_of("study") if other.group == one.group]
        last = max((number for number, row in enumerate(rows, 1) if any(name in row.cells for name in ids)), default=1)
        while len(members) < last:
            members.append({})
        for row, member in zip(rows or (Row({}),), members, strict=False):
            member[one.id.removeprefix(f"{one.group}_")] = row.cells[one.id].text if one.id in row.cells else ""
    return found


def _dumped(value: Any) -> str:
    import yaml

    return str(yaml.dump(value, Dumper=_dumper(), allow_unicode=True, sort_keys=False, width=4000, default_flow_style=False))


@cache
def _dumper() -> Any:
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        # A text that begins with a line end would be lost as a block.
        block = "\n" in value and not value[0].isspace()
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if block else None)

    Dumper.add_representer(str, text)
    return Dumper


def read_yaml(text: str, name: str) -> dict[str, Taken]:
    """Read a sheet.

    Raises
    ------
    UnreadableError
        If it is no YAML, or not that of a sheet.
    LimitError
        If it is larger than any sheet needs to be.
    """
    reading = _Reading(name)
    root = reading.parsed(text)
    tables: dict[str, Taken] = {}
    problems: list[SheetProblem] = []
    for key, node in reading.pairs(root, "a sheet"):
        table = table_named(key.text)
        if table is not None and table in tables:
            problems.append(table_twice(table, key.row, key.text[:60]))
            continue
        if table is None:
            message = f"{key.text[:60]!r} is none of the tables {', '.join(TABLES)}, and is not read."
            problems.append(SheetProblem(key.text[:60], key.row, "", message, "Give it the name it should have.", "sheet.unknown-sheet", "warning"))
            continue
        tables[table] = reading.study(node) if table == "study" else reading.table(table, node)
    if not tables:
        raise UnreadableError(f"{name} has none of the tables {', '.join(TABLES)}. Start from a sheet that lm_describe has made.")
    first = next(iter(tables.values()))
    first.problems.extend(problems)
    for table in TABLES:
        if table not in tables:
            first.problems.append(SheetProblem(table, 0, "", f"The table {table} is missing.", f"Add {table}: with its rows.", "sheet.sheet-missing"))
    return tables


def _key_twice(table: str, key: Cell, told: str) -> SheetProblem:
    message = f"{told!r} is there twice; only the first is read."
    return SheetProblem(table, key.row, told, message, "Keep one of the two.", "sheet.column-twice")


class _Reading:
    """Takes a document apart, node by node, with the line of each for messages."""

    def __init__(self, name: str) -> None:
        self.name = name

    def parsed(self, text: str) -> yaml.Node:
        import yaml

        try:
            self._refuse_odd(text)
            nodes = list(yaml.compose_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 1}" if mark is not None else ""
            said = getattr(error, "problem", None) or type(error).__name__
            raise UnreadableError(
                f"{self.name} is no valid YAML{where} ({said}). Mend it there, or start from a sheet that lm_describe has made."
            ) from error
        if len(nodes) != 1 or nodes[0] is None:
            raise UnreadableError(f"{self.name} holds {len(nodes)} YAML documents; a sheet is one. Keep one of them.")
        node: yaml.Node = nodes[0]
        return node

    def pairs(self, node: yaml.Node, what: str) -> Iterator[tuple[Cell, yaml.Node]]:
        """Keys and nodes of a mapping."""
        import yaml

        if not isinstance(node, yaml.MappingNode):
            raise UnreadableError(
                f"{self.name}, line {node.start_mark.line + 1}: here {what} is expected, as names with values. See a sheet that lm_describe has made."
            )
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise UnreadableError(f"{self.name}, line {key.start_mark.line + 1}: a name is expected before the colon.")
            yield Cell(clean(key.value), row=key.start_mark.line + 1), value

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        """Members of a list; a single mapping is a list of one, nothing an empty one."""
        import yaml

        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        return [] if isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NOTHING else [node]

    def table(self, table: str, node: yaml.Node) -> Taken:
        taken = Taken()
        for item in self.items(node):
            cells: dict[str, Cell] = {}
            seen: set[str] = set()
            for key, value in self.pairs(item, f"a row of {table}"):
                one = self._field(table, table, key, seen, taken)
                if one is not None:
                    self._put(cells, one, key, value)
            if cells:
                taken.rows.append(Row(cells, item.start_mark.line + 1))
        return taken

    def study(self, node: yaml.Node) -> Taken:
        taken = Taken()
        rows: list[dict[str, Cell]] = [{}]
        plural = {several: group for group, several in GROUPS.items()}
        seen: defaultdict[int, set[str]] = defaultdict(set)
        groups: set[str] = set()
        for place, item in enumerate(self.items(node)):
            while len(rows) <= place:
                rows.append({})
            for key, value in self.pairs(item, "the study"):
                group = plural.get(key.text.strip().casefold())
                if group is not None and group in groups:
                    taken.problems.append(_key_twice("study", key, key.text))
                    continue
                if group is not None:
                    groups.add(group)
                    self._group(group, value, rows, seen, taken)
                    continue
                one = self._field("study", "the study", key, seen[place], taken)
                if one is not None:
                    self._put(rows[place], one, key, value)
        while rows and not rows[-1]:
            rows.pop()
        taken.rows.extend(Row(cells) for cells in rows)
        return taken

    def _group(self, group: str, node: yaml.Node, rows: list[dict[str, Cell]], seen: Mapping[int, set[str]], taken: Taken) -> None:
        for number, item in enumerate(self.items(node)):
            if number >= MOST_VALUES:
                raise LimitError(f"{self.name}: the study has more than {MOST_VALUES} {GROUPS[group]}. Check that it is the right file.")
            while len(rows) <= number:
                rows.append({})
            for key, value in self.pairs(item, f"one of the {GROUPS[group]}"):
                full = Cell(f"{group}_{key.text}", row=key.row)
                one = self._field("study", GROUPS[group], full, seen[number], taken, shown=key.text)
                if one is not None:
                    self._put(rows[number], one, key, value)

    def _field(self, table: str, where: str, key: Cell, seen: set[str], taken: Taken, *, shown: str = "") -> Field | None:
        one = find_field(table, key.text)
        told = " ".join((shown or key.text).split())[:60]
        if one is None:
            message = f"No field of {where} is called {told!r}, so that it is not read."
            taken.problems.append(SheetProblem(table, key.row, told, message, "Use the names of a new sheet.", "sheet.unknown-column", "warning"))
        elif one.id in seen:
            taken.problems.append(_key_twice(table, key, told))
            return None
        else:
            seen.add(one.id)
        return one

    def _put(self, cells: dict[str, Cell], one: Field, key: Cell, node: yaml.Node) -> None:
        text = self._text(node, one)
        if text:
            cells[one.id] = Cell(text, one.sheet, key.row, one.id)

    def _text(self, node: yaml.Node, one: Field) -> str:
        import yaml

        if isinstance(node, yaml.ScalarNode):
            return "" if not node.style and node.value in _NOTHING else clean(node.value)
        if isinstance(node, yaml.SequenceNode) and one.several and all(isinstance(part, yaml.ScalarNode) for part in node.value):
            return join(clean(part.value) for part in node.value)
        raise UnreadableError(f"{self.name}, line {node.start_mark.line + 1}: {one.id} is a text, and not a list or a mapping.")

    def _refuse_odd(self, text: str) -> None:
        """Refuse what no sheet has, before anything is built: libyaml's composer calls itself for each level, until the stack is full."""
        import yaml

        depth = 0
        for count, event in enumerate(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))):
            where = f"{self.name}, line {event.start_mark.line + 1 if event.start_mark else '?'}"
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                raise UnreadableError(
                    f"{where}: aliases (*name) are not accepted in a sheet, since they can make a small file huge. "
                    "Write the value itself in each place."
                )
            if depth > DEEPEST:
                raise UnreadableError(f"{where}: lists and mappings are nested too deeply for a sheet. Start from a sheet that lm_describe has made.")
            if count > MOST_EVENTS:
                raise LimitError(f"{self.name} has more entries than any sheet needs. Check that it is the right file.")
