"""The bundled tables of facts on the IDR: where originals are, which images are there as OME-Zarr, and which hosts were given up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .endpoints import BASES, Endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA: Final = Path(__file__).resolve().parent.parent / "data"
SIZES: Final = ("size_x", "size_y", "size_z", "size_c", "size_t")


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A host, or one of its buckets, and where its objects are now."""

    host: str
    bucket: str
    new_host: str
    new_bucket: str


@dataclass(frozen=True, slots=True)
class Held:
    """Where a study's files are, and how their import paths become addresses."""

    study: str
    held: str
    replace: str
    with_: str
    bioimage_archive: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A copy of an image or plate as OME-Zarr. Sizes are None where the source does not state them."""

    version: str
    study: str
    kind: str
    image_id: int
    plate_id: int | None
    address: str
    inside: str
    sizes: tuple[int | None, ...]
    labels: bool

    @property
    def stem(self) -> str:
        """Name of the store without its extension."""
        name = self.address.rpartition("/")[2]
        return name.removesuffix(".zarr").removesuffix(".ome")

    @property
    def order(self) -> tuple[int, ...]:
        """Versions compared by it, newest largest."""
        return version_order(self.version)


@dataclass(frozen=True)
class Tables:
    """The tables, read when first needed, and the servers their addresses are turned to.

    Attributes
    ----------
    endpoints
        The configured servers: an address on a public one is asked of the one configured in its place.
    folder
        Where the tables lie.
    """

    endpoints: Endpoints
    folder: Path = DATA

    @cached_property
    def rewrites(self) -> tuple[Rewrite, ...]:
        """Hosts that were given up; the first that fits counts."""
        return tuple(Rewrite(*cells) for cells in _rows(self.folder / "host_rewrites.tsv", 4))

    @cached_property
    def held(self) -> tuple[Held, ...]:
        """Studies and where their files are."""
        return tuple(Held(*cells) for cells in _rows(self.folder / "idr_download_urls.tsv", 5))

    @cached_property
    def prefixes(self) -> tuple[tuple[str, str], ...]:
        """What import paths begin with, and what takes its place; the longest first."""
        distinct = {(row.replace, row.with_) for row in self.held if row.replace}
        return tuple(sorted(distinct, key=lambda pair: (-len(pair[0]), pair)))

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """Copies as OME-Zarr."""
        return tuple(_sample(cells) for cells in _rows(self.folder / "idr_samples.tsv", 13))

    @cached_property
    def bases(self) -> tuple[tuple[str, str], ...]:
        """Public addresses of the services and the configured ones; the longest first."""
        public = Endpoints()
        pairs = [(getattr(public, name), getattr(self.endpoints, name)) for name in BASES]
        return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


def version_order(version: str) -> tuple[int, ...]:
    """Make versions comparable: 0.10 is newer than 0.5."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _rows(path: Path, columns: int) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as stream:
        lines = (text.rstrip("\n") for text in stream if not text.startswith("#"))
        next(lines, "")
        for text in lines:
            cells = text.split("\t")
            if len(cells) == columns:
                yield cells


def _sample(cells: list[str]) -> Sample:
    version, study, kind, image, plate, address, inside, *sizes, labels = cells
    numbers = tuple(int(size) if size else None for size in sizes)
    return Sample(version, study, kind, int(image), int(plate) if plate else None, address, inside, numbers, labels == "yes")
