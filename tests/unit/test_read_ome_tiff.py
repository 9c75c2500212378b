"""OME-TIFF: one file, pyramids, sets of files, and metadata that do not fit."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Quantity

from .tiff_files import noise, opened, pixels

NAMESPACE = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'


def ome(pixel_attributes: str, inside: str, *, attributes: str = "", name: str = "cells") -> str:
    """Return the OME-XML of one image."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OME {NAMESPACE} {attributes}><Image ID="Image:0" Name="{name}">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="9" SizeY="7" {pixel_attributes}>{inside}</Pixels></Image></OME>'
    )


def sizes(t: int = 1, c: int = 1, z: int = 1) -> str:
    """Return the size attributes of Pixels."""
    return f'SizeT="{t}" SizeC="{c}" SizeZ="{z}"'


def channels(*samples: int) -> str:
    """Return Channel elements."""
    return "".join(f'<Channel ID="Channel:0:{number}" SamplesPerPixel="{count}"/>' for number, count in enumerate(samples))


def written(path: Path, pages: np.ndarray, xml: str, **options: Any) -> Path:
    """Write pages under a description of our own."""
    tifffile.imwrite(path, pages, description=xml.encode(), metadata=None, photometric=options.pop("photometric", "minisblack"), **options)
    return path


PAGES = noise((12, 7, 9))


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


UUIDS = [f"urn:uuid:00000000-0000-0000-0000-00000000000{number}" for number in range(3)]


def set_xml(number: int, names: list[str]) -> str:
    """Return the metadata that each file of a full set carries."""
    inside = "".join(
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="1"><UUID FileName="{name}">{UUIDS[z]}</UUID></TiffData>' for z, name in enumerate(names)
    )
    return ome(sizes(z=len(names)), inside, attributes=f'UUID="{UUIDS[number]}"')


def full_set(folder: Path, *, prefix: str = "") -> list[Path]:
    """Write three files, each with the metadata of all."""
    names = [f"scan_{number}.ome.tif" for number in range(3)]
    folder.mkdir(exist_ok=True)
    return [written(folder / f"{prefix}{name}", PAGES[number : number + 1], set_xml(number, names)) for number, name in enumerate(names)]


def test_a_set_is_assembled_from_files_beside_the_one_given(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    with opened(paths[1]) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, ..., 0], PAGES[:3])
        assert set(dataset.files) == set(paths)


def test_renamed_members_are_known_by_their_uuid(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    staged = [path.rename(tmp_path / f"dataset_{number}.dat") for number, path in enumerate(paths)]
    with opened(staged[0], *reversed(staged)) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, ..., 0], PAGES[:3])


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    paths[2].unlink()
    with pytest.raises(UnreadableError, match=r"'scan_2\.ome\.tif' is not there\. Give all files"):
        opened(paths[0])


def test_a_truncated_member_is_named(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    paths[2].write_bytes(paths[2].read_bytes()[:-40])
    with pytest.raises(UnreadableError, match=r"scan_2\.ome\.tif is truncated"):
        opened(paths[0])


def test_a_renamed_single_file_is_no_set(tmp_path: Path) -> None:
    xml = ome(sizes(z=3), f'<TiffData IFD="0" PlaneCount="3"><UUID FileName="old name.ome.tif">{UUIDS[0]}</UUID></TiffData>')
    path = written(tmp_path / "new.ome.tif", PAGES[:3], xml)
    with opened(path) as dataset:
        assert "renamed" in dataset.warnings[0]
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, ..., 0], PAGES[:3])


@pytest.mark.parametrize(
    "name", ["../secret.ome.tif", "/{folder}/secret.ome.tif", "..\\secret.ome.tif", "secret.ome.tif/../../secret.ome.tif", "..", "a\0b"]
)
def test_a_companion_cannot_reach_outside_its_folder(tmp_path: Path, name: str) -> None:
    written(tmp_path / "secret.ome.tif", PAGES[:1], "secret")
    inner = tmp_path / "inner"
    inner.mkdir()
    text = name.format(folder=str(tmp_path).strip("/")).replace("\0", "")
    companion = inner / "set.companion.ome"
    companion.write_text(ome(sizes(), f'<TiffData IFD="0" PlaneCount="1"><UUID FileName="{text}">{UUIDS[0]}</UUID></TiffData>'))
    with pytest.raises(UnreadableError, match="not there"):
        opened(companion)


def test_a_companion_that_names_no_tiff_says_so(tmp_path: Path) -> None:
    companion = tmp_path / "set.companion.ome"
    companion.write_text(ome(sizes(), f'<TiffData IFD="0" PlaneCount="1"><UUID FileName="notes.txt">{UUIDS[0]}</UUID></TiffData>'))
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UnreadableError, match=r"notes\.txt.*is not a TIFF"):
        opened(companion)


@pytest.mark.parametrize("inside", ["<TiffData/>", "", "<MetadataOnly/>"])
def test_a_companion_without_files_is_refused(tmp_path: Path, inside: str) -> None:
    companion = tmp_path / "set.companion.ome"
    companion.write_text(ome(sizes(), inside))
    with pytest.raises(UnreadableError, match=r"set\.companion\.ome"):
        opened(companion)


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


@pytest.mark.parametrize("given", ["multifile.companion.ome", "multifile-Z3.ome.tiff"])
def test_the_real_set_opens_from_any_of_its_files(realfiles: Path, given: str) -> None:
    folder = realfiles / "ometiff"
    with opened(folder / given) as dataset:
        (image,) = dataset.images
        assert len(dataset.files) == 6
        for z in range(5):
            np.testing.assert_array_equal(pixels(image)[0, 0, z, ..., 0], tifffile.imread(folder / f"multifile-Z{z + 1}.ome.tiff", is_ome=False))


def test_the_real_set_opens_from_staged_copies_in_other_folders(realfiles: Path, tmp_path: Path) -> None:
    copies = []
    for number, path in enumerate(sorted((realfiles / "ometiff").glob("multifile*"))):
        (tmp_path / str(number)).mkdir()
        copies.append(Path(shutil.copyfile(path, tmp_path / str(number) / f"{number}_{path.name}")))
    with opened(copies[0], *copies) as dataset:
        assert dataset.images[0].shape.z == 5


def test_one_file_of_the_real_set_alone_asks_for_the_others(realfiles: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copyfile(realfiles / "ometiff" / "multifile-Z1.ome.tiff", tmp_path / "multifile-Z1.ome.tiff"))
    with pytest.raises(UnreadableError, match=r"'multifile\.companion\.ome'.* Give all files of the set"):
        opened(alone)


HOLLOW = '<Image ID="Image:9" Name="hollow"/>'


def test_images_without_pixels_leave_a_plain_tiff(tmp_path: Path) -> None:
    path = written(tmp_path / "hollow.ome.tif", PAGES[:3], f"<OME {NAMESPACE}>{HOLLOW}</OME>")
    with opened(path) as dataset:
        assert dataset.format == "TIFF"
        assert "has Pixels" in dataset.warnings[0]
        np.testing.assert_array_equal(pixels(dataset.images[0])[:, 0, 0, ..., 0], PAGES[:3])


def test_a_companion_of_images_without_pixels_is_refused(tmp_path: Path) -> None:
    companion = tmp_path / "set.companion.ome"
    companion.write_text(f"<OME {NAMESPACE}>{HOLLOW}</OME>")
    with pytest.raises(UnreadableError, match=r"set\.companion\.ome"):
        opened(companion)


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
