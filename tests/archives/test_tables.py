"""Bulk annotation tables and regions of interest as the stand-in gives them."""

from __future__ import annotations

import pytest

from .asking import ask

OF_WELL = "/webgateway/table/Screen.plateLinks.child.wells/45217/query/"


def test_the_table_of_a_well_is_the_recorded_one(web: str) -> None:
    found = ask(f"{web}{OF_WELL}?query=Well-45217").json
    assert found["meta"] == {"rowCount": 4224, "totalCount": 1, "limit": None, "offset": 0}
    assert found["data"]["columns"][:3] == ["Plate", "Well Number", "Well"]
    assert found["data"]["column_types"][:3] == ["PlateColumn", "StringColumn", "WellColumn"]
    assert found["data"]["rows"][0][:5] == [340, "338", 45217, "Plate8_Actinome1_O2", "Homo sapiens"]
    rest = {key: found[key] for key in ("id", "annId", "owner", "addedBy", "parentType", "parentId", "addedOn")}
    assert rest == {
        "id": 15026339,
        "annId": 8368945,
        "owner": "Public data",
        "addedBy": "Public data",
        "parentType": "Screen",
        "parentId": 206,
        "addedOn": 1502896910574,
    }


def test_a_table_comes_in_pages(web: str) -> None:
    first = ask(f"{web}/webgateway/table/15026339/query/?query=Plate-340&limit=100&offset=300").json
    assert (first["meta"]["totalCount"], first["meta"]["offset"], len(first["data"]["rows"])) == (384, 300, 84)
    assert ask(f"{web}/webgateway/table/15026339/query/?query=*&limit=5&offset=5000").json["data"]["rows"] == []


def test_tables_of_an_object_are_listed(web: str) -> None:
    (one,) = ask(f"{web}/webgateway/annotations/Screen/206/").json["data"]
    assert (one["id"], one["file"], one["parentType"]) == (8368945, 15026339, "Screen")
    assert ask(f"{web}/webgateway/annotations/Project/801/").json == {"data": []}


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/webgateway/table/15026339/query/", "Must specify query parameter, use * to retrieve all"),
        ("/webgateway/table/5/query/?query=*", "Table 5 not found"),
        ("/webgateway/table/15026339/query/?query=Nonsense-5", "Error executing query: Nonsense-5"),
        ("/webgateway/table/Project/801/query/?query=*", "Could not retrieve bulk annotations table"),
        ("/webgateway/annotations/Screen/5/", "['Screen'] with id 5 not found"),
    ],
)
def test_errors_come_with_200(web: str, path: str, error: str) -> None:
    answer = ask(web + path)
    assert answer.status == 200
    assert answer.json["error"] == error


def test_of_an_object_with_two_tables_the_newest_that_opens_answers(web: str) -> None:
    assert ask(f"{web}/webgateway/table/Project/99000000/query/?query=*&limit=1").json["id"] == 99_300_007


def test_regions_have_what_omero_marshal_writes_and_masks_no_bytes(web: str) -> None:
    found = ask(f"{web}/api/v0/m/images/99000002/rois/").json
    shapes = [shape for roi in found["data"] for shape in roi["shapes"]]
    assert (found["meta"]["totalCount"], len(shapes)) == (7, 8)
    mask = next(shape for shape in shapes if shape["@type"].endswith("#Mask"))
    assert not {"BinData", "Bytes", "bytes", "Pixels"} & mask.keys()
