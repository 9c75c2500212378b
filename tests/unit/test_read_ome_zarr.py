"""OME-Zarr stores of all versions and conditions are read right, or refused with a sentence."""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import ImageMetadata, Quantity, Region
from lightmicroscopy.metadata import ngff, zarr_json

from .zarr_stores import (
    CHUNK,
    FIVE,
    FOUR,
    OME_XML,
    SHAPE,
    Files,
    edited,
    folder,
    group,
    image_of,
    image_store,
    opened,
    pixels_of,
    plate_store,
    read,
    several,
    waves,
    zipped,
)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("compression", ["zstd", "lz4", "zlib", "none"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "float64"])
def test_pixels_come_back_as_they_were(tmp_path: Path, version: ngff.Version, compression: str, dtype: str) -> None:
    pixels = waves((1, 2, 2, 19, 23), dtype)
    found = read(image_store(pixels, version, compression=compression), tmp_path)
    assert found.dtype == pixels.dtype
    assert np.array_equal(found, pixels)


@pytest.mark.parametrize("files", [FOUR, FIVE], ids=["0.4", "0.5"])
def test_any_box_is_the_same_box_of_the_whole(tmp_path: Path, files: Files) -> None:
    with opened(folder(files, tmp_path)) as dataset:
        source = dataset.images[0].levels[0].pixels
        for region in [
            Region((0, 1), (1, 2), (2, 3), (5, 6), (0, 50)),
            Region((0, 2), (0, 2), (1, 3), (15, 33), (16, 17)),
            Region((1, 2), (0, 1), (0, 1), (36, 37), (49, 50)),
        ]:
            expected = waves(SHAPE)[tuple(slice(*span) for span in region)]
            assert np.array_equal(source.read(region)[..., 0], expected)


def test_a_box_outside_the_image_is_refused(tmp_path: Path) -> None:
    with opened(folder(FOUR, tmp_path)) as dataset, pytest.raises(ValueError, match="not inside"):
        dataset.images[0].levels[0].pixels.read(Region((0, 1), (0, 1), (0, 1), (0, 38), (0, 1)))


def test_an_image_says_what_it_is(tmp_path: Path) -> None:
    with opened(folder(FOUR, tmp_path / "cells.ome.zarr")) as dataset:
        (image,) = dataset.images
        assert dataset.format == "OME-Zarr 0.4"
        assert (image.name, image.axes, image.shape[:5], image.levels[0].pixels.unit[:5]) == ("cells", "TCZYX", SHAPE, CHUNK)
        assert image.levels[1].factor == (1.0, 37 / 18, 2.0)
        assert image.metadata.pixel_size_z == Quantity(2.0, "µm")
        assert [(channel.name, channel.color) for channel in image.metadata.channels] == [("stain 0", 0x100FF), ("stain 1", 0x200FF)]
        assert image.metadata.channels[0].window == (waves(SHAPE)[:, 0].min(), waves(SHAPE)[:, 0].max())
        assert (image.compression, image.lossy, dataset.warnings, image.warnings) == ("blosc zstd", False, (), ())


def test_an_unknown_pixel_size_stays_unknown(tmp_path: Path) -> None:
    pixels = waves(SHAPE)
    with opened(folder(image_store(pixels, "0.4", image=image_of(pixels, metadata=ImageMetadata())), tmp_path)) as dataset:
        assert dataset.images[0].metadata.pixel_size_x is None
        assert all(channel.color_invented for channel in dataset.images[0].metadata.channels)


def old(files: Files, version: str) -> Files:
    """An 0.4 store as an older version would have it."""

    def change(attributes: Any) -> None:
        multiscale = attributes["multiscales"][0]
        multiscale["version"] = version
        if version == "0.3":
            multiscale["axes"] = ["t", "c", "z", "y", "x"]
        else:
            del multiscale["axes"]
        multiscale["datasets"] = [{"path": item["path"]} for item in multiscale["datasets"]]

    return edited(files, ".zattrs", change)


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
def test_old_versions_are_read(tmp_path: Path, version: str) -> None:
    with opened(folder(old(FOUR, version), tmp_path)) as dataset:
        assert dataset.format == f"OME-Zarr {version}"
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))
        assert dataset.images[0].metadata.pixel_size_x is None


def test_chunk_names_with_dots_are_read(tmp_path: Path) -> None:
    dotted = {(f"{name[0]}/{name[2:].replace('/', '.')}" if name[:2] == "0/" and "z" not in name else name): data for name, data in FOUR.items()}
    assert np.array_equal(read(edited(dotted, "0/.zarray", lambda value: value.pop("dimension_separator")), tmp_path), waves(SHAPE))


