"""What a written store holds, read back with zarr-python and judged by ome-zarr-models."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray
from ome_zarr_models.v04.bioformats2raw import BioFormats2Raw as BioFormats2Raw04
from ome_zarr_models.v04.hcs import HCS as HCS04
from ome_zarr_models.v04.image import Image as Image04
from ome_zarr_models.v05.bioformats2raw import BioFormats2Raw as BioFormats2Raw05
from ome_zarr_models.v05.hcs import HCS as HCS05
from ome_zarr_models.v05.image import Image as Image05

from lightmicroscopy.errors import UnwritableError, UsageError
from lightmicroscopy.image import Acquisition, Dataset, Image, Location, MapAnnotation, Plate, Shape, Well, WellField
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.writers import store as stores
from lightmicroscopy.writers.ome_zarr import write_ome_zarr
from lightmicroscopy.writers.options import WriteOptions, Written
from lightmicroscopy.writers.pyramid import halve, method_for

from .memory_image import memory_image

FORMS = list(product(("0.4", "0.5"), (False, True)))
MODELS: dict[str, dict[str, Any]] = {
    "0.4": {"image": Image04, "layout": BioFormats2Raw04, "plate": HCS04},
    "0.5": {"image": Image05, "layout": BioFormats2Raw05, "plate": HCS05},
}


def noise(*shape: int, dtype: str = "u2", top: int = 200) -> NDArray[Any]:
    return np.random.default_rng(4).integers(1, top, shape).astype(dtype)


def write(folder: Path, *images: Image, labels: tuple[Image, ...] = (), plates: tuple[Plate, ...] = (), **options: Any) -> tuple[Path, Written]:
    path = folder / ("cells.ome.zarr.zip" if options.get("zip") else "cells.ome.zarr")
    dataset = Dataset(Location(Path("cells.tif")), "memory", images, labels=labels, plates=plates)
    return path, write_ome_zarr(dataset, path, WriteOptions(threads=2, **options))


def opened(path: Path) -> zarr.Group:
    return zarr.open_group(zarr.storage.ZipStore(path, mode="r") if path.is_file() else str(path), mode="r")


def attributes(group: zarr.Group, version: str) -> dict[str, Any]:
    found = group.attrs.asdict()
    return found["ome"] if version == "0.5" else found


def check_levels(group: zarr.Group, image: Image, written: Any, *, halve_z: bool = False) -> None:
    array = image.levels[0].pixels.array  # type: ignore[attr-defined]
    expected = np.moveaxis(array, -1, 2).reshape(array.shape[0], -1, *array.shape[2:5])[..., np.newaxis]
    for level, shape in enumerate(written.levels):
        found = group[f"{written.path}/{level}".lstrip("/")]
        assert found.shape == tuple(shape[:5])
        assert found.dtype == image.dtype
        assert np.array_equal(found[:], expected[..., 0])
        method = method_for(image)
        halved = [[halve(expected[t, c], method, z=halve_z) for c in range(expected.shape[1])] for t in range(expected.shape[0])]
        expected = np.array(halved)


@pytest.mark.parametrize(("version", "zipped"), FORMS)
def test_one_image_lies_at_the_root_whole_and_valid(tmp_path: Path, version: str, zipped: bool) -> None:
    image = memory_image(noise(2, 3, 4, 300, 290, 1), names=("a", "b", "c"))
    path, written = write(tmp_path, image, ngff_version=version, zip=zipped, chunk=(64, 64))
    group = opened(path)
    check_levels(group, image, written.series[0])
    MODELS[version]["image"].from_zarr(group)
    series = written.series[0]
    assert series.chunks == series.chunks_verified == 24 * (5 * 5 + 3 * 3)
    files = [path] if zipped else [file for file in path.rglob("*") if file.is_file()]
    assert written.bytes == sum(file.stat().st_size for file in files)


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_every_type_is_kept(tmp_path: Path, version: str, dtype: str) -> None:
    image = memory_image(noise(1, 1, 1, 40, 50, 1, top=100).astype(dtype))
    path, written = write(tmp_path, image, ngff_version=version)
    check_levels(opened(path), image, written.series[0])


@pytest.mark.parametrize("compression", ["auto", "none", "zlib", "zstd", "lz4"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_every_compression_is_what_the_metadata_declare(tmp_path: Path, version: str, compression: str) -> None:
    image = memory_image(noise(1, 1, 1, 300, 50, 1))
    path, written = write(tmp_path, image, ngff_version=version, compression=compression, chunk=(64, 32))
    check_levels(opened(path), image, written.series[0])


@pytest.mark.parametrize("halve_z", [False, True])
def test_chunks_may_hold_several_planes(tmp_path: Path, halve_z: bool) -> None:
    image = memory_image(noise(1, 2, 7, 260, 70, 1))
    path, written = write(tmp_path, image, chunk=(3, 33, 50), downsample_z=halve_z)
    group = opened(path)
    check_levels(group, image, written.series[0], halve_z=halve_z)
    assert group["0"].chunks == (1, 1, 3, 33, 50)
    assert group["1"].shape[2] == (4 if halve_z else 7)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_colour_becomes_three_channels_in_order(tmp_path: Path, version: str) -> None:
    image = memory_image(noise(1, 1, 2, 300, 300, 3, dtype="u1"), kind="rgb")
    path, written = write(tmp_path, image, ngff_version=version)
    group = opened(path)
    check_levels(group, image, written.series[0])
    channels = attributes(group, version)["omero"]["channels"]
    assert [(channel["label"], channel["color"]) for channel in channels] == [("Red", "FF0000"), ("Green", "00FF00"), ("Blue", "0000FF")]
    assert {(channel["window"]["start"], channel["window"]["end"]) for channel in channels} == {(0, 255)}
    assert read_ome((path / "OME/METADATA.ome.xml").read_bytes(), "").images[0].size_c == 3


@pytest.mark.parametrize(("names", "prefixes"), [(("H&E",), ["H&E "]), (("H&E", "IHC"), ["H&E ", "IHC "]), ((), [""]), (("",), [""])])
def test_the_name_of_a_channel_that_becomes_three_is_kept_in_each(tmp_path: Path, names: tuple[str, ...], prefixes: list[str]) -> None:
    image = memory_image(noise(1, len(prefixes), 1, 20, 20, 3, dtype="u1"), names=names, kind="rgb")
    path, written = write(tmp_path, image)
    expected = [f"{prefix}{colour}" for prefix in prefixes for colour in ("Red", "Green", "Blue")]
    assert [channel["label"] for channel in attributes(opened(path), "0.4")["omero"]["channels"]] == expected
    (copy,) = read_ome((path / "OME/METADATA.ome.xml").read_bytes(), "").images
    assert [channel.name for channel in copy.metadata.channels] == expected
    assert written.losses == ()


@pytest.mark.parametrize(("version", "zipped"), FORMS)
def test_windows_are_the_extremes_of_level_0(tmp_path: Path, version: str, zipped: bool) -> None:
    array = noise(1, 2, 1, 300, 300, 1, dtype="f4")
    array[0, 0, 0, 5, 5], array[0, 0, 0, 6, 6], array[0, 1, 0, 7, 7] = -3, np.nan, np.inf
    image = memory_image(array)
    path, _ = write(tmp_path, image, ngff_version=version, zip=zipped)
    windows = [channel["window"] for channel in attributes(opened(path), version)["omero"]["channels"]]
    assert [(window["start"], window["end"]) for window in windows] == [(-3, 199), (1, 199)]


@pytest.mark.parametrize(("version", "zipped"), FORMS)
def test_several_series_and_a_label_map(tmp_path: Path, version: str, zipped: bool) -> None:
    images = (memory_image(noise(1, 1, 1, 300, 300, 1), series=0), memory_image(noise(1, 2, 1, 20, 20, 1, dtype="u1"), series=3))
    label = memory_image(noise(1, 1, 1, 20, 20, 1, dtype="u8"), kind="label", label_of=3, path="3/labels/nuclei", name="nuclei")
    path, written = write(tmp_path, *images, labels=(label,), ngff_version=version, zip=zipped)
    group = opened(path)
    assert [series.path for series in written.series] == ["0", "1", "1/labels/nuclei"]
    for image, series in zip((*images, label), written.series, strict=True):
        check_levels(group, image, series)
    MODELS[version]["layout"].from_zarr(group)
    assert attributes(group["1/labels"], version)["labels"] == ["nuclei"]
    assert attributes(group["OME"], version)["series"] == ["0", "1"]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_label_map_has_as_many_levels_as_its_image(tmp_path: Path, version: str) -> None:
    image = memory_image(noise(1, 1, 1, 200, 200, 1))
    labels = tuple(memory_image(noise(1, 1, 1, 200, 200, 1, dtype="u4"), kind="label", label_of=0, name=name) for name in ("nuclei", "nuclei"))
    path, written = write(tmp_path, image, labels=labels, ngff_version=version, levels=3)
    assert [len(series.levels) for series in written.series] == [3, 3, 3]
    assert [series.path for series in written.series[1:]] == ["labels/nuclei", "labels/nuclei~2"]
    MODELS[version]["image"].from_zarr(opened(path))
    assert "omero" not in attributes(opened(path)["labels/nuclei"], version)


PLATE = Plate("plate", 2, 3, (Well(0, 1, (WellField(0, 1), WellField(1, 1))), Well(1, 2, (WellField(2, 1),))), (Acquisition(1),))


@pytest.mark.parametrize(("version", "zipped"), FORMS)
def test_a_plate_lies_by_its_wells(tmp_path: Path, version: str, zipped: bool) -> None:
    images = tuple(memory_image(noise(1, 1, 1, 40, 40, 1) + number, series=number) for number in range(3))
    path, written = write(tmp_path, *images, plates=(PLATE,), ngff_version=version, zip=zipped)
    group = opened(path)
    assert [series.path for series in written.series] == ["A/2/0", "A/2/1", "B/3/0"]
    for image, series in zip(images, written.series, strict=True):
        check_levels(group, image, series)
    MODELS[version]["plate"].from_zarr(group)
    assert attributes(group["A/2"], version)["well"]["images"] == [{"path": "0", "acquisition": 1}, {"path": "1", "acquisition": 1}]


@pytest.mark.parametrize(
    "plates",
    [
        (PLATE, PLATE),
        (Plate("p", 1, 1, (Well(0, 0, (WellField(0),)),)),),
        (Plate("p", 1, 1, (Well(0, 0, (WellField(0), WellField(0), WellField(1))),)),),
    ],
)
def test_images_without_one_place_on_one_plate_are_written_as_series_and_that_is_told(tmp_path: Path, plates: tuple[Plate, ...]) -> None:
    images = tuple(memory_image(noise(1, 1, 1, 40, 40, 1), series=number) for number in range(2))
    path, written = write(tmp_path, *images, plates=plates)
    assert [series.path for series in written.series] == ["0", "1"]
    assert any("only the OME-XML names their wells" in loss for loss in written.losses)
    BioFormats2Raw04.from_zarr(opened(path))


@pytest.mark.parametrize(("version", "zipped"), FORMS)
def test_the_ome_xml_is_always_there_with_its_provenance(tmp_path: Path, version: str, zipped: bool) -> None:
    annotation = MapAnnotation("somewhere", (("source", "cells.czi"),))
    path, _ = write(tmp_path, memory_image(noise(2, 1, 1, 20, 20, 1)), ngff_version=version, zip=zipped, provenance=(annotation,))
    xml = zipfile.ZipFile(path).read("OME/METADATA.ome.xml") if zipped else (path / "OME/METADATA.ome.xml").read_bytes()
    image = read_ome(xml, "").images[0]
    assert (image.size_t, image.size_x) == (2, 20)
    assert annotation in image.metadata.annotations


@pytest.mark.parametrize("zipped", [False, True])
def test_metadata_that_come_late_are_in_the_xml(tmp_path: Path, zipped: bool) -> None:
    annotation = MapAnnotation("somewhere", (("sha256", "ab" * 32),))
    done: list[int] = []

    def complete(image: Image) -> Image:
        assert done
        return replace(image, metadata=replace(image.metadata, annotations=(annotation,)))

    image = memory_image(noise(2, 1, 1, 20, 20, 1))
    path, _ = write(tmp_path, image, zip=zipped, complete=complete, progress=lambda now, total: done.append(now))
    xml = zipfile.ZipFile(path).read("OME/METADATA.ome.xml") if zipped else (path / "OME/METADATA.ome.xml").read_bytes()
    assert annotation in read_ome(xml, "").images[0].metadata.annotations


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_chunks_of_nothing_but_fill_are_not_stored_and_read_as_fill(tmp_path: Path, version: str) -> None:
    array = np.full((1, 1, 2, 128, 128, 1), 7, "u2")
    array[0, 0, 1, 100, 100] = 9
    image = memory_image(array, fill_value=7)
    path, written = write(tmp_path, image, chunk=(64, 64), ngff_version=version)
    stored = [file for file in (path / "0").rglob("*") if file.is_file() and file.name.isdigit()]
    assert len(stored) == 1
    check_levels(opened(path), image, written.series[0])


def test_negative_zero_is_no_fill(tmp_path: Path) -> None:
    image = memory_image(np.full((1, 1, 1, 16, 16, 1), -0.0, "f4"))
    path, _ = write(tmp_path, image)
    assert np.all(np.signbit(opened(path)["0"][:]))


@pytest.mark.parametrize("fill", [-1, 0.5, float("nan"), 1e9])
def test_a_fill_value_the_type_cannot_hold_is_not_used(tmp_path: Path, fill: float) -> None:
    image = memory_image(noise(1, 1, 1, 16, 16, 1), fill_value=fill)
    path, written = write(tmp_path, image)
    assert opened(path)["0"].fill_value == 0
    check_levels(opened(path), image, written.series[0])


@pytest.mark.parametrize(("version", "first"), [("0.4", ".zattrs"), ("0.5", "zarr.json")])
def test_a_zip_is_stored_has_its_root_first_and_passes_its_own_checksums(tmp_path: Path, version: str, first: str) -> None:
    path, _ = write(tmp_path, memory_image(noise(1, 2, 3, 300, 300, 1)), ngff_version=version, zip=True)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        members = archive.infolist()
        assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
        assert first in [member.filename for member in members[:2]]
        assert len({member.filename for member in members}) == len(members)
        assert json.loads(archive.read(first))


def test_a_root_that_outgrows_its_place_is_no_silent_damage(tmp_path: Path) -> None:
    archive = stores.Zip(tmp_path / "a.zip")
    archive.reserve("zarr.json", b"{}")
    with pytest.raises(ValueError, match="more than were reserved"):
        archive.put("zarr.json", b" " * 100_000)
    archive.close()


REFUSED = [
    ("complex numbers", np.zeros(4, "c8"), {}, UnwritableError, "complex64"),
    ("text", np.array(["a"] * 4), {}, UnwritableError, "<U1"),
    ("lzw", np.zeros(4, "u1"), {"compression": "lzw"}, UsageError, "lzw"),
    ("chunks of no size", np.zeros(4, "u1"), {"chunk": (0, 10)}, UsageError, "at least 1"),
    ("no level", np.zeros(4, "u1"), {"levels": 0}, UsageError, "at least 1"),
    ("more levels than there are", np.zeros(4, "u1"), {"levels": 9}, UsageError, "at most 2"),
]


@pytest.mark.parametrize(("values", "options", "error", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_a_store_cannot_hold_is_refused_before_anything_is_written(
    tmp_path: Path, values: NDArray[Any], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        write(tmp_path, memory_image(values.reshape(1, 1, 1, 2, 2, 1)), **options)
    assert list(tmp_path.iterdir()) == []


def test_chunks_beyond_what_blosc_holds_are_refused(tmp_path: Path) -> None:
    huge = np.broadcast_to(np.zeros((), "u2"), (1, 1, 1, 40_000, 40_000, 1))
    with pytest.raises(UsageError, match="1 GiB"):
        write(tmp_path, memory_image(huge), chunk=(40_000, 40_000))


def test_large_planes_have_larger_chunks(tmp_path: Path) -> None:
    wide = np.broadcast_to(np.zeros((), "u1"), (1, 1, 1, 40, 20_000, 1))
    path, _ = write(tmp_path, memory_image(wide, unit=Shape(1, 1, 1, 40, 512)))
    assert opened(path)["0"].chunks == (1, 1, 1, 40, 1024)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_store_that_lacks_a_chunk_is_not_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool) -> None:
    kind = stores.Zip if zipped else stores.Folder
    put = kind.put

    def forgetful(self: Any, key: str, data: bytes) -> None:
        if key != "0/0/0/1/0/0":
            put(self, key, data)

    monkeypatch.setattr(kind, "put", forgetful)
    with pytest.raises(UnwritableError, match="array 0 is not complete"):
        write(tmp_path, memory_image(noise(1, 1, 3, 20, 20, 1)), zip=zipped)
    assert list(tmp_path.iterdir()) == []
