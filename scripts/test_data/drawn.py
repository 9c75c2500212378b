"""What the vendors' files are drawn from: pixels, and the few facts that every one of these formats can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .drawing import Array


@dataclass(frozen=True)
class Drawn:
    """One series.

    Attributes
    ----------
    name
        None where the file has none; that of a scene in a CZI is made of its number.
    pixels
        T C Z Y X.
    pixel_size
        Along x, y and z, in micrometres; z is None in a single plane.
    channels
        Their names.
    smaller
        Further levels of a pyramid.
    """

    name: str | None
    pixels: Array
    pixel_size: tuple[float, float, float | None]
    channels: tuple[str, ...]
    smaller: tuple[Array, ...] = ()
