"""Resolution levels: their shapes and the values in them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lightmicroscopy.errors import UsageError
from lightmicroscopy.image import Shape
from lightmicroscopy.writers.pyramid import halve, level_shapes, method_for

from .memory_image import memory_image

INTEGERS = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8")


def exact_means(block: NDArray[Any], *, z: bool) -> list[int]:
    """Mean of what exists of every 2 × 2 (× 2), in exact arithmetic, ties to even."""
    depth = 2 if z else 1
    means = []
    for k in range(0, block.shape[0], depth):
        for j in range(0, block.shape[1], 2):
            for i in range(0, block.shape[2], 2):
                for sample in range(block.shape[3]):
                    values = block[k : k + depth, j : j + 2, i : i + 2, sample].ravel().tolist()
                    means.append(round(Fraction(sum(values), len(values))))
    return means


@pytest.mark.parametrize("z", [False, True])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_means_are_exact_and_rounded_to_even_at_every_size(dtype: str, z: bool) -> None:
    span = np.iinfo(dtype)
    random = np.random.default_rng(5)
    for shape in ((2, 6, 8, 1), (3, 5, 7, 3), (1, 1, 9, 2), (1, 1, 1, 1)):
        block = random.integers(span.min, span.max, shape, dtype=dtype, endpoint=True)
        assert halve(block, "mean", z=z).ravel().tolist() == exact_means(block, z=z)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_means_of_the_extreme_values_do_not_overflow(dtype: str) -> None:
    for value in (np.iinfo(dtype).min, np.iinfo(dtype).max):
        assert np.all(halve(np.full((2, 5, 5, 1), value, dtype), "mean", z=True) == value)


def test_many_levels_of_noise_keep_its_mean() -> None:
    block = np.random.default_rng(1).integers(0, 4096, (1, 2048, 2048, 1), dtype=np.uint16)
    mean = block.mean()
    for _ in range(3):
        block = halve(block, "mean")
    # A floor would lose 3/8 at every level, rounding half up gain 1/8.
    assert block.mean() == pytest.approx(mean, abs=0.02)


def test_a_large_image_is_averaged_as_a_small_one_is() -> None:
    block = np.random.default_rng(2).integers(0, 65536, (1, 301, 4099, 1), dtype=np.uint16)
    whole = halve(block, "mean")
    for start in range(0, 301, 100):
        assert np.array_equal(halve(block[:, start : start + 100], "mean"), whole[:, start // 2 : start // 2 + 50])


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_nan_is_left_out_of_a_mean_and_does_not_spread(dtype: str) -> None:
    nan = np.nan
    block = np.array([[1, 3, nan, nan], [5, nan, nan, nan]], dtype).reshape(1, 2, 4, 1)
    assert halve(block, "mean")[0, 0, 0, 0] == 3
    assert np.isnan(halve(block, "mean")[0, 0, 1, 0])


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_means_of_the_largest_floats_stay_finite(dtype: str) -> None:
    largest = np.finfo(dtype).max
    assert np.all(halve(np.full((1, 3, 3, 1), largest, dtype), "mean") == largest)


def test_infinite_values_give_infinite_means_without_a_warning() -> None:
    block = np.array([[np.inf, 1, np.inf, -np.inf], [1, 1, 0, 0]], "f4").reshape(1, 2, 4, 1)
    mean = halve(block, "mean")
    assert mean[0, 0, 0, 0] == np.inf
    assert np.isnan(mean[0, 0, 1, 0])


def test_labels_keep_their_values() -> None:
    labels = np.array([[7, 1, 2], [1, 1, 1], [9, 1, 4]], np.uint32).reshape(1, 3, 3, 1)
    assert halve(labels, "nearest").ravel().tolist() == [7, 2, 9, 4]


@pytest.mark.parametrize(
    ("fields", "dtype", "method"),
    [
        ({}, np.uint16, "mean"),
        ({"kind": "rgb"}, np.uint8, "mean"),
        ({"kind": "label"}, np.uint16, "nearest"),
        ({"kind": "indexed"}, np.uint8, "nearest"),
        ({"significant_bits": 1}, np.uint8, "nearest"),
        ({}, np.bool_, "nearest"),
    ],
)
def test_only_intensities_are_averaged(fields: dict[str, Any], dtype: type, method: str) -> None:
    assert method_for(memory_image(np.zeros((1, 1, 1, 4, 4, 1), dtype), **fields)) == method


def test_levels_end_when_both_sides_are_small() -> None:
    levels = level_shapes(Shape(1, 2, 3, 2049, 700), None)
    assert [(level.y, level.x) for level in levels] == [(2049, 700), (1025, 350), (513, 175), (257, 88), (129, 44)]
    assert {level.z for level in levels} == {3}


def test_a_small_image_has_one_level() -> None:
    assert level_shapes(Shape(1, 1, 1, 256, 256), None) == (Shape(1, 1, 1, 256, 256),)


def test_z_is_halved_only_when_asked() -> None:
    levels = level_shapes(Shape(1, 1, 5, 600, 600), 3, downsample_z=True)
    assert [level.z for level in levels] == [5, 3, 2]


@pytest.mark.parametrize("count", [0, -1, 10])
def test_an_impossible_number_of_levels_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match="level"):
        level_shapes(Shape(1, 1, 1, 256, 256), count)
