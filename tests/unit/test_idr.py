from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lightmicroscopy.archives import idr as idr_module
from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.idr import Idr, Originals, Place
from lightmicroscopy.errors import ArchiveError, MissingError, UsageError
from tests.archives import Archive

from .idr_answers import Json, annotation, channel, idr_answering, image

ANNOTATIONS = "/webclient/api/annotations/"
PATHS = "/webclient/api/paths_to_object/"


def container(number: int, name: Any, **more: Any) -> Json:
    return {"data": {"@id": number, "Name": name, **more}}


def pages(*annotations: list[Json]) -> Any:
    """Serve one list per page; past the last, nothing."""

    def answer(query: Mapping[str, str]) -> Json:
        page = int(query["page"])
        return {"annotations": annotations[page - 1] if page <= len(annotations) else [], "experimenters": []}

    return answer


def full(start: int) -> list[Json]:
    return [annotation(start + number, [["key", str(start + number)]]) for number in range(idr_module.PAGE)]


# --- images


def test_an_image_with_named_channels_takes_one_request() -> None:
    with idr_answering({"/api/v0/m/images/6001240/": image()}) as (idr, asked):
        record = idr.image(6001240)
    assert [found.name for found in record.channels] == ["LaminB1", "Dapi"]
    assert asked == ["/webclient/?experimenter=-1", "/api/v0/m/images/6001240/"]


def test_channels_without_a_name_are_named_by_the_annotation() -> None:
    pixels = {"Channels": [channel("Channel:0:0"), channel()]}
    pairs = annotation(1, [["Organism", "Mus musculus"], ["Channels", "DAPI:DNA;FITC:alpha-tubulin"]], ("ImageI", 5))
    with idr_answering({"/api/v0/m/images/5/": image(5, pixels=pixels), ANNOTATIONS: pages([pairs])}) as (idr, asked):
        record = idr.image(5)
        idr.annotations("image", 5)
    assert [found.name for found in record.channels] == ["DAPI", "FITC"]
    assert record.channel_names_from == ("annotation", "annotation")
    assert sum(path.startswith(ANNOTATIONS) for path in asked) == 1


def test_channel_names_of_a_container_are_not_the_images() -> None:
    pairs = annotation(1, [["Channels", "DAPI;FITC"]], ("ScreenI", 9))
    with idr_answering({"/api/v0/m/images/5/": image(5, pixels={"Channels": None}), ANNOTATIONS: pages([pairs])}) as (idr, _):
        assert [found.name for found in idr.image(5).channels] == [None, None]


def test_an_image_that_is_not_there_is_said_by_its_number() -> None:
    with idr_answering({}) as (idr, _), pytest.raises(MissingError, match="The IDR has no image 999, or it is not public"):
        idr.image(999)


# --- annotations


def test_repeated_keys_are_all_kept_in_order() -> None:
    values = [["Phenotype", "a"], ["Phenotype Term", "x"], ["Phenotype", "b"], ["Phenotype", "a"]]
    with idr_answering({ANNOTATIONS: pages([annotation(1, values, ("ImageI", 5)), annotation(2, [["Phenotype", "c"]], ("ImageI", 5), None)])}) as (
        idr,
        _,
    ):
        found = idr.annotations("image", 5)
    assert [(one.key, one.value, one.position) for one in found] == [
        ("Phenotype", "a", 0),
        ("Phenotype Term", "x", 1),
        ("Phenotype", "b", 2),
        ("Phenotype", "a", 3),
        ("Phenotype", "c", 4),
    ]
    assert {(one.object_type, one.object_id) for one in found} == {("image", 5)}
    assert found[-1].namespace == ""


def test_annotations_of_containers_belong_to_them() -> None:
    def answer(query: Mapping[str, str]) -> Json:
        own = {"annotations": [annotation(1, [["a", "1"]], ("ImageI", 5))]}
        above = [annotation(2, [["b", "2"]], ("PlateAcquisitionI", 7)), annotation(3, [["c", "3"]], ("ScreenI", 8))]
        return own | ({"parents": above} if query.get("parents") == "true" else {})

    with idr_answering({ANNOTATIONS: answer}) as (idr, _):
        assert [(one.object_type, one.object_id) for one in idr.annotations("image", 5)] == [("image", 5)]
        assert [(one.object_type, one.object_id, one.position) for one in idr.annotations("image", 5, parents=True)] == [
            ("image", 5, 0),
            ("acquisition", 7, 0),
            ("screen", 8, 0),
        ]


