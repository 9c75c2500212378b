"""The script that writes a sheet into images: from the sheet that lm_describe makes to the copies, and what is said where it cannot."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tifffile

import lm_annotate
import lm_check
import lm_describe
from lightmicroscopy.reports.tables import ANNOTATED

from .annotations import PIXEL_SIZE_FIELDS, differences, document
from .test_read_ome_tiff_sets import full_set

IMAGES = ("cells.ome.tiff", "cells_04.ome.zarr", "two_series.ome.tiff", "plate_04.ome.zarr.zip")


def sheet(path: Path, *images: dict[str, str], **tables: list[dict[str, str]]) -> Path:
    """Write a sheet as YAML, which takes JSON."""
    path.write_text(json.dumps({**tables, "image": list(images)}), encoding="utf-8")
    return path


def annotated(folder: Path, *words: Path | str, code: int = 0) -> list[dict[str, str]]:
    table = folder / "table.tsv"
    assert lm_annotate.main([*map(str, words), "--output", str(folder / "out"), "--table", str(table), "--quiet"]) == code
    header, *lines = table.read_text(encoding="utf-8").splitlines()
    assert tuple(header.split("\t")) == ANNOTATED
    return [dict(zip(ANNOTATED, line.split("\t"), strict=True)) for line in lines]


def test_a_sheet_that_nobody_filled_in_changes_nothing_but_what_it_adds(test_data: Path, tmp_path: Path) -> None:
    import lm_describe

    described = tmp_path / "sheet.yaml"
    paths = [test_data / name for name in IMAGES]
    assert lm_describe.main([*map(str, paths), "--write-sheet", str(described), "--quiet"]) == 0
    rows = annotated(tmp_path, *paths, "--sheet", described)
    assert {row["status"] for row in rows} == {"done"}
    for row in rows:
        assert all(name.startswith("annotation ") for name in row["changed"].split("; "))
    for path in paths:
        found = differences(path, tmp_path / "out" / path.name)
        assert all(what.startswith(("annotation openmicroscopy.org", "annotation galaxy-light-microscopy/rembi/")) for what in found)


def test_a_filled_sheet_is_written_into_tiff_and_zarr_alike(test_data: Path, tmp_path: Path) -> None:
    row = {"pixel_size_x_um": "0.5", "pixel_size_y_um": "0.25", "pixel_size_z_um": "2", "specimen": "dish"}
    filled = sheet(
        tmp_path / "sheet.yaml",
        *({"image": name, **row} for name in IMAGES[:2]),
        specimen=[{"name": "dish", "biosample": "cells"}],
        biosample=[{"name": "cells", "organism": "Homo sapiens (NCBITaxon:9606)"}],
    )
    annotated(tmp_path, *(test_data / name for name in IMAGES[:2]), "--sheet", filled)
    for name in IMAGES[:2]:
        copy = tmp_path / "out" / name
        notes = {f"annotation {note.get('Namespace')}" for note in document(copy).iter("{*}MapAnnotation") if note.get("Namespace")}
        new = {
            "annotation openmicroscopy.org/mapr/organism",
            *(f"annotation galaxy-light-microscopy/rembi/{part}" for part in ("biosample", "specimen")),
        }
        assert new <= notes
        assert differences(test_data / name, copy) == PIXEL_SIZE_FIELDS | new


def test_tables_that_no_row_refers_to_may_be_left_out(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = annotated(
        tmp_path, test_data / IMAGES[0], "--sheet", sheet(tmp_path / "sheet.yaml", {"image": IMAGES[0], "series": "0", "pixel_size_x_um": "0.5"})
    )
    assert (row["status"], row["changed"]) == ("done", "pixel_size_x_um")
    assert capsys.readouterr().err == ""


def test_a_table_that_a_row_refers_to_is_missed(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = annotated(
        tmp_path, test_data / IMAGES[0], "--sheet", sheet(tmp_path / "sheet.yaml", {"image": IMAGES[0], "series": "0", "specimen": "dish"}), code=1
    )
    assert row["status"] == "failed"
    assert "dish" in capsys.readouterr().err


def test_rows_without_an_image_and_images_without_a_row_are_told(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled = sheet(tmp_path / "sheet.yaml", {"image": "cells.ome.tiff", "image_name": "A"}, {"image": "gone.tif"})
    rows = annotated(tmp_path, test_data / "cells.ome.tiff", test_data / "float.ome.tiff", "--sheet", filled)
    assert [(row["input"], row["status"]) for row in rows] == [("cells.ome.tiff", "done"), ("float.ome.tiff", "failed"), ("", "failed")]
    assert "The sheet has no row for it" in rows[1]["reason"]
    assert "“gone.tif”" in rows[2]["reason"]
    assert "gone.tif" in capsys.readouterr().err


def test_two_rows_for_one_image_stop_it_before_anything_is_written(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled = sheet(tmp_path / "sheet.yaml", {"image": "cells.ome.tiff", "image_name": "A"}, {"image": "cells.ome.tiff", "image_name": "B"})
    words = [str(test_data / "cells.ome.tiff"), "--sheet", str(filled), "--output", str(tmp_path / "out")]
    assert lm_annotate.main(words) == 2
    assert "Keep one row for each series" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["0.325 µm", "-1", "0"])
def test_a_value_no_image_has_costs_only_its_image(test_data: Path, tmp_path: Path, text: str) -> None:
    filled = sheet(tmp_path / "sheet.yaml", {"image": "cells.ome.tiff", "pixel_size_x_um": text}, {"image": "float.ome.tiff", "image_name": "A"})
    rows = annotated(tmp_path, test_data / "cells.ome.tiff", test_data / "float.ome.tiff", "--sheet", filled)
    assert [row["status"] for row in rows] == ["failed", "done"]
    assert "pixel_size_x_um" in rows[0]["reason"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["float.ome.tiff"]


@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--strict",), 3)])
def test_what_failed_fails_the_job_only_where_that_is_wanted(test_data: Path, tmp_path: Path, flags: tuple[str, ...], code: int) -> None:
    filled = sheet(tmp_path / "sheet.yaml", {"image": "cells.ome.tiff", "image_name": "A"}, {"image": "stack.czi", "image_name": "B"})
    rows = annotated(tmp_path, test_data / "cells.ome.tiff", test_data / "stack.czi", "--sheet", filled, *flags, code=code)
    assert "is Zeiss CZI, into which nothing is written. Convert it" in rows[1]["reason"]


def test_nothing_written_is_exit_code_1(test_data: Path, tmp_path: Path) -> None:
    filled = sheet(tmp_path / "sheet.yaml", {"image": "plain.tif", "image_name": "A"})
    (row,) = annotated(tmp_path, test_data / "plain.tif", "--sheet", filled, code=1)
    assert row["status"] == "failed"


@pytest.mark.parametrize("name", ["not_an_image.txt", "cells.ome.tiff", "gone.xlsx"])
def test_what_is_no_sheet_is_a_sentence(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    words = [str(test_data / "cells.ome.tiff"), "--sheet", str(test_data / name), "--output", str(tmp_path / "out")]
    assert lm_annotate.main(words) in (1, 2)
    assert name in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_image_on_the_web_is_to_be_fetched_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["https://example.org/a.ome.zarr", "--sheet", "sheet.xlsx", "--output", str(tmp_path / "out")]
    assert lm_annotate.main(words) == 2
    assert "https://example.org/a.ome.zarr is on the web. Fetch it first" in capsys.readouterr().err


def test_a_report_does_not_replace_the_sheet(test_data: Path, tmp_path: Path) -> None:
    filled = sheet(tmp_path / "sheet.yaml", {"image": "cells.ome.tiff", "image_name": "A"})
    before = filled.read_bytes()
    words = [str(test_data / "cells.ome.tiff"), "--sheet", str(filled), "--output", str(tmp_path / "out"), "--table", str(filled)]
    assert lm_annotate.main(words) == 2
    assert filled.read_bytes() == before


def test_a_report_does_not_replace_a_member_of_a_set_that_was_not_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = full_set(tmp_path / "in")
    before = [other.read_bytes() for other in others]
    filled = sheet(tmp_path / "sheet.yaml", {"image": first.name, "image_name": "A"})
    for other in others:
        words = [str(first), "--sheet", str(filled), "--output", str(tmp_path / "out"), "--table", str(other)]
        assert lm_annotate.main(words) == 2
        assert f"{other.name} cannot be written over an input." in capsys.readouterr().err
    assert [other.read_bytes() for other in others] == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["multifile.companion.ome", "multifile_z2.ome.tiff"])
def test_a_row_about_any_file_of_a_set_is_about_the_set(test_data: Path, tmp_path: Path, given: str) -> None:
    filled = sheet(tmp_path / "sheet.yaml", {"image": "multifile_z1.ome.tiff", "image_name": "A"})
    (row,) = annotated(tmp_path, test_data / given, "--sheet", filled)
    assert (row["input"], row["status"]) == (given, "done")
    assert lm_describe.main([str(test_data / given), "--read-sheet", str(filled), "--table", str(tmp_path / "read.tsv")]) == 0
    assert lm_check.main([str(test_data / given), str(filled), "--profile", "rembi", "--table", str(tmp_path / "checked.tsv")]) == 0
    for table in ("read.tsv", "checked.tsv"):
        assert "sheet.row-without-image" not in (tmp_path / table).read_text()
        assert "sheet.image-without-row" not in (tmp_path / table).read_text()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"<Pixels ", b"<Pixels<", r"OME-XML that cannot be read.*\(error parsing attribute name, line 1, column \d+\).*leaves that OME-XML out"),
        (b"Image", b"Omage", r"OME-XML in broken\.ome\.tiff does not fit its pixels .* Convert it with"),
    ],
)
def test_ome_xml_that_is_broken_is_told_as_that(test_data: Path, tmp_path: Path, old: bytes, new: bytes, told: str) -> None:
    content = (test_data / "cells.ome.tiff").read_bytes()
    (tmp_path / "broken.ome.tiff").write_bytes(content.replace(old, new))
    filled = sheet(tmp_path / "sheet.yaml", {"image": "broken.ome.tiff", "image_name": "A"})
    (row,) = annotated(tmp_path, tmp_path / "broken.ome.tiff", "--sheet", filled, code=1)
    assert re.search(told, row["reason"])
    assert "is TIFF, into which" not in row["reason"]


@pytest.mark.parametrize(("name", "table"), [("cells.ome.tiff", "cells.ome.tiff"), ("cells_04.ome.zarr", "cells_04.ome.zarr/.zattrs")])
def test_a_report_does_not_replace_a_copy(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, table: str) -> None:
    filled = sheet(tmp_path / "sheet.yaml", {"image": name, "image_name": "A"})
    out = tmp_path / "out"
    assert lm_annotate.main([str(test_data / name), "--sheet", str(filled), "--output", str(out), "--table", str(out / table)]) == 2
    assert "in the place of an annotated copy" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("number", ["9" * 5000, "1" + "0" * 300])
def test_a_number_of_a_series_may_be_of_any_length(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], number: str) -> None:
    filled = sheet(tmp_path / "sheet.yaml", {"image": "cells.ome.tiff", "image_name": "A", "series": number})
    (row, other) = annotated(tmp_path, test_data / "cells.ome.tiff", "--sheet", filled, code=1)
    assert {row["status"], other["status"]} == {"failed"}
    said = capsys.readouterr().err
    assert "has no series" in said
    assert "fault" not in said


def test_in_galaxy_all_copies_are_elements_of_one_list(test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    filled = sheet(tmp_path / "sheet.yaml", *({"image": name, "description": "all"} for name in IMAGES))
    words = [*(str(test_data / name) for name in IMAGES), "--sheet", str(filled), "--output", "outputs"]
    assert lm_annotate.main([*words, "--galaxy-collection", "annotated", "--galaxy-zip", "zip", "--quiet"]) == 0
    elements: list[dict[str, Any]] = json.loads(Path("galaxy.json").read_text())["annotated"]["elements"]
    assert {element["name"]: element["ext"] for element in elements} == {
        "cells.ome.tiff": "ome.tiff",
        "cells_04": "ome_zarr",
        "plate_04.ome.zarr.zip": "zip",
        "two_series.ome.tiff": "ome.tiff",
    }
    assert all(Path(element["filename"]).exists() for element in elements)


def test_a_name_without_end_is_told_shortly(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = annotated(tmp_path, test_data / IMAGES[0], "--sheet", sheet(tmp_path / "sheet.yaml", {"image": IMAGES[0]}, {"image": "x" * 1_000_000}))
    assert len(rows[-1]["reason"]) < 1000
    assert len(capsys.readouterr().err) < 2000


def test_a_row_about_an_image_that_cannot_be_read_is_not_told_to_be_about_none(
    test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.ome.tiff"
    broken.write_bytes((test_data / "cells.ome.tiff").read_bytes()[:100])
    filled = sheet(tmp_path / "sheet.yaml", {"image": "broken.ome.tiff", "image_name": "a"}, {"image": "cells.ome.tiff", "image_name": "b"})
    found = annotated(tmp_path, broken, test_data / "cells.ome.tiff", "--sheet", filled)
    assert [row["status"] for row in found] == ["failed", "done"]
    assert "No image that was given is called" not in capsys.readouterr().err


def test_values_of_other_channels_are_told_with_sheet_row_column_and_way_out(test_data: Path, tmp_path: Path) -> None:
    filled = sheet(
        tmp_path / "sheet.yaml",
        {"image": "cells.ome.tiff", "specimen": "dish"},
        {"image": "float.ome.tiff", "channel_names": "DAPI, GFP"},
        specimen=[{"name": "dish", "channel_content": "DNA; tubulin; actin"}],
    )
    found = annotated(tmp_path, test_data / "cells.ome.tiff", "--sheet", filled, code=1)
    assert re.search(
        r"“Channel - content” .*specimen.* has 3 values, and cells\.ome\.tiff, series 0 has 2 channels\. .*semicolons", found[0]["reason"]
    )


@pytest.mark.parametrize("text", ["long " * 8000, " blanks at its ends ", "a&#10;b", "&#9;=1+1"])
@pytest.mark.parametrize("where", ["Name", "Description"])
def test_a_sheet_that_nobody_filled_in_leaves_every_text_as_it_is(test_data: Path, tmp_path: Path, text: str, where: str) -> None:
    image, described = tmp_path / "odd.ome.tiff", tmp_path / "sheet.yaml"
    image.write_bytes((test_data / "cells.ome.tiff").read_bytes())
    comment = tifffile.tiffcomment(image)
    if where == "Name":
        comment = re.sub('(<Image [^>]*)Name="[^"]*"', lambda found: f'{found[1]}Name="{text}"', comment, count=1)
    else:
        comment = re.sub("(<Image .*?<Description>)[^<]*", lambda found: f"{found[1]}{text}", comment, count=1)
    tifffile.tiffcomment(image, comment.encode())
    assert lm_describe.main([str(image), "--write-sheet", str(described), "--quiet"]) == 0
    annotated(tmp_path, image, "--sheet", described)
    assert not {"image_name", "description"} & differences(image, tmp_path / "out" / image.name)
    before, after = (document(path).find("{*}Image") for path in (image, tmp_path / "out" / image.name))
    for was, is_ in ((before.get("Name"), after.get("Name")), (before.findtext("{*}Description"), after.findtext("{*}Description"))):
        assert len(was) == len(is_)
        assert (was == is_) is True
