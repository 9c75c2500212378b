"""OME-Zarr stores as the rules on them see them: every image group with its attributes and arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..findings import CannotRun, Problem, Severity, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...image import Image
    from ...readers.ome_zarr import Group
    from ...readers.zarr_array import ArrayLayout
    from ...readers.zarr_source import ZarrPixels
    from ...readers.zarr_store import Store
    from ..ngff_read import Multiscale

NGFF = {version: f"https://ngff.openmicroscopy.org/{version}/" for version in ("0.1", "0.2", "0.3", "0.4", "0.5")}
SPECIFICATION = NGFF["0.4"]
REMOTE_SAMPLE = 4
"""Images and label maps of a store on the web whose pixels are looked at."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image or label map of a store."""

    image: Image
    group: Group
    multiscale: Multiscale
    sources: tuple[ZarrPixels, ...]

    @property
    def series(self) -> int:
        """Series it is, or belongs to."""
        return self.image.series if self.image.label_of is None else self.image.label_of

    @property
    def called(self) -> str:
        """How sentences call it."""
        return f"Series {self.series}" if self.image.label_of is None else f"The label map “{self.image.name}” of series {self.series}"

    @property
    def called_within(self) -> str:
        """How sentences call it that do not begin with it."""
        return self.called[0].lower() + self.called[1:]

    @property
    def raw(self) -> Mapping[str, Any]:
        """The first entry of ``multiscales``, as stored."""
        first: Mapping[str, Any] = self.group.ome["multiscales"][0]
        return first

    @property
    def layouts(self) -> tuple[ArrayLayout, ...]:
        """Array of each level."""
        return tuple(source.array.layout for source in self.sources)

    def location(self, key: str) -> str:
        """Where in the store, for the findings table."""
        return f"{self.group.path}/{key}" if self.group.path else key


def is_store(subject: Subject) -> bool:
    """Whether this is an OME-Zarr that could be opened."""
    return subject.format.startswith("OME-Zarr")


def ngff_version(subject: Subject) -> str:
    """Version the store is read as."""
    return subject.format.removeprefix("OME-Zarr").strip()


def store_of(subject: Subject) -> Store:
    """The opened store."""
    return stored_images(subject)[0].sources[0].array.store


def images_of(subject: Subject) -> Iterator[StoredImage]:
    """Every image, without label maps."""
    return (stored for stored in stored_images(subject) if stored.image.label_of is None)


def stored_images(subject: Subject) -> tuple[StoredImage, ...]:
    """Every image and label map."""
    return subject.shared.get("ngff-images", lambda: tuple(_stored_images(subject)))


def _stored_images(subject: Subject) -> Iterator[StoredImage]:
    from ...readers.ome_zarr import open_levels, read_group
    from ...readers.zarr_source import ZarrPixels

    for image in (*subject.opened.images, *subject.opened.labels):
        first = image.levels[0].pixels
        if not isinstance(first, ZarrPixels) or image.path is None:
            raise CannotRun(f"{subject.name} was not opened as an OME-Zarr.")
        group = read_group(first.array.store, image.path)
        if group is None:
            raise CannotRun(f"The group {image.path} is no longer there.")
        # All that are listed: the image has only those that fit together.
        yield StoredImage(image, group, *open_levels(first.array.store, group, subject.name))


def is_remote(stored: StoredImage) -> bool:
    """Whether its store is on the web, where looking costs time and somebody else's bandwidth."""
    from ...readers.remote_store import RemoteStore

    return isinstance(stored.sources[0].array.store, RemoteStore)


def fetch_marks(store: Store, paths: Sequence[str]) -> None:
    """Fetch the files of a store on the web that say which of its folders are groups, side by side."""
    from ...readers.remote_store import RemoteStore

    if isinstance(store, RemoteStore):
        store.fetch_marks(list(dict.fromkeys(["", *paths])))


def sampled(subject: Subject) -> tuple[StoredImage, ...]:
    """Images and label maps whose pixels are looked at: all, or of a store on the web some, from its first to its last."""
    everything = stored_images(subject)
    if len(everything) <= REMOTE_SAMPLE or not is_remote(everything[0]):
        return everything
    step = (len(everything) - 1) / (REMOTE_SAMPLE - 1)
    return tuple(everything[round(number * step)] for number in range(REMOTE_SAMPLE))


def problem(
    stored: StoredImage,
    key: str,
    message: str,
    severity: Severity | None = None,
    *,
    about: tuple[str, ...] = (),
    precision: int = 0,
) -> Problem:
    """Make a `Problem` with one image or label map; `key` says where in its attributes."""
    return Problem(message, stored.location(key), stored.series, severity, about=about, precision=precision)
