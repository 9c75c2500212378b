"""Somebody names a report like a file that the run reads: it is refused with exit code 2, and no file is changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import lm_check
import lm_compare
import lm_convert
import lm_inspect
from lightmicroscopy.errors import UsageError
from lightmicroscopy.report_paths import ReportPaths

MEMBERS = ("multifile_z0.ome.tiff", "multifile_z1.ome.tiff", "multifile_z2.ome.tiff")


@pytest.fixture
def folder(test_data: Path, tmp_path: Path) -> Path:
    """Make a folder with a set whose first file brings the others along."""
    for name in ("multifile.companion.ome", *MEMBERS, "cells.ome.tiff"):
        shutil.copyfile(test_data / name, tmp_path / name)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(main: Callable[[list[str]], int], folder: Path, *arguments: object) -> None:
    before = contents(folder)
    assert main([str(part) for part in (*arguments, "--quiet")]) == 2
    assert contents(folder) == before


def whole_set(folder: Path) -> list[Path]:
    return [folder / name for name in ("multifile.companion.ome", *MEMBERS)]


@pytest.mark.parametrize("flag", ["--table", "--json", "--html", "--preview"])
def test_an_inspection_does_not_write_over_a_file_of_the_set_that_was_not_listed(folder: Path, flag: str) -> None:
    refused(lm_inspect.main, folder, folder / "multifile_z0.ome.tiff", flag, folder / "multifile_z1.ome.tiff")


@pytest.mark.parametrize("flag", ["--table", "--html"])
def test_a_comparison_does_not(folder: Path, flag: str) -> None:
    refused(lm_compare.main, folder, folder / "multifile_z0.ome.tiff", folder / "cells.ome.tiff", flag, folder / "multifile_z1.ome.tiff")
    refused(lm_compare.main, folder, folder / "cells.ome.tiff", folder / "multifile_z0.ome.tiff", flag, folder / "multifile_z1.ome.tiff")


def test_nor_does_one_of_several_originals(folder: Path) -> None:
    given = (folder / "cells.ome.tiff", folder / "cells.ome.tiff", "--also", folder / "multifile_z0.ome.tiff")
    refused(lm_compare.main, folder, *given, "--table", folder / "multifile_z2.ome.tiff")


@pytest.mark.parametrize("flag", ["--report", "--checksums", "--preview"])
def test_a_conversion_does_not_and_writes_no_image_before_it_says_so(folder: Path, flag: str) -> None:
    output = ("--output", folder / "out", "--format", "ome-tiff")
    refused(lm_convert.main, folder, folder / "multifile_z0.ome.tiff", *output, flag, folder / "multifile_z1.ome.tiff")


@pytest.mark.parametrize("flag", ["--html", "--table", "--json", "--preview"])
def test_a_check_does_not(folder: Path, flag: str) -> None:
    refused(lm_check.main, folder, folder / "multifile_z0.ome.tiff", flag, folder / "multifile_z1.ome.tiff")


def test_the_ome_xml_of_an_input_does_not_replace_the_companion_file_it_is_named_like(folder: Path) -> None:
    companion = (folder / "multifile.companion.ome").rename(folder / "multifile.ome.xml")
    members = [folder / name for name in MEMBERS]
    refused(lm_inspect.main, folder, companion, *members, "--ome-xml", folder)


def test_nor_a_member_that_was_not_listed_whatever_was_inspected_before(folder: Path) -> None:
    """The document of the first input has the name of a file that only the second turns out to be made of."""
    (folder / "a").mkdir()
    shutil.copyfile(folder / "cells.ome.tiff", folder / "a" / "linked.ome.tiff")
    (folder / "linked.ome.xml").hardlink_to(folder / "multifile_z1.ome.tiff")
    refused(lm_inspect.main, folder, folder / "a" / "linked.ome.tiff", folder / "multifile_z0.ome.tiff", "--ome-xml", folder)


def test_the_ome_xml_is_not_written_into_a_store_that_is_inspected(test_data: Path, tmp_path: Path) -> None:
    store = tmp_path / "cells.ome.zarr"
    shutil.copytree(test_data / "cells_04.ome.zarr", store)
    refused(lm_inspect.main, tmp_path, store, "--ome-xml", store / "OME")


@pytest.mark.parametrize("flag", ["--table", "--json", "--html", "--preview"])
def test_a_report_named_like_the_ome_xml_of_an_input_is_told_so(folder: Path, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(lm_inspect.main, folder, folder / "cells.ome.tiff", flag, folder / "x" / "cells.ome.xml", "--ome-xml", folder / "x")
    assert capsys.readouterr().err == "lm_inspect: Two reports are to be written to cells.ome.xml. Give each its own name.\n"


def test_reports_beside_the_files_of_a_set_are_made(folder: Path) -> None:
    before = contents(folder)
    long = folder / ("n" * 60)
    reports = ("--table", f"{long}.tsv", "--json", f"{long}.json", "--html", f"{long}.html", "--ome-xml", folder)
    for _ in range(2):  # what is there from a run before is replaced
        assert lm_inspect.main([*map(str, whole_set(folder)), *map(str, reports), "--quiet"]) == 0
    after = contents(folder)
    assert {name: after[name] for name in before} == before
    assert sorted(set(after) - set(before)) == ["multifile.ome.xml", f"{long.name}.html", f"{long.name}.json", f"{long.name}.tsv"]


def test_other_spellings_of_a_file_are_that_file(folder: Path) -> None:
    member = folder / "multifile_z1.ome.tiff"
    (folder / "hard.tsv").hardlink_to(member)
    (folder / "soft.tsv").symlink_to(member.name)
    (folder / "sub").mkdir()
    for name in ("hard.tsv", "soft.tsv", "sub/../multifile_z1.ome.tiff"):
        with pytest.raises(UsageError, match="cannot be written over an input"):
            ReportPaths([folder / name]).refuse([folder / "cells.ome.tiff", member])
    ReportPaths([folder / "hard.tsv", None]).refuse([folder / "cells.ome.tiff", folder / "gone.tiff"])
