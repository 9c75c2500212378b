"""The plan of a download from the IDR: for each image where its pixels are, how much that is, and under which licence."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal

from .. import readers
from ..errors import ArchiveError, MissingError, SuiteError, UsageError
from ..image import Location
from ..names import sanitise, without_extension
from ..reports.tables import cell
from ..selection import Selection, select, select_series
from .idr_arrange import DEPTH, Arrangement
from .idr_image import only, without_pixels
from .manifest import Row
from .original_paths import is_place_of, original_path

if TYPE_CHECKING:
    from ..image import Dataset, Image, Roi
    from .http import Client
    from .idr import Annotation, Idr, ImageRecord
    from .idr_rois import Region
    from .idr_routes import Candidate
    from .idr_study import Place
    from .study import Study

Format = Literal["ome-tiff", "ome-zarr", "original", "metadata"]

LONGEST_STEM = 100
log = logging.getLogger("lightmicroscopy")
_BEFORE_COMPRESSION = "The size is the most it can be: the pixels before compression."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of each image; with `regions` its regions of interest too."""

    format: Format = "ome-tiff"
    selection: Selection = field(default_factory=Selection)
    zip: bool = False
    arrangement: Arrangement = "flat"
    regions: bool = False

    @property
    def extension(self) -> str:
        """Of the results; empty for original files, which keep theirs."""
        return {"ome-tiff": ".ome.tiff", "ome-zarr": ".ome.zarr.zip" if self.zip else ".ome.zarr", "metadata": ".ome.xml", "original": ""}[
            self.format
        ]

    def fits(self, row: Row) -> bool:
        """Whether a row of an earlier manifest is a result of such a request."""
        if row.selection != cell(self.selection.describe()):
            return False
        if self.format != "original":
            # What lies in a plate's store is no image by itself.
            own = self.arrangement != "flat" or row.path.startswith(f"{row.item.removeprefix('image-')}_")
            return own and row.path.endswith(self.extension) and len(PurePosixPath(row.path).parts) == DEPTH[self.arrangement]
        return is_place_of(row.path, row.source_url)


@dataclass(frozen=True, slots=True)
class Planned:
    """One image: what it is, where it comes from, what will be written.

    Attributes
    ----------
    dataset
        The open store the pixels come from, narrowed to this image; ``None`` where files are fetched first, or nothing is.
    bytes
        What has to be fetched, or the most it can be.
    notes
        Sentences for the manifest.
    problem
        Why its pixels cannot be had, where they cannot.
    path
        Of what will be written, without extension, below the output folder; by default `stem`.
    regions
        Regions of interest, where they were asked for.
    """

    record: ImageRecord
    image: Image
    annotations: tuple[Annotation, ...]
    place: Place | None
    study: Study | None
    candidate: Candidate | None
    dataset: Dataset | None
    sizes: tuple[int, ...]
    notes: tuple[str, ...] = ()
    problem: SuiteError | None = None
    path: PurePosixPath | None = None
    regions: tuple[Region, ...] = ()

    @property
    def item(self) -> str:
        """How the IDR's own links call it."""
        return f"image-{self.record.id}"

    @property
    def stem(self) -> str:
        """Name of its outputs: unique by its number, readable by its name."""
        return f"{self.record.id}_{sanitise(without_extension(self.record.name), LONGEST_STEM)}"

    @property
    def target(self) -> PurePosixPath:
        """Path of its outputs, without extension."""
        return self.path or PurePosixPath(self.stem)

    @property
    def bytes(self) -> int:
        """See above."""
        # As many as a manifest can hold, whatever a server claims.
        return min(sum(self.sizes), 2**63 - 1)

    @property
    def rois(self) -> tuple[Roi, ...]:
        """Its regions of interest, as far as OME-XML holds them."""
        from .idr_rois import drawn

        return drawn(self.regions)

    def close(self) -> None:
        """Close the store."""
        if self.dataset is not None:
            self.dataset.close()

    def __enter__(self) -> Planned:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, wanted: Wanted, place: Callable[[str], PurePosixPath] = original_path) -> list[Row]:
        """What is planned, a row per result; `place` says where the file of an address is kept as it is."""
        common = Row(
            self.item,
            "planned",
            " ".join((*self.notes, _BEFORE_COMPRESSION) if self.dataset is not None else self.notes),
            study=self.study.name if self.study else "",
            licence=self.study.licence if self.study else "",
            selection=wanted.selection.describe(),
        )
        if self.candidate is None:
            return [replace(common, path=f"{self.target}{wanted.extension}", source_url=self.record.url, bytes=0)]
        if wanted.format == "original":
            paths = [place(url) for url in self.candidate.urls]
            return [
                replace(common, path=str(path), source_url=url, bytes=size)
                for url, path, size in zip(self.candidate.urls, paths, self.sizes, strict=True)
            ]
        return [replace(common, path=f"{self.target}{wanted.extension}", source_url=self.candidate.urls[0], bytes=self.bytes)]