@pytest.mark.parametrize("version", ["0.6", "0.6.dev3", "1.0"])
def test_a_newer_version_is_named_and_refused(tmp_path: Path, version: str) -> None:
    files = edited(FIVE, "zarr.json", lambda value: value["attributes"]["ome"].update(version=version))
    with pytest.raises(UnreadableError, match=f"version '{version}'.*0.1 to 0.5"):
        opened(folder(files, tmp_path))


@pytest.mark.parametrize("version", ["0.4-dev-spatialdata", None])
def test_an_unreleased_or_absent_version_is_read_with_a_warning(tmp_path: Path, version: str | None) -> None:
    files = edited(FOUR, ".zattrs", lambda value: (value["multiscales"][0].update(version=version), value["omero"].pop("version")))
    with opened(folder(files, tmp_path)) as dataset:
        assert dataset.format == "OME-Zarr 0.4"
        assert any("version" in sentence for sentence in dataset.warnings)


@pytest.mark.parametrize("axes", ["yx", "zyx", "cyx", "yxc", "xyzct", "ctzyx", "tyx"])
def test_axes_in_any_order_are_placed_right(tmp_path: Path, axes: str) -> None:
    sizes = {"t": 2, "c": 3, "z": 4, "y": 20, "x": 17}
    stored = np.arange(np.prod([sizes[axis] for axis in axes]), dtype="uint16").reshape([sizes[axis] for axis in axes])
    metadata = zarr_json.array_metadata(stored.shape, stored.shape, stored.dtype, "0.4", compression="none")
    multiscale = {"version": "0.4", "axes": [{"name": axis} for axis in axes], "datasets": [{"path": "0"}]}
    files = group("", {"multiscales": [multiscale]}, "0.4") | {f"0/{name}": data for name, data in zarr_json.array_files(metadata).items()}
    files["0/" + "/".join("0" * len(axes))] = stored.tobytes()
    with opened(folder(files, tmp_path)) as dataset:
        found = pixels_of(dataset.images[0])
        assert found.shape == tuple(sizes[axis] if axis in axes else 1 for axis in "tczyx")
        kept = "".join(axis for axis in "tczyx" if axis in axes)
        assert np.array_equal(found.squeeze(), np.einsum(f"{axes}->{kept}", stored))
        assert dataset.images[0].axes == axes.upper()


@pytest.mark.parametrize("name", ["lambda", "q", "yx"])
def test_an_axis_nobody_knows_is_named(tmp_path: Path, name: str) -> None:
    files = edited(FOUR, ".zattrs", lambda value: value["multiscales"][0]["axes"][2].update(name=name))
    with pytest.raises(UnreadableError, match=f"axis called '{name}'"):
        opened(folder(files, tmp_path))


def test_an_axis_nobody_knows_of_size_one_is_left_out(tmp_path: Path) -> None:
    files = edited(image_store(waves((1, 2, 1, 20, 20)), "0.4"), ".zattrs", lambda value: value["multiscales"][0]["axes"][2].update(name="phase"))
    with opened(folder(files, tmp_path)) as dataset:
        assert dataset.images[0].axes == "TCYX"
        assert np.array_equal(pixels_of(dataset.images[0]), waves((1, 2, 1, 20, 20)))


@pytest.mark.parametrize("axes", ["tczyy", "tczx"])
def test_axes_that_contradict_the_array_are_refused(tmp_path: Path, axes: str) -> None:
    files = edited(FOUR, ".zattrs", lambda value: value["multiscales"][0].update(axes=[{"name": axis} for axis in axes]))
    with pytest.raises(UnreadableError, match="axes"):
        opened(folder(files, tmp_path))


def test_transformations_of_level_and_image_are_combined(tmp_path: Path) -> None:
    files = edited(
        FOUR, ".zattrs", lambda value: value["multiscales"][0].update(coordinateTransformations=[{"type": "scale", "scale": [1, 1, 3, 2, 2]}])
    )
    with opened(folder(files, tmp_path)) as dataset:
        metadata = dataset.images[0].metadata
        assert (metadata.pixel_size_x, metadata.pixel_size_z) == (Quantity(1.0, "µm"), Quantity(6.0, "µm"))


@pytest.mark.parametrize(
    "transformation", [{"type": "affine", "affine": []}, {"type": "scale", "scale": [1, 2]}, {"type": "scale", "path": "scales"}, "scale"]
)
def test_a_transformation_not_understood_leaves_the_size_unknown(tmp_path: Path, transformation: object) -> None:
    files = edited(FOUR, ".zattrs", lambda value: value["multiscales"][0]["datasets"][0].update(coordinateTransformations=[transformation]))
    with opened(folder(files, tmp_path)) as dataset:
        assert dataset.images[0].metadata.pixel_size_x is None
        assert any("transformation" in sentence for sentence in dataset.images[0].warnings)


