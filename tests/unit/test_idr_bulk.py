"""The bulk annotation tables of the IDR, as far as they are about what was asked for."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.idr import Idr
from lightmicroscopy.archives.idr_bulk import BulkTables, safe
from lightmicroscopy.archives.idr_study import Place
from tests.archives import Archive
from tests.archives.content.oddities import BIG, CROWD, NO_PIXELS

from .idr_downloads import Downloads, Row, Run, asked, read_table

METADATA = ("--format", "metadata", "--plan-only")


def bulk(download: Downloads, *arguments: object, code: int = 0) -> tuple[list[Row], Run]:
    """Plan with the bulk annotations, and read them."""
    run = download(*arguments, *METADATA, "--bulk-annotations", download.folder / "bulk.tsv", "--bulk-columns", download.folder / "columns.tsv")
    assert run.code == code, run.stderr
    return read_table(download.folder / "bulk.tsv"), run


def test_the_row_of_a_well_is_found_in_the_table_of_its_screen(download: Downloads, archive: Archive) -> None:
    with asked(archive) as paths:
        (row,), _ = bulk(download, "plate:340/O02")
    assert row["study"] == "idr0008-rohn-actinome/screenB"
    assert (row["parent"], row["Plate"], row["Well"], row["Gene Symbol"]) == ("screen-206", "340", "45217", "ECT2")
    assert len([path for path in paths if "/table/" in path]) == 2, "the columns, then one question for the well"


def test_the_types_of_the_columns_are_a_table_of_their_own(download: Downloads) -> None:
    bulk(download, "plate:340/O02")
    columns = read_table(download.folder / "columns.tsv")
    assert [(row["position"], row["column"], row["type"]) for row in columns[:3]] == [
        ("0", "Plate", "PlateColumn"),
        ("1", "Well Number", "StringColumn"),
        ("2", "Well", "WellColumn"),
    ]
    assert {row["table_id"] for row in columns} == {"15026339"}


def test_of_a_plate_all_its_wells_are_there_and_none_of_another(download: Downloads, archive: Archive) -> None:
    with asked(archive) as paths:
        rows, _ = bulk(download, "plate:2551")
    assert len(rows) == 96
    assert {row["Plate"] for row in rows} == {"2551"}
    assert len([path for path in paths if "/table/" in path]) == 2, "the columns, then one question for the plate"


def test_tables_of_two_studies_share_a_header(download: Downloads) -> None:
    rows, _ = bulk(download, "plate:340/O02 plate:2551/F06/0")
    assert [(row["parent"], row["Well"]) for row in rows] == [("screen-3", "590065"), ("screen-206", "45217")]
    assert [row["Control Type"] for row in rows] == ["wild type", ""]
    assert [row["Gene Symbol"] for row in rows] == ["", "ECT2"]


def test_of_a_table_by_image_only_the_images_asked_for_are_there(download: Downloads) -> None:
    rows, _ = bulk(download, BIG, NO_PIXELS)
    assert [(row["Image"], row["score"], row["cells"], row["mitotic"]) for row in rows] == [
        (str(NO_PIXELS), "1e-12", "-3", "false"),
        (str(BIG), "NaN", "5", "true"),
    ]


def test_no_text_is_taken_for_a_formula_and_numbers_stay_numbers(download: Downloads) -> None:
    (row,), _ = bulk(download, BIG)
    assert row["Comments"].startswith("'=HYPERLINK")
    assert row["Comments~2"] == "-1.5"
    assert row["'=cmd"] == "'@SUM(A1)"
    assert row["outline"] == "1; 2.5"


@pytest.mark.parametrize(
    ("value", "written"), [("=1+1", "'=1+1"), ("-x", "'-x"), ("-5", "-5"), ("+1e-3", "+1e-3"), ("@a", "'@a"), ("a=1", "a=1"), (" =1", "'=1")]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(value: str, written: str) -> None:
    assert safe(value) == written


def test_a_long_table_is_read_page_by_page(archive: Archive, tmp_path: Path) -> None:
    endpoints = Endpoints(**archive.endpoints, configured=frozenset({"127.0.0.1"}))
    tables = BulkTables()
    for number in range(1200):
        tables.add(CROWD + number, Place("idr9999", "", "project", 99_000_000, "idr9999-invented-oddities/experimentA", dataset_id=99_001))
    with Client(endpoints) as client, asked(archive) as paths:
        assert tables.write(Idr(client, endpoints), tmp_path / "bulk.tsv") == 0
    rows = read_table(tmp_path / "bulk.tsv")
    assert len(rows) == 1200
    assert [rows[0]["Image"], rows[-1]["Image"]] == [str(CROWD), str(CROWD + 1199)]
    assert len([path for path in paths if "/table/" in path]) == 4, "a table that cannot be opened, the columns, two pages"


def test_an_older_table_that_is_given_for_a_newer_one_is_told(download: Downloads, archive: Archive) -> None:
    both = json.dumps({"data": [{"file": 15026339}, {"file": 15026340}]})
    archive.faults.add("replace", "/webgateway/annotations/Screen/206/", body=both, content_type="application/json", count=0)
    (row,), run = bulk(download, "plate:340/O02")
    assert row["table_id"] == "15026339"
    assert "older ones (table 15026339)" in run.stderr


def test_a_study_without_such_a_table_gives_an_empty_one_and_says_so(download: Downloads) -> None:
    rows, run = bulk(download, 6001240)
    assert rows == []
    assert "no bulk annotations of project-801" in run.stderr


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"error": "Could not retrieve table"}', "Could not retrieve table"),
        ("[]", "no table"),
        (
            '{"data": {"columns": ["Plate"], "column_types": ["PlateColumn"], "rows": [[1, 2]]}, "meta": {"totalCount": 1, "offset": 0}}',
            "other columns",
        ),
        ('{"data": {"columns": [], "rows": []}}', "no columns"),
    ],
)
def test_an_answer_that_is_no_such_table_is_told_and_costs_no_image(download: Downloads, archive: Archive, body: str, told: str) -> None:
    first = 2 if told == "other columns" else 1
    archive.faults.add("replace", r"/webgateway/table/", body=body, content_type="application/json", first=first, count=0)
    rows, run = bulk(download, "plate:340/O02")
    assert rows == []
    assert told in run.stderr
    assert run.statuses == [("image-122770", "planned")]


def test_with_strict_a_table_that_is_not_whole_fails_the_call(download: Downloads, archive: Archive) -> None:
    archive.faults.add("status", r"/webgateway/table/", status=500, count=0)
    bulk(download, "plate:340/O02", "--strict", code=3)


@pytest.mark.parametrize(
    "meta",
    [
        {"totalCount": 10, "offset": 0, "limit": 2},
        {"totalCount": 10**18, "offset": 0},
        {"totalCount": "x", "offset": 0},
        {"totalCount": 1, "offset": 7},
    ],
)
def test_a_table_that_never_ends_or_lies_about_its_rows_is_an_error_and_no_loop(meta: dict[str, Any], tmp_path: Path) -> None:
    class Endless:
        asked_for = 0

        def asked(self, path: str, what: str) -> Any:
            self.asked_for += 1
            assert self.asked_for < 100
            if "annotations" in path:
                return {"data": [{"file": 5}]}
            rows = [[1, 2]] if self.asked_for == 3 else []
            return {"data": {"columns": ["Image", "x"], "column_types": ["ImageColumn", "LongColumn"], "rows": rows}, "meta": meta}

    tables = BulkTables()
    tables.add(1, Place("idr0001", "", "project", 1, "idr0001-a-b/experimentA"))
    assert tables.write(Endless(), tmp_path / "bulk.tsv") == 1  # type: ignore[arg-type]


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    class Long:
        def asked(self, path: str, what: str) -> Any:
            if "annotations" in path:
                return {"data": [{"file": 5}]}
            offset = int(path.partition("offset=")[2].partition("&")[0])
            rows = [[number, "x" * 100] for number in range(offset, min(offset + 1000, 60_000))]
            return json.loads(
                json.dumps(
                    {
                        "data": {"columns": ["n", "x"], "column_types": ["LongColumn", "StringColumn"], "rows": rows},
                        "meta": {"totalCount": 60_000, "offset": offset},
                    }
                )
            )

    tables = BulkTables()
    tables.add(1, Place("idr0001", "", "project", 1, "idr0001-a-b/experimentA"))
    tracemalloc.start()
    assert tables.write(Long(), tmp_path / "bulk.tsv") == 0  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    with (tmp_path / "bulk.tsv").open(encoding="utf-8") as lines:
        assert sum(1 for _ in lines) == 60_001
    assert peak < 4_000_000
