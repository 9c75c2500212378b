"""Asking for a part of an image, and being told when there is no such part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightmicroscopy.errors import UsageError
from lightmicroscopy.image import Channel, Image, Level, Modulo, Plane, Region, Shape, TilePosition
from lightmicroscopy.selection import Selection, parse_span, select, select_series

from .memory_image import MemoryPixels, memory_image


def numbered(t: int = 2, c: int = 3, z: int = 4, y: int = 6, x: int = 8) -> Image:
    array = np.arange(t * c * z * y * x, dtype=np.uint32).reshape(t, c, z, y, x, 1)
    return memory_image(array, names=("DAPI", "GFP", "Cy5"))


def pixels(image: Image) -> np.ndarray:
    return image.levels[0].pixels.read(Region.whole(image.shape))


def original(image: Image) -> np.ndarray:
    return image.levels[0].pixels.array


def test_everything_is_the_image_itself() -> None:
    image = numbered()
    assert select(image, Selection()) is image
    assert Selection().wants_everything
    assert Selection().describe() == ""


def test_channels_come_in_the_order_asked_for_and_remember_their_place() -> None:
    image = numbered()
    cut = select(image, Selection(channels=("Cy5", "index:0")))
    assert np.array_equal(pixels(cut), original(image)[:, [2, 0]])
    assert [channel.name for channel in cut.metadata.channels] == ["Cy5", "DAPI"]
    assert [channel.source_index for channel in cut.metadata.channels] == [2, 0]


def test_a_box_of_planes_and_pixels() -> None:
    image = numbered()
    cut = select(image, Selection(z="1:3", t="1", region="2,1,5,4"))
    assert np.array_equal(pixels(cut), original(image)[1:2, :, 1:3, 1:5, 2:7])
    assert cut.shape == Shape(1, 3, 2, 4, 5)


def test_a_region_by_its_centre_is_the_same_region() -> None:
    image = numbered()
    assert np.array_equal(pixels(select(image, Selection(center="4,3,4,2"))), pixels(select(image, Selection(region="2,2,4,2"))))


def test_a_maximum_projection_ignores_nan_and_has_no_depth() -> None:
    array = np.zeros((1, 1, 3, 2, 2, 1), np.float32)
    array[0, 0, :, 0, 0, 0] = [1, np.nan, 5]
    array[0, 0, :, 1, 1, 0] = np.nan
    cut = select(memory_image(array), Selection(project="max"))
    assert cut.shape.z == 1
    assert cut.metadata.pixel_size_z is None
    top = pixels(cut)[0, 0, 0, :, :, 0]
    assert top[0, 0] == 5
    assert np.isnan(top[1, 1])


def test_a_projection_of_a_span_takes_only_that_span() -> None:
    image = numbered()
    cut = select(image, Selection(project="max", z="0:2"))
    assert np.array_equal(pixels(cut), original(image)[:, :, :2].max(axis=2, keepdims=True))


def test_a_lower_level_has_larger_pixels() -> None:
    image = numbered()
    half = Level(MemoryPixels(original(image)[:, :, :, ::2, ::2], Shape(1, 1, 1, 3, 4, 1)), (1.0, 2.0, 2.0))
    cut = select(replace(image, levels=(*image.levels, half)), Selection(level=1, region="2,0,4,4"))
    assert np.array_equal(pixels(cut), original(image)[:, :, :, 0:4:2, 2:6:2])
    assert cut.metadata.pixel_size_x is not None
    assert cut.metadata.pixel_size_x.value == 1.0
    assert cut.levels[0].factor == (1.0, 1.0, 1.0)


def test_planes_keep_their_times_under_their_new_numbers() -> None:
    image = numbered()
    planes = tuple(Plane(t, c, z, delta_t_s=100.0 * t + 10 * c + z) for t in range(2) for c in range(3) for z in range(4))
    image = replace(image, metadata=replace(image.metadata, planes=planes))
    cut = select(image, Selection(channels=("GFP",), z="2:4", t="1"))
    assert cut.metadata.planes == (Plane(0, 0, 0, delta_t_s=112.0), Plane(0, 0, 1, delta_t_s=113.0))


def test_a_folded_dimension_is_not_claimed_after_a_cut_through_it() -> None:
    image = numbered()
    image = replace(image, metadata=replace(image.metadata, modulo=(Modulo("C", "lambda"), Modulo("T", "phase"))))
    assert select(image, Selection(channels=("GFP",))).metadata.modulo == (Modulo("T", "phase"),)


LIFETIMES = Modulo("T", "lifetime", 0.0, 0.3, 0.1)
WAVELENGTHS = Modulo("C", "lambda", labels=("500", "520", "540"))


def folded(t: int, c: int) -> Image:
    """Four lifetimes folded into time, three wavelengths into channels."""
    image = numbered(t=t, c=c)
    return replace(image, metadata=replace(image.metadata, modulo=(WAVELENGTHS, LIFETIMES)))


@pytest.mark.parametrize(
    "selection",
    [
        Selection(t="4:12"),
        Selection(t="8:"),
        Selection(channels=("index:3", "index:4", "index:5", "index:0", "index:1", "index:2")),
        Selection(channels=("index:0", "index:1", "index:2"), t="0:4"),
        Selection(z="1", region="0,0,2,2"),
        Selection(project="max"),
    ],
)
def test_a_folded_dimension_taken_whole_each_time_is_still_claimed(selection: Selection) -> None:
    cut = select(folded(12, 6), selection)
    assert cut.metadata.modulo == (WAVELENGTHS, LIFETIMES)
    assert cut.warnings == ()


@pytest.mark.parametrize(
    ("selection", "lost"),
    [
        (Selection(t="0:3"), LIFETIMES),
        (Selection(t="2:6"), LIFETIMES),
        (Selection(t="4"), LIFETIMES),
        (Selection(channels=("index:0",)), WAVELENGTHS),
        (Selection(channels=("index:0", "index:2", "index:1")), WAVELENGTHS),
        (Selection(channels=("index:1", "index:2", "index:3")), WAVELENGTHS),
    ],
)
def test_a_cut_through_a_folded_dimension_is_named(selection: Selection, lost: Modulo) -> None:
    cut = select(folded(12, 6), selection)
    assert set(cut.metadata.modulo) == {WAVELENGTHS, LIFETIMES} - {lost}
    (warning,) = cut.warnings
    assert f"{lost.type!r}, which is folded into {lost.along}, is not recorded in the copy" in warning


@pytest.mark.parametrize("odd", [Modulo("T", "phase"), Modulo("T", "phase", 0.0, 1.0, 0.0), Modulo("T", "phase", 5.0, 0.0, 1.0)])
def test_a_folded_dimension_of_unknown_size_is_claimed_of_the_whole_only(odd: Modulo) -> None:
    image = numbered(t=4)
    image = replace(image, metadata=replace(image.metadata, modulo=(odd,)))
    assert select(image, Selection(z="0")).metadata.modulo == (odd,)
    assert select(image, Selection(t="0:2")).metadata.modulo == ()


def test_angles_folded_into_z_are_gone_from_a_projection_and_that_is_said() -> None:
    image = numbered()
    image = replace(image, metadata=replace(image.metadata, modulo=(Modulo("Z", "angle", 0.0, 1.0, 1.0, description="view"),)))
    cut = select(image, Selection(project="max"))
    assert cut.metadata.modulo == ()
    assert any("Its dimension 'view', which is folded into Z" in warning for warning in cut.warnings)


def test_what_was_known_of_planes_is_gone_from_a_projection_and_that_is_said() -> None:
    image = numbered()
    image = replace(image, metadata=replace(image.metadata, planes=(Plane(0, 0, 1, delta_t_s=3.0),)))
    projected = select(image, Selection(project="max"))
    assert projected.metadata.planes == ()
    assert any("positions of single planes are not in the copy" in warning for warning in projected.warnings)
    alone = select(image, Selection(project="max", z="1"))
    assert alone.metadata.planes == (Plane(0, 0, 0, delta_t_s=3.0),)
    assert alone.warnings == ()


def test_what_is_known_of_a_channel_stays_with_it_where_nothing_is_known_of_another() -> None:
    image = numbered()
    image = replace(image, metadata=replace(image.metadata, channels=(Channel(name="DAPI"),)))
    cut = select(image, Selection(channels=("index:2", "index:0")))
    assert [channel.name for channel in cut.metadata.channels] == [None, "DAPI"]
    assert [channel.source_index for channel in cut.metadata.channels] == [2, 0]


def test_tiles_of_a_mosaic_move_with_the_part_taken() -> None:
    image = numbered()
    tiles = (TilePosition(0, 0, 4, 6, 0), TilePosition(3, 0, 5, 6, 1))
    image = replace(image, metadata=replace(image.metadata, tiles=tiles))
    assert select(image, Selection(region="4,1,4,2")).metadata.tiles == (TilePosition(-1, -1, 5, 6, 1),)
    half = Level(MemoryPixels(original(image)[..., ::2, ::2, :], Shape(1, 1, 1, 3, 4)), (1.0, 2.0, 2.0))
    smaller = select(replace(image, levels=(*image.levels, half)), Selection(level=1))
    assert smaller.metadata.tiles == (TilePosition(0, 0, 2, 3, 0), TilePosition(2, 0, 2, 3, 1))


def test_planes_of_a_level_that_is_smaller_in_z_were_never_taken_as_such() -> None:
    image = numbered()
    image = replace(image, metadata=replace(image.metadata, planes=(Plane(0, 0, 1, delta_t_s=3.0),)))
    half = Level(MemoryPixels(original(image)[:, :, ::2], Shape(1, 1, 1, 6, 8)), (2.0, 1.0, 1.0))
    assert select(replace(image, levels=(*image.levels, half)), Selection(level=1)).metadata.planes == ()


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        (Selection(z="4"), r"--z 4 reaches outside: 'cells' has z 0 to 3, so the largest valid span is 0:4"),
        (Selection(z="2:2"), r"--z 2:2 selects nothing"),
        (Selection(z="3:1"), r"--z 3:1 selects nothing"),
        (Selection(t="0:3"), r"--t 0:3 reaches outside"),
        (Selection(t="-1"), r"--t '-1' is not understood"),
        (Selection(z="a:b"), r"--z 'a:b' is not understood"),
        (Selection(region="0,0,0,5"), r"has no area"),
        (Selection(region="0,0,5,-5"), r"has no area"),
        (Selection(region="4,0,5,5"), r"reaches outside 'cells', which is 8 × 6 pixels"),
        (Selection(region="-1,0,5,5"), r"reaches outside"),
        (Selection(region="1,2,3"), r"--region '1,2,3' is not understood"),
        (Selection(center="0,0,4,4"), r"--center 0,0,4,4 reaches outside"),
        (Selection(center="4,3,2,2", region="0,0,1,1"), r"exclude each other"),
        (Selection(channels=("mCherry",)), r"There is no channel 'mCherry' in 'cells'. Its channels are DAPI \(index:0\), GFP"),
        (Selection(channels=("index:3",)), r"it has index:0 to index:2"),
        (Selection(channels=("index:x",)), r"There is no channel index:x"),
        (Selection(level=1), r"There is no level 1 in 'cells': it has level 0"),
        (Selection(level=-1), r"There is no level -1"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_what_is(selection: Selection, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        select(numbered(), selection)


def test_series_by_number_and_by_name() -> None:
    images = [replace(numbered(), series=0, name="overview"), replace(numbered(), series=1, name="detail, left")]
    assert select_series(images, "all") == images
    assert select_series(images, "1,0,1") == images[::-1]
    assert select_series(images, "name:detail, left") == images[1:]


@pytest.mark.parametrize("series", ["2", "0,5", "name:nothing", "first", "0;1", "-1"])
def test_a_series_that_is_not_there(series: str) -> None:
    images = [replace(numbered(), series=0, name="overview"), replace(numbered(), series=1, name="detail")]
    with pytest.raises(UsageError, match="series"):
        select_series(images, series)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 30))
def test_a_span_is_taken_exactly_or_refused(start: int, stop: int, size: int) -> None:
    if start < stop <= size:
        assert parse_span(f"{start}:{stop}", size, "z", "cells") == (start, stop)
    else:
        with pytest.raises(UsageError):
            parse_span(f"{start}:{stop}", size, "z", "cells")


@given(st.text(max_size=12))
def test_no_text_breaks_the_grammar(text: str) -> None:
    for selection in (Selection(z=text), Selection(region=text), Selection(channels=(text,)), Selection(series=text)):
        try:
            select(numbered(1, 3, 2, 2, 2), selection)
            select_series([numbered(1, 1, 1, 2, 2)], selection.series)
        except UsageError as error:
            assert str(error).endswith((".", "included.", "]"))


@pytest.mark.parametrize(
    ("series", "told"),
    [
        (",".join(map(str, range(2000))), "--series 0:2000"),
        ("0,1,2,5,7,8,9", "--series 0:3,5,7:10"),
        ("0, 1", "--series 0,1"),
        ("2:5,5:7", "--series 2:7"),
        ("3,2,1", "--series 3,2,1"),
        ("name:0,1,2", "--series name:0,1,2"),
    ],
)
def test_many_series_are_told_in_few_characters_that_mean_the_same(series: str, told: str) -> None:
    assert Selection(series).describe() == told
    images = [replace(numbered(), series=number, name="0,1,2") for number in range(2000)]
    assert select_series(images, told.removeprefix("--series ")) == select_series(images, series)


@pytest.mark.parametrize("series", ["0:4", "3:999999999", "1:1", "2:1", "0:", ":2", "0:1:2", "-1:2"])
def test_a_span_of_series_that_are_not_there_is_refused(series: str) -> None:
    with pytest.raises(UsageError, match=r"no series 3|selects nothing|not understood"):
        select_series([replace(numbered(), series=number) for number in range(3)], series)
