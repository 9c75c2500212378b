"""Ways to break the attributes of an OME-Zarr."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

from .meant import meant_of_json
from .model import Base, Content, Kind, Mutation

Steps = tuple[str | int, ...]
Change = Callable[[Any], None]
_PATHS = ("path", "image")
_FIELDS = re.compile(r"(?:^|/)[A-Z]/\d+/\d+/")
_TYPES: dict[type, tuple[Any, ...]] = {str: (7, ["x"]), int: ("x", [1]), float: ("x", None), bool: ("yes",), list: ("x", {}), dict: ("x", [])}
_NUMBERS = (-1, 0, 1.5, 10**9)
_UNITS = (None, "µm", "furlong", "second", "micrometer")


def mutations(base: Base, random: Random, most: int) -> Iterator[Mutation]:
    """At most so many mutations of each kind, chosen by a seeded generator."""
    by_kind: dict[Kind, list[Mutation]] = {}
    for file in _files(base):
        document = json.loads(base.content[file])
        top: Steps = ("attributes", "ome") if file.endswith("zarr.json") else ()
        if top and "ome" not in document.get("attributes", {}):
            continue
        for kind, steps, what, change in _changes(_at(document, top), random):
            by_kind.setdefault(kind, []).append(_mutation(base, file, top, kind, steps, what, change))
    for kind in sorted(by_kind):
        found = by_kind[kind]
        random.shuffle(found)
        yield from found[:most]


def _files(base: Base) -> list[str]:
    """Files with NGFF attributes; of the wells and fields of a plate one each, for the others are like them."""
    names = sorted(name for name in base.content if name.endswith((".zattrs", "zarr.json")))
    kept = [name for name in names if not re.search(r"(?:^|/)[A-Z]/\d+", name)]
    wells = [name for name in names if re.fullmatch(r"[A-Z]/\d+/(?:\.zattrs|zarr\.json)", name)]
    fields = [name for name in names if re.fullmatch(r"[A-Z]/\d+/\d+/(?:\.zattrs|zarr\.json)", name)]
    return kept + wells[:1] + fields[:1]


def _mutation(base: Base, file: str, top: Steps, kind: Kind, steps: Steps, what: str, change: Change) -> Mutation:
    def content() -> Content:
        document = json.loads(base.content[file])
        change(_at(document, top))
        return base.content | {file: json.dumps(document).encode()}

    key = ".".join(map(str, steps))
    folder = file.rpartition("/")[0]
    return Mutation(base, kind, f"{folder + ': ' if folder else ''}{key}", what, meant_of_json(kind, key), content)


def _at(document: Any, steps: Steps) -> Any:
    for step in steps:
        document = document[step]
    return document


def _put(steps: Steps, value: Any) -> Change:
    def change(document: Any) -> None:
        _at(document, steps[:-1])[steps[-1]] = deepcopy(value)

    return change


def _dropped(steps: Steps) -> Change:
    def change(document: Any) -> None:
        del _at(document, steps[:-1])[steps[-1]]

    return change


def _changes(document: Any, random: Random) -> Iterator[tuple[Kind, Steps, str, Change]]:
    for steps, value in _nodes(document, ()):
        last = steps[-1]
        if isinstance(last, str):
            yield "remove", steps, "taken out", _dropped(steps)
        wrong = random.choice(_TYPES[type(value)]) if value is not None else 5
        yield "type", steps, f"became {json.dumps(wrong)}", _put(steps, wrong)
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = random.choice([number for number in _NUMBERS if number != value])
            yield "value", steps, f"became {number}", _put(steps, number)
        elif isinstance(value, str) and last != "unit":
            yield "value", steps, "became “no such thing?”", _put(steps, "no such thing?")
        if _is_path(steps, value):
            yield "dangling", steps, f"became {value}9", _put(steps, f"{value}9" if isinstance(value, str) else value + 9)
        if last == "unit":
            unit = random.choice([unit for unit in _UNITS if unit != value])
            yield "unit", steps, f"became {unit}" if unit else "taken out", _put(steps, unit) if unit else _dropped(steps)
        if isinstance(value, list) and value:
            yield from _of_list(steps, value)


def _of_list(steps: Steps, value: list[Any]) -> Iterator[tuple[Kind, Steps, str, Change]]:
    yield "count", steps, "lost its last entry", _put(steps, value[:-1])
    if isinstance(value[0], int | float):
        yield "count", steps, "has one number more", _put(steps, [*value, value[-1]])
    else:
        yield "duplicate", steps, "has its first entry twice", _put(steps, [*value, value[0]])
    if value[::-1] != value:
        yield "order", steps, "turned round", _put(steps, value[::-1])


def _is_path(steps: Steps, value: Any) -> bool:
    if steps[-1] == "acquisition":
        return True
    parent = steps[-2] if len(steps) > 1 else ""
    return isinstance(value, str) and (steps[-1] in _PATHS or (isinstance(steps[-1], int) and parent in ("labels", "series")))


def _nodes(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    """Every value, with the steps to it; of long lists only the first entries and the last."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = [item for item in enumerate(value) if item[0] < 2 or item[0] == len(value) - 1]
    for key, item in items:
        yield (*steps, key), item
        yield from _nodes(item, (*steps, key))
