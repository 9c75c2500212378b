"""Sessions, redirects, webgateway and webclient as the stand-in gives them."""

from __future__ import annotations

import pytest

from . import Archive
from .asking import ask


def test_the_public_user_gets_a_session_without_asking(web: str) -> None:
    answer = ask(f"{web}/api/v0/m/projects/?limit=0")
    assert answer.status == 200
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("sessionid_idr=")
    assert ask(f"{web}/api/", Cookie=cookie.partition(";")[0]).headers["Set-Cookie"] is None


def test_a_strict_server_wants_its_front_door_used() -> None:
    with Archive(sessions="strict") as archive:
        web = archive.endpoints["idr_web"]
        refused = ask(f"{web}/api/v0/m/images/6001240/")
        assert (refused.status, refused.json) == (403, {"message": "Not logged in"})
        assert ask(f"{web}/webgateway/imgData/6001240/").status == 302
        cookie = ask(f"{web}/webclient/?experimenter=-1").headers["Set-Cookie"].partition(";")[0]
        assert ask(f"{web}/api/v0/m/images/6001240/", Cookie=cookie).status == 200
        archive.sessions.forget()
        assert ask(f"{web}/api/v0/m/images/6001240/", Cookie=cookie).status == 403


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/webgateway/archived_files/download/6001240", "/webclient/login/?url=/webgateway/archived_files/download/6001240"),
        ("/webclient/login/?url=x", "/webclient/?experimenter=-1"),
        ("/mapr/api/gene/?value=ACTB", "/searchengine/apidocs/"),
        ("/mapr/gene/?value=ACTB", "/search/?key=gene"),
    ],
)
def test_redirects_to_pages_for_people(web: str, path: str, target: str) -> None:
    answer = ask(web + path)
    assert (answer.status, answer.headers["Location"]) == (302, target)


def test_image_data_of_an_image_in_a_plate_names_no_dataset(web: str) -> None:
    data = ask(f"{web}/webgateway/imgData/1230059/").json
    assert (data["meta"]["projectName"], data["meta"]["projectId"], data["meta"]["wellSampleId"]) == ("Multiple", None, "")
    assert data["size"] == {"width": 1376, "height": 1040, "z": 16, "t": 1, "c": 2}
    assert ask(f"{web}/webgateway/imgData/1230059/size/").json == data["size"]


def test_image_data_of_a_big_image_have_tiles(web: str) -> None:
    data = ask(f"{web}/webgateway/imgData/6001257/").json
    assert (data["size"]["width"], data["tiles"], data["zoomLevelScaling"]["1"]) == (3763, True, 0.5)


def test_image_data_that_cannot_be_had(web: str) -> None:
    missing = ask(f"{web}/webgateway/imgData/1/")
    assert (missing.status, missing.body) == (403, b"")
    assert "ConcurrencyException" in ask(f"{web}/webgateway/imgData/99000005/").json
    assert "Exception" in ask(f"{web}/webgateway/imgData/99000006/").json


def test_labels_of_channels_without_a_name(web: str) -> None:
    labels = [channel["label"] for channel in ask(f"{web}/webgateway/imgData/3407079/").json["channels"]]
    assert labels == ["461", "520", "576", "604", "668"]
    assert ask(f"{web}/webgateway/imgData/13441308/").json["channels"][2]["label"] == "2"


def test_pixel_sizes_are_given_in_micrometres(web: str) -> None:
    assert ask(f"{web}/webgateway/imgData/3407079/").json["pixel_size"] == {"x": 0.656, "y": 0.656, "z": None}


def test_the_grid_of_a_sparse_plate(web: str) -> None:
    grid = ask(f"{web}/webgateway/plate/2559/0/").json["grid"]
    assert (len(grid), len(grid[0])) == (8, 12)
    assert [(row, column) for row in range(8) for column in range(12) if grid[row][column]] == [(0, 0), (2, 2), (7, 9)]
    assert grid[7][9]["id"] == 1239777


