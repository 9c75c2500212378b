"""Every row of docs/archive-faults.md happens as it stands there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import Archive
from .faults import KINDS
from .faults_table import CASES, FOOT, HEAD, LEFT_OUT, PLACES, TABLE, Bench, Case, keys, rows

WRITTEN = rows()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Archive() as archive, pytest.MonkeyPatch.context() as patch:
        yield Bench(archive, tmp_path_factory.mktemp("faults"), patch)


@pytest.mark.parametrize(("place", "case"), list(keys()), ids=lambda value: value.name if isinstance(value, Case) else value)
def test_the_table_says_what_happens(place: str, case: Case, bench: Bench) -> None:
    assert bench.row(case, place) == WRITTEN[PLACES[place].title, case.name]


def test_the_table_has_these_rows_and_no_others() -> None:
    assert list(WRITTEN) == [(PLACES[place].title, case.name) for place, case in keys()]
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_text_around_the_table_is_what_its_script_writes() -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert text.startswith(HEAD)
    assert text.endswith(FOOT)


def test_every_kind_of_fault_is_in_the_table_or_left_out_for_a_reason() -> None:
    assert {case.kind for case in CASES} | set(LEFT_OUT) == set(KINDS)


def test_pixels_are_only_ever_wrong_where_nothing_could_tell() -> None:
    wrong = {(title, fault) for (title, fault), line in WRITTEN.items() if "other pixels" in line}
    assert {fault for _, fault in wrong} == {
        "one bit is flipped",
        "one bit is flipped, not in the index but in the pixels",
        "it is another file by now, and whole",
    }
    assert (PLACES["chunk"].title, "one bit is flipped") not in wrong


def test_nothing_is_other_or_missing_without_a_word_unless_nothing_could_tell() -> None:
    silent = {
        fault
        for line in WRITTEN.values()
        for fault in [line.split(" | ")[0].removeprefix("| ")]
        if line.endswith(" – |") and "same | same" not in line
    }
    assert silent <= {
        "one bit is flipped",
        "one bit is flipped, not in the index but in the pixels",
        "it is another file by now, and whole",
        "404 Not Found",
    }


def test_only_a_404_is_ever_the_fill_value() -> None:
    filled = [(title, fault) for (title, fault), line in WRITTEN.items() if "all fill value" in line]
    assert filled == [(PLACES[place].title, "404 Not Found") for place in ("chunk", "shard")]


def test_every_failure_has_a_sentence_with_an_accession_or_address_and_advice() -> None:
    for line in WRITTEN.values():
        cells = [cell.strip() for cell in line.split(" | ")]
        if cells[2] == "1":
            told = cells[-1].removesuffix(" |")
            assert any(named in told for named in ("‹", "image ", "dataset ", "S-BIAD634", "was asked ")), told
            assert told.endswith("."), told
            assert any(word in told for word in ("try", "Try", "Check", "Raise", "adds", "ask", "make", "says", "tell", "had with")), told


def test_nothing_in_the_table_is_of_this_machine() -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert "127.0.0.1" not in text
    assert "pytest" not in text
    assert "Traceback" not in text
