"""Subblocks of a CZI whose coordinates say less than they seem to: planes that wander, and blocks of time that go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .czi_directory import Directory

_PLANE = "TCZHIR"


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
