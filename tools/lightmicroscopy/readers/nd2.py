"""Nikon ND2, as NIS-Elements writes it: positions as series, loops as time and z, channels and RGB out of the components of a frame.

Versions 2 (metadata in XML) and 3 are read here; the oldest files, which are JPEG 2000, by `nd2_legacy`. Written from the published
structure and not on the nd2 package, which brings dask and pydantic into every job, unpacks without bound, parses XML with
entities, maps the file into memory, gives black where frames are missing and the file's age where a date is; tests compare with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ..errors import UnreadableError
from ..image import Dataset, Image, ImageMetadata, Level, Quantity
from ..metadata.nd2_mapping import Described, describe, planes_of
from ..metadata.nd2_original import original_pairs
from ..metadata.nd2_rois import read_rois
from ..metadata.nd2_times import MOST_PLANES, Recorded, acquired, make_planes, read_recorded, runs_downwards, time_step
from . import nd2_legacy
from .files import RandomFile
from .nd2_chunks import MAGIC, SIGNATURE, Chunks
from .nd2_loops import Order, order_frames, read_loops
from .nd2_source import Frames, Nd2Source, read_frames, read_levels
from .nd2_variant import Tree, branch, decode_tree, number, text, whole
from .tiff_plain import stem

if TYPE_CHECKING:
    from pathlib import Path

    from ..image import Location

_RGB: Final = 3
_GAP: Final = 1000
_TIME_AXIS: Final = 2
_BINARY: Final = re.compile(rb"(RleZip|Tiled)\w*Binary")


def sniff(path: Path, head: bytes) -> bool:
    """Whether this is an ND2 file of any version."""
    if path.is_dir():
        return False
    return (head.startswith(MAGIC) and head[16:48] == SIGNATURE) or nd2_legacy.sniff(path, head)


def open_dataset(location: Location) -> Dataset:
    """Open an ND2 file.

    Raises
    ------
    UnreadableError
        If it is truncated or damaged, holds no frames, or packs them with loss.
    LimitError
        If it asks for more than is allowed.
    """
    file = RandomFile(location.path)
    try:
        if file.read(0, 4) != MAGIC:
            return nd2_legacy.open_file(location, file)
        return _open(location, Chunks(file))
    except BaseException:
        file.close()
        raise


class _Trees:
    """Chunks of metadata, decoded once."""

    def __init__(self, chunks: Chunks) -> None:
        self.chunks = chunks
        self.name = chunks.file.name

    def read(self, *names: bytes, inner: str | None = None) -> Tree:
        """Decode the first of these chunks that there is, and step into the tree it wraps."""
        for name in names:
            data = self.chunks.read(name)
            if data:
                tree = decode_tree(data, self.name)
                return branch(tree, inner) or tree if inner else tree
        return {}

    def try_read(self, *names: bytes, inner: str | None = None) -> Tree:
        """Read what an image can do without."""
        try:
            return self.read(*names, inner=inner)
        except UnreadableError:
            return {}


def _open(location: Location, chunks: Chunks) -> Dataset:
    trees = _Trees(chunks)
    attributes = trees.read(b"ImageAttributesLV!", b"ImageAttributes!", inner="SLxImageAttributes")
    if not attributes:
        raise chunks.damaged("it has no image attributes")
    frames = read_frames(attributes, chunks)
    picture = trees.read(b"ImageMetadataSeqLV|0!", b"ImageMetadataSeq|0!", inner="SLxPictureMetadata")
    experiment = trees.read(b"ImageMetadataLV!", b"ImageMetadata!", inner="SLxExperiment")
    texts = trees.try_read(b"ImageTextInfoLV!", b"ImageTextInfo!", inner="SLxImageTextInfo")
    order, warnings = _order(chunks, frames, experiment)
    components, samples = _components(frames, picture)
    tables = trees.try_read(b"CustomDataVar|LUTDataV1_0!", inner="LUTDataV1_0")
    described = describe(picture, texts, tables, text(experiment, "wsCameraName"), len(components) // samples)
    smaller, contradictions = read_levels(frames, chunks)
    recorded = read_recorded(chunks, picture, max(chunks.frames) + 1)
    duration = float(recorded.times_s.max()) if recorded.times_s is not None else 0.0
    common = ImageMetadata(
        acquisition_date=acquired(picture, texts, duration),
        channels=described.channels,
        instrument=described.instrument,
        objective_id=described.objective_id,
        immersion_medium=described.immersion_medium,
        refractive_index=described.refractive_index,
        modulo=order.modulo,
        original=original_pairs(chunks),
        **_sizes(picture if (number(picture, "dCalibration") or 0) > 0 else picture | _calibration(trees), order, recorded),
    )
    making = _Making(
        location, chunks, frames, smaller, order, components, samples, described, recorded, common, trees.try_read(b"CustomData|RoiMetadata_v1!")
    )
    images, told = making.images()
    return Dataset(
        location,
        f"ND2 {chunks.version[0]}.{chunks.version[1]}",
        images,
        files=(location.path,),
        warnings=(*warnings, *(f"{chunks.file.name}: {told}" for told in order.folded), *contradictions, *told, *_unread(chunks)),
        close_files=chunks.file.close,
    )


def _order(chunks: Chunks, frames: Frames, experiment: Tree) -> tuple[Order, tuple[str, ...]]:
    name = chunks.file.name
    if not chunks.frames:
        raise UnreadableError(f"{name} holds no frames: its acquisition was stopped before the first. There is nothing to read.")
    count = max(chunks.frames) + 1
    if count > 2 * len(chunks.frames) + _GAP:
        raise chunks.damaged(f"its frames are numbered up to {count - 1:,} and only {len(chunks.frames):,} are stored")
    order, warnings = order_frames(read_loops(experiment, name), count, frames.count, name)
    missing = count - len(chunks.frames)
    if missing and not warnings:
        warnings = (f"{name}: {missing:,} of {count:,} frames were never stored; they are 0 in the image.",)
    return order, warnings


def _components(frames: Frames, picture: Tree) -> tuple[list[int], int]:
    """Which components make which channel and sample, and how many samples there are.

    Colour cameras store blue, green and red in that order.
    """
    counts = [whole(plane, "uiCompCount") or 1 for plane in planes_of(picture)]
    if counts and sum(counts) == frames.components and all(count == _RGB for count in counts):
        return [3 * plane + sample for plane in range(len(counts)) for sample in (2, 1, 0)], _RGB
    if not counts and frames.components == _RGB:
        return [2, 1, 0], _RGB
    return list(range(frames.components)), 1


def _calibration(trees: _Trees) -> Tree:
    """The calibration by itself, in the terms of the picture metadata."""
    found = trees.try_read(b"ImageCalibrationLV|0!", b"ImageCalibration|0!", inner="SLxCalibration")
    return {"dCalibration": found.get("dCalibration"), "bCalibrated": found.get("bValid", True)}


def _sizes(picture: Tree, order: Order, recorded: Recorded) -> dict[str, Any]:
    """Sizes of a pixel. An axis of a frame may be time (a line scanned again and again) and has no length then."""
    step = number(picture, "dCalibration")
    found: dict[str, Any] = {}
    if step is not None and step > 0 and picture.get("bCalibrated", True):
        found = {
            size: Quantity(step, "µm")
            for size, axis in (("pixel_size_x", "ePictureXAxis"), ("pixel_size_y", "ePictureYAxis"))
            if whole(picture, axis) != _TIME_AXIS
        }
    loop = order.only("Z")
    if loop is not None and loop.count > 1 and loop.step_um:
        found["pixel_size_z"] = Quantity(-loop.step_um if runs_downwards(recorded, order) else loop.step_um, "µm")
    return found


@dataclass(frozen=True, slots=True)
class _Making:
    """Everything that makes the images."""

    location: Location
    chunks: Chunks
    frames: Frames
    smaller: list[Frames]
    order: Order
    components: list[int]
    samples: int
    described: Described
    recorded: Recorded
    common: ImageMetadata
    rois: Tree

    def images(self) -> tuple[tuple[Image, ...], tuple[str, ...]]:
        """One image for each position of which any frame is stored, and warnings."""
        warnings = []
        count = self.order.size("P")
        positions = [index for index in range(count) if any(number_ in self.chunks.frames for number_ in self.numbers(index))]
        if len(positions) < count:
            warnings.append(f"{self.location.name}: of {count - len(positions)} positions no frame is stored; they were left out.")
        if self.location.mosaic == "fuse" and count > 1:
            warnings.append(f"{self.location.name}: ND2 does not say which positions are tiles of one mosaic; they were not fused but are series.")
        planes = self.order.size("T", "U", "Z") * len(self.components) // self.samples
        if planes > MOST_PLANES:
            warnings.append(f"{self.location.name}: the times and positions of {planes:,} planes are too many to keep; they are lost.")
        return tuple(self.image(series, position, several=count > 1) for series, position in enumerate(positions)), tuple(warnings)

    def numbers(self, position: int) -> list[int]:
        """Numbers of the frames of a position, z fastest."""
        times, stacks = self.order.size("T", "U"), self.order.size("Z")
        return [self.order.frame(position, t, z) for t in range(times) for z in range(stacks)]

    def image(self, series: int, position: int, *, several: bool) -> Image:
        """Make one image."""
        name = stem(self.location.name)
        points = self.order.points
        label = points[position].name if position < len(points) else None
        sizes = (self.order.size("T", "U"), self.order.size("Z"))
        numbers = self.numbers(position)
        levels = [Nd2Source(self.chunks, frames, numbers, sizes, self.components, self.samples) for frames in (self.frames, *self.smaller)]
        source = levels[0]
        rois, losses = read_rois(self.rois, position, self.frames.width, self.frames.height)
        metadata = replace(
            self.common,
            time_increment_s=time_step(self.recorded, self.order, position),
            planes=make_planes(self.recorded, self.order, position, self.described.exposures_s, source.shape.c),
            stage_label=label,
            rois=rois,
        )
        return Image(
            name=label or (f"{name} #{position + 1}" if several else name),
            series=series,
            levels=tuple(Level(level, (1.0, source.shape.y / level.shape.y, source.shape.x / level.shape.x)) for level in levels),
            axes=_axes(source, self.order),
            kind="rgb" if self.samples == _RGB else "intensity",
            significant_bits=self.frames.significant_bits,
            metadata=metadata,
            compression="Deflate" if self.frames.packed else None,
            warnings=tuple(f"{self.location.name}: lost of its drawn regions: {loss}." for loss in losses),
        )


def _axes(source: Nd2Source, order: Order) -> str:
    loops = "".join(dict.fromkeys("T" if loop.kind == "U" else loop.kind for loop in order.loops if loop.kind != "P" and loop.count > 1))
    return loops + ("C" if source.shape.c > 1 else "") + "YX" + ("S" if source.shape.s > 1 else "")


def _unread(chunks: Chunks) -> tuple[str, ...]:
    masks = [name for name in chunks.names(b"CustomDataSeq|") if _BINARY.search(name)]
    return (f"{chunks.file.name}: its binary layers (masks of segmented objects) are not read; they are lost.",) if masks else ()
