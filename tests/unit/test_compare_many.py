"""Many originals and a heap of copies: each copy finds the original that it was made from, and what has none is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lm_compare
from lightmicroscopy.compare import Comparison
from lightmicroscopy.compare_many import OF_NONE, compare_many
from lightmicroscopy.reports.comparison import page, verdict

from .test_compare import converted, edited
from .test_findings_report import shown


def compared_with(comparison: Comparison) -> dict[str, set[str]]:
    """Copies by the original that they were compared with."""
    return {name: {row.copy for row in comparison.rows if row.original == name and row.what == "pixels"} for name in comparison.formats}


def test_each_copy_finds_the_original_it_was_made_from(test_data: Path, tmp_path: Path) -> None:
    sources = [test_data / name for name in ("two_series.ome.tiff", "confocal.lsm", "cells.ome.tiff")]
    copies = [tmp_path / f"{number}.ome.tiff" for number in range(4)]
    made = [path for source in sources for path in converted(source, tmp_path / "made")]
    for path, copy in zip(made, copies, strict=True):
        path.rename(copy)
    comparison = compare_many(sources, [*reversed(copies)])
    assert compared_with(comparison) == {
        "two_series.ome.tiff": {"0.ome.tiff", "1.ome.tiff"},
        "confocal.lsm": {"2.ome.tiff"},
        "cells.ome.tiff": {"3.ome.tiff"},
    }
    assert verdict(comparison) == "The copies are true: every pixel and every field is the same."
    assert [row["original"] for row in comparison.table()] == sorted(
        (str(row["original"]) for row in comparison.table()), key=["two_series.ome.tiff", "confocal.lsm", "cells.ome.tiff"].index
    )


def test_a_copy_of_a_copy_belongs_to_the_nearest_that_is_there(test_data: Path, tmp_path: Path) -> None:
    first = test_data / "cells.ome.tiff"
    (second,) = converted(first, tmp_path / "a", "ome-zarr")
    (third,) = converted(second, tmp_path / "b")
    other = test_data / "photo.jpg"
    assert compared_with(compare_many([first, second, other], [third]))["cells.ome.zarr"] == {"cells.ome.tiff"}
    assert compared_with(compare_many([first, other], [third]))["cells.ome.tiff"] == {"cells.ome.tiff"}


def test_two_originals_of_one_name_are_told_apart_by_their_checksums(test_data: Path, tmp_path: Path) -> None:
    """As they are named where both lie in one folder, though each had the plain name when it was converted."""
    one, two = tmp_path / "x.ome.tiff", tmp_path / "x~2.ome.tiff"
    shutil.copyfile(test_data / "cells.ome.tiff", one)
    (tmp_path / "apart").mkdir()
    apart = edited(one, tmp_path / "apart" / "x.ome.tiff", pixel=True)
    shutil.copyfile(apart, two)
    (copy,) = converted(apart, tmp_path / "made")
    comparison = compare_many([one, two], [copy])
    assert compared_with(comparison) == {"x.ome.tiff": set(), "x~2.ome.tiff": {"x.ome.tiff"}}
    assert not any(row.is_grave for row in comparison.rows if row.original == two.name)


@pytest.fixture
def namesakes(test_data: Path, tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """Two originals of one name, the second with another pixel, and a true copy of each."""
    originals = [tmp_path / folder / "x.ome.tiff" for folder in "ab"]
    for path in originals:
        path.parent.mkdir()
    shutil.copyfile(test_data / "cells.ome.tiff", originals[0])
    edited(originals[0], originals[1], pixel=True)
    return originals, [path for original in originals for path in converted(original, tmp_path / f"copies_of_{original.parent.name}")]


def test_two_originals_that_are_called_the_same_each_get_their_own_copy(namesakes: tuple[list[Path], list[Path]]) -> None:
    originals, copies = namesakes
    comparison = compare_many(originals, copies[::-1])
    assert compared_with(comparison) == {str(path): {"x.ome.tiff"} for path in originals}
    assert verdict(comparison) == "The copies are true: every pixel and every field is the same."
    assert comparison.original == "; ".join(map(str, originals))


def test_a_damaged_original_does_not_cost_the_good_one_of_its_name(namesakes: tuple[list[Path], list[Path]]) -> None:
    originals, copies = namesakes
    originals[0].write_bytes(b"II*")
    comparison = compare_many(originals, copies)
    assert {name: bool(kind) for name, kind in comparison.formats.items()} == {str(originals[0]): False, str(originals[1]): True}
    assert len(comparison.lost) == 1
    assert [row.original for row in comparison.rows if row.what == "pixels"] == [str(originals[1])]
    assert not any(row.differs for row in comparison.rows if row.original == str(originals[1]))


def test_copies_that_say_too_little_to_be_told_apart_are_of_neither(namesakes: tuple[list[Path], list[Path]], tmp_path: Path) -> None:
    originals, _ = namesakes
    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere" / "x.ome.tiff"
    shutil.copyfile(originals[1], copy)
    comparison = compare_many(originals, [copy])
    assert [row.copy_value for row in comparison.rows if row.copy] == [OF_NONE]


@pytest.mark.parametrize(
    ("name", "original"),
    [("photo.png", "photo.jpg"), ("photo__0.png", "photo.jpg"), ("anything.png", ""), ("grey16.copy.png", "")],
)
def test_a_copy_by_somebody_else_is_recognised_by_its_name_or_not_at_all(test_data: Path, tmp_path: Path, name: str, original: str) -> None:
    copy = tmp_path / name
    shutil.copyfile(test_data / "rgb.png", copy)
    comparison = compare_many([test_data / "photo.jpg", test_data / "grey16.png"], [copy], pixels=False)
    rows = [row for row in comparison.rows if row.copy == name]
    assert {row.original for row in rows} == {original}
    assert (OF_NONE in {row.copy_value for row in rows}) is not original
    assert ("1 copy is of none of the originals" in verdict(comparison)) is (original == "")


def test_a_bad_original_costs_only_its_row_and_one_without_copies_is_told(test_data: Path, tmp_path: Path) -> None:
    sources = [test_data / name for name in ("truncated.tif", "cells.ome.tiff", "photo.jpg")]
    comparison = compare_many(sources, [*converted(sources[1], tmp_path), test_data / "not_an_image.txt"])
    assert verdict(comparison) == (
        "1 original cannot be read; 1 copy cannot be read; 1 series of the originals is in no copy. "
        "The copy that could be compared is true: every pixel and every field is the same."
    )
    assert comparison.compared
    text = shown("".join(page(comparison)))
    assert "truncated.tif ✖ truncated.tif is truncated" in text
    assert "cells.ome.tiff OME-TIFF 1 ✔ 1 of 1 0" in text
    assert "✖ 0 of 1" in text


def test_the_members_of_a_set_are_one_original(test_data: Path, tmp_path: Path) -> None:
    companion, *members = (test_data / f"multifile{end}" for end in (".companion.ome", "_z0.ome.tiff", "_z1.ome.tiff", "_z2.ome.tiff"))
    (copy,) = converted(companion, tmp_path, "ome-tiff", *members)
    comparison = compare_many([companion, *members, test_data / "photo.jpg"], [copy, *converted(test_data / "photo.jpg", tmp_path)])
    assert list(comparison.formats) == ["multifile.companion.ome", "photo.jpg"]
    assert not any(row.differs for row in comparison.rows)


@pytest.mark.parametrize(
    ("originals", "copies", "flags", "code"),
    [
        (("cells.ome.tiff", "photo.jpg"), ("cells_05.ome.zarr.zip",), (), 0),
        (("cells.ome.tiff", "photo.jpg"), ("cells_05.ome.zarr.zip",), ("--fail-on", "pixels"), 4),
        (("cells.ome.tiff", "not_an_image.txt"), ("cells_05.ome.zarr.zip",), ("--strict",), 3),
        (("truncated.tif", "not_an_image.txt"), ("cells_05.ome.zarr.zip",), (), 1),
        (("cells.ome.tiff", "photo.jpg"), ("truncated.tif",), (), 1),
        (("cells.ome.tiff", "photo.jpg"), ("cells_05.ome.zarr.zip",), ("--member", "x.tif"), 2),
    ],
)
def test_exit_codes(test_data: Path, tmp_path: Path, originals: tuple[str, str], copies: tuple[str, ...], flags: tuple[str, ...], code: int) -> None:
    first, second = (str(test_data / name) for name in originals)
    words = [first, "--also", second, *(str(test_data / name) for name in copies), *flags, "--table", str(tmp_path / "t.tsv")]
    assert lm_compare.main(words) == code
    assert (tmp_path / "t.tsv").exists() is (code != 2)
