"""Lists of the JSON API from servers that clip, lie, repeat and never end."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from lightmicroscopy.archives import idr_lists
from lightmicroscopy.archives.idr_lists import PAGE, listed
from lightmicroscopy.errors import ArchiveError, TooLongError

Ask = Callable[[str], Any]


def server(count: int, *, most: int = PAGE, meta: bool = True, **lies: Any) -> tuple[Ask, list[tuple[int, int]]]:
    """Return a server of that many objects which gives at most so many at once, and the list of (limit, offset) it was asked."""
    asked: list[tuple[int, int]] = []

    def ask(query: str) -> Any:
        found = re.fullmatch(r"limit=(\d+)&offset=(\d+)", query)
        assert found
        limit, offset = int(found[1]), int(found[2])
        asked.append((limit, offset))
        used = min(limit, most)
        data = [{"@id": number + 1} for number in range(count)[offset : offset + used]]
        told = {"meta": {"limit": used, "offset": offset, "maxLimit": most, "totalCount": count} | lies} if meta else {}
        return {"data": data} | told

    return ask, asked


def numbers(ask: Ask) -> list[int]:
    return [one["@id"] for one in listed(ask, "the plates of screen 3")]


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2500])
def test_a_list_comes_whole_whatever_its_length(count: int) -> None:
    ask, asked = server(count)
    assert numbers(ask) == list(range(1, count + 1))
    assert len(asked) <= count // PAGE + 2


@pytest.mark.parametrize("most", [1, 7, 200, 500])
def test_a_server_that_gives_fewer_than_asked_without_a_word_loses_nothing(most: int) -> None:
    ask, asked = server(50 * most, most=most)
    assert numbers(ask) == list(range(1, 50 * most + 1))
    assert [offset for _, offset in asked[:3]] == [0, most, 2 * most]


def test_a_server_that_clips_and_denies_it_loses_nothing_as_long_as_its_total_is_right() -> None:
    ask, _ = server(900, most=200, limit=1000)
    assert len(numbers(ask)) == 900


def test_a_list_without_a_total_ends_with_the_first_page_that_is_not_full() -> None:
    ask, _ = server(1500, meta=False)
    assert len(numbers(ask)) == 1500


def test_a_total_that_is_too_small_loses_nothing() -> None:
    ask, _ = server(1500, totalCount=3)
    assert len(numbers(ask)) == 1500


@pytest.mark.parametrize("total", [1501, 15_000])
def test_a_total_that_is_too_large_is_told_and_not_swallowed(total: int) -> None:
    ask, _ = server(1500, totalCount=total)
    with pytest.raises(ArchiveError, match=rf"says that there are {total:,} in its list of the plates of screen 3, and gives 1,500"):
        numbers(ask)


def test_a_server_that_ignores_the_offset_does_not_make_the_client_loop() -> None:
    asked: list[str] = []

    def ask(query: str) -> Any:
        asked.append(query)
        return {"data": [{"@id": number} for number in range(1, PAGE + 1)], "meta": {"totalCount": 5000, "limit": PAGE}}

    with pytest.raises(ArchiveError, match="and gives 1,000 of them"):
        numbers(ask)
    assert len(asked) == 2


def test_objects_that_come_twice_are_given_once() -> None:
    pages = [{"data": [{"@id": 1}, {"@id": 2}, {"@id": 1}], "meta": {"totalCount": 2, "limit": 1000}}]
    assert numbers(lambda query: pages[0]) == [1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"data": None},
        {"data": {"@id": 1}},
        {"data": "x"},
        {"message": "x"},
        {"data": [7]},
        {"data": [{}]},
        {"data": [{"@id": "1"}]},
        {"data": [{"@id": 0}]},
        {"data": [{"@id": 2**63}]},
        {"data": [{"@id": True}]},
        {"data": [{"@id": 1.0}]},
    ],
)
def test_an_answer_that_is_no_such_list_is_told(answer: Any) -> None:
    with pytest.raises(ArchiveError, match=r"the plates of screen 3.*Try again later"):
        numbers(lambda query: answer)


@pytest.mark.parametrize("meta", [None, [], "x", {"totalCount": "12"}, {"totalCount": -1}, {"totalCount": 1e9}, {"limit": 0}, {"limit": "all"}])
def test_nonsense_about_a_list_is_not_believed(meta: Any) -> None:
    assert numbers(lambda query: {"data": [{"@id": 5}], "meta": meta}) == [5]


def test_a_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idr_lists, "MOST", 5000)

    def ask(query: str) -> Any:
        offset = int(query.rpartition("=")[2])
        return {"data": [{"@id": offset + number} for number in range(1, PAGE + 1)], "meta": {}}

    with pytest.raises(ArchiveError, match="does not end after 5,000"):
        numbers(ask)


def test_the_first_page_is_given_before_the_second_is_asked_for() -> None:
    ask, asked = server(5000)
    found = listed(ask, "x")
    next(found)
    assert len(asked) == 1


@pytest.mark.parametrize("longest", [1, 3, 200])
def test_a_page_that_is_longer_than_an_answer_may_be_is_asked_for_in_parts(longest: int) -> None:
    ask, asked = server(450)

    def picky(query: str) -> Any:
        answer = ask(query)
        if len(answer["data"]) > longest:
            raise TooLongError("too long")
        return answer

    assert numbers(picky) == list(range(1, 451))
    assert asked[0] == (PAGE, 0)


def test_one_object_that_is_longer_than_an_answer_may_be_is_told() -> None:
    def ask(query: str) -> Any:
        raise TooLongError("too long")

    with pytest.raises(TooLongError):
        numbers(ask)


def test_memory_does_not_grow_with_the_list() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()

        def page(query: str) -> Any:
            offset = int(query.rpartition("=")[2])
            return {"data": [{"@id": number + 1, "Name": "x" * 100} for number in range(offset, min(offset + PAGE, count))]}

        assert sum(1 for _ in listed(page, "x")) == count
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    peak(2 * PAGE)
    assert peak(40 * PAGE) - peak(4 * PAGE) < 100_000
