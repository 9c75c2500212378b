"""The objects of an OMERO server, as far as its web services show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pair = tuple[str, str]

BULK = "openmicroscopy.org/omero/bulk_annotations"
MAPR = "openmicroscopy.org/mapr/"
STUDY_INFO = "idr.openmicroscopy.org/study/info"
NGFF_ENTITY = "com.glencoesoftware.ngff:multiscales"


@dataclass(frozen=True)
class Map:
    """A map annotation; keys may repeat."""

    id: int
    namespace: str | None
    pairs: tuple[Pair, ...]
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class File:
    """A file annotation."""

    id: int
    namespace: str | None
    file_id: int
    name: str
    content: bytes
    mimetype: str = "text/csv"


@dataclass(frozen=True)
class Length:
    """A length with OMERO's name of its unit."""

    value: float
    unit: str = "MICROMETER"
    symbol: str = "µm"


@dataclass(frozen=True)
class Channel:
    """A channel; the colour is a signed 32-bit RGBA number."""

    name: str | None = None
    color: int | None = None
    emission: float | None = None
    excitation: float | None = None


@dataclass(frozen=True)
class External:
    """Where OMERO says the pixels lie."""

    lsid: str
    entity_type: str = NGFF_ENTITY
    entity_id: int = 3
    uuid: str | None = None


@dataclass(frozen=True)
class Roi:
    """A region of interest with its shapes in OMERO's words."""

    id: int
    shapes: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class Image:
    """An image; sizes in pixels, `acquired` in milliseconds since 1970."""

    id: int
    name: str | None
    x: int
    y: int
    z: int
    c: int
    t: int
    dtype: str = "uint16"
    significant_bits: int | None = None
    size_x: Length | None = None
    size_y: Length | None = None
    size_z: Length | None = None
    time_increment: float | None = None
    channels: tuple[Channel, ...] = ()
    series: int = 0
    acquired: int | None = None
    description: str | None = None
    external: External | None = None
    fileset: int | None = None
    annotations: tuple[Map | File, ...] = ()
    rois: tuple[Roi, ...] = ()
    viewable: Literal["yes", "pyramid", "broken"] = "yes"


@dataclass(frozen=True)
class Fileset:
    """The files that images were imported from, by the paths the submitter's and the server's disks had."""

    id: int
    client: tuple[str, ...]
    repo: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A dataset of a project."""

    id: int
    name: str
    images: tuple[Image, ...]
    annotations: tuple[Map | File, ...] = ()


@dataclass(frozen=True)
class Project:
    """A project: an experiment of a study."""

    id: int
    name: str
    datasets: tuple[Dataset, ...]
    description: str | None = None
    annotations: tuple[Map | File, ...] = ()


@dataclass(frozen=True)
class Acquisition:
    """A run of a plate through a microscope; times in milliseconds since 1970."""

    id: int
    name: str | None
    fields: int
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Sample:
    """A field of a well."""

    id: int
    image: Image
    acquisition: Acquisition | None = None
    position: tuple[float, float] | None = None


@dataclass(frozen=True)
class Well:
    """A well, its row and column counted from 0."""

    id: int
    row: int
    column: int
    samples: tuple[Sample, ...]
    annotations: tuple[Map | File, ...] = ()


@dataclass(frozen=True)
class Plate:
    """A plate; rows and columns are not always known to the server."""

    id: int
    name: str
    wells: tuple[Well, ...]
    rows: int | None = 8
    columns: int | None = 12
    acquisitions: tuple[Acquisition, ...] = ()
    row_naming: str | None = "letter"
    column_naming: str | None = "number"
    annotations: tuple[Map | File, ...] = ()


@dataclass(frozen=True)
class Screen:
    """A screen: an experiment of a study, on plates."""

    id: int
    name: str
    plates: tuple[Plate, ...]
    description: str | None = None
    annotations: tuple[Map | File, ...] = ()


Annotated = Project | Dataset | Screen | Plate | Well | Image
