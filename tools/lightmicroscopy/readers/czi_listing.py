"""Reading the directory of a CZI: its entries, piece by piece, as columns.

Neither what a directory says of its own length nor the file's is taken for how much there is to read: both can be gigabytes of
nothing. Entries are read until as many were found as are counted, and the first that is none ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import LimitError, UnreadableError
from .czi_directory import LETTERS, Directory, gathered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .czi_container import CziFile

MAX_BLOCKS: Final = 2_000_000
MAX_DIMENSIONS: Final = 40
ENTRY_HEAD: Final = 32
DIMENSION: Final = 20
_PIECE: Final = 4 << 20
_FIRST: Final = 32
"""Bytes before anything that a subblock could be at."""
_LARGEST: Final = 1 << 30
_SCANNED: Final = "TZ"
"""Dimensions along which a subblock may hold several planes."""
_HEAD: Final = np.dtype(
    [
        ("schema", "S2"),
        ("pixel_type", "<i4"),
        ("position", "<i8"),
        ("part", "<i4"),
        ("compression", "<i4"),
        ("pyramid", "u1"),
        ("spare", "V5"),
        ("dimensions", "<i4"),
    ]
)
_SPAN: Final = np.dtype([("name", "S4"), ("start", "<i4"), ("size", "<i4"), ("coordinate", "<f4"), ("stored", "<i4")])


def read_listing(file: CziFile, at: int, end: int, count: int, files: dict[int, int]) -> Directory:
    """Read `count` entries that lie between two offsets.

    Parameters
    ----------
    files
        Index of each file of the set by its number as a part.

    Raises
    ------
    UnreadableError
        If there are fewer or more, or one of them makes no sense.
    LimitError
        If they hold more planes than are read.
    """
    parts, found, unknown = [_columns(file, np.empty(0, np.uint8), [], files, {})], 0, dict[str, int]()
    while found < count:
        data = file.read(at, min(_PIECE, end - at))
        entries, length = _entries(file, data, found, count)
        if not entries:
            raise file.damaged("its directory ends early")
        parts.append(_columns(file, np.frombuffer(data, np.uint8), entries, files, unknown))
        found += len(entries)
        at += length
    if at + 2 <= end and file.read(at, 2) == b"DV":
        raise file.damaged(f"its directory holds more than the {count:,} subblocks that it counts")
    whole = gathered(parts)
    planes = int(whole.depth.sum())
    if planes > max(count, MAX_BLOCKS):
        raise LimitError(f"{file.name} claims {planes:,} planes; at most {MAX_BLOCKS:,} are read. Split the file in ZEN before converting it.")
    return whole


def _entries(file: CziFile, data: bytes, first: int, count: int) -> tuple[list[tuple[int, int]], int]:
    """Offset and number of dimensions of every entry that is whole, and the bytes they take."""
    found: list[tuple[int, int]] = []
    at = 0
    while first + len(found) < count and at + ENTRY_HEAD <= len(data):
        dimensions = int.from_bytes(data[at + 28 : at + 32], "little", signed=True)
        if data[at : at + 2] != b"DV" or not 0 < dimensions <= MAX_DIMENSIONS:
            raise file.damaged(f"entry {first + len(found)} of its directory is not one")
        if at + ENTRY_HEAD + dimensions * DIMENSION > len(data):
            break
        found.append((at, dimensions))
        at += ENTRY_HEAD + dimensions * DIMENSION
    return found, at


def _columns(file: CziFile, data: NDArray[Any], listed: Sequence[tuple[int, int]], files: dict[int, int], unknown: dict[str, int]) -> Directory:
    entries = np.array(listed, np.int64).reshape(-1, 2)
    count = len(entries)
    head = np.empty(count, _HEAD)
    start = {letter: np.zeros(count, np.int64) for letter in LETTERS}
    size, stored = ({letter: np.zeros(count, np.int64) for letter in "XY"} for _ in range(2))
    named = {letter: np.zeros(count, np.bool_) for letter in LETTERS}
    along, depth = np.zeros(count, "U1"), np.ones(count, np.int64)
    for dimensions in np.unique(entries[:, 1]):
        rows = np.flatnonzero(entries[:, 1] == dimensions)
        kind = np.dtype([("head", _HEAD), ("dimensions", _SPAN, (int(dimensions),))])
        table = data[entries[rows, 0][:, None] + np.arange(kind.itemsize)].view(kind)[:, 0]
        head[rows] = table["head"]
        for at in range(int(dimensions)):
            column = table["dimensions"][:, at]
            names = np.unique(column["name"])
            if len(names) > MAX_DIMENSIONS:
                raise file.damaged(f"its directory names more than {MAX_DIMENSIONS} dimensions")
            for name in names:
                letter = name.decode("latin-1").strip()
                here = column["name"] == name
                if letter not in start:
                    _refuse_dimension(file, letter, column["start"][here], unknown)
                    continue
                start[letter][rows[here]] = column["start"][here]
                named[letter][rows[here]] = True
                if letter in size:
                    size[letter][rows[here]] = column["size"][here]
                    stored[letter][rows[here]] = column["stored"][here]
                elif letter in _SCANNED and (column["size"][here] > 1).any():
                    _take_depth(file, letter, rows[here], column["size"][here], along, depth)
    for letter in "XY":
        # 0 says that it is stored as it is.
        stored[letter] = np.where(stored[letter] == 0, size[letter], stored[letter])
    position = head["position"].astype(np.int64)
    if any(column.size and (column.min() < 1 or column.max() > _LARGEST) for columns in (size, stored) for column in columns.values()):
        raise file.damaged("its directory gives a subblock an impossible size")
    if count and position.min() < _FIRST:
        raise file.damaged("its directory places a subblock before the file")
    return gathered(
        [
            Directory(
                _files(file, head["part"], files),
                position,
                head["pixel_type"].astype(np.int64),
                head["compression"].astype(np.int64),
                start,
                size,
                stored,
                named,
                along,
                depth,
                np.zeros(count, np.int64),
            )
        ]
    )


def _take_depth(file: CziFile, letter: str, rows: NDArray[Any], sizes: NDArray[Any], along: NDArray[Any], depth: NDArray[Any]) -> None:
    """Note which subblocks hold several planes: of a line that was scanned again and again, or down a stack."""
    several = rows[sizes > 1]
    if (depth[several] > 1).any():
        raise UnreadableError(
            f"{file.name} has subblocks of several planes along {letter} and {along[several][0]} at once, whose order is not known. "
            "Save the file again with ZEN, or as OME-TIFF."
        )
    along[several], depth[several] = letter, sizes[sizes > 1]


def _refuse_dimension(file: CziFile, letter: str, starts: NDArray[Any], unknown: dict[str, int]) -> None:
    """Refuse a dimension that is not known, unless nothing lies along it; `unknown` holds where those seen before began."""
    first = unknown.setdefault(letter, int(starts[0]))
    if len(unknown) > MAX_DIMENSIONS or (starts != first).any():
        raise UnreadableError(f"{file.name} has a dimension {letter!r}, which is not known. Save the file again with ZEN, or as OME-TIFF.")


def _files(file: CziFile, parts: NDArray[Any], files: dict[int, int]) -> NDArray[Any]:
    """Index of the file that each part is in."""
    found = np.full(len(parts), files[file.header.part])
    for part in np.unique(parts[(parts != 0) & (parts != file.header.part)]).tolist():
        if part not in files:
            raise UnreadableError(f"{file.name} is one of several files: some of its pixels are in part {part}. Give all files of the set together.")
        found[parts == part] = files[part]
    return found
