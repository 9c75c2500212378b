"""Imaris files: pyramids of padded stacks, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from lightmicroscopy.errors import LimitError, UnreadableError
from lightmicroscopy.image import Channel, Quantity, Shape
from lightmicroscopy.readers import hdf5_ims

from .hdf5_files import IMS_INFO, imaris_text, noise, open_hdf5, pixels, write_ims

TIMES = ("2024-03-05 14:07:09.250", "2024-03-05 14:07:19.250", "2024-03-05 14:07:29.250")


@pytest.mark.parametrize("libver", ["earliest", "v108", "latest"])
def test_padding_is_cut_off_every_level(tmp_path: Path, libver: str) -> None:
    values = noise(2, 2, 5, 37, 50)
    path = write_ims(tmp_path / "a.ims", values, libver=libver)
    with open_hdf5(path) as dataset:
        (image,) = dataset.images
        assert dataset.format == "Imaris IMS 5.5.0"
        assert dataset.warnings == image.warnings == ()
        assert (pixels(image)[..., 0] == values).all()
        assert (pixels(image, 1)[..., 0] == values[..., ::2, ::2]).all()
        assert image.levels[1].factor == (1.0, 37 / 19, 2.0)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4"])
def test_every_pixel_type_of_imaris_is_read(tmp_path: Path, dtype: str) -> None:
    values = noise(1, 1, 3, 20, 21, dtype=dtype)
    with open_hdf5(write_ims(tmp_path / "a.ims", values, shuffle=True)) as dataset:
        assert dataset.images[0].dtype == np.dtype(dtype)
        assert (pixels(dataset.images[0])[..., 0] == values).all()


@pytest.mark.parametrize("terminated", [False, True])
def test_what_imaris_says_of_an_image_is_kept(tmp_path: Path, terminated: bool) -> None:
    path = write_ims(tmp_path / "a.ims", noise(3, 2, 4, 20, 24), times=TIMES, terminated=terminated)
    with open_hdf5(path) as dataset:
        image = dataset.images[0]
        metadata = image.metadata
        assert (image.name, metadata.description) == ("leaf", "a leaf, seen from below")
        assert metadata.acquisition_date == "2024-03-05T14:07:09.250000"
        assert (metadata.pixel_size_x, metadata.pixel_size_y, metadata.pixel_size_z) == tuple(Quantity(size, "µm") for size in (0.25, 0.25, 1.5))
        assert metadata.time_increment_s == 10.0
        assert sorted({plane.delta_t_s for plane in metadata.planes}) == [0.0, 10.0, 20.0]
        assert len(metadata.planes) == 3 * 2 * 4
        assert metadata.channels == (
            Channel(
                name="DAPI",
                color=0x0000FFFF,
                excitation_nm=405.0,
                emission_nm=461.5,
                acquisition_mode="LaserScanningConfocalMicroscopy",
                window=(10.0, 200.0),
            ),
            Channel(color=0xFF8000FF - (1 << 32)),
        )
        assert metadata.instrument is not None
        (lens,) = metadata.instrument.objectives
        assert (lens.magnification, lens.numerical_aperture, metadata.objective_id) == (63.0, 1.4, lens.id)
        assert ("Image LensPower", "63x") in metadata.original


def test_times_that_are_not_regular_give_no_increment(tmp_path: Path) -> None:
    path = write_ims(tmp_path / "a.ims", noise(3, 1, 1, 16, 16), times=(*TIMES[:2], "2024-03-05 14:08:29.250"))
    with open_hdf5(path) as dataset:
        assert dataset.images[0].metadata.time_increment_s is None
        assert [plane.delta_t_s for plane in dataset.images[0].metadata.planes] == [0.0, 10.0, 80.0]


def test_a_file_that_knows_nothing_gives_nothing(tmp_path: Path) -> None:
    unsaid = {"Name": "(name not specified)", "Description": "(description not specified)", "RecordingDate": "", "ExtMax0": "0"}
    info = {"Image": {**unsaid, **{f"ExtMin{axis}": "0" for axis in range(3)}, "ExtMax1": "0", "ExtMax2": "0"}}
    with open_hdf5(write_ims(tmp_path / "dataset_7.ims", noise(1, 1, 2, 16, 16), info=info)) as dataset:
        image, metadata = dataset.images[0], dataset.images[0].metadata
        assert image.name == "dataset_7"
        known = (metadata.description, metadata.acquisition_date, metadata.pixel_size_x, metadata.pixel_size_z, metadata.instrument)
        assert known == (None, None, None, None, None)
        assert (metadata.channels, metadata.planes) == ((), ())


@pytest.mark.parametrize(("unit", "spelt"), [("um", "µm"), ("mm", "mm"), ("nm", "nm"), ("furlong", None), ("", "µm")])
def test_the_unit_of_length_is_the_file_s(tmp_path: Path, unit: str, spelt: str | None) -> None:
    info = {"Image": {**IMS_INFO["Image"], "Unit": unit}}
    with open_hdf5(write_ims(tmp_path / "a.ims", noise(1, 1, 2, 16, 16), info=info)) as dataset:
        size = dataset.images[0].metadata.pixel_size_x
        assert size == (Quantity(0.25, spelt) if spelt else None)
        assert bool(dataset.images[0].warnings) is (spelt is None)


def test_a_stage_position_is_given_to_the_planes(tmp_path: Path) -> None:
    info = {"Image": {"Unit": "um", "ExtMin0": "100", "ExtMax0": "104", "ExtMin1": "-50", "ExtMax1": "-46", "ExtMin2": "7", "ExtMax2": "10"}}
    with open_hdf5(write_ims(tmp_path / "a.ims", noise(1, 1, 2, 16, 16), info=info)) as dataset:
        first, second = dataset.images[0].metadata.planes
        assert (first.position_x, first.position_y) == (Quantity(100.0, "µm"), Quantity(-50.0, "µm"))
        assert (first.position_z, second.position_z) == (Quantity(7.0, "µm"), Quantity(8.5, "µm"))


def test_extents_that_run_backwards_lose_their_sign_and_nothing_is_flipped(tmp_path: Path) -> None:
    values = noise(1, 1, 2, 16, 16)
    info = {"Image": {"Unit": "um", "ExtMin0": "0", "ExtMin1": "0", "ExtMin2": "3", "ExtMax2": "0"}}
    with open_hdf5(write_ims(tmp_path / "a.ims", values, info=info)) as dataset:
        image = dataset.images[0]
        assert image.metadata.pixel_size_z == Quantity(1.5, "µm")
        assert [plane.position_z for plane in image.metadata.planes] == [Quantity(3.0, "µm"), Quantity(1.5, "µm")]
        assert "backwards" in image.warnings[0]
        assert (pixels(image)[..., 0] == values).all()


def test_text_too_long_for_an_attribute_is_found(tmp_path: Path) -> None:
    long = "an image of a leaf, and another, " * 60
    info = {"Image": {**IMS_INFO["Image"], "Description": long}}
    with open_hdf5(write_ims(tmp_path / "a.ims", noise(1, 1, 1, 16, 16), info=info)) as dataset:
        assert dataset.images[0].metadata.description == long.strip()


def test_sizes_come_from_the_image_where_the_stacks_do_not_say_them(tmp_path: Path) -> None:
    values = noise(1, 1, 5, 37, 50)
    path = write_ims(tmp_path / "a.ims", values, levels=2)
    with h5py.File(path, "r+") as file:
        for level in range(2):
            group = file[f"DataSet/ResolutionLevel {level}/TimePoint 0/Channel 0"]
            for axis in "XYZ":
                del group.attrs[f"ImageSize{axis}"]
    with open_hdf5(path) as dataset:
        image = dataset.images[0]
        assert (pixels(image)[..., 0] == values).all()
        assert len(image.levels) == 1
        assert "does not say its size without padding" in image.warnings[0]


def test_a_size_beyond_what_is_stored_is_not_believed(tmp_path: Path) -> None:
    path = write_ims(tmp_path / "a.ims", noise(1, 1, 4, 16, 16), levels=1)
    with h5py.File(path, "r+") as file:
        file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"].attrs["ImageSizeX"] = imaris_text("99")
    with open_hdf5(path) as dataset:
        assert dataset.images[0].shape == Shape(1, 1, 4, 16, 16)
        assert "more than is stored" in dataset.images[0].warnings[0]


def test_a_stack_that_was_never_taken_is_the_fill_value_and_told(tmp_path: Path) -> None:
    values = noise(3, 2, 4, 16, 16)
    with open_hdf5(write_ims(tmp_path / "a.ims", values, leave_out=[(1, 0)])) as dataset:
        image = dataset.images[0]
        assert not pixels(image)[1, 0].any()
        assert (pixels(image)[1, 1, ..., 0] == values[1, 1]).all()
        assert "1 stacks are not in the file" in image.warnings[0]


def test_fewer_time_points_than_were_planned_are_told(tmp_path: Path) -> None:
    info = {"TimeInfo": {"FileTimePoints": "9"}}
    with open_hdf5(write_ims(tmp_path / "a.ims", noise(2, 1, 1, 16, 16), info=info)) as dataset:
        assert dataset.images[0].shape.t == 2
        assert "9 time points, and 2 are in the file" in dataset.images[0].warnings[0]


def test_two_images_in_one_file_are_two_series(tmp_path: Path) -> None:
    path = write_ims(tmp_path / "a.ims", noise(1, 1, 1, 16, 16))
    with h5py.File(path, "r+") as file:
        file.copy("DataSet", "DataSet1")
        file["DataSetInfo1/Image"] = h5py.SoftLink("/nowhere")
        file.attrs["NumberOfDataSets"] = np.array([2], np.uint32)
    with open_hdf5(path) as dataset:
        assert [image.name for image in dataset.images] == ["leaf", "a 1"]


def test_what_was_drawn_in_imaris_is_a_named_loss(tmp_path: Path) -> None:
    path = write_ims(tmp_path / "a.ims", noise(1, 1, 1, 16, 16))
    with h5py.File(path, "r+") as file:
        file.create_group("Scene8/Content/Points0")
        file.create_group("Scene8/Content/MegaSurfaces0")
    with open_hdf5(path) as dataset:
        assert "MegaSurfaces0, Points0" in dataset.warnings[0]


def test_a_missing_level_ends_the_pyramid(tmp_path: Path) -> None:
    path = write_ims(tmp_path / "a.ims", noise(1, 1, 1, 64, 64), levels=3)
    with h5py.File(path, "r+") as file:
        del file["DataSet/ResolutionLevel 1"]
    with open_hdf5(path) as dataset:
        assert len(dataset.images[0].levels) == 1


def test_an_imaris_file_without_its_stacks_is_refused(tmp_path: Path) -> None:
    path = write_ims(tmp_path / "a.ims", noise(1, 1, 1, 16, 16))
    with h5py.File(path, "r+") as file:
        del file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"]
    with pytest.raises(UnreadableError, match="no stack of pixels"):
        open_hdf5(path)
    with h5py.File(path, "r+") as file:
        del file["DataSet"]
    with pytest.raises(UnreadableError, match="holds no image"):
        open_hdf5(path)


@pytest.mark.parametrize("said_by", ["/", "/Workflows/InitialImages", "/Workflows/Step 2"])
def test_an_image_that_is_kept_in_a_workflow_is_the_one_that_the_top_links_to(tmp_path: Path, said_by: str) -> None:
    values = noise(2, 2, 5, 37, 50)
    path = write_ims(tmp_path / "a.ims", values)
    kept = said_by if said_by != "/" else "/Workflows/InitialImages"
    with h5py.File(path, "r+") as file:
        group = file.create_group(kept)
        file.require_group("Workflows/Other/DataSet/ResolutionLevel 0")
        for name in ("DataSet", "DataSetInfo", "Thumbnail"):
            file.move(name, f"{kept}/{name}")
            file[name] = h5py.SoftLink(f"{kept}/{name}")
        if said_by != "/":
            for name in list(file.attrs):
                group.attrs[name] = file.attrs[name]
                del file.attrs[name]
    with open_hdf5(path) as dataset:
        (image,) = dataset.images
        assert (dataset.format, image.name, len(image.levels)) == ("Imaris IMS 5.5.0", "leaf", 2)
        assert (pixels(image)[..., 0] == values).all()


@pytest.mark.parametrize("target", ["/elsewhere/DataSet", "/DataSet", "DataSetInfo", "../../DataSet", ""])
def test_a_link_at_the_top_that_leads_nowhere_makes_no_image(tmp_path: Path, target: str) -> None:
    path = write_ims(tmp_path / "a.ims", noise(1, 1, 1, 16, 16))
    with h5py.File(path, "r+") as file:
        del file["DataSet"]
        if target:
            file["DataSet"] = h5py.SoftLink(target)
    with pytest.raises(UnreadableError, match=r"holds no image|has no /DataSetInfo/ResolutionLevel 0"):
        open_hdf5(path)


def hard(file: h5py.File, target: str) -> object:
    return file[target]


def soft(_: h5py.File, target: str) -> object:
    return h5py.SoftLink(f"/{target}")


def relative(_: h5py.File, target: str) -> object:
    return h5py.SoftLink(target.rpartition("/")[2])


LINKS = [hard, soft, relative]


@pytest.mark.parametrize("link", LINKS)
def test_a_channel_that_is_a_link_to_another_is_that_again(tmp_path: Path, link: Callable[[h5py.File, str], object]) -> None:
    values = noise(1, 2, 5, 37, 50)
    path = write_ims(tmp_path / "a.ims", values)
    with h5py.File(path, "r+") as file:
        for level in range(2):
            place = f"DataSet/ResolutionLevel {level}/TimePoint 0/Channel"
            file[f"{place} 2"] = link(file, f"{place} 0")
    with open_hdf5(path) as dataset:
        (image,) = dataset.images
        assert (pixels(image)[..., 0] == values[:, [0, 1, 0]]).all()
        assert (pixels(image, 1)[..., 0] == values[:, [0, 1, 0], :, ::2, ::2]).all()
        assert dataset.warnings == image.warnings == ()


@pytest.mark.parametrize("link", LINKS)
def test_time_points_that_are_links_are_there_and_the_missing_ones_between_are_told(tmp_path: Path, link: Callable[[h5py.File, str], object]) -> None:
    values = noise(2, 1, 3, 16, 16)
    path = write_ims(tmp_path / "a.ims", values, levels=1)
    with h5py.File(path, "r+") as file:
        file["DataSet/ResolutionLevel 0/TimePoint 7"] = link(file, "DataSet/ResolutionLevel 0/TimePoint 1")
    with open_hdf5(path) as dataset:
        (image,) = dataset.images
        assert image.shape.t == 8
        assert (pixels(image)[[0, 1, 7], ..., 0] == values[[0, 1, 1]]).all()
        assert "5 stacks are not in the file" in image.warnings[-1]


@pytest.mark.parametrize("target", ["/nowhere", "TimePoint 1", "TimePoint 0/Channel 9"])
def test_a_time_point_that_is_a_link_to_nowhere_is_refused(tmp_path: Path, target: str) -> None:
    path = write_ims(tmp_path / "a.ims", noise(1, 1, 1, 16, 16))
    with h5py.File(path, "r+") as file:
        file["DataSet/ResolutionLevel 0/TimePoint 1"] = h5py.SoftLink(target)
    with pytest.raises(UnreadableError, match=r"TimePoint 1 is damaged .a link that leads nowhere"):
        open_hdf5(path)


def test_stacks_multiplied_by_links_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_ims, "_STACKS", 1000)
    path = write_ims(tmp_path / "a.ims", noise(1, 1, 1, 16, 16), levels=1)
    with h5py.File(path, "r+") as file:
        level = file["DataSet/ResolutionLevel 0"]
        for number in range(1, 40):
            level[f"TimePoint 0/Channel {number}"] = h5py.SoftLink("/DataSet/ResolutionLevel 0/TimePoint 0/Channel 0")
            level[f"TimePoint {number}"] = h5py.SoftLink("/DataSet/ResolutionLevel 0/TimePoint 0")
    with pytest.raises(LimitError, match="more than 1,000 stacks"):
        open_hdf5(path)


def test_a_stack_in_another_file_is_refused(tmp_path: Path) -> None:
    path = write_ims(tmp_path / "a.ims", noise(2, 1, 1, 16, 16))
    with h5py.File(path, "r+") as file:
        del file["DataSet/ResolutionLevel 0/TimePoint 1"]
        file["DataSet/ResolutionLevel 0/TimePoint 1"] = h5py.ExternalLink("other.ims", "/x")
    with pytest.raises(UnreadableError, match="external link: its pixels lie outside this file"):
        open_hdf5(path)


def test_the_vendor_s_own_example_is_read(realfiles: Path) -> None:
    path = realfiles / "ims" / "Minimal_IMS_File.ims"
    with open_hdf5(path) as dataset, h5py.File(path) as file:
        image = dataset.images[0]
        stored = file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"]
        assert (pixels(image)[0, 0, ..., 0] == stored[()]).all()
        assert image.metadata.pixel_size_x == Quantity(0.0546875, "µm")
