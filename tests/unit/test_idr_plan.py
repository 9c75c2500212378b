"""Planning: many images at a time, in order, in memory that does not grow."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.idr import Idr
from lightmicroscopy.archives.idr_download import Job, download
from lightmicroscopy.archives.idr_plan import Planned, Planner, Wanted
from lightmicroscopy.archives.idr_tables import ImagesTable, annotation_rows, image_row
from lightmicroscopy.archives.manifest import Row
from lightmicroscopy.archives.ordered import AT_ONCE, in_order
from lightmicroscopy.errors import ArchiveError, MissingError, UsageError
from lightmicroscopy.selection import Selection
from tests.archives import Archive

from .idr_downloads import read_table

CROWD, FIELD, SKET, MOVED, NO_PIXELS = 99000100, 1230059, 13441308, 4007821, 99000001
BYTES_PER_ID = 1500


@pytest.fixture
def client(archive: Archive) -> Iterator[Client]:
    with Client(Endpoints(**archive.endpoints, configured=frozenset({"127.0.0.1"})), retries=0, sleep=lambda seconds: None) as client:
        yield client


@pytest.fixture
def idr(client: Client) -> Idr:
    return Idr(client, client.endpoints)


def test_memory_does_not_grow_with_the_number_of_images(idr: Idr, client: Client, archive: Archive, tmp_path: Path) -> None:
    archive.log = Forgetful()

    def peak(count: int) -> int:
        gc.collect()
        tracemalloc.start()
        with ImagesTable(tmp_path / "images.tsv") as images:

            def planned(image: Planned) -> None:
                images.add(image_row(image))
                list(annotation_rows(image))

            job = Job(Wanted("metadata"), tmp_path / "out", plan_only=True, manifest=tmp_path / "manifest.tsv", planned=planned)
            result = download(idr, client, job, range(CROWD, CROWD + count))
        assert (result.planned, result.failed) == (count, 0)
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    peak(20)
    few, many = peak(60), peak(260)
    assert len(read_table(tmp_path / "manifest.tsv")) == len(read_table(tmp_path / "images.tsv")) == 260
    assert many - few < 200 * BYTES_PER_ID


class Forgetful(list):  # type: ignore[type-arg]
    """A log that keeps nothing, since the archive lives in this process too."""

    def append(self, _: object) -> None:
        """Forget."""


def test_images_come_in_the_order_asked_for_whichever_is_found_first() -> None:
    gates = {number: threading.Event() for number in range(AT_ONCE)}

    def plan(number: int) -> int:
        if number < AT_ONCE:
            gates[number].wait(5)
            if number:
                gates[number - 1].set()
        return number

    gates[AT_ONCE - 1].set()
    assert [found for _, found in in_order(range(40), plan)] == list(range(40))


def test_no_more_is_looked_up_than_is_soon_needed() -> None:
    asked: list[int] = []

    def plan(number: int) -> int:
        asked.append(number)
        return number

    found = in_order(range(10**6), plan)
    assert next(found) == (0, 0)
    found.close()
    assert len(asked) <= 2 * AT_ONCE


def test_one_that_fails_is_its_error_and_the_others_are_there() -> None:
    def plan(number: int) -> int:
        if number % 3 == 1:
            raise MissingError(f"no {number}")
        return number

    found = dict(in_order(range(9), plan))
    assert [number for number, one in found.items() if isinstance(one, MissingError)] == [1, 4, 7]
    assert found[8] == 8


def test_a_fault_of_our_own_is_not_taken_for_a_failed_image() -> None:
    def plan(number: int) -> Planned:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(in_order([1, 2, 3], plan))


def test_stopping_early_does_not_wait_for_what_hangs() -> None:
    hangs = threading.Event()

    def plan(number: int) -> int:
        if number:
            hangs.wait(20)
        return number

    began = time.monotonic()
    found = in_order(range(100), plan)
    assert next(found) == (0, 0)
    found.close()
    assert time.monotonic() - began < 2
    hangs.set()


def test_images_of_one_plate_do_not_ask_for_the_plate_again_and_again(idr: Idr, client: Client, archive: Archive) -> None:
    planner = Planner(idr, client, Wanted("metadata"))
    for offset in range(6):
        with planner.plan(FIELD + offset) as planned:
            assert planned.place is not None
            assert (planned.place.well, planned.place.field) == ("F06", offset)
    assert len(archive.asked("web", "/api/v0/m/plates/")) == 1
    assert len(archive.asked("web", "/api/v0/m/wells/")) == 1
    assert len(archive.asked("web", "/api/v0/m/screens/")) == 1


@pytest.mark.parametrize(
    ("wanted", "number", "extension", "size"),
    [
        (Wanted(), MOVED, ".ome.tiff", 108 * 116 * 12 * 3 * 2),
        (Wanted(selection=Selection(z="0", t="1")), MOVED, ".ome.tiff", 108 * 116 * 2),
        (Wanted("ome-zarr"), MOVED, ".ome.zarr", 108 * 116 * 12 * 3 * 2),
        (Wanted("ome-zarr", zip=True), MOVED, ".ome.zarr.zip", 108 * 116 * 12 * 3 * 2),
        (Wanted("metadata"), NO_PIXELS, ".ome.xml", 0),
        (Wanted("original"), SKET, ".tif", 57_792),
        (Wanted(), SKET, ".ome.tiff", 57_792),
    ],
)
def test_a_plan_says_what_will_be_written_and_the_most_it_can_be(
    wanted: Wanted, number: int, extension: str, size: int, idr: Idr, client: Client
) -> None:
    with Planner(idr, client, wanted).plan(number) as planned:
        (row,) = planned.rows(wanted)
    assert planned.problem is None
    assert row.path.endswith(extension)
    assert row.bytes == size
    assert ("most it can be" in row.reason) == (number == MOVED)


def test_a_problem_with_the_pixels_keeps_what_is_known_of_the_image(idr: Idr, client: Client) -> None:
    with Planner(idr, client, Wanted()).plan(NO_PIXELS) as planned:
        assert isinstance(planned.problem, MissingError)
        assert planned.study is not None
        assert planned.study.licence == "CC0 1.0"
        assert image_row(planned)["pixels_from"] == "none"


def test_a_selection_is_judged_before_any_pixels_are_looked_for(idr: Idr, client: Client, archive: Archive) -> None:
    with Planner(idr, client, Wanted(selection=Selection(z="99"))).plan(SKET) as planned:
        assert isinstance(planned.problem, UsageError)
    assert archive.asked("originals") == archive.asked("web", "/webgateway/") == []


def test_no_such_image_is_an_error_of_its_own(idr: Idr, client: Client) -> None:
    with pytest.raises(MissingError, match="no image 77"):
        Planner(idr, client, Wanted()).plan(77)


def test_a_store_that_fails_is_not_forgotten_when_the_next_copy_serves(idr: Idr, client: Client, archive: Archive) -> None:
    archive.faults.add("status", "/v0.5/", service="objects", status=503, count=0)
    with Planner(idr, client, Wanted()).plan(6001240) as planned:
        assert planned.candidate is not None
        assert "/v0.4/" in planned.candidate.urls[0]
        assert any("Tried before:" in note and "503" in note for note in planned.notes)


def test_pixels_that_could_not_be_had_now_are_not_called_missing(idr: Idr, client: Client, archive: Archive) -> None:
    archive.faults.add("status", "SkeT", service="originals", status=503, count=0)
    with Planner(idr, client, Wanted()).plan(SKET) as planned:
        assert isinstance(planned.problem, ArchiveError)
        assert not isinstance(planned.problem, MissingError)
        assert "its pixels could not be had now. Tried: " in str(planned.problem)
        assert image_row(planned)["pixels_from"] == "unknown"


@pytest.mark.parametrize(
    ("wanted", "row", "fits"),
    [
        (Wanted(), Row("image-1", "done", path="1_a.ome.tiff"), True),
        (Wanted(), Row("image-1", "done", path="1_a.ome.zarr"), False),
        (Wanted("ome-zarr", zip=True), Row("image-1", "done", path="1_a.ome.zarr"), False),
        (Wanted("ome-zarr"), Row("image-1", "done", path="1_a.ome.zarr"), True),
        (Wanted(), Row("image-1", "done", path="1_a.ome.tiff", selection="--z 0"), False),
        (Wanted(selection=Selection(z="0")), Row("image-1", "done", path="1_a.ome.tiff", selection="--z 0"), True),
        (Wanted("original"), Row("image-1", "done", path="idr0001-a/b.tif", source_url="https://x/idr0001-a/b.tif"), True),
        (Wanted("original"), Row("image-1", "done", path="elsewhere/b.tif", source_url="https://x/idr0001-a/b.tif"), False),
        (Wanted("original"), Row("image-1", "done", path="b.tif", source_url="https://[/b.tif"), False),
    ],
)
def test_only_the_same_request_takes_over_what_is_there(wanted: Wanted, row: Row, fits: bool) -> None:
    assert wanted.fits(row) is fits
