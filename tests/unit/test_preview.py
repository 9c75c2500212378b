"""The contact sheet: what a person sees of her images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as Pillow

from lightmicroscopy.errors import UnreadableError, UnwritableError
from lightmicroscopy.image import Channel, ImageMetadata, Level, Quantity, Region, Shape
from lightmicroscopy.reports.preview import CAPTION, GAP, LIMIT, drawable, scale_bar, write_preview
from lightmicroscopy.reports.thumbnail import TILE, thumbnail

from .memory_image import MemoryPixels, memory_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

GREEN, RED = 0x00FF00FF, -16776961


def _channels(*colors: int | None) -> ImageMetadata:
    return ImageMetadata(channels=tuple(Channel(name=str(index), color=color) for index, color in enumerate(colors)))


def _two_spots() -> NDArray[Any]:
    array = np.full((1, 2, 1, 20, 20, 1), 100, np.uint16)
    array[0, 0, 0, 5, 5] = 4000
    array[0, 1, 0, 15, 15] = 300
    return array


def test_each_channel_gets_its_own_contrast_and_its_recorded_colour() -> None:
    pixels, _, remark = thumbnail(memory_image(_two_spots(), metadata=_channels(RED, GREEN)))
    assert pixels[5, 5].tolist() == [255, 0, 0]
    assert pixels[15, 15].tolist() == [0, 255, 0]
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert remark == ""


@pytest.mark.parametrize("color", [None, -1])
def test_without_recorded_colours_the_sheet_says_that_it_chose_them(color: int | None) -> None:
    pixels, _, remark = thumbnail(memory_image(_two_spots(), metadata=_channels(color, color)))
    assert pixels[5, 5].tolist() != pixels[15, 15].tolist()
    assert "chosen here" in remark


@pytest.mark.parametrize("before", ["", "H&E "])
def test_a_colour_picture_kept_as_three_channels_keeps_its_colours(before: str) -> None:
    array = np.zeros((1, 3, 1, 4, 4, 1), np.uint8)
    array[0, :, 0, :, :, 0] = np.array([200, 100, 150])[:, None, None]
    array[0, :, 0, 0, 0, 0] = [90, 10, 60]
    channels = tuple(Channel(name=f"{before}{name}") for name in ("Red", "Green", "Blue"))
    pixels, _, _ = thumbnail(memory_image(array, metadata=ImageMetadata(channels=channels)))
    assert pixels[3, 3].tolist() == [200, 100, 150]
    assert pixels[0, 0].tolist() == [90, 10, 60]


@pytest.mark.parametrize("names", [("Cy3 Red", "Cy5 Green", "Blue"), ("InfraRed", "InfraGreen", "InfraBlue"), ("Blue", "Green", "Red")])
def test_channels_of_other_names_are_stretched_one_by_one(names: tuple[str, ...]) -> None:
    channels = tuple(Channel(name=name) for name in names)
    array = _two_spots()[:, [0, 1, 1]]
    pixels, _, remark = thumbnail(memory_image(array, metadata=ImageMetadata(channels=channels)))
    assert "chosen here" in remark
    assert pixels.any()


def test_the_one_channel_without_a_colour_is_a_grey_background_to_the_coloured_ones() -> None:
    pixels, _, remark = thumbnail(memory_image(_two_spots(), metadata=_channels(-1, RED)))
    grays = pixels[5, 5].tolist()
    assert grays[0] == grays[1] == grays[2]
    assert 0 < grays[0] < 128
    assert "chosen here" in remark


def test_one_channel_without_a_colour_is_grey() -> None:
    pixels, _, _ = thumbnail(memory_image(_two_spots()[:, :1]))
    assert pixels[5, 5].tolist() == [255, 255, 255]
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_nan_and_infinity_do_not_spoil_the_contrast() -> None:
    array = np.linspace(0, 1, 400, dtype=np.float32).reshape(1, 1, 1, 20, 20, 1)
    array[0, 0, 0, 0, 0] = np.nan
    array[0, 0, 0, 0, 1] = np.inf
    pixels, _, _ = thumbnail(memory_image(array))
    assert 100 < pixels[10, 10, 0] < 155
    assert pixels[19, 19, 0] == 255


def test_an_image_without_one_finite_value_is_black_and_no_error() -> None:
    pixels, _, _ = thumbnail(memory_image(np.full((1, 1, 1, 4, 4, 1), np.nan, np.float32)))
    assert not pixels.any()


def test_rgb_is_shown_as_it_is() -> None:
    array = np.zeros((1, 1, 1, 2, 2, 3), np.uint8)
    array[0, 0, 0, 0, 0] = (10, 20, 30)
    pixels, _, _ = thumbnail(memory_image(array, kind="rgb"))
    assert pixels[0, 0].tolist() == [10, 20, 30]


def test_labels_get_different_colours_and_the_background_none() -> None:
    array = np.arange(100, dtype=np.int64).reshape(1, 1, 1, 10, 10, 1)
    pixels, _, remark = thumbnail(memory_image(array, kind="label"))
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert len({tuple(color) for row in pixels.tolist() for color in row}) > 95
    assert remark == "label map"


def test_labels_are_never_mixed_when_shrunk() -> None:
    array = np.zeros((1, 1, 1, 800, 800, 1), np.uint16)
    array[..., 400:, :] = 7
    pixels, _, _ = thumbnail(memory_image(array, kind="label"), 100)
    assert len({tuple(color) for row in pixels.tolist() for color in row}) == 2


@pytest.mark.parametrize("top", [255, 65535])
def test_indices_are_shown_through_the_colour_table_in_either_range(top: int) -> None:
    table = ((0, 0, 0), (top, 0, 0), (0, 0, top), (0, top, 0))
    array = np.array([[1, 2], [3, 0]], np.uint8).reshape(1, 1, 1, 2, 2, 1)
    pixels, _, _ = thumbnail(memory_image(array, kind="indexed", metadata=ImageMetadata(channels=(Channel(lut=table),))))
    assert pixels.tolist() == [[[255, 0, 0], [0, 0, 255]], [[0, 255, 0], [0, 0, 0]]]


def test_an_index_beyond_its_colour_table_is_no_error() -> None:
    array = np.full((1, 1, 1, 2, 2, 1), 200, np.uint8)
    pixels, _, _ = thumbnail(memory_image(array, kind="indexed", metadata=ImageMetadata(channels=(Channel(lut=((0, 0, 0), (9, 9, 200))),))))
    assert pixels[0, 0].tolist() == [9, 9, 200]


def test_the_middle_z_of_the_first_time_is_shown() -> None:
    array = np.zeros((2, 1, 5, 2, 2, 1), np.uint8)
    array[0, 0, 2, 0, 0] = 9
    pixels, _, _ = thumbnail(memory_image(array))
    assert pixels[0, 0, 0] == 255


def test_the_smallest_level_that_is_large_enough_is_read() -> None:
    levels = tuple(
        Level(MemoryPixels(np.full((1, 1, 1, size, size, 1), size % 251, np.uint8), Shape(1, 1, 1, size, size)), (1, 512 / size, 512 / size))
        for size in (512, 256, 64)
    )
    image = memory_image(np.zeros((1, 1, 1, 512, 512, 1), np.uint8))
    pixels, scale, _ = thumbnail(replace(image, levels=levels), 200)
    assert pixels.shape[:2] == (128, 128)
    assert scale == 4.0


class _Counting(MemoryPixels):
    """Notes the largest box that was asked for."""

    largest = 0

    def read(self, region: Region) -> NDArray[Any]:
        block = super().read(region)
        type(self).largest = max(type(self).largest, block.nbytes)
        return block


def test_a_huge_plane_without_pyramid_is_read_in_bounded_bands() -> None:
    array = np.broadcast_to(np.uint16(5), (1, 1, 1, 9000, 12000, 1))
    image = memory_image(array, unit=Shape(1, 1, 1, 512, 512))
    counting = _Counting(array, Shape(1, 1, 1, 512, 512))
    pixels, scale, _ = thumbnail(replace(image, levels=(Level(counting),)), 384)
    assert pixels.shape == (282, 375, 3)
    assert scale == 32
    assert 0 < _Counting.largest <= 32 << 20


@pytest.mark.parametrize(
    ("pixel_um", "width", "bar"),
    [
        (0.325, 384, (62, "20 µm")),
        (0.1, 300, (100, "10 µm")),
        (2.0, 384, (100, "200 µm")),
        (0.001, 384, (100, "0.1 µm")),
        (10.0, 600, (200, "2000 µm")),
    ],
)
def test_a_scale_bar_is_round_and_at_most_a_third(pixel_um: float, width: int, bar: tuple[int, str]) -> None:
    assert scale_bar(pixel_um, width) == bar


@pytest.mark.parametrize("pixel_um", [0.0, -1.0, float("nan"), float("inf")])
def test_no_scale_bar_for_a_size_that_is_none(pixel_um: float) -> None:
    assert scale_bar(pixel_um, 384) is None


def _sheet(path: Path, size: Quantity | None) -> NDArray[Any]:
    image = memory_image(np.zeros((1, 1, 1, 400, 400, 1), np.uint8), metadata=ImageMetadata(pixel_size_x=size))
    write_preview([("cells", image)], path)
    return np.asarray(Pillow.open(path))[GAP : GAP + TILE, GAP : GAP + TILE]


@pytest.mark.parametrize("size", [None, Quantity(1, "pixel"), Quantity(1, "reference frame")])
def test_no_scale_bar_is_drawn_where_the_size_is_unknown(tmp_path: Path, size: Quantity | None) -> None:
    assert not _sheet(tmp_path / "a.png", size).any()


@pytest.mark.parametrize("size", [Quantity(0.325, "µm"), Quantity(325, "nm"), Quantity(0.325e-5, "dm"), Quantity(0.325e-3 / 25.4, "in")])
def test_a_scale_bar_is_drawn_where_the_size_is_known(tmp_path: Path, size: Quantity) -> None:
    picture = _sheet(tmp_path / "a.png", size)
    assert (picture[-60:, -200:] == 255).any()
    assert not picture[:200].any()
    assert np.array_equal(picture, _sheet(tmp_path / "b.png", Quantity(325, "nm")))


def test_a_damaged_image_leaves_an_empty_frame_and_the_others_their_pictures(tmp_path: Path) -> None:
    class Damaged(MemoryPixels):
        def read(self, region: Region) -> NDArray[Any]:
            raise UnreadableError("A chunk is damaged.")

    whole = memory_image(np.full((1, 1, 1, 8, 8, 1), 200, np.uint8))
    broken = replace(whole, levels=(Level(Damaged(np.zeros((1, 1, 1, 8, 8, 1)), Shape(1, 1, 1, 8, 8))),))
    write_preview([("broken", broken), ("whole", whole)], tmp_path / "a.png")
    sheet = np.asarray(Pillow.open(tmp_path / "a.png").convert("L"))
    left, right = sheet[GAP + 50, GAP + 50], sheet[GAP + 50, GAP + TILE + GAP + 50]
    assert left > 200
    assert right == 127


@pytest.mark.parametrize(("count", "note"), [(0, True), (LIMIT, False), (LIMIT + 17, True)])
def test_many_images_are_counted_and_none_is_said(tmp_path: Path, count: int, note: bool) -> None:
    image = memory_image(np.zeros((1, 1, 1, 4, 4, 1), np.uint8))
    write_preview([("a", image)] * count, tmp_path / "a.png", tile=100)
    sheet = np.asarray(Pillow.open(tmp_path / "a.png").convert("L"))
    pictures = GAP + min(count, LIMIT) // 4 * (100 + CAPTION + GAP)
    assert bool((sheet[pictures:] < 180).any()) == note


def test_nothing_partial_stays_when_the_folder_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match="cannot be written"):
        write_preview([], tmp_path / "file" / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("Prøve æ 3", "Prove ae 3"),
        ("zażółć", "zazolc"),
        ("細胞.tif", "??.tif"),
        ("a\tb\x00", "a?b?"),
        ("α-tubulin, 2 µm", "alpha-tubulin, 2 um"),
    ],
)
def test_names_in_any_script_can_be_drawn(name: str, drawn: str) -> None:
    assert drawable(name) == drawn


def test_a_very_long_name_stays_inside_its_column(tmp_path: Path) -> None:
    image = memory_image(np.zeros((1, 1, 1, 4, 4, 1), np.uint8))
    write_preview([("x" * 5000, image)], tmp_path / "a.png")
    sheet = np.asarray(Pillow.open(tmp_path / "a.png").convert("L"))
    assert (sheet[GAP + TILE :, GAP + TILE + 2 :] > 200).all()
