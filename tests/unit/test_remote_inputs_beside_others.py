"""OME-Zarr on the web together with files and others of its kind: named, compared, and asked for by one client in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lm_compare
import lm_convert
import lm_inspect
from lightmicroscopy.errors import UsageError
from lightmicroscopy.inputs import Address, Web, location_of, names_of, only_given
from lightmicroscopy.readers.prefetch import MEMORY, share_of
from tests.archives import Archive

from .remote_inputs import BLASTOCYST, PLATE, rows, run
from .store_server import StoreServer
from .zarr_stores import SHAPE, folder, image_store, waves


def test_files_and_addresses_are_taken_together(web_archive: Archive, tmp_path: Path, test_data: Path) -> None:
    text = f"s3://idr/zarr/v0.5/idr0062A/6001240_labels.zarr\n {BLASTOCYST}"
    assert run("lm_inspect", tmp_path, str(test_data / "cells.ome.tiff"), "--url", text) == 0
    assert [row["input"] for row in rows(tmp_path / "table.tsv")] == ["6001240.zarr", "6001240_labels.zarr", "cells.ome.tiff"]


def test_two_of_one_name_are_named_wholly(web_archive: Archive, tmp_path: Path) -> None:
    other = BLASTOCYST.replace("v0.4/idr0062A", "v0.1")
    assert run("lm_inspect", tmp_path, BLASTOCYST, other) == 0
    named = [row["input"] for row in rows(tmp_path / "table.tsv")]
    assert len(set(named)) == 2
    assert all(name.startswith("http") for name in named)


def test_a_copy_is_compared_with_its_original_on_the_web(web_archive: Archive, tmp_path: Path) -> None:
    assert lm_convert.main([BLASTOCYST, "--level", "2", "--format", "ome-zarr", "--output", str(tmp_path / "out")]) == 0
    table, copy = tmp_path / "table.tsv", str(tmp_path / "out" / "6001240.ome.zarr")
    assert lm_compare.main([BLASTOCYST, copy, "--no-pixels", "--table", str(table)]) == 0
    again = tmp_path / "again.tsv"
    assert lm_compare.main(["-", copy, "--url", BLASTOCYST, "--no-pixels", "--table", str(again)]) == 0
    assert table.read_text() == again.read_text()
    assert {row["original"] for row in rows(table)} == {"6001240.zarr"}


@pytest.mark.parametrize("words", [["-", "b.zarr"], ["a.zarr", "b.zarr", "--url", BLASTOCYST], ["-", "b.zarr", "--url", f"{BLASTOCYST} {PLATE}"]])
def test_an_original_is_named_in_one_way(web_archive: Archive, words: list[str]) -> None:
    assert lm_compare.main(words) == 2
    assert web_archive.asked() == []


def test_every_pixel_of_a_copy_is_compared_with_the_one_on_the_web(web_server: StoreServer, tmp_path: Path) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), web_server.root / "cells.zarr")
    url = f"{web_server.url}/cells.zarr"
    assert run("lm_convert", tmp_path, url) == 0
    table = tmp_path / "table.tsv"
    code = lm_compare.main([url, str(tmp_path / "out" / "cells.ome.tiff"), "--table", str(table), "--fail-on", "pixels"])
    assert code == 0
    assert [row["equal"] for row in rows(table) if row["what"] == "pixels"] == ["true"]
    assert max(web_server.chunks.values()) == 2, "once to convert and once to compare"


def test_a_copy_on_the_web_that_differs_is_found_out(web_server: StoreServer, tmp_path: Path) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), web_server.root / "one.zarr")
    folder(image_store(waves(SHAPE)[..., ::-1].copy(), "0.4", levels=1), web_server.root / "other.zarr")
    assert lm_compare.main([str(web_server.root / "one.zarr"), f"{web_server.url}/other.zarr", "--fail-on", "pixels"]) == 4


def test_an_address_and_files_are_no_set(web_archive: Archive, test_data: Path) -> None:
    with Web() as web:
        given: list[Any] = [test_data / "cells.ome.tiff", web.address(BLASTOCYST)]
        assert [isinstance(item, Address) for item in given] == [False, True]
        assert names_of(given) == ["cells.ome.tiff", "6001240.zarr"]
        with pytest.raises(UsageError, match="One image is read at a time"):
            only_given(given)
        with pytest.raises(UsageError, match="nothing to read"):
            web.all_given([], [""])


def test_a_report_is_never_written_over_a_local_input_named_beside_an_address(web_archive: Archive, tmp_path: Path) -> None:
    target = tmp_path / "table.tsv"
    target.write_text("mine")
    assert lm_inspect.main([str(target), BLASTOCYST, "--table", str(target)]) == 2
    assert target.read_text() == "mine"
    assert web_archive.asked() == []


def test_a_local_file_of_the_same_name_is_not_taken_for_it(web_server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(image_store(waves(SHAPE), "0.4", levels=1), web_server.root / "cells.zarr")
    monkeypatch.chdir(tmp_path)
    Path("cells.zarr").write_text("<html>no OME-XML</html>")
    assert run("lm_check", tmp_path, f"{web_server.url}/cells.zarr", "--fail-on", "error") == 0
    assert run("lm_inspect", tmp_path, f"{web_server.url}/cells.zarr", "cells.zarr") == 0
    assert len([row for row in rows(tmp_path / "table.tsv") if row["size_x"]]) == 1


def test_one_run_has_one_client_and_closes_it(web_archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_what_is_held_ahead_is_a_share_of_the_memory_that_was_granted(web_archive: Archive, memory: int | None, held: int) -> None:
    assert share_of(memory) == held
    with Web(memory) as web:
        location = location_of(web.address(BLASTOCYST))
        assert location.store is not None
        assert location.store.fetches.memory == held  # type: ignore[attr-defined]