def test_time_steps_of_a_single_time_point_mean_nothing(tmp_path: Path) -> None:
    one, two = waves((1, 1, 1, 20, 20)), waves((2, 1, 1, 20, 20))
    steps = []
    for name, pixels in (("one", one), ("two", two)):
        image = image_of(pixels, metadata=ImageMetadata(time_increment_s=3.0))
        with opened(folder(image_store(pixels, "0.4", image=image), tmp_path / name)) as dataset:
            steps.append(dataset.images[0].metadata.time_increment_s)
    assert steps == [None, 3.0]


def test_ome_xml_fills_in_what_ngff_does_not_say(tmp_path: Path) -> None:
    pixels = waves(SHAPE)
    image = image_of(pixels, metadata=replace(image_of(pixels).metadata, time_increment_s=None))
    with opened(folder(image_store(pixels, "0.4", image=image) | {"OME/METADATA.ome.xml": OME_XML}, tmp_path)) as dataset:
        (image,) = dataset.images
        assert (image.name, image.significant_bits, image.metadata.acquisition_date) == ("from the microscope", 12, "2024-03-01T12:00:00")
        assert image.metadata.pixel_size_x == Quantity(0.5, "µm")
        assert image.metadata.time_increment_s == 4.0
        assert [channel.name for channel in image.metadata.channels] == ["DAPI", "stain 1"]
        assert image.metadata.channels[0].emission_nm == 461
        assert image.metadata.channels[0].window is not None
        assert dataset.ome_source == OME_XML


def test_ome_xml_of_other_sizes_is_reported_and_the_arrays_win(tmp_path: Path) -> None:
    with opened(folder(FOUR | {"OME/METADATA.ome.xml": OME_XML.replace(b'SizeX="50"', b'SizeX="51"')}, tmp_path)) as dataset:
        assert dataset.images[0].shape.x == 50
        assert any("the arrays are right" in sentence for sentence in dataset.images[0].warnings)


def test_broken_ome_xml_does_not_cost_the_pixels(tmp_path: Path) -> None:
    with opened(folder(FOUR | {"OME/METADATA.ome.xml": b"<OME><Image>"}, tmp_path)) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))
        assert any("METADATA" in sentence for sentence in dataset.warnings)
        assert dataset.ome_source == b"<OME><Image>"


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_several_series_come_in_the_order_listed(tmp_path: Path, version: ngff.Version) -> None:
    with opened(folder(several(version, ["1", "0"]), tmp_path)) as dataset:
        assert [(image.name, image.series, image.shape.y, image.path) for image in dataset.images] == [
            ("series 1", 0, 21, "1"),
            ("series 0", 1, 20, "0"),
        ]


def test_several_series_without_a_list_are_counted(tmp_path: Path) -> None:
    files = {name: data for name, data in several("0.4", []).items() if not name.startswith("OME")}
    with opened(folder(files, tmp_path)) as dataset:
        assert [image.path for image in dataset.images] == ["0", "1"]


def test_a_series_keeps_its_number_where_one_before_it_is_not_there(tmp_path: Path) -> None:
    with opened(folder(several("0.4", ["7", "1", "0"]), tmp_path)) as dataset:
        assert [(image.series, image.path) for image in dataset.images] == [(1, "1"), (2, "0")]


def test_a_listed_series_that_is_not_there_is_a_warning_and_none_at_all_an_error(tmp_path: Path) -> None:
    with opened(folder(several("0.4", ["0", "7"]), tmp_path / "some")) as dataset:
        assert len(dataset.images) == 1
        assert any("series 7 is listed but not there" in sentence for sentence in dataset.warnings)
    with pytest.raises(UnreadableError, match="none of which is there"):
        opened(folder(several("0.4", ["7", "8"]), tmp_path / "none"))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_plate_has_its_wells_fields_and_runs(tmp_path: Path, version: ngff.Version) -> None:
    with opened(folder(plate_store(version), tmp_path)) as dataset:
        (plate,) = dataset.plates
        assert (plate.name, plate.rows, plate.columns) == ("screen", 2, 12)
        assert [(well.row, well.column, [field.series for field in well.fields]) for well in plate.wells] == [(1, 6, [0, 1]), (0, 11, [2])]
        assert (plate.wells[0].fields[0].acquisition, plate.acquisitions[0].name) == (5, "first run")
        assert plate.acquisitions[0].start_time == "2024-03-01T12:00:00+00:00"
        assert [image.path for image in dataset.images] == ["B/7/0", "B/7/1", "A/12/0"]


def test_a_plate_that_lists_a_well_outside_itself_is_refused(tmp_path: Path) -> None:
    files = edited(plate_store("0.4"), ".zattrs", lambda value: value["plate"]["wells"][0].update(path="Q/99"))
    with pytest.raises(UnreadableError, match="Q/99"):
        opened(folder(files, tmp_path))


