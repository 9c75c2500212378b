"""When and where each plane of an ND2 file was taken."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from ..image import Plane, Quantity
from ..readers.nd2_variant import Tree, number, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..readers.nd2_chunks import Chunks
    from ..readers.nd2_loops import Order

_EPOCH: Final = 2440587.5
"""Julian day of 1970-01-01T00:00Z."""
_YEARS: Final = (1990, 2100)
_ZONES: Final = (timedelta(hours=-12), timedelta(hours=14))
_QUARTER: Final = timedelta(minutes=15)
_SLACK: Final = timedelta(minutes=3)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE: Final = re.compile(r"(\d{1,4})[./-](\d{1,2}|[A-Za-z]{3})[./-](\d{1,4})\.?\s+(\d{1,2}):(\d{2}):(\d{2})\s*([AaPp])?")
MOST_PLANES: Final = 1_000_000
"""Planes whose times and positions are kept; a table of more would not fit into memory beside the rest."""
_REGULAR: Final = 0.01


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was measured with every frame; None where it was not, or not with all of them."""

    times_s: NDArray[np.float64] | None
    x: NDArray[np.float64] | None
    y: NDArray[np.float64] | None
    z: NDArray[np.float64] | None
    first: Tree
    """The picture metadata, which have the position of the first frame."""


def read_recorded(chunks: Chunks, picture: Tree, frames: int) -> Recorded:
    """Read the tables of values by frame.

    NIS-Elements fills columns that were not recorded with zeros, so a position that is zero throughout is none.
    """
    times = _column(chunks, b"CustomData|AcqTimesCache!", frames)
    x, y, z = (_column(chunks, b"CustomData|%s!" % name, frames) for name in (b"X", b"Y", b"Z"))
    if z is None or not z.any():
        # Each drive has a column of its own; the sum of them is the one without a number.
        z = _column(chunks, b"CustomData|Z1!", frames)
    if all(column is None or not column.any() for column in (x, y)):
        x = y = None
    return Recorded(None if times is None else times / 1000, x, y, z if z is not None and z.any() else None, picture)


def _column(chunks: Chunks, name: bytes, frames: int) -> NDArray[np.float64] | None:
    data = chunks.read(name)
    if data is None or len(data) < 8 * frames or not frames:
        return None
    column = np.frombuffer(data, "<f8", frames).astype(np.float64)
    return column if np.isfinite(column).all() else None


def make_planes(recorded: Recorded, order: Order, position: int, exposures_s: tuple[float | None, ...], channels: int) -> tuple[Plane, ...]:
    """Make the table of the planes of one position."""
    times, stacks = order.size("T", "U"), order.size("Z")
    if times * stacks * channels > MOST_PLANES:
        return ()
    micrometres = cache(lambda value: Quantity(value, "µm"))
    heights = _heights(recorded, order, position)
    point = order.points[position] if position < len(order.points) else None
    still_x = point.x if point and point.x is not None else number(recorded.first, "dXPos")
    still_y = point.y if point and point.y is not None else number(recorded.first, "dYPos")
    planes = []
    for t in range(times):
        for z in range(stacks):
            frame = order.frame(position, t, z)
            x = still_x if recorded.x is None else float(recorded.x[frame])
            y = still_y if recorded.y is None else float(recorded.y[frame])
            height = heights[t * stacks + z]
            time = None if recorded.times_s is None else float(recorded.times_s[frame])
            planes += [
                Plane(
                    t,
                    c,
                    z,
                    delta_t_s=time,
                    exposure_s=exposures_s[c] if c < len(exposures_s) else None,
                    position_x=None if x is None else micrometres(x),
                    position_y=None if y is None else micrometres(y),
                    position_z=None if height is None else micrometres(height),
                )
                for c in range(channels)
            ]
    return tuple(sorted(planes, key=lambda plane: (plane.t, plane.c, plane.z)))


