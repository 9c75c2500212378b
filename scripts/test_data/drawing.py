"""Pixels that look like cells, computed with integers only, since floating-point results differ between processors."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


ROTATIONS = ((5, 0), (4, 3), (3, 4), (0, 5), (4, -3), (3, -4))
"""Five times the cosine and sine of angles where both are whole numbers."""


def cells(depth: int, height: int, width: int, seed: int, spacing: int = 30) -> tuple[Array, Array, Array]:
    """Nuclei and the cells around them, as a camera would see them, and the label map of the nuclei.

    Returns
    -------
    nuclei, cytoplasm, labels : uint16 arrays of shape (depth, height, width)
        Intensities stay below 4096 (12 bits).
    """
    random = np.random.default_rng(seed)
    z, y, x = np.indices((depth, height, width), dtype=np.int64)
    nuclei = np.zeros(z.shape, np.int64)
    bodies = np.zeros(z.shape, np.int64)
    labels = np.zeros(z.shape, np.uint16)
    places = product(range(spacing // 2, height + spacing // 3, spacing), range(spacing // 2, width + spacing // 3, spacing))
    for number, (row, column) in enumerate(places, 1):
        dy, dx = (int(value) for value in random.integers(-spacing // 5, spacing // 5 + 1, 2))
        cosine, sine = ROTATIONS[int(random.integers(len(ROTATIONS)))]
        long, short = int(random.integers(spacing // 4, spacing // 3 + 1)), int(random.integers(spacing // 6, spacing // 4 + 1))
        bright, expressed = int(random.integers(1400, 3000)), int(random.integers(150, 2600))
        along = (cosine * (x - column - dx) + sine * (y - row - dy)) * 200
        across = (cosine * (y - row - dy) - sine * (x - column - dx)) * 200
        height_term = 1000 * (2 * z - depth + 1) ** 2 // (depth + 1) ** 2
        inside = (along // long) ** 2 // 1000 + (across // short) ** 2 // 1000 + height_term
        around = (along // (2 * long)) ** 2 // 1000 + (across // (2 * short)) ** 2 // 1000 + height_term
        nuclei = np.maximum(nuclei, bright * np.clip(2 * (1000 - inside), 0, 1000) // 1000)
        bodies = np.maximum(bodies, expressed * np.clip(1000 - around, 0, 1000) // 1000 * np.where(inside < 1000, 2, 3) // 3)
        labels[(inside < 800) & (labels == 0)] = number
    granules = random.integers(0, 100, z.shape)
    nuclei = blur(nuclei * (70 + blur(granules) * 60 // 100) // 100)
    bodies = blur(bodies * (40 + blur(granules[:, ::-1, ::-1]) * 120 // 100) // 100)
    seen = [(100 + image + random.integers(0, 16, z.shape)).astype(np.uint16) for image in (nuclei, bodies)]
    return seen[0], seen[1], labels


def blur(image: Array) -> Array:
    """Integer mean over 3 x 3 pixels of every plane."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = image.shape[1:]
    return sum(padded[:, dy : dy + height, dx : dx + width] for dy, dx in product(range(3), range(3))) // 9  # type: ignore[return-value]


def half(image: Array, label: bool = False) -> Array:
    """Next pyramid level: 2 x 2 means (rounded half up) over the last two axes, or every second pixel of a label map."""
    if label:
        return image[..., ::2, ::2]
    edges = [(0, 0)] * (image.ndim - 2) + [(0, size % 2) for size in image.shape[-2:]]
    wide = np.pad(image, edges, mode="edge").astype(np.uint32)
    return ((wide[..., ::2, ::2] + wide[..., 1::2, ::2] + wide[..., ::2, 1::2] + wide[..., 1::2, 1::2] + 2) // 4).astype(image.dtype)


def stack() -> tuple[Array, Array]:
    """The image most of the files hold: (C=2, Z=3, Y=96, X=128) uint16, and its label map (Z, Y, X)."""
    nuclei, bodies, labels = cells(3, 96, 128, seed=1)
    return np.stack([nuclei, bodies]), labels


def colours(height: int, width: int, seed: int) -> Array:
    """A stained section: dark violet nuclei on pink, (Y, X, 3) uint8."""
    nuclei, bodies, _ = (image[0].astype(np.int64) for image in cells(1, height, width, seed, 24))
    red = 235 - nuclei // 20 - bodies // 60
    green = 205 - nuclei // 17 - bodies // 24
    blue = 225 - nuclei // 40 - bodies // 50
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 255).astype(np.uint8)