def test_a_missing_well_is_a_warning(tmp_path: Path) -> None:
    files = {name: data for name, data in plate_store("0.4").items() if not name.startswith("B/7")}
    with opened(folder(files, tmp_path)) as dataset:
        assert len(dataset.images) == 1
        assert any("well B/7 is listed but not there" in sentence for sentence in dataset.warnings)


def test_label_maps_belong_to_their_series(tmp_path: Path) -> None:
    labels = waves((1, 1, 1, 20, 20), "int32") // 100
    files = several("0.4", ["0", "1"]) | group("1/labels", ngff.labels_attributes(["nuclei", "lost"], "0.4"), "0.4")
    files |= image_store(labels, "0.4", path="1/labels/nuclei", image=image_of(labels, kind="label", label_of=0, name="nuclei"))
    with opened(folder(files, tmp_path)) as dataset:
        (label,) = dataset.labels
        assert (label.kind, label.label_of, label.name, label.path) == ("label", 1, "nuclei", "1/labels/nuclei")
        assert np.array_equal(pixels_of(label), labels)
        assert any("label map lost" in sentence for sentence in dataset.warnings)


def test_a_label_map_by_itself_is_known_as_one(tmp_path: Path) -> None:
    labels = waves((1, 1, 1, 20, 20), "uint8")
    with opened(folder(image_store(labels, "0.5", image=image_of(labels, kind="label")), tmp_path)) as dataset:
        assert dataset.images[0].kind == "label"


@pytest.mark.parametrize("below", ["", "cells.ome.zarr/"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("files", [FOUR, FIVE], ids=["0.4", "0.5"])
def test_a_zip_is_read_where_it_lies(tmp_path: Path, below: str, method: int, files: Files) -> None:
    with opened(zipped(files, tmp_path / "dataset_12.dat", below=below, method=method)) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0], 0), waves(SHAPE))
    assert [entry.name for entry in tmp_path.iterdir()] == ["dataset_12.dat"]


def test_a_store_one_folder_down_is_found(tmp_path: Path) -> None:
    folder(FOUR, tmp_path / "given" / "cells.ome.zarr")
    with opened(tmp_path / "given") as dataset:
        assert dataset.images[0].shape[:5] == SHAPE


def test_a_missing_chunk_is_the_fill_value(tmp_path: Path) -> None:
    for version, key in (("0.4", "0/0/1/2/0/1"), ("0.5", "0/c/0/1/2/0/1")):
        files = image_store(waves(SHAPE), version, fill_value=9)  # type: ignore[arg-type]
        del files[key]
        found = read(files, tmp_path / version)
        assert (found[0, 1, 2, 0:16, 16:32] == 9).all()
        expected = waves(SHAPE)
        expected[0, 1, 2, 0:16, 16:32] = 9
        assert np.array_equal(found, expected)


def test_many_threads_read_the_same(tmp_path: Path) -> None:
    path = zipped(FIVE, tmp_path / "x.zip")
    with opened(path) as dataset, ThreadPoolExecutor(8) as pool:
        source = dataset.images[0].levels[0].pixels
        planes = [(t, c, z) for t in range(2) for c in range(2) for z in range(3)] * 4
        found = list(pool.map(lambda plane: source.read(Region.plane(source.shape, *plane)), planes))
    assert all(np.array_equal(plane[0, 0, 0, :, :, 0], waves(SHAPE)[index]) for plane, index in zip(found, planes, strict=True))


@pytest.mark.parametrize("name", ["blobs_image_v04.ome.zarr", "image-02.zarr", "image-03.zarr", "xyz_8bit__mitotic_plate_calibrated.ome.zarr"])
def test_real_stores_read_as_zarr_python_reads_them(realfiles: Path, name: str) -> None:
    import zarr

    path = realfiles / "omezarr" / name
    with opened(path) as dataset:
        for image in dataset.images:
            levels = json.loads((path / (image.path or "") / ".zattrs").read_text())["multiscales"][0]["datasets"]
            assert len(levels) == len(image.levels)
            for index, level in enumerate(levels):
                stored = zarr.open_array(path / (image.path or "") / level["path"], mode="r")
                assert np.array_equal(pixels_of(image, index).reshape(stored.shape), stored[...])


def test_a_real_bioformats2raw_store_has_its_calibration(realfiles: Path) -> None:
    with opened(realfiles / "omezarr" / "xyz_8bit__mitotic_plate_calibrated.ome.zarr") as dataset:
        metadata = dataset.images[0].metadata
        assert metadata.pixel_size_x is not None
        assert (metadata.pixel_size_x.unit, round(metadata.pixel_size_x.value, 6)) == ("µm", 0.085196)
        assert metadata.pixel_size_z == Quantity(3.0, "µm")