@pytest.mark.parametrize(
    ("image", "count", "first"),
    [
        (6001240, 1, "uod/idr/filesets/idr0062-blin-nuclearsegmentation/20190429-ftp/Blastocysts/B1_C1.tif"),
        (13965882, 4, "uod/idr/filesets/idr0123-mota-mifish/20211026-ftp/Dataset1.companion.ome"),
        (11576514, 1, "uod/idr/metadata/idr0100-capar-myelin/pattern/Sample1.pattern"),
        (
            3407079,
            1,
            "https://uk1s3.embassy.ebi.ac.uk/bia-integrator-data/S-BIAD851/171961d7-6cca-4201-87e4-449ff3880d48/"
            "171961d7-6cca-4201-87e4-449ff3880d48.zarr/.zattrs",
        ),
    ],
)
def test_original_file_paths(web: str, image: int, count: int, first: str) -> None:
    paths = ask(f"{web}/webgateway/original_file_paths/{image}/").json
    assert (len(paths["client"]), paths["client"][0]) == (count, first)


def test_no_original_files(web: str) -> None:
    assert ask(f"{web}/webgateway/original_file_paths/99000001/").json == {}
    assert ask(f"{web}/webgateway/original_file_paths/1/").status == 404


def test_what_is_rendered_is_a_jpeg(web: str) -> None:
    for path in ("render_image/6001240/118/0/?format=tif", "render_image_region/6001240/0/0/?region=0,0,9,9", "render_thumbnail/6001240/"):
        answer = ask(f"{web}/webgateway/{path}")
        assert (answer.headers["Content-Type"], answer.body[:3]) == ("image/jpeg", b"\xff\xd8\xff")


def test_annotations_keep_repeats_order_and_oddities(web: str) -> None:
    found = ask(f"{web}/webclient/api/annotations/?type=map&image=99000007").json["annotations"]
    assert [len(one["values"]) for one in found] == [8, 2, 0]
    assert found[0]["ns"] is None
    assert [value for key, value in found[0]["values"] if key == "Phenotype"].count("increased cell size") == 2
    assert ["Comment", "one\ttwo\nthree\r\nfour"] in found[0]["values"]


def test_annotations_by_namespace_page_and_parents(web: str) -> None:
    base = f"{web}/webclient/api/annotations/?image=6001238"
    assert len(ask(f"{base}&type=map").json["annotations"]) == 3
    assert len(ask(f"{base}&type=map&ns=openmicroscopy.org/mapr/gene").json["annotations"]) == 1
    assert [len(ask(f"{base}&type=map&limit=2&page={page}").json["annotations"]) for page in (1, 2, 3)] == [2, 1, 0]
    parents = ask(f"{base}&parents=true").json["parents"]
    assert ["Data DOI", "10.17867/10000125 https://doi.org/10.17867/10000125"] in parents[0]["values"]
    assert parents[0]["link"]["parent"]["class"] == "ProjectI"


def test_a_file_annotation_can_be_downloaded(web: str) -> None:
    found = ask(f"{web}/webclient/api/annotations/?type=file&image=99000007").json["annotations"]
    assert found[0]["file"]["name"] == "table.csv"
    answer = ask(f"{web}/webclient/annotation/{found[0]['id']}/")
    assert (len(answer.body), answer.headers["Content-Type"]) == (found[0]["file"]["size"], "text/csv")


@pytest.mark.parametrize(
    ("image", "kinds"),
    [
        (6001240, ["experimenter", "project", "dataset", "image"]),
        (1230059, ["experimenter", "screen", "plate", "acquisition", "well"]),
        (99000008, ["experimenter", "orphaned", "image"]),
    ],
)
def test_the_way_to_an_image(web: str, image: int, kinds: list[str]) -> None:
    (path,) = ask(f"{web}/webclient/api/paths_to_object/?image={image}").json["paths"]
    assert [step["type"] for step in path] == kinds


def test_the_way_to_an_image_that_is_not_there(web: str) -> None:
    assert ask(f"{web}/webclient/api/paths_to_object/?image=1").json == {"paths": []}


def test_children_in_the_tree(web: str) -> None:
    api = f"{web}/webclient/api"
    names = [dataset["name"] for dataset in ask(f"{api}/datasets/?id=801").json["datasets"]]
    assert names == ["Acini", "Blastocysts", "E75", "E875", "Neural"]
    assert ask(f"{api}/plates/?id=3").json["plates"][0] == {"id": 2551, "name": "JL_120731_S6A", "ownerId": 2, "childCount": 6, "permsCss": ""}
    assert len(ask(f"{api}/images/?id=99001&page=3").json["images"]) == 200
