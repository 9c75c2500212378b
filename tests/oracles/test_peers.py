"""Real files that other converters get wrong, as OME-Zarr: what the table of docs/metadata-truth.md says of this suite is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from ..conftest import REALFILES
from . import stores
from .bioformats import Seen
from .conftest import VERSIONS
from .ome_values import Document, said
from .peers import ROWS
from .real import expected, in_store
from .workshop import Made, make

if TYPE_CHECKING:
    import zarr


@pytest.fixture(params=VERSIONS)
def made(request: pytest.FixtureRequest, real_zarrs: Mapping[str, Mapping[Path, Made]], known_files: Path) -> Callable[[str], Path]:
    """A function that gives the store made of a real file, in each version of OME-Zarr."""
    return lambda name: real_zarrs[request.param][known_files / name].whole().paths[0]


@pytest.fixture
def opened(made: Callable[[str], Path]) -> Callable[[str], zarr.Group]:
    """A function that gives the store made of a real file, opened by zarr-python."""
    return lambda name: stores.open_group(made(name))


def scales(root: zarr.Group, image: str = "") -> list[dict[str, list[float]]]:
    """The transformations of every level of an image."""
    described = stores.attributes(root[image] if image else root)["multiscales"][0]
    return [{one["type"]: one[one["type"]] for one in level["coordinateTransformations"]} for level in described["datasets"]]


def units(root: zarr.Group, image: str = "") -> dict[str, str | None]:
    """The units of the axes of an image."""
    return {axis["name"]: axis.get("unit") for axis in stores.attributes(root[image] if image else root)["multiscales"][0]["axes"]}


def test_every_row_of_the_table_is_a_real_file_and_tried_here(known_files: Path) -> None:
    assert [row.file for row in ROWS if not (known_files / row.file).is_file()] == []
    assert [row.file for row in ROWS if not row.ours.startswith("right")] == []


@pytest.mark.parametrize("name", [row.file for row in ROWS])
def test_every_series_and_plane_of_a_file_that_others_get_wrong_is_there(
    name: str, known_files: Path, real_seen: Mapping[Path, Seen], made: Callable[[str], Path]
) -> None:
    series = expected(known_files / name, real_seen)
    assert [one.first for one in in_store(made(name), series)] == [one.first for one in series]


@pytest.mark.parametrize("version", VERSIONS)
def test_cell_division_has_its_time_step_units_colours_windows_and_half_pixel_translations(
    version: str, known_files: Path, real_seen: Mapping[Path, Seen], tmp_path: Path
) -> None:
    path = known_files / "czi/CellDivision_T3_Z5_CH2_X240_Y170.czi"
    (store,) = make([path], tmp_path, "ome-zarr", ngff_version=version, levels=3)[path].whole().paths
    root = stores.open_group(store)
    (series,) = real_seen[path.resolve()].series
    assert units(root) == {"t": "second", "c": None, "z": "micrometer", "y": "micrometer", "x": "micrometer"}
    first, *smaller = scales(root)
    size = series.metadata["pixel_size_x_um"]
    assert first == {"scale": pytest.approx([60.075, 1, series.metadata["pixel_size_z_um"], size, size])}
    starts = series.metadata["times_s"][:: series.levels[0].z * series.levels[0].c]
    assert first["scale"][0] == pytest.approx((starts[-1] - starts[0]) / (len(starts) - 1), rel=0.01)
    shapes = [stores.by_zarr_python(root, level).shape[-2:] for level in stores.level_paths(root, "")]
    assert shapes == [(170, 240), (85, 120), (43, 60)]
    for level, shape in zip(smaller, shapes[1:], strict=True):
        factors = [large / small for large, small in zip(shapes[0], shape, strict=True)]
        assert level["scale"] == pytest.approx([*first["scale"][:3], *(size * factor for factor in factors)])
        # The centre of the first pixel, which is the mean of several, lies between theirs.
        assert level["translation"] == pytest.approx([0, 0, 0, *(size * (factor - 1) / 2 for factor in factors)])
    channels = cast("list[dict[str, Any]]", stores.attributes(root)["omero"]["channels"])
    assert [int(channel["color"], 16) for channel in channels] == [(int(colour) >> 8) & 0xFFFFFF for colour in series.metadata["channel_colours"]]
    assert [channel["label"] for channel in channels] == series.metadata["channel_names"]
    array = stores.by_zarr_python(root, stores.level_paths(root, "")[0])
    shown = [(channel["window"]["start"], channel["window"]["end"]) for channel in channels]
    assert shown == [(int(array[:, c].min()), int(array[:, c].max())) for c in range(2)]
    assert all(255 < end < 65535 for _, end in shown)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("czi/S3_1Pos_2Mosaic_T1_Z1_CH1.czi", 3),
        ("lif/PR2729_frameOrderCombinedScanTypes.lif", 4),
        ("lif/LeicaLASX_xz-plane_example.lif", 3),
        ("ometiff/gia_multiseries.ome.tiff", 6),
    ],
)
def test_every_series_has_its_micrometres_and_its_place_in_one_store(
    name: str, count: int, opened: Callable[[str], zarr.Group], real_seen: Mapping[Path, Seen]
) -> None:
    root = opened(name)
    images = stores.image_paths(root)
    assert images == [str(number) for number in range(count)]
    for image, series in zip(images, real_seen[(REALFILES / name).resolve()].series, strict=True):
        for axis, size in stores.pixel_sizes(root, image).items():
            known = series.metadata[f"pixel_size_{axis}_um"]
            assert size == (None if known is None else pytest.approx(known))


def test_cluster_has_its_time_step_and_sizes(opened: Callable[[str], zarr.Group], real_seen: Mapping[Path, Seen]) -> None:
    root = opened("nd2/cluster.nd2")
    (series,) = real_seen[(REALFILES / "nd2/cluster.nd2").resolve()].series
    assert scales(root)[0]["scale"] == pytest.approx([10.6475472, 1, *(series.metadata[f"pixel_size_{axis}_um"] for axis in "zyx")])
    assert units(root) == {"t": "second", "c": None, "z": "micrometer", "y": "micrometer", "x": "micrometer"}


def test_the_smallest_imaris_file_has_its_true_size(opened: Callable[[str], zarr.Group]) -> None:
    import h5py

    root = opened("ims/Minimal_IMS_File.ims")
    with h5py.File(REALFILES / "ims/Minimal_IMS_File.ims") as file:
        said = file["DataSetInfo/Image"].attrs
        low, high = (float(b"".join(said[name].tolist()).rstrip(b"\0")) for name in ("ExtMin0", "ExtMax0"))
    array = stores.by_zarr_python(root, stores.level_paths(root, "")[0])
    assert array.shape[-3:] == (1, 128, 128)
    assert stores.pixel_sizes(root, "")["x"] == pytest.approx((high - low) / 128)


@pytest.mark.parametrize(
    ("name", "along", "axis"), [("mini-flim-moduloC.ome.tiff", "ModuloAlongC", 1), ("mini-flim-moduloT.ome.tiff", "ModuloAlongT", 0)]
)
def test_lifetimes_are_all_there_and_told(
    name: str, along: str, axis: int, real_seen: Mapping[Path, Seen], made: Callable[[str], Path], known_files: Path
) -> None:
    path = known_files / "ometiff" / name
    documents = (real_seen[path.resolve()].ome, stores.read_bytes(made(f"ometiff/{name}"), "OME/METADATA.ome.xml"))
    before, after = (said(Document.parse(xml))["folded dimensions"] for xml in documents)
    assert before == after
    assert along in str(after)
    assert expected(path, real_seen)[0].shape[axis] == 16