def test_all_pages_are_read() -> None:
    with idr_answering({ANNOTATIONS: pages(full(0), full(1000), [annotation(5000, [["last", "x"]])])}) as (idr, asked):
        found = idr.annotations("image", 1)
    assert len(found) == 2 * idr_module.PAGE + 1
    assert (found[-1].key, found[-1].position) == ("last", 2 * idr_module.PAGE)
    assert sum(path.startswith(ANNOTATIONS) for path in asked) == 3


def test_a_server_that_gives_the_same_page_again_and_again_is_left() -> None:
    with idr_answering({ANNOTATIONS: lambda _: {"annotations": full(0)}}) as (idr, asked):
        assert len(idr.annotations("image", 1)) == idr_module.PAGE
    assert sum(path.startswith(ANNOTATIONS) for path in asked) == 2


def test_a_server_that_never_ends_is_left_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idr_module, "MOST_PAGES", 4)
    answers = {ANNOTATIONS: lambda query: {"annotations": full(1000 * int(query["page"]))}}
    with idr_answering(answers) as (idr, asked), pytest.raises(ArchiveError, match="do not end after 4 pages"):
        idr.annotations("image", 1)
    assert sum(path.startswith(ANNOTATIONS) for path in asked) == 4


@pytest.mark.parametrize("bound", ["MOST_PAIRS", "MOST_TEXT"])
def test_annotations_of_ever_other_owners_have_an_end_too(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    monkeypatch.setattr(idr_module, bound, 1200)

    def owned(start: int) -> list[Json]:
        return [found | {"link": {"id": start + at, "parent": {"id": start + at, "class": "ImageI"}}} for at, found in enumerate(full(start), 1)]

    with idr_answering({ANNOTATIONS: lambda query: {"annotations": owned(1000 * int(query["page"]))}}) as (idr, asked):
        with pytest.raises(ArchiveError, match="Leave it out"):
            idr.annotations("image", 1)
        assert sum(path.startswith(ANNOTATIONS) for path in asked) <= 3


@pytest.mark.parametrize("answer", [{}, [], "x", {"annotations": None}, {"annotations": {}}, {"error": "no"}])
def test_an_answer_that_is_no_list_of_annotations_is_refused(answer: Json) -> None:
    with idr_answering({ANNOTATIONS: lambda _: answer}) as (idr, _), pytest.raises(ArchiveError, match="answered with something else"):
        idr.annotations("image", 5)


def test_annotations_that_are_malformed_are_taken_as_far_as_they_go() -> None:
    values: list[Any] = [
        ["k"],
        [],
        ["a", "b", "c"],
        "kv",
        None,
        7,
        [None, None],
        ["n", 5],
        ["t\tab\nline", "v\x00\x1b"],
        {"k": "v"},
        ["", "only a value"],
    ]
    broken: list[Any] = [annotation(1, values), "x", None, {}, {"id": 2}, {"id": 3, "values": {}}, {"id": 4, "values": [["late", "x"]], "link": "x"}]
    with idr_answering({ANNOTATIONS: lambda _: {"annotations": broken}}) as (idr, _):
        found = idr.annotations("image", 1)
    assert [(one.key, one.value) for one in found] == [("k", ""), ("a", "b"), ("n", "5"), ("t\tab\nline", "v"), ("", "only a value"), ("late", "x")]
    assert [one.position for one in found] == list(range(6))


def test_only_objects_that_can_have_annotations_are_asked_about() -> None:
    with idr_answering({}) as (idr, asked), pytest.raises(UsageError, match="'experimenter' has no annotations"):
        idr.annotations("experimenter", 1)
    assert asked == []


# --- files


@pytest.mark.parametrize(
    ("answer", "originals"),
    [
        ({}, Originals((), None)),
        ({"repo": ["r"], "client": ["a/b.tif"], "fileset": {"id": 12345}}, Originals(("a/b.tif",), 12345)),
        ({"client": ["b", "a", "b"], "fileset": {"id": -1}}, Originals(("b", "a"), None)),
        ({"client": [" ok "], "fileset": 7}, Originals(("ok",), None)),
        ({"client": "abc"}, Originals((), None)),
        ([], Originals((), None)),
    ],
)
def test_files_are_those_that_are_named(answer: Json, originals: Originals) -> None:
    with idr_answering({"/webgateway/original_file_paths/5/": answer}) as (idr, _):
        assert idr.originals(5) == originals


@pytest.mark.parametrize("path", [None, 5, "", " ", ["x"], "y" * 5000])
def test_a_set_of_which_a_file_cannot_be_read_is_not_taken_for_whole(path: Json) -> None:
    answer = {"client": ["a.tif", path, "b.tif"]}
    with idr_answering({"/webgateway/original_file_paths/5/": answer}) as (idr, _), pytest.raises(ArchiveError, match="1 have no readable path"):
        idr.originals(5)


# --- places


def project_paths(*steps: tuple[str, Any]) -> Json:
    return {"paths": [[{"type": kind, "id": number} for kind, number in steps]]}


def test_an_image_of_a_project_has_its_study() -> None:
    answers = {
        PATHS: project_paths(("experimenter", 2), ("project", 801), ("dataset", 11), ("image", 5)),
        "/api/v0/m/projects/801/": container(801, "idr0062-blin-nuclearsegmentation/experimentA"),
        "/api/v0/m/datasets/11/": container(11, "Blastocysts"),
    }
    with idr_answering(answers) as (idr, asked):
        place = idr.place(5)
        idr.place(6)
    name = "idr0062-blin-nuclearsegmentation/experimentA"
    assert place == Place("idr0062", name, "project", 801, name, dataset_id=11, dataset="Blastocysts")
    assert sum(path.startswith("/api/v0/m/") for path in asked) == 2


def screen_answers(**plate: Any) -> dict[str, Any]:
    samples = [{"@id": number, "Image": {"@id": number}} for number in (70, 71, 72)]
    return {
        PATHS: project_paths(("experimenter", 2), ("screen", 102), ("plate", 422), ("acquisition", 3), ("well", 139)),
        "/api/v0/m/screens/102/": container(102, "idr0002-heriche-condensation/screenA"),
        "/api/v0/m/plates/422/": container(422, "plate1_1_013", **plate),
        "/api/v0/m/wells/139/": {"data": {"@id": 139, "Row": 1, "Column": 6, "WellSamples": samples}},
    }


def test_an_image_of_a_screen_has_its_plate_well_and_field() -> None:
    with idr_answering(screen_answers(RowNamingConvention="letter", ColumnNamingConvention="number")) as (idr, asked):
        place = idr.place(72)
        idr.place(71)
    assert place is not None
    assert (place.container_type, place.container_id, place.plate_id, place.plate) == ("screen", 102, 422, "plate1_1_013")
    assert (place.study, place.component) == ("idr0002", "idr0002-heriche-condensation/screenA")
    assert (place.well, place.well_path, place.field) == ("B07", "B/7", 2)
    assert sum(path.startswith("/api/v0/m/") for path in asked) == 3


def test_a_plate_may_number_its_rows_and_letter_its_columns() -> None:
    with idr_answering(screen_answers(RowNamingConvention="number", ColumnNamingConvention="letter")) as (idr, _):
        place = idr.place(72)
    assert place is not None
    assert (place.well, place.well_path) == ("B07", "2/G")


@pytest.mark.parametrize(
    "well", [{}, {"Row": -1, "Column": 0}, {"Row": 0, "Column": 10**9}, {"Row": "0", "Column": 0}, {"Row": True, "Column": 0}, []]
)
def test_a_well_without_a_place_is_unknown(well: Json) -> None:
    with idr_answering(screen_answers() | {"/api/v0/m/wells/139/": {"data": well}}) as (idr, _):
        place = idr.place(72)
    assert place is not None
    assert (place.plate, place.well, place.well_path, place.field) == ("plate1_1_013", "", "", None)


def test_fields_keep_their_numbers_where_one_has_no_image() -> None:
    answers = screen_answers()
    answers["/api/v0/m/wells/139/"]["data"]["WellSamples"][0] = {"@id": 70}
    with idr_answering(answers) as (idr, _):
        place = idr.place(72)
    assert place is not None
    assert place.field == 2


def test_a_field_that_its_well_does_not_list_is_unknown() -> None:
    with idr_answering(screen_answers()) as (idr, _):
        place = idr.place(99)
    assert place is not None
    assert (place.well, place.field) == ("B07", None)


def test_of_several_places_the_one_in_a_study_counts() -> None:
    answers = {
        PATHS: {"paths": [[{"type": "project", "id": 1}], [{"type": "project", "id": 2}]]},
        "/api/v0/m/projects/1/": container(1, "favourites"),
        "/api/v0/m/projects/2/": container(2, "idr0001-x-y/experimentA"),
    }
    with idr_answering(answers) as (idr, _):
        place = idr.place(5)
    assert place is not None
    assert (place.container_id, place.study) == (2, "idr0001")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"paths": []},
        {"paths": [[]]},
        {"paths": "x"},
        {"paths": [[{"type": "experimenter", "id": 2}, {"type": "orphaned", "id": 2}]]},
        {"paths": [[{"type": "project", "id": "8"}]]},
    ],
)
def test_an_image_that_lies_nowhere_has_no_place(answer: Json) -> None:
    with idr_answering({PATHS: answer}) as (idr, _):
        assert idr.place(5) is None


