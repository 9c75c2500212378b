"""OME-Zarr on the web given to inspect, check and convert: what is fetched of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

import lm_convert
from tests.archives import Archive
from tests.archives.content.bia_images import bia_images

from .remote_inputs import BLASTOCYST, PLATE, PUBLIC, chunks, rows, run, sent
from .store_server import StoreServer
from .zarr_stores import folder, plate_store


def test_inspecting_fetches_metadata_alone(web_archive: Archive, tmp_path: Path) -> None:
    document = tmp_path / "all.json"
    assert run("lm_inspect", tmp_path, BLASTOCYST, "--json", str(document)) == 0
    (row,) = rows(tmp_path / "table.tsv")
    assert [row[name] for name in ("input", "size_x", "size_y", "size_z", "size_c", "dtype")] == ["6001240.zarr", "271", "275", "236", "2", "uint16"]
    assert json.loads(document.read_text())["inputs"][0]["url"].endswith("/idr/zarr/v0.4/idr0062A/6001240.zarr")
    assert chunks(web_archive) == 0
    assert len(web_archive.asked()) <= 12
    assert sent(web_archive) < 50_000


def test_a_picture_of_it_does_not_ask_for_the_metadata_again(web_archive: Archive, tmp_path: Path) -> None:
    assert run("lm_inspect", tmp_path, BLASTOCYST, "--preview", str(tmp_path / "p.png")) == 0
    assert 0 < chunks(web_archive) <= 6
    assert len(web_archive.asked()) - chunks(web_archive) <= 12
    asked = [one.path for one in web_archive.asked()]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("url", [BLASTOCYST, f"{PUBLIC}/idr/zarr/v0.5/idr0062A/6001240_labels.zarr"])
def test_checking_fetches_metadata_and_a_sample(web_archive: Archive, tmp_path: Path, url: str) -> None:
    assert run("lm_check", tmp_path, url) == 0
    found = {row["rule"]: row for row in rows(tmp_path / "table.tsv")}
    assert {row["severity"] for row in found.values()} == {"info"}
    assert "as a sample only" in found["ngff.chunks-missing"]["message"]
    # Of 2 × 236 planes in three levels, and as many of label maps.
    assert 0 < chunks(web_archive) <= 50
    assert len(web_archive.asked()) <= 70
    assert sent(web_archive) < 1_500_000


def test_one_plane_costs_its_own_chunks_and_is_the_plane_that_is_stored(web_archive: Archive, tmp_path: Path) -> None:
    import zarr

    assert run("lm_convert", tmp_path, BLASTOCYST, "--z", "118", "--channel", "index:1") == 0
    fetched = chunks(web_archive), len(web_archive.asked()), sent(web_archive)
    stored = zarr.open_array(f"{web_archive.base('objects')}/idr/zarr/v0.4/idr0062A/6001240.zarr/0", mode="r")
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "6001240.ome.tiff", level=0).squeeze(), stored[1, 118])
    # The plane and its label map, level 0 only: the lower levels are made.
    assert fetched[0] <= 12
    assert fetched[1] <= 24
    assert fetched[2] < 400_000


def test_a_low_level_costs_less_than_the_full_one(web_archive: Archive, tmp_path: Path) -> None:
    assert run("lm_convert", tmp_path, BLASTOCYST, "--z", "118", "--level", "2") == 0
    assert sent(web_archive) < 80_000


def test_where_it_came_from_is_recorded(web_archive: Archive, tmp_path: Path) -> None:
    assert run("lm_convert", tmp_path, BLASTOCYST, "--z", "0", "--level", "2") == 0
    with tifffile.TiffFile(tmp_path / "out" / "6001240.ome.tiff") as file:
        assert f"{web_archive.base('objects')}/idr/zarr/v0.4/idr0062A/6001240.zarr" in (file.ome_metadata or "")


def test_of_a_plate_the_fields_that_are_not_wanted_are_left_alone(web_archive: Archive, tmp_path: Path) -> None:
    assert run("lm_convert", tmp_path, PLATE, "--series", "7", "--z", "0", "--level", "4") == 0
    opened = {one.path.split("/2551.zarr/")[1].rsplit("/", 1)[0] for one in web_archive.asked() if one.path.endswith(".zarray")}
    assert {path[:5] for path in opened} == {"A/2/1"}
    # 96 wells, the eight fields up to it, and all of that one.
    assert len(web_archive.asked()) < 140


def test_a_field_that_a_plate_has_not_is_told_without_opening_any(web_archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lm_convert", tmp_path, PLATE, "--series", "576") == 2
    assert "There is no series 576. The series are numbered 0 to 575." in capsys.readouterr().err
    assert not any(one.path.endswith(".zarray") for one in web_archive.asked())
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("series", [0, 1, 2])
@pytest.mark.parametrize("lost", [False, True])
def test_a_field_has_the_number_that_it_has_among_all(web_server: StoreServer, tmp_path: Path, version: str, series: int, lost: bool) -> None:
    """Also where one that is listed before it is not there."""
    folder(plate_store(version), web_server.root / "plate.zarr")
    if lost:
        (first, *_) = sorted(path for path in (web_server.root / "plate.zarr").glob("*/*/*") if path.is_dir())
        shutil.rmtree(first)
    whole, part = tmp_path / "whole", tmp_path / "part"
    flags = ["--format", "ome-tiff", "--series", str(series), "--output"]
    code = lm_convert.main([str(web_server.root / "plate.zarr"), *flags, str(whole)])
    assert lm_convert.main([f"{web_server.url}/plate.zarr", *flags, str(part)]) == code == (2 if lost and series == 2 else 0)
    ours, theirs = ([tifffile.imread(path) for path in sorted(folder.glob("*.tiff"))] for folder in (part, whole))
    assert len(ours) == len(theirs)
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_a_region_of_an_image_of_the_bioimage_archive_is_read_by_its_address(web_archive: Archive, tmp_path: Path) -> None:
    import zarr

    image = bia_images()[0]
    place = f"bioimaging-integrator-data/{image.key}/0"
    assert run("lm_convert", tmp_path, f"{PUBLIC}/{place}", "--level", "1", "--region", "200,100,64,32") == 0
    fetched = chunks(web_archive), sent(web_archive)
    (made,) = (tmp_path / "out").glob("*.ome.tiff")
    stored = zarr.open_array(f"{web_archive.base('objects')}/{place}/1", mode="r")
    assert np.array_equal(tifffile.imread(made, level=0).squeeze(), stored[0, 0, 0, 50:66, 100:132])
    assert fetched[0] == 1
    assert fetched[1] < image.sizes[0] * image.sizes[1] / 2
