"""Every file of test-data/, read and converted by us, as Bio-Formats, zarr-python, tensorstore, ome-zarr-py and ome-zarr-models see it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import ome_types
import pytest
import tifffile
from lxml import etree

from lightmicroscopy.image import Region

from . import bioformats, stores
from .accepted import ACCEPTED, Accepted, accepted
from .bioformats import Seen, plane_crcs
from .workshop import Made, copies, crcs, differences, files_in, make, names, open_image, reference, stores_in

DATA = Path(__file__).resolve().parents[2] / "test-data"
DAMAGED = {"truncated.tif"}
UNKNOWN = {"plain.h5"}
"""Files of a kind that Bio-Formats does not read; other oracles read them in `test_hdf5`."""
FILES = [path for path in files_in(DATA) if path.name not in DAMAGED | UNKNOWN]
STORES = stores_in(DATA)
FORMS: dict[str, dict[str, Any]] = {
    "0.4 folder": {"ngff_version": "0.4"},
    "0.4 zip": {"ngff_version": "0.4", "zip": True},
    "0.5 folder": {"ngff_version": "0.5"},
    "0.5 zip": {"ngff_version": "0.5", "zip": True},
}
LEVELS = 3


@pytest.fixture(scope="module")
def originals() -> Mapping[Path, Seen]:
    """All test files as Bio-Formats sees them."""
    return bioformats.look(FILES)


@pytest.fixture(scope="module")
def as_tiff(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, Made]:
    """All test files and stores converted to OME-TIFF with three levels."""
    return make([*FILES, *STORES], tmp_path_factory.mktemp("tiff"), "ome-tiff", levels=LEVELS)


@pytest.fixture(scope="module")
def tiffs_seen(as_tiff: Mapping[Path, Made]) -> Mapping[Path, Seen]:
    """Those OME-TIFFs as Bio-Formats sees them."""
    return bioformats.look(path for made in as_tiff.values() for path in made.series)


@pytest.fixture(scope="module")
def as_zarr(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[Path, Made]]:
    """All test files and stores converted to OME-Zarr in every form, with three levels."""
    return {form: make([*FILES, *STORES], tmp_path_factory.mktemp("zarr"), "ome-zarr", levels=LEVELS, **options) for form, options in FORMS.items()}


# Reading


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_our_reader_gives_the_planes_that_bio_formats_gives(path: Path, originals: Mapping[Path, Seen]) -> None:
    seen = originals[path]
    assert seen.error is None
    with open_image(path) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [series.shape for series in seen.series]
        ours = [crcs(image) for image in dataset.images]
    equal = ours == [series.levels[0].crc for series in seen.series]
    assert equal is (accepted(path.name, "pixels") is None)


def test_bio_formats_does_not_read_the_files_it_is_not_asked_for() -> None:
    seen = bioformats.look(DATA / name for name in sorted(UNKNOWN))
    assert [path.name for path, file in seen.items() if file.error is None] == []


@pytest.mark.parametrize("path", [path for path in FILES if "pyramid" in path.name], ids=lambda path: path.name)
def test_our_reader_gives_the_smaller_levels_that_bio_formats_gives(path: Path, originals: Mapping[Path, Seen]) -> None:
    with open_image(path) as dataset:
        image = dataset.images[0]
        assert [crcs(image, level) for level in range(len(image.levels))] == [level.crc for level in originals[path].series[0].levels]


@pytest.mark.parametrize("path", STORES, ids=names(STORES))
def test_our_reader_gives_the_planes_that_zarr_python_and_tensorstore_give(path: Path) -> None:
    root = stores.open_group(path)
    images = stores.image_paths(root)
    by_tensorstore = [stores.by_tensorstore(path, stores.level_paths(root, image)[0]) for image in images]
    with open_image(path) as dataset:
        ours = [crcs(image) for image in dataset.images]
    assert ours == reference(path)
    assert ours == [plane_crcs(stores.to_planes(array, stores.axes(root, image))) for array, image in zip(by_tensorstore, images, strict=True)]


@pytest.mark.parametrize("path", [path for path in STORES if path.name.startswith("cells_")], ids=lambda path: path.name)
def test_the_cells_are_the_same_in_every_version_of_ngff_and_in_ome_tiff(path: Path, originals: Mapping[Path, Seen]) -> None:
    assert reference(path) == [originals[DATA / "cells.ome.tiff"].series[0].levels[0].crc]


# OME-TIFF


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_bio_formats_finds_every_plane_of_a_file_in_its_ome_tiff(
    path: Path, originals: Mapping[Path, Seen], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    before, after = originals[path].series, copies(as_tiff[path], tiffs_seen)
    assert [(series.shape, series.type) for series in after] == [(series.shape, series.type) for series in before]
    equal = [series.levels[0].crc for series in after] == [series.levels[0].crc for series in before]
    assert equal is (accepted(path.name, "pixels") is None)


@pytest.mark.parametrize("path", STORES, ids=names(STORES))
def test_bio_formats_finds_every_plane_of_a_store_in_its_ome_tiff(path: Path, as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]) -> None:
    assert [series.levels[0].crc for series in copies(as_tiff[path], tiffs_seen)] == reference(path)


@pytest.mark.parametrize("path", [*FILES, *STORES], ids=names([*FILES, *STORES]))
def test_bio_formats_finds_the_pyramid_in_the_ome_tiff(path: Path, as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]) -> None:
    for series in copies(as_tiff[path], tiffs_seen):
        first = series.levels[0]
        expected = [(-(-first.x // factor), -(-first.y // factor), first.z, first.c, first.t) for factor in (1, 2, 4)]
        assert [(level.x, level.y, level.z, level.c, level.t) for level in series.levels] == expected


# Fields of metadata


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_bio_formats_finds_the_metadata_of_a_file_in_its_ome_tiff_and_nothing_made_up(
    path: Path, originals: Mapping[Path, Seen], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    for before, after in zip(originals[path].series, copies(as_tiff[path], tiffs_seen), strict=True):
        unexcused = {field for field in differences(before.metadata, after.metadata) if accepted(path.name, field) is None}
        assert {field: (before.metadata[field], after.metadata[field]) for field in unexcused} == {}


@pytest.mark.parametrize("row", [row for row in ACCEPTED if row.field != "pixels"], ids=lambda row: f"{row.files} {row.field}")
def test_an_accepted_difference_of_metadata_is_really_there(
    row: Accepted, originals: Mapping[Path, Seen], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    concerned = [path for path in FILES if accepted(path.name, row.field) is row]
    assert concerned
    for path in concerned:
        pairs = zip(originals[path].series, copies(as_tiff[path], tiffs_seen), strict=True)
        assert any(row.field in differences(before.metadata, after.metadata) for before, after in pairs), path.name


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_the_ome_xml_in_a_store_says_what_bio_formats_says_of_the_source(
    path: Path, form: str, originals: Mapping[Path, Seen], as_zarr: Mapping[str, Mapping[Path, Made]]
) -> None:
    (store,) = as_zarr[form][path].whole().paths
    written = bioformats.series_metadata(stores.read_bytes(store, "OME/METADATA.ome.xml"))
    assert len(written) == len(originals[path].series)
    for before, after in zip(originals[path].series, written, strict=True):
        unexcused = {field for field in differences(before.metadata, after) if accepted(path.name, field) is None}
        if before.samples > 1:
            # NGFF has no axis for samples: they are channels there, and the OME-XML beside them has to say so.
            own = before.metadata["channel_names"]
            assert after["channel_names"] == [f"{name} {colour}" if name else colour for name in own for colour in ("Red", "Green", "Blue")]
            unexcused -= {"channel_names", "channel_colours"}
        assert {field: (before.metadata[field], after[field]) for field in unexcused} == {}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_scales_units_and_channels_in_a_store_are_those_of_the_source(
    path: Path, form: str, originals: Mapping[Path, Seen], as_zarr: Mapping[str, Mapping[Path, Made]]
) -> None:
    (store,) = as_zarr[form][path].whole().paths
    root = stores.open_group(store)
    for image, series in zip(stores.image_paths(root), originals[path].series, strict=True):
        for axis, size in stores.pixel_sizes(root, image).items():
            field = f"pixel_size_{axis}_um"
            assert size == (None if accepted(path.name, field) else series.metadata[field])
        shown = [channel.get("label") for channel in stores.attributes(root[image] if image else root)["omero"]["channels"]]
        named = series.metadata["channel_names"]
        assert series.samples > 1 or not any(named) or shown == named


@pytest.mark.parametrize("path", [*FILES, *STORES], ids=names([*FILES, *STORES]))
def test_the_ome_xml_we_write_is_valid_by_the_schema(path: Path, as_tiff: Mapping[Path, Made], as_zarr: Mapping[str, Mapping[Path, Made]]) -> None:
    documents = [tifffile.tiffcomment(tiff).encode() for tiff in as_tiff[path].whole().paths]
    documents += [stores.read_bytes(made[path].whole().paths[0], "OME/METADATA.ome.xml") for made in as_zarr.values()]
    schema = etree.XMLSchema(etree.parse(Path(ome_types.__file__).with_name("ome-2016-06.xsd")))
    for document in documents:
        schema.assertValid(etree.fromstring(document))


def test_white_is_zero_is_kept_raw_where_bio_formats_inverts_it(originals: Mapping[Path, Seen]) -> None:
    path = DATA / "white_is_zero.tif"
    with open_image(path) as dataset:
        image = dataset.images[0]
        pixels = image.levels[0].pixels.read(Region.whole(image.shape))
    assert image.white_is_zero
    assert originals[path].series[0].levels[0].crc == plane_crcs(255 - pixels)


# OME-Zarr


def expected_planes(path: Path, originals: Mapping[Path, Seen]) -> tuple[list[tuple[int, ...]], list[int]]:
    """Planes and samples of every series of a source by the oracle that reads it."""
    if path in originals and accepted(path.name, "pixels") is None:
        return [series.levels[0].crc for series in originals[path].series], [series.samples for series in originals[path].series]
    if path in originals:
        with open_image(path) as dataset:
            return [crcs(image) for image in dataset.images], [image.shape.s for image in dataset.images]
    planes = reference(path)
    return planes, [1] * len(planes)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", [*FILES, *STORES], ids=names([*FILES, *STORES]))
def test_zarr_python_and_tensorstore_find_every_plane_in_the_store(
    path: Path, form: str, originals: Mapping[Path, Seen], as_zarr: Mapping[str, Mapping[Path, Made]]
) -> None:
    (store,) = as_zarr[form][path].whole().paths
    root = stores.open_group(store)
    planes, samples = expected_planes(path, originals)
    images = stores.image_paths(root)
    assert len(images) == len(planes)
    for image, crc, count in zip(images, planes, samples, strict=True):
        first = stores.level_paths(root, image)[0]
        for array in (stores.by_zarr_python(root, first), stores.by_tensorstore(store, first)):
            assert plane_crcs(stores.to_planes(array, stores.axes(root, image), count)) == crc


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", [*FILES, *STORES], ids=names([*FILES, *STORES]))
def test_ome_zarr_models_calls_the_store_valid(path: Path, form: str, as_zarr: Mapping[str, Mapping[Path, Made]]) -> None:
    (store,) = as_zarr[form][path].whole().paths
    stores.assert_valid(store)


@pytest.mark.parametrize("form", [form for form in FORMS if "folder" in form])
@pytest.mark.parametrize("path", [*FILES, *STORES], ids=names([*FILES, *STORES]))
def test_ome_zarr_py_opens_every_image_of_the_store(path: Path, form: str, as_zarr: Mapping[str, Mapping[Path, Made]]) -> None:
    (store,) = as_zarr[form][path].whole().paths
    root = stores.open_group(store)
    for image in stores.image_paths(root):
        expected = [stores.by_zarr_python(root, level) for level in stores.level_paths(root, image)]
        found = stores.by_ome_zarr_py(store, image)
        assert len(found) == len(expected)
        assert all(np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f") for ours, theirs in zip(expected, found, strict=True))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", [*FILES, *STORES], ids=names([*FILES, *STORES]))
def test_the_levels_in_a_store_are_those_that_bio_formats_finds_in_the_ome_tiff(
    path: Path, form: str, as_zarr: Mapping[str, Mapping[Path, Made]], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    (store,) = as_zarr[form][path].whole().paths
    root = stores.open_group(store)
    for image, series in zip(stores.image_paths(root), copies(as_tiff[path], tiffs_seen), strict=True):
        arrays = [stores.by_zarr_python(root, level) for level in stores.level_paths(root, image)]
        found = [plane_crcs(stores.to_planes(array, stores.axes(root, image), series.samples)) for array in arrays]
        assert found == [level.crc for level in series.levels]


def test_each_smaller_level_is_the_mean_of_the_one_above(as_zarr: Mapping[str, Mapping[Path, Made]]) -> None:
    (store,) = as_zarr["0.4 folder"][DATA / "pyramid.ome.tiff"].whole().paths
    root = stores.open_group(store)
    levels = [stores.by_zarr_python(root, level).astype(np.float64) for level in stores.level_paths(root, "")]
    for large, small in pairwise(levels):
        height, width = (size // 2 * 2 for size in large.shape[-2:])
        even = large[..., :height, :width]
        mean = (even[..., ::2, ::2] + even[..., 1::2, ::2] + even[..., ::2, 1::2] + even[..., 1::2, 1::2]) / 4
        off = small[..., : height // 2, : width // 2] - mean
        assert np.abs(off).max() <= 0.5
        assert abs(off.mean()) < 0.02


@pytest.mark.parametrize("form", FORMS)
def test_a_label_map_stays_a_label_map_in_every_level(form: str, as_zarr: Mapping[str, Mapping[Path, Made]]) -> None:
    (store,) = as_zarr[form][DATA / "cells_04.ome.zarr"].whole().paths
    root, source = stores.open_group(store), stores.open_group(DATA / "cells_04.ome.zarr")
    before = stores.by_zarr_python(source, "labels/nuclei/0")
    levels = [stores.by_zarr_python(root, level) for level in stores.level_paths(root, "labels/nuclei")]
    assert np.array_equal(levels[0].reshape(before.shape), before)
    assert len(levels) == LEVELS
    assert all(set(np.unique(level)) <= set(np.unique(before)) for level in levels)
