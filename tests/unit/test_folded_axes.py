"""Axes OME does not have are folded into T, C or Z, plane by plane in the right order, and the OME-XML says how."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray
from ome_zarr_models.v04.image import Image as ImageModel

from lightmicroscopy import readers
from lightmicroscopy.convert import Format, Request, convert
from lightmicroscopy.errors import UnreadableError, UsageError
from lightmicroscopy.image import Dataset, Image, ImageMetadata, Location, Modulo, Quantity, Region, Shape
from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.zarr_json import array_files, array_metadata
from lightmicroscopy.selection import Selection, select
from lightmicroscopy.writers.ome_zarr import write_ome_zarr
from lightmicroscopy.writers.options import WriteOptions

from .memory_image import memory_image
from .zarr_stores import Files, edited, folder, group, pixels_of

SIZES = {"t": 2, "c": 3, "z": 2, "y": 5, "x": 7, "lifetime": 4, "lambda": 3, "angle": 2, "phase": 3, "q": 2, "polarisation": 2}
TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def store(
    axes: Sequence[str], chunks: Sequence[int] | None = None, types: dict[str, str] | None = None, **multiscale: Any
) -> tuple[Files, NDArray[Any]]:
    """Write an OME-Zarr 0.4 of one level whose pixels are all different."""
    shape = [SIZES[axis] for axis in axes]
    stored = np.arange(np.prod(shape), dtype="uint16").reshape(shape)
    named = [{"name": axis, "type": (types or {}).get(axis, TYPES.get(axis, "custom"))} for axis in axes]
    block = {"version": "0.4", "axes": named, "datasets": [{"path": "0"}], **multiscale}
    chunk = tuple(chunks or [min(2, size) if size > 3 else 1 for size in shape])
    files = group("", {"multiscales": [block]}, "0.4")
    files |= {f"0/{name}": data for name, data in array_files(array_metadata(shape, chunk, stored.dtype, "0.4", compression="none")).items()}
    for index in np.ndindex(*(-(-size // extent) for size, extent in zip(shape, chunk, strict=True))):
        part = stored[tuple(slice(at * extent, (at + 1) * extent) for at, extent in zip(index, chunk, strict=True))]
        padded = np.zeros(chunk, stored.dtype)
        padded[tuple(map(slice, part.shape))] = part
        files["0/" + "/".join(map(str, index))] = padded.tobytes()
    return files, stored


def expected(stored: NDArray[Any], axes: Sequence[str], **folded: str) -> NDArray[Any]:
    """Fold by numpy: `folded` says for t, c, z which axis goes into it, itself counted fastest."""
    order = [name for axis in "tczyx" for name in (axis, folded.get(axis)) if name]
    full = stored.transpose([axes.index(name) for name in order if name in axes])
    shape = [SIZES[name] if name in axes else 1 for name in order]
    sizes = [(SIZES[axis] if axis in axes else 1) * (SIZES[folded[axis]] if axis in folded else 1) for axis in "tczyx"]
    return full.reshape(shape).reshape(sizes)


def opened(files: Files, path: Path) -> Dataset:
    return readers.open(Location(folder(files, path)))


def as_read(path: Path) -> NDArray[Any]:
    with readers.open(Location(path)) as dataset:
        return pixels_of(dataset.images[0])


CASES = [
    (("t", "lifetime", "z", "y", "x"), {"t": "lifetime"}),
    (("lifetime", "t", "c", "z", "y", "x"), {"t": "lifetime"}),
    (("lifetime", "y", "x"), {"t": "lifetime"}),
    (("t", "c", "lambda", "y", "x"), {"c": "lambda"}),
    (("lambda", "z", "c", "y", "x", "t"), {"c": "lambda"}),
    (("z", "lambda", "y", "x"), {"c": "lambda"}),
    (("y", "x", "lambda"), {"c": "lambda"}),
    (("t", "angle", "z", "c", "y", "x"), {"z": "angle"}),
    (("angle", "y", "x"), {"z": "angle"}),
    (("t", "phase", "c", "z", "y", "x"), {"t": "phase"}),
    (("t", "q", "c", "z", "y", "x"), {"t": "q"}),
    (("phase", "lifetime", "t", "c", "z", "y", "x"), {"t": "phase", "c": "lifetime"}),
    (("q", "c", "lifetime", "t", "y", "x"), {"t": "lifetime", "c": "q"}),
    (("c", "lambda", "angle", "t", "z", "phase", "y", "x"), {"c": "lambda", "z": "angle", "t": "phase"}),
]


@pytest.mark.parametrize(("axes", "folded"), CASES, ids=[" ".join(axes) for axes, _ in CASES])
def test_every_plane_is_where_numpy_says(tmp_path: Path, axes: tuple[str, ...], folded: dict[str, str]) -> None:
    files, stored = store(axes)
    with opened(files, tmp_path) as dataset:
        (image,) = dataset.images
        assert np.array_equal(pixels_of(image), expected(stored, axes, **folded))
        assert {(modulo.along.lower(), modulo.description) for modulo in image.metadata.modulo} == set(folded.items())
        for along, name in folded.items():
            assert any(f"axis '{name}' of {SIZES[name]}" in warning and f"into {along.upper()}" in warning for warning in image.warnings)


@pytest.mark.parametrize("chunks", [(1, 1, 1, 1, 5, 7), (2, 4, 3, 2, 5, 7), (1, 2, 1, 1, 2, 3), (1, 3, 1, 2, 5, 7), (2, 1, 1, 1, 5, 7)])
def test_any_box_is_the_same_box_of_the_whole(tmp_path: Path, chunks: tuple[int, ...]) -> None:
    axes = ("t", "lifetime", "lambda", "angle", "y", "x")
    files, stored = store(axes, chunks)
    whole = expected(stored, axes, t="lifetime", c="lambda", z="angle")
    with opened(files, tmp_path) as dataset:
        source = dataset.images[0].levels[0].pixels
        for start in range(8):
            for stop in range(start + 1, 9):
                found = source.read(Region((start, stop), (1, 3), (0, 2), (1, 4), (2, 7)))
                assert np.array_equal(found[..., 0], whole[start:stop, 1:3, 0:2, 1:4, 2:7])
        for outside in ((0, 9), (8, 9), (3, 3)):
            with pytest.raises(ValueError, match="not inside"):
                source.read(Region(outside, (0, 1), (0, 1), (0, 1), (0, 1)))


@pytest.mark.parametrize(
    ("chunks", "unit"),
    [
        ((1, 1, 1, 5, 7), 1),
        ((1, 2, 1, 5, 7), 2),
        ((1, 4, 1, 5, 7), 4),
        ((2, 4, 1, 5, 7), 8),
        ((2, 1, 1, 5, 7), 8),  # a chunk holds planes that do not follow one another
        ((1, 3, 1, 5, 7), 4),  # chunks do not end where the axis does
    ],
)
def test_reading_in_units_decodes_no_chunk_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: tuple[int, ...], unit: int) -> None:
    from lightmicroscopy.readers.zarr_source import ZarrArray

    files, _ = store(("t", "lifetime", "z", "y", "x"), chunks)
    decoded: list[tuple[int, ...]] = []
    chunk = ZarrArray.chunk

    def noted(array: ZarrArray, index: tuple[int, ...]) -> Any:
        decoded.append(index)
        return chunk(array, index)

    with opened(files, tmp_path) as dataset:
        source = dataset.images[0].levels[0].pixels
        assert source.unit.t == unit
        monkeypatch.setattr(ZarrArray, "chunk", noted)
        for start in range(0, source.shape.t, unit):
            source.read(Region((start, start + unit), (0, 1), (0, 2), (0, 5), (0, 7)))
    assert len(decoded) == len(set(decoded))


def test_what_is_folded_can_be_selected(tmp_path: Path) -> None:
    axes = ("t", "lifetime", "c", "lambda", "y", "x")
    files, stored = store(axes)
    whole = expected(stored, axes, t="lifetime", c="lambda")
    with opened(files, tmp_path) as dataset:
        (image,) = dataset.images
        assert np.array_equal(pixels_of(select(image, Selection(t="3:6"))), whole[3:6])
        assert np.array_equal(pixels_of(select(image, Selection(channels=("index:7", "index:2")))), whole[:, [7, 2]])
        both = select(image, Selection(t="5", channels=("index:4",)))
        assert np.array_equal(pixels_of(both), whole[5:6, 4:5])
        assert both.metadata.modulo == ()
        assert [modulo.along for modulo in select(image, Selection(t="0")).metadata.modulo] == ["C"]
        with pytest.raises(UsageError, match="t 0 to 7"):
            select(image, Selection(t="8"))


def test_channels_are_named_with_the_step_of_what_is_folded_into_them(tmp_path: Path) -> None:
    axes = ("c", "lambda", "y", "x")
    files, stored = store(axes)
    three = edited(files, ".zattrs", lambda value: value.update(omero={"channels": [{"label": name} for name in ("DAPI", "GFP", "RFP")]}))
    whole = expected(stored, axes, c="lambda")
    with opened(three, tmp_path / "three") as dataset:
        (image,) = dataset.images
        assert [channel.name for channel in image.metadata.channels][2:5] == ["DAPI lambda 2", "GFP lambda 0", "GFP lambda 1"]
        assert not any("omero" in warning for warning in image.warnings)
        assert np.array_equal(pixels_of(select(image, Selection(channels=("GFP lambda 1",)))), whole[:, 4:5])
    nine = edited(files, ".zattrs", lambda value: value.update(omero={"channels": [{"label": str(number)} for number in range(9)]}))
    with opened(nine, tmp_path / "nine") as dataset:
        assert [channel.name for channel in dataset.images[0].metadata.channels] == [str(number) for number in range(9)]
    four = edited(files, ".zattrs", lambda value: value.update(omero={"channels": [{"label": str(number)} for number in range(4)]}))
    with opened(four, tmp_path / "four") as dataset:
        assert any("describes 4 channels, but it has 9" in warning for warning in dataset.images[0].warnings)


def test_the_values_along_the_axis_are_in_the_annotation(tmp_path: Path) -> None:
    scaled = [{"type": "scale", "scale": [3.0, 50.0, 0.5, 0.5]}, {"type": "translation", "translation": [0.0, 100.0, 0.0, 0.0]}]
    files, _ = store(("t", "lifetime", "y", "x"), datasets=[{"path": "0", "coordinateTransformations": scaled}])

    def units(value: Any) -> None:
        for axis, unit in zip(value["multiscales"][0]["axes"], ("second", "picosecond", "micrometer", "micrometer"), strict=True):
            axis["unit"] = unit

    with opened(edited(files, ".zattrs", units), tmp_path / "known") as dataset:
        metadata = dataset.images[0].metadata
        assert metadata.modulo == (Modulo("T", "lifetime", 100.0, 250.0, 50.0, "picosecond", description="lifetime"),)
        assert (metadata.time_increment_s, metadata.pixel_size_x) == (3.0, Quantity(0.5, "µm"))
        assert not any("translation" in warning for warning in dataset.images[0].warnings)
    with opened(files, tmp_path / "unknown") as dataset:
        assert dataset.images[0].metadata.modulo == (Modulo("T", "lifetime", 0.0, 3.0, 1.0, description="lifetime"),)


@pytest.mark.parametrize("wanted", ["ome-tiff", "ome-zarr"])
@pytest.mark.parametrize(("axes", "folded"), [CASES[1], CASES[4], CASES[7]], ids=["lifetime", "lambda", "angle"])
def test_pixels_and_annotation_survive_a_conversion(tmp_path: Path, wanted: Format, axes: tuple[str, ...], folded: dict[str, str]) -> None:
    files, stored = store(axes)
    path = folder(files, tmp_path / "in.ome.zarr")
    conversion = convert(Location(path), tmp_path / "out", Request(wanted))
    conversion.dataset.close()
    (out,) = conversion.paths
    whole = expected(stored, axes, **folded)
    assert np.array_equal(as_read(out), whole)
    with readers.open(Location(out)) as dataset, readers.open(Location(path)) as before:
        assert dataset.images[0].metadata.modulo == before.images[0].metadata.modulo
    assert any("Modulo" in warning for outcome in conversion.outcomes for warning in outcome.warnings)
    if wanted == "ome-zarr":
        ImageModel.from_zarr(zarr.open_group(out, mode="r"))


@pytest.mark.parametrize(("axes", "folded"), [CASES[1], CASES[4], CASES[7], CASES[13]], ids=["lifetime", "lambda", "angle", "all"])
def test_tifffile_unfolds_what_was_folded(tmp_path: Path, axes: tuple[str, ...], folded: dict[str, str]) -> None:
    """An independent reader of Modulo annotations finds the axes again, in the order we meant."""
    files, stored = store(axes)
    conversion = convert(Location(folder(files, tmp_path / "in.ome.zarr")), tmp_path, Request("ome-tiff", options=WriteOptions(levels=1)))
    conversion.dataset.close()
    with tifffile.TiffFile(conversion.paths[0]) as tiff:
        found = tiff.series[0].asarray(squeeze=False)
        shape = tiff.series[0].get_shape(squeeze=False)
    order = [name for axis in "tczyx" for name in (axis, folded.get(axis)) if name]
    sizes = tuple(SIZES[name] if name in axes else 1 for name in order)
    assert tuple(size for size in shape if size > 1) == tuple(size for size in sizes if size > 1)
    assert np.array_equal(found.reshape(sizes), expected(stored, axes, **folded).reshape(sizes))


def test_of_two_channel_axes_the_one_called_c_is_the_channel(tmp_path: Path) -> None:
    axes = ("polarisation", "c", "y", "x")
    files, stored = store(axes, types={"polarisation": "channel"})
    with opened(files, tmp_path) as dataset:
        (image,) = dataset.images
        assert np.array_equal(pixels_of(image), expected(stored, axes, c="polarisation"))
        assert image.metadata.modulo == (Modulo("C", "other", 0.0, 1.0, 1.0, description="polarisation"),)
        assert image.axes == "QCYX"


def test_an_only_channel_axis_needs_no_folding_whatever_its_name(tmp_path: Path) -> None:
    files, stored = store(("polarisation", "y", "x"), types={"polarisation": "channel"})
    with opened(files, tmp_path) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), stored[None, :, None])
        assert dataset.images[0].metadata.modulo == ()


def test_lifetimes_called_time_are_no_time_points(tmp_path: Path) -> None:
    axes = ("lifetime", "y", "x")
    files, stored = store(axes, types={"lifetime": "time"})
    with opened(files, tmp_path) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), expected(stored, axes, t="lifetime"))
        assert dataset.images[0].metadata.time_increment_s is None
        assert dataset.images[0].metadata.modulo[0].type == "lifetime"


@pytest.mark.parametrize(
    ("axes", "types", "words"),
    [
        (("t", "q", "z", "y", "x"), {"q": "space"}, "axis called 'q' of 2 in space"),
        (("lambda", "z", "y", "x"), {"lambda": "space"}, "axis called 'lambda' of 3 in space"),
        (("lambda", "lambda", "y", "x"), {}, "axes lambda, lambda, y, x; each may be there once"),
        (("lambda", "y", "t"), {}, "y and x must be"),
        (("lambda", "angle", "phase", "q", "y", "x"), {}, "'lambda', 'angle', 'phase', 'q'.*at most three"),
    ],
)
def test_what_cannot_be_folded_is_refused_with_a_sentence(tmp_path: Path, axes: tuple[str, ...], types: dict[str, str], words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        opened(store(axes, types=types)[0], tmp_path)


@pytest.mark.parametrize("name", [None, 7, "", {}])
def test_an_axis_without_a_name_is_refused(tmp_path: Path, name: object) -> None:
    files, _ = store(("q", "y", "x"))
    with pytest.raises(UnreadableError, match="Name that axis"):
        opened(edited(files, ".zattrs", lambda value: value["multiscales"][0]["axes"][0].update(name=name)), tmp_path)


def test_axes_and_dimensions_that_differ_in_number_are_refused(tmp_path: Path) -> None:
    files, _ = store(("q", "y", "x"))
    with pytest.raises(UnreadableError, match="2 axes, but its array has 3 dimensions"):
        opened(edited(files, ".zattrs", lambda value: value["multiscales"][0]["axes"].pop(0)), tmp_path)


def test_a_level_with_fewer_angles_is_left_out(tmp_path: Path) -> None:
    axes = ("angle", "z", "y", "x")
    files, stored = store(axes)
    shape = (1, 2, 5, 7)
    files |= {f"1/{name}": data for name, data in array_files(array_metadata(shape, shape, stored.dtype, "0.4", compression="none")).items()}
    files["1/0/0/0/0"] = stored[:1].tobytes()
    files = edited(files, ".zattrs", lambda value: value["multiscales"][0]["datasets"].append({"path": "1"}))
    with opened(files, tmp_path) as dataset:
        assert len(dataset.images[0].levels) == 1
        assert any("resolution level 1 has another size than the largest along an axis" in warning for warning in dataset.images[0].warnings)


def test_a_time_step_is_not_claimed_between_phases(tmp_path: Path) -> None:
    """In NGFF neighbouring indexes of a folded axis have no one distance; OME-XML keeps the step of what was not folded."""
    metadata = ImageMetadata(
        pixel_size_z=Quantity(2.0, "µm"), time_increment_s=3.0, modulo=(Modulo("T", "phase", 0, 1, 1), Modulo("Z", "angle", 0, 1, 1))
    )
    image: Image = memory_image(np.zeros((4, 1, 4, 8, 8, 1), "uint8"), metadata=metadata)
    path = write_ome_zarr(Dataset(Location(Path("x")), "memory", (image,)), tmp_path / "a.ome.zarr", WriteOptions(downsample_z=True, levels=2)).path
    (multiscale,) = json.loads((path / ".zattrs").read_bytes())["multiscales"]
    assert multiscale["datasets"][0]["coordinateTransformations"][0]["scale"][:3] == [1.0, 1.0, 1.0]
    assert all("unit" not in axis for axis in multiscale["axes"][:3])
    with readers.open(Location(path)) as dataset:
        assert dataset.images[0].metadata.time_increment_s == 3.0
        assert dataset.images[0].metadata.pixel_size_z == Quantity(2.0, "µm")
        # Planes of two angles are never averaged.
        assert [level.pixels.shape for level in dataset.images[0].levels] == [Shape(4, 1, 4, 8, 8), Shape(4, 1, 4, 4, 4)]


def test_the_check_names_the_axis_and_asks_for_no_step_along_it(tmp_path: Path) -> None:
    files, _ = store(("t", "lifetime", "z", "y", "x"))
    report = check([folder(files, tmp_path / "a.ome.zarr")])
    said = [finding.message for finding in report.findings if finding.rule.startswith("ngff.")]
    assert any("calls an axis “lifetime”" in message for message in said)
    assert not any("order" in message or "along t" in message.lower() for message in said)
