"""What we write as NGFF metadata is right, valid, and opened by other people's libraries."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy.errors import UnwritableError
from lightmicroscopy.image import Channel, ImageMetadata, Quantity, Shape
from lightmicroscopy.metadata import ngff, zarr_json
from lightmicroscopy.metadata.ngff import Version

from .zarr_stores import PLATE, folder, group, image_of, image_store, plate_store, waves

VERSIONS: tuple[Version, ...] = ("0.4", "0.5")
SHAPE = (2, 2, 3, 37, 50)


def body(attributes: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = attributes.get("ome", attributes)
    return inner


def multiscale(image: Any, levels: list[Shape], version: Version = "0.4", method: ngff.Method = "mean") -> dict[str, Any]:
    first: dict[str, Any] = body(ngff.image_attributes(image, levels, version, method=method))["multiscales"][0]
    return first


def omero(image: Any, **options: Any) -> dict[str, Any]:
    block: dict[str, Any] = ngff.image_attributes(image, [image.shape], "0.4", **options)["omero"]
    return block


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("compression", ["zstd", "lz4", "zlib", "none"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_zarr_python_reads_the_pixels_back(tmp_path: Path, version: Version, compression: str, dtype: str) -> None:
    import zarr

    pixels = waves(SHAPE, dtype)
    folder(image_store(pixels, version, compression=compression), tmp_path)
    assert np.array_equal(zarr.open_array(tmp_path / "0", mode="r")[...], pixels)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float64", "bool"])
def test_tensorstore_reads_the_pixels_back(tmp_path: Path, version: Version, dtype: str) -> None:
    import tensorstore

    pixels = waves(SHAPE, dtype)
    folder(image_store(pixels, version), tmp_path)
    driver = "zarr" if version == "0.4" else "zarr3"
    store = tensorstore.open({"driver": driver, "kvstore": {"driver": "file", "path": str(tmp_path / "0")}}).result()
    assert np.array_equal(store.read().result(), pixels)


@pytest.mark.parametrize("version", VERSIONS)
def test_ome_zarr_py_finds_levels_scales_and_channels(tmp_path: Path, version: Version) -> None:
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    folder(image_store(waves(SHAPE), version), tmp_path)
    location = parse_url(tmp_path, mode="r")
    assert location is not None
    (node,) = Reader(location)()
    assert [level.shape for level in node.data] == [SHAPE, (2, 2, 3, 18, 25)]
    assert node.metadata["channel_names"] == ["stain 0", "stain 1"]
    assert node.metadata["coordinateTransformations"][0][0]["scale"] == [3.0, 1.0, 2.0, 0.5, 0.5]


def validate(path: Path, version: Version) -> str:
    import zarr
    from ome_zarr_models import open_ome_zarr

    opened = open_ome_zarr(zarr.open_group(path, mode="r"), version=version)
    assert opened.ome_zarr_version == version
    return type(opened).__name__


@pytest.mark.parametrize("version", VERSIONS)
def test_an_image_is_valid(tmp_path: Path, version: Version) -> None:
    assert validate(folder(image_store(waves(SHAPE), version), tmp_path), version) == "Image"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_image_with_a_label_map_is_valid(tmp_path: Path, version: Version) -> None:
    labels = waves((2, 1, 3, 37, 50), "uint32") // 200
    nuclei = image_store(labels, version, path="labels/nuclei", image=image_of(labels, kind="label", label_of=0))
    files = image_store(waves(SHAPE), version) | group("labels", ngff.labels_attributes(["nuclei"], version), version) | nuclei
    assert validate(folder(files, tmp_path), version) == "Image"
    assert validate(tmp_path / "labels" / "nuclei", version) == "ImageLabel"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_label_map_by_itself_is_valid(tmp_path: Path, version: Version) -> None:
    labels = waves((1, 1, 1, 37, 50), "uint32") // 200
    assert validate(folder(image_store(labels, version, image=image_of(labels, kind="label")), tmp_path), version) == "ImageLabel"


def test_a_falling_stack_has_the_size_of_its_step() -> None:
    image = image_of(waves(SHAPE), metadata=ImageMetadata(pixel_size_z=Quantity(-2.0, "µm")))
    first = multiscale(image, [Shape(*SHAPE)])
    assert first["datasets"][0]["coordinateTransformations"][0]["scale"] == [1.0, 1.0, 2.0, 1.0, 1.0]
    assert first["axes"][2] == {"name": "z", "type": "space", "unit": "micrometer"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_plate_is_valid(tmp_path: Path, version: Version) -> None:
    assert validate(folder(plate_store(version), tmp_path), version) == "HCS"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_several_series_is_valid(tmp_path: Path, version: Version) -> None:
    import zarr
    from ome_zarr_models.v04.bioformats2raw import BioFormats2Raw as Layout04
    from ome_zarr_models.v05.bioformats2raw import BioFormats2Raw as Layout05

    files = group("", ngff.layout_attributes(version), version) | group("OME", ngff.series_attributes(["0", "1"], version), version)
    for series in "01":
        files |= image_store(waves((1, 1, 1, 20, 20)), version, path=series)
    model: Any = Layout04 if version == "0.4" else Layout05
    opened = model.from_zarr(zarr.open_group(folder(files, tmp_path), mode="r"))
    assert sorted(opened.members) == ["0", "1"]


def test_a_plate_names_its_rows_columns_and_runs() -> None:
    plate = ngff.plate_attributes(PLATE, "0.4")["plate"]
    assert [row["name"] for row in plate["rows"]] == ["A", "B"]
    assert plate["wells"][0] == {"path": "B/7", "rowIndex": 1, "columnIndex": 6}
    assert plate["field_count"] == 2
    # The end has no time zone, so that its moment is not known and it is left out.
    assert plate["acquisitions"] == [{"id": 5, "name": "first run", "maximumfieldcount": 2, "starttime": 1709294400}]


@pytest.mark.parametrize(("index", "letters", "number"), [(0, "A", "1"), (25, "Z", "26"), (26, "AA", "27"), (31, "AF", "32"), (701, "ZZ", "702")])
def test_rows_are_lettered_as_on_a_1536_well_plate(index: int, letters: str, number: str) -> None:
    assert (ngff.axis_name(index, "letter"), ngff.axis_name(index, "number")) == (letters, number)


def test_a_plate_with_numbered_rows_keeps_its_convention() -> None:
    assert ngff.well_path(replace(PLATE, row_naming="number", column_naming="letter"), 1, 2) == "2/C"


def test_an_unknown_pixel_size_is_one_without_a_unit() -> None:
    image = image_of(waves(SHAPE), metadata=ImageMetadata())
    found = multiscale(image, [image.shape])
    assert found["datasets"][0]["coordinateTransformations"] == [{"type": "scale", "scale": [1.0] * 5}]
    assert not any("unit" in axis for axis in found["axes"])


@pytest.mark.parametrize(
    "size", [Quantity(0.0, "µm"), Quantity(-1.0, "µm"), Quantity(math.nan, "µm"), Quantity(3.0, "pixel"), Quantity(3.0, "reference frame")]
)
def test_what_is_no_length_is_not_written_as_one(size: Quantity) -> None:
    image = image_of(waves(SHAPE), metadata=ImageMetadata(pixel_size_x=size))
    found = multiscale(image, [image.shape])
    assert found["datasets"][0]["coordinateTransformations"][0]["scale"][4] == 1.0
    assert "unit" not in found["axes"][4]


@pytest.mark.parametrize(
    ("size", "scale", "unit"),
    [
        (Quantity(325.0, "nm"), 325.0, "nanometer"),
        (Quantity(0.325, "µm"), 0.325, "micrometer"),
        (Quantity(1.5, "Å"), 1.5, "angstrom"),
        (Quantity(2.0, "thou"), 50.8, "micrometer"),
        (Quantity(1.0, "dam"), 1e7, "micrometer"),
    ],
)
def test_units_are_spelt_in_full_and_converted_where_ngff_has_none(size: Quantity, scale: float, unit: str) -> None:
    image = image_of(waves(SHAPE), metadata=ImageMetadata(pixel_size_x=size))
    found = multiscale(image, [image.shape])
    assert found["axes"][4]["unit"] == unit
    assert found["datasets"][0]["coordinateTransformations"][0]["scale"][4] == pytest.approx(scale)


def test_time_has_a_unit_only_where_its_step_is_known() -> None:
    image = image_of(waves(SHAPE), metadata=ImageMetadata(time_increment_s=2.5))
    found = multiscale(image, [image.shape])
    assert found["axes"][0] == {"name": "t", "type": "time", "unit": "second"}
    assert found["datasets"][0]["coordinateTransformations"][0]["scale"][0] == 2.5


def test_means_shift_pixel_centres_by_true_ratios() -> None:
    image = image_of(waves((1, 1, 1, 101, 64)))
    scale, translation = multiscale(image, [image.shape, Shape(1, 1, 1, 51, 32)])["datasets"][1]["coordinateTransformations"]
    assert scale["scale"] == pytest.approx([3, 1, 2, 0.5 * 101 / 51, 1.0])
    assert translation["translation"] == pytest.approx([0, 0, 0, (101 / 51 - 1) / 2 * 0.5, 0.25])


def test_the_nearest_pixel_of_a_label_map_does_not_shift() -> None:
    labels = waves((1, 1, 1, 64, 64), "uint8")
    image = image_of(labels, kind="label")
    assert [
        item["type"]
        for item in multiscale(image, [image.shape, Shape(1, 1, 1, 32, 32)], method="nearest")["datasets"][1]["coordinateTransformations"]
    ] == ["scale"]


def test_a_label_map_has_no_colours_and_names_its_image() -> None:
    image = image_of(waves((1, 1, 1, 20, 20), "uint8"), kind="label", label_of=0)
    attributes = ngff.image_attributes(image, [image.shape], "0.4", method="nearest")
    assert "omero" not in attributes
    assert attributes["image-label"] == {"version": "0.4", "source": {"image": "../../"}}


def test_known_colours_are_written_and_invented_ones_marked() -> None:
    channels = (Channel(name="DAPI", color=0x0000FFFF), Channel(name="GFP", color=-1), Channel())
    image = image_of(waves((1, 3, 1, 20, 20)), metadata=ImageMetadata(channels=channels))
    attributes = ngff.image_attributes(image, [image.shape], "0.4")
    assert attributes["omero"]["channels"][0]["color"] == "0000FF"
    assert attributes["multiscales"][0]["metadata"]["invented_colors"] == [1, 2]
    assert "label" not in attributes["omero"]["channels"][2]


def test_red_green_and_blue_samples_become_three_channels() -> None:
    image = image_of(waves((1, 1, 1, 20, 20), "uint8"), kind="rgb", metadata=ImageMetadata())
    shape = Shape(1, 1, 1, 20, 20, 3)
    channels = ngff.image_attributes(image, [shape], "0.4")["omero"]["channels"]
    assert [(channel["label"], channel["color"]) for channel in channels] == [("Red", "FF0000"), ("Green", "00FF00"), ("Blue", "0000FF")]
    assert ngff.zarr_shape(shape) == (1, 3, 1, 20, 20)
    named = image_of(waves((1, 1, 1, 20, 20), "uint8"), kind="rgb", metadata=ImageMetadata(channels=(Channel(name="H&E"),)))
    labels = [channel["label"] for channel in ngff.image_attributes(named, [shape], "0.4")["omero"]["channels"]]
    assert labels == ["H&E Red", "H&E Green", "H&E Blue"]


@pytest.mark.parametrize(
    ("dtype", "bits", "given", "expected"),
    [
        ("uint16", None, None, (0, 65535, 0, 65535)),
        ("uint16", 12, (100.0, 2000.0), (0, 4095, 100, 2000)),
        ("uint16", 12, (0.0, 5000.0), (0, 5000, 0, 5000)),
        ("int16", None, None, (-32768, 32767, -32768, 32767)),
        ("uint8", None, (7.0, 7.0), (0, 255, 7, 8)),
        ("uint8", None, (255.0, 255.0), (0, 255, 254, 255)),
        ("float32", None, (-1.5, 2.5), (-1.5, 2.5, -1.5, 2.5)),
        ("float32", None, (math.nan, 2.5), (0, 1, 0, 1)),
        ("float64", None, (3.0, 3.0), (3, 4, 3, 4)),
        ("bool", None, None, (0, 1, 0, 1)),
    ],
)
def test_display_ranges_are_ordered_and_inside_their_limits(
    dtype: str, bits: int | None, given: tuple[float, float] | None, expected: tuple[float, ...]
) -> None:
    found = ngff.window(np.dtype(dtype), bits, given)
    assert (found["min"], found["max"], found["start"], found["end"]) == expected


def test_the_middle_plane_is_shown_first() -> None:
    block = omero(image_of(waves(SHAPE)))
    assert block["rdefs"] == {"defaultT": 0, "defaultZ": 1, "model": "color"}
    assert omero(image_of(waves((1, 1, 1, 20, 20))))["rdefs"]["model"] == "greyscale"


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [("float32", math.nan, "NaN"), ("float32", -math.inf, "-Infinity"), ("float64", 0.5, 0.5), ("uint16", 7, 7), ("bool", 1, True)],
)
def test_fill_values_are_legal_json(dtype: str, value: float, expected: object) -> None:
    for version in VERSIONS:
        metadata = zarr_json.array_metadata((4, 4), (4, 4), np.dtype(dtype), version, fill_value=value, axes="yx")
        assert json.loads(next(iter(zarr_json.array_files(metadata).values())))["fill_value"] == expected


@pytest.mark.parametrize("dtype", ["complex64", "U4"])
def test_pixels_that_are_no_numbers_are_refused(dtype: str) -> None:
    with pytest.raises(UnwritableError, match="whole or floating point"):
        zarr_json.array_metadata((4, 4), (4, 4), np.dtype(dtype), "0.4")


def test_a_name_in_any_script_survives(tmp_path: Path) -> None:
    pixels = waves((1, 1, 1, 20, 20))
    files = image_store(pixels, "0.5", image=image_of(pixels, name='Zelle "µ" 🔬/\n'))
    assert json.loads(files["zarr.json"])["attributes"]["ome"]["multiscales"][0]["name"] == 'Zelle "µ" 🔬/\n'