def _heights(recorded: Recorded, order: Order, position: int) -> list[float | None]:
    """Height of every plane, z fastest.

    Where the recorded drive stood still while another one moved, which is how piezo stacks are taken, the steps of the stack
    are added to the height of its first plane.
    """
    times, stacks = order.size("T", "U"), order.size("Z")
    loop = order.only("Z")
    step = (loop.step_um or 0.0) * (1 if loop.upwards else -1) if loop else 0.0
    point = order.points[position] if position < len(order.points) else None
    still = point.z if point and point.z is not None else number(recorded.first, "dZPos")
    if recorded.z is None:
        return [None if still is None else still + z * step for _ in range(times) for z in range(stacks)]
    found = [[float(recorded.z[order.frame(position, t, z)]) for z in range(stacks)] for t in range(times)]
    if stacks > 1 and step and all(abs(stack[-1] - stack[0]) < abs(step) / 2 for stack in found):
        # The metadata of the first frame tell the height of all drives together.
        low = number(recorded.first, "dZPos")
        shift = 0.0 if low is None else low - float(recorded.z[0])
        found = [[stack[0] + shift + z * step for z in range(stacks)] for stack in found]
    return [height for stack in found for height in stack]


def runs_downwards(recorded: Recorded, order: Order) -> bool:
    """Whether planes follow each other from the top."""
    loop = order.only("Z")
    if loop is None or loop.count < 2:
        return False
    heights = _heights(recorded, order, 0)
    first, last = heights[0], heights[loop.count - 1]
    return last < first if first is not None and last is not None and last != first else not loop.upwards


def time_step(recorded: Recorded, order: Order, position: int) -> float | None:
    """The interval between time points in seconds, only if it is regular within 1 %; none where phases differ in theirs."""
    times = order.size("T", "U")
    loop = order.only("T", "U")
    if times < 2 or loop is None or loop.kind != "T" or loop.phases > 1:
        return None
    if recorded.times_s is None:
        return loop.period_s
    stamps = [float(recorded.times_s[order.frame(position, t, 0)]) for t in range(times)]
    mean = (stamps[-1] - stamps[0]) / (times - 1)
    regular = mean > 0 and all(abs(later - earlier - mean) <= _REGULAR * mean for earlier, later in pairwise(stamps))
    return float(f"{mean:.9g}") if regular else None


def acquired(picture: Tree, texts: Tree, duration_s: float) -> str | None:
    """Date and time of the start, in the local time of the microscope and without a zone.

    The Julian day is in UTC; the text is in local time, in the spelling of the computer's language, and was written when the
    acquisition began or when it ended. Their difference, which must be whole quarters of an hour but for a few minutes, tells the
    zone. Where it does not, the time is given in UTC.
    """
    written = _readings(text(texts, "TextInfoItem_9"))
    start = _utc(number(picture, "dTimeAbsolute"))
    if start is None:
        return written[0].isoformat(timespec="seconds") if len(written) == 1 else None
    best: tuple[timedelta, timedelta] | None = None
    for local in written:
        for since in (start, start + timedelta(seconds=duration_s)):
            away = local - since
            zone = _QUARTER * round(away / _QUARTER)
            if _ZONES[0] <= zone <= _ZONES[1] and abs(away - zone) <= _SLACK:
                best = min(best, (abs(away - zone), zone)) if best else (abs(away - zone), zone)
    if best is None:
        return start.isoformat(timespec="milliseconds") + "Z"
    return (start + best[1]).isoformat(timespec="milliseconds")


def _utc(day: float | None) -> datetime | None:
    seconds = ((day or 0.0) - _EPOCH) * 86400
    if not math.isfinite(seconds) or not 0 < seconds < 4e9:
        return None
    moment = datetime.fromtimestamp(0, UTC).replace(tzinfo=None) + timedelta(seconds=round(seconds, 3))
    return moment if _YEARS[0] <= moment.year < _YEARS[1] else None


def _readings(written: str | None) -> list[datetime]:
    """Every way to read a date that is spelt as some country does."""
    match = _DATE.search(written or "")
    if match is None:
        return []
    first, second, third, hour, minute, second_ = match[1], match[2], match[3], int(match[4]), int(match[5]), int(match[6])
    if match[7]:
        hour = hour % 12 + (12 if match[7] in "Pp" else 0)
    if second.isalpha():
        month = _MONTHS.index(second.lower()) + 1 if second.lower() in _MONTHS else 0
        orders = [(int(third), month, int(first))]
    elif len(first) == 4:
        orders = [(int(first), int(second), int(third))]
    else:
        orders = [(int(third), int(second), int(first)), (int(third), int(first), int(second))]
    readings = []
    for year, month, day in orders:
        try:
            readings.append(datetime(year + 2000 if year < 100 else year, month, day, hour, minute, second_))
        except ValueError:
            continue
    return list(dict.fromkeys(readings))
