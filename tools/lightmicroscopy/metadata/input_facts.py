"""What is kept of an input while the others are read: enough for the reports, and for rules over all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from ..image import Image, Quantity
    from .documents import DocumentKind
    from .rembi.compare import Told


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What one series is, as the reports show it."""

    series: int
    name: str
    kind: str
    axes: str
    size_x: int
    size_y: int
    size_z: int
    size_c: int
    size_t: int
    dtype: str
    levels: int
    pixel_size_x: str
    pixel_size_y: str
    pixel_size_z: str
    channels: tuple[str, ...]
    compression: str
    lossy: bool

    @classmethod
    def of(cls, image: Image) -> SeriesFacts:
        """Tell of an image what the reports show."""
        shape, metadata = image.shape, image.metadata
        return cls(
            series=image.series,
            name=image.name,
            kind=image.kind,
            axes=image.axes,
            size_x=shape.x,
            size_y=shape.y,
            size_z=shape.z,
            size_c=shape.c,
            size_t=shape.t,
            dtype=str(image.dtype),
            levels=len(image.levels),
            pixel_size_x=_written(metadata.pixel_size_x),
            pixel_size_y=_written(metadata.pixel_size_y),
            pixel_size_z=_written(metadata.pixel_size_z),
            channels=tuple(channel.name or "" for channel in metadata.channels),
            compression=image.compression or "",
            lossy=image.lossy,
        )


@dataclass(frozen=True, slots=True)
class InputFacts:
    """An input as rules over all inputs know it: nothing of it is open any more.

    Attributes
    ----------
    path
        Where it is; ``None`` on the web.
    kind
        ``image``, a kind of document, or ``unknown`` for what could not be read.
    series
        What each series of an image is.
    plates
        (name, wells written as ``B07`` with spaces between) of each plate in it.
    told
        What each series tells of the fields of REMBI, where a profile asks for that.
    members
        Names of the other files of its set, under which a sheet may know it.
    document
        Of a document: what its kind keeps for this (`documents.Document.facts`).
    """

    name: str
    path: Path | None
    kind: Literal["image", "unknown"] | DocumentKind
    format: str = ""
    bytes: int | None = None
    is_zarr: bool = False
    series: tuple[SeriesFacts, ...] = ()
    plates: tuple[tuple[str, str], ...] = ()
    told: tuple[Told, ...] = ()
    members: tuple[str, ...] = ()
    document: Any = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its folders and its own, from the outermost."""
        return self.path.parts if self.path is not None else (self.name,)


def _written(quantity: Quantity | None) -> str:
    return "" if quantity is None else f"{quantity.value:.6g} {quantity.unit}"