def test_a_container_with_a_strange_name_is_no_study() -> None:
    answers = {PATHS: project_paths(("project", 1)), "/api/v0/m/projects/1/": container(1, "../idr0001\n<b>")}
    with idr_answering(answers) as (idr, _):
        place = idr.place(5)
    assert place is not None
    assert (place.study, place.component, place.container_name) == ("", "", "../idr0001 <b>")


# --- studies


def test_each_container_is_asked_for_once_by_many_threads() -> None:
    facts = annotation(
        1, [["License", "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/"]], ("ProjectI", 801), "idr.openmicroscopy.org/study/info"
    )
    place = Place("idr0062", "c", "project", 801, "c")
    with idr_answering({ANNOTATIONS: pages([facts])}) as (idr, asked):
        assert idr.study(place).licence == "CC BY 4.0"
        with ThreadPoolExecutor(8) as pool:
            assert {study.licence for study in pool.map(idr.study, [place] * 50)} == {"CC BY 4.0"}
    assert sum(path.startswith(ANNOTATIONS) for path in asked) == 1
    assert sum(path.startswith("/webclient/?experimenter") for path in asked) == 1


def test_what_is_remembered_does_not_grow_with_the_images() -> None:
    with idr_answering({ANNOTATIONS: pages([annotation(1, [["a", "b"]])])}) as (idr, _):
        for number in range(1, 60):
            idr.annotations("image", number)
        assert len(idr._annotations._values) == 16


