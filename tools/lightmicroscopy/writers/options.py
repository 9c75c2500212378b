"""What a writer is asked for, and what it says it has written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..image import Image, MapAnnotation, Shape

Compression = Literal["auto", "none", "zlib", "lzw", "zstd", "lz4"]
Original = Literal["keep", "scrub", "drop"]
NgffVersion = Literal["0.4", "0.5"]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Choices that hold for one written image or store.

    Attributes
    ----------
    levels
        Number of resolution levels, the full one included; None chooses: halved until both sides are at most 256.
    chunk
        Tile or chunk, (y, x) or (z, y, x), in pixels; None chooses.
    memory
        Bytes this process may use for pixels in flight; None uses a bound that holds for any image.
    progress
        Called with (bytes of level-0 pixels done, bytes in all), never from two threads at once.
    complete
        Called with each image when all pixels are written; gives it with further metadata (a checksum of the source that was
        made meanwhile), which go into the OME-XML.
    foresee
        Called with each image before that; gives it with metadata as long as those will be, for which room is kept in files whose
        metadata come first. Without it, what `complete` gives must not be longer than what was there before.
    """

    levels: int | None = None
    chunk: tuple[int, int] | tuple[int, int, int] | None = None
    compression: Compression = "auto"
    ngff_version: NgffVersion = "0.4"
    zip: bool = False
    verify: bool = True
    threads: int = 1
    memory: int | None = None
    downsample_z: bool = False
    original: Original = "keep"
    provenance: tuple[MapAnnotation, ...] = ()
    progress: Callable[[int, int], None] | None = None
    complete: Callable[[Image], Image] | None = None
    foresee: Callable[[Image], Image] | None = None


@dataclass(frozen=True, slots=True)
class SeriesWritten:
    """One series as it was written; shapes of all its levels, the full one first."""

    name: str
    levels: tuple[Shape, ...]
    dtype: str
    compression: str
    chunks: int
    """Tiles or chunks written, all levels."""
    chunks_verified: int
    """How many of them were decoded again and found equal to their pixels."""
    path: str = ""
    """Group inside a store, empty at its root."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer left behind. `losses` says in sentences what the format could not hold."""

    path: Path
    bytes: int
    series: tuple[SeriesWritten, ...]
    losses: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
