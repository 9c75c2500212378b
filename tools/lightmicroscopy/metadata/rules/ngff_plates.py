"""Rules on plates of OME-Zarr: rows, columns, wells, fields and acquisitions that must fit together."""

from __future__ import annotations

from collections.abc import Iterator

from ..findings import Problem, Subject, rule
from ._groups import Json, entries, has_role, of_role, open_store_of, whole
from ._stores import SPECIFICATION
from ._views import listed, shorten

_PLATE = f"{SPECIFICATION}#plate-md"
_LATEST_S = 1 << 33
_WELL = f"{SPECIFICATION}#well-md"


def _names(plate: Json, key: str) -> list[str]:
    return [str(entry.get("name")) for entry in entries(plate, key)]


@rule(
    "ngff.plate-wells",
    severity="error",
    title="The path of every well, its row and its column agree.",
    why="Software that goes by the indexes shows the well in another place of the plate than software that goes by the path.",
    fix="Set rowIndex and columnIndex to the places, counted from 0, of the well's row and column in 'rows' and 'columns'.",
    source=_PLATE,
    needs="path",
    applies=has_role("plate"),
)
def _wells(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "plate"):
        plate = stored.block("plate")
        rows, columns = ({name: index for index, name in reversed(list(enumerate(_names(plate, key))))} for key in ("rows", "columns"))
        for number, well in enumerate(entries(plate, "wells")):
            where, path = f"plate.wells.{number}", well.get("path")
            row, _, column = path.partition("/") if isinstance(path, str) else ("", "", "")
            if row not in rows or column not in columns:
                yield stored.problem(where, f"The well “{shorten(str(path))}” is of a row or column that the plate does not list.")
                continue
            said = (well.get("rowIndex"), well.get("columnIndex"))
            if said != (rows[row], columns[column]):
                message = (
                    f"The well {path} has rowIndex {shorten(str(said[0]))} and columnIndex {shorten(str(said[1]))}, but its path is that of "
                    f"{rows[row]} and {columns[column]}."
                )
                yield stored.problem(where, message)


@rule(
    "ngff.plate-names",
    severity="warning",
    title="Names of rows and columns differ by more than upper and lower case.",
    why="On disks that do not tell a from A, as those of Windows and macOS, two such wells lie in one folder and overwrite each other.",
    fix="Name rows A, B, C and so on, and columns 1, 2, 3, as plates are labelled.",
    source=_PLATE,
    needs="path",
    applies=has_role("plate"),
)
def _case(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "plate"):
        for key in ("rows", "columns"):
            names = list(dict.fromkeys(_names(stored.block("plate"), key)))
            seen: dict[str, str] = {}
            alike = [f"{first} and {name}" for name in names if (first := seen.setdefault(name.lower(), name)) != name]
            if alike:
                yield stored.problem(f"plate.{key}", f"Of the plate's {key}, only upper and lower case tell apart: {listed(alike)}.")


@rule(
    "ngff.plate-field-count",
    severity="warning",
    title="The plate has as many fields per well as it says.",
    why="Software makes room for so many fields; with fewer it shows gaps, with more it leaves some out.",
    fix="Set field_count to the largest number of fields of a well, and maximumfieldcount to that of its acquisition.",
    source=_PLATE,
    needs="path",
    applies=has_role("well"),
)
def _field_count(subject: Subject) -> Iterator[Problem]:
    plate = next(iter(of_role(subject, "plate")), None)
    wells = of_role(subject, "well")
    if plate is None:
        return
    block = plate.block("plate")
    fields = {stored.path: entries(stored.block("well"), "images") for stored in wells}
    most = max(map(len, fields.values()), default=0)
    said = block.get("field_count")
    # Of a part of a plate, the wells with most fields may be elsewhere.
    if whole(said) and (said < most or (said > most and len(wells) >= len(entries(block, "wells")))):
        yield plate.problem("plate.field_count", f"The plate says that it has up to {said} fields per well; the most there are is {most}.")
    for number, run in enumerate(entries(block, "acquisitions")):
        limit, called = run.get("maximumfieldcount"), run.get("id")
        there = max((sum(field.get("acquisition") == called for field in images) for images in fields.values()), default=0)
        if whole(limit) and there > limit:
            message = f"The acquisition {called} says that it has at most {limit} fields per well, but a well has {there}."
            yield plate.problem(f"plate.acquisitions.{number}", message)


