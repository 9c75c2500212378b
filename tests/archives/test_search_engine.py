"""The search engine as the stand-in gives it."""

from __future__ import annotations

import json

import pytest

from . import Archive
from .asking import ask


@pytest.fixture
def search(shared_archive: Archive) -> str:
    return shared_archive.endpoints["idr_search"]


def test_a_study_is_found_by_its_number(search: str) -> None:
    (found,) = ask(f"{search}/project/names/?value=idr0062").json
    assert (found["id"], found["name"], found["no_images"]) == (801, "idr0062-blin-nuclearsegmentation/experimentA", 22)


def test_pages_by_bookmark_end_with_an_empty_list(search: str) -> None:
    url, numbers, pages, bookmark = f"{search}/image/search/?key=organism&value=MULTITUDO+inventa", [], 0, ""
    while results := ask(url + bookmark).json["results"]:
        numbers += [one["id"] for one in results["results"]]
        bookmark = f"&bookmark={results['bookmark'][0]}"
        pages += 1
        assert ("pagination" in results) == (pages == 1)
        assert results["size"] == 1200
    assert pages == 2
    assert len(numbers) == len(set(numbers)) == 1200


def test_no_hits_are_a_list_where_hits_are_a_dictionary(search: str) -> None:
    assert ask(f"{search}/image/search/?key=Gene+Symbol&value=nosuch").json["results"] == []


def query(*filters: dict[str, object], **more: object) -> bytes:
    return json.dumps({"resource": "image", "query_details": {"and_filters": filters, "or_filters": [], "case_sensitive": False}, **more}).encode()


def test_a_query_that_is_posted(search: str) -> None:
    body = query({"name": "Gene Symbol", "value": "tcf15", "operator": "equals", "resource": "image"})
    results = ask(f"{search}/submitquery/", "POST", body).json["results"]
    assert [one["name"] for one in results["results"]] == ["Tcf15_KO_d2.tif", "Tcf_Het_d2.tif"]
    assert {"name": "Gene Symbol", "value": "Tcf15", "index": 0} in results["results"][0]["key_values"]
    after = query({"name": "Gene Symbol", "value": "tcf15", "operator": "equals", "resource": "image"}, bookmark=[6001238])
    assert [one["id"] for one in ask(f"{search}/submitquery/", "POST", after).json["results"]["results"]] == [6001239]


@pytest.mark.parametrize("body", [b"", b"no json", b"{}", b'{"query_details": {"and_filters": [{"name": "x"}]}}', query(bookmark=7)])
def test_errors_come_with_200(search: str, body: bytes) -> None:
    answer = ask(f"{search}/submitquery/", "POST", body)
    assert answer.status == 200
    assert list(answer.json) == ["Error"]


def test_a_table_that_is_not_there(search: str) -> None:
    answer = ask(f"{search}/galaxy/search/?key=a&value=b")
    assert (answer.status, answer.body) == (404, b"No data for table galaxy")


def test_values_are_listed_in_small_letters(search: str) -> None:
    data = ask(f"{search}/image/searchvalues/?value=TCF15").json["data"]
    assert {"Key": "Gene Symbol", "Value": "tcf15", "Number of images": 2, "data_source": "idr"} in data
    assert [row["Value"] for row in data] == [row["Value"].lower() for row in data]


def test_hits_counted_by_study(search: str) -> None:
    answer = ask(f"{search}/image/search/?key=Organism&value=Schizosaccharomyces+pombe&return_containers=true").json
    assert [(one["name"], one["image count"]) for one in answer["results"]["results"]] == [("idr0001-graml-sysgro/screenA", 582)]


def test_keys_of_images(search: str) -> None:
    (keys,) = ask(f"{search}/image/keys/").json
    assert keys["data_source"] == "idr"
    assert "Phenotype" in keys["image"]


def within(name: str, value: object) -> bytes:
    details = {
        "and_filters": [],
        "or_filters": [],
        "main_attributes": {"and_main_attributes": [{"name": name, "value": value, "operator": "equals"}]},
    }
    return json.dumps({"resource": "image", "query_details": details}).encode()


@pytest.mark.parametrize(
    ("name", "value", "count"), [("project_id", "801", 22), ("dataset_id", "11621", 11), ("plate_id", "2551", 576), ("well_id", "45217", 1)]
)
def test_everything_in_a_container(search: str, name: str, value: str, count: int) -> None:
    assert ask(f"{search}/submitquery/", "POST", within(name, value)).json["results"]["size"] == count


@pytest.mark.parametrize("value", [801, None, {}, 8.5])
def test_a_number_of_a_container_is_text(search: str, value: object) -> None:
    assert list(ask(f"{search}/submitquery/", "POST", within("project_id", value)).json) == ["Error"]


def test_one_of_several_conditions_is_enough_in_a_group(search: str) -> None:
    filters = [{"name": "Gene Symbol", "value": value, "operator": "equals", "resource": "image"} for value in ("ect2", "tcf15")]
    for details, count in (({"and_filters": filters}, 0), ({"or_filters": [filters]}, 3), ({"or_filters": [[one] for one in filters]}, 0)):
        answer = ask(f"{search}/submitquery/", "POST", json.dumps({"resource": "image", "query_details": details}).encode()).json
        assert (answer["results"]["size"] if answer["results"] else 0) == count


def test_keys_of_everything_come_by_kind(search: str) -> None:
    (keys,) = ask(f"{search}/all/keys/").json
    assert "Imaging Method" in keys["project"]
    assert "siRNA Identifier" in keys["image"]


def test_the_well_of_a_recorded_image(search: str) -> None:
    body = query({"name": "siRNA Identifier", "value": "ect2-02", "operator": "equals", "resource": "image"})
    (found,) = ask(f"{search}/submitquery/", "POST", body).json["results"]["results"]
    assert (found["id"], found["plate_name"], found["well_id"], found["screen_id"]) == (122770, "Plate8_Actinome1", 45217, 206)
