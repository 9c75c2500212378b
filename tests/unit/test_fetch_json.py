"""A plan for Galaxy's own upload: every file once, in folders people know, and in the shape Galaxy accepts."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.archives.fetch_json import write_fetch_json
from lightmicroscopy.archives.manifest import Row
from lightmicroscopy.errors import UsageError

from ..needs import missing
from .bia_calls import Calls
from .idr_downloads import Downloads

SCHEMA = """
import json, sys
from galaxy.schema.fetch_data import TargetsAdapter
targets = TargetsAdapter.validate_python(json.load(sys.stdin)["targets"])
print([type(target).__name__ for target in targets])
"""


def row(path: str, **changes: Any) -> Row:
    return replace(
        Row(f"S-BIAD1/{path}", "planned", source_url=f"https://archive.example/{path}", path=path, study="S-BIAD1", licence="CC0"), **changes
    )


def written(folder: Path, *rows: Row) -> dict[str, Any]:
    write_fetch_json(folder / "fetch.json", rows, "files")
    targets = json.loads((folder / "fetch.json").read_text(encoding="utf-8"))["targets"]
    return targets[0] if targets else {}


def leaves(elements: list[dict[str, Any]], *above: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for element in elements:
        if "elements" in element:
            yield from leaves(element["elements"], *above, element["name"])
        else:
            yield "/".join((*above, element["name"])), element


def accepted_by_galaxy(document: Path) -> None:
    """Hold a document against Galaxy's own schema."""
    local = Path(os.environ.get("LIGHTMICROSCOPY_LOCAL", Path(__file__).resolve().parents[2] / ".local"))
    python = local / "environments" / "galaxy" / "bin" / "python"
    if not python.exists():
        missing("Galaxy's schema is looked at where scripts/galaxy.py has installed Galaxy")
    with document.open("rb") as stream:
        done = subprocess.run([python, "-c", SCHEMA], stdin=stream, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "['HdcaDataItemsTarget']\n"


def test_folders_and_files_may_be_called_as_galaxy_calls_its_own_fields(tmp_path: Path) -> None:
    document = written(tmp_path, row("code/src/a.tif"), row("code/url/src"))
    assert [name for name, _ in leaves(document["elements"])] == ["code/src/a.tif", "code/url/src"]


def test_files_are_nested_as_their_folders_are_and_of_one_depth(tmp_path: Path) -> None:
    target = written(tmp_path, row("b/2.tif"), row("a/x/1.tif"), row("top.txt"))
    assert target["collection_type"] == "list:list:list"
    found = {name: element["url"] for name, element in leaves(target["elements"])}
    assert found == {
        "a/x/1.tif": "https://archive.example/a/x/1.tif",
        "b/files/2.tif": "https://archive.example/b/2.tif",
        "files/files/top.txt": "https://archive.example/top.txt",
    }


def test_what_lies_very_deep_keeps_its_way_in_its_name(tmp_path: Path) -> None:
    target = written(tmp_path, row("a/b/c/d/e/1.tif"), row("a/b/c/d_e/1.tif"), row("a/b/c/d_e_1.tif"))
    names = [name for name, _ in leaves(target["elements"])]
    assert sorted(names) == ["a/b/c/d_e_1.tif", "a/b/c/d_e_1.tif~2", "a/b/c/d_e_1.tif~3"]


def test_only_what_is_planned_is_there_and_each_file_once(tmp_path: Path) -> None:
    target = written(tmp_path, row("1.tif"), row("2.tif", status="done"), row("3.tif", status="failed"), row("1.tif", item="image-2"))
    assert [name for name, _ in leaves(target["elements"])] == ["1.tif"]


def test_a_checksum_of_the_server_goes_along(tmp_path: Path) -> None:
    target = written(tmp_path, row("1.tif", server_checksum="md5:" + "a" * 32), row("2.tif", server_checksum="something"))
    first, second = (element for _, element in leaves(target["elements"]))
    assert first["hashes"] == [{"hash_function": "MD5", "hash_value": "a" * 32}]
    assert "hashes" not in second


@pytest.mark.parametrize("url", ["https://archive.example/1.zarr", "https://archive.example/1.zarr/", "", "ftp://archive.example/1.tif"])
def test_what_is_no_single_file_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"S-BIAD1/1\.tif is no single file.*Plan with the format original\.$"):
        written(tmp_path, row("1.tif", source_url=url))
    assert not (tmp_path / "fetch.json").exists()


def test_nothing_planned_is_an_empty_list(tmp_path: Path) -> None:
    assert written(tmp_path, row("1.tif", status="done")) == {}


@pytest.mark.galaxy
def test_galaxy_accepts_it(tmp_path: Path) -> None:
    written(tmp_path, row("b/2.tif", server_checksum="md5:" + "a" * 32), row("a/x/1.tif"), row("top.txt"))
    accepted_by_galaxy(tmp_path / "fetch.json")


def test_a_plan_of_a_study_of_the_bioimage_archive(bia: Calls, tmp_path: Path) -> None:
    run = bia.download("--accession", "S-BIAD24", "--plan-only", "--fetch-json", tmp_path / "fetch.json")
    assert run.code == 0
    assert run.made == []
    planned = {line["source_url"] for line in run.manifest if line["status"] == "planned"}
    (target,) = json.loads((tmp_path / "fetch.json").read_text())["targets"]
    assert {element["url"] for _, element in leaves(target["elements"])} == planned
    assert planned


def test_a_plan_of_images_of_the_idr(download: Downloads, tmp_path: Path) -> None:
    run = download(13441308, "--format", "original", "--plan-only", "--fetch-json", tmp_path / "fetch.json")
    assert run.code == 0
    (target,) = json.loads((tmp_path / "fetch.json").read_text())["targets"]
    ((name, element),) = leaves(target["elements"])
    assert name == "idr0117-croce-marimba/20210812-ftp/SkeT_16c.tif"
    assert element["url"].endswith("/idr0117-croce-marimba/20210812-ftp/SkeT%2016c.tif")


@pytest.mark.parametrize("flags", [(), ("--plan-only",), ("--format", "original")])
def test_it_is_refused_without_what_it_needs(flags: tuple[str, ...], download: Downloads, tmp_path: Path) -> None:
    run = download(13441308, *flags, "--fetch-json", tmp_path / "fetch.json")
    assert run.code == 2
    assert "--fetch-json needs --plan-only, --manifest and --format original" in run.stderr
