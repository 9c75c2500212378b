"""What the coordinates of the subblocks of a CZI say together: groups, planes that wander, blocks of time that go on, levels that lack tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .czi_directory import Directory
    from .czi_series import LevelBlocks

_PLANE = "TCZHIR"
_GRID = 128
_COVERED = 0.98


def wandering(plane: NDArray[Any], start: Mapping[str, NDArray[Any]], stored: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]] | None:
    """How far each subblock's plane lies from the top left of all planes, if whole planes lie in different places.

    The stage follows something, or channels are set off against each other: the tiles of every plane lie alike among themselves.

    Parameters
    ----------
    plane
        Number of the plane of each subblock.
    start, stored
        First coordinate and extent of each along X and Y.

    Returns
    -------
    dict or None
        Pixels along X and Y; None where all planes lie in one place, or some lack tiles that others have.
    """
    numbers, counts = np.unique(plane, return_counts=True)
    if len(numbers) < 2 or (counts != counts[0]).any():
        return None
    order = np.lexsort((start["X"], start["Y"], plane))
    shape = (len(numbers), int(counts[0]))
    shifts = {}
    for letter in "XY":
        places, extents = start[letter][order].reshape(shape), stored[letter][order].reshape(shape)
        first = places.min(axis=1, keepdims=True)
        if (places - first != places[0] - first[0]).any() or (extents != extents[0]).any():
            return None
        shift = np.empty(len(plane), np.int64)
        shift[order] = np.broadcast_to(first - first.min(), shape).reshape(-1)
        shifts[letter] = shift
    return shifts if any(shift.any() for shift in shifts.values()) else None


def one_acquisition(directory: Directory, planes: int) -> bool:
    """Whether acquisition blocks share the planes of one image between them, each of which is there once: time goes on from block to block.

    Bio-Formats shows one image then, too.
    """
    if len(directory) != planes or not directory.start["B"].any() or directory.start["S"].any() or directory.start["V"].any():
        return False
    places = np.stack([directory.start[letter] for letter in _PLANE], axis=1)
    alike = all((column == column[0]).all() for column in (directory.pixel_type, *directory.size.values(), *directory.stored.values()))
    return alike and len(np.unique(places, axis=0)) == planes


def groups_of(columns: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Rows that have the same values in all columns, in the order of these values, the first column counting most."""
    code = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        if (column == column[0]).all():
            continue
        values, ranks = np.unique(column, return_inverse=True)
        # Numbered anew each time, so that products stay small.
        _, code = np.unique(code * len(values) + ranks, return_inverse=True)
    order = np.argsort(code, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(code[order])) + 1)


def covers(level: LevelBlocks, full: LevelBlocks) -> bool:
    """Whether a reduced level has all planes of the full one, and tiles wherever that has some."""
    if not np.array_equal(np.unique(level.plane), np.unique(full.plane)):
        return False
    scanned, reduced = _mask(full), _mask(level)
    return bool((scanned & reduced).sum() >= _COVERED * scanned.sum())


def _mask(level: LevelBlocks) -> NDArray[Any]:
    """Which cells of a coarse grid over the first plane have a tile at their centre."""
    mask = np.zeros((_GRID, _GRID), np.bool_)
    first = level.of_plane(int(level.plane[0]))
    spans = []
    for low, extent, full in ((level.y, level.height, level.shape.y), (level.x, level.width, level.shape.x)):
        begin = np.ceil(low[first] * _GRID / full - 0.5).astype(np.int64).clip(0, _GRID)
        end = np.ceil((low[first] + extent[first]) * _GRID / full - 0.5).astype(np.int64).clip(0, _GRID)
        spans += [begin, end]
    for top, bottom, left, right in zip(*spans, strict=True):
        mask[top:bottom, left:right] = True
    return mask
