"""What a mutation is: one base, one thing broken in it, and the rules that ought to say so."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["remove", "type", "value", "dangling", "duplicate", "count", "unit", "order"]
KINDS: dict[Kind, str] = {
    "remove": "something is taken out",
    "type": "a value is of another type",
    "value": "a value is wrong",
    "dangling": "a reference or path leads nowhere",
    "duplicate": "something is there twice",
    "count": "something is there once too often or too seldom",
    "unit": "a unit is wrong or missing",
    "order": "things are in another order",
}
Content = dict[str, bytes]
"""Files by their names, of a store or of a folder."""


@dataclass(frozen=True, slots=True)
class Base:
    """Valid metadata to begin with: a store (a folder of files), or one file."""

    name: str
    content: Content
    file: str = ""
    """Name of the one file; empty for a store."""

    def write(self, folder: Path, content: Content | None = None) -> Path:
        """Write it, or another content in its place, and return what is to be checked."""
        top = folder if self.file else folder / "base.ome.zarr"
        for name, data in (self.content if content is None else content).items():
            path = top / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder / self.file if self.file else top


@dataclass(frozen=True, slots=True)
class Mutation:
    """One thing broken in a base."""

    base: Base
    kind: Kind
    where: str
    """The place, for people: a file and a key, or an element and an attribute."""
    what: str
    meant: frozenset[str]
    """Rules that are for such a mistake."""
    content: Callable[[], Content]

    @property
    def place(self) -> str:
        """The place without its numbers, by which mutations are put together."""
        place = re.sub(r"^(?:[A-Z]/)?[\d/]+: ", "", self.where)
        return re.sub(r"(?<=\.)\d+(?=\.|$)", "", place).replace("..", ".").strip(".")
