"""Pixel types: numpy's and OME's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import UnwritableError

if TYPE_CHECKING:
    import numpy as np

OME_TYPES: Final = {
    "int8": "int8",
    "int16": "int16",
    "int32": "int32",
    "uint8": "uint8",
    "uint16": "uint16",
    "uint32": "uint32",
    "float32": "float",
    "float64": "double",
    "bool": "bit",
}
"""numpy's name → OME's word."""
_NEAREST: Final = {"int64": "int32", "uint64": "uint32", "float16": "float"}


def ome_pixel_type(dtype: np.dtype[Any]) -> str:
    """Return OME's word for a pixel type.

    Raises
    ------
    UnwritableError
        If OME has none (64-bit integers, half precision, complex numbers).
    """
    word = OME_TYPES.get(dtype.name)
    if word is None:
        raise UnwritableError(
            f"OME has no pixel type {dtype.name}, so these pixels cannot be written as OME-TIFF. "
            f"Convert them to one of {', '.join(OME_TYPES)} first, or write OME-Zarr."
        )
    return word


def nearest_pixel_type(dtype: np.dtype[Any]) -> tuple[str, bool]:
    """Return OME's word, or the nearest there is; and whether it is exact.

    Raises
    ------
    UnwritableError
        If there is nothing near (complex numbers).
    """
    word = OME_TYPES.get(dtype.name)
    if word is not None:
        return word, True
    near = _NEAREST.get(dtype.name)
    if near is None:
        raise UnwritableError(f"Pixels of type {dtype.name} are not supported by any output format. Convert them to {', '.join(OME_TYPES)} first.")
    return near, False
