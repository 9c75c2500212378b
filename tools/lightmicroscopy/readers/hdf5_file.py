"""What an HDF5 file holds: groups, datasets, attributes; and where the bytes of a dataset lie."""

from __future__ import annotations

import math
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..errors import LimitError, UnreadableError
from ..names import readable
from .files import RandomFile
from .hdf5_process import ask, forget
from .zarr_array import ARRAY_BYTES, CHUNK_BYTES, EMPTIEST, EMPTY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_TABLES: Final = 4_000_000
"""Entries of chunk tables kept, all datasets of a file together."""
_SAID: Final = 5
_FOLLOWED: Final = 32
"""Links followed on the way to one thing."""
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NUMBERS: Final = re.compile(r"(\d+)")


class Filter(NamedTuple):
    """One step of a dataset's filter pipeline."""

    code: int
    values: tuple[int, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Node:
    """A group, a dataset, or a link that is not followed.

    Attributes
    ----------
    refused
        Why it is not read: its data lie outside the file.
    damage
        Why it cannot be read.
    excess
        In what it asks for more than is allowed.
    lost, left
        How many of its attributes cannot be read, and how many were left out since they are too large or too many.
    dtype
        As stored; ``None`` for a group, or a dataset of anything but numbers, for which `reason` says what it holds.
    text
        The text of a dataset of characters.
    """

    path: str
    group: bool = False
    attributes: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    refused: str = ""
    damage: str = ""
    excess: str = ""
    lost: int = 0
    left: int = 0
    shape: tuple[int, ...] = ()
    dtype: np.dtype[Any] | None = None
    reason: str = ""
    layout: str = ""
    chunk: tuple[int, ...] = ()
    offset: int | None = None
    filters: tuple[Filter, ...] = ()
    fill: Any = 0
    text: str | None = None
    stored: int | None = None

    @property
    def closed(self) -> bool:
        """Whether it cannot be read, whatever it is."""
        return bool(self.refused or self.damage or self.excess)

    @property
    def name(self) -> str:
        """The path, printable."""
        return printable(self.path)

    @property
    def bytes(self) -> int:
        """Size of all pixels, unpacked."""
        return math.prod(self.shape) * (self.dtype.itemsize if self.dtype is not None else 0)

    def string(self, name: str) -> str | None:
        """An attribute that is text, stripped; ``None`` if it is not there or empty."""
        value = self.attributes.get(name)
        return (printable(value).strip() or None) if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class ChunkTable:
    """Stored chunks of one dataset, by their numbers within the grid of chunks (the last dimension counted fastest)."""

    grid: tuple[int, ...]
    numbers: NDArray[np.int64]
    """Sorted."""
    places: NDArray[np.int64]
    """Offset in the file, length, and mask of the filters left out, of each."""

    def within(self, ranges: Sequence[range]) -> Iterator[tuple[tuple[int, ...], int, int, int]]:
        """Stored chunks of a box of the grid: index, offset, length, mask; in order."""
        if not len(self.numbers):
            return
        if math.prod(map(len, ranges)) <= len(self.numbers) * 4:
            strides = [math.prod(self.grid[axis + 1 :]) for axis in range(len(self.grid))]
            wanted = np.zeros(1, np.int64)
            for span, stride in zip(ranges, strides, strict=True):
                wanted = np.add.outer(wanted, np.arange(span.start, span.stop, dtype=np.int64) * stride).ravel()
            at = np.searchsorted(self.numbers, wanted)
            at = at[self.numbers[np.minimum(at, len(self.numbers) - 1)] == wanted]
        else:
            indexes = np.unravel_index(self.numbers, self.grid)
            inside = np.ones(len(self.numbers), bool)
            for part, span in zip(indexes, ranges, strict=True):
                inside &= (part >= span.start) & (part < span.stop)
            at = np.nonzero(inside)[0]
        found = np.unravel_index(self.numbers[at], self.grid)
        for position, *index in zip(at.tolist(), *(part.tolist() for part in found), strict=True):
            offset, length, mask = self.places[position].tolist()
            yield tuple(index), offset, length, mask


class HdfFile:
    """One HDF5 file: its structure, read at once, and the bytes of its datasets, read as they are needed.

    Attributes
    ----------
    nodes
        Groups, datasets and links that are not followed, each at the first path it was found at.
    links
        Other paths within the file, and where they lead: soft links, and further hard links to the same thing.

    Raises
    ------
    UnreadableError
        If it is damaged.
    LimitError
        If it holds more than is accepted.
    """

    def __init__(self, path: Path) -> None:
        self.name = readable(path.name)
        self._path = str(path.resolve())
        self.bytes = RandomFile(path)
        self.nodes: dict[str, Node] = {}
        self.links: dict[str, str] = {}
        self._children: dict[str, list[str]] = {}
        self._numbered: dict[tuple[str, re.Pattern[str]], list[tuple[int, Node]]] = {}
        try:
            self._ask({"do": "walk"}, self._take)
        except BaseException:
            forget(self._path)
            raise
        self._lock = threading.Lock()
        self._tables: OrderedDict[str, ChunkTable] = OrderedDict()

    def _ask(self, request: dict[str, Any], take: Callable[[list[Any]], None] | None = None) -> bytearray:
        request = {**request, "file": self._path}
        return ask(request, self.name, take) if take else ask(request, self.name)

    def _take(self, found: list[Any]) -> None:
        for entry in found:
            place = entry["path"]
            if "link" in entry:
                self.links[place] = entry["link"]
            else:
                self.nodes[place] = describe(entry)
            if place != "/":
                self._children.setdefault(place.rpartition("/")[0] or "/", []).append(place)

    def at(self, path: str) -> Node | None:
        """What is at a path, through whatever links within the file; ``None`` if there is nothing."""
        followed = 0
        steps, at = [step for step in reversed(path.split("/")) if step not in {"", "."}], "/"
        while steps:
            place = f"{at.rstrip('/')}/{steps.pop()}"
            target = self.links.get(place)
            if target is None:
                if place not in self.nodes:
                    return None
                at = place
                continue
            followed += 1
            if followed > _FOLLOWED or not target:
                return None
            steps += [step for step in reversed(target.split("/")) if step not in {"", "."}]
            at = "/" if target.startswith("/") else at
        return self.nodes[at]

    def children(self, path: str) -> list[tuple[str, Node]]:
        """Names and things that are directly in a group; numbers within names count as numbers.

        What is behind a link within the file is there as if it was in the group. A link that leads nowhere is a thing that cannot
        be read.
        """
        found = []
        for place in self._children.get(path, ()):
            node = self.nodes.get(place) or self.at(place)
            found.append((place.rpartition("/")[2], node or Node(place, damage="a link that leads nowhere")))
        return sorted(found, key=lambda entry: natural(entry[0]))

    def numbered(self, path: str, pattern: re.Pattern[str]) -> list[tuple[int, Node]]:
        """Things directly in a group whose names fit a pattern, by the number in their names; found once, since links may lead there often."""
        known = self._numbered.get((path, pattern))
        if known is None:
            known = [(int(match[1]), node) for name, node in self.children(path) if (match := pattern.fullmatch(name))]
            self._numbered[path, pattern] = known
        return known

    def child(self, path: str, name: str) -> Node | None:
        """One thing in a group, if it is there, or behind a link that is there."""
        place = f"{path.rstrip('/')}/{name}"
        return self.nodes.get(place) or self.at(place)

    def table(self, node: Node) -> ChunkTable:
        """Where the chunks of a dataset are stored.

        Raises
        ------
        UnreadableError
            If that makes no sense.
        LimitError
            If next to nothing is stored of what the dataset claims.
        """
        with self._lock:
            known = self._tables.get(node.path)
            if known is None:
                known = self._tables[node.path] = self._read_table(node)
                while len(self._tables) > 1 and sum(len(table.numbers) for table in self._tables.values()) > _TABLES:
                    self._tables.popitem(last=False)
            self._tables.move_to_end(node.path)
            return known

    def _read_table(self, node: Node) -> ChunkTable:
        data = self._ask({"do": "index", "path": node.path})
        entries = np.frombuffer(data, np.int64).reshape(-1, 4)
        grid = tuple(-(-full // extent) for full, extent in zip(node.shape, node.chunk, strict=True))
        entries = entries[np.argsort(entries[:, 0], kind="stable")]
        numbers, places = np.ascontiguousarray(entries[:, 0]), np.ascontiguousarray(entries[:, 1:])
        if len(numbers):
            ends = places[:, 0] + places[:, 1]
            if numbers[0] < 0 or numbers[-1] >= math.prod(grid) or (np.diff(numbers) == 0).any() or (places[:, :2] < 0).any():
                raise self.damaged(node, "has an index of chunks that contradicts itself")
            if int(ends.max()) > self.bytes.size:
                raise self.damaged(node, "has chunks beyond the end of the file, which is truncated")
        if is_empty(node.bytes, int(places[:, 1].sum())):
            raise self.empty(node)
        return ChunkTable(grid, numbers, places)

    def read_by_library(self, node: Node, start: Sequence[int], extent: Sequence[int]) -> bytearray:
        """Read a box with the HDF5 library: what only it can decode."""
        unit = math.prod(node.chunk or extent) * (node.dtype.itemsize if node.dtype is not None else 1)
        return self._ask({"do": "part", "path": node.path, "start": list(start), "extent": list(extent), "unit": unit})

    def damaged(self, node: Node, what: str) -> UnreadableError:
        """Say what is wrong with a dataset."""
        return UnreadableError(f"{self.name}: the dataset {node.name} {what}. The file is damaged; ask for it again, or leave that part out.")

    def empty(self, node: Node) -> LimitError:
        """Say that a dataset merely claims its size."""
        return LimitError(
            f"{self.name}: the dataset {node.name} claims {node.bytes:,} bytes of pixels but stores next to nothing (under 1 in {EMPTIEST:,}). "
            "Check that the upload or copy was completed."
        )

    def refused(self, node: Node) -> UnreadableError | LimitError:
        """Say that something is in another file, too large, or damaged."""
        if node.excess:
            return LimitError(f"{self.name}: the dataset {node.name} {node.excess}.")
        if node.damage:
            return UnreadableError(f"{self.name}: {node.name} is damaged ({node.damage}). Check that the upload or copy was completed.")
        article = "an" if node.refused.startswith("e") else "a"
        return UnreadableError(
            f"{self.name}: {node.name} is {article} {node.refused}: its pixels lie outside this file and are not read. "
            "Save the image as one file, for instance with the program that made it or with h5repack."
        )

    def damages(self) -> tuple[str, ...]:
        """Say what is damaged or too large, and was passed over."""
        said = [str(self.refused(node)) for node in self.nodes.values() if node.damage or node.excess]
        for node in self.nodes.values():
            if node.lost:
                said.append(f"{self.name}: {node.lost:,} attributes of {node.name} are damaged and were passed over.")
            if node.left:
                said.append(f"{self.name}: {node.left:,} attributes of {node.name} are too large or too many and are not kept.")
        return (*said[:_SAID], *((f"{len(said) - _SAID} more things in {self.name} were passed over.",) if len(said) > _SAID else ()))

    def unknown_filter(self, node: Node, step: Filter) -> UnreadableError:
        """Say that a dataset is compressed in a way nobody here knows."""
        called = f"{step.name} (filter {step.code})" if step.name else f"filter {step.code}"
        return UnreadableError(
            f"{self.name}: the dataset {node.name} is compressed with {called}, which is not read. "
            "Write it again with gzip, LZ4, Zstandard or Blosc, for instance with h5repack."
        )

    def close(self) -> None:
        """Let go of the file."""
        self.bytes.close()
        self._tables.clear()
        forget(self._path)


def is_empty(claimed: int, stored: int) -> bool:
    """Whether a dataset merely claims its size."""
    return claimed > EMPTY_BYTES and claimed > EMPTIEST * stored


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key by which t2 comes before t10."""
    return [(0, int(part), part) if part.isdecimal() and part.isascii() else (1, 0, part) for part in _NUMBERS.split(name) if part]


def printable(text: str) -> str:
    """Text without what XML and reports cannot hold."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def describe(found: Mapping[str, Any]) -> Node:
    """Describe what the HDF5 library found; what asks for too much, or contradicts itself, is closed."""
    dtype = found.get("dtype")
    node = Node(
        path=found["path"],
        group=bool(found.get("group")),
        attributes=found.get("attributes", _NONE),
        refused=found.get("refused", ""),
        damage=found.get("damaged", ""),
        lost=found.get("lost", 0),
        left=found.get("left", 0),
        shape=tuple(found.get("shape", ())),
        dtype=np.dtype(dtype) if dtype else None,
        reason=found.get("reason", "") or found.get("target", ""),
        layout=found.get("layout", ""),
        chunk=tuple(found.get("chunk", ())),
        offset=found.get("offset"),
        filters=tuple(Filter(code, tuple(values), printable(name)) for code, values, name in found.get("filters", ())),
        fill=found.get("fill", 0),
        text=found.get("text"),
        stored=found.get("stored"),
    )
    damage, excess = _faults(node)
    return replace(node, damage=damage, excess=excess) if damage or excess else node


def _faults(node: Node) -> tuple[str, str]:
    """Why a dataset makes no sense, and in what it asks for too much."""
    if node.dtype is None or not node.layout:
        return node.damage, ""
    if node.chunk and (len(node.chunk) != len(node.shape) or not all(node.chunk)):
        return "it has chunks that do not fit its shape", ""
    if node.bytes > ARRAY_BYTES:
        return "", f"claims {node.bytes:,} bytes of pixels; at most {ARRAY_BYTES:,} are read. Check its shape"
    unit = math.prod(node.chunk) * node.dtype.itemsize
    if unit > CHUNK_BYTES:
        return "", f"has chunks of {unit:,} bytes; at most {CHUNK_BYTES:,} are read. Write it again with smaller chunks"
    return node.damage, ""
