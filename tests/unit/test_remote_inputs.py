"""OME-Zarr on the web given to inspect, check, convert and compare: what is fetched, what comes of it, what is refused."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import lm_check
import lm_compare
import lm_convert
import lm_inspect
from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.store_addresses import store_address
from lightmicroscopy.errors import NotAllowedError, UsageError
from lightmicroscopy.inputs import Address, Web, addresses, location_of, names_of, only_given
from lightmicroscopy.readers.prefetch import MEMORY, share_of
from lightmicroscopy.words import path_or_address
from tests.archives import Archive

from .store_server import StoreServer, serving
from .zarr_stores import SHAPE, folder, image_store, plate_store, waves

PUBLIC = "https://livingobjects.ebi.ac.uk"
BLASTOCYST = f"{PUBLIC}/idr/zarr/v0.4/idr0062A/6001240.zarr"
PLATE = f"{PUBLIC}/idr/zarr/v0.4/idr0001A/2551.zarr"
MAIN: dict[str, Callable[[list[str]], int]] = {"lm_inspect": lm_inspect.main, "lm_check": lm_check.main, "lm_convert": lm_convert.main}


@pytest.fixture(scope="module")
def running() -> Iterator[Archive]:
    with Archive() as archive:
        yield archive


@pytest.fixture
def archive(running: Archive, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """The sample archive, which nobody has asked anything."""
    monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps(running.endpoints))
    running.log.clear()
    return running


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreServer]:
    """A web server that the administrator has added."""
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as made:
        monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps({"allowed_hosts": [made.url]}))
        yield made


def chunks(archive: Archive) -> int:
    return sum(one.path.rpartition("/")[2].isdigit() for one in archive.asked())


def sent(archive: Archive) -> int:
    return sum(one.sent for one in archive.asked())


def run(tool: str, tmp_path: Path, *words: str) -> int:
    output = ["--output", str(tmp_path / "out"), "--format", "ome-tiff"] if tool == "lm_convert" else ["--table", str(tmp_path / "table.tsv")]
    return MAIN[tool]([*words, *output])


def rows(path: Path) -> list[dict[str, str]]:
    head, *lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


# --- what is fetched


def test_inspecting_fetches_metadata_alone(archive: Archive, tmp_path: Path) -> None:
    document = tmp_path / "all.json"
    assert run("lm_inspect", tmp_path, BLASTOCYST, "--json", str(document)) == 0
    (row,) = rows(tmp_path / "table.tsv")
    assert [row[name] for name in ("input", "size_x", "size_y", "size_z", "size_c", "dtype")] == ["6001240.zarr", "271", "275", "236", "2", "uint16"]
    assert json.loads(document.read_text())["inputs"][0]["url"].endswith("/idr/zarr/v0.4/idr0062A/6001240.zarr")
    assert chunks(archive) == 0
    assert len(archive.asked()) <= 12
    assert sent(archive) < 50_000


def test_a_picture_of_it_does_not_ask_for_the_metadata_again(archive: Archive, tmp_path: Path) -> None:
    assert run("lm_inspect", tmp_path, BLASTOCYST, "--preview", str(tmp_path / "p.png")) == 0
    assert 0 < chunks(archive) <= 6
    assert len(archive.asked()) - chunks(archive) <= 12
    asked = [one.path for one in archive.asked()]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("url", [BLASTOCYST, f"{PUBLIC}/idr/zarr/v0.5/idr0062A/6001240_labels.zarr"])
def test_checking_fetches_metadata_and_a_sample(archive: Archive, tmp_path: Path, url: str) -> None:
    assert run("lm_check", tmp_path, url) == 0
    found = {row["rule"]: row for row in rows(tmp_path / "table.tsv")}
    assert {row["severity"] for row in found.values()} == {"info"}
    assert "as a sample only" in found["ngff.chunks-missing"]["message"]
    # Of 2 × 236 planes in three levels, and as many of label maps.
    assert 0 < chunks(archive) <= 50
    assert len(archive.asked()) <= 70
    assert sent(archive) < 1_500_000


def test_one_plane_costs_its_own_chunks_and_is_the_plane_that_is_stored(archive: Archive, tmp_path: Path) -> None:
    import zarr

    assert run("lm_convert", tmp_path, BLASTOCYST, "--z", "118", "--channel", "index:1") == 0
    fetched = chunks(archive), len(archive.asked()), sent(archive)
    stored = zarr.open_array(f"{archive.base('objects')}/idr/zarr/v0.4/idr0062A/6001240.zarr/0", mode="r")
    assert np.array_equal(tifffile.imread(tmp_path / "out" / "6001240.ome.tiff", level=0).squeeze(), stored[1, 118])
    # The plane and its label map, level 0 only: the lower levels are made.
    assert fetched[0] <= 12
    assert fetched[1] <= 24
    assert fetched[2] < 400_000


def test_a_low_level_costs_less_than_the_full_one(archive: Archive, tmp_path: Path) -> None:
    assert run("lm_convert", tmp_path, BLASTOCYST, "--z", "118", "--level", "2") == 0
    assert sent(archive) < 80_000


def test_where_it_came_from_is_recorded(archive: Archive, tmp_path: Path) -> None:
    assert run("lm_convert", tmp_path, BLASTOCYST, "--z", "0", "--level", "2") == 0
    with tifffile.TiffFile(tmp_path / "out" / "6001240.ome.tiff") as file:
        assert f"{archive.base('objects')}/idr/zarr/v0.4/idr0062A/6001240.zarr" in (file.ome_metadata or "")


def test_of_a_plate_the_fields_that_are_not_wanted_are_left_alone(archive: Archive, tmp_path: Path) -> None:
    assert run("lm_convert", tmp_path, PLATE, "--series", "7", "--z", "0", "--level", "4") == 0
    opened = {one.path.split("/2551.zarr/")[1].rsplit("/", 1)[0] for one in archive.asked() if one.path.endswith(".zarray")}
    assert {path[:5] for path in opened} == {"A/2/1"}
    # 96 wells, the eight fields up to it, and all of that one.
    assert len(archive.asked()) < 140


def test_a_field_that_a_plate_has_not_is_told_without_opening_any(archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lm_convert", tmp_path, PLATE, "--series", "576") == 2
    assert "There is no series 576. The series are numbered 0 to 575." in capsys.readouterr().err
    assert not any(one.path.endswith(".zarray") for one in archive.asked())
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("series", [0, 1, 2])
@pytest.mark.parametrize("lost", [False, True])
def test_a_field_has_the_number_that_it_has_among_all(server: StoreServer, tmp_path: Path, version: str, series: int, lost: bool) -> None:
    """Also where one that is listed before it is not there."""
    folder(plate_store(version), server.root / "plate.zarr")
    if lost:
        (first, *_) = sorted(path for path in (server.root / "plate.zarr").glob("*/*/*") if path.is_dir())
        shutil.rmtree(first)
    whole, part = tmp_path / "whole", tmp_path / "part"
    flags = ["--format", "ome-tiff", "--series", str(series), "--output"]
    code = lm_convert.main([str(server.root / "plate.zarr"), *flags, str(whole)])
    assert lm_convert.main([f"{server.url}/plate.zarr", *flags, str(part)]) == code == (2 if lost and series == 2 else 0)
    ours, theirs = ([tifffile.imread(path) for path in sorted(folder.glob("*.tiff"))] for folder in (part, whole))
    assert len(ours) == len(theirs)
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


# --- several at once, and the other tools


def test_files_and_addresses_are_taken_together(archive: Archive, tmp_path: Path, test_data: Path) -> None:
    text = f"s3://idr/zarr/v0.5/idr0062A/6001240_labels.zarr\n {BLASTOCYST}"
    assert run("lm_inspect", tmp_path, str(test_data / "cells.ome.tiff"), "--url", text) == 0
    assert [row["input"] for row in rows(tmp_path / "table.tsv")] == ["6001240.zarr", "6001240_labels.zarr", "cells.ome.tiff"]


def test_two_of_one_name_are_named_wholly(archive: Archive, tmp_path: Path) -> None:
    other = BLASTOCYST.replace("v0.4/idr0062A", "v0.1")
    assert run("lm_inspect", tmp_path, BLASTOCYST, other) == 0
    named = [row["input"] for row in rows(tmp_path / "table.tsv")]
    assert len(set(named)) == 2
    assert all(name.startswith("http") for name in named)


def test_a_copy_is_compared_with_its_original_on_the_web(archive: Archive, tmp_path: Path) -> None:
    assert lm_convert.main([BLASTOCYST, "--level", "2", "--format", "ome-zarr", "--output", str(tmp_path / "out")]) == 0
    table, copy = tmp_path / "table.tsv", str(tmp_path / "out" / "6001240.ome.zarr")
    assert lm_compare.main([BLASTOCYST, copy, "--no-pixels", "--table", str(table)]) == 0
    again = tmp_path / "again.tsv"
    assert lm_compare.main(["-", copy, "--url", BLASTOCYST, "--no-pixels", "--table", str(again)]) == 0
    assert table.read_text() == again.read_text()
    assert {row["original"] for row in rows(table)} == {"6001240.zarr"}


@pytest.mark.parametrize("words", [["-", "b.zarr"], ["a.zarr", "b.zarr", "--url", BLASTOCYST], ["-", "b.zarr", "--url", f"{BLASTOCYST} {PLATE}"]])
def test_an_original_is_named_in_one_way(archive: Archive, words: list[str]) -> None:
    assert lm_compare.main(words) == 2
    assert archive.asked() == []


def test_every_pixel_of_a_copy_is_compared_with_the_one_on_the_web(server: StoreServer, tmp_path: Path) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), server.root / "cells.zarr")
    url = f"{server.url}/cells.zarr"
    assert run("lm_convert", tmp_path, url) == 0
    table = tmp_path / "table.tsv"
    code = lm_compare.main([url, str(tmp_path / "out" / "cells.ome.tiff"), "--table", str(table), "--fail-on", "pixels"])
    assert code == 0
    assert [row["equal"] for row in rows(table) if row["what"] == "pixels"] == ["true"]
    assert max(server.chunks.values()) == 2, "once to convert and once to compare"


def test_a_copy_on_the_web_that_differs_is_found_out(server: StoreServer, tmp_path: Path) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), server.root / "one.zarr")
    folder(image_store(waves(SHAPE)[..., ::-1].copy(), "0.4", levels=1), server.root / "other.zarr")
    assert lm_compare.main([str(server.root / "one.zarr"), f"{server.url}/other.zarr", "--fail-on", "pixels"]) == 4


# --- one client, in bounded memory


def test_one_run_has_one_client_and_closes_it(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightmicroscopy.archives.http import Client

    made, closed = [], []
    begin, end = Client.__init__, Client.close
    monkeypatch.setattr(Client, "__init__", lambda self, *words, **named: (made.append(self), begin(self, *words, **named))[1])
    monkeypatch.setattr(Client, "close", lambda self: (closed.append(self), end(self))[1])
    assert run("lm_inspect", tmp_path, BLASTOCYST, PLATE.replace("2551.zarr", "2551.zarr/A/1/0"), "https://images.example.org/a.zarr") == 0
    assert len(made) == 1
    assert set(closed) == set(made)


def test_without_an_address_no_client_is_made(tmp_path: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", "{not JSON")
    assert run("lm_inspect", tmp_path, str(test_data / "cells.ome.tiff")) == 0


def test_wrong_settings_of_the_server_are_told_where_the_web_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", "{not JSON")
    assert run("lm_inspect", tmp_path, BLASTOCYST) == 2


@pytest.mark.parametrize(("memory", "held"), [(None, MEMORY), (64 << 20, 8 << 20), (512 << 20, 32 << 20), (64 << 30, MEMORY)])
def test_what_is_held_ahead_is_a_share_of_the_memory_that_was_granted(archive: Archive, memory: int | None, held: int) -> None:
    assert share_of(memory) == held
    with Web(memory) as web:
        location = location_of(web.address(BLASTOCYST))
        assert location.store is not None
        assert location.store.fetches.memory == held  # type: ignore[attr-defined]


# --- addresses


@pytest.mark.parametrize(
    ("text", "asked_for"),
    [
        (BLASTOCYST, BLASTOCYST),
        (f"{BLASTOCYST}/", BLASTOCYST),
        (f"  {BLASTOCYST}\n", BLASTOCYST),
        ("s3://livingobjects.ebi.ac.uk/idr/a.zarr?anonymous=true", f"{PUBLIC}/idr/a.zarr"),
        ("s3%3A%2F%2Flivingobjects.ebi.ac.uk%2Fidr%2Fa.zarr", f"{PUBLIC}/idr/a.zarr"),
        ("s3://idr/zarr/a.zarr", f"{PUBLIC}/idr/zarr/a.zarr"),
        ("s3://bia-integrator-data/S-BIAD1/a.zarr", f"{PUBLIC}/bioimaging-integrator-data/S-BIAD1/a.zarr"),
        ("https://uk1s3.embassy.ebi.ac.uk/bia-integrator-data/a.zarr", f"{PUBLIC}/bioimaging-integrator-data/a.zarr"),
        ("https://uk1s3.embassy.ebi.ac.uk/idr/a.zarr", f"{PUBLIC}/idr/a.zarr"),
        ("http://livingobjects.ebi.ac.uk/idr/a.zarr", f"{PUBLIC}/idr/a.zarr"),
        (f"{PUBLIC}/idr/a%20b%23c.zarr", f"{PUBLIC}/idr/a%20b%23c.zarr"),
    ],
)
def test_an_address_becomes_the_one_of_today(text: str, asked_for: str) -> None:
    assert store_address(text, Endpoints()) == asked_for


@pytest.mark.parametrize(
    "text",
    [
        "ftp://server/a.zarr",
        "file:///etc/passwd",
        "gs://bucket/a.zarr",
        "s3://somebodys-bucket/a.zarr",
        "s3://idr",
        "https://user:word@livingobjects.ebi.ac.uk/idr/a.zarr",
        "https://livingobjects.ebi.ac.uk/idr/a.zarr?X-Amz-Signature=0123secret",
        "https://livingobjects.ebi.ac.uk/idr/a.zarr#0",
        "https://livingobjects.ebi.ac.uk/idr/../a.zarr",
        "https://livingobjects.ebi.ac.uk/idr/%2e%2e/a.zarr",
        "https://livingobjects.ebi.ac.uk",
        "https:///a.zarr",
        "https://host\\@other/a.zarr",
    ],
)
def test_what_is_no_address_of_a_store_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        store_address(text, Endpoints())
    assert str(refused.value).endswith(".")
    assert "0123secret" not in str(refused.value)
    assert "word@" not in str(refused.value)


@pytest.mark.parametrize("tool", sorted(MAIN))
@pytest.mark.parametrize(
    ("url", "code", "told"),
    [
        ("https://images.example.org/a.zarr", 1, "is not among the services this program may contact"),
        ("http://169.254.169.254/latest/meta-data", 1, "is not among the services this program may contact"),
        (f"{PUBLIC}/idr/zarr/v0.4/idr0062A/none.zarr", 1, "There is no OME-Zarr at"),
        (f"{PUBLIC}/idr/zarr/v0.4/idr0062A/6001240.zarr/0", 1, "is a bare Zarr array"),
        (f"{PUBLIC}/idr/zarr/v0.4/idr0001A/2551.zarr/A/1", 1, "is one well of a plate"),
        ("ftp://livingobjects.ebi.ac.uk/idr/a.zarr", 2, "only addresses that begin with https:// or s3:// can"),
        ("s3://somebodys-bucket/a.zarr", 2, "names a bucket, but not the server that holds it"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_and_an_exit_code(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str], tool: str, url: str, code: int, told: str
) -> None:
    assert run(tool, tmp_path, url) == code
    heard = capsys.readouterr()
    assert told in heard.err
    assert "Traceback" not in heard.err
    assert not list(tmp_path.glob("out/*"))
    assert archive.asked("elsewhere") == []


def test_a_file_on_the_web_is_no_store(server: StoreServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (server.root / "cells.tif").write_bytes(b"II*\0")
    assert run("lm_inspect", tmp_path, f"{server.url}/cells.tif") == 1
    assert "There is no OME-Zarr at" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "body"), [(200, b"<!DOCTYPE html><html><body>Please sign in.</body></html>"), (403, b"no")])
def test_a_server_that_answers_with_something_else_is_told(
    server: StoreServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int, body: bytes
) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), server.root / "cells.zarr")
    server.faults["."] = lambda _: (status, "text/html" if status == 200 else "text/plain", body)
    assert run("lm_check", tmp_path, f"{server.url}/cells.zarr") == 1
    assert "cells.zarr" in capsys.readouterr().err


def test_one_unreadable_address_does_not_cost_the_others_theirs(archive: Archive, tmp_path: Path) -> None:
    words = [BLASTOCYST, f"{PUBLIC}/idr/none.zarr"]
    assert run("lm_inspect", tmp_path, *words) == 0
    assert run("lm_inspect", tmp_path, *words, "--strict") == 3
    assert run("lm_check", tmp_path, *words, "--fail-on", "error") == 4


def test_chunks_that_a_server_has_not_are_told_by_the_check(server: StoreServer, tmp_path: Path) -> None:
    files = image_store(waves(SHAPE), "0.4", levels=2)
    folder({name: data for name, data in files.items() if not name.startswith("0/") or "/." in name}, server.root / "cells.zarr")
    assert run("lm_check", tmp_path, f"{server.url}/cells.zarr") == 0
    told = [row for row in rows(tmp_path / "table.tsv") if row["rule"] == "ngff.chunks-missing"]
    assert any("are not on the server and are read as the fill value" in row["message"] for row in told)


def test_a_damaged_chunk_is_told_by_the_check(server: StoreServer, tmp_path: Path) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), server.root / "cells.zarr")
    server.faults[r"/0/0/0/0/0/0$"] = lambda _: (200, "application/octet-stream", b"\x02\x01garbage")
    assert run("lm_check", tmp_path, f"{server.url}/cells.zarr", "--fail-on", "error") == 4
    assert any(row["rule"] == "ngff.chunk-damaged" for row in rows(tmp_path / "table.tsv"))


def test_a_local_file_of_the_same_name_is_not_taken_for_it(server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), server.root / "cells.zarr")
    monkeypatch.chdir(tmp_path)
    Path("cells.zarr").write_text("<html>no OME-XML</html>")
    assert run("lm_check", tmp_path, f"{server.url}/cells.zarr", "--fail-on", "error") == 0
    assert run("lm_inspect", tmp_path, f"{server.url}/cells.zarr", "cells.zarr") == 0
    assert len([row for row in rows(tmp_path / "table.tsv") if row["size_x"]]) == 1


# --- words of the command line


def test_paths_stay_paths_and_addresses_keep_their_slashes() -> None:
    assert path_or_address("a/b.zarr") == Path("a/b.zarr")
    assert path_or_address("C:/images/a.czi") == Path("C:/images/a.czi")
    assert path_or_address(f" {BLASTOCYST} ") == BLASTOCYST
    assert path_or_address("s3://idr/a.zarr") == "s3://idr/a.zarr"


@pytest.mark.parametrize("text", ["cells.zarr", "/etc/passwd", "https:/one/slash.zarr", f"{BLASTOCYST} , "])
def test_a_field_for_addresses_takes_nothing_else(text: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a store"):
        addresses([text])


def test_an_address_and_files_are_no_set(archive: Archive, test_data: Path) -> None:
    with Web() as web:
        given: list[Any] = [test_data / "cells.ome.tiff", web.address(BLASTOCYST)]
        assert [isinstance(item, Address) for item in given] == [False, True]
        assert names_of(given) == ["cells.ome.tiff", "6001240.zarr"]
        with pytest.raises(UsageError, match="One image is read at a time"):
            only_given(given)
        with pytest.raises(UsageError, match="nothing to read"):
            web.all_given([], [""])


@pytest.mark.parametrize("tool", sorted(MAIN))
def test_a_run_without_any_input_is_wrong_usage(tool: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(tool, tmp_path, "--url", " \n")
    assert stopped.value.code == 2


def test_a_report_is_never_written_over_a_local_input_named_beside_an_address(archive: Archive, tmp_path: Path) -> None:
    target = tmp_path / "table.tsv"
    target.write_text("mine")
    assert lm_inspect.main([str(target), BLASTOCYST, "--table", str(target)]) == 2
    assert target.read_text() == "mine"
    assert archive.asked() == []


def test_a_host_outside_is_refused_by_the_endpoints_too() -> None:
    with pytest.raises(NotAllowedError):
        Endpoints().check(store_address("https://images.example.org/a.zarr", Endpoints()))
    assert os.environ.get("LIGHTMICROSCOPY_ENDPOINTS", "") == ""
