"""A fast wrong answer is no answer: what a program wrote is compared with what was made."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from benchmarking.images import CHANNELS, LEAST, PIXEL_UM, extent, make
from benchmarking.outputs import check

TINY = 0.001


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("images") / "image.ome.tiff"
    make(str(path), "ome-tiff", TINY)
    return path


@pytest.fixture
def pixels(image: Path) -> np.ndarray:
    return tifffile.imread(image).copy()


def copy_as_tiff(folder: Path, pixels: np.ndarray, axes: str = "TCZYX", name: str = "out.ome.tiff") -> Path:
    folder.mkdir(exist_ok=True)
    metadata = {"axes": axes, "PhysicalSizeX": PIXEL_UM, "PhysicalSizeXUnit": "µm"}
    tifffile.imwrite(folder / name, pixels, metadata=metadata, ome=True, tile=(128, 128), compression="zlib", photometric="minisblack")
    return folder


def copy_as_zarr(folder: Path, pixels: np.ndarray, unit: str = "micrometer") -> Path:
    group = zarr.create_group(folder / "out.ome.zarr")
    group.create_array("0", data=pixels, chunks=(1, 1, 2, 128, 128))
    axes = [{"name": name, "type": "space", **({"unit": unit} if name == "x" else {})} for name in "tczyx"]
    scale = [{"type": "scale", "scale": [1, 1, 1, PIXEL_UM, PIXEL_UM]}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}]}
    return folder


@pytest.mark.parametrize("copy", [copy_as_tiff, copy_as_zarr])
def test_a_true_copy_is_told_so_with_its_levels_and_pixel_size(copy: object, image: Path, pixels: np.ndarray, tmp_path: Path) -> None:
    assert check(str(copy(tmp_path / "out", pixels)), str(image)) == {"problem": None, "levels": 1, "pixel_size": "kept"}  # type: ignore[operator]


@pytest.mark.parametrize("copy", [copy_as_tiff, copy_as_zarr])
def test_one_changed_pixel_is_found_and_its_plane_named(copy: object, image: Path, pixels: np.ndarray, tmp_path: Path) -> None:
    pixels[1, 2, 0, 5, 7] += 1
    problem = check(str(copy(tmp_path / "out", pixels)), str(image))["problem"]  # type: ignore[operator]
    assert problem == f"1 of {LEAST * CHANNELS * LEAST} planes differ, for instance at (t, c, z) = (1, 2, 0)"


def test_planes_in_another_order_are_true_as_long_as_the_axes_say_so(image: Path, pixels: np.ndarray, tmp_path: Path) -> None:
    turned = np.moveaxis(pixels, 2, 1)
    assert check(str(copy_as_tiff(tmp_path / "told", turned, "TZCYX")), str(image))["problem"] is None
    untold = turned.reshape(pixels.shape)
    assert "planes differ" in check(str(copy_as_tiff(tmp_path / "untold", untold)), str(image))["problem"]


def test_a_copy_that_lacks_a_time_or_is_of_another_type_is_wrong(image: Path, pixels: np.ndarray, tmp_path: Path) -> None:
    assert "instead of TCZYX (2, 3, 2," in check(str(copy_as_tiff(tmp_path / "short", pixels[:1])), str(image))["problem"]
    assert "float32 instead of" in check(str(copy_as_tiff(tmp_path / "float", pixels.astype(np.float32))), str(image))["problem"]


def test_no_output_and_several_outputs_are_wrong(image: Path, pixels: np.ndarray, tmp_path: Path) -> None:
    assert check(str(tmp_path), str(image))["problem"] == "no image"
    copy_as_tiff(tmp_path, pixels)
    shutil.copy(tmp_path / "out.ome.tiff", tmp_path / "again.ome.tiff")
    assert check(str(tmp_path), str(image))["problem"] == "2 images instead of 1"


def test_a_pixel_size_in_another_unit_is_not_taken_for_kept(image: Path, pixels: np.ndarray, tmp_path: Path) -> None:
    assert check(str(copy_as_zarr(tmp_path, pixels, unit="meter")), str(image)) == {"problem": None, "levels": 1, "pixel_size": "no unit"}


def test_a_pixel_size_that_is_not_there_is_lost(image: Path, pixels: np.ndarray, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "out.ome.tiff", pixels, metadata={"axes": "TCZYX"}, ome=True, photometric="minisblack")
    assert check(str(tmp_path), str(image)) == {"problem": None, "levels": 1, "pixel_size": "lost"}


@pytest.mark.parametrize(("gigabytes", "planes"), [(0.1, 12), (0.25, 30), (0.5, 60), (1.0, 120), (2.0, 240), (4.0, 480)])
def test_the_images_are_as_large_as_they_are_called(gigabytes: float, planes: int) -> None:
    size = extent(gigabytes)
    assert (size.t * size.c * size.z, size.y, size.x) == (planes, 2048, 2048)
    assert abs(size.bytes / 1e9 / gigabytes - 1) < 0.02


def test_an_image_that_could_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="bmp"):
        make(str(tmp_path / "image.bmp"), "bmp", TINY)
    assert list(tmp_path.iterdir()) == []
