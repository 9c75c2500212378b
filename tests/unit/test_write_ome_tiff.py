"""What a written OME-TIFF holds, read back with tifffile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from lightmicroscopy.errors import UnwritableError, UsageError
from lightmicroscopy.image import Channel, Dataset, Image, ImageMetadata, Location, MapAnnotation, Quantity, Shape
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.writers import ome_tiff
from lightmicroscopy.writers.ome_tiff import is_big, write_ome_tiff
from lightmicroscopy.writers.options import WriteOptions, Written
from lightmicroscopy.writers.pyramid import halve

from .memory_image import memory_image


def noise(*shape: int, dtype: str = "u2", top: int = 200) -> NDArray[Any]:
    return np.random.default_rng(4).integers(0, top, shape).astype(dtype)


def write(array: NDArray[Any], folder: Path, fields: dict[str, Any] | None = None, **options: Any) -> tuple[Path, Written]:
    path = folder / "cells.ome.tiff"
    return path, write_ome_tiff(memory_image(array, **(fields or {})), path, None, WriteOptions(threads=2, **options))


def planes(file: tifffile.TiffFile) -> list[NDArray[Any]]:
    return [page.asarray() for page in file.pages]


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
@pytest.mark.parametrize("compression", ["auto", "zlib", "lzw", "zstd", "none"])
def test_every_plane_and_level_is_what_was_given(tmp_path: Path, dtype: str, compression: str) -> None:
    array = noise(2, 2, 2, 70, 300, 1, dtype=dtype, top=100)
    path, written = write(array, tmp_path, levels=2, compression=compression, chunk=(32, 64))
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        assert len(file.pages) == 8
        for page, (t, c, z) in zip(file.pages, product(range(2), repeat=3), strict=True):
            assert np.array_equal(page.asarray(), array[t, c, z, ..., 0])
            assert np.array_equal(page.pages[0].asarray(), halve(array[t, c], "mean")[z, ..., 0])
            assert (page.subfiletype, page.pages[0].subfiletype) == (0, 1)
    series = written.series[0]
    assert (written.bytes, series.dtype, len(series.levels)) == (path.stat().st_size, array.dtype.name, 2)
    assert series.chunks == series.chunks_verified == 8 * (3 * 5 + 2 * 3)


@pytest.mark.parametrize(("size", "expected"), [((1, 1), 1), ((256, 256), 1), ((257, 40), 2), ((2000, 31), 4)])
def test_levels_are_added_until_the_smallest_fits_a_screen(tmp_path: Path, size: tuple[int, int], expected: int) -> None:
    path, written = write(noise(1, 1, 1, *size, 1), tmp_path)
    assert len(written.series[0].levels) == expected
    with tifffile.TiffFile(path) as file:
        assert len(file.pages.first.pages or ()) == expected - 1


def test_the_description_is_early_and_has_room_to_grow(tmp_path: Path) -> None:
    path, _ = write(noise(1, 2, 1, 600, 600, 1), tmp_path)
    with tifffile.TiffFile(path) as file:
        tag = file.pages.first.tags["ImageDescription"]
        tiles = min(offset for page in file.pages for level in (page, *page.pages) for offset in level.dataoffsets)
        assert file.pages.first.offset == 8
        assert tag.valueoffset < 1024
        assert tiles - (tag.valueoffset + tag.count) >= 4096
    between = path.read_bytes()[tag.valueoffset + tag.count - 1 : tiles]
    assert set(between) == {0}


def test_the_xml_says_what_was_written(tmp_path: Path) -> None:
    annotation = MapAnnotation("somewhere", (("source", "cells.czi"),))
    path, _ = write(noise(2, 3, 4, 20, 30, 1), tmp_path, {"names": ("a", "b", "c")}, provenance=(annotation,))
    with tifffile.TiffFile(path) as file:
        image = read_ome(file.pages.first.tags["ImageDescription"].value.encode(), path.name).images[0]
    assert (image.size_t, image.size_c, image.size_z, image.size_y, image.size_x) == (2, 3, 4, 20, 30)
    assert (image.dimension_order, image.pixel_type) == ("XYZCT", "uint16")
    assert annotation in image.metadata.annotations


@pytest.mark.parametrize("length", [10, 4000, 100_000])
def test_metadata_that_come_late_are_in_the_description(tmp_path: Path, length: int) -> None:
    def noted(letter: str) -> Callable[[Image], Image]:
        annotation = MapAnnotation("somewhere", (("sha256", letter * length),))
        return lambda image: replace(image, metadata=replace(image.metadata, annotations=(annotation,)))

    array = noise(1, 2, 1, 300, 300, 1)
    path, _ = write(array, tmp_path, foresee=noted("0"), complete=noted("a"))
    with tifffile.TiffFile(path) as file:
        tag = file.pages.first.tags["ImageDescription"]
        (annotation,) = read_ome(tag.value.encode(), "").images[0].metadata.annotations
        assert annotation.pairs == (("sha256", "a" * length),)
        assert min(file.pages.first.dataoffsets) - (tag.valueoffset + tag.count) >= 4096
        assert np.array_equal(np.stack(planes(file)), array[0, :, 0, ..., 0])


def test_late_metadata_that_do_not_fit_are_no_silent_damage(tmp_path: Path) -> None:
    annotation = MapAnnotation("somewhere", (("text", "a" * 10_000),))
    with pytest.raises(UnwritableError, match="longer than was foreseen"):
        write(noise(1, 1, 1, 20, 20, 1), tmp_path, complete=lambda image: replace(image, metadata=replace(image.metadata, annotations=(annotation,))))
    assert list(tmp_path.iterdir()) == []


def test_resolution_follows_the_pixel_size_at_every_level_and_is_absent_when_unknown(tmp_path: Path) -> None:
    path, _ = write(noise(1, 1, 1, 600, 600, 1), tmp_path)
    with tifffile.TiffFile(path) as file:
        for number, level in enumerate((file.pages.first, *file.pages.first.pages)):
            top, bottom = level.tags["XResolution"].value
            assert top / bottom == pytest.approx(20000 / 2**number)
            assert level.tags["ResolutionUnit"].value == 3
    path.unlink()
    for size in (None, Quantity(1.0, "pixel"), Quantity(0.0, "µm"), Quantity(float("nan"), "µm")):
        path, _ = write(noise(1, 1, 1, 20, 20, 1), tmp_path, {"metadata": ImageMetadata(pixel_size_x=None, pixel_size_y=size)})
        with tifffile.TiffFile(path) as file:
            assert "XResolution" not in file.pages.first.tags
        path.unlink()


@pytest.mark.parametrize(("samples", "photometric", "extra"), [(3, 2, None), (4, 2, (2,)), (2, 1, (2,))])
def test_colour_keeps_its_samples_together(tmp_path: Path, samples: int, photometric: int, extra: tuple[int, ...] | None) -> None:
    array = noise(1, 1, 2, 300, 300, samples, dtype="u1")
    path, _ = write(array, tmp_path, {"kind": "rgb", "alpha": "unassociated"})
    with tifffile.TiffFile(path) as file:
        assert all(np.array_equal(page, array[0, 0, z]) for z, page in enumerate(planes(file)))
        page = file.pages.first
        assert (page.photometric, page.planarconfig, page.samplesperpixel) == (photometric, 1, samples)
        assert (page.extrasamples or None) == extra


@pytest.mark.parametrize(("dtype", "top", "scale"), [("u1", 255, 257), ("u2", 65535, 1)])
def test_a_palette_is_kept_with_its_indices(tmp_path: Path, dtype: str, top: int, scale: int) -> None:
    lut = tuple((number, 0, top - number) for number in range(top + 1))
    array = noise(1, 1, 1, 300, 300, 1, dtype=dtype)
    path, _ = write(array, tmp_path, {"kind": "indexed", "metadata": ImageMetadata(channels=(Channel(lut=lut),))})
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        assert page.photometric == 3
        assert np.array_equal(page.colormap, np.array(lut).T * scale)
        assert np.array_equal(page.asarray(), array[0, 0, 0, ..., 0])
        assert np.array_equal(page.pages[0].asarray(), array[0, 0, 0, ::2, ::2, 0])


def test_labels_are_never_averaged(tmp_path: Path) -> None:
    array = noise(1, 1, 1, 301, 299, 1)
    path, _ = write(array, tmp_path, {"kind": "label"})
    with tifffile.TiffFile(path) as file:
        assert np.array_equal(file.pages.first.pages[0].asarray(), array[0, 0, 0, ::2, ::2, 0])


def test_half_precision_becomes_single_and_says_so(tmp_path: Path) -> None:
    array = noise(1, 1, 1, 20, 20, 1, dtype="f2")
    path, written = write(array, tmp_path)
    assert np.array_equal(tifffile.imread(path), array[0, 0, 0, ..., 0].astype("f4"))
    assert "32-bit" in written.losses[0]


def test_bits_become_bytes_of_one_significant_bit(tmp_path: Path) -> None:
    array = noise(1, 1, 1, 20, 20, 1, top=2).astype(bool)
    path, written = write(array, tmp_path)
    assert np.array_equal(tifffile.imread(path), array[0, 0, 0, ..., 0])
    with tifffile.TiffFile(path) as file:
        assert read_ome(file.ome_metadata.encode(), "").images[0].significant_bits == 1
    assert "8-bit" in written.losses[0]


@pytest.mark.parametrize(
    ("dtype", "low", "high", "written_as"), [("u8", 0, 2**32 - 1, "uint32"), ("i8", 0, 2**32 - 1, "uint32"), ("i8", -(2**31), 2**31 - 1, "int32")]
)
def test_64_bit_labels_that_fit_are_written_with_32_bits(tmp_path: Path, dtype: str, low: int, high: int, written_as: str) -> None:
    array = np.zeros((1, 1, 2, 40, 40, 1), dtype)
    array[0, 0, 0, 3, 3], array[0, 0, 1, 9, 9] = low, high
    path, written = write(array, tmp_path, {"kind": "label"})
    assert written.series[0].dtype == written_as
    assert np.array_equal(tifffile.imread(path), array[0, 0, ..., 0])


REFUSED = [
    ("labels beyond 32 bits", np.array([0, 2**33], "u8"), {"kind": "label"}, {}, UnwritableError, "8589934592"),
    ("labels on both sides of 32 bits", np.array([-1, 2**32 - 1], "i8"), {"kind": "label"}, {}, UnwritableError, "OME-Zarr"),
    ("64-bit intensities", np.array([0, 1], "i8"), {}, {}, UnwritableError, "64-bit integer"),
    ("complex numbers", np.array([0, 1], "c8"), {}, {}, UnwritableError, "complex64"),
    ("lz4", np.array([0, 1], "u1"), {}, {"compression": "lz4"}, UsageError, "lz4"),
    ("tiles that are no multiple of 16", np.array([0, 1], "u1"), {}, {"chunk": (100, 128)}, UsageError, "multiples of 16"),
    ("tiles of no size", np.array([0, 1], "u1"), {}, {"chunk": (0, 16)}, UsageError, "multiples of 16"),
    ("tiles of several planes", np.array([0, 1], "u1"), {}, {"chunk": (2, 16, 16)}, UsageError, "one plane deep"),
    ("z halved", np.array([0, 1], "u1"), {}, {"downsample_z": True}, UsageError, "z planes"),
    ("more levels than there are", np.array([0, 1], "u1"), {}, {"levels": 5}, UsageError, "at most 2"),
]


@pytest.mark.parametrize(("values", "fields", "options", "error", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_ome_tiff_cannot_hold_is_refused_before_anything_is_written(
    tmp_path: Path, values: NDArray[Any], fields: dict[str, Any], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        write(values.reshape(1, 1, 1, 1, 2, 1), tmp_path, fields, **options)
    assert list(tmp_path.iterdir()) == []


def test_white_is_zero_is_kept_raw_and_noted(tmp_path: Path) -> None:
    array = noise(1, 1, 1, 20, 20, 1, dtype="u1")
    path, _ = write(array, tmp_path, {"white_is_zero": True})
    assert np.array_equal(tifffile.imread(path), array[0, 0, 0, ..., 0])
    with tifffile.TiffFile(path) as file:
        assert "MinIsWhite" in (file.ome_metadata or "")


def test_a_file_that_may_pass_4_gib_is_a_bigtiff_and_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_big(2**32)
    assert not is_big(2**31)
    monkeypatch.setattr(ome_tiff, "MARGIN", 2**32 - 1)
    array = noise(1, 2, 2, 300, 300, 1)
    path, _ = write(array, tmp_path)
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff
        assert np.array_equal(np.stack(planes(file)), array[..., 0].reshape(4, 300, 300))
        assert file.series[0].levels[1].shape == (2, 2, 150, 150)


@pytest.mark.parametrize("compression", ["zlib", "lzw", "zstd", "none"])
def test_no_file_is_larger_than_predicted_even_of_noise(tmp_path: Path, compression: Any) -> None:
    array = np.random.default_rng(0).integers(0, 65536, (2, 1, 3, 300, 300, 1), dtype=np.uint16)
    told: list[int] = []
    original = ome_tiff.predicted_bytes

    def remember(*arguments: Any, **more: Any) -> int:
        told.append(original(*arguments, **more))
        return told[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ome_tiff, "predicted_bytes", remember)
        path, _ = write(array, tmp_path, compression=compression, chunk=(16, 16))
    assert path.stat().st_size <= told[0]


def test_no_file_is_larger_than_predicted_where_every_plane_repeats_a_palette(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (400, 1, 1, 16, 16, 1), dtype=np.uint8)
    channels = (Channel(lut=tuple((value, 255 - value, 7) for value in range(256))),)
    told: list[int] = []
    original = ome_tiff.predicted_bytes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ome_tiff, "predicted_bytes", lambda *arguments, **more: told.append(original(*arguments, **more)) or told[-1])
        path, _ = write(array, tmp_path, {"kind": "indexed", "metadata": ImageMetadata(channels=channels)}, compression="none")
    assert path.stat().st_size <= told[0]


def test_a_source_without_verification_says_that_nothing_was_verified(tmp_path: Path) -> None:
    _, written = write(noise(1, 1, 1, 20, 20, 1), tmp_path, verify=False)
    assert written.series[0].chunks_verified == 0


def test_progress_ends_with_every_byte(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write(noise(1, 2, 3, 40, 50, 1), tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2 * 3 * 40 * 50 * 2,) * 2


def test_source_metadata_ride_along(tmp_path: Path) -> None:
    image = memory_image(noise(1, 1, 1, 20, 20, 1), unit=Shape(1, 1, 1, 20, 20))
    dataset = Dataset(Location(Path("cells.czi")), "memory", (image,))
    path = tmp_path / "cells.ome.tiff"
    write_ome_tiff(image, path, dataset, WriteOptions())
    with tifffile.TiffFile(path) as file:
        assert read_ome(file.ome_metadata.encode(), "").images[0].metadata.pixel_size_x == Quantity(0.5, "µm")


def uuid_of(path: Path) -> str | None:
    with tifffile.TiffFile(path) as file:
        return read_ome(file.ome_metadata.encode(), "").uuid


def test_two_runs_at_a_fixed_time_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    image = memory_image(noise(1, 2, 2, 300, 300, 1), names=("DAPI", "GFP"))
    paths = [tmp_path / folder / name for folder, name in (("a", "cells.ome.tiff"), ("b", "cells.ome.tiff"), ("b", "other.ome.tiff"))]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        write_ome_tiff(image, path, None, WriteOptions(threads=1, chunk=(64, 64)))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert len({uuid_of(path) for path in paths}) == 2


def test_other_metadata_have_another_uuid_at_a_fixed_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    found = set()
    for name in ("DAPI", "GFP"):
        (tmp_path / name).mkdir()
        write_ome_tiff(memory_image(noise(1, 1, 1, 20, 20, 1), names=(name,)), tmp_path / name / "cells.ome.tiff", None, WriteOptions())
        found.add(uuid_of(tmp_path / name / "cells.ome.tiff"))
    assert len(found) == 2


def test_without_a_fixed_time_no_two_files_have_the_same_uuid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    first, _ = write(noise(1, 1, 1, 20, 20, 1), tmp_path)
    before = uuid_of(first)
    first.unlink()
    again, _ = write(noise(1, 1, 1, 20, 20, 1), tmp_path)
    assert before != uuid_of(again)


def test_a_finished_file_is_checked_by_another_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightmicroscopy.writers.tiff_structure import TiffStructure

    finish = TiffStructure.finish

    def damage(self: TiffStructure, directories: Any) -> int:
        return finish(self, directories[:-1])

    monkeypatch.setattr(TiffStructure, "finish", damage)
    with pytest.raises(UnwritableError, match="number of planes"):
        write(noise(1, 1, 3, 20, 20, 1), tmp_path)
    assert list(tmp_path.iterdir()) == []
