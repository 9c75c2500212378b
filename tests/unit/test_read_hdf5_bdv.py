"""BigDataViewer files, with their XML and without."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from lightmicroscopy.convert import Request, convert
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Location, Quantity

from .hdf5_files import noise, open_hdf5, pixels, write_bdv


def test_each_setup_is_a_series_where_there_is_no_xml(tmp_path: Path) -> None:
    values = noise(3, 2, 5, 37, 50)
    values[0, 0, 0, 0, 0] = 65000
    with open_hdf5(write_bdv(tmp_path / "a.h5", values)) as dataset:
        assert dataset.format == "BigDataViewer HDF5"
        assert [image.name for image in dataset.images] == ["s00", "s01"]
        for number, image in enumerate(dataset.images):
            assert (pixels(image)[:, 0, ..., 0] == values[:, number]).all()
            assert (pixels(image, 1)[:, 0, ..., 0] == values[:, number, :, ::2, ::2]).all()
        assert "in their XML" in dataset.warnings[0]


@pytest.mark.parametrize("first", ["a.h5", "a.xml"])
def test_the_xml_brings_channels_names_and_pixel_size(tmp_path: Path, first: str) -> None:
    values = noise(2, 2, 5, 37, 50, dtype="u1")
    write_bdv(tmp_path / "a.h5", values)
    (other,) = {tmp_path / "a.h5", tmp_path / "a.xml"} - {tmp_path / first}
    with open_hdf5(tmp_path / first, other) as dataset:
        (image,) = dataset.images
        assert image.name == "view 0"
        assert (pixels(image)[..., 0] == values).all()
        assert [channel.name for channel in image.metadata.channels] == ["green", "red"]
        assert (image.metadata.pixel_size_z, image.metadata.pixel_size_x) == (Quantity(2.0, "µm"), Quantity(0.4, "µm"))
        assert ("ViewSetup 0 ViewTransform 0 calibration", "1 0 0 0 0 1 0 0 0 0 2.5 0") in image.metadata.original
        assert set(dataset.files) == {tmp_path / "a.h5", tmp_path / "a.xml"}
        assert dataset.warnings == ()


def test_both_files_together_are_converted(tmp_path: Path) -> None:
    write_bdv(tmp_path / "a.h5", noise(1, 2, 3, 37, 50))
    location = Location(tmp_path / "a.h5", (tmp_path / "a.h5", tmp_path / "a.xml"))
    with convert(location, tmp_path / "out", Request("ome-zarr")).dataset:
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.ome.zarr"]


def test_setups_of_other_angles_are_images_of_their_own(tmp_path: Path) -> None:
    write_bdv(tmp_path / "a.h5", noise(1, 2, 3, 37, 50), channels=(1, 1))
    with open_hdf5(tmp_path / "a.h5", tmp_path / "a.xml") as dataset:
        assert [image.name for image in dataset.images] == ["view 0", "view 1"]


def test_a_view_that_is_missing_is_the_fill_value_and_told(tmp_path: Path) -> None:
    values = noise(2, 1, 3, 37, 50)
    with open_hdf5(write_bdv(tmp_path / "a.h5", noise(2, 2, 3, 37, 50), leave_out=[(1, 0)])) as dataset:
        assert not pixels(dataset.images[0])[1].any()
        assert "1 views are not in the file" in dataset.images[0].warnings[0]
        assert values.shape[0] == dataset.images[0].shape.t


def test_an_xml_without_its_file_is_refused(tmp_path: Path) -> None:
    write_bdv(tmp_path / "a.h5", noise(1, 1, 3, 37, 50))
    with pytest.raises(UnreadableError, match=r"a\.h5, which was not given with it"):
        open_hdf5(tmp_path / "a.xml")


def test_an_xml_that_points_elsewhere_leads_nowhere(tmp_path: Path) -> None:
    write_bdv(tmp_path / "a.h5", noise(1, 1, 3, 37, 50))
    xml = tmp_path / "a.xml"
    xml.write_text(xml.read_text(encoding="utf-8").replace("a.h5", "../../secret/b.h5"), encoding="utf-8")
    with pytest.raises(UnreadableError, match=r"in b\.h5, which was not given"):
        open_hdf5(xml)


def test_partitions_in_other_files_are_refused(tmp_path: Path) -> None:
    path = write_bdv(tmp_path / "a.h5", noise(2, 1, 3, 37, 50))
    with h5py.File(path, "r+") as file:
        del file["t00001"]
        file["t00001"] = h5py.ExternalLink("a-01.h5", "t00001")
    with pytest.raises(UnreadableError, match="/t00001 is an external link"):
        open_hdf5(path)


@pytest.mark.parametrize("link", ["hard", "soft"])
def test_views_that_are_links_to_others_are_those_again(tmp_path: Path, link: str) -> None:
    values = noise(2, 2, 3, 37, 50)
    path = write_bdv(tmp_path / "a.h5", values, leave_out=[(1, 1)])
    with h5py.File(path, "r+") as file:
        file["t00001/s01"] = file["t00000/s01"] if link == "hard" else h5py.SoftLink("/t00000/s01")
        file["t00002"] = file["t00001"] if link == "hard" else h5py.SoftLink("t00001")
    with open_hdf5(path, path.with_suffix(".xml")) as dataset:
        (image,) = dataset.images
        assert image.warnings == ()
        assert (pixels(image)[:, 0, ..., 0] == values[[0, 1, 1], 0]).all()
        assert (pixels(image)[:, 1, ..., 0] == values[[0, 0, 0], 1]).all()


def test_a_view_that_is_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    path = write_bdv(tmp_path / "a.h5", noise(1, 1, 3, 37, 50))
    with h5py.File(path, "r+") as file:
        file["t00001"] = h5py.SoftLink("/nowhere")
    with pytest.raises(UnreadableError, match=r"/t00001 is damaged .a link that leads nowhere"):
        open_hdf5(path)


def test_what_lies_outside_beside_the_views_is_told(tmp_path: Path) -> None:
    path = write_bdv(tmp_path / "a.h5", noise(1, 1, 3, 37, 50))
    with h5py.File(path, "r+") as file:
        file["notes"] = h5py.ExternalLink("notes.h5", "/")
    with open_hdf5(path, path.with_suffix(".xml")) as dataset:
        assert len(dataset.images) == 1
        assert "/notes is an external link" in dataset.warnings[0]


def test_views_of_several_sizes_are_refused(tmp_path: Path) -> None:
    path = write_bdv(tmp_path / "a.h5", noise(2, 1, 3, 37, 50))
    with h5py.File(path, "r+") as file:
        del file["t00001/s00/0/cells"]
        file["t00001/s00/0/cells"] = noise(3, 30, 50, dtype="i2")
    with pytest.raises(UnreadableError, match="not of one size"):
        open_hdf5(path)