# --- the sample archive


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with Archive() as running:
        yield running


@pytest.fixture
def sample(archive: Archive) -> Iterator[Idr]:
    endpoints = Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": json.dumps(archive.endpoints)})
    with Client(endpoints, sleep=lambda _: None) as client:
        yield Idr(client, endpoints)


def test_image_6001240_is_what_the_idr_publishes(sample: Idr) -> None:
    record = sample.image(6001240)
    assert (record.name, record.size_x, record.size_y, record.size_z, record.size_c, record.size_t) == ("B1_C1.tif", 271, 275, 236, 2, 1)
    assert record.dtype == "uint16"
    assert {found.name for found in record.channels} == {"LaminB1", "Dapi"}
    place = sample.place(6001240)
    assert place is not None
    assert place.component == "idr0062-blin-nuclearsegmentation/experimentA"
    study = sample.study(place)
    assert (study.licence, study.licence_url) == ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/")
    assert study.data_doi == "10.17867/10000125"
    assert study.publication_doi == "10.1371/journal.pbio.3000388"
    assert any(one.key == "Channels" for one in sample.annotations("image", 6001240))


def test_the_pixels_of_6001240_are_where_the_candidates_say(sample: Idr) -> None:
    routes = list(sample.candidates(sample.image(6001240), sample.place(6001240)))
    assert routes[0].ngff_version == "0.5"
    for candidate in routes:
        for url in candidate.urls:
            assert url.startswith((sample.endpoints.object_store, sample.endpoints.idr_originals))
    found = {candidate.route for candidate in routes if candidate.urls}
    assert {"samples", "originals"} <= found


def test_an_image_nobody_has_is_missing_in_the_sample_archive_too(sample: Idr) -> None:
    with pytest.raises(MissingError):
        sample.image(999_999_999)
