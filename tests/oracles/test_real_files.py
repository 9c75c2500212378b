"""Every real file and store, read and converted: every plane as Bio-Formats, or the oracle in its place, reads it.

The files are found by listing the folder, so those added later are tried too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from .bioformats import Seen
from .conftest import VERSIONS
from .real import (
    EVERYTHING,
    FILES,
    NO_IMAGES,
    STORES,
    UNREAD,
    Expected,
    Unread,
    decided,
    each,
    expected,
    in_store,
    look_at,
    named,
    refusal,
    refused_by_all,
)
from .workshop import Made, copies, open_image


def wanted(path: Path, seen: Mapping[Path, Seen]) -> list[Expected]:
    """What the series of a file must be."""
    theirs = expected(path, seen)
    with open_image(path) as dataset:
        assert len(dataset.images) == len(theirs)
        return [decided(path, image, other) for image, other in zip(dataset.images, theirs, strict=True)]


@pytest.mark.parametrize("path", each(EVERYTHING))
def test_a_real_file_reads_as_its_oracle_reads_it_on_every_level(path: Path, real_seen: Mapping[Path, Seen]) -> None:
    if refused_by_all(path, real_seen):
        return
    series = wanted(path, real_seen)
    with open_image(path) as dataset:
        ours = [Expected.of_ours(image) for image in dataset.images]
    assert [one.first for one in ours] == [one.first for one in series]
    if path.resolve() in real_seen and real_seen[path.resolve()].error is None:
        assert [one.levels for one in ours] == [one.levels for one in series]


@pytest.mark.parametrize("path", each(EVERYTHING))
def test_bio_formats_finds_every_plane_of_a_real_file_in_its_ome_tiff(
    path: Path, real_seen: Mapping[Path, Seen], real_tiffs: Mapping[Path, Made], real_tiffs_seen: Mapping[Path, Seen]
) -> None:
    if refused_by_all(path, real_seen):
        return
    found = [Expected.of_seen(series).first for series in copies(real_tiffs[path], real_tiffs_seen)]
    assert found == [series.first for series in wanted(path, real_seen)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", each(EVERYTHING))
def test_zarr_python_finds_every_plane_of_a_real_file_in_its_ome_zarr(
    path: Path, version: str, real_seen: Mapping[Path, Seen], real_zarrs: Mapping[str, Mapping[Path, Made]]
) -> None:
    if refused_by_all(path, real_seen):
        return
    (store,) = real_zarrs[version][path].whole().paths
    series = wanted(path, real_seen)
    assert [one.first for one in in_store(store, series)] == [one.first for one in series]


@pytest.mark.parametrize("row", UNREAD, ids=lambda row: row.error)
def test_bio_formats_really_refuses_a_file_for_each_listed_reason(row: Unread, known_files: Path, real_seen: Mapping[Path, Seen]) -> None:
    assert [named(path) for path in FILES if refusal(path, real_seen[path.resolve()]) is row], f"no file in {known_files.name} is refused so"


def test_a_file_that_nobody_reads_is_told_from_one_that_only_we_refuse(test_data: Path, tmp_path: Path) -> None:
    junk, good = tmp_path / "junk.czi", test_data / "cells.ome.tiff"
    junk.write_bytes(bytes(range(256)))
    seen = look_at([junk, good])
    assert refused_by_all(junk, seen)
    assert not refused_by_all(good, seen)
    with pytest.raises(pytest.fail.Exception):
        refused_by_all(good, {good.resolve(): seen[junk.resolve()]})
    with pytest.raises(AssertionError, match="not listed"):
        expected(good, {good.resolve(): seen[junk.resolve()]})


def test_no_real_file_is_left_out(realfiles: Path) -> None:
    files = {named(path) for path in realfiles.rglob("*") if path.is_file()}
    tried = {named(path) for path in FILES} | {name for name in files for store in STORES if name.startswith(f"{named(store)}/")}
    assert {name for name in files - tried if Path(name).suffix not in NO_IMAGES} == set()
    assert tried
