"""Converting whole files: names of outputs, part of an image, what the table and the checksums say, and when it fails."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image as Pillow

import lm_convert
from lightmicroscopy import readers
from lightmicroscopy.convert import Conversion, Format, Request, convert
from lightmicroscopy.errors import SuiteError, UnreadableError, UsageError
from lightmicroscopy.image import Location, Quantity, Region
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.provenance import NAMESPACE, files_below, sha256, sha256_of
from lightmicroscopy.selection import Selection
from lightmicroscopy.writers.options import WriteOptions


def run(
    path: Path, output: Path, wanted: Format = "ome-tiff", selection: Selection | None = None, *, files: tuple[Path, ...] = (), **options: object
) -> Conversion:
    request = Request(wanted, selection or Selection(), options=WriteOptions(threads=2, **options))  # type: ignore[arg-type]
    conversion = convert(Location(path, files), output, request)
    conversion.dataset.close()
    return conversion


def pixels(path: Path, series: int = 0) -> np.ndarray:
    with readers.open(Location(path)) as dataset:
        image = dataset.images[series]
        return image.levels[0].pixels.read(Region.whole(image.shape)).copy()


def checksum(store: Path) -> str:
    return sha256_of(files_below(store))


def samples_as_channels(array: np.ndarray) -> np.ndarray:
    t, c, z, y, x, s = array.shape
    return np.moveaxis(array, 5, 2).reshape(t, c * s, z, y, x, 1)


@pytest.mark.parametrize(
    "name",
    [
        "cells.ome.tiff",
        "pyramid.ome.tiff",
        "big_endian.ome.tiff",
        "imagej_stack.tif",
        "confocal.lsm",
        "plain.tif",
        "float.ome.tiff",
        "rgb.ome.tiff",
        "rgb.png",
        "grey16.png",
        "photo.jpg",
    ]
    + [f"cells_0{version}.ome.zarr.zip" for version in range(1, 6)]
    + ["cells_04.ome.zarr"],
)
def test_pixels_survive_the_way_through_both_formats(test_data: Path, tmp_path: Path, name: str) -> None:
    source = pixels(test_data / name)
    tiff = run(test_data / name, tmp_path / "tiff").paths[0]
    store = run(test_data / name, tmp_path / "zarr", "ome-zarr", ngff_version="0.5").paths[0]
    np.testing.assert_array_equal(pixels(tiff), source)
    np.testing.assert_array_equal(pixels(store), samples_as_channels(source))


def test_each_series_is_a_file_named_after_it(test_data: Path, tmp_path: Path) -> None:
    conversion = run(test_data / "two_series.ome.tiff", tmp_path)
    with readers.open(Location(test_data / "two_series.ome.tiff")) as dataset:
        names = [image.name for image in dataset.images]
    assert len(conversion.paths) == len(names) == 2
    assert all(path.name.startswith("two_series__") and path.name.endswith(".ome.tiff") for path in conversion.paths)
    for series, path in enumerate(conversion.paths):
        assert np.array_equal(pixels(path), pixels(test_data / "two_series.ome.tiff", series))


def test_one_series_of_several_is_called_as_among_all_of_them(test_data: Path, tmp_path: Path) -> None:
    both = run(test_data / "two_series.ome.tiff", tmp_path / "both").paths
    for series in range(2):
        # One folder: the second must not meet the first.
        (path,) = run(test_data / "two_series.ome.tiff", tmp_path / "one by one", selection=Selection(series=str(series))).paths
        assert path.name == both[series].name


def test_several_series_in_one_store(test_data: Path, tmp_path: Path) -> None:
    (store,) = run(test_data / "two_series.ome.tiff", tmp_path, "ome-zarr").paths
    assert json.loads((store / ".zattrs").read_text())["bioformats2raw.layout"] == 3
    for series in range(2):
        assert np.array_equal(pixels(store, series), pixels(test_data / "two_series.ome.tiff", series))


def test_a_plate_stays_a_plate(test_data: Path, tmp_path: Path) -> None:
    (store,) = run(test_data / "plate_04.ome.zarr.zip", tmp_path, "ome-zarr", ngff_version="0.5").paths
    with readers.open(Location(test_data / "plate_04.ome.zarr.zip")) as before, readers.open(Location(store)) as after:
        assert [(well.row, well.column, len(well.fields)) for well in after.plates[0].wells] == [
            (well.row, well.column, len(well.fields)) for well in before.plates[0].wells
        ]
        assert len(after.images) == len(before.images)


def test_one_field_of_a_plate_is_an_image(test_data: Path, tmp_path: Path) -> None:
    (path,) = run(test_data / "plate_04.ome.zarr.zip", tmp_path, "ome-zarr", Selection(series="3")).paths
    assert np.array_equal(pixels(path), pixels(test_data / "plate_04.ome.zarr.zip", 3))


def test_a_set_of_files_is_one_image(test_data: Path, tmp_path: Path) -> None:
    members = tuple(sorted(test_data.glob("multifile*")))
    first = test_data / "multifile.companion.ome"
    conversion = run(first, tmp_path, files=(first, *members))
    (path,) = conversion.paths
    assert path.name == "multifile.ome.tiff"
    assert conversion.outcomes[0].image.shape.z == len(members) - 1


def test_a_part_is_exactly_that_part(test_data: Path, tmp_path: Path) -> None:
    selection = Selection(channels=("GFP",), z="1:3", region="10,20,64,48")
    (path,) = run(test_data / "cells.ome.tiff", tmp_path, selection=selection).paths
    assert np.array_equal(pixels(path), pixels(test_data / "cells.ome.tiff")[:, 1:2, 1:3, 20:68, 10:74])
    with tifffile.TiffFile(path) as tiff:
        document = read_ome((tiff.ome_metadata or "").encode(), path.name)
    assert [channel.name for channel in document.images[0].metadata.channels] == ["GFP"]


def test_the_output_says_where_it_came_from(test_data: Path, tmp_path: Path) -> None:
    (path,) = run(test_data / "cells.ome.tiff", tmp_path, selection=Selection(z="0")).paths
    with tifffile.TiffFile(path) as tiff:
        document = read_ome((tiff.ome_metadata or "").encode(), path.name)
    (annotation,) = (found for found in document.images[0].metadata.annotations if found.namespace == NAMESPACE)
    said = dict(annotation.pairs)
    assert said["Source"] == "cells.ome.tiff"
    assert said["Source SHA-256"] == sha256(test_data / "cells.ome.tiff")
    assert said["Selection"] == "--z 0"


def test_the_table_and_the_checksums(test_data: Path, tmp_path: Path) -> None:
    conversion = run(test_data / "cells.ome.tiff", tmp_path)
    (row,) = conversion.rows()
    assert (row["status"], row["size_x"], row["size_c"], row["dtype"]) == ("done", 128, 2, "uint16")
    assert list(conversion.checksums()) == [(sha256(tmp_path / "cells.ome.tiff"), "cells.ome.tiff")]
    assert row["sha256"] == sha256(tmp_path / "cells.ome.tiff")


def test_a_zip_has_its_store_at_the_top(test_data: Path, tmp_path: Path) -> None:
    (path,) = run(test_data / "cells.ome.tiff", tmp_path, "ome-zarr", zip=True).paths
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    assert ".zattrs" in names
    assert "OME/METADATA.ome.xml" in names


def test_labels_go_along_into_a_store(test_data: Path, tmp_path: Path) -> None:
    (store,) = run(test_data / "cells_04.ome.zarr.zip", tmp_path, "ome-zarr").paths
    names = zarr.open_group(store, mode="r")["labels"].attrs["labels"]
    assert names


@pytest.mark.parametrize("wanted", ["ome-tiff", "ome-zarr"])
def test_what_is_there_already_is_not_overwritten(test_data: Path, tmp_path: Path, wanted: Format) -> None:
    (path,) = run(test_data / "cells.ome.tiff", tmp_path, wanted).paths
    before = {file: file.stat().st_mtime_ns for file in [path, *path.rglob("*")]}
    with pytest.raises(SuiteError, match=r"cells\.ome\.(tiff|zarr)"):
        run(test_data / "cells.ome.tiff", tmp_path, wanted)
    assert {file: file.stat().st_mtime_ns for file in [path, *path.rglob("*")]} == before


@pytest.mark.parametrize("name", ["two_series.ome.tiff", "cells_04.ome.zarr.zip"], ids=["second series", "label map"])
def test_a_name_taken_of_any_output_stops_before_the_first_is_written(test_data: Path, tmp_path: Path, name: str) -> None:
    last = run(test_data / name, tmp_path / "elsewhere").paths[-1].name
    output = tmp_path / "out"
    output.mkdir()
    (output / last).write_bytes(b"mine")
    with pytest.raises(UsageError, match="already in the output folder"):
        run(test_data / name, output)
    assert [file.name for file in output.iterdir()] == [last]
    assert (output / last).read_bytes() == b"mine"


def test_each_output_is_read_once_for_both_reports(test_data: Path, tmp_path: Path) -> None:
    conversion = run(test_data / "two_series.ome.tiff", tmp_path)
    sums = list(conversion.checksums())
    assert sums == [(sha256(path), path.name) for path in conversion.paths]
    for path in conversion.paths:
        path.write_bytes(b"")
    assert [row["sha256"] for row in conversion.rows()] == [digest for digest, _ in sums]
    assert list(conversion.checksums()) == sums


def test_a_store_is_not_hashed_for_the_table(test_data: Path, tmp_path: Path) -> None:
    conversion = run(test_data / "cells.ome.tiff", tmp_path, "ome-zarr")
    chunk = next(conversion.paths[0].glob("0/0/0/*/*/*"))
    chunk.unlink()
    chunk.symlink_to("nowhere")
    assert [row["sha256"] for row in conversion.rows()] == [""]


@pytest.mark.parametrize("wanted", ["ome-tiff", "ome-zarr"])
@pytest.mark.parametrize("region", ["", "32,16,64,48"])
def test_labels_go_along_to_a_lower_level(test_data: Path, tmp_path: Path, wanted: Format, region: str) -> None:
    conversion = run(test_data / "cells_04.ome.zarr.zip", tmp_path, wanted, Selection(level=1, region=region))
    image, label = (outcome.image for outcome in conversion.outcomes)
    assert (label.kind, label.shape[2:5]) == ("label", image.shape[2:5])
    with readers.open(Location(test_data / "cells_04.ome.zarr.zip")) as before, readers.open(Location(conversion.paths[-1])) as after:
        stored = before.labels[0].levels[1].pixels
        box = Region.whole(stored.shape)
        part = box if not region else box._replace(y=(8, 32), x=(16, 48))
        copy = (after.labels or after.images)[0]
        assert np.array_equal(copy.levels[0].pixels.read(Region.whole(copy.shape)), stored.read(part))
        assert copy.metadata.pixel_size_x == after.images[0].metadata.pixel_size_x


def test_a_label_map_without_that_level_is_left_out(test_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = tmp_path / "flat.ome.zarr"
    shutil.copytree(test_data / "cells_04.ome.zarr", store)
    (attributes,) = (store / "labels").glob("*/.zattrs")
    said = json.loads(attributes.read_text())
    del said["multiscales"][0]["datasets"][1:]
    attributes.write_text(json.dumps(said))
    logging.getLogger("lightmicroscopy").propagate = True
    assert len(run(store, tmp_path / "whole", "ome-zarr").outcomes) == 2
    assert len(run(store, tmp_path / "level", "ome-zarr", Selection(level=1)).outcomes) == 1
    assert "left out: its level 1, if it has one, is not that of its image" in caplog.text


def test_label_maps_are_not_projected(test_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("lightmicroscopy").propagate = True
    assert len(run(test_data / "cells_04.ome.zarr", tmp_path, "ome-zarr", Selection(project="max")).outcomes) == 1
    assert "are left out: they are not projected" in caplog.text


@pytest.mark.parametrize("said", ["unspecified", "assocalpha", "unassalpha"])
def test_what_a_fourth_sample_means_is_kept(tmp_path: Path, said: str) -> None:
    tifffile.imwrite(tmp_path / "in.tif", np.zeros((32, 32, 4), np.uint8), photometric="rgb", extrasamples=[said], metadata=None)
    (copy,) = run(tmp_path / "in.tif", tmp_path / "out").paths
    with tifffile.TiffFile(copy) as file:
        assert [extra.name for extra in file.pages.first.extrasamples] == [said.upper()]
    (outcome,) = run(tmp_path / "in.tif", tmp_path / "zarr", "ome-zarr").outcomes
    assert any("already multiplied by its alpha" in loss for loss in outcome.losses) == (said == "assocalpha")


def test_the_alpha_of_a_png_is_not_multiplied_in(tmp_path: Path) -> None:
    Pillow.new("RGBA", (32, 32), (10, 20, 30, 40)).save(tmp_path / "in.png")
    (copy,) = run(tmp_path / "in.png", tmp_path / "out").paths
    with tifffile.TiffFile(copy) as file:
        assert [extra.name for extra in file.pages.first.extrasamples] == ["UNASSALPHA"]


@pytest.mark.parametrize("wanted", ["ome-tiff", "ome-zarr"])
def test_an_impossible_selection_makes_nothing(test_data: Path, tmp_path: Path, wanted: Format) -> None:
    with pytest.raises(UsageError):
        run(test_data / "cells.ome.tiff", tmp_path / "new", wanted, Selection(z="9"))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["not_an_image.txt", "truncated.tif", "no such file.tif"])
def test_what_cannot_be_read_makes_nothing(test_data: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableError, match=name.replace(".", r"\.")):
        run(test_data / name, tmp_path / "new")
    assert not (tmp_path / "new").exists() or not list((tmp_path / "new").iterdir())


def test_the_script_end_to_end(tools: Path, test_data: Path, tmp_path: Path) -> None:
    command = [sys.executable, tools / "lm_convert.py", test_data / "cells.ome.tiff", "--format", "ome-zarr", "--output", tmp_path / "out"]
    command += ["--report", tmp_path / "report.tsv", "--checksums", tmp_path / "sums", "--preview", tmp_path / "preview.png"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert "cells.ome.zarr" in result.stderr
    assert (tmp_path / "report.tsv").read_text().splitlines()[1].startswith("cells.ome.tiff\t0\t")
    assert (tmp_path / "preview.png").read_bytes().startswith(b"\x89PNG")
    check = subprocess.run(["sha256sum", "--quiet", "-c", tmp_path / "sums"], cwd=tmp_path / "out", capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout


def test_a_file_that_is_no_part_of_the_image_is_not_left_out_silently(test_data: Path, tmp_path: Path) -> None:
    first = test_data / "cells.ome.tiff"
    with pytest.raises(UsageError, match=r"plain\.tif is no part of cells\.ome\.tiff, nor are 1 more"):
        run(first, tmp_path / "new", files=(first, test_data / "plain.tif", test_data / "photo.jpg"))
    assert not (tmp_path / "new").exists()


def test_a_label_map_on_another_grid_is_left_out_of_a_region(test_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = tmp_path / "half.ome.zarr"
    shutil.copytree(test_data / "cells_04.ome.zarr", store)
    for array in (store / "labels").glob("*/*/.zarray"):
        layout = json.loads(array.read_text())
        layout["shape"][-1] -= 1
        array.write_text(json.dumps(layout))
    logging.getLogger("lightmicroscopy").propagate = True
    whole = run(store, tmp_path / "whole", "ome-zarr")
    part = run(store, tmp_path / "part", "ome-zarr", Selection(region="0,0,32,32"))
    assert len(whole.outcomes) == len(part.outcomes) + 1
    assert "left out: it has other pixels than its image" in caplog.text


def test_a_pipe_or_device_is_no_image(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tif")
    with pytest.raises(UnreadableError, match=r"pipe\.tif is neither a file nor a folder"):
        run(tmp_path / "pipe.tif", tmp_path / "new")
    with pytest.raises(UnreadableError, match="neither a file nor a folder"):
        run(Path(os.devnull), tmp_path / "new")


def test_links_and_pipes_in_a_store_are_no_part_of_it(test_data: Path, tmp_path: Path) -> None:
    store = tmp_path / "cells.ome.zarr"
    shutil.copytree(test_data / "cells_04.ome.zarr", store)
    clean = checksum(store)
    os.mkfifo(store / "pipe")
    (store / "endless").symlink_to("/dev/zero")
    (store / "dangling").symlink_to("nowhere")
    assert checksum(store) == clean
    assert run(store, tmp_path / "new", "ome-zarr").paths


@pytest.mark.parametrize(("start", "name"), [(b"\xd0\xcf\x11\xe0", "Olympus OIB, Zeiss ZVI or other OLE2"), (b"OLYMPUSRAWFORMAT", "Olympus OIR")])
def test_a_vendor_s_format_is_called_by_its_name(tmp_path: Path, start: bytes, name: str) -> None:
    (tmp_path / "cells.bin").write_bytes(start + bytes(100))
    with pytest.raises(UnreadableError, match=rf"cells\.bin is a {name} file, which is not read yet\. Export it as OME-TIFF"):
        run(tmp_path / "cells.bin", tmp_path / "new")


@pytest.mark.parametrize("flag", ["--report", "--checksums", "--preview"])
def test_a_report_never_replaces_an_input(tools: Path, test_data: Path, tmp_path: Path, flag: str) -> None:
    image = tmp_path / "cells.ome.tiff"
    shutil.copy(test_data / "cells.ome.tiff", image)
    command = [sys.executable, tools / "lm_convert.py", image, "--format", "ome-zarr", "--output", tmp_path / "out", flag, image]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "lm_convert: cells.ome.tiff cannot be written over an input. Give it another name.\n")
    assert sha256(image) == sha256(test_data / "cells.ome.tiff")
    assert not (tmp_path / "out").exists()


def test_palette_indices_and_their_table_survive_a_detour_through_ome_zarr(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    indices = generator.integers(0, 256, (600, 600)).astype(np.uint8)
    table = generator.integers(0, 65536, (3, 256)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "palette.tif", indices, photometric="palette", colormap=table, metadata=None)
    (store,) = run(tmp_path / "palette.tif", tmp_path / "zarr", "ome-zarr").paths
    (copy,) = run(store, tmp_path / "tiff").paths
    with tifffile.TiffFile(copy) as file:
        assert np.array_equal(file.pages.first.colormap, table)
        # A mean of two indices is the index of some third colour.
        assert np.array_equal(file.series[0].levels[1].asarray(), indices[::2, ::2])


def test_that_low_values_are_white_is_still_known_of_a_copy_of_a_copy(tmp_path: Path, test_data: Path) -> None:
    (store,) = run(test_data / "white_is_zero.tif", tmp_path / "zarr", "ome-zarr").paths
    (copy,) = run(store, tmp_path / "tiff").paths
    with readers.open(Location(copy)) as dataset:
        assert dataset.images[0].white_is_zero
    assert np.array_equal(pixels(copy), pixels(test_data / "white_is_zero.tif"))


@pytest.mark.parametrize("wanted", ["ome-tiff", "ome-zarr"])
def test_a_stack_taken_downwards_is_known_as_such_in_the_copy(tmp_path: Path, wanted: Format) -> None:
    options = {"axes": "ZYX", "spacing": -0.5, "unit": "um"}
    tifffile.imwrite(tmp_path / "falling.tif", np.zeros((3, 24, 32), np.uint16), imagej=True, resolution=(4.0, 4.0), metadata=options)
    (copy,) = run(tmp_path / "falling.tif", tmp_path / "out", wanted).paths
    with readers.open(Location(copy)) as dataset:
        assert dataset.images[0].metadata.pixel_size_z == Quantity(-0.5, "µm")


@pytest.mark.parametrize(("flag", "place"), [("--report", "cells.ome.tiff"), ("--checksums", "cells.ome.tiff"), ("--preview", "cells.ome.tiff")])
def test_no_report_takes_the_place_of_the_image_that_was_made(
    test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str, place: str
) -> None:
    out = tmp_path / "out"
    words = [str(test_data / "cells.ome.tiff"), "--format", "ome-tiff", "--output", str(out), flag, str(out / place), "--quiet"]
    assert lm_convert.main(words) == 2
    assert "It was kept; give the report another name." in capsys.readouterr().err
    with tifffile.TiffFile(out / place) as tiff:
        assert tiff.is_ome


def test_no_report_lies_in_the_store_that_was_made(test_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = out / "cells.ome.zarr" / "t.tsv"
    words = [str(test_data / "cells.ome.tiff"), "--format", "ome-zarr", "--output", str(out), "--report", str(report), "--quiet"]
    assert lm_convert.main(words) == 2
    assert not report.exists()
