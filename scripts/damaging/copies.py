"""Seeded damage: what is changed in which bytes of which file of an input, and whether a reader can know it."""

from __future__ import annotations

import bisect
import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from .places import Pixels, Places, places

ROUND = (
    "cut",
    "flip",
    "size",
    "cut at a seam",
    "flip in pixels",
    "zeros",
    "size",
    "flip",
    "swap",
    "ones",
    "zeros in pixels",
)
"""Kinds of damage in turn. Their number is odd, so that each meets both output formats."""
_SIZES = ("<i", "<q", ">I", ">Q", "<H")
_LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged copy: `patches` are put at their places in `file`, then it is cut at `length` (-1: removed, None: not cut)."""

    number: int
    kind: str
    file: Path
    patches: tuple[tuple[int, bytes], ...] = ()
    length: int | None = None
    knowable: bool | None = None
    """False where only pixels without a checksum were touched; None where it must be judged."""

    def __str__(self) -> str:
        """Describe it for the list of details."""
        what = ", ".join(f"{len(new)} bytes at {at:,} = {new[:8].hex()}" for at, new in self.patches)
        if self.length is not None:
            what = "removed" if self.length < 0 else f"cut at {self.length:,}"
        return f"{self.number} {self.kind}: {self.file.name} {what}"


@dataclass(frozen=True)
class Subject:
    """One input: a file, a set of files of which `path` is given first, or a store."""

    path: Path
    others: tuple[Path, ...] = ()

    @cached_property
    def format(self) -> str:
        """Name for the table."""
        return "OME-Zarr" if self.path.is_dir() else "OME-TIFF" if self.others else places(self.path).format

    @cached_property
    def files(self) -> list[Path]:
        """All files that may be damaged, relative to the folder of the input."""
        own = sorted(path for path in self.path.rglob("*") if path.is_file()) if self.path.is_dir() else [self.path, *self.others]
        return [path.relative_to(self.path.parent) for path in own]

    @cached_property
    def _places(self) -> dict[Path, Places]:
        return {}

    def places(self, file: Path) -> Places:
        """Where things are in one of the files."""
        if file not in self._places:
            self._places[file] = places(self.path.parent / file)
        return self._places[file]

    def copy(self, folder: Path, damage: Damage) -> list[Path]:
        """Make the damaged copy in a folder of its own; returns the inputs to give."""
        if self.path.is_dir():
            shutil.copytree(self.path, folder / self.path.name, copy_function=shutil.copyfile)
        else:
            for path in (self.path, *self.others):
                shutil.copyfile(path, folder / path.name)
        target = folder / damage.file
        target.parent.chmod(0o755)
        if damage.length == -1:
            target.unlink()
        else:
            content = bytearray(target.read_bytes())
            for at, new in damage.patches:
                content[at : at + len(new)] = new
            target.write_bytes(content[: damage.length])
        return [folder / path.name for path in (self.path, *self.others) if (folder / path.name).exists()]

    def damages(self, seed: int, count: int) -> list[Damage]:
        """The first `count` damaged copies of this seed; each is the same whatever the count, but for cuts at even distances."""
        return [self._damage(seed, number, count) for number in range(count)]

    def _damage(self, seed: int, number: int, count: int) -> Damage:
        random = Random(f"{seed} {self.path.name} {number}")  # noqa: S311 - nothing is kept secret by it
        kind = ROUND[number % len(ROUND)]
        sets = len(self.files) > 1
        file = random.choice(self._small_first(random) if sets else self.files)
        found, size = self.places(file), (self.path.parent / file).stat().st_size
        if sets and kind == "cut" and random.random() < 0.5:
            # A chunk that is not there is the fill value, by the format.
            return Damage(number, "file missing", file, length=-1, knowable=False if found.format == "chunk" else None)
        if not size:
            return Damage(number, "nothing to damage", file)
        if kind == "cut":
            share = random.random() if sets else (number // len(ROUND) + 0.5) / -(-count // len(ROUND))
            return Damage(number, kind, file, length=int(size * share))
        if kind == "cut at a seam":
            seam = random.choice(found.seams or (size,))
            return Damage(number, kind, file, length=max(0, min(size - 1, seam + random.choice((-1, 0, 1, 8)))))
        data = (self.path.parent / file).read_bytes()
        patches = tuple(_patches(kind, random, data, found))
        return Damage(number, kind, file, patches, knowable=_knowable(patches, data, found))

    def _small_first(self, random: Random) -> list[Path]:
        """Metadata half of the time: a store has few of them among its chunks."""
        metadata = [path for path in self.files if self.places(path).format in ("metadata", "OME-TIFF")]
        return metadata if metadata and random.random() < 0.5 else self.files


def _patches(kind: str, random: Random, data: bytes, found: Places) -> Sequence[tuple[int, bytes]]:
    inside = kind.endswith("in pixels") or (kind == "swap" and bool(found.pixels) and random.random() < 0.7)
    at = _place(random, len(data), found, inside=inside)
    if kind.startswith("flip"):
        return [(at, bytes([data[at] ^ random.randrange(1, 256)]))]
    if kind.startswith(("zeros", "ones")):
        length = min(random.choice((1, 2, 4, 8, 64, _LARGEST if inside else 16)), _room(found, at, len(data)))
        return [(at, (b"\0" if kind.startswith("zeros") else b"\xff") * length)]
    if kind == "size":
        return [(at, _size(random, data, at)[: _room(found, at, len(data))])]
    first, second = at, _place(random, len(data), found, inside=inside)
    length = min(random.choice((16, 512, _LARGEST)), abs(first - second), *(_room(found, place, len(data)) for place in (first, second)))
    return [(first, data[second : second + length]), (second, data[first : first + length])] if length else []


def _place(random: Random, size: int, found: Places, *, inside: bool) -> int:
    """A byte to damage: in the pixels, or in the structure, near its seams, its beginning and its end more often than elsewhere."""
    if inside and found.pixels:
        part = random.choice([part for part in found.pixels if part.stop > part.start] or [found.pixels[0]])
        return min(random.randrange(part.start, max(part.stop, part.start + 1)), size - 1)
    for _ in range(64):
        where = random.random()
        if where < 0.5 and found.seams:
            at = random.choice(found.seams) + random.randrange(-64, 192)
        elif where < 0.65:
            at = random.randrange(min(size, 512))
        elif where < 0.8:
            at = size - 1 - random.randrange(min(size, 1024))
        else:
            at = random.randrange(size)
        if 0 <= at < size and _pixels_at(found, at) is None:
            return at
    return random.randrange(min(size, 64))


def _pixels_at(found: Places, at: int) -> Pixels | None:
    """The run of pixels that a byte belongs to."""
    number = bisect.bisect_right(found.pixels, at, key=lambda part: part.start) - 1
    return found.pixels[number] if number >= 0 and at < found.pixels[number].stop else None


def _room(found: Places, at: int, size: int) -> int:
    """Bytes until the next border between structure and pixels."""
    inside = _pixels_at(found, at)
    if inside:
        return min(inside.stop, size) - at
    number = bisect.bisect_right(found.pixels, at, key=lambda part: part.start)
    return min(found.pixels[number].start if number < len(found.pixels) else size, size) - at


def _size(random: Random, data: bytes, at: int) -> bytes:
    layout = random.choice(_SIZES)
    width = struct.calcsize(layout)
    bits = 8 * width - (layout[1].islower() and layout != "<H")
    old = int.from_bytes(data[at : at + width], "little" if layout[0] == "<" else "big")
    top = (1 << bits) - 1
    value = random.choice((0, 1, -1, top, top // 2, top // 4, 1 << 16, 1 << 31, old * 2, old + 1, old - 1))
    return (value & ((1 << 8 * width) - 1)).to_bytes(width, "little" if layout[0] == "<" else "big")[: len(data) - at]


def _knowable(patches: Sequence[tuple[int, bytes]], data: bytes, found: Places) -> bool | None:
    touched = (at + offset for at, new in patches for offset, byte in enumerate(new) if data[at + offset] != byte)
    kinds = {part.checked if (part := _pixels_at(found, at)) else None for at in touched}
    if kinds <= {False}:
        return False
    return True if kinds == {True} else None
