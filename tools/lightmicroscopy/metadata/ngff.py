"""Builders of NGFF (OME-Zarr) 0.4 and 0.5 metadata; those of the Zarr they lie in are in `zarr_json`.

Everything written is 5D, t c z y x, as bioformats2raw writes it; samples (RGB) become channels, sample fastest. Source: the
NGFF specification 0.4 and 0.5.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING, Any, Final, Literal

from .. import __version__
from ..image import Channel, Image, NamingConvention, Plate, Shape
from .ngff_units import ngff_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

Version = Literal["0.4", "0.5"]
Method = Literal["mean", "nearest"]
Json = dict[str, Any]

AXES: Final = "tczyx"
_AXIS_TYPES: Final = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
_PALETTE: Final = ("FFFFFF", "00FF00", "FF0000", "0000FF", "FF00FF", "00FFFF", "FFFF00")
_SAMPLES: Final = (("Red", "FF0000"), ("Green", "00FF00"), ("Blue", "0000FF"))
_WHITE: Final = -1
_LETTERS: Final = 26


def zarr_shape(shape: Shape) -> tuple[int, int, int, int, int]:
    """Sizes along t c z y x, samples folded into channels (channel 0's samples first)."""
    return shape.t, shape.c * shape.s, shape.z, shape.y, shape.x


def image_attributes(
    image: Image,
    levels: Sequence[Shape],
    version: Version,
    *,
    method: Method = "mean",
    windows: Sequence[tuple[float, float] | None] = (),
    paths: Sequence[str] = (),
) -> Json:
    """Attributes of an image group: ``multiscales``, ``omero`` for intensities, ``image-label`` for label maps.

    Parameters
    ----------
    image
        Supplies name, kind, pixel sizes, channels and significant bits.
    levels
        Shape of every level written, largest first.
    version
        0.5 is wrapped in ``ome``.
    method
        How the smaller levels were made. ``mean`` of blocks shifts pixel centres by (f - 1) / 2 level-0 pixels; ``nearest``
        is taken to keep the first pixel of each block, whose centre does not move.
    windows
        Display range of each written channel (after samples are folded); ``None`` where not known.
    paths
        Array name of each level; ``0``, ``1`` … if not given.

    Notes
    -----
    A label map should have as many levels as its image: ome-zarr-models 1.7 rejects 0.5 stores where it has not.
    """
    body: Json = {"multiscales": [_multiscale(image, levels, version, method, paths)]}
    if image.kind == "label":
        body["image-label"] = _label(image, version)
    else:
        body["omero"] = _omero(image, levels[0], version, windows)
    return _wrap(body, version)


def _multiscale(image: Image, levels: Sequence[Shape], version: Version, method: Method, paths: Sequence[str]) -> Json:
    scale, units = _calibration(image)
    names = paths or [str(index) for index in range(len(levels))]
    multiscale: Json = {
        "name": image.name,
        "axes": [{"name": axis, "type": _AXIS_TYPES[axis]} | ({"unit": units[axis]} if axis in units else {}) for axis in AXES],
        "datasets": [
            {"path": path, "coordinateTransformations": level_transformations(levels[0], level, scale, method)}
            for path, level in zip(names, levels, strict=True)
        ],
        "metadata": {"method": f"lightmicroscopy: {'mean of' if method == 'mean' else 'first pixel of'} blocks", "version": __version__},
    }
    if len(levels) > 1:
        multiscale["type"] = method
    if invented := _invented_colors(image, levels[0]):
        multiscale["metadata"]["invented_colors"] = invented
    return multiscale | ({"version": version} if version == "0.4" else {})


def _calibration(image: Image) -> tuple[list[float], dict[str, str]]:
    """Scale along t c z y x, and unit names of the axes that have one."""
    metadata = image.metadata
    scale, units = [1.0, 1.0], {}
    # Where another dimension is folded into time or z, neighbouring indexes are no such step apart. OME-XML has the step.
    folded = {modulo.along for modulo in metadata.modulo}
    if "T" not in folded and metadata.time_increment_s is not None and math.isfinite(metadata.time_increment_s) and metadata.time_increment_s > 0:
        scale[0], units["t"] = metadata.time_increment_s, "second"
    # A falling z is written by its size, as in OME-XML: a negative scale would turn the stack over.
    step = metadata.pixel_size_z and replace(metadata.pixel_size_z, value=abs(metadata.pixel_size_z.value))
    for axis, size in zip("zyx", (step, metadata.pixel_size_y, metadata.pixel_size_x), strict=True):
        value, unit = ngff_length(None if axis.upper() in folded else size)
        scale.append(value)
        if unit:
            units[axis] = unit
    return scale, units


def level_transformations(first: Shape, level: Shape, scale: Sequence[float], method: Method) -> list[Json]:
    """``coordinateTransformations`` of one level: true size ratios, and the shift of pixel centres that averaging causes.

    Parameters
    ----------
    first, level
        Shapes of level 0 and of this level.
    scale
        Level-0 scale along t c z y x.
    method
        See `image_attributes`.
    """
    factors = [1.0, 1.0, *(full / size for full, size in zip(first[2:5], level[2:5], strict=True))]
    transformations: list[Json] = [{"type": "scale", "scale": [step * factor for step, factor in zip(scale, factors, strict=True)]}]
    if method == "mean" and any(factor > 1 for factor in factors):
        shift = [(factor - 1) / 2 * step for step, factor in zip(scale, factors, strict=True)]
        transformations.append({"type": "translation", "translation": shift})
    return transformations


def _label(image: Image, version: Version) -> Json:
    label: Json = {"version": version} if version == "0.4" else {}
    return label | ({"source": {"image": "../../"}} if image.label_of is not None else {})


def _written_channels(image: Image, shape: Shape) -> list[Channel]:
    """One entry per channel of the array, samples unfolded."""
    known = image.metadata.channels
    channels = [known[index] if index < len(known) else Channel() for index in range(shape.c)]
    if shape.s == 1:
        return channels
    return [Channel(name=_sample_name(channel, sample), window=channel.window) for channel, sample in product(channels, range(shape.s))]


def _sample_name(channel: Channel, sample: int) -> str:
    name = _SAMPLES[sample][0] if sample < len(_SAMPLES) else "Alpha"
    return f"{channel.name} {name}" if channel.name else name


def _is_invented(channel: Channel) -> bool:
    return channel.color is None or channel.color == _WHITE or channel.color_invented


def _invented_colors(image: Image, shape: Shape) -> list[int]:
    if image.kind == "label" or shape.s > 1:
        return []
    return [index for index, channel in enumerate(_written_channels(image, shape)) if _is_invented(channel)]


def _color(channel: Channel, index: int, shape: Shape) -> str:
    if shape.s > 1:
        sample = index % shape.s
        return _SAMPLES[sample][1] if sample < len(_SAMPLES) else _PALETTE[0]
    if channel.color is not None and channel.color != _WHITE:
        return f"{channel.color >> 8 & 0xFFFFFF:06X}"
    return _PALETTE[0] if shape.c == 1 else _PALETTE[1 + index % (len(_PALETTE) - 1)]


def _omero(image: Image, shape: Shape, version: Version, windows: Sequence[tuple[float, float] | None]) -> Json:
    channels = _written_channels(image, shape)
    blocks: list[Json] = []
    for index, channel in enumerate(channels):
        given = windows[index] if index < len(windows) else None
        block: Json = {
            "active": True,
            "coefficient": 1,
            "color": _color(channel, index, shape),
            "family": "linear",
            "inverted": False,
            "window": window(image.dtype, image.significant_bits, given or channel.window),
        }
        blocks.append(block | ({"label": channel.name} if channel.name else {}))
    omero: Json = {
        "name": image.name,
        "channels": blocks,
        "rdefs": {"defaultT": 0, "defaultZ": shape.z // 2, "model": "color" if len(channels) > 1 else "greyscale"},
    }
    return omero | ({"version": version} if version == "0.4" else {})


def window(dtype: np.dtype[Any], significant_bits: int | None, given: tuple[float, float] | None) -> dict[str, float]:
    """``omero`` window of one channel: range of the values (min, max) and what to show (start, end), start below end.

    The range is that of the significant bits, or of the type; of floating point pixels, what is shown. It is widened
    where the pixels exceed it.
    """
    shown = given if given is not None and all(math.isfinite(value) for value in given) else None
    low, high = _value_range(dtype, significant_bits, shown)
    start, end = shown or (low, high)
    if start >= end:
        start, end = (start, start + 1) if start < high or start == low else (start - 1, start)
    return {"min": min(low, start), "max": max(high, end), "start": start, "end": end}


def _value_range(dtype: np.dtype[Any], significant_bits: int | None, shown: tuple[float, float] | None) -> tuple[float, float]:
    if dtype.kind == "f":
        return shown or (0.0, 1.0)
    if dtype.kind == "b":
        return 0, 1
    bits = min(significant_bits or dtype.itemsize * 8, dtype.itemsize * 8)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dtype.kind == "i" else (0, 2**bits - 1)


def _wrap(body: Json, version: Version) -> Json:
    return {"ome": {"version": version, **body}} if version == "0.5" else body


def layout_attributes(version: Version) -> Json:
    """Root attributes of a store of several series (bioformats2raw layout 3)."""
    return _wrap({"bioformats2raw.layout": 3}, version)


def series_attributes(paths: Sequence[str], version: Version) -> Json:
    """Attributes of the ``OME`` group: where the images of METADATA.ome.xml are, in its order."""
    return _wrap({"series": list(paths)}, version)


def labels_attributes(names: Sequence[str], version: Version) -> Json:
    """Attributes of a ``labels`` group."""
    return _wrap({"labels": list(names)}, version)


def axis_name(index: int, convention: NamingConvention) -> str:
    """Name of a plate's row or column: 0 → ``A`` or ``1``; 26 → ``AA`` or ``27``."""
    if convention == "number":
        return str(index + 1)
    name, rest = "", index + 1
    while rest:
        rest, letter = divmod(rest - 1, _LETTERS)
        name = chr(ord("A") + letter) + name
    return name


def well_path(plate: Plate, row: int, column: int) -> str:
    """Path of a well in the store, e.g. ``B/7``."""
    return f"{axis_name(row, plate.row_naming)}/{axis_name(column, plate.column_naming)}"


def plate_attributes(plate: Plate, version: Version) -> Json:
    """Root attributes of a high-content screening store."""
    body: Json = {
        "name": plate.name,
        "rows": [{"name": axis_name(index, plate.row_naming)} for index in range(plate.rows)],
        "columns": [{"name": axis_name(index, plate.column_naming)} for index in range(plate.columns)],
        "wells": [{"path": well_path(plate, well.row, well.column), "rowIndex": well.row, "columnIndex": well.column} for well in plate.wells],
    }
    if fields := max((len(well.fields) for well in plate.wells), default=0):
        body["field_count"] = fields
    if plate.acquisitions:
        body["acquisitions"] = [
            {
                key: value
                for key, value in (
                    ("id", run.id),
                    ("name", run.name),
                    ("maximumfieldcount", run.maximum_field_count),
                    ("starttime", _epoch(run.start_time)),
                    ("endtime", _epoch(run.end_time)),
                )
                if value is not None
            }
            for run in plate.acquisitions
        ]
    return _wrap({"plate": body | {"version": version}}, version)


def _epoch(time: str | None) -> int | None:
    """Seconds since 1970 of an ISO 8601 time; ``None`` without a zone, since the moment is then not known."""
    if time is None:
        return None
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    return int(moment.timestamp()) if moment.tzinfo else None


def well_attributes(fields: Sequence[tuple[str, int | None]], version: Version) -> Json:
    """Attributes of a well group, from (path, acquisition) of each field."""
    images = [{"path": path} | ({} if run is None else {"acquisition": run}) for path, run in fields]
    return _wrap({"well": {"images": images} | ({"version": version} if version == "0.4" else {})}, version)
