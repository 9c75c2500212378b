"""The smaller resolution levels of a copy: made of full resolution, by another rule, or wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from lightmicroscopy.compare import Comparison, compare
from lightmicroscopy.compare_levels import FROM_FULL, NOT_JUDGED, OTHER_RULE, Judged, judged_levels
from lightmicroscopy.image import Image, Level, Location, Shape
from lightmicroscopy.reports.comparison import page, summary, verdict
from lightmicroscopy.writers.pyramid import halve

from .memory_image import MemoryPixels, memory_image
from .test_compare import converted
from .test_findings_report import shown

Array = NDArray[Any]


def picture(height: int = 301, width: int = 410, dtype: str = "uint16") -> Array:
    """Smooth and noisy pixels (y, x)."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(3).normal(0, 20, (height, width))
    return np.asarray((1000 + 500 * np.sin(y / 30) * np.cos(x / 21) + noise).astype(dtype))


def spots(height: int = 301, width: int = 410) -> Array:
    """Labels of round objects on nothing."""
    y, x = np.mgrid[:height, :width]
    inside = (y % 60 - 30) ** 2 + (x % 60 - 30) ** 2 < 400
    return np.where(inside, y // 60 * 10 + x // 60 + 1, 0).astype("uint16")


def as_image(*levels: Array, **fields: Any) -> Image:
    pixels = [MemoryPixels(level[None, None, None, ..., None], Shape(1, 1, 1, 64, 64)) for level in levels]
    return replace(memory_image(pixels[0].array, **fields), levels=tuple(map(Level, pixels)))


def halved(plane: Array, method: Any = "mean") -> Array:
    return halve(plane[None, ..., None], method)[0, ..., 0]


def judged(*levels: Array, **fields: Any) -> list[Judged]:
    return [found for found in judged_levels(as_image(*levels, **fields)) if found.what.endswith("pixels")]


def quarters(plane: Array) -> tuple[Array, Array, Array, Array]:
    even = plane[: plane.shape[0] // 2 * 2, : plane.shape[1] // 2 * 2]
    return even[::2, ::2], even[::2, 1::2], even[1::2, ::2], even[1::2, 1::2]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
@pytest.mark.parametrize("method", ["mean", "nearest"])
def test_levels_made_as_here_are_said_to_be(dtype: str, method: str) -> None:
    full = (picture() // 8).astype(dtype)
    first = halved(full, method)
    assert [found.found for found in judged(full, first, halved(first, method))] == [FROM_FULL, FROM_FULL]


OTHER: dict[str, Callable[[Array], Array]] = {
    "rounded down": lambda plane: (sum(part.astype("u4") for part in quarters(plane)) // 4).astype(plane.dtype),
    "largest": lambda plane: np.maximum.reduce(quarters(plane)),
    "another corner": lambda plane: quarters(plane)[3],
    "a third": lambda plane: plane[1::3, 1::3],
    "of other ratios": lambda plane: plane[::2, ::3],
}


@pytest.mark.parametrize("rule", OTHER)
def test_another_rule_is_told_and_no_difference(rule: str) -> None:
    full = picture()
    assert [(found.found, found.fine) for found in judged(full, OTHER[rule](full))] == [(OTHER_RULE, True)]


WRONG: dict[str, Callable[[Array], Array]] = {
    "black": np.zeros_like,
    "upside down": lambda small: small[::-1],
    "shifted": lambda small: np.roll(small, 40, 1),
    "inverted": lambda small: 3000 - small,
    "brighter": lambda small: small * 2,
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_level_that_shows_something_else_is_a_difference(fault: str) -> None:
    full = picture()
    small = halved(full)
    first, second = judged(full, WRONG[fault](small), halved(small))
    assert not first.fine
    assert " t=0 c=0 z=0 y=" in first.found
    assert second == Judged("level 2 pixels", FROM_FULL, FROM_FULL, fine=True)


def test_objects_on_nothing_are_missed_when_a_level_is_black() -> None:
    full = spots()
    (found,) = judged(full, np.zeros_like(halved(full)))
    assert found.found.startswith("is 0 throughout, unlike full resolution, at ")


def test_averaged_labels_are_a_difference_and_single_pixels_of_any_corner_are_not() -> None:
    full = spots()
    assert judged(full, halved(full, "nearest"), kind="label")[0].found == FROM_FULL
    assert judged(full, quarters(full)[3], kind="label")[0].found == OTHER_RULE
    (found,) = judged(full, halved(full), kind="label")
    assert found.found.startswith("has values that full resolution does not have there, such as ")
    assert not found.fine


def test_a_constant_image_and_one_of_nothing_but_holes_have_true_levels() -> None:
    for full in (np.full((300, 300), 7, "uint16"), np.full((300, 300), np.nan, "float32")):
        assert [found.found for found in judged(full, halved(full))] == [FROM_FULL]
    (found,) = judged(picture(dtype="float32"), np.full((151, 205), np.nan, "float32"))
    assert not found.fine


def test_z_is_halved_or_not() -> None:
    stack = np.stack([picture() + 10 * z for z in range(5)])
    for z in (True, False):
        small = halve(stack[..., None], "mean", z=z)
        pixels = [MemoryPixels(block[None, None], Shape(1, 1, 1, 64, 64)) for block in (stack[..., None], small)]
        image = replace(memory_image(pixels[0].array), levels=tuple(map(Level, pixels)))
        assert [found.found for found in judged_levels(image)] == [f"{3 if z else 5} × 151 × 205", FROM_FULL]


@pytest.mark.parametrize("size", [(301, 410), (302, 410), (600, 100)])
def test_a_level_that_is_not_smaller_is_a_difference(size: tuple[int, int]) -> None:
    size_row, pixels = judged_levels(as_image(picture(), np.zeros(size, "uint16")))
    assert (size_row.what, size_row.fine) == ("level 1 size", False)
    assert pixels.found.startswith(NOT_JUDGED)


def test_an_image_without_levels_and_one_whose_pixels_are_not_compared() -> None:
    full = picture()
    assert list(judged_levels(as_image(full))) == []
    assert [found.what for found in judged_levels(as_image(full, np.zeros_like(halved(full))), pixels=False)] == ["level 1 size"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.ome.tiff"
    tifffile.imwrite(path, np.stack([picture(700, 900), picture(700, 900)[::-1]]), metadata={"axes": "CYX"})
    return path


def levels(comparison: Comparison) -> dict[str, str]:
    return {row.what: row.equal for row in comparison.rows if row.what.startswith("level ")}


@pytest.mark.parametrize("request_", [{}, {"format_": "ome-zarr"}, {"format_": "ome-zarr", "label": True}], ids=str)
def test_levels_of_copies_of_this_suite_are_true(source: Path, tmp_path: Path, request_: dict[str, Any]) -> None:
    comparison = compare(Location(source), converted(source, tmp_path / "copy", **request_))
    assert levels(comparison) == dict.fromkeys(("level 1 size", "level 1 pixels", "level 2 size", "level 2 pixels"), "true")
    assert {row.copy_value for row in comparison.rows if row.what.endswith(" pixels")} == {FROM_FULL}
    assert not any(row.is_grave for row in comparison.rows)


def test_a_missing_chunk_of_a_level_is_found_wherever_it_is(source: Path, tmp_path: Path) -> None:
    (store,) = converted(source, tmp_path / "copy", "ome-zarr")
    chunks = [path for level in "12" for path in (store / level).rglob("*") if path.is_file() and path.name.isdigit()]
    assert len(chunks) > 2
    for chunk in chunks:
        kept = chunk.read_bytes()
        chunk.unlink()
        comparison = compare(Location(source), [store])
        level = chunk.relative_to(store).parts[0]
        assert [row.what for row in comparison.rows if row.differs] == [f"level {level} pixels"]
        assert all(row.is_grave for row in comparison.rows if row.differs)
        chunk.write_bytes(kept)


def test_a_level_without_its_chunks_is_told_in_every_report(source: Path, tmp_path: Path) -> None:
    (store,) = converted(source, tmp_path / "copy", "ome-zarr")
    shutil.rmtree(store / "1" / "0")
    comparison = compare(Location(source), [store])
    assert levels(comparison)["level 1 pixels"] == "false"
    assert verdict(comparison) == "1 series has smaller resolution levels that do not show it."
    (line,) = summary(comparison)
    assert "pixels identical at full resolution, but level 1: is 0 throughout" in line
    text = shown("".join(page(comparison)))
    assert "✖ Smaller resolution levels" in text
    assert "level 2 pixels made of full resolution made of full resolution" in text


def test_empty_chunks_that_were_never_stored_are_no_fault(tmp_path: Path) -> None:
    values = np.zeros((900, 1100), "uint16")
    values[:200, :200] = picture(200, 200)
    tifffile.imwrite(tmp_path / "sparse.tif", values, metadata=None)
    comparison = compare(Location(tmp_path / "sparse.tif"), converted(tmp_path / "sparse.tif", tmp_path / "copy", "ome-zarr"))
    assert not any(row.is_grave for row in comparison.rows)


def test_a_level_that_does_not_fit_and_was_left_out_is_a_difference(source: Path, tmp_path: Path) -> None:
    (store,) = converted(source, tmp_path / "copy", "ome-zarr")
    layout = store / "2" / ".zarray"
    layout.write_text(layout.read_text(encoding="utf-8").replace("<u2", "|u1"), encoding="utf-8")
    comparison = compare(Location(source), [store])
    assert [(row.what, row.equal) for row in comparison.rows if row.differs] == [("level 2 size", "false")]


def test_levels_that_were_compressed_with_loss_may_differ_a_little_and_not_be_black() -> None:
    full = (picture() // 8).astype("uint8")
    small = halved(full)
    noisy = (small + np.random.default_rng(5).integers(-9, 10, small.shape)).astype("uint8")
    assert [found.found for found in judged(full, noisy, lossy=True)] == [OTHER_RULE]
    assert not judged(full, np.zeros_like(small), lossy=True)[0].fine
