"""Which series of an original and of its copies belong together, and which differences are expected."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest

from lightmicroscopy.compare_accepted import ACCEPTED, Difference, accepted
from lightmicroscopy.compare_fields import same
from lightmicroscopy.compare_pairs import Held, pairs
from lightmicroscopy.image import Dataset, Location, Quantity

from .memory_image import memory_image


def held(copy: int, position: int, name: str, recorded: tuple[int, str] | None = None, *, is_label: bool = False) -> Held:
    return Held(copy, position, name, is_label, recorded)


def original(*names: str, labels: tuple[str, ...] = ()) -> Dataset:
    pixels = np.zeros((1, 1, 1, 2, 2, 1), np.uint8)
    images = tuple(memory_image(pixels, name=name, series=number) for number, name in enumerate(names))
    maps = tuple(memory_image(pixels, name=name, series=number, kind="label", label_of=0) for number, name in enumerate(labels))
    return Dataset(Location(Path("original.czi")), "CZI", images, maps)


def matched(dataset: Dataset, *found: Held) -> list[tuple[str | None, tuple[int, int] | None]]:
    return [
        (pair.original.name if pair.original else None, (pair.held.copy, pair.held.position) if pair.held else None) for pair in pairs(dataset, found)
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # recorded numbers, names unlike
        ((held(0, 0, "x", (1, "b")), held(1, 0, "y", (0, "a"))), [("a", (1, 0)), ("b", (0, 0))]),
        # names
        ((held(0, 0, "b"), held(1, 0, "a")), [("a", (1, 0)), ("b", (0, 0))]),
        # order
        ((held(0, 0, "p"), held(1, 0, "q")), [("a", (0, 0)), ("b", (1, 0))]),
        # a name for one, order for the rest
        ((held(0, 0, "b"), held(1, 0, "q")), [("a", (1, 0)), ("b", (0, 0))]),
        # two whole copies without names
        ((held(0, 0, "p"), held(0, 1, "q"), held(1, 0, "r"), held(1, 1, "s")), [("a", (0, 0)), ("a", (1, 0)), ("b", (0, 1)), ("b", (1, 1))]),
        # one too many, one missing
        ((held(0, 0, "a"), held(0, 1, "b"), held(0, 2, "c")), [("a", (0, 0)), ("b", (0, 1)), (None, (0, 2))]),
        ((held(0, 0, "b"),), [("a", None), ("b", (0, 0))]),
        # a record of a series that is not there
        ((held(0, 0, "a", (7, "g")),), [("a", (0, 0)), ("b", None)]),
    ],
)
def test_which_series_belongs_to_which(found: tuple[Held, ...], expected: list[Any]) -> None:
    assert matched(original("a", "b"), *found) == expected


def test_series_of_one_name_are_told_apart_by_their_order() -> None:
    assert matched(original("a", "a"), held(0, 0, "a"), held(0, 1, "a")) == [("a", (0, 0)), ("a", (0, 1))]


def test_a_label_map_is_never_paired_with_an_image() -> None:
    dataset = original("cells", labels=("nuclei",))
    assert matched(dataset, held(0, 0, "nuclei", (0, "nuclei"), is_label=True)) == [("cells", None), ("nuclei", (0, 0))]
    assert matched(dataset, held(0, 0, "other", (0, "other"), is_label=True)) == [("cells", None), ("nuclei", (0, 0))]


@pytest.mark.parametrize(
    ("ours", "theirs", "alike"),
    [
        (Quantity(0.325, "µm"), Quantity(325, "nm"), True),
        (Quantity(0.325, "µm"), Quantity(0.3250000001, "µm"), True),
        (Quantity(0.325, "µm"), Quantity(0.3251, "µm"), False),
        (Quantity(1, "reference frame"), Quantity(1, "µm"), False),
        (Quantity(1, "reference frame"), Quantity(1.0, "reference frame"), True),
        ((1.0, 2.0), (1.0, 2.0), True),
        ((1.0, 2.0), (1.0,), False),
        (1, 1.0, True),
        ("a  b\r\n", "a b", True),
        ("a", "b", False),
        (frozenset({("k", "v")}), frozenset({("k", "v")}), True),
    ],
)
def test_values_that_mean_the_same(ours: Any, theirs: Any, alike: bool) -> None:
    assert same(ours, theirs) is alike


def judged(
    what: str, ours: Any, theirs: Any, *, before: str = "uint16", after: str = "uint16", record: dict[str, str] | None = None, **fields: Any
) -> str:
    def image(dtype: str, samples: int, kind: Any) -> Any:
        return memory_image(np.zeros((1, 1 if samples > 1 else 3, 1, 2, 2, samples), dtype), kind=kind)

    first = image(before, fields.get("samples", 1), fields.get("kind", "intensity"))
    second = image(after, fields.get("other_samples", 1), fields.get("other_kind", "intensity"))
    found = accepted(Difference(what, ours, theirs, first, second, record or {}))
    return found.name if found else ""


RGB = {"samples": 3, "kind": "rgb"}
ASKED = {"Parameter original-metadata": "drop"}
EXAMPLES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("16-bit floats as 32-bit", ("pixel type", "float16", "float32"), {}),
    ("", ("pixel type", "float32", "float16"), {}),
    ("", ("pixel type", "float32", "float64"), {}),
    ("64-bit labels as 32-bit", ("pixel type", "int64", "uint32"), {"kind": "label"}),
    ("", ("pixel type", "int64", "uint32"), {}),
    ("", ("pixel type", "uint16", "uint8"), {"kind": "label"}),
    ("yes/no pixels as 0 and 1", ("pixel type", "bool", "uint8"), {"before": "bool", "after": "uint8"}),
    ("yes/no pixels as 0 and 1", ("significant bits", None, 1), {"before": "bool", "after": "uint8"}),
    ("", ("significant bits", 12, 1), {}),
    ("colour samples as channels", ("kind", "rgb", "intensity"), RGB),
    ("colour samples as channels", ("channel 2 name", None, "Blue"), RGB),
    ("colour samples as channels", ("channel 1 fluor", None, "Eosin"), RGB),
    ("", ("channel 0 fluor", None, "Eosin"), RGB),
    ("", ("channel 0 name", "H&E", "Red"), RGB),
    ("colour samples as channels", ("channel 0 name", "H&E", "H&E Red"), RGB),
    ("", ("channel 0 name", "H&E", "H&E Red"), {}),
    ("", ("channel 0 name", "H&E", "H&E Green"), RGB),
    ("", ("channel 1 name", "H&E", "H&E Red"), RGB),
    ("", ("channel 0 name", None, "Red"), {}),
    ("", ("kind", "rgb", "intensity"), RGB | {"other_samples": 3}),
    ("a falling z by its size", ("pixel size z", Quantity(-0.5, "µm"), Quantity(500, "nm")), {}),
    ("", ("pixel size z", Quantity(0.5, "µm"), Quantity(-0.5, "µm")), {}),
    ("", ("pixel size z", Quantity(-0.5, "µm"), Quantity(0.6, "µm")), {}),
    ("", ("pixel size x", Quantity(-0.5, "µm"), Quantity(0.5, "µm")), {}),
    ("declared to be a label map", ("kind", "intensity", "label"), {"record": {"Parameter label": "True"}}),
    ("", ("kind", "intensity", "label"), {}),
    ("original metadata left out", ("original metadata", frozenset({("a", "b")}), None), {"record": ASKED}),
    ("", ("original metadata", frozenset({("a", "b")}), None), {}),
    ("", ("original metadata", frozenset({("a", "b")}), frozenset({("a", "c")})), {"record": ASKED}),
    ("", ("pixels", "", "1 of 2 pixels differ"), {"before": "float16", "after": "float32"}),
]


@pytest.mark.parametrize(("name", "values", "more"), EXAMPLES)
def test_what_is_accepted_and_what_only_looks_like_it(name: str, values: tuple[Any, ...], more: dict[str, Any]) -> None:
    assert judged(*values, **more) == name


def test_every_accepted_difference_has_an_example_and_a_reason() -> None:
    assert {row.name for row in ACCEPTED} == {name for name, _, _ in EXAMPLES if name}
    assert all(row.reason.endswith(".") for row in ACCEPTED)


def test_thousands_of_series_without_names_are_paired_in_no_time() -> None:
    count = 20_000
    dataset = original(*("" for _ in range(count)))
    found = [held(copy, position, "") for copy in range(2) for position in range(count)]
    began = process_time()
    result = pairs(dataset, found)
    # Compared each with each it takes minutes.
    assert process_time() - began < 10
    assert [(pair.original.series, pair.held.position) for pair in result if pair.original and pair.held] == [
        (number, number) for number in range(count) for _ in range(2)
    ]
