"""What a user says of a file that leaves a choice or does not say everything: mosaics, axes, pixel size."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

import lm_compare
import lm_convert
import lm_inspect
from lightmicroscopy import readers
from lightmicroscopy.image import Dataset, Location, Quantity
from lightmicroscopy.provenance import NAMESPACE

from .czi_files import noise, write_czi
from .test_read_czi import mosaic, pixels


def convert(source: Path, folder: Path, *flags: str, code: int = 0) -> list[Path]:
    out = folder / "out"
    assert (
        lm_convert.main([str(source), "--format", "ome-tiff", "--output", str(out), "--report", str(folder / "report.tsv"), "--quiet", *flags])
        == code
    )
    return sorted(out.iterdir())


def recorded(dataset: Dataset) -> dict[str, str]:
    (annotation,) = (found for found in dataset.images[0].metadata.annotations if found.namespace == NAMESPACE)
    return {name.removeprefix("Parameter "): value for name, value in annotation.pairs if name.startswith("Parameter ")}


def bare(path: Path, shape: tuple[int, ...] = (3, 40, 50)) -> Path:
    with h5py.File(path, "w") as file:
        file["data"] = noise(*shape)
    return path


def test_tiles_of_a_mosaic_become_files_of_their_own(tmp_path: Path) -> None:
    tiles, _ = mosaic()
    paths = convert(write_czi(tmp_path / "a.czi", tiles), tmp_path, "--mosaic", "tiles")
    assert [path.name for path in paths] == [f"a__tile_{m}.ome.tiff" for m in range(6)]
    for path, tile in zip(paths, tiles, strict=True):
        with readers.open(Location(path)) as copy:
            assert np.array_equal(pixels(copy.images[0])[0, 0, 0, ..., 0], tile.pixels)
            assert recorded(copy)["mosaic"] == "tiles"


def test_a_mosaic_is_fused_in_the_order_of_its_tiles_only_if_asked(tmp_path: Path) -> None:
    tiles, whole = mosaic(reverse=True)
    source = write_czi(tmp_path / "a.czi", tiles)
    for flags, same in (((), False), (("--mosaic", "fuse"), True)):
        folder = tmp_path / "_".join(("made", *flags))
        folder.mkdir()
        (path,) = convert(source, folder, *flags)
        with readers.open(Location(path)) as copy:
            assert np.array_equal(pixels(copy.images[0])[0, 0, 0, ..., 0], whole) is same
            assert recorded(copy).get("mosaic") == (flags[1] if flags else None)


def test_tiles_are_compared_with_copies_of_tiles(tmp_path: Path) -> None:
    source = write_czi(tmp_path / "a.czi", mosaic()[0])
    copies = convert(source, tmp_path, "--mosaic", "tiles")
    command = [str(source), *map(str, copies), "--fail-on", "pixels", "--quiet", "--table", str(tmp_path / "t.tsv")]
    assert lm_compare.main([*command, "--mosaic", "tiles"]) == 0
    assert lm_compare.main(command) == 4


def test_the_inspector_lists_the_tiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_czi(tmp_path / "a.czi", mosaic()[0])
    assert lm_inspect.main([str(source), "--quiet"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert lm_inspect.main([str(source), "--quiet", "--mosaic", "tiles"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_axes_and_pixel_size_of_a_plain_hdf5_file_reach_the_copy_and_its_record(tmp_path: Path) -> None:
    source = bare(tmp_path / "a.h5", (4, 5, 6))
    (path,) = convert(source, tmp_path, "--axes", "TYX", "--pixel-size", "0.5,0.25")
    with readers.open(Location(path)) as copy:
        image = copy.images[0]
        assert (image.shape.t, image.shape.z) == (4, 1)
        assert (image.metadata.pixel_size_x, image.metadata.pixel_size_y) == (Quantity(0.5, "µm"), Quantity(0.25, "µm"))
        assert {"axes": "TYX", "pixel-size": "0.5,0.25"}.items() <= recorded(copy).items()


def test_one_number_is_the_size_in_x_and_y_and_says_nothing_of_z(tmp_path: Path) -> None:
    (path,) = convert(bare(tmp_path / "a.h5"), tmp_path, "--pixel-size", "0.5")
    with readers.open(Location(path)) as copy:
        metadata = copy.images[0].metadata
        assert (metadata.pixel_size_x, metadata.pixel_size_y, metadata.pixel_size_z) == (Quantity(0.5, "µm"), Quantity(0.5, "µm"), None)


def test_a_tiff_without_a_pixel_size_gets_the_one_given(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(40, 50), metadata=None)
    (path,) = convert(tmp_path / "a.tif", tmp_path, "--pixel-size", "0.5,0.5,2")
    with readers.open(Location(path)) as copy:
        metadata = copy.images[0].metadata
        assert (metadata.pixel_size_x, metadata.pixel_size_y, metadata.pixel_size_z) == (Quantity(0.5, "µm"), Quantity(0.5, "µm"), None)


def test_a_pixel_size_of_the_file_is_never_replaced_and_the_report_says_so(test_data: Path, tmp_path: Path) -> None:
    (path,) = convert(test_data / "cells.ome.tiff", tmp_path, "--pixel-size", "0.5,0.325,1")
    with readers.open(Location(path)) as copy:
        assert copy.images[0].metadata.pixel_size_x == Quantity(0.325, "µm")
    report = (tmp_path / "report.tsv").read_text(encoding="utf-8")
    assert "Its pixel size along x is 0.325 µm by its own metadata; 0.5 µm was not used." in report
    assert "along y" not in report


def test_axes_asked_of_a_format_that_has_its_own_are_told_as_unused(test_data: Path, tmp_path: Path) -> None:
    convert(test_data / "cells.ome.tiff", tmp_path, "--axes", "TYX")
    assert "The axes TYX asked for were not used: --axes is for HDF5 datasets" in (tmp_path / "report.tsv").read_text(encoding="utf-8")


def test_the_inspector_uses_and_records_the_pixel_size(tmp_path: Path) -> None:
    source = bare(tmp_path / "a.h5")
    assert lm_inspect.main([str(source), "--pixel-size", "0.5", "--json", str(tmp_path / "t.json"), "--quiet"]) == 0
    text = (tmp_path / "t.json").read_text(encoding="utf-8")
    (found,) = json.loads(text)["inputs"]
    assert found["series"][0]["metadata"]["pixel_size_x"] == {"value": 0.5, "unit": "µm"}
    assert "pixel-size" in text


@pytest.mark.parametrize("text", ["0", "-1", "1,2,3,4", "1;2", "0.5 nm", "1,", "nan", "1e99", "x"])
def test_a_pixel_size_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        convert(bare(tmp_path / "a.h5"), tmp_path, f"--pixel-size={text}")
    assert "is no pixel size: write X, or X,Y, or X,Y,Z in micrometres" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("axes", ["YX", "ZZYX", "ABC", "ZTC", "ZYXCT", "YXS"])
def test_axes_that_do_not_fit_are_refused_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str], axes: str) -> None:
    source = bare(tmp_path / "a.h5")
    assert lm_convert.main([str(source), "--format", "ome-tiff", "--output", str(tmp_path / "out"), "--axes", axes]) == 2
    assert axes in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "flags", "hinted"), [("labels", (), True), ("labels", ("--label",), False), ("relabelled", (), False)])
def test_an_array_named_like_a_label_map_hints_at_the_flag(tmp_path: Path, name: str, flags: tuple[str, ...], hinted: bool) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[name] = noise(40, 50)
    convert(tmp_path / "a.h5", tmp_path, *flags)
    report = (tmp_path / "report.tsv").read_text(encoding="utf-8")
    assert (f"convert it with --label and --series name:/{name}" in report) is hinted


def test_axes_that_are_none_are_refused_whatever_the_format(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lm_convert.main([str(test_data / "plain.tif"), "--format", "ome-tiff", "--axes", "QQQ", "--output", str(tmp_path / "out")]) == 2
    assert "The axes 'QQQ' are not understood." in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
