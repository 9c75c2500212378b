"""OMERO.web's JSON API as the stand-in gives it."""

from __future__ import annotations

import pytest

from .asking import ask

M = "/api/v0/m"


def test_the_image_that_everybody_knows(web: str) -> None:
    image = ask(f"{web}{M}/images/6001240/").json["data"]
    pixels = image["Pixels"]
    assert image["Name"] == "B1_C1.tif"
    assert [pixels[f"Size{axis}"] for axis in "XYZCT"] == [271, 275, 236, 2, 1]
    assert pixels["Type"]["value"] == "uint16"
    assert pixels["PhysicalSizeX"] == {"@type": "TBD#LengthI", "Unit": "MICROMETER", "Symbol": "µm", "Value": 0.3603981534640209}
    assert [(channel["Name"], channel["Color"]) for channel in pixels["Channels"]] == [("LaminB1", 65535), ("Dapi", -65281)]
    external = image["omero:details"]["externalInfo"]
    assert external["Lsid"] == "s3://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0062A/6001240.zarr?anonymous=true"
    assert (external["EntityType"], external["EntityId"]) == ("com.glencoesoftware.ngff:multiscales", 3)


def test_lists_leave_channels_out(web: str) -> None:
    found = ask(f"{web}{M}/datasets/11621/images/").json["data"]
    assert len(found) == 11
    assert all("Channels" not in image["Pixels"] for image in found)
    assert "url:image" in found[0]


@pytest.mark.parametrize(
    ("query", "limit", "offset", "count"),
    [
        ("", 200, 0, 200),
        ("limit=5000", 1000, 0, 1000),
        ("limit=0", 0, 0, 0),
        ("limit=-3&offset=-8", 200, 0, 200),
        ("limit=1000&offset=1000", 1000, 1000, 200),
        ("offset=99999", 200, 99999, 0),
    ],
)
def test_pages_are_clipped_without_a_word(web: str, query: str, limit: int, offset: int, count: int) -> None:
    answer = ask(f"{web}{M}/datasets/99001/images/?{query}").json
    assert answer["meta"] == {"offset": offset, "limit": limit, "maxLimit": 1000, "totalCount": 1200}
    assert len(answer["data"]) == count


def test_a_limit_that_is_no_number(web: str) -> None:
    answer = ask(f"{web}{M}/images/?limit=foo")
    assert (answer.status, answer.json) == (400, {"message": "invalid literal for int() with base 10: 'foo'"})


def test_an_image_that_is_not_there(web: str) -> None:
    answer = ask(f"{web}{M}/images/1/")
    assert (answer.status, answer.json) == (404, {"message": "Image 1 not found"})
    assert answer.headers["X-OMERO-ApiVersion"] == "0.2"


def test_a_url_that_leads_nowhere_is_answered_with_a_page(web: str) -> None:
    answer = ask(f"{web}{M}/galaxies/")
    assert answer.status == 404
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_missing_slash_is_added_by_a_redirect(web: str) -> None:
    answer = ask(f"{web}{M}/images/6001240?normalize=true")
    assert (answer.status, answer.headers["Location"]) == (301, f"{M}/images/6001240/?normalize=true")


def test_studies_come_in_the_order_of_their_names(web: str) -> None:
    names = [project["Name"] for project in ask(f"{web}{M}/projects/?limit=1000").json["data"]]
    assert names == sorted(names, key=str.lower)
    assert "idr0062-blin-nuclearsegmentation/experimentA" in names


def test_children_are_counted_only_where_the_server_can(web: str) -> None:
    assert ask(f"{web}{M}/projects/801/?childCount=true").json["data"]["omero:childCount"] == 5
    assert "omero:childCount" not in ask(f"{web}{M}/plates/2551/?childCount=true").json["data"]


def test_the_plate_has_96_wells_of_6_fields_column_by_column(web: str) -> None:
    answer = ask(f"{web}{M}/plates/2551/wells/?limit=1000").json
    places = [(well["Column"], well["Row"]) for well in answer["data"]]
    assert answer["meta"]["totalCount"] == 96
    assert places == sorted(places)
    assert {len(well["WellSamples"]) for well in answer["data"]} == {6}
    image = answer["data"][0]["WellSamples"][0]["Image"]
    assert "Pixels" not in image
    assert "Pixels" in ask(f"{web}{M}/wells/590065/").json["data"]["WellSamples"][0]["Image"]


def test_a_sparse_plate_does_not_know_its_size(web: str) -> None:
    plate = ask(f"{web}{M}/plates/2559/").json["data"]
    assert "Rows" not in plate
    assert "Columns" not in plate
    assert plate["omero:wellsampleIndex"] == [0, 2]
    third = ask(f"{web}{M}/plates/2559/wellsampleindex/2/wells/").json
    assert third["meta"]["totalCount"] == 1
    assert (third["data"][0]["Row"], third["data"][0]["Column"]) == (7, 9)


def test_an_empty_plate(web: str) -> None:
    assert ask(f"{web}{M}/plates/99000492/").json["data"]["omero:wellsampleIndex"] == []
    assert ask(f"{web}{M}/plates/99000492/wells/").json["data"] == []


def test_what_is_unknown_is_left_out(web: str) -> None:
    image = ask(f"{web}{M}/images/99000003/").json["data"]
    assert "Name" not in image
    assert "externalInfo" not in image["omero:details"]
    assert "PhysicalSizeY" not in image["Pixels"]
    assert image["Pixels"]["PhysicalSizeX"]["Unit"] == "PIXEL"
    assert "Name" not in image["Pixels"]["Channels"][0]


def test_regions_of_interest(web: str) -> None:
    answer = ask(f"{web}{M}/images/99000007/rois/").json
    assert answer["meta"]["totalCount"] == 1
    assert answer["data"][0]["shapes"][0]["@type"].endswith("#Rectangle")


def test_writing_is_not_allowed(web: str) -> None:
    assert ask(f"{web}{M}/images/6001240/", "DELETE").status == 405
