"""Rules on values that cannot be true, whatever the format: dates, optics, times of planes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ..findings import Problem, Subject, rule
from ._views import SCHEMA, Series, has_series, series, shorten

_FIRST_YEAR = 1980
_MOST_MAGNIFICATION = 250
_NA = (0.01, 1.75)
_AIR = re.compile(r"air|dry", re.IGNORECASE)
_AIR_NA = 1.0
_UNALIKE = 0.25
_FEW = 2
_DAY_S = 86_400.0


def _any_dates(subject: Subject) -> bool:
    return has_series(subject) and any(view.metadata.acquisition_date for view in series(subject))


@rule(
    "ome.acquisition-date-implausible",
    severity="warning",
    title="Dates of acquisition lie between the first digital microscopes and today.",
    why="A date of 1970 or of next year shows that a clock was not set, or that something else was taken for a date.",
    fix="Look up the date in the lab book and enter it.",
    source=f"{SCHEMA}#Image_AcquisitionDate",
    needs="path",
    applies=_any_dates,
)
def _date(subject: Subject) -> Iterator[Problem]:
    latest = datetime.now(UTC) + timedelta(days=1)
    for view in series(subject):
        text = view.metadata.acquisition_date
        if not text:
            continue
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            yield Problem(f"{view.called} has the date of acquisition “{shorten(text)}”, which is no date.", series=view.index)
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if moment.year < _FIRST_YEAR or moment > latest:
            yield Problem(f"{view.called} says that it was taken on {shorten(text)}.", series=view.index)


@rule(
    "ome.objective-implausible",
    severity="warning",
    title="Objectives have a magnification and numerical aperture that objectives can have.",
    why="Resolution is computed from the aperture; a wrong one usually means that two fields were swapped, or a comma lost.",
    fix="Enter what is engraved on the objective.",
    source=f"{SCHEMA}#Objective",
    needs="path",
    applies=lambda subject: has_series(subject) and any(view.metadata.instrument for view in series(subject)),
)
def _objective(subject: Subject) -> Iterator[Problem]:
    told: set[str] = set()
    for view in series(subject):
        for lens in view.metadata.instrument.objectives if view.metadata.instrument else ():
            called = f"The objective {shorten(lens.model or lens.id or '')}".rstrip()
            aperture, enlarged = lens.numerical_aperture, lens.magnification
            sentences = []
            if enlarged is not None and not 0 < enlarged <= _MOST_MAGNIFICATION:
                sentences.append(f"{called} has a magnification of {enlarged:g}.")
            if aperture is not None and not _NA[0] <= aperture <= _NA[1]:
                sentences.append(f"{called} has a numerical aperture of {aperture:g}.")
            elif aperture is not None and aperture >= _AIR_NA and _AIR.fullmatch((lens.immersion or "").strip()):
                sentences.append(f"{called} has a numerical aperture of {aperture:g} in air, where less than 1 is possible.")
            for sentence in sentences:
                if sentence not in told:
                    told.add(sentence)
                    yield Problem(sentence, series=view.index)


def _any_planes(subject: Subject) -> bool:
    return has_series(subject) and any(view.metadata.planes for view in series(subject))


@rule(
    "ome.plane-times",
    severity="warning",
    title="Times and exposures of planes can be true.",
    why="Speeds, rates and bleaching are computed from them.",
    fix="Correct DeltaT and ExposureTime (in seconds). Falling times often mean that planes were sorted anew without their metadata.",
    source=f"{SCHEMA}#Plane",
    needs="path",
    applies=_any_planes,
)
def _plane_times(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        exposures = [plane.exposure_s for plane in view.metadata.planes if plane.exposure_s is not None and not 0 <= plane.exposure_s <= _DAY_S]
        if exposures:
            yield Problem(f"{view.called} has {len(exposures)} planes with an exposure such as {exposures[0]:g} s.", series=view.index)
        falling = _falling(view)
        if falling:
            z, c, t = falling
            yield Problem(
                f"{view.called} has a plane that was not taken after that of the time point before: z {z}, channel {c}, time {t}.", series=view.index
            )


def _falling(view: Series) -> tuple[int, int, int] | None:
    before: dict[tuple[int, int], tuple[int, float]] = {}
    # All planes at the same time is how some software writes that it knows none.
    if len({plane.delta_t_s for plane in view.metadata.planes} - {None}) < _FEW:
        return None
    for plane in sorted(view.metadata.planes, key=lambda plane: plane.t):
        if plane.delta_t_s is None:
            continue
        last = before.get((plane.z, plane.c))
        if last is not None and plane.t > last[0] and plane.delta_t_s <= last[1]:
            return plane.z, plane.c, plane.t
        before[plane.z, plane.c] = (plane.t, plane.delta_t_s)
    return None


@rule(
    "ome.time-disagrees",
    severity="warning",
    title="The interval between time points is the one of the times of the planes.",
    why="Some software takes the interval and some the times: the same movie then has two speeds.",
    fix="Correct the interval (TimeIncrement, or the scale along t), or remove it where the times are irregular.",
    source=f"{SCHEMA}#Pixels_TimeIncrement",
    needs="path",
    applies=lambda subject: _any_planes(subject) and any(view.metadata.time_increment_s for view in series(subject)),
)
def _time_disagrees(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        stated = view.metadata.time_increment_s
        times = sorted({plane.t: plane.delta_t_s for plane in reversed(view.metadata.planes) if plane.delta_t_s is not None}.items())
        if not stated or len(times) < _FEW or any(modulo.along == "T" for modulo in view.metadata.modulo):
            continue
        (first, begin), (last, end) = times[0], times[-1]
        measured = (end - begin) / (last - first)
        if measured > 0 and abs(measured - stated) > _UNALIKE * max(measured, stated):
            message = f"{view.called} says {stated:g} s between time points, but its planes were taken {measured:.4g} s apart."
            yield Problem(message, series=view.index)
