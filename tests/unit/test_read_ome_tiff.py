"""OME-TIFF in one file: pyramids, series, and metadata that do not fit."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Quantity
from lightmicroscopy.writers.ome_tiff import write_ome_tiff
from lightmicroscopy.writers.options import WriteOptions

from .memory_image import memory_image
from .ome_tiff_files import HOLLOW, NAMESPACE, PAGES, channels, ome, sizes, written
from .tiff_files import noise, opened, pixels


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}, {"tile": (16, 16), "compression": "zlib"}])
def test_five_dimensions_arrive_in_their_places(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "five.ome.tif"
    values = noise((2, 3, 4, 20, 30))
    metadata = {"axes": "TCZYX", "PhysicalSizeX": 0.1, "PhysicalSizeXUnit": "µm", "Channel": {"Name": ["a", "b", "c"]}}
    tifffile.imwrite(path, values, metadata=metadata, **options)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert dataset.format == "OME-TIFF"
        assert dataset.ome is not None
        assert image.metadata.pixel_size_x == Quantity(0.1, "µm")
        assert [channel.name for channel in image.metadata.channels] == ["a", "b", "c"]
        np.testing.assert_array_equal(pixels(image)[..., 0], values)


@pytest.mark.parametrize("order", ["ZCT", "ZTC", "CZT", "CTZ", "TZC", "TCZ"])
def test_every_dimension_order_is_followed(tmp_path: Path, order: str) -> None:
    xml = ome(sizes(2, 3, 2), "<TiffData/>").replace("XYZCT", "XY" + order)
    path = written(tmp_path / "order.ome.tif", PAGES, xml)
    stored = PAGES.reshape([{"T": 2, "C": 3, "Z": 2}[axis] for axis in order[::-1]] + [7, 9])
    expected = stored.transpose([order[::-1].index(axis) for axis in "TCZ"] + [3, 4])
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0])[..., 0], expected)


def test_tiff_data_may_point_anywhere(tmp_path: Path) -> None:
    inside = '<TiffData IFD="5" FirstZ="0" PlaneCount="1"/><TiffData IFD="0" FirstZ="1" PlaneCount="2"/><TiffData IFD="11" FirstZ="3"/>'
    path = written(tmp_path / "scattered.ome.tif", PAGES, ome(sizes(z=4), inside))
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, ..., 0], PAGES[[5, 0, 1, 11]])


def test_a_count_from_one_is_understood(tmp_path: Path) -> None:
    inside = "".join(f'<TiffData IFD="{number}" FirstZ="{number + 1}" PlaneCount="1"/>' for number in range(3))
    path = written(tmp_path / "one.ome.tif", PAGES[:3], ome(sizes(z=3), inside))
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, ..., 0], PAGES[:3])


def test_planes_nobody_stored_are_the_fill_value_and_told(tmp_path: Path) -> None:
    path = written(
        tmp_path / "gaps.ome.tif",
        PAGES[:2],
        ome(sizes(z=4), '<TiffData IFD="0" FirstZ="0" PlaneCount="1"/><TiffData IFD="1" FirstZ="3" PlaneCount="1"/>'),
    )
    with opened(path) as dataset:
        (image,) = dataset.images
        assert any("2 of 4 planes" in warning for warning in image.warnings)
        got = pixels(image)[0, 0, ..., 0]
        np.testing.assert_array_equal(got[[0, 3]], PAGES[:2])
        assert not got[1:3].any()


def test_tiff_data_out_of_range_falls_back_to_the_order_of_pages(tmp_path: Path) -> None:
    inside = "".join(f'<TiffData IFD="{number + 50}" FirstZ="{number}" PlaneCount="1"/>' for number in range(3))
    path = written(tmp_path / "shifted.ome.tif", PAGES[:3], ome(sizes(z=3), inside))
    with opened(path) as dataset:
        (image,) = dataset.images
        assert any("one after the other" in warning for warning in image.warnings)
        np.testing.assert_array_equal(pixels(image)[0, 0, ..., 0], PAGES[:3])


def test_missing_pages_are_an_error_not_black_planes(tmp_path: Path) -> None:
    inside = "".join(f'<TiffData IFD="{number}" FirstZ="{number}" PlaneCount="1"/>' for number in range(5))
    path = written(tmp_path / "short.ome.tif", PAGES[:3], ome(sizes(z=5), inside))
    with pytest.raises(UnreadableError, match=r"short\.ome\.tif .* page 3"):
        opened(path)


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        pytest.param("<OME><Image></OME>", "not well-formed", id="broken"),
        pytest.param(f"<OME {NAMESPACE}/>", "no image", id="empty"),
        pytest.param(ome(sizes(c=10**9, z=10**9), "<TiffData/>"), "declared with", id="absurd sizes"),
        pytest.param(ome(sizes(z=3), '<TiffData FirstT="99" IFD="0"/>'), "outside", id="planes outside"),
    ],
)
def test_metadata_that_cannot_be_true_leave_a_plain_tiff(tmp_path: Path, xml: str, reason: str) -> None:
    path = written(tmp_path / "wrong.ome.tif", PAGES[:3], xml)
    with opened(path) as dataset:
        assert dataset.format == "TIFF"
        assert reason in dataset.warnings[0]
        np.testing.assert_array_equal(pixels(dataset.images[0])[:, 0, 0, ..., 0], PAGES[:3])


def test_metadata_with_entities_are_refused(tmp_path: Path) -> None:
    xml = '<!DOCTYPE OME [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + ome(sizes(), "<TiffData/>", name="&a;").split("?>", 1)[1]
    with pytest.raises(UnreadableError, match="document type"):
        opened(written(tmp_path / "evil.ome.tif", PAGES[:1], xml))


def test_wrong_sizes_and_type_yield_to_the_pages(tmp_path: Path) -> None:
    path = written(tmp_path / "lies.ome.tif", PAGES[:1].astype("uint8"), ome(sizes(), "<TiffData/>").replace('SizeX="9"', 'SizeX="90"'))
    with opened(path) as dataset:
        (image,) = dataset.images
        assert (image.shape.x, image.dtype) == (9, np.uint8)
        assert sum("the pages were believed" in warning for warning in image.warnings) == 2


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colour_is_samples_apart_from_channels(tmp_path: Path, planar: str) -> None:
    values = noise((2, 7, 9, 3)) if planar == "contig" else noise((2, 3, 7, 9))
    path = written(tmp_path / "rgb.ome.tif", values, ome(sizes(c=3, z=2), channels(3) + "<TiffData/>"), photometric="rgb", planarconfig=planar)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert (image.kind, image.shape) == ("rgb", (1, 1, 2, 7, 9, 3))
        np.testing.assert_array_equal(pixels(image)[0, 0], values if planar == "contig" else np.moveaxis(values, 1, -1))


def test_two_colour_channels_stay_two(tmp_path: Path) -> None:
    values = noise((2, 7, 9, 3))
    path = written(tmp_path / "rgb2.ome.tif", values, ome(sizes(c=6), channels(3, 3) + "<TiffData/>"), photometric="rgb")
    with opened(path) as dataset:
        assert dataset.images[0].shape == (1, 2, 1, 7, 9, 3)
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, :, 0], values)


def test_channels_stored_as_samples_of_a_page_are_channels(tmp_path: Path) -> None:
    values = noise((2, 7, 9, 5))
    path = written(tmp_path / "five.ome.tif", values, ome(sizes(c=5, z=2), channels(1, 1, 1, 1, 1) + "<TiffData/>"), planarconfig="contig")
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.shape == (1, 5, 2, 7, 9, 1)
        np.testing.assert_array_equal(pixels(image)[0, ..., 0], values.transpose(3, 0, 1, 2))


def test_channels_of_unlike_samples_are_refused(tmp_path: Path) -> None:
    xml = ome(sizes(c=4), channels(3, 1) + "<TiffData/>")
    with pytest.raises(UnreadableError, match="different numbers of samples"):
        opened(written(tmp_path / "odd.ome.tif", PAGES[:2], xml))


def test_a_label_map_this_suite_wrote_is_one_when_it_is_read_again(tmp_path: Path) -> None:
    labels = memory_image(np.arange(400, dtype=np.uint16).reshape(1, 1, 1, 20, 20, 1), kind="label")
    write_ome_tiff(labels, tmp_path / "labels.ome.tiff", None, WriteOptions())
    with opened(tmp_path / "labels.ome.tiff") as dataset:
        assert dataset.images[0].kind == "label"


def test_a_pyramid_in_subifds_has_levels_with_true_factors(tmp_path: Path) -> None:
    path = tmp_path / "pyramid.ome.tif"
    full = noise((3, 65, 101))
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(full, subifds=2, tile=(16, 16), metadata={"axes": "ZYX"})
        writer.write(full[:, ::2, ::2], tile=(16, 16), subfiletype=1)
        writer.write(full[:, ::4, ::4], tile=(16, 16), subfiletype=1)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert [level.factor for level in image.levels] == [(1, 1, 1), (1, 65 / 33, 101 / 51), (1, 65 / 17, 101 / 26)]
        for number, step in enumerate((1, 2, 4)):
            np.testing.assert_array_equal(pixels(image, number)[0, 0, ..., 0], full[:, ::step, ::step])


def test_several_series_keep_their_own_pages(tmp_path: Path) -> None:
    path = tmp_path / "series.ome.tif"
    first, second = noise((3, 7, 9)), noise((2, 5, 6), "uint8")
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(first, photometric="minisblack", metadata={"axes": "ZYX", "Name": "one"})
        writer.write(second, photometric="minisblack", metadata={"axes": "TYX", "Name": "two"})
    with opened(path) as dataset:
        assert [(image.name, image.series) for image in dataset.images] == [("one", 0), ("two", 1)]
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, ..., 0], first)
        np.testing.assert_array_equal(pixels(dataset.images[1])[:, 0, 0, ..., 0], second)


REAL = {
    "FOV7_HV110_P0500510000.ome.tiff": 1,
    "cells-2c.ome.tif": 1,
    "cells-2z.ome.tif": 1,
    "gia_multiseries.ome.tiff": 6,
    "gia_res.ome.tiff": 1,
    "mini-flim-moduloC.ome.tiff": 1,
    "mini-flim-moduloT.ome.tiff": 1,
    "multi-channel.ome.tif": 1,
}


@pytest.mark.parametrize(("name", "series"), REAL.items())
def test_real_files_have_the_planes_tifffile_finds(realfiles: Path, name: str, series: int) -> None:
    path = realfiles / "ometiff" / name
    with opened(path) as dataset, tifffile.TiffFile(path) as parsed:
        assert len(dataset.images) == len(parsed.series) == series
        for image, reference in zip(dataset.images, parsed.series, strict=True):
            expected = [zlib.crc32(np.ascontiguousarray(page.asarray())) for page in reference.pages]
            got = pixels(image)
            planes = [zlib.crc32(np.ascontiguousarray(plane)) for plane in got.reshape(-1, *got.shape[3:])]
            assert sorted(planes) == sorted(expected)


def test_folded_lifetimes_keep_their_order(realfiles: Path) -> None:
    path = realfiles / "ometiff" / "mini-flim-moduloT.ome.tiff"
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.metadata.modulo[0].type == "lifetime"
        np.testing.assert_array_equal(pixels(image)[..., 0], tifffile.imread(path).reshape(image.shape[:5]))


def test_images_without_pixels_leave_a_plain_tiff(tmp_path: Path) -> None:
    path = written(tmp_path / "hollow.ome.tif", PAGES[:3], f"<OME {NAMESPACE}>{HOLLOW}</OME>")
    with opened(path) as dataset:
        assert dataset.format == "TIFF"
        assert "has Pixels" in dataset.warnings[0]
        np.testing.assert_array_equal(pixels(dataset.images[0])[:, 0, 0, ..., 0], PAGES[:3])


def test_an_image_without_pixels_does_not_cost_the_others(tmp_path: Path) -> None:
    well = (
        '<Plate ID="Plate:0"><Well ID="Well:0" Row="0" Column="0"><WellSample ID="WellSample:0" Index="0"><ImageRef ID="Image:9"/></WellSample>'
        '<WellSample ID="WellSample:1" Index="1"><ImageRef ID="Image:0"/></WellSample></Well></Plate>'
    )
    xml = ome(sizes(z=3), "<TiffData/>").replace("<Image ", f"{well}{HOLLOW}<Image ", 1)
    with opened(written(tmp_path / "one.ome.tif", PAGES[:3], xml)) as dataset:
        (image,) = dataset.images
        assert (dataset.format, image.name, image.series) == ("OME-TIFF", "cells", 0)
        assert [field.series for field in dataset.plates[0].wells[0].fields] == [0]
        assert "1 of 2 images in the OME-XML have no Pixels and were left out: hollow." in dataset.warnings
        np.testing.assert_array_equal(pixels(image)[0, 0, ..., 0], PAGES[:3])


@pytest.mark.parametrize("order", ["", "XY", "XYZZT", "ZCTXY"])
def test_an_order_that_is_none_is_told(tmp_path: Path, order: str) -> None:
    xml = ome(sizes(z=3), "<TiffData/>").replace("XYZCT", order)
    with opened(written(tmp_path / "order.ome.tif", PAGES[:3], xml)) as dataset:
        (image,) = dataset.images
        assert any("taken as XYZCT" in warning for warning in image.warnings)
        np.testing.assert_array_equal(pixels(image)[0, 0, ..., 0], PAGES[:3])