@rule(
    "ngff.plate-times",
    severity="warning",
    title="Acquisitions begin before they end, at times that can be true.",
    why="Times order what was done to the plate; a wrong unit puts them into 1970 or far into the future.",
    fix="Give starttime and endtime in seconds since 1970-01-01 (not milliseconds).",
    source=_PLATE,
    needs="path",
    applies=lambda subject: has_role("plate")(subject) and any(entries(plate.block("plate"), "acquisitions") for plate in of_role(subject, "plate")),
)
def _times(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "plate"):
        for number, run in enumerate(entries(stored.block("plate"), "acquisitions")):
            where = f"plate.acquisitions.{number}"
            times = [run.get(key) for key in ("starttime", "endtime")]
            for key, time in zip(("starttime", "endtime"), times, strict=True):
                if time is not None and (not whole(time) or not 0 <= time < _LATEST_S):
                    # The specification's own example has milliseconds.
                    millis = whole(time) and 0 <= time < _LATEST_S * 1000
                    message = f"The acquisition {run.get('id')} has the {key} {shorten(str(time))}, no second since 1970"
                    yield stored.problem(f"{where}.{key}", message + (" (but perhaps a millisecond)." if millis else "."), "info" if millis else None)
            if whole(times[0]) and whole(times[1]) and times[0] > times[1]:
                yield stored.problem(where, f"The acquisition {run.get('id')} ends before it begins.")


@rule(
    "ngff.well-acquisition",
    severity="error",
    title="Every field belongs to an acquisition of the plate, where there are several.",
    why="Which run a field is of tells time points and treatments apart; without it fields of two runs are taken for one.",
    fix="Give each field of 'well.images' the id of its acquisition, and list that id in 'plate.acquisitions'.",
    source=_WELL,
    needs="path",
    applies=has_role("well"),
)
def _acquisition(subject: Subject) -> Iterator[Problem]:
    plates = of_role(subject, "plate")
    runs = entries(plates[0].block("plate"), "acquisitions") if plates else []
    listed_runs = bool(plates) and isinstance(plates[0].block("plate").get("acquisitions"), list)
    known = [run.get("id") for run in runs]
    for stored in of_role(subject, "well"):
        for number, field in enumerate(entries(stored.block("well"), "images")):
            where, run, name = f"well.images.{number}", field.get("acquisition"), shorten(str(field.get("path")))
            if run is None:
                if len(runs) > 1:
                    yield stored.problem(
                        where, f"The field {name} of the well {stored.path} does not say of which of {len(runs)} acquisitions it is."
                    )
            elif listed_runs and run not in known:
                yield stored.problem(where, f"The field {name} of the well {stored.path} is of the acquisition {run}, which the plate does not list.")


@rule(
    "ngff.well-empty",
    severity="warning",
    title="Every well that is listed has fields.",
    why="A well without a field is either lost data or a list that was not cut down with the data.",
    fix="Copy the missing fields, or take the well out of the plate's list.",
    source=_WELL,
    needs="path",
    applies=has_role("well"),
)
def _empty(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "well"):
        if not entries(stored.block("well"), "images"):
            yield stored.problem("well.images", f"The well {stored.path} lists no field.")


@rule(
    "ngff.plate-row-group",
    severity="warning",
    title="Every row of a plate is a group of its own.",
    why="The layout asks for a group between the plate and its wells; software that walks from group to group does not get past a plain folder.",
    fix="Write the file that makes the row's folder a group: zarr.open_group on it, or a .zgroup as that of the plate (zarr.json in 0.5).",
    source=f"{SPECIFICATION}#hcs-layout",
    needs="path",
    applies=has_role("plate"),
)
def _row_groups(subject: Subject) -> Iterator[Problem]:
    with open_store_of(subject) as store:
        for stored in of_role(subject, "plate"):
            name = "zarr.json" if stored.group.zarr_format == 3 else ".zgroup"
            paths = [well.get("path") for well in entries(stored.block("plate"), "wells")]
            rows = dict.fromkeys(path.partition("/")[0] for path in paths if isinstance(path, str) and "/" in path)
            listed_rows = set(_names(stored.block("plate"), "rows"))
            bare = [row for row in rows if row in listed_rows and row.isalnum() and store.size(stored.group.below(f"{row}/{name}")) is None]
            if bare:
                yield stored.problem(
                    "plate.rows", f"{_of_rows(bare)} no {name}: in Zarr, {'that folder is' if len(bare) == 1 else 'those folders are'} no group."
                )


def _of_rows(rows: list[str]) -> str:
    return f"The row {shorten(rows[0])} has" if len(rows) == 1 else f"The rows {listed(rows)} have"
