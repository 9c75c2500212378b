"""The list of all subblocks of a CZI, as columns."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

LETTERS: Final = "XYCZTRSIHVBM"
"""The dimensions of the format: X, Y, channel, z, time, rotation, scene, illumination, phase, view, block, mosaic tile."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a directory: what can be compared with the subblock itself."""

    pixel_type: int
    compression: int
    spans: dict[str, tuple[int, int, int]]
    """Start, and along X and Y size and stored size, of every dimension it names."""


@dataclass(frozen=True, slots=True)
class Directory:
    """All subblocks, one row of every array for each, in the order of their places in the files.

    Attributes
    ----------
    file
        Index of the file it is stored in.
    start
        First coordinate along every dimension; 0 where a subblock does not name it.
    size, stored
        Extent along X and Y: in pixels of the full resolution, and as stored.
    named
        Whether a subblock names the dimension, for the letters in `LETTERS`.
    along, depth
        The dimension along which a subblock holds several planes, each behind the other, and how many; most hold one.
    inner
        Which of these a row is, where there is a row for each.
    """

    file: NDArray[Any]
    position: NDArray[Any]
    pixel_type: NDArray[Any]
    compression: NDArray[Any]
    start: dict[str, NDArray[Any]]
    size: dict[str, NDArray[Any]]
    stored: dict[str, NDArray[Any]]
    named: dict[str, NDArray[Any]]
    along: NDArray[Any]
    depth: NDArray[Any]
    inner: NDArray[Any]

    def __len__(self) -> int:
        return len(self.position)

    def row(self, number: int) -> Listed:
        """One row by itself."""
        spans = {letter: (int(self.start[letter][number]), 0, 0) for letter in LETTERS if self.named[letter][number]}
        if letter := str(self.along[number]):
            spans[letter] = (spans[letter][0] - int(self.inner[number]), 0, 0)
        for letter in "XY":
            spans[letter] = (spans[letter][0], int(self.size[letter][number]), int(self.stored[letter][number]))
        return Listed(int(self.pixel_type[number]), int(self.compression[number]), spans)

    def take(self, rows: NDArray[Any]) -> Directory:
        """Some of the rows, in that order."""
        return _built(lambda columns: _some(columns[0], rows), [self])

    def unfolded(self) -> Directory:
        """A row for every plane, where subblocks hold several."""
        if not len(self) or self.depth.max() == 1:
            return self
        rows = np.repeat(np.arange(len(self)), self.depth)
        inner = np.arange(len(rows)) - np.repeat(np.cumsum(self.depth) - self.depth, self.depth)
        whole = self.take(rows)
        start = {letter: column + np.where(whole.along == letter, inner, 0) for letter, column in whole.start.items()}
        return replace(whole, start=start, inner=inner)


def gathered(parts: Sequence[Directory]) -> Directory:
    """One directory after the other. A column of one value takes no more memory than that."""
    return _built(_column, parts)


def joined(parts: Sequence[Directory]) -> Directory:
    """The directories of all files of a set as one, each subblock once, in the order of files and places."""
    whole = gathered(parts) if len(parts) > 1 else parts[0]
    order = np.lexsort((whole.position, whole.file))
    same = (np.diff(whole.position[order], prepend=-1) == 0) & (np.diff(whole.file[order], prepend=-1) == 0)
    return whole.take(order[~same]) if same.any() or (np.diff(order) < 0).any() else whole


def packed(column: NDArray[Any]) -> NDArray[Any]:
    """The same values, not to be written to; of a column of one value, that is held once."""
    if len(column) < 2 or column.strides == (0,) or (column != column[0]).any():
        return column
    return np.broadcast_to(column[:1].copy()[0], column.shape)


def _built(build: Callable[[list[NDArray[Any]]], NDArray[Any]], parts: Sequence[Directory]) -> Directory:
    """A directory whose every column is built from the same column of others."""
    built: dict[str, Any] = {}
    for field in fields(Directory):
        columns = [getattr(part, field.name) for part in parts]
        if isinstance(columns[0], dict):
            built[field.name] = {letter: build([each[letter] for each in columns]) for letter in columns[0]}
        else:
            built[field.name] = build(columns)
    return Directory(**built)


def _column(parts: list[NDArray[Any]]) -> NDArray[Any]:
    own = [part for part in parts if len(part)]
    if not own:
        return parts[0]
    if all(part.strides == (0,) and part[0] == own[0][0] for part in own):
        return np.broadcast_to(own[0][0], (sum(map(len, own)),))
    return packed(np.concatenate(own)) if len(own) > 1 else packed(own[0])


def _some(column: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    return np.broadcast_to(column[0], (len(rows),)) if len(column) and column.strides == (0,) else column[rows]
