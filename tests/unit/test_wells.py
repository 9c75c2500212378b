from __future__ import annotations

import pytest

from lightmicroscopy.archives.wells import WellPlace, parse_well
from lightmicroscopy.errors import UsageError
from lightmicroscopy.image import NamingConvention


@pytest.mark.parametrize(
    ("row", "column", "name", "path"),
    [
        (0, 0, "A01", "A/1"),
        (1, 6, "B07", "B/7"),
        (7, 11, "H12", "H/12"),
        (25, 0, "Z01", "Z/1"),
        (26, 0, "AA01", "AA/1"),
        (31, 47, "AF48", "AF/48"),
        (0, 99, "A100", "A/100"),
    ],
)
def test_a_well_has_a_name_and_a_path_and_both_lead_back(row: int, column: int, name: str, path: str) -> None:
    well = WellPlace(row, column)
    assert (well.name, well.path()) == (name, path)
    assert parse_well(name) == parse_well(path) == well


@pytest.mark.parametrize("text", ["b7", "B7", " B07 ", "B/7", "B-7", "B 7", "b:07", "B_7", "B007"])
def test_people_spell_wells_in_many_ways(text: str) -> None:
    assert parse_well(text) == (1, 6)


@pytest.mark.parametrize(
    ("rows", "columns", "path", "spellings"),
    [("number", "letter", "2/G", ["2G", "02g", "2/G"]), ("number", "number", "2/7", ["2/7", "2-7"]), ("letter", "letter", "B/G", ["B/G", "b g"])],
)
def test_plates_with_other_names_of_rows_and_columns(rows: NamingConvention, columns: NamingConvention, path: str, spellings: list[str]) -> None:
    assert WellPlace(1, 6).path(rows, columns) == path
    assert WellPlace(1, 6).name == "B07"
    assert {parse_well(text, rows, columns) for text in spellings} == {WellPlace(1, 6)}


@pytest.mark.parametrize(
    "text", ["", "B", "7", "7B", "B0", "B-0", "B/7/1", "BB", "77", "B7C", "B\u0667", "É7", "ABCDE1", "A99999999999", "../7", "A10001", "B//7"]
)
def test_what_is_no_well_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no well"):
        parse_well(text)


@pytest.mark.parametrize("convention", ["letter", "number"])
def test_two_names_of_one_kind_need_something_between_them(convention: NamingConvention) -> None:
    with pytest.raises(UsageError, match="is no well"):
        parse_well("BG" if convention == "letter" else "27", convention, convention)


def test_every_well_of_the_largest_plate_comes_back() -> None:
    for row in range(32):
        for column in range(48):
            assert parse_well(WellPlace(row, column).name) == (row, column)
