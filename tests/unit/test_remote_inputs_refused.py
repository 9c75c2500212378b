"""OME-Zarr on the web that cannot be read, or only in part: a sentence and an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archives import Archive

from .remote_inputs import BLASTOCYST, MAIN, PUBLIC, rows, run
from .store_server import StoreServer
from .zarr_stores import SHAPE, folder, image_store, waves


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
    web_archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str], tool: str, url: str, code: int, told: str
) -> None:
    assert run(tool, tmp_path, url) == code
    heard = capsys.readouterr()
    assert told in heard.err
    assert "Traceback" not in heard.err
    assert not list(tmp_path.glob("out/*"))
    assert web_archive.asked("elsewhere") == []


def test_a_file_on_the_web_is_no_store(web_server: StoreServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (web_server.root / "cells.tif").write_bytes(b"II*\0")
    assert run("lm_inspect", tmp_path, f"{web_server.url}/cells.tif") == 1
    assert "There is no OME-Zarr at" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "body"), [(200, b"<!DOCTYPE html><html><body>Please sign in.</body></html>"), (403, b"no")])
def test_a_server_that_answers_with_something_else_is_told(
    web_server: StoreServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int, body: bytes
) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), web_server.root / "cells.zarr")
    web_server.faults["."] = lambda _: (status, "text/html" if status == 200 else "text/plain", body)
    assert run("lm_check", tmp_path, f"{web_server.url}/cells.zarr") == 1
    assert "cells.zarr" in capsys.readouterr().err


def test_one_unreadable_address_does_not_cost_the_others_theirs(web_archive: Archive, tmp_path: Path) -> None:
    words = [BLASTOCYST, f"{PUBLIC}/idr/none.zarr"]
    assert run("lm_inspect", tmp_path, *words) == 0
    assert run("lm_inspect", tmp_path, *words, "--strict") == 3
    assert run("lm_check", tmp_path, *words, "--fail-on", "error") == 4


def test_chunks_that_a_server_has_not_are_told_by_the_check(web_server: StoreServer, tmp_path: Path) -> None:
    files = image_store(waves(SHAPE), "0.4", levels=2)
    folder({name: data for name, data in files.items() if not name.startswith("0/") or "/." in name}, web_server.root / "cells.zarr")
    assert run("lm_check", tmp_path, f"{web_server.url}/cells.zarr") == 0
    told = [row for row in rows(tmp_path / "table.tsv") if row["rule"] == "ngff.chunks-missing"]
    assert any("are not on the server and are read as the fill value" in row["message"] for row in told)


def test_a_damaged_chunk_is_told_by_the_check(web_server: StoreServer, tmp_path: Path) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), web_server.root / "cells.zarr")
    web_server.faults[r"/0/0/0/0/0/0$"] = lambda _: (200, "application/octet-stream", b"\x02\x01garbage")
    assert run("lm_check", tmp_path, f"{web_server.url}/cells.zarr", "--fail-on", "error") == 4
    assert any(row["rule"] == "ngff.chunk-damaged" for row in rows(tmp_path / "table.tsv"))


@pytest.mark.parametrize("tool", sorted(MAIN))
def test_a_run_without_any_input_is_wrong_usage(tool: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(tool, tmp_path, "--url", " \n")
    assert stopped.value.code == 2
