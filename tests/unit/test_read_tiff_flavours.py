"""ImageJ's and Zeiss LSM's TIFF: dimensions, calibration, colours, times, drawings."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Quantity
from lightmicroscopy.readers.tiff_roi import decode_roi

from .tiff_files import noise, opened, pixels


def imagej(path: Path, values: np.ndarray, axes: str, **more: Any) -> Path:
    """Write what ImageJ would, values in its order T Z C Y X S."""
    options = {name: more.pop(name) for name in ("resolution", "truncate", "byteorder", "compression") if name in more}
    tifffile.imwrite(path, values, imagej=True, metadata={"axes": axes, **more}, **options)
    return path


@pytest.mark.parametrize("options", [{}, {"truncate": True}, {"compression": "zlib"}, {"byteorder": "<"}])
def test_a_hyperstack_arrives_in_its_places(tmp_path: Path, options: dict[str, Any]) -> None:
    values = noise((2, 3, 4, 20, 30))
    path = imagej(tmp_path / "hyper.tif", values, "TZCYX", **options)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert dataset.format == "ImageJ TIFF"
        assert image.axes == "TZCYX"
        assert image.dtype.isnative
        np.testing.assert_array_equal(pixels(image)[..., 0], values.transpose(0, 2, 1, 3, 4))


def test_a_colour_stack_keeps_its_samples(tmp_path: Path) -> None:
    values = noise((4, 20, 30, 3), "uint8")
    with opened(imagej(tmp_path / "rgb.tif", values, "ZYXS")) as dataset:
        (image,) = dataset.images
        assert (image.kind, image.shape) == ("rgb", (1, 1, 4, 20, 30, 3))
        np.testing.assert_array_equal(pixels(image)[0, 0], values)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("um", "µm"), ("micron", "µm"), ("\\u00B5m", "µm"), ("\\u00C5", "Å"), ("nm", "nm"), ("mm", "mm"), ("Mm", "mm"), ("inches", "in")],
)
def test_calibration_is_read_with_its_unit(tmp_path: Path, unit: str, expected: str) -> None:
    path = imagej(tmp_path / "cal.tif", noise((2, 3, 5, 5)), "TZYX", resolution=(4.0, 2.0), unit=unit, spacing=1.5, finterval=30.0)
    with opened(path) as dataset:
        metadata = dataset.images[0].metadata
        assert metadata.pixel_size_x == Quantity(0.25, expected)
        assert metadata.pixel_size_y == Quantity(0.5, expected)
        assert metadata.pixel_size_z == Quantity(1.5, expected)
        assert metadata.time_increment_s == 30


def test_a_falling_stack_keeps_its_order_and_its_direction(tmp_path: Path) -> None:
    values = noise((3, 5, 5))
    with opened(imagej(tmp_path / "falling.tif", values, "ZYX", resolution=(4.0, 4.0), unit="um", spacing=-0.5)) as dataset:
        (image,) = dataset.images
        assert image.metadata.pixel_size_z == Quantity(-0.5, "µm")
        assert any("descending" in warning for warning in image.warnings)
        np.testing.assert_array_equal(pixels(image).squeeze(), values)


@pytest.mark.parametrize("unit", ["pixel", "", "furlong"])
def test_no_unit_is_no_calibration(tmp_path: Path, unit: str) -> None:
    path = imagej(tmp_path / "uncal.tif", noise((3, 5, 5)), "ZYX", resolution=(1.0, 1.0), unit=unit, spacing=1.0)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.metadata.pixel_size_x is image.metadata.pixel_size_z is None
        assert any("furlong" in warning for warning in image.warnings) is (unit == "furlong")


def test_colours_ranges_labels_and_info_are_kept(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype="uint8")
    magenta, grey, fire = np.stack([ramp, 0 * ramp, ramp]), np.stack([ramp] * 3), noise((3, 256), "uint8")
    path = imagej(
        tmp_path / "colours.tif",
        noise((3, 5, 5)),
        "CYX",
        LUTs=[magenta, grey, fire],
        Ranges=(1.0, 100.0, 2.0, 200.0, 3.0, 300.0),
        Labels=["red", "trans", "far"],
        Info="Objective = Plan 20x\nfree text\n",
    )
    with opened(path) as dataset:
        metadata = dataset.images[0].metadata
        assert [channel.color for channel in metadata.channels] == [(0xFF00FFFF) - (1 << 32), None, None]
        assert [channel.window for channel in metadata.channels] == [(1, 100), (2, 200), (3, 300)]
        assert ("Label 2", "trans") in metadata.original
        assert ("Objective", "Plan 20x") in metadata.original
        assert ("Info", "free text") in metadata.original


def test_a_calibration_function_is_kept_and_not_applied(tmp_path: Path) -> None:
    values = noise((5, 5))
    with opened(imagej(tmp_path / "od.tif", values, "YX", cf=0, c0=1.5, c1=-2.0, vunit="OD")) as dataset:
        (image,) = dataset.images
        assert any("calibration function" in warning for warning in image.warnings)
        assert ("c0", "1.5") in image.metadata.original
        np.testing.assert_array_equal(pixels(image).squeeze(), values)


def roi_bytes(
    kind: int, box: tuple[int, int, int, int], points: tuple[tuple[int, int], ...] = (), *, name: str = "", plane: tuple[int, int, int] = (0, 0, 0)
) -> bytes:
    """Return a region as ImageJ stores it; box is top, left, bottom, right."""
    head = bytearray(64)
    head[:4] = b"Iout"
    struct.pack_into(">hB", head, 4, 227, kind)
    struct.pack_into(">hhhhH", head, 8, *box, len(points))
    body = b"".join(struct.pack(">h", x) for x, _ in points) + b"".join(struct.pack(">h", y) for _, y in points)
    second = 64 + len(body)
    struct.pack_into(">i", head, 60, second)
    text = name.encode("utf-16-be")
    return bytes(head) + body + struct.pack(">i5i", 0, *plane, second + 64, len(name)) + bytes(40) + text


@pytest.mark.parametrize(
    ("data", "shape", "geometry"),
    [
        pytest.param(roi_bytes(1, (2, 3, 12, 23)), "Rectangle", {"X": "3", "Y": "2", "Width": "20", "Height": "10"}, id="rectangle"),
        pytest.param(roi_bytes(2, (2, 3, 12, 23)), "Ellipse", {"X": "13", "Y": "7", "RadiusX": "10", "RadiusY": "5"}, id="oval"),
        pytest.param(roi_bytes(0, (2, 3, 9, 9), ((0, 0), (4, 0), (4, 5))), "Polygon", {"Points": "3,2 7,2 7,7"}, id="polygon"),
        pytest.param(roi_bytes(5, (2, 3, 9, 9), ((0, 0), (4, 5))), "Polyline", {"Points": "3,2 7,7"}, id="polyline"),
        pytest.param(roi_bytes(10, (2, 3, 9, 9), ((1, 1),)), "Point", {"X": "4", "Y": "3"}, id="point"),
    ],
)
def test_drawn_regions_become_rois(data: bytes, shape: str, geometry: dict[str, str]) -> None:
    roi = decode_roi(data)
    assert roi is not None
    assert (roi.shapes[0].type, dict(roi.shapes[0].geometry)) == (shape, geometry)


@pytest.mark.parametrize(
    "data", [b"", b"Iout", b"\0" * 100, roi_bytes(1, (0, 0, 1, 1))[:63], roi_bytes(0, (0, 0, 1, 1), ((1, 1),))[:64], roi_bytes(9, (0, 0, 1, 1))]
)
def test_what_is_no_region_is_none(data: bytes) -> None:
    assert decode_roi(data) is None


def test_overlays_are_read_with_name_and_plane_and_losses_told(tmp_path: Path) -> None:
    overlays = [roi_bytes(1, (2, 3, 12, 23), name="nucleus", plane=(2, 3, 0)), b"Iout" + bytes(80)[:70] + b"\1" * 6]
    path = imagej(tmp_path / "overlay.tif", noise((4, 3, 5, 5)), "ZCYX", Overlays=overlays)
    with opened(path) as dataset:
        (image,) = dataset.images
        (roi, *rest) = image.metadata.rois
        assert (roi.name, roi.shapes[0].c, roi.shapes[0].z, roi.shapes[0].t) == ("nucleus", 1, 2, None)
        assert len(rest) + any("1 of 2 regions" in warning for warning in image.warnings) == 1


def test_a_hyperstack_cut_short_is_refused(tmp_path: Path) -> None:
    path = imagej(tmp_path / "cut.tif", noise((9, 30, 30)), "ZYX", truncate=True)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UnreadableError, match=r"cut\.tif"):
        opened(path)


def test_colours_stored_apart_stay_colours_whatever_imagej_would_count(tmp_path: Path) -> None:
    planes = np.arange(3 * 5 * 7, dtype=np.uint8).reshape(3, 5, 7)
    text = "ImageJ=\nhyperstack=true\nimages=3\nchannels=3\nslices=1\nframes=1\n"
    for kind, shape in (("rgb", (1, 1, 1, 5, 7, 3)), ("minisblack", (1, 3, 1, 5, 7, 1))):
        path = tmp_path / f"{kind}.tif"
        tifffile.imwrite(path, planes, photometric=kind, planarconfig="separate", description=text, metadata=None)
        with opened(path) as dataset:
            (image,) = dataset.images
            assert tuple(image.shape) == shape
            assert image.kind == ("rgb" if kind == "rgb" else "intensity")
            assert np.array_equal(np.moveaxis(pixels(image), -1, 1).reshape(3, 5, 7), planes)


@pytest.mark.parametrize("claim", [b"images=900000000", b"images=-0000004", b"images=xyzxyzxyz"])
def test_an_imagej_description_that_lies_does_not_pass(tmp_path: Path, claim: bytes) -> None:
    path = imagej(tmp_path / "lie.tif", noise((4, 5, 5)), "ZYX", spacing=1.0)
    data = path.read_bytes()
    assert b"images=4\n" in data
    at = data.index(b"ImageJ=")
    text = b"ImageJ=1.11a\n" + claim + b"\nslices=900000000\n"
    path.write_bytes(data[:at] + text + data[at + len(text) :])
    try:
        with opened(path) as dataset:
            assert sum(image.shape.planes for image in dataset.images) <= 4
    except UnreadableError as error:
        assert "lie.tif" in str(error)


def lsm(path: Path, values: np.ndarray, *, scan: int = 6, stamps: tuple[float, ...] = ()) -> Path:
    """Write pages as LSM does: T Z C Y X values, channels as planes of a page, a thumbnail after each page."""
    size_t, size_z, size_c, size_y, size_x = values.shape
    info = struct.pack("<I9i", 0x0400494C, 500, size_x, size_y, size_z, size_c, size_t, 2, 8, 8)
    info += struct.pack("<6d", 1e-7, 2e-7, 5e-7, 0, 0, 0) + struct.pack("<HHI", scan, 0, 0) + struct.pack("<4I", 0, 0, 0, 0xC0105C01)
    info += struct.pack("<d", 0) + struct.pack("<4I", 0, 0, 0, 0x71AE5A99) + struct.pack("<4I", 0, 0, 0, 0)
    info += bytes(500 - len(info))
    with tifffile.TiffWriter(path) as writer:
        first = True
        for page in values.reshape(-1, size_c, size_y, size_x):
            extra = [(34412, 1, len(info), info, False)] if first else []
            writer.write(
                page, photometric="rgb" if size_c == 3 else "minisblack", planarconfig="separate", metadata=None, extratags=extra, compression="lzw"
            )
            writer.write(page[:, :8, :8], photometric="rgb" if size_c == 3 else "minisblack", planarconfig="separate", subfiletype=1, metadata=None)
            first = False
    data = path.read_bytes()
    names = b"".join(struct.pack("<I", len(name) + 1) + name + b"\0" for name in (b"Ch1", b"Ch2-T1", b"Ch3")[:size_c])
    size = 24 + 4 * size_c + len(names)
    colours = (
        struct.pack("<6I", size, size_c, size_c, 24, 24 + 4 * size_c, 0) + bytes([255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0])[: 4 * size_c] + names
    )
    times = struct.pack(f"<II{len(stamps)}d", 8 + 8 * len(stamps), len(stamps), *stamps)
    data = data.replace(struct.pack("<I", 0xC0105C01), struct.pack("<I", len(data))).replace(
        struct.pack("<I", 0x71AE5A99), struct.pack("<I", len(data) + size)
    )
    path.write_bytes(data + colours + times)
    return path


def test_an_lsm_stack_has_channels_colours_sizes_and_times(tmp_path: Path) -> None:
    values = noise((3, 2, 3, 20, 30), "uint8")
    with opened(lsm(tmp_path / "stack.lsm", values, stamps=(100.0, 110.0, 120.0))) as dataset:
        (image,) = dataset.images
        assert dataset.format == "Zeiss LSM"
        assert image.kind == "intensity"
        np.testing.assert_array_equal(pixels(image)[..., 0], values.transpose(0, 2, 1, 3, 4))
        metadata = image.metadata
        assert (metadata.pixel_size_x, metadata.pixel_size_y, metadata.pixel_size_z) == (
            Quantity(0.1, "µm"),
            Quantity(0.2, "µm"),
            Quantity(0.5, "µm"),
        )
        assert [channel.name for channel in metadata.channels] == ["Ch1", "Ch2-T1", "Ch3"]
        assert [channel.color for channel in metadata.channels] == [0xFF0000FF - (1 << 32), 0x00FF00FF, 0x0000FFFF]
        assert metadata.time_increment_s == 10
        assert {(plane.t, plane.delta_t_s) for plane in metadata.planes} == {(0, 0), (1, 10), (2, 20)}


def test_irregular_times_give_no_increment(tmp_path: Path) -> None:
    with opened(lsm(tmp_path / "stack.lsm", noise((3, 1, 3, 9, 9), "uint8"), stamps=(0.0, 1.0, 9.0))) as dataset:
        metadata = dataset.images[0].metadata
        assert metadata.time_increment_s is None
        assert metadata.planes[-1].delta_t_s == 9


@pytest.mark.parametrize(
    "description",
    [
        pytest.param(b"ImageJ=1.53\nimages=abc\nchannels=\n", id="ImageJ with a word for a number"),
        pytest.param(b"ImageJ=1.53\nimages=-5\nslices=-5\n", id="ImageJ with negative sizes"),
        pytest.param(b'{"shape": [-1, 8, 8]}', id="a negative shape"),
        pytest.param(b'{"shape": [-1, 8, 8], "axes": "ZZZ"}', id="a negative shape and axes"),
    ],
)
def test_a_senseless_description_leaves_the_pages(tmp_path: Path, description: bytes) -> None:
    path = tmp_path / "odd.tif"
    values = noise((8, 8), "uint8")
    tifffile.imwrite(path, values, description=description, metadata=None)
    with opened(path) as dataset:
        (image,) = dataset.images
        np.testing.assert_array_equal(pixels(image).squeeze(), values)
        assert dataset.format == "TIFF"
        assert sum("description of odd.tif does not fit its pages" in warning for warning in dataset.warnings) == 1


def test_a_description_of_more_planes_than_are_there_is_still_refused(tmp_path: Path) -> None:
    path = tmp_path / "more.tif"
    tifffile.imwrite(path, noise((8, 8), "uint8"), description=b"ImageJ=1.53\nimages=abc\nslices=900\n", metadata=None)
    with pytest.raises(UnreadableError, match=r"more\.tif .*900 planes"):
        opened(path)
