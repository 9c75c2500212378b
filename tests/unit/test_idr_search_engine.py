"""The search engine's answers: pages by bookmark, no hits, errors with status 200, and nonsense."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.idr_search_engine import Query, SearchEngine
from lightmicroscopy.errors import ArchiveError
from tests.archives import Archive

from .idr_searches import answering

CROWD = Query("image", ({"name": "Organism", "value": "multitudo inventa", "operator": "equals", "resource": "image"},))


def results(numbers: list[int], size: int, **more: Any) -> Any:
    found = [{"id": number, "name": str(number)} for number in numbers]
    return {"results": {"results": found, "size": size, "bookmark": numbers[-1:], **more} if numbers else []}


def pages_of(count: int, page: int, **lies: Any) -> Callable[[str, Any], Any]:
    """Return a true engine of that many hits and that page size, whose answers can be changed."""

    def answer(path: str, question: Any) -> Any:
        start = (question.get("bookmark") or [0])[0]
        numbers = list(range(1, count + 1))[start : start + page]
        found = results(numbers, count)
        if numbers:
            found["results"] |= lies
        return found

    return answer


def collect(engine: SearchEngine, query: Query = CROWD) -> tuple[list[int], int]:
    found = list(engine.pages(query, "images of a crowd"))
    return [int(hit["id"]) for page in found for hit in page.found], found[0].total


@pytest.fixture
def engine(archive: Archive) -> Iterator[SearchEngine]:
    endpoints = Endpoints(**archive.endpoints, configured=frozenset({"127.0.0.1"}))
    with Client(endpoints, retries=0, sleep=lambda seconds: None) as client:
        yield SearchEngine(client, endpoints)


def test_hits_on_several_pages_come_whole_and_in_order(engine: SearchEngine, archive: Archive) -> None:
    found, total = collect(engine)
    assert found == list(range(99000100, 99001300))
    assert total == 1200
    assert [one.method for one in archive.asked("web", "submitquery")] == ["POST", "POST"]


def test_the_second_page_is_asked_for_only_when_it_is_wanted(engine: SearchEngine, archive: Archive) -> None:
    next(engine.pages(CROWD, "x"))
    assert len(archive.asked("web", "submitquery")) == 1


def test_no_hits_are_a_page_without_any(engine: SearchEngine) -> None:
    query = Query("image", ({"name": "Gene Symbol", "value": "nosuch", "operator": "equals", "resource": "image"},))
    assert collect(engine, query) == ([], 0)


def test_one_of_several_values_is_enough_if_that_is_wanted(engine: SearchEngine) -> None:
    both = tuple({"name": "Gene Symbol", "value": value, "operator": "equals", "resource": "image"} for value in ("tcf15", "ect2"))
    assert collect(engine, Query("image", both)) == ([], 0)
    assert collect(engine, Query("image", both, either=True)) == ([122770, 6001238, 6001239], 3)


@pytest.mark.parametrize(
    ("within", "count"), [(("project_id", 801), 22), (("dataset_id", 11621), 11), (("plate_id", 2551), 0), (("well_id", 45217), 0)]
)
def test_a_search_within_a_container_stays_there(engine: SearchEngine, within: tuple[str, int], count: int) -> None:
    query = Query("image", ({"name": "Organism", "value": "mus musculus", "operator": "equals", "resource": "image"},), within=within)
    assert collect(engine, query)[1] == count


def test_keys_are_known_of_each_kind_of_object(engine: SearchEngine) -> None:
    keys = engine.keys()
    assert {"Gene Symbol", "Phenotype", "Organism"} <= set(keys["image"])
    assert "Imaging Method" in keys["project"]


def test_studies_of_all_hits_are_known_without_looking_at_them(engine: SearchEngine) -> None:
    assert engine.containers(CROWD, "x") == [("project", 99000000)]


def test_images_of_a_study_are_counted(engine: SearchEngine) -> None:
    assert engine.image_count("project", 801) == 22
    assert engine.image_count("project", 5) is None


def test_values_that_hold_a_text_are_offered(engine: SearchEngine) -> None:
    assert "increased cell size" in engine.values_like("Phenotype", "cell size")
    assert engine.values_like("Phenotype", "nosuch") == []


# --- engines that are wrong


@pytest.mark.parametrize("page", [1, 3, 10, 1000])
def test_the_engines_page_size_does_not_matter(page: int) -> None:
    with answering(pages_of(10, page)) as (engine, asked):
        assert collect(engine) == (list(range(1, 11)), 10)
    assert len(asked) == -(-10 // page)


def test_a_bookmark_that_is_always_the_same_ends_with_an_error() -> None:
    with (
        answering(pages_of(10, 3, bookmark=[3])) as (engine, asked),
        pytest.raises(ArchiveError, match="it has 10 for images of a crowd, and gives 6"),
    ):
        collect(engine)
    assert len(asked) == 2


def test_an_engine_that_gives_the_first_page_again_and_again_ends_with_an_error() -> None:
    with answering(lambda path, question: results([1, 2, 3], 10)) as (engine, asked), pytest.raises(ArchiveError, match="gives 3 of them"):
        collect(engine)
    assert len(asked) == 2


def test_a_bookmark_that_goes_back_ends_with_an_error() -> None:
    with answering(pages_of(10, 3, bookmark=[1])) as (engine, asked), pytest.raises(ArchiveError, match="Try again later"):
        collect(engine)
    assert len(asked) == 2


@pytest.mark.parametrize("bookmark", [None, [], [1, 2], "x", ["3"], [None], {}, [-1], [True]])
def test_a_bookmark_that_is_none_ends_with_an_error_if_hits_are_missing(bookmark: Any) -> None:
    with answering(pages_of(10, 3, bookmark=bookmark)) as (engine, _), pytest.raises(ArchiveError, match="gives 3 of them"):
        collect(engine)


@pytest.mark.parametrize("bookmark", [None, [], "x"])
def test_a_bookmark_is_not_missed_on_the_only_page(bookmark: Any) -> None:
    with answering(pages_of(3, 10, bookmark=bookmark)) as (engine, _):
        assert collect(engine) == ([1, 2, 3], 3)


def test_a_size_that_is_too_large_is_told_and_not_swallowed() -> None:
    with answering(pages_of(10, 4, size=100)) as (engine, _), pytest.raises(ArchiveError, match="it has 100 for images of a crowd, and gives 10"):
        collect(engine)


@pytest.mark.parametrize("size", [0, 1, 9, None, "10", -5, 1e3])
def test_a_size_that_is_too_small_or_none_loses_nothing(size: Any) -> None:
    with answering(pages_of(10, 4, size=size)) as (engine, _):
        assert collect(engine)[0] == list(range(1, 11))


def test_hits_that_come_twice_are_given_once() -> None:
    with answering(lambda path, question: results([1, 2, 2, 3, 1], 3)) as (engine, _):
        assert collect(engine)[0] == [1, 2, 3]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "x",
        7,
        {},
        {"results": None},
        {"results": "x"},
        {"results": {}},
        {"results": {"results": None, "size": 3}},
        {"results": {"results": {"id": 1}, "size": 1}},
        {"results": [{"id": 1}]},
        {"results": {"results": [{}], "size": 1}},
        {"results": {"results": [7], "size": 1}},
        {"results": {"results": [{"id": "1"}], "size": 1}},
        {"results": {"results": [{"id": 2**63}], "size": 1}},
    ],
)
def test_an_answer_that_is_no_result_is_told(answer: Any) -> None:
    with answering(lambda path, question: answer) as (engine, _), pytest.raises(ArchiveError, match=r"images of a crowd.*Try again later"):
        collect(engine)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("query validator error: x", "answered: query validator error: x. Ask in another way"),
        ("a\nb\x1b[31m" + "x" * 10_000, "answered: a b[31mxxx"),
        ({"a": 1}, "an error without words"),
        (True, "an error without words"),
    ],
)
def test_an_error_with_status_200_is_an_error(error: Any, said: str) -> None:
    with answering(lambda path, question: {"Error": error}) as (engine, _), pytest.raises(ArchiveError) as told:
        collect(engine)
    assert said in str(told.value)
    assert len(str(told.value)) < 500
    assert "\x1b" not in str(told.value)


def test_an_error_that_says_that_there_is_nothing_is_no_error() -> None:
    with answering(lambda path, question: {"Error": "Your query returns no results"}) as (engine, _):
        assert collect(engine) == ([], 0)


def test_an_error_that_is_none_is_no_error() -> None:
    with answering(lambda path, question: {"Error": None, **results([1], 1)}) as (engine, _):
        assert collect(engine) == ([1], 1)


@pytest.mark.parametrize("answer", [None, [], {}, [7], {"image": "Gene Symbol"}, [{"data_source": "idr"}], [{"image": [7, None, {}]}]])
def test_a_list_of_keys_that_is_none_is_told(answer: Any) -> None:
    with answering(lambda path, question: answer) as (engine, _), pytest.raises(ArchiveError, match="asked for its keys"):
        engine.keys()


def test_keys_of_two_sources_are_put_together() -> None:
    with answering(lambda path, question: [{"data_source": "idr", "image": ["A", "B"]}, {"data_source": "bia", "image": ["B", "C"]}]) as (engine, _):
        assert engine.keys()["image"] == ("A", "B", "C")


@pytest.mark.parametrize("answer", [None, {}, [7], [{"id": "1"}], [{"id": 1, "no_images": "5"}], [{"id": 1, "no_images": -5}]])
def test_a_count_that_is_none_is_unknown(answer: Any) -> None:
    with answering(lambda path, question: answer) as (engine, _):
        assert engine.image_count("project", 1) is None


@pytest.mark.parametrize("answer", [[], {"results": [7]}, {"results": {}}, None])
def test_an_answer_that_names_no_studies_is_told(answer: Any) -> None:
    with answering(lambda path, question: answer) as (engine, _), pytest.raises(ArchiveError, match="answered with something else"):
        engine.containers(CROWD, "x")


def test_studies_that_make_no_sense_are_left_out() -> None:
    found = [{"type": "tag", "id": 1}, {"type": "project", "id": "x"}, 7, {"type": "Screen", "id": 3}, {"type": "screen", "id": 3}]
    with answering(lambda path, question: {"results": {"results": found}}) as (engine, _):
        assert engine.containers(CROWD, "x") == [("screen", 3)]


def test_what_is_posted_is_what_the_engines_schema_wants() -> None:
    group = ({"name": "Data DOI", "value": "10.1/x", "operator": "contains", "resource": "project"},)
    query = Query(
        "image", ({"name": "A", "value": "b", "operator": "equals", "resource": "image"},), either=True, groups=(group,), within=("plate_id", 5)
    )
    question: Any = query.question(7)
    assert question["bookmark"] == [7]
    details = question["query_details"]
    assert details["and_filters"] == []
    assert details["or_filters"] == [[{"name": "A", "value": "b", "operator": "equals", "resource": "image"}], list(group)]
    assert details["main_attributes"] == {"and_main_attributes": [{"name": "plate_id", "value": "5", "operator": "equals"}]}
    assert details["case_sensitive"] is False
