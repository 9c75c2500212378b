"""Small TIFF files made for tests, and hand-made ones that no honest writer would make."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightmicroscopy.image import Dataset, Image, Location, Region
from lightmicroscopy.readers import tiff


def opened(path: Path, *files: Path) -> Dataset:
    """Open it as a tool would, from its content."""
    assert tiff.sniff(path, path.read_bytes()[:4096])
    return tiff.open_dataset(Location(path, files))


def pixels(image: Image, level: int = 0) -> NDArray[Any]:
    """Return all pixels of a level, T C Z Y X S."""
    source = image.levels[level].pixels
    return source.read(Region.whole(source.shape))


def noise(shape: tuple[int, ...], dtype: str = "uint16", seed: int = 1) -> NDArray[Any]:
    """Values over the whole range of a type."""
    generator = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return generator.normal(size=shape).astype(kind)
    if kind.kind == "b":
        return generator.integers(0, 2, shape).astype(bool)
    limits = np.iinfo(kind)
    return generator.integers(limits.min, limits.max, shape, dtype=kind, endpoint=True)


def smooth(shape: tuple[int, ...], dtype: str = "uint16") -> NDArray[Any]:
    """Values that compress."""
    return (np.arange(int(np.prod(shape))).reshape(shape) // 7 % 251).astype(dtype)


def hand_made(path: Path, tags: dict[int, tuple[int, int, int]], *, after: bytes = b"", following: int = 0, big: bool = False) -> Path:
    """Write a little-endian TIFF of one directory with the tags (type, count, value or offset) given."""
    entries = sorted(tags.items())
    if big:
        body = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) + struct.pack("<Q", len(entries))
        body += b"".join(struct.pack("<HHQQ", code, *entry) for code, entry in entries) + struct.pack("<Q", following)
    else:
        body = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(entries))
        body += b"".join(struct.pack("<HHII", code, *entry) for code, entry in entries) + struct.pack("<I", following)
    path.write_bytes(body + after)
    return path


def grey(width: int, height: int, offset: int, count: int, **more: int) -> dict[int, tuple[int, int, int]]:
    """Tags of an 8-bit grey image of one strip."""
    rows = more.get("rows", height)
    return {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, more.get("compression", 1)),
        262: (3, 1, more.get("photometric", 1)),
        273: (4, 1, offset),
        277: (3, 1, 1),
        278: (4, 1, rows),
        279: (4, 1, count),
    }
