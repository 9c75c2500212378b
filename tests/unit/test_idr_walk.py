"""From containers to their images: what the sample archive has, and what a server gets wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.idr import Idr
from lightmicroscopy.archives.idr_spec import parse_named
from lightmicroscopy.archives.idr_walk import Container, Found, Walk
from lightmicroscopy.errors import ArchiveError, MissingError, SuiteError, UsageError
from tests.archives import Archive

from .idr_answers import idr_answering

API = "/api/v0/m"


@pytest.fixture
def walk(archive: Archive) -> Iterator[Walk]:
    endpoints = Endpoints(**archive.endpoints, configured=frozenset({"127.0.0.1"}))
    with Client(endpoints, retries=0, sleep=lambda seconds: None) as client:
        yield Walk(Idr(client, endpoints))


def images(walk: Walk, text: str) -> list[Found]:
    return [found for named in parse_named([text]) for found in walk.images(named)]


# --- the sample archive


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("project:801", 22),
        ("dataset:11621", 11),
        ("screen:3", 582),
        ("plate:2551", 576),
        ("plate:2559", 6),
        ("plate:2551/F06", 6),
        ("plate:2551/f6", 6),
        ("plate:2551/F06/0", 1),
        ("well:592362", 3),
        ("well:592362/2", 1),
        ("acquisition:3001", 96),
        ("run-3001 run-3002", 192),
        ("acquisition:3001/F06", 1),
        ("dataset:99001", 1200),
        ("dataset:99002", 0),
        ("plate:99000492", 0),
        ("image-6001240", 1),
        ("idr0062", 22),
        ("IDR0062", 22),
        ("idr0062-blin-nuclearsegmentation", 22),
        ("idr0062-blin-nuclearsegmentation/experimentA", 22),
        ("idr0062/experimentA/Acini", 3),
        ("idr0062/acini", 3),
        ("idr0062/11620", 3),
        ("idr0062/Blastocysts/B1_C1.tif", 1),
        ("idr0062/Blastocysts/6001240", 1),
        ("project:801/Blastocysts", 11),
        ("idr0001/JL_120809_S14B/H10/1", 1),
        ("screen:3/JL_120809_S14B", 6),
    ],
)
def test_everything_that_is_named_is_walked_through(walk: Walk, text: str, count: int) -> None:
    found = images(walk, text)
    assert len(found) == count
    assert len({one.image for one in found}) == count


def test_an_image_of_a_dataset_says_where_it_lies(walk: Walk) -> None:
    (found,) = images(walk, "idr0062/Blastocysts/B1_C1.tif")
    assert (found.image, found.name, found.dataset, found.plate, found.well, found.field) == (6001240, "B1_C1.tif", "Blastocysts", "", "", None)
    assert (found.container.kind, found.container.id, found.container.name) == ("project", 801, "idr0062-blin-nuclearsegmentation/experimentA")


def test_wells_come_column_by_column_and_are_still_named_rightly(walk: Walk) -> None:
    found = images(walk, "plate:2551")
    assert [one.well for one in found[::6]][:9] == ["A01", "B01", "C01", "D01", "E01", "F01", "G01", "H01", "A02"]
    f6 = [(one.image, one.field) for one in found if one.well == "F06"]
    assert f6 == [(1230059 + field, field) for field in range(6)]
    assert {one.name for one in found if one.well == "H12" and one.field == 5} == {"JL_120731_S6A [Well H12, Field 6]"}


def test_a_plate_whose_rows_and_columns_are_not_known_has_its_wells(walk: Walk) -> None:
    assert [(one.well, one.field) for one in images(walk, "plate:2559")] == [
        ("A01", 0),
        ("A01", 1),
        ("C03", 0),
        ("H10", 0),
        ("H10", 1),
        ("H10", 2),
    ]


def test_fields_of_one_run_keep_their_numbers_on_the_plate(walk: Walk) -> None:
    assert {one.field for one in images(walk, "acquisition:3001")} == {1}


def test_a_well_knows_its_plate_and_screen(walk: Walk) -> None:
    (found,) = images(walk, "well:45217")
    assert (found.image, found.plate, found.well, found.field) == (122770, "Plate8_Actinome1", "O02", 0)
    assert found.container.name == "idr0008-rohn-actinome/screenB"


def test_an_image_in_nothing_is_found_and_lies_in_nothing(walk: Walk) -> None:
    assert images(walk, "99000008")[0].container == Container()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("project:5", "The IDR has no project 5, or it is not public. Check the number at the IDR's page."),
        ("dataset:801", "The IDR has no dataset 801"),
        ("well:1", "The IDR has no well 1"),
        ("acquisition:1", "The IDR has no plateacquisition 1"),
        ("idr0063", "The IDR has no study idr0063, or it is not public. Near ones are idr0062"),
        ("idr0062-blin-nuclearsegmentatoin", "Near ones are idr0062-blin-nuclearsegmentation"),
        ("idr7777-nobody-nothing", "Check the accession at the IDR's page."),
        ("idr0062/experimentB", "Project 801 has no dataset experimentB. It has Acini, Blastocysts, E75, E875, Neural."),
        ("idr0062/Blastocyst", "Project 801 has no dataset Blastocyst."),
        ("dataset:11620/B1_C1.tif", "Dataset 11620 has no image B1_C1.tif. It has E14tg2a_d2.tif, Tcf15_KO_d2.tif, Tcf_Het_d2.tif."),
        ("dataset:99002/x", "Dataset 99002 has no image x. It has none at all."),
        ("dataset:99001/x", "crowd 0011 and others."),
        ("plate:2551/A13", "Plate 2551 (JL_120731_S6A) has no well A13."),
        ("plate:2551/F06/6", "Well F06 of plate 2551 has no field 6. Its fields are 0, 1, 2, 3, 4, 5; they are counted from 0."),
        ("well:592362/3", "Well 592362 has no field 3."),
        ("screen:3/nosuch", "Screen 3 has no plate nosuch. It has JL_120731_S6A, JL_120809_S14B."),
    ],
)
def test_what_is_not_there_is_told_with_what_is(walk: Walk, text: str, sentence: str) -> None:
    with pytest.raises(MissingError) as missing:
        images(walk, text)
    assert sentence in str(missing.value)


@pytest.mark.parametrize("text", ["plate:2551/nowell", "plate:2551/F06/first", "plate:2551/F06/-1", "well:592362/x", "plate:2551/F06/\u0663"])
def test_what_is_no_well_and_no_field_is_refused(walk: Walk, text: str) -> None:
    with pytest.raises(UsageError, match=r"is no (well|field)"):
        images(walk, text)


def test_images_are_given_while_the_walk_goes_on(walk: Walk, archive: Archive) -> None:
    (named,) = parse_named(["project:99000000"])
    found = walk.images(named)
    next(found)
    assert len(archive.asked("web", "/images/")) == 1
    found.close()


def test_the_list_of_studies_is_asked_for_once(walk: Walk, archive: Archive) -> None:
    for text in ("idr0062", "idr0001/JL_120809_S14B", "idr0062/Acini"):
        images(walk, text)
    assert len(archive.asked("web", "/m/projects/")) - len(archive.asked("web", "/m/projects/801/")) == 1


@pytest.mark.parametrize(
    ("kind", "path", "options", "sentence"),
    [
        ("lie", "/m/plates/2559/wells/", {"count": 0}, "says that there are 30 in its list of the wells of plate 2559, and gives 3"),
        ("html", "/m/plates/2559/wells/", {"count": 0}, "answered with a web page"),
        ("json-error", "/m/plates/2559/wells/", {"count": 0}, "500 Internal Server Error"),
        ("replace", "/m/plates/2559/wells/", {"count": 0, "body": "[7]", "content_type": "application/json"}, "answered with something else"),
        ("replace", "/m/plates/2559/$", {"count": 0, "body": '{"data": {"@id": 1}}', "content_type": "application/json"}, "something else"),
        ("status", "/m/plates/2559/screens/", {"count": 0, "status": 404}, "The IDR has no screens of plate 2559"),
    ],
)
def test_a_list_that_fails_is_an_error_and_never_a_shorter_list(
    walk: Walk, archive: Archive, kind: str, path: str, options: dict[str, Any], sentence: str
) -> None:
    archive.faults.add(kind, path, **options)
    with pytest.raises(ArchiveError) as failed:
        images(walk, "plate:2559")
    assert sentence in str(failed.value)


# --- servers that are wrong


def answers(wells: list[Any], **plate: Any) -> dict[str, Any]:
    def page(*data: Any) -> Any:
        return {"data": list(data), "meta": {"totalCount": len(data), "limit": 1000}}

    return {
        f"{API}/plates/5/": {"data": {"@id": 5, "Name": "P", **plate}},
        f"{API}/plates/5/screens/": page(),
        f"{API}/plates/5/wells/": page(*wells),
    }


def well(row: Any, column: Any, *found: Any, number: int = 9) -> Any:
    samples = [{"@id": 1, "Image": {"@id": image, "Name": "x"}} if isinstance(image, int) else image for image in found]
    return {"@id": number, "Row": row, "Column": column, "WellSamples": samples}


def test_a_field_without_an_image_keeps_its_number() -> None:
    with idr_answering(answers([well(0, 0, {}, 7, {"Image": None}, {"Image": {"@id": "8"}}, 9)])) as (idr, _):
        assert [(one.image, one.field) for one in images(Walk(idr), "plate:5")] == [(7, 1), (9, 4)]


def test_a_plate_in_no_screen_is_its_own_container() -> None:
    with idr_answering(answers([well(0, 0, 7)])) as (idr, _):
        assert images(Walk(idr), "plate:5")[0].container == Container("plate", 5, "P")


def test_wells_of_a_plate_that_names_its_rows_by_numbers_are_found_by_either_name() -> None:
    naming = {"RowNamingConvention": "number", "ColumnNamingConvention": "letter"}
    with idr_answering(answers([well(1, 6, 7), well(6, 1, 8, number=10)], **naming)) as (idr, _):
        assert [one.image for one in images(Walk(idr), "plate:5/2G")] == [7]
        assert [one.well for one in images(Walk(idr), "plate:5/2G")] == ["B07"]
        assert [one.image for one in images(Walk(idr), "plate:5/B07")] == [7]


@pytest.mark.parametrize("bad", [well(None, 0, 7), well("0", 0, 7), well(0, -1, 7), well(0, 10_000, 7), well(0.0, 0, 7), well(True, 0, 7)])
def test_a_well_that_is_nowhere_on_its_plate_is_told(bad: Any) -> None:
    with idr_answering(answers([bad])) as (idr, _), pytest.raises(ArchiveError, match="which row and column of its plate well 9 is"):
        images(Walk(idr), "plate:5")


@pytest.mark.parametrize("samples", [None, "x", {}, 7, [7, None, "x", []]])
def test_a_well_with_nonsense_for_fields_has_no_images(samples: Any) -> None:
    with idr_answering(answers([{"@id": 9, "Row": 0, "Column": 0, "WellSamples": samples}])) as (idr, _):
        assert images(Walk(idr), "plate:5") == []


def test_names_with_line_ends_and_controls_are_cleaned() -> None:
    with idr_answering(answers([well(0, 0, {"Image": {"@id": 7, "Name": "a\nb\x1b[31m\u202e"}})], Name="P\tQ" + "x" * 5000)) as (idr, _):
        (found,) = images(Walk(idr), "plate:5")
    assert found.name == "a b[31m"
    assert found.plate.startswith("P Qx")
    assert len(found.plate) <= 1024


@pytest.mark.parametrize("data", [None, [], {}, {"@id": 6}, {"@id": "5"}, [{"@id": 5}, {"@id": 5}]])
def test_an_answer_about_another_plate_is_not_taken_for_it(data: Any) -> None:
    with idr_answering({**answers([]), f"{API}/plates/5/": {"data": data}}) as (idr, _), pytest.raises(SuiteError, match="plate 5"):
        images(Walk(idr), "plate:5")


def test_of_two_plates_of_one_name_the_one_that_has_the_well_is_found() -> None:
    listed = {"data": [{"@id": 1, "Name": "P"}, {"@id": 2, "Name": "P"}, {"@id": 3, "Name": "P"}]}
    wells = {f"{API}/plates/{number}/wells/": {"data": [well(0, 0, number * 10, number=number)]} for number in (1, 3)}
    found = {f"{API}/plates/2/wells/": {"data": [well(1, 6, 20, number=2)]}}
    screen = {f"{API}/screens/5/": {"data": {"@id": 5, "Name": "idr0001-x/screenA"}}, f"{API}/screens/5/plates/": listed}
    with idr_answering({**screen, **wells, **found}) as (idr, _):
        assert [one.image for one in images(Walk(idr), "screen:5/P/B07")] == [20]
        assert [one.image for one in images(Walk(idr), "screen:5/P/A01")] == [10, 30]
        with pytest.raises(MissingError, match="no well C03"):
            images(Walk(idr), "screen:5/P/C03")
