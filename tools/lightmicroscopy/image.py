"""The image model: what every reader returns and every writer, check and report takes.

Pixels always have six axes in one order, T C Z Y X S (time, channel, z, y, x, sample). An axis the source does not have
has size 1; `Image.axes` keeps what the source declared. Samples (the S of RGB) stand apart from channels. Opening an
image reads no pixels; a `PixelSource` reads the box it is asked for. Metadata follow the OME data model (2016-06) and
its names; what is not known is ``None`` and is never made up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

from .image_metadata import (
    Channel,
    Detector,
    Filter,
    ImageMetadata,
    Instrument,
    LightSource,
    MapAnnotation,
    Modulo,
    Objective,
    Plane,
    Quantity,
    Roi,
    RoiShape,
    TilePosition,
)
from .names import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy as np
    from lxml import etree
    from numpy.typing import NDArray

    from .readers.zarr_store import Store

__all__ = [
    "FIELDS",
    "LARGE_UNIT",
    "Acquisition",
    "Alpha",
    "Channel",
    "Dataset",
    "Detector",
    "Filter",
    "Image",
    "ImageMetadata",
    "Instrument",
    "Kind",
    "Level",
    "LightSource",
    "Location",
    "MapAnnotation",
    "Modulo",
    "NamingConvention",
    "Objective",
    "PixelSize",
    "PixelSource",
    "Plane",
    "Plate",
    "Quantity",
    "ReadsAhead",
    "Region",
    "Roi",
    "RoiShape",
    "Shape",
    "Span",
    "Table",
    "TilePosition",
    "Well",
    "WellField",
    "announce",
]

Kind = Literal["intensity", "label", "indexed", "rgb"]
Alpha = Literal["unspecified", "associated", "unassociated"]
Span = tuple[int, int]
"""First and one past the last, 0-based."""
LARGE_UNIT = 64 << 20
"""Storage units of more bytes are kept by their sources, and read in parts. Smaller ones fit into a writer's block."""


class Shape(NamedTuple):
    """Sizes along T C Z Y X S."""

    t: int
    c: int
    z: int
    y: int
    x: int
    s: int = 1

    @property
    def planes(self) -> int:
        """Number of 2D planes (T × C × Z)."""
        return self.t * self.c * self.z

    @property
    def pixels(self) -> int:
        """Number of stored values, samples included."""
        return self.planes * self.y * self.x * self.s


class Region(NamedTuple):
    """A box of pixels in one resolution level; half-open spans. Samples are always read whole."""

    t: Span
    c: Span
    z: Span
    y: Span
    x: Span

    @classmethod
    def whole(cls, shape: Shape) -> Region:
        """Everything in an image of that shape."""
        return cls((0, shape.t), (0, shape.c), (0, shape.z), (0, shape.y), (0, shape.x))

    @classmethod
    def plane(cls, shape: Shape, t: int, c: int, z: int) -> Region:
        """One whole 2D plane."""
        return cls((t, t + 1), (c, c + 1), (z, z + 1), (0, shape.y), (0, shape.x))

    @property
    def sizes(self) -> tuple[int, int, int, int, int]:
        """Extent along T C Z Y X."""
        t, c, z, y, x = (stop - start for start, stop in self)
        return t, c, z, y, x


class PixelSource(Protocol):
    """Pixels of one resolution level.

    `read` may be called from several threads at once. It returns an array of shape ``(*region.sizes, shape.s)`` and of
    `dtype` in native byte order, which the caller must not write to. It raises `UnreadableError` where stored data are
    damaged; data that were never stored are the fill value.

    A source may further have ``largest_unit``, the bytes of its largest unit unpacked, where `unit` does not tell it (a view
    of a part), and ``unit_memory``, the bytes that unpacking it takes, if it keeps the last of its units of more than
    `LARGE_UNIT`, so that reading one in parts costs nothing.
    """

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values, in native byte order."""
        ...

    @property
    def unit(self) -> Shape:
        """Extent of what the storage decodes at once: reading along its borders decodes nothing twice."""
        ...

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box of pixels."""
        ...


@runtime_checkable
class ReadsAhead(Protocol):
    """A `PixelSource` that gains by knowing what will be read of it: one whose pixels come from afar."""

    def will_read(self, regions: Iterable[Region]) -> None:
        """Announce the regions that will be read, in that order.

        They are drawn from `regions` bit by bit, perhaps in another thread. It replaces what was announced before; no
        regions withdraw it. Others may be read all the same.
        """
        ...


def announce(source: PixelSource, regions: Iterable[Region]) -> None:
    """Tell a source what will be read of it, if that is of use to it."""
    if isinstance(source, ReadsAhead):
        source.will_read(regions)


