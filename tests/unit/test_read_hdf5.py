"""Plain HDF5 files, as ilastik, Fiji, PlantSeg, MATLAB and people's own scripts write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.convert import Request, convert
from lightmicroscopy.errors import UnreadableError, UsageError
from lightmicroscopy.image import Location, PixelSize, Quantity, Shape
from lightmicroscopy.selection import Selection, select_series

from .hdf5_files import noise, open_hdf5, pixels


def one(path: Path, shape: tuple[int, ...], *, dtype: str = "u2", **attributes: Any) -> Path:
    """A file of one dataset with attributes."""
    with h5py.File(path, "w") as file:
        file["data"] = noise(*shape, dtype=dtype)
        file["data"].attrs.update(attributes)
    return path


def axistags(keys: str, resolution: float = 0.0) -> str:
    """Axis tags as vigra writes them."""
    return json.dumps({"axes": [{"key": key, "typeFlags": 2, "resolution": resolution, "description": ""} for key in keys]})


def test_every_dataset_of_two_or_more_dimensions_is_a_series_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["t10/raw"] = noise(4, 5)
        file["t2/raw"] = noise(3, 4, 5)
        file["list"] = np.arange(9)
        file["scalar"] = 4
        file["words"] = np.array([[b"a", b"b"]])
        file["records"] = np.zeros((3, 3), [("a", "u1"), ("b", "f4")])
        file["complex"] = np.zeros((3, 3), "c8")
        file["nothing"] = np.zeros((0, 4))
    with open_hdf5(path) as dataset:
        assert [image.name for image in dataset.images] == ["/t2/raw", "/t10/raw"]
        assert [image.series for image in dataset.images] == [0, 1]
        assert dataset.format == "HDF5"
        assert [image.name for image in select_series(dataset.images, "name:/t10/raw")] == ["/t10/raw"]


def test_a_galaxy_dataset_without_extension_is_recognised(tmp_path: Path) -> None:
    path = one(tmp_path / "dataset_1.dat", (4, 5))
    with open_hdf5(path) as dataset:
        assert dataset.images[0].shape == Shape(1, 1, 1, 4, 5)


def test_a_file_behind_a_user_block_is_recognised_and_read(tmp_path: Path) -> None:
    path = tmp_path / "matlab.mat"
    values = noise(40, 50)
    with h5py.File(path, "w", userblock_size=512) as file:
        file["flat"] = values
        file.create_dataset("chunked", data=values, chunks=(16, 16), compression="gzip")
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(512))
    with open_hdf5(path) as dataset:
        assert all((pixels(image)[0, 0, 0, ..., 0] == values).all() for image in dataset.images)


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u2", ">u2", "<i4", ">i4", "u4", "i8", "u8", "f2", "<f4", ">f4", "f8", "?"])
def test_numbers_of_every_kind_come_in_the_byte_order_of_this_machine(tmp_path: Path, dtype: str) -> None:
    path = one(tmp_path / "a.h5", (6, 7), dtype=dtype)
    with open_hdf5(path) as dataset, h5py.File(path) as file:
        found = pixels(dataset.images[0])[0, 0, 0, ..., 0]
        assert found.dtype == dataset.images[0].dtype == np.dtype(dtype).newbyteorder("=")
        assert (found == file["data"][()]).all()


@pytest.mark.parametrize(
    ("shape", "attributes", "axes", "sizes"),
    [
        ((3, 4, 5), {"axistags": axistags("zyx")}, "ZYX", Shape(1, 1, 3, 4, 5)),
        ((3, 4, 5, 2), {"axistags": axistags("zyxc")}, "ZYXC", Shape(1, 2, 3, 4, 5)),
        ((6, 3, 4, 5, 2), {"axistags": axistags("tzyxc")}, "TZYXC", Shape(6, 2, 3, 4, 5)),
        ((5, 4, 3), {"axistags": axistags("xyz")}, "XYZ", Shape(1, 1, 3, 4, 5)),
        ((3, 4, 5), {"DIMENSION_LABELS": ["time", "row", "column"]}, "TYX", Shape(3, 1, 1, 4, 5)),
        ((3, 4, 5), {"axes": "CYX"}, "CYX", Shape(1, 3, 1, 4, 5)),
        ((3, 4, 5), {"axes": ["channel", "y", "x"]}, "CYX", Shape(1, 3, 1, 4, 5)),
        ((3, 4, 5), {"_ARRAY_DIMENSIONS": "z, y, x"}, "ZYX", Shape(1, 1, 3, 4, 5)),
        ((4, 5, 3), {"CLASS": "IMAGE", "IMAGE_SUBCLASS": "IMAGE_TRUECOLOR", "INTERLACE_MODE": "INTERLACE_PIXEL"}, "YXS", Shape(1, 1, 1, 4, 5, 3)),
        ((3, 4, 5), {"CLASS": "IMAGE", "IMAGE_SUBCLASS": "IMAGE_TRUECOLOR", "INTERLACE_MODE": "INTERLACE_PLANE"}, "SYX", Shape(1, 1, 1, 4, 5, 3)),
    ],
)
def test_axes_come_from_the_attributes(tmp_path: Path, shape: tuple[int, ...], attributes: dict[str, Any], axes: str, sizes: Shape) -> None:
    path = one(tmp_path / "a.h5", shape, **attributes)
    with open_hdf5(path) as dataset, h5py.File(path) as file:
        image = dataset.images[0]
        assert (image.axes, image.shape, image.warnings) == (axes, sizes, ())
        expected = file["data"][()].transpose([axes.index(letter) for letter in "TCZYXS" if letter in axes])
        assert (pixels(image).squeeze() == expected.squeeze()).all()


@pytest.mark.parametrize(
    ("shape", "dtype", "axes"),
    [
        ((40, 50), "u2", "YX"),
        ((3, 40, 50), "u2", "ZYX"),
        ((40, 50, 3), "u1", "YXS"),
        ((40, 50, 2), "u1", "YXC"),
        ((40, 50, 3), "u2", "YXC"),
        ((2, 3, 40, 50), "u2", "CZYX"),
        ((2, 3, 4, 40, 50), "u2", "TCZYX"),
        ((2, 2, 3, 4, 40, 50), "u2", "QTCZYX"),
    ],
)
def test_axes_that_are_nowhere_stated_are_guessed_and_the_guess_is_told(tmp_path: Path, shape: tuple[int, ...], dtype: str, axes: str) -> None:
    with open_hdf5(one(tmp_path / "a.h5", shape, dtype=dtype)) as dataset:
        image = dataset.images[0]
        assert image.axes == axes
        assert "nowhere stated" in image.warnings[0]
        assert "say so with --axes" in image.warnings[0]
        assert image.kind == ("rgb" if "S" in axes else "intensity")


@pytest.mark.parametrize(("shape", "axes"), [((50, 40), "XY"), ((9, 50, 40), "ZXY"), ((3, 50, 40), "CXY")])
def test_arrays_of_matlab_are_the_other_way_round(tmp_path: Path, shape: tuple[int, ...], axes: str) -> None:
    with open_hdf5(one(tmp_path / "a.mat", shape, MATLAB_class="uint16")) as dataset:
        assert dataset.images[0].axes == axes
        assert (dataset.images[0].shape.y, dataset.images[0].shape.x) == (40, 50)


def test_axes_given_by_the_user_take_the_place_of_a_guess(tmp_path: Path) -> None:
    path = one(tmp_path / "a.h5", (3, 40, 50))
    with open_hdf5(path, axes="TYX") as dataset:
        assert (dataset.images[0].axes, dataset.images[0].warnings) == ("TYX", ())


def test_axes_that_the_file_states_win_over_those_given_and_that_is_told(tmp_path: Path) -> None:
    path = one(tmp_path / "a.h5", (3, 40, 50), axes="ZYX")
    with open_hdf5(path, axes="TYX") as dataset:
        assert dataset.images[0].axes == "ZYX"
        assert "TYX asked for were not used" in dataset.images[0].warnings[0]


@pytest.mark.parametrize("axes", ["zy", "zyxx", "abc", "", "z y x", "tczyxsq"])
def test_axes_that_make_no_sense_are_refused(tmp_path: Path, axes: str) -> None:
    path = one(tmp_path / "a.h5", (3, 40, 50))
    if not axes:
        with open_hdf5(path, axes=axes) as dataset:
            assert dataset.images[0].axes == "ZYX"
        return
    with pytest.raises(UsageError, match="axes"):
        open_hdf5(path, axes=axes)


def test_axes_for_another_number_of_dimensions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"fit no dataset of a\.h5: for .* they are 4, and its dimensions are 3 \(3 × 40 × 50\)"):
        open_hdf5(one(tmp_path / "a.h5", (3, 40, 50)), axes="CZYX")


@pytest.mark.parametrize(("shape", "axes", "samples"), [((100, 40, 50), "YXS", 50), ((40, 50, 100), "YXS", 100), ((2, 40, 50), "SYX", 2)])
def test_planes_are_not_taken_for_the_colours_of_a_pixel(tmp_path: Path, shape: tuple[int, ...], axes: str, samples: int) -> None:
    with pytest.raises(UsageError, match=rf"S would be {samples} \(.*such as ZYX, TYX or CYX"):
        open_hdf5(one(tmp_path / "a.h5", shape), axes=axes)


@pytest.mark.parametrize("samples", [1, 3, 4])
def test_colours_are_read_as_samples_if_the_user_says_so(tmp_path: Path, samples: int) -> None:
    with open_hdf5(one(tmp_path / "a.h5", (samples, 40, 50)), axes="SYX") as dataset:
        assert (dataset.images[0].shape, dataset.images[0].warnings) == (Shape(1, 1, 1, 40, 50, samples), ())


def test_a_dataset_that_the_axes_do_not_fit_is_guessed_beside_one_they_fit(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["picture"], file["stack"] = np.zeros((40, 50, 3), "u2"), np.zeros((9, 40, 50), "u2")
    with open_hdf5(tmp_path / "a.h5", axes="YXS") as dataset:
        picture, stack = dataset.images
        assert (picture.axes, picture.warnings) == ("YXS", ())
        assert stack.axes == "ZYX"
        assert (
            stack.warnings[-1] == "The axes YXS asked for were not used: S would be 50 (9 × 40 × 50), and S is for the 3 or 4 colours of a picture."
        )


def test_a_dimension_that_ome_does_not_have_is_folded_and_recorded(tmp_path: Path) -> None:
    path = one(tmp_path / "a.h5", (2, 3, 4, 5), axes=["lambda", "c", "y", "x"])
    with open_hdf5(path) as dataset, h5py.File(path) as file:
        image = dataset.images[0]
        assert image.shape == Shape(1, 6, 1, 4, 5)
        assert (image.metadata.modulo[0].along, image.metadata.modulo[0].type, image.metadata.modulo[0].end) == ("C", "lambda", 1.0)
        # Channel by channel, the wavelengths of each one after another.
        assert (pixels(image)[0, :, 0, ..., 0] == file["data"][()].transpose(1, 0, 2, 3).reshape(6, 4, 5)).all()


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({"element_size_um": [1.5, 0.2, 0.25]}, ((1.5, "µm"), (0.2, "µm"), (0.25, "µm"))),
        ({"axistags": axistags("zyx", 0.3), "axis_units": json.dumps({"z": "um", "y": "um", "x": "um"})}, ((0.3, "µm"),) * 3),
        ({"resolution": [40.0, 4.0, 4.0], "unit": "nm"}, ((40.0, "nm"), (4.0, "nm"), (4.0, "nm"))),
        ({"spacing": [2.0, 0.5, 0.5], "spacing_unit": "micrometer"}, ((2.0, "µm"), (0.5, "µm"), (0.5, "µm"))),
        ({"voxel_size_nm": [300.0, 65.0, 65.0]}, ((300.0, "nm"), (65.0, "nm"), (65.0, "nm"))),
        ({"axes": ["x", "y", "z"], "resolution": [4.0, 5.0, 6.0], "units": ["nm", "nm", "nm"]}, ((6.0, "nm"), (5.0, "nm"), (4.0, "nm"))),
    ],
)
def test_the_pixel_size_comes_from_the_attributes(tmp_path: Path, attributes: dict[str, Any], size: tuple[tuple[float, str], ...]) -> None:
    with open_hdf5(one(tmp_path / "a.h5", (3, 4, 5), **attributes)) as dataset:
        metadata = dataset.images[0].metadata
        assert (metadata.pixel_size_z, metadata.pixel_size_y, metadata.pixel_size_x) == tuple(Quantity(*own) for own in size)


def test_a_pixel_size_may_stand_in_a_group_above(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["run/channel0"] = noise(4, 5)
        file.attrs["element_size_um"] = [9.0, 9.0, 9.0]
        file["run"].attrs["element_size_um"] = [1.0, 0.2, 0.3]
    with open_hdf5(path) as dataset:
        assert dataset.images[0].metadata.pixel_size_x == Quantity(0.3, "µm")
        assert dataset.images[0].metadata.pixel_size_z is None
        assert ("/run element_size_um", "1.0 0.2 0.3") in dataset.images[0].metadata.original


@pytest.mark.parametrize(
    "attributes",
    [
        {"spacing": [1.0, 0.2, 0.2]},
        {"resolution": [1.0, 0.2, 0.2], "unit": "px"},
        {"axistags": axistags("zyx", 0.3)},
        {"element_size_um": [0.0, -1.0, 0.0]},
    ],
)
def test_numbers_without_a_unit_or_sense_are_no_pixel_size(tmp_path: Path, attributes: dict[str, Any]) -> None:
    with open_hdf5(one(tmp_path / "a.h5", (3, 4, 5), **attributes)) as dataset:
        metadata = dataset.images[0].metadata
        assert (metadata.pixel_size_z, metadata.pixel_size_y, metadata.pixel_size_x) == (None, None, None)


def test_a_pixel_size_given_by_the_user_fills_in_what_the_file_does_not_say(tmp_path: Path) -> None:
    given = PixelSize(Quantity(2.0, "µm"), Quantity(0.5, "µm"), Quantity(0.5, "µm"))
    with open_hdf5(one(tmp_path / "a.h5", (3, 4, 5)), pixel_size=given) as dataset:
        metadata = dataset.images[0].metadata
        assert PixelSize(metadata.pixel_size_z, metadata.pixel_size_y, metadata.pixel_size_x) == given
    with open_hdf5(one(tmp_path / "b.h5", (3, 4, 5), element_size_um=[1.0, 0.2, 0.2]), pixel_size=given) as dataset:
        assert dataset.images[0].metadata.pixel_size_x == Quantity(0.2, "µm")
        assert "0.5 µm was not used" in " ".join(dataset.images[0].warnings)


def test_names_of_channels_are_taken_where_there_are_as_many(tmp_path: Path) -> None:
    path = one(tmp_path / "a.h5", (2, 4, 5), axes="CYX", channel_names=["membrane", "nuclei"])
    with open_hdf5(path) as dataset:
        assert [channel.name for channel in dataset.images[0].metadata.channels] == ["membrane", "nuclei"]


def test_old_western_european_text_is_read(tmp_path: Path) -> None:
    path = one(tmp_path / "a.h5", (4, 5), note=np.bytes_("5 µm".encode("latin-1")))
    with open_hdf5(path) as dataset:
        assert ("/data note", "5 µm") in dataset.images[0].metadata.original


def test_a_file_without_an_image_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["list"] = np.arange(9)
    with pytest.raises(UnreadableError, match=r"no dataset of numbers of two or more dimensions \(/list of 9 int64\)"):
        open_hdf5(path)


def test_a_dataset_is_chosen_by_its_path_and_converted(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["raw"], file["mask"] = noise(4, 40, 50), noise(40, 50)
    with convert(Location(path, (path,)), tmp_path / "out", Request("ome-tiff", Selection(series="name:/raw"))).dataset:
        pass
    (written,) = (tmp_path / "out").iterdir()
    with readers.open(Location(written)) as copy:
        assert (pixels(copy.images[0]).squeeze() == noise(4, 40, 50)).all()
