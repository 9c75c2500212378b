"""Lines of a JSON document: each object is where a person who counts finds it."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from lightmicroscopy.metadata.documents.json_lines import LONGEST, lines_of


def test_objects_are_found_in_objects_and_in_lists() -> None:
    text = '{\n "a": 1,\n "section": {\n  "b": [\n   {},\n   [{"c": {}},\n    {}]\n  ]\n },\n "last": {}\n}\n'
    assert lines_of(text) == {
        "": 1,
        "section": 3,
        "section.b[0]": 5,
        "section.b[1][0]": 6,
        "section.b[1][0].c": 6,
        "section.b[1][1]": 7,
        "last": 10,
    }


def test_brackets_commas_and_quotes_within_texts_mean_nothing() -> None:
    text = '{\n "{[,\\"}": "]}{,",\n "x\\n": ["[", "\\\\", {\n }]\n}'
    json.loads(text)
    assert lines_of(text) == {"": 1, "x\n[2]": 3}


@pytest.mark.parametrize("text", ["{}", '{"a": {}}\n', "\n\n[]", "x" * LONGEST + "\n{}"])
def test_nothing_is_said_of_one_line_or_of_more_than_anybody_reads(text: str) -> None:
    assert lines_of(text) == {}


def drawn(draw: random.Random, depth: int) -> Any:
    if depth == 0 or draw.random() < 0.2:
        return draw.choice([1, None, "a,{[", True, 1.5, '"\n'])
    if draw.random() < 0.5:
        return [drawn(draw, depth - 1) for _ in range(draw.randrange(4))]
    return {f"k{number}": drawn(draw, depth - 1) for number in range(draw.randrange(4))}


def objects(value: Any, path: str) -> list[str]:
    if isinstance(value, list):
        return [each for number, below in enumerate(value) for each in objects(below, f"{path}[{number}]")]
    if isinstance(value, dict):
        return [path, *(each for key, below in value.items() for each in objects(below, f"{path}.{key}" if path else key))]
    return []


@pytest.mark.parametrize("seed", range(50))
def test_every_object_has_a_line_that_begins_it(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - documents that are the same each time, no secret
    value = {"a": drawn(draw, 5), "b": drawn(draw, 5)}
    text = json.dumps(value, indent=1)
    found = lines_of(text)
    assert sorted(found) == sorted(objects(value, ""))
    assert all("{" in text.split("\n")[line - 1] for line in found.values())
