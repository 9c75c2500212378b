"""Real OME-TIFF and OME-Zarr files, converted both ways: every plane as Bio-Formats or zarr-python gives it.

The files are found by listing the folder, so those added later are tried too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ..conftest import REALFILES
from . import bioformats, stores
from .accepted import ACCEPTED, Accepted, accepted
from .bioformats import Seen, plane_crcs
from .workshop import Made, copies, crcs, differences, make, open_image, reference, stores_in

ABSENT = [pytest.param(Path("absent"), marks=pytest.mark.skip(reason="the real microscope files are not part of this repository"))]
SUFFIXES = {".tif", ".tiff", ".ome", ".lsm", ".png", ".jpg", ".jpeg", ".btf", ".tf8", ".tf2"}
FILES = sorted(path for path in REALFILES.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES and ".zarr" not in str(path))
STORES = stores_in(REALFILES / "omezarr")


def each(paths: list[Path]) -> list[Any]:
    """Parameters with their names."""
    return [pytest.param(path, id=path.name) for path in paths] or ABSENT


@pytest.fixture(scope="module")
def originals() -> Mapping[Path, Seen]:
    """All real files as Bio-Formats sees them."""
    return bioformats.look(FILES)


@pytest.fixture(scope="module")
def as_tiff(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, Made]:
    """All real files and stores as OME-TIFF."""
    return make([*FILES, *STORES], tmp_path_factory.mktemp("tiff"), "ome-tiff")


@pytest.fixture(scope="module")
def tiffs_seen(as_tiff: Mapping[Path, Made]) -> Mapping[Path, Seen]:
    """Those OME-TIFFs as Bio-Formats sees them."""
    return bioformats.look(path for made in as_tiff.values() for path in made.series)


@pytest.fixture(scope="module", params=["0.4", "0.5"])
def as_zarr(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, Made]:
    """All real files and stores as OME-Zarr."""
    return make([*FILES, *STORES], tmp_path_factory.mktemp("zarr"), "ome-zarr", ngff_version=request.param)


@pytest.mark.parametrize("path", each(FILES))
def test_a_real_file_reads_as_bio_formats_reads_it(path: Path, originals: Mapping[Path, Seen]) -> None:
    seen = originals[path.resolve()]
    assert seen.error is None
    with open_image(path) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [series.shape for series in seen.series]
        assert [crcs(image) for image in dataset.images] == [series.levels[0].crc for series in seen.series]


@pytest.mark.parametrize("path", each(FILES))
def test_a_real_file_keeps_every_plane_and_field_as_ome_tiff(
    path: Path, originals: Mapping[Path, Seen], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    seen = originals[path.resolve()]
    assert seen.error is None
    after = copies(as_tiff[path], tiffs_seen)
    assert [(series.shape, series.type) for series in after] == [(series.shape, series.type) for series in seen.series]
    assert [series.levels[0].crc for series in after] == [series.levels[0].crc for series in seen.series]
    for old, new in zip(seen.series, after, strict=True):
        unexcused = {field for field in differences(old.metadata, new.metadata) if accepted(path.name, field) is None}
        assert {field: (old.metadata[field], new.metadata[field]) for field in unexcused} == {}


@pytest.mark.parametrize("row", [row for row in ACCEPTED if row.real], ids=lambda row: f"{row.files} {row.field}")
def test_an_accepted_difference_of_real_files_is_really_there(
    row: Accepted, realfiles: Path, originals: Mapping[Path, Seen], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    concerned = [path for path in FILES if accepted(path.name, row.field) is row]
    assert concerned, f"no file in {realfiles.name} matches {row.files}"
    for path in concerned:
        pairs = zip(originals[path.resolve()].series, copies(as_tiff[path], tiffs_seen), strict=True)
        assert any(row.field in differences(before.metadata, after.metadata) for before, after in pairs), path.name


@pytest.mark.parametrize("path", each(STORES))
def test_a_real_store_keeps_every_plane_as_ome_tiff(path: Path, as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]) -> None:
    assert [series.levels[0].crc for series in copies(as_tiff[path], tiffs_seen)] == reference(path)


@pytest.mark.parametrize("path", each([*FILES, *STORES]))
def test_a_real_file_or_store_keeps_every_plane_as_ome_zarr(path: Path, originals: Mapping[Path, Seen], as_zarr: Mapping[Path, Made]) -> None:
    (store,) = as_zarr[path].whole().paths
    stores.assert_valid(store)
    if path in STORES:
        expected = [(crc, 1) for crc in reference(path)]
    else:
        seen = originals[path.resolve()]
        assert seen.error is None
        expected = [(series.levels[0].crc, series.samples) for series in seen.series]
    root = stores.open_group(store)
    images = stores.image_paths(root)
    assert len(images) == len(expected)
    for image, (crc, samples) in zip(images, expected, strict=True):
        array = stores.by_zarr_python(root, stores.level_paths(root, image)[0])
        assert plane_crcs(stores.to_planes(array, stores.axes(root, image), samples)) == crc
