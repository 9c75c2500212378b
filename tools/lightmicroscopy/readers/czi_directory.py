"""The list of all subblocks of a CZI, as columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
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

        def each(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            return {letter: column[rows] for letter, column in columns.items()}

        return Directory(
            self.file[rows],
            self.position[rows],
            self.pixel_type[rows],
            self.compression[rows],
            each(self.start),
            each(self.size),
            each(self.stored),
            each(self.named),
            self.along[rows],
            self.depth[rows],
            self.inner[rows],
        )

    def unfolded(self) -> Directory:
        """A row for every plane, where subblocks hold several."""
        if not len(self) or self.depth.max() == 1:
            return self
        rows = np.repeat(np.arange(len(self)), self.depth)
        inner = np.arange(len(rows)) - np.repeat(np.cumsum(self.depth) - self.depth, self.depth)
        whole = self.take(rows)
        start = {letter: column + np.where(whole.along == letter, inner, 0) for letter, column in whole.start.items()}
        return replace(whole, start=start, inner=inner)


def joined(parts: list[Directory]) -> Directory:
    """The directories of all files of a set as one, each subblock once, in the order of files and places."""

    def together(columns: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
        return {letter: np.concatenate([each[letter] for each in columns]) for letter in columns[0]}

    whole = Directory(
        np.concatenate([part.file for part in parts]),
        np.concatenate([part.position for part in parts]),
        np.concatenate([part.pixel_type for part in parts]),
        np.concatenate([part.compression for part in parts]),
        together([part.start for part in parts]),
        together([part.size for part in parts]),
        together([part.stored for part in parts]),
        together([part.named for part in parts]),
        np.concatenate([part.along for part in parts]),
        np.concatenate([part.depth for part in parts]),
        np.concatenate([part.inner for part in parts]),
    )
    order = np.lexsort((whole.position, whole.file))
    same = (np.diff(whole.position[order], prepend=-1) == 0) & (np.diff(whole.file[order], prepend=-1) == 0)
    return whole.take(order[~same])
