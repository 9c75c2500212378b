"""ND2 files made byte by byte, whose every value tells where it is from."""

from __future__ import annotations

import numpy as np

from scripts.test_data.nd2_parts import (
    BLOCK,
    JULIAN_2024,
    Nd2,
    Unsigned,
    container,
    custom,
    item,
    packed,
    phases,
    plane,
    points,
    stack,
    time_loop,
    tree,
    variant,
)

__all__ = [
    "BLOCK",
    "JULIAN_2024",
    "Nd2",
    "Unsigned",
    "container",
    "custom",
    "item",
    "packed",
    "phases",
    "plane",
    "points",
    "stack",
    "time_loop",
    "tree",
    "values",
    "variant",
]


def values(frames: int, height: int = 6, width: int = 8, components: int = 1, dtype: str = "uint16") -> np.ndarray:
    """Frames whose every value tells where it is from."""
    shape = (frames, height, width, components)
    count = int(np.prod(shape))
    return (np.arange(count) % 251 + 1000 * (np.arange(count) // (height * width * components) % 50)).reshape(shape).astype(dtype)
