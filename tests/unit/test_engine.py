"""The run that all downloads share: its limits, its order, and a manifest that is true whatever happens."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lightmicroscopy.archives.engine import Engine, Limits
from lightmicroscopy.archives.manifest import Row
from lightmicroscopy.errors import ArchiveError, UnwritableError, UsageError
from lightmicroscopy.galaxy import describe_files, format_of

from .idr_downloads import read_table


def planned(engine: Engine, count: int, size: int = 10) -> None:
    for number in range(count):
        engine.plan(number, [Row(f"item-{number}", "planned", path=f"{number}", bytes=size)])


def done(number: int, rows: Sequence[Row], _: list[Row]) -> Sequence[Row]:
    return [replace(row, status="done", sha256="x") for row in rows]


def engine_of(folder: Path, **options: object) -> Engine:
    return Engine(folder / "out", Limits(10, 1000), manifest=folder / "manifest.tsv", **options)  # type: ignore[arg-type]


def statuses(folder: Path) -> list[str]:
    return [row["status"] for row in read_table(folder / "manifest.tsv")]


def test_more_items_or_bytes_than_allowed_are_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"11 things are asked for, and at most 10"):
        Limits(10, 1).refuse_too_many(11, "things")
    with engine_of(tmp_path) as engine:
        planned(engine, 101)
        with pytest.raises(UsageError, match=r"Up to 1\.0 kB would be fetched"):
            engine.hold_against_limits()
    assert set(statuses(tmp_path)) == {"planned"}
    assert not (tmp_path / "out").exists()


def test_what_is_planned_twice_and_fetched_once_counts_once(tmp_path: Path) -> None:
    with engine_of(tmp_path) as engine:
        planned(engine, 101)
        engine.hold_against_limits(twice=10)


def test_a_disk_that_is_too_small_is_told_at_once(tmp_path: Path) -> None:
    with Engine(tmp_path / "out", Limits(10, 10**18)) as engine:
        engine.plan(0, [Row("item", "planned", bytes=10**17)])
        with pytest.raises(UnwritableError, match="Nothing was fetched"):
            engine.hold_against_limits()


@pytest.mark.parametrize("at_once", [1, 4])
def test_one_that_fails_is_a_row_and_the_others_are_done(tmp_path: Path, at_once: int) -> None:
    def work(number: int, rows: Sequence[Row], finished: list[Row]) -> Sequence[Row]:
        if number == 3:
            finished.append(replace(rows[0], path="half", status="done"))
            raise ArchiveError("It broke.")
        return done(number, rows, finished)

    told: list[int] = []
    with engine_of(tmp_path) as engine:
        planned(engine, 8)
        engine.fetch(range(8), work, at_once=at_once, done=lambda rows: told.append(len(rows)))
        assert (engine.tally.done, engine.tally.failed, engine.tally.impossible) == (7, 1, 0)
    rows = read_table(tmp_path / "manifest.tsv")
    assert [row["status"] for row in rows if row["item"] == "item-3"] == ["failed", "done"], "what was done of it is known"
    assert next(row["reason"] for row in rows if row["status"] == "failed") == "It broke."
    assert told == [1] * 8


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_full_disk_stops_the_rest_and_the_manifest_says_so(tmp_path: Path, at_once: int) -> None:
    def work(number: int, rows: Sequence[Row], finished: list[Row]) -> Sequence[Row]:
        if number == 2:
            raise UnwritableError("The disk is full.")
        return done(number, rows, finished)

    with engine_of(tmp_path) as engine:
        planned(engine, 9)
        with pytest.raises(UnwritableError):
            engine.fetch(range(9), work, at_once=at_once)
    assert statuses(tmp_path) == ["done", "done", "failed", *["planned"] * 6]


def test_a_fault_of_our_own_leaves_a_true_manifest_too(tmp_path: Path) -> None:
    def work(number: int, rows: Sequence[Row], finished: list[Row]) -> Sequence[Row]:
        if number == 1:
            raise ZeroDivisionError
        return done(number, rows, finished)

    with pytest.raises(ZeroDivisionError), engine_of(tmp_path) as engine:
        planned(engine, 3)
        engine.fetch(range(3), work, at_once=2)
    assert statuses(tmp_path) == ["done", "planned", "planned"]


def test_items_that_are_kept_or_failed_are_not_fetched(tmp_path: Path) -> None:
    asked: list[int] = []

    def work(number: int, rows: Sequence[Row], finished: list[Row]) -> Sequence[Row]:
        asked.append(number)
        return done(number, rows, finished)

    with engine_of(tmp_path) as engine:
        engine.keep(0, [Row("a", "done")])
        engine.fail(1, Row("b", "planned", path="x", bytes=3), UsageError("Impossible."))
        engine.plan(2, [Row("c", "planned")])
        engine.fetch(range(5), work)
    assert asked == [2]
    assert statuses(tmp_path) == ["done", "failed", "done"]
    assert (engine.tally.done, engine.tally.impossible) == (2, 1)


def test_the_manifest_is_written_while_the_work_goes_on(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def work(number: int, rows: Sequence[Row], finished: list[Row]) -> Sequence[Row]:
        seen.append(statuses(tmp_path))
        return done(number, rows, finished)

    with engine_of(tmp_path, clock=lambda: 0.0) as engine:
        planned(engine, 3)
        engine.fetch(range(3), work)
    assert seen == [["planned"] * 3, ["done", "planned", "planned"], ["done", "done", "planned"]]


def test_progress_adds_up_what_is_under_way_and_never_passes_the_total(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    gate = threading.Barrier(2, timeout=5)
    with engine_of(tmp_path, progress=lambda count, total: told.append((count, total))) as engine:
        planned(engine, 2, size=100)
        engine.hold_against_limits()

        def work(number: int, rows: Sequence[Row], finished: list[Row]) -> Sequence[Row]:
            engine.tell(number, 60)
            gate.wait()
            engine.tell(number, 500)
            return done(number, rows, finished)

        engine.fetch(range(2), work, at_once=2)
    assert (120, 200) in told
    assert max(told) == (200, 200)


def test_files_have_the_formats_that_galaxy_has_for_them() -> None:
    names = ["a.ome.tif", "b.TIF", "c.czi", "d.lsm", "e.ims", "f.tsv", "README.txt", "g"]
    assert [format_of(name) for name in names] == ["ome.tiff", "tiff", "data", "tiff", "h5", "tabular", "txt", "data"]


def test_a_plain_list_of_files_has_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    describe_files(["B/x/a.tif", "A/b.tif", "A/a.tif"], Path("out"), "originals", nested=False)
    elements = json.loads(Path("galaxy.json").read_text(encoding="utf-8"))["originals"]["elements"]
    assert [(one["name"], one["filename"], one["ext"]) for one in elements] == [
        ("A_a.tif", "out/A/a.tif", "tiff"),
        ("b.tif", "out/A/b.tif", "tiff"),
        ("B_x_a.tif", "out/B/x/a.tif", "tiff"),
    ]


def test_files_are_named_in_galaxy_by_their_names_or_where_these_repeat_by_their_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    describe_files(["B/x/a.tif", "A/b.tif", "A/y/A.tif", "A/x/a.tif", "A/c/x_a.tif"], Path("out"), "files")
    elements = json.loads(Path("galaxy.json").read_text(encoding="utf-8"))["files"]["elements"]
    assert [(one["name"], [(file["name"], file["filename"]) for file in one["elements"]]) for one in elements] == [
        ("A", [("b.tif", "out/A/b.tif"), ("x_a.tif", "out/A/c/x_a.tif"), ("x_a.tif~2", "out/A/x/a.tif"), ("y_A.tif", "out/A/y/A.tif")]),
        ("B", [("a.tif", "out/B/x/a.tif")]),
    ]
