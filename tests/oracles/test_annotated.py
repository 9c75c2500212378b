"""Annotated copies of OME-TIFF as Bio-Formats and tifffile see them: every plane the same, and the new values there."""

from __future__ import annotations

from pathlib import Path

import pytest
import tifffile

from lightmicroscopy.convert import Request, convert
from lightmicroscopy.image import Location
from lightmicroscopy.metadata.changes import SeriesChanges

from ..unit.annotations import annotated, differences, document, made
from . import bioformats
from .bioformats import Seen

DATA = Path(__file__).resolve().parents[2] / "test-data"
SINGLE = ["big_endian.ome.tiff", "cells.ome.tiff", "float.ome.tiff", "pyramid.ome.tiff", "rgb.ome.tiff", "stack_copy.ome.tiff", "two_series.ome.tiff"]
SET = ["multifile.companion.ome", "multifile_z0.ome.tiff", "multifile_z1.ome.tiff", "multifile_z2.ome.tiff"]
LONG = SeriesChanges(description="µ" * 40_000)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Seen, Seen, Seen]]:
    """Each original, its copy with everything set, and its copy with a description that no reserved room holds."""
    folder = tmp_path_factory.mktemp("annotated")
    sources = [DATA / name for name in SINGLE]
    with convert(Location(DATA / "cells.ome.tiff"), folder / "ours", Request("ome-tiff", name="ours")).dataset:
        sources.append(next((folder / "ours").iterdir()))
    members = [DATA / name for name in SET]
    for number, changes in enumerate((None, LONG)):
        for source in sources:
            made(folder / str(number), source, changes=changes)
        assert {outcome.status for outcome in annotated(folder / str(number), *members, changes=changes)} == {"done"}
    # Bio-Formats opens a set by its companion file.
    wanted = [*sources, members[0]]
    found = bioformats.look([*wanted, *(folder / str(number) / path.name for number in range(2) for path in wanted)])
    return {path.name: (found[path.resolve()], *(found[(folder / str(number) / path.name).resolve()] for number in range(2))) for path in wanted}


@pytest.mark.parametrize("name", [*SINGLE, "ours.ome.tiff", SET[0]])
def test_bio_formats_finds_every_plane_of_every_level_unchanged(seen: dict[str, tuple[Seen, Seen, Seen]], name: str) -> None:
    original, full, long = seen[name]
    assert [item.error for item in seen[name]] == [None] * 3
    for copy in (full, long):
        assert [(series.type, series.order, series.levels) for series in copy.series] == [
            (series.type, series.order, series.levels) for series in original.series
        ]


@pytest.mark.parametrize("name", [*SINGLE, "ours.ome.tiff", SET[0]])
def test_bio_formats_reads_what_was_set(seen: dict[str, tuple[Seen, Seen, Seen]], name: str) -> None:
    for series in seen[name][1].series:
        found = series.metadata
        assert (found["name"], found["description"]) == ("Æ 1", "HeLa cells, 37 °C")
        assert (found["pixel_size_x_um"], found["pixel_size_y_um"], found["pixel_size_z_um"], found["time_increment_s"]) == (0.5, 0.25, 2, 3)
        assert (found["channel_names"][0], found["channel_emissions"][0], found["magnification"]) == ("channel 0", 525.5, 40)
    assert b"openmicroscopy.org/mapr/organism" in seen[name][1].ome
    assert b"Plan 40x/1.2" in seen[name][1].ome


@pytest.mark.parametrize("name", [*SINGLE, "ours.ome.tiff", SET[0]])
def test_bio_formats_finds_all_else_as_it_was(seen: dict[str, tuple[Seen, Seen, Seen]], name: str) -> None:
    original, _, long = seen[name]
    for before, after in zip(original.series, long.series, strict=True):
        assert after.metadata.pop("description") == "µ" * 40_000
        assert after.metadata == {field: value for field, value in before.metadata.items() if field != "description"}


@pytest.mark.parametrize("name", SINGLE)
def test_tifffile_finds_the_description_and_every_series(tmp_path: Path, name: str) -> None:
    with tifffile.TiffFile(DATA / name) as before, tifffile.TiffFile(made(tmp_path, DATA / name)) as after:
        assert after.is_ome
        assert [(one.shape, one.dtype, one.axes, len(one.levels)) for one in after.series] == [
            (one.shape, one.dtype, one.axes, len(one.levels)) for one in before.series
        ]
        for one, other in zip(before.series, after.series, strict=True):
            assert one.asarray().tobytes() == other.asarray().tobytes()


def test_real_files_of_other_writers_keep_every_plane_and_field(realfiles: Path, tmp_path: Path) -> None:
    meant = ("name", "description", "pixel size", "time increment", "channel ", "objective ", "annotation openmicroscopy.org/mapr/organism")
    tiffs = [path for path in sorted((realfiles / "ometiff").rglob("*.tif*")) if ".ome." in path.name and not path.name.startswith("multifile")]
    stores = sorted((realfiles / "omezarr").rglob("*.zarr"))
    copies = {source: made(tmp_path / str(number), source) for number, source in enumerate((*tiffs, *stores))}
    assert tiffs
    assert stores
    for source, copy in copies.items():
        assert [what for what in differences(source, copy) if not what.startswith(meant)] == [], source.name
        document(copy)
    seen = bioformats.look(path for source in tiffs for path in (source, copies[source]))
    for source in tiffs:
        before, after = seen[source.resolve()], seen[copies[source].resolve()]
        assert after.error is None
        assert [series.levels for series in after.series] == [series.levels for series in before.series], source.name
