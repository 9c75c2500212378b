"""Times, exposures and stage positions of the planes of a CZI."""

from __future__ import annotations

import math
import re
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from ..image import Plane, Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..metadata.czi_mapping import CziMetadata, Exposure
    from .czi_container import CziFile
    from .czi_directory import Directory
    from .czi_series import Dimensions, Series

_TAG: Final = re.compile(rb"<(AcquisitionTime|StageXPosition|StageYPosition|FocusPosition)>\s*([^<]{1,64}?)\s*</")
_MOST: Final = 200_000
"""Subblocks whose own metadata are read; of more planes, only what the file says of all is known."""
_FEW: Final = 64


class _Opened(Protocol):
    """What is needed of an open file."""

    @property
    def files(self) -> Sequence[CziFile]: ...
    @property
    def directory(self) -> Directory: ...
    @property
    def dimensions(self) -> Dimensions: ...
    @property
    def found(self) -> CziMetadata: ...
    @property
    def stamps(self) -> tuple[float, ...]: ...


def planes_of(opened: _Opened, series: Series, said: Sequence[Exposure]) -> tuple[tuple[Plane, ...], float | None]:
    """What is known of every stored plane, and the time between time points if that is regular within 1 %.

    Times count from the file's date of acquisition; without one from the first time there is. A plane's time and height are those
    of its first tile, and its position is the middle of all its tiles. Where subblocks say nothing, the file's list of time stamps
    and the scene's position stand in.
    """
    shape = series.levels[0].shape
    tags = _tags(opened, series)
    times = _times(opened, series, {number: own[0] for number, own in tags.items()})
    scene = opened.found.scenes.get(series.scene or 0)
    position = scene.position if scene is not None else (None, None, None)
    step = opened.found.z_step_um or 0.0
    planes = []
    for number, own in tags.items():
        t, rest = divmod(number, shape.c * shape.z)
        c, z = divmod(rest, shape.z)
        base = None if position[2] is None else position[2] + step * (z % opened.dimensions.z)
        plane = Plane(
            t,
            c,
            z,
            delta_t_s=times.get(number),
            exposure_s=said[c].exposure_s,
            position_x=_middle(own, "StageXPosition") or _length(position[0]),
            position_y=_middle(own, "StageYPosition") or _length(position[1]),
            position_z=_middle(own[:1], "FocusPosition") or _length(base),
        )
        if plane != Plane(t, c, z):
            planes.append(plane)
    return tuple(planes), _increment(opened, times, shape.c * shape.z, shape.t)


def _tags(opened: _Opened, series: Series) -> dict[int, list[dict[str, str]]]:
    """What the subblocks of every stored plane say: the first, and others where their positions are needed."""
    full = series.levels[0]
    numbers, bounds = np.unique(full.plane, return_index=True)
    found: dict[int, list[dict[str, str]]] = {}
    left = _MOST
    for number, first, end in zip(numbers.tolist(), bounds.tolist(), [*bounds[1:].tolist(), len(full.plane)], strict=True):
        wanted = _telling(full.x[first:end], full.y[first:end])
        left -= len(wanted)
        found[number] = [_said_by(opened, int(full.rows[first + at])) for at in wanted] if left >= 0 else [{}]
    return found


def _telling(x: NDArray[Any], y: NDArray[Any]) -> list[int]:
    """The first tile, and those whose positions tell where the middle of all is."""
    if len(x) <= _FEW:
        return list(range(len(x)))
    return list(dict.fromkeys((0, int(x.argmin()), int(x.argmax()), int(y.argmin()), int(y.argmax()))))


def _said_by(opened: _Opened, row: int) -> dict[str, str]:
    xml = opened.files[int(opened.directory.file[row])].block_xml(int(opened.directory.position[row]))
    said = {name.decode(): value.decode("utf-8", "replace") for name, value in _TAG.findall(xml)}
    if opened.directory.depth[row] > 1:
        # The time is that of the first of many planes; the list of time stamps has each.
        said.pop("AcquisitionTime", None)
    return said


def _middle(tiles: Sequence[dict[str, str]], name: str) -> Quantity | None:
    """The middle of the tiles' positions, as stage positions are those of the middle of a field of view."""
    known = [length.value for tile in tiles if (length := _micrometres(tile.get(name))) is not None]
    return _length(float(f"{(min(known) + max(known)) / 2:.12g}")) if known else None


def _times(opened: _Opened, series: Series, tags: dict[int, dict[str, str]]) -> dict[int, float]:
    start = _moment(opened.found.date)
    moments = {number: moment for number, own in tags.items() if (moment := _moment(own.get("AcquisitionTime"))) is not None}
    # A time with a zone and one without cannot be compared.
    zoned = _zoned(start) if start is not None else any(map(_zoned, moments.values()))
    moments = {number: moment for number, moment in moments.items() if _zoned(moment) == zoned}
    if moments:
        first = start if start is not None else min(moments.values())
        return {number: round((moment - first).total_seconds(), 6) for number, moment in moments.items()}
    return _stamped(opened, series, tags, start)


def _stamped(opened: _Opened, series: Series, tags: dict[int, dict[str, str]], start: datetime | None) -> dict[int, float]:
    """Times from the list of time stamps: one for each time point, or one for each plane as these were acquired."""
    shape, stamps = series.levels[0].shape, opened.stamps
    if not stamps:
        return {}
    # ZEN blue counts from the date of acquisition. ZEN black, which gives no date, counts from when its electronics were switched on.
    origin = 0.0 if start is not None else stamps[0]
    each_plane = len(stamps) == shape.planes > shape.t
    times = {}
    for number in tags:
        t, rest = divmod(number, shape.c * shape.z)
        c, z = divmod(rest, shape.z)
        at = (t * shape.z + z) * shape.c + c if each_plane else t % len(opened.dimensions.times)
        if at < len(stamps):
            times[number] = round(stamps[at] - origin, 6)
    return times


def _increment(opened: _Opened, times: dict[int, float], per_time: int, count: int) -> float | None:
    """The time from one time point to the next, only if it is regular within 1 %."""
    listed = list(opened.found.time_offsets_s)
    if len(listed) != count:
        listed = [times[t * per_time] for t in range(count) if t * per_time in times]
    if len(listed) != count or count < 2:
        return None
    mean = (listed[-1] - listed[0]) / (count - 1)
    regular = mean > 0 and all(abs(later - earlier - mean) <= 0.01 * mean for earlier, later in pairwise(listed))
    return float(f"{mean:.9g}") if regular else None


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _zoned(moment: datetime) -> bool:
    return moment.tzinfo is not None


def _micrometres(text: str | None) -> Quantity | None:
    try:
        return None if text is None else _length(float(text))
    except ValueError:
        return None


def _length(micrometres: float | None) -> Quantity | None:
    return Quantity(micrometres, "µm") if micrometres is not None and math.isfinite(micrometres) else None
