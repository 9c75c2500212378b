"""BigDataViewer's HDF5: a pyramid for each view setup and time point, and its XML, given along with it or not.

Numbers of 8 and 16 bits are unsigned, though the file's type says signed: Java has no other. Source: the documentation of
BigDataViewer (imagej.net, "About the BigDataViewer data format") and Bio-Formats' BDVReader, which reads them so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import LimitError, UnreadableError
from ..image import Channel, Dataset, Image, ImageMetadata, Level, Location
from ..metadata.bdv_mapping import Setup, file_of, read_spim_data
from ..metadata.hdf5_mapping import Axes, find_pixel_size
from ..metadata.safe_xml import LARGEST
from .hdf5 import SIGNATURE, is_xml
from .hdf5_array import HdfArray
from .hdf5_pixels import HdfPixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from .hdf5_file import HdfFile, Node

_STEPS: Final = tuple(map(re.compile, (r"t(\d{5,9})", r"s(\d{2,9})", r"(\d{1,2})")))
"""Names of the groups that each view is in: time point, setup, level."""
_INSIDE: Final = re.compile(r"/t\d{5,9}(/s\d{2,9}(/\d{1,2}(/cells)?)?)?")
_VIEWS: Final = 200_000
_UNSIGNED: Final[dict[np.dtype[Any], np.dtype[Any]]] = {np.dtype("i1"): np.dtype("u1"), np.dtype("i2"): np.dtype("u2")}

View = tuple[int, int, int]
"""Setup, time point, level."""


def is_bdv(file: HdfFile) -> bool:
    """Whether it is laid out as BigDataViewer does it."""
    return next(_views(file), None) is not None or any(node.closed and _INSIDE.fullmatch(node.path) for node in file.nodes.values())


def _views(file: HdfFile) -> Iterator[tuple[View, Node]]:
    """Each view and its pixels, through links too; whatever on the way to one cannot be read stands for it."""
    waiting: list[tuple[tuple[int, ...], Node]] = [((), file.nodes["/"])]
    looked_at = 0
    while waiting:
        at, node = waiting.pop()
        if len(at) == len(_STEPS) or node.closed:
            time, setup, level = (*at, 0, 0)[:3]
            cells = node if node.closed else file.child(node.path, "cells")
            if cells is not None:
                yield (setup, time, level), cells
            continue
        found = file.numbered(node.path, _STEPS[len(at)])
        looked_at += len(found)
        if looked_at > _VIEWS:
            raise LimitError(f"{file.name} has more than {_VIEWS:,} time points and views. Check where it comes from, or split it.")
        waiting += (((*at, number), inner) for number, inner in reversed(found))


def members(location: Location) -> tuple[Path, Path | None]:
    """The HDF5 file of a location, and its XML if that was given too.

    Raises
    ------
    UnreadableError
        If an XML was given without its HDF5 file.
    """
    others = [path for path in location.files if path != location.path and path.is_file()]
    if not is_xml(_head(location.path)):
        xmls = (path for path in others if is_xml(_head(path)))
        return location.path, next((path for path in xmls if file_of(read_xml(path), path.name) in {location.name, None}), None)
    wanted = file_of(read_xml(location.path), location.name)
    stores = [path for path in others if _head(path).startswith(SIGNATURE)]
    found = [path for path in stores if path.name == wanted] or (stores if len(stores) == 1 else [])
    if not found:
        raise UnreadableError(
            f"{location.name} describes images that are in {wanted or 'an HDF5 file'}, which was not given with it. Give both files together."
        )
    return found[0], location.path


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def read_xml(path: Path) -> bytes:
    """Read an XML that is not absurdly large."""
    if path.stat().st_size > LARGEST:
        raise LimitError(f"{path.name} is an XML file of more than {LARGEST:,} bytes. Check where it comes from.")
    return path.read_bytes()


def open_bdv(location: Location, file: HdfFile, path: Path, xml: Path | None) -> Dataset:
    """Open a BigDataViewer file.

    Raises
    ------
    UnreadableError
        If views lie in other files (partitions), or do not belong together.
    """
    # Through links, one view may be there many times.
    stored: dict[str, HdfArray] = {}
    arrays: dict[View, HdfArray] = {}
    for view, node in _views(file):
        if node.path not in stored:
            stored[node.path] = _array(file, node)
        arrays[view] = stored[node.path]
    known = {setup.id: setup for setup in read_spim_data(read_xml(xml), xml.name)} if xml else {}
    times = sorted({time for _, time, _ in arrays})
    images = tuple(_image(_Series(file, setups, times, arrays), known, number, location) for number, setups in enumerate(_series(known, arrays)))
    if not images:
        raise UnreadableError(f"{file.name} is laid out as a BigDataViewer file but has no view of full size. Ask for it again.")
    warnings = (*file.damages(), *(str(file.refused(node)) for node in file.nodes.values() if node.refused))
    warnings += () if xml else ("Pixel sizes and names of BigDataViewer files are in their XML, which was not given. Give both files together.",)
    files = (path, xml) if xml else (path,)
    return Dataset(location=location, format="BigDataViewer HDF5", images=images, files=files, warnings=warnings, close_files=file.close)


def _array(file: HdfFile, node: Node) -> HdfArray:
    if node.closed:
        raise file.refused(node)
    if len(node.shape) != 3 or node.dtype is None or not all(node.shape):
        raise UnreadableError(f"{file.name}: {node.name} is not a stack of numbers along z, y and x. The file is damaged; ask for it again.")
    stored: np.dtype[Any] = node.dtype.newbyteorder("=")
    array = HdfArray(file, node, _UNSIGNED.get(stored))
    if unknown := array.pipeline.unknown:
        raise file.unknown_filter(node, unknown)
    return array


def _series(known: Mapping[int, Setup], arrays: Mapping[View, HdfArray]) -> list[list[int]]:
    """Setups that are the channels of one image, as the XML says; else each by itself."""
    shapes = {setup: array.shape for (setup, _, level), array in arrays.items() if level == 0}
    groups: dict[Any, list[int]] = {}
    for setup in sorted(shapes):
        own = known.get(setup)
        if own is None or own.channel is None:
            groups[setup] = [setup]
            continue
        members = groups.setdefault((own.place, shapes[setup]), [])
        if any(known[other].channel == own.channel for other in members):
            groups[setup] = [setup]
        else:
            members.append(setup)
    return list(groups.values())


@dataclass(frozen=True, slots=True)
class _Series:
    """The views that make up one image."""

    file: HdfFile
    setups: Sequence[int]
    times: Sequence[int]
    arrays: Mapping[View, HdfArray]

    def grid(self, level: int) -> list[list[HdfArray | None]]:
        """Each view of a level, by time point and channel."""
        return [[self.arrays.get((setup, time, level)) for setup in self.setups] for time in self.times]

    def levels(self, warnings: list[str]) -> tuple[Level, ...]:
        """The pyramid, as far as its levels belong together."""
        levels: list[Level] = []
        whole = self.grid(0)
        while there := [array for row in self.grid(len(levels)) for array in row if array is not None]:
            grid = self.grid(len(levels))
            same = len({(array.shape, array.dtype) for array in there}) == 1
            if not levels and not same:
                raise UnreadableError(f"{self.file.name}: the views of setup {self.setups[0]} are not of one size and type. Ask for the file again.")
            complete = [[array is None for array in row] for row in grid] == [[array is None for array in row] for row in whole]
            last = levels[-1].pixels.shape[2:5] if levels else there[0].shape
            if not same or not complete or any(own > before for own, before in zip(there[0].shape, last, strict=True)):
                warnings.append(f"Its level {len(levels)} does not fit those before it; it and those after it are left out.")
                break
            pixels = HdfPixels(grid, "zyx")
            full = levels[0].pixels.shape if levels else pixels.shape
            factor = [ours / theirs for ours, theirs in zip(full[2:5], pixels.shape[2:5], strict=True)]
            levels.append(Level(pixels, (factor[0], factor[1], factor[2])))
        missing = sum(array is None for row in whole for array in row)
        if missing:
            fill = next(array.fill for row in whole for array in row if array is not None)
            warnings.append(f"Of its {len(self.times):,} time points, {missing:,} views are not in the file; their pixels are {fill}.")
        return tuple(levels)


def _image(series: _Series, known: Mapping[int, Setup], number: int, location: Location) -> Image:
    warnings: list[str] = []
    levels = series.levels(warnings)
    first = next(array for row in series.grid(0) for array in row if array is not None)
    own, shape = known.get(series.setups[0]), levels[0].pixels.shape
    asked = own.pixel_size if own and own.pixel_size else location.pixel_size
    size, _, remarks = find_pixel_size([first.node.attributes], Axes("zyx", "ZYX"), asked)
    names = [known[setup].channel_name if setup in known else None for setup in series.setups]
    metadata = ImageMetadata(
        pixel_size_x=size.x,
        pixel_size_y=size.y,
        pixel_size_z=size.z if shape.z > 1 else None,
        channels=tuple(Channel(name=name) for name in names) if any(names) else (),
        original=tuple(pair for setup in series.setups if setup in known for pair in known[setup].original),
    )
    return Image(
        name=own.name if own and own.name else f"s{series.setups[0]:02d}",
        series=number,
        levels=levels,
        axes="TCZYX",
        fill_value=first.fill.item(),
        metadata=metadata,
        compression=first.pipeline.name,
        path=f"/s{series.setups[0]:02d}",
        warnings=(*remarks, *warnings),
    )
