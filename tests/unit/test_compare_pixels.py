"""Pixels compared: exactly, plane by plane, whatever the units, types and samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lightmicroscopy.compare_pixels import BOX_BYTES, unlike_planes
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import LARGE_UNIT, Image, Level, Region, Shape

from .memory_image import MemoryPixels, memory_image
from .tiff_files import noise

SHAPE = (2, 3, 4, 20, 30, 1)


def compared(ours: NDArray[Any], theirs: NDArray[Any], **units: Shape) -> list[tuple[Any, str]]:
    original, copy = memory_image(ours, unit=units.get("unit")), memory_image(theirs, unit=units.get("other"))
    return [(place, str(difference)) for place, difference in unlike_planes(original, copy, threads=2)]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "uint64", "float32"])
def test_the_same_pixels_are_the_same(dtype: str) -> None:
    values = noise(SHAPE, dtype)
    assert compared(values, values.copy()) == [(None, "14400 pixels")]


def test_one_changed_pixel_is_found_in_its_plane() -> None:
    values = noise(SHAPE) // 2
    other = values.copy()
    other[1, 2, 3, 19, 29, 0] += 7
    assert compared(values, other) == [
        ((1, 2, 3), f"1 of 600 pixels differ, by 7 at most and {7 / 600:.6g} on average"),
        (None, f"1 of 14400 pixels differ, by 7 at most and {7 / 14400:.6g} on average"),
    ]


@pytest.mark.parametrize(
    ("unit", "other"),
    [
        (Shape(1, 1, 1, 20, 30), Shape(2, 3, 4, 20, 30)),
        (Shape(1, 1, 1, 1, 30), Shape(1, 1, 4, 16, 16)),
        (Shape(1, 2, 3, 7, 11), Shape(1, 3, 2, 13, 5)),
        (Shape(1, 1, 1, 64, 64), Shape(1, 1, 1, 8, 8)),
    ],
)
def test_storage_in_other_units_changes_nothing(unit: Shape, other: Shape) -> None:
    values = noise(SHAPE)
    changed = values.copy()
    changed[0, 1, 2, 3, 4, 0] ^= 1
    (place, _), (_, whole) = compared(values, changed, unit=unit, other=other)
    assert place == (0, 1, 2)
    assert whole.startswith("1 of 14400 pixels differ, by 1 at most")


def test_not_a_number_equals_not_a_number_and_infinity_equals_infinity() -> None:
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 1.5], np.float32).reshape(1, 1, 1, 1, 5, 1)
    assert compared(values, values.copy()) == [(None, "5 pixels")]


@pytest.mark.parametrize(("here", "there"), [(np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (np.inf, -np.inf)])
def test_not_a_number_is_no_number(here: float, there: float) -> None:
    ours, theirs = (np.array([value, 0], np.float64).reshape(1, 1, 1, 1, 2, 1) for value in (here, there))
    assert compared(ours, theirs)[-1] == (None, "1 of 2 pixels differ, by inf at most")


@pytest.mark.parametrize(
    ("ours", "theirs", "gap"),
    [
        (np.int64(2**62 + 1), np.int64(2**62), 1),
        (np.int64(2**63 - 1), np.int64(-(2**63)), 2**64 - 1),
        (np.uint64(2**64 - 1), np.uint64(2**64 - 2), 1),
        (np.uint64(2**64 - 1), np.int64(-(2**63)), 2**64 - 1 + 2**63),
        (np.uint64(2**53 + 1), np.int64(2**53), 1),
        (np.int8(-128), np.uint8(255), 383),
        (np.bool_(True), np.uint8(0), 1),
    ],
)
def test_differences_of_integers_are_exact(ours: Any, theirs: Any, gap: int) -> None:
    mine, other = (np.full((1, 1, 1, 1, 1, 1), value) for value in (ours, theirs))
    for pair in ((mine, other), (other, mine)):
        assert compared(*pair)[-1][1].startswith(f"1 of 1 pixels differ, by {gap} at most")


def test_sums_of_large_differences_do_not_overflow() -> None:
    ours, theirs = np.full(SHAPE, 2**63 - 1, np.int64), np.full(SHAPE, -(2**63), np.int64)
    assert compared(ours, theirs)[-1][1].endswith(f"by {2**64 - 1} at most and {float(2**64 - 1):.6g} on average")


def test_values_of_another_type_are_compared_as_values() -> None:
    values = noise(SHAPE, "uint8")
    assert compared(values, values.astype(np.float32)) == [(None, "14400 pixels")]
    assert compared(values.astype(np.float16), values.astype(np.float32))[-1] == (None, "14400 pixels")


@pytest.mark.parametrize("count", [1, 2])
def test_colour_samples_are_channels_of_their_own(count: int) -> None:
    samples = noise((1, count, 2, 5, 6, 3), "uint8")
    channels = np.moveaxis(samples, -1, 2).reshape(1, count * 3, 2, 5, 6)[..., np.newaxis].copy()
    assert compared(samples, channels) == [(None, f"{count * 180} pixels")]
    channels[0, 1, 1, 2, 3] ^= 255
    assert compared(channels, samples)[0][0] == (0, 1, 1)
    swapped = channels[:, [*range(1, count * 3), 0]]
    assert len(compared(samples, swapped)) > 1


def test_progress_reaches_the_end() -> None:
    values = noise(SHAPE)
    said: list[int] = []
    image = memory_image(values, unit=Shape(1, 1, 1, 8, 8))
    list(unlike_planes(image, image, progress=said.append))
    assert said == sorted(said)
    assert said[-1] == values.nbytes


class Watched(MemoryPixels):
    """Pixels that are made when they are read, note how much was asked for at once, and have had enough after a while."""

    asked: list[int]

    @property
    def shape(self) -> Shape:
        return Shape(2, 40, 50, 4096, 4096)

    def read(self, region: Region) -> NDArray[Any]:
        found = np.broadcast_to(self.array, (*region.sizes, 1))
        self.asked.append(found.nbytes)
        if len(self.asked) > 4:
            raise UnreadableError("enough")
        return found


def watched(unit: Shape) -> tuple[Image, list[int]]:
    pixels = Watched(np.zeros((1, 1, 1, 1, 1, 1), np.uint16), unit)
    asked: list[int] = []
    object.__setattr__(pixels, "asked", asked)
    return Image("large", 0, (Level(pixels),), "TCZYX"), asked


@pytest.mark.parametrize("unit", [Shape(1, 1, 1, 4096, 4096), Shape(1, 1, 64, 64, 64), Shape(2, 40, 50, 1, 4096)])
def test_an_image_larger_than_memory_is_read_in_boxes(unit: Shape) -> None:
    (original, _), (copy, asked) = watched(Shape(1, 1, 1, 1024, 1024)), watched(unit)
    with pytest.raises(UnreadableError, match="enough"):
        list(unlike_planes(original, copy))
    assert max(asked) <= max(BOX_BYTES, LARGE_UNIT)
