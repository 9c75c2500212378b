"""Pixels that are a function of where they lie: nothing is stored, everything is the same each time."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[Any]
Key = tuple[object, ...]
Kept = TypeVar("Kept")
TILE = 512
BACKGROUND = (20, 60)
UINT16: np.dtype[Any] = np.dtype(np.uint16)
INT8: np.dtype[Any] = np.dtype(np.int8)


class Scene(Protocol):
    """What a microscope would have seen, plane by plane at level 0."""

    dtype: np.dtype[Any]

    def plane(self, t: int, c: int, z: int) -> Plane:
        """Return one plane."""


class Cache(Generic[Kept]):
    """The latest results, up to a number of bytes."""

    def __init__(self, limit: int, size: Callable[[Kept], int]) -> None:
        self._limit = limit
        self._size = size
        self._used = 0
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Kept]) -> Kept:
        """Return a result, made if it is not there; two threads may make the same one."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._used += self._size(made)
            while self._used > self._limit and len(self._kept) > 1:
                self._used -= self._size(self._kept.popitem(last=False)[1])
        return made


PLANES: Cache[Plane] = Cache(48 << 20, lambda plane: plane.nbytes)


@functools.cache
def _noise() -> NDArray[np.uint16]:
    """Return camera noise, twice as wide and high as what is cut from it."""
    made = np.random.default_rng(20190617).integers(*BACKGROUND, (2 * TILE, 2 * TILE), dtype=np.uint16)
    made.setflags(write=False)
    return made


def noise(height: int, width: int, *where: int) -> NDArray[np.uint16]:
    """Return noise that differs from plane to plane."""
    shift = functools.reduce(lambda total, number: total * 31 + number + 7, where, 1)
    dy, dx = shift * 37 % TILE, shift * 91 % TILE
    piece = _noise()[dy : dy + min(height, TILE), dx : dx + min(width, TILE)]
    if height <= TILE and width <= TILE:
        return piece.copy()
    return np.tile(piece, (-(-height // TILE), -(-width // TILE)))[:height, :width].copy()


@dataclass(frozen=True)
class Ball:
    """An ellipsoid in pixels."""

    center: tuple[float, float, float]
    radii: tuple[float, float, float]

    def slice(self, z: int, height: int, width: int) -> tuple[tuple[slice, slice], NDArray[np.float32]] | None:
        """Return the window it fills at `z`, and the squared distance from its centre there, 1 on its surface."""
        dz = ((z - self.center[0]) / self.radii[0]) ** 2
        if dz >= 1:
            return None
        spans = []
        for middle, radius, size in zip(self.center[1:], self.radii[1:], (height, width), strict=True):
            spans.append((max(int(middle - radius), 0), min(int(middle + radius) + 2, size)))
        axes = [((np.arange(*span, dtype=np.float32) - m) / r) ** 2 for span, m, r in zip(spans, self.center[1:], self.radii[1:], strict=True)]
        return (slice(*spans[0]), slice(*spans[1])), axes[0][:, None] + axes[1][None, :] + np.float32(dz)


@functools.cache
def balls(seed: int, count: int, depth: int, height: int, width: int) -> tuple[Ball, ...]:
    """Place nuclei that keep clear of the border."""
    rng = np.random.default_rng(seed)
    radius = max(min(height, width) / 14, 2.0)
    made = []
    for _ in range(count):
        size = rng.uniform(0.7, 1.3, 3) * radius
        size[0] = max(min(size[0] * 0.72, depth / 3), 0.6)
        place = [rng.uniform(min(r, n / 2), max(n - 1 - r, n / 2)) for r, n in zip(size, (depth, height, width), strict=True)]
        made.append(Ball((place[0], place[1], place[2]), (size[0], size[1], size[2])))
    return tuple(made)


@dataclass(frozen=True)
class Nuclei:
    """Nuclei in a volume: their envelope in even channels, their content in odd ones; moving and brightening with time."""

    seed: int
    depth: int
    height: int
    width: int
    count: int = 40
    dtype: np.dtype[Any] = UINT16
    bright: float = 900.0

    def plane(self, t: int, c: int, z: int) -> Plane:
        """Return one plane."""
        picture = noise(self.height, self.width, self.seed, t, c, z).astype(np.float32)
        for number, ball in enumerate(balls(self.seed, self.count, self.depth, self.height, self.width)):
            cut = ball.slice(z, self.height, self.width)
            if cut is None:
                continue
            window, distance = cut
            strength = self.bright * (0.6 + 0.4 * ((number * 7 + t) % 11) / 10)
            near = (1 - np.abs(distance - 0.85) / 0.15) if c % 2 == 0 else (1.0 - 0.5 * distance) * (distance < 1)
            picture[window] += strength * np.clip(near, 0, 1)
        if self.dtype.kind == "f":
            return picture.astype(self.dtype)
        return np.clip(picture, 0, min(np.iinfo(self.dtype).max, 4095 if self.dtype.itemsize > 1 else 255)).astype(self.dtype)


@dataclass(frozen=True)
class Labels:
    """The same nuclei as numbers, 0 outside."""

    seed: int
    depth: int
    height: int
    width: int
    count: int
    dtype: np.dtype[Any] = INT8

    def plane(self, t: int, c: int, z: int) -> Plane:
        """Return one plane."""
        picture = np.zeros((self.height, self.width), self.dtype)
        for number, ball in enumerate(balls(self.seed, self.count, self.depth, self.height, self.width), start=1):
            if (cut := ball.slice(z, self.height, self.width)) is not None:
                window, distance = cut
                picture[window][distance < 1] = number
        return picture


def level_plane(scene: Nuclei | Labels, level: int, t: int, c: int, z: int) -> Plane:
    """Return a plane of a pyramid: means of 2 by 2 for intensities, every second pixel for labels; an odd border is dropped."""

    def make() -> Plane:
        if level == 0:
            made = scene.plane(t, c, z)
        else:
            finer = level_plane(scene, level - 1, t, c, z)
            height, width = finer.shape[0] // 2, finer.shape[1] // 2
            finer = finer[: 2 * height, : 2 * width]
            if isinstance(scene, Labels):
                made = finer[::2, ::2]
            else:
                made = finer.reshape(height, 2, width, 2).mean((1, 3), dtype=np.float32).astype(finer.dtype)
        made.setflags(write=False)
        return made

    return PLANES.get((scene, level, t, c, z), make)