class Planner:
    """Looks images up and finds where their pixels are. Safe to use from several threads.

    Parameters
    ----------
    memory
        Bytes the run may use in all; a share of it holds what is fetched ahead of each store.
    """

    def __init__(self, idr: Idr, client: Client, wanted: Wanted, memory: int | None = None) -> None:
        self.idr = idr
        self.client = client
        self.wanted = wanted
        self.memory = memory

    def plan(self, number: int) -> Planned:
        """Plan one image.

        Raises
        ------
        SuiteError
            If there is no such image. Where all is known but the pixels cannot be had, that is the plan's `problem`.
        """
        record = self.idr.image(number)
        annotations = self.idr.annotations("image", number)
        place = self.idr.place(number)
        study = self.idr.study(place) if place is not None else None
        found = self._with_regions(Planned(record, without_pixels(record), annotations, place, study, None, None, ()))
        try:
            # A resolution level cannot be judged before the store is open; the rest of the selection can, before any is looked for.
            select_series((replace(found.image, series=0),), self.wanted.selection.series)
            image = select(found.image, replace(self.wanted.selection, level=0))
            return replace(found, image=image) if self.wanted.format == "metadata" else self._find_pixels(found)
        except SuiteError as error:
            return replace(found, problem=error)

    def _with_regions(self, found: Planned) -> Planned:
        """Add the regions of interest; that they cannot be had costs no pixels, and is noted."""
        if not self.wanted.regions:
            return found
        from .idr_rois import drawn, losses, read_regions

        try:
            regions = read_regions(self.idr, found.record.id)
        except ArchiveError as error:
            log.warning("%s: its regions of interest could not be had: %s", found.item, error)
            return replace(found, notes=(*found.notes, f"Its regions of interest could not be had: {error}"))
        notes = tuple(losses(regions))
        for note in notes:
            log.warning("%s: %s", found.item, note)
        image = replace(found.image, metadata=replace(found.image.metadata, rois=drawn(regions)))
        return replace(found, image=image, regions=regions, notes=(*found.notes, *notes))

    def _find_pixels(self, found: Planned) -> Planned:
        record = found.record
        originals_only = self.wanted.format == "original"
        tried: list[tuple[str, bool]] = []
        missing = True
        for candidate in self.idr.candidates(record, found.place):
            if originals_only and candidate.kind != "original":
                continue
            if not candidate.urls or not (candidate.openable or originals_only):
                tried.append((candidate.note, False))
                continue
            try:
                planned = self._try(found, candidate)
            except UsageError:
                raise
            except SuiteError as error:
                tried.append((str(error) if candidate.urls[0] in str(error) else f"{candidate.urls[0]}: {error}", True))
                missing = missing and not _may_pass(error)
                continue
            notes = [*planned.notes, candidate.note, *(f"Tried before: {sentence}" for sentence, asked in tried if asked)]
            return replace(planned, notes=tuple(note for note in notes if note))
        sentence = _nowhere(record, [sentence for sentence, _ in tried], missing=missing, originals_only=originals_only)
        raise MissingError(sentence) if missing else ArchiveError(sentence)

    def _sizes(self, urls: tuple[str, ...]) -> tuple[int, ...]:
        """Bytes of each file; the first that is not there ends it."""
        sizes: list[int] = []
        for url in urls:
            size = self.client.size(url)
            if size is None:
                raise MissingError("The file is not on the server." if len(urls) == 1 else f"Its file {url} is not on the server.")
            sizes.append(size)
        return tuple(sizes)

    def _try(self, found: Planned, candidate: Candidate) -> Planned:
        if candidate.kind == "original":
            return replace(found, candidate=candidate, sizes=self._sizes(candidate.urls))
        dataset = self._open(candidate, found.record)
        try:
            image = select(dataset.images[0], self.wanted.selection)
        except BaseException:
            dataset.close()
            raise
        size = image.shape.pixels * image.dtype.itemsize
        return replace(found, image=image, candidate=candidate, dataset=dataset, sizes=(size,))

    def _open(self, candidate: Candidate, record: ImageRecord) -> Dataset:
        from ..readers.prefetch import share_of
        from ..readers.remote_store import RemoteStore

        url = candidate.urls[0].rstrip("/")
        store = RemoteStore(self.client, url, name=f"image {record.id} ({PurePosixPath(url).name})", memory=share_of(self.memory))
        dataset = readers.open(Location(Path(f"{record.id}.zarr"), store=store, url=url))
        try:
            return only(dataset, record, candidate.series)
        except BaseException:
            dataset.close()
            raise


def _may_pass(error: SuiteError) -> bool:
    """Whether the pixels may still be there, although they could not be had now."""
    return isinstance(error, ArchiveError) and not isinstance(error, MissingError)


def _nowhere(record: ImageRecord, tried: list[str], *, missing: bool, originals_only: bool) -> str:
    what = "its original files" if originals_only else "its pixels"
    state = "are nowhere to be had" if missing else "could not be had now"
    attempts = "; ".join(f"({index}) {sentence.rstrip('.')}" for index, sentence in enumerate(tried, 1)) or "the IDR names no place for them"
    advice = (
        "Try OME-Zarr as the format, since the IDR keeps some studies only so."
        if originals_only
        else "Metadata can still be had with the format metadata."
    )
    return f"Image {record.id} ({record.name}): {what} {state}. Tried: {attempts}. {advice}"
