"""A folder of image files, given where an image was asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lm_check
import lm_inspect
from lightmicroscopy import folders
from lightmicroscopy.errors import UsageError
from lightmicroscopy.folders import expand

from .test_lm_inspect import table


@pytest.fixture
def folder(test_data: Path, tmp_path: Path) -> Path:
    """Images of several kinds with what lies beside them in real life."""
    made = tmp_path / "monday"
    made.mkdir()
    for name in ("stack.czi", "truncated.tif", "project.lif", "not_an_image.txt", *(path.name for path in test_data.glob("multifile*"))):
        shutil.copyfile(test_data / name, made / name)
    shutil.copyfile(test_data / "cells.ome.tiff", made / "no_extension")
    shutil.copytree(test_data / "cells_04.ome.zarr", made / "cells_04.ome.zarr")
    (made / ".hidden.tif").write_bytes(b"II*\0")
    (made / "tuesday").mkdir()
    return made


def test_its_images_are_inspected_sorted_and_a_set_is_one(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lm_inspect.main([str(folder), "--table", str(tmp_path / "t.tsv")]) == 0
    rows = table(tmp_path / "t.tsv")
    names = list(dict.fromkeys(row["input"] for row in rows))
    first_of_set = min(path.name for path in folder.glob("multifile*"))
    assert names == ["cells_04.ome.zarr", first_of_set, "no_extension", "project.lif", "stack.czi", "truncated.tif"]
    assert "Left out of the folder monday: not_an_image.txt, tuesday (" in capsys.readouterr().err


def test_its_images_are_checked(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lm_check.main([str(folder), "--table", str(tmp_path / "t.tsv")]) == 0
    found = {line.split("\t")[0] for line in (tmp_path / "t.tsv").read_text(encoding="utf-8").splitlines()[1:]}
    assert "truncated.tif" in found
    assert not found & {"monday", "not_an_image.txt", "tuesday", ".hidden.tif"}
    assert "lm_check: 6 inputs: " in capsys.readouterr().err


def test_inside_of_it_no_name_is_a_dot(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert lm_inspect.main([".", "--table", str(tmp_path / "t.tsv"), "--quiet"]) == 0
    assert {row["input"] for row in table(tmp_path / "t.tsv")}.isdisjoint({".", ""})
    monkeypatch.chdir(folder / "tuesday")
    assert lm_inspect.main([".", "--table", str(tmp_path / "empty.tsv"), "--quiet"]) == 1
    (row,) = table(tmp_path / "empty.tsv")
    assert row["input"] == "tuesday"
    assert row["warnings"].startswith("tuesday is a folder but not an OME-Zarr")
    assert row["warnings"].endswith("or the image files themselves.")


@pytest.mark.parametrize("name", ["cells_04.ome.zarr", "cells_04.ome.zarr/."])
def test_a_store_stays_one_input(folder: Path, name: str) -> None:
    assert expand([Path(f"{folder}/{name}")]).words == (folder / "cells_04.ome.zarr",)


def test_a_damaged_store_is_not_taken_for_a_folder_of_images(folder: Path) -> None:
    store = folder / "cells_04.ome.zarr"
    for name in (".zattrs", ".zgroup"):
        (store / name).unlink()
    shutil.copyfile(folder / "stack.czi", store / "stack.czi")
    assert expand([store]).words == (store,)
    assert store in expand([folder]).words


def test_links_in_it_are_not_followed(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / "stack.czi", tmp_path / "elsewhere.czi")
    (folder / "stack.czi").symlink_to(tmp_path / "elsewhere.czi")
    found = expand([folder])
    assert folder / "stack.czi" not in found.words
    assert "stack.czi" in found.notes[0]


def test_a_file_given_twice_is_one_input(folder: Path) -> None:
    assert expand([folder / "stack.czi", folder]).words.count(folder / "stack.czi") == 1


def test_a_folder_of_more_than_anybody_means_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST", 5)
    with pytest.raises(UsageError, match="monday holds more than 5 files"):
        expand([folder])


def test_a_report_is_not_written_over_an_image_of_the_folder_but_may_lie_beside_them(folder: Path) -> None:
    before = (folder / "stack.czi").read_bytes()
    assert lm_inspect.main([str(folder), "--html", str(folder / "stack.czi"), "--quiet"]) == 2
    assert (folder / "stack.czi").read_bytes() == before
    assert lm_inspect.main([str(folder), "--html", str(folder / "page.html"), "--quiet"]) == 0
    assert (folder / "page.html").is_file()


def test_a_folder_of_one_store_only_goes_by_the_name_of_the_store(test_data: Path, tmp_path: Path) -> None:
    shutil.copytree(test_data / "cells_04.ome.zarr", tmp_path / "results" / "cells_04.ome.zarr")
    assert lm_inspect.main([str(tmp_path / "results"), "--table", str(tmp_path / "t.tsv"), "--quiet"]) == 0
    assert {row["input"] for row in table(tmp_path / "t.tsv")} == {"cells_04.ome.zarr"}


def test_folders_in_a_folder_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("tree/day 1", "tree/day 2", "half.ome.zarr/labels", "unpacked/0"):
        (tmp_path / name).mkdir(parents=True)
    assert lm_inspect.main([str(tmp_path / name) for name in ("tree", "half.ome.zarr", "unpacked")]) == 1
    said = capsys.readouterr().err
    assert "tree holds no image itself but folders, which are not searched. Give those that hold images, such as tree/day 1." in said
    assert "half.ome.zarr is a folder but not an OME-Zarr" in said
    assert "unpacked is a folder but not an OME-Zarr" in said


def test_a_report_in_a_folder_without_images_is_refused_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert lm_inspect.main([str(tmp_path / "empty"), "--html", str(tmp_path / "empty" / "r.html")]) == 2
    assert "r.html cannot be written into empty, which is an input. Choose another folder for it." in capsys.readouterr().err