class PixelSize(NamedTuple):
    """Size of a pixel along z, y and x, where known."""

    z: Quantity | None
    y: Quantity | None
    x: Quantity | None


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution level. `factor` is level-0 size over this level's size along (z, y, x), true at odd sizes."""

    pixels: PixelSource
    factor: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Image:
    """One series: a lazily readable image of up to five dimensions (and samples), with its metadata."""

    name: str
    series: int
    """Index among the series of the source, 0-based."""
    levels: tuple[Level, ...]
    axes: str
    """Axes the source declared, in its order, e.g. ``CZYX`` or ``YXS``."""
    kind: Kind = "intensity"
    significant_bits: int | None = None
    fill_value: float = 0
    metadata: ImageMetadata = field(default_factory=ImageMetadata)
    compression: str | None = None
    """How the source stored the pixels, as its format names it."""
    lossy: bool = False
    """True where the source's storage has changed the pixel values (JPEG and the like)."""
    white_is_zero: bool = False
    alpha: Alpha = "unspecified"
    """What the source says of samples beyond grey or RGB, in TIFF's words: ``associated`` alpha is already multiplied in."""
    label_of: int | None = None
    """Series this label map belongs to."""
    path: str | None = None
    """Where in the source it lies (a group in a Zarr, a dataset in an HDF5 file)."""
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> Shape:
        """Sizes of level 0 along T C Z Y X S."""
        return self.levels[0].pixels.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the pixel values, in native byte order."""
        return self.levels[0].pixels.dtype


FIELDS = 1_000_000
"""Numbers of fields in a well below this are kept."""


@dataclass(frozen=True, slots=True)
class WellField:
    """One field of view of a well: a series, and the acquisition (run) it belongs to."""

    series: int
    acquisition: int | None = None
    position_x: Quantity | None = None
    position_y: Quantity | None = None
    index: int | None = None
    """Number of the field within its well, where the source gives it one: fields may be missing before it."""


@dataclass(frozen=True, slots=True)
class Well:
    """One well; row and column 0-based."""

    row: int
    column: int
    fields: tuple[WellField, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """A number of its own for each field: that of the source where it gives one, else the lowest that is free."""
        own = [field.index for field in self.fields]
        taken = {number for number in own if number is not None}
        free = (number for number in count() if number not in taken)
        first = [number is not None and number not in own[:position] for position, number in enumerate(own)]
        return tuple(number if given and number is not None else next(free) for number, given in zip(own, first, strict=True))


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One run of a plate."""

    id: int
    name: str | None = None
    maximum_field_count: int | None = None
    start_time: str | None = None
    end_time: str | None = None


NamingConvention = Literal["letter", "number"]


@dataclass(frozen=True, slots=True)
class Plate:
    """A multi-well plate."""

    name: str
    rows: int
    columns: int
    wells: tuple[Well, ...]
    acquisitions: tuple[Acquisition, ...] = ()
    row_naming: NamingConvention = "letter"
    column_naming: NamingConvention = "number"


@dataclass(frozen=True, slots=True)
class Table:
    """A table found beside the images (a bulk annotation table, measurements)."""

    name: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterable[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Location:
    """Where an image is and what is known of it before it is opened.

    `path` is the file or folder to open; `files` are all that were given with it, by their own names, among which the
    members of a multi-file set are looked for and nowhere else. A store on a server has no path but a `store`, and a `path`
    that is its name. `axes` and `pixel_size` are what the user knows of arrays that do not say it themselves.
    """

    path: Path
    files: tuple[Path, ...] = ()
    series: int | None = None
    store: Store | None = None
    url: str | None = None
    """Address of the store, for the record."""
    axes: str | None = None
    """A letter of TCZYXS for each dimension, for arrays of an HDF5 file whose axes are nowhere stated."""
    pixel_size: PixelSize | None = None
    """For images that have no pixel size of their own."""
    mosaic: Literal["as-stored", "fuse", "tiles"] = "as-stored"
    """How the tiles of a mosaic are to be shown, where the format has them."""
    wanted: frozenset[int] | None = None
    """Series that will be asked for; others may be left out where opening them costs. ``None`` for all."""

    @property
    def name(self) -> str:
        """The name the user knows it by; bytes that are no text in it become U+FFFD, as outputs hold only text."""
        return readable(self.path.name)


@dataclass(frozen=True)
class Dataset:
    """All that one location holds. Close it (or use it in a ``with``) when its pixels are no longer needed."""

    location: Location
    format: str
    """Name of the format with its version, e.g. ``OME-TIFF`` or ``OME-Zarr 0.4``."""
    images: tuple[Image, ...]
    """Series in the source's order; label maps that belong to a series are in `labels` instead."""
    labels: tuple[Image, ...] = ()
    plates: tuple[Plate, ...] = ()
    plate_layout: bool = True
    """Whether the images are the fields of `plates`; if not, `plates` only say which wells they once came from."""
    tables: tuple[Table, ...] = ()
    ome: etree._Element | None = None
    """The source's whole OME-XML, untouched."""
    ome_source: bytes | None = None
    """The bytes of that OME-XML as stored, for checks."""
    files: tuple[Path, ...] = ()
    """Every file the dataset is made of."""
    warnings: tuple[str, ...] = ()
    close_files: Callable[[], None] | None = None

    def close(self) -> None:
        """Close what is open. Pixels cannot be read afterwards."""
        if self.close_files is not None:
            self.close_files()

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
