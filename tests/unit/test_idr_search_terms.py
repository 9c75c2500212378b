"""What a user asks of annotations, and what becomes of a key that is not there."""

from __future__ import annotations

import pytest

from lightmicroscopy.archives.idr_search_terms import Condition, condition, known_conditions, parse_condition
from lightmicroscopy.errors import UsageError

KEYS = {
    "image": ("Gene Symbol", "Gene Identifier", "Cell Line", "Phenotype", "Phenotype Term Name", "Organism"),
    "project": ("Imaging Method", "Organism", "License"),
    "screen": ("Imaging Method", "Screen Type"),
}


@pytest.mark.parametrize(
    ("text", "key", "operator", "value"),
    [
        ("Gene Symbol=AURKB", "Gene Symbol", "equals", "AURKB"),
        ("Gene Symbol == AURKB", "Gene Symbol", "equals", "AURKB"),
        ("  Gene   Symbol  =  AURKB ", "Gene Symbol", "equals", "AURKB"),
        ("Organism!=Homo sapiens", "Organism", "not_equals", "Homo sapiens"),
        ("Phenotype ~ cell size", "Phenotype", "contains", "cell size"),
        ("Phenotype!~death", "Phenotype", "not_contains", "death"),
        ("Compound Name=a=b~c", "Compound Name", "equals", "a=b~c"),
        ("Channels~DAPI: DNA; β-actin", "Channels", "contains", "DAPI: DNA; β-actin"),
        ("Comment=!", "Comment", "equals", "!"),
    ],
)
def test_a_condition_is_read_as_it_is_written(text: str, key: str, operator: str, value: str) -> None:
    assert parse_condition(text) == Condition(key, operator, value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "AURKB", "Gene Symbol", "=AURKB", "Gene Symbol=", "Gene Symbol = ", "!=", "~", "Gene Symbol>5", "\n"])
def test_half_a_condition_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no condition\. Write a key, an operator and a value, such as Gene Symbol=AURKB"):
        parse_condition(text)


def test_a_condition_of_absurd_length_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than 1000 characters") as refused:
        parse_condition("Gene Symbol=" + "A" * 100_000)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(("key", "value"), [("", "x"), ("x", ""), (" ", " ")])
def test_a_form_that_is_half_filled_in_is_refused(key: str, value: str) -> None:
    with pytest.raises(UsageError, match="lacks its key or its value"):
        condition(key, "equals", value)


def test_keys_are_spelt_as_the_engine_spells_them_and_a_key_of_images_comes_first() -> None:
    asked = [condition("gene symbol", "equals", "x"), condition("ORGANISM", "equals", "y"), condition("imaging method", "contains", "z")]
    found = known_conditions(asked, KEYS)
    assert [(one.key, one.on) for one in found] == [("Gene Symbol", "image"), ("Organism", "image"), ("Imaging Method", "study")]


@pytest.mark.parametrize(
    ("key", "near"),
    [("Gene Symbl", "Gene Symbol"), ("cellline", "Cell Line"), ("gene", "Gene Identifier"), ("Phenotype Term Nmae", "Phenotype Term Name")],
)
def test_a_key_that_is_not_there_is_refused_with_near_ones(key: str, near: str) -> None:
    with pytest.raises(UsageError, match=r"no key .* Near ones are") as refused:
        known_conditions([condition(key, "equals", "x")], KEYS)
    assert near in str(refused.value)


def test_a_key_far_from_any_is_refused_with_some_that_there_are() -> None:
    with pytest.raises(UsageError, match="There are, for instance, Cell Line, Gene Identifier"):
        known_conditions([condition("zzzz", "equals", "x")], KEYS)


def test_an_engine_without_keys_knows_none() -> None:
    with pytest.raises(UsageError, match="lists none at all now"):
        known_conditions([condition("Gene Symbol", "equals", "x")], {})
