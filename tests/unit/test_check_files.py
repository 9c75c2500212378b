"""Rules on TIFF, plain pictures and metadata files: what a microscopist is told about the file itself."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.findings import Subject, run_rule
from lightmicroscopy.metadata.rules import catalogue

from . import czi_files as czi
from .check_examples import of_rule, ome_xml


def test_a_tiff_renamed_to_ome_tiff_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "renamed.ome.tiff"
    tifffile.imwrite(path, np.zeros((24, 32), np.uint16), metadata=None, ome=False)
    found = check([path]).findings
    assert of_rule(found, "tiff.ome-missing")
    assert of_rule(found, "source.metadata-free")


def test_a_plain_tiff_is_told_what_it_cannot_say(tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, np.zeros((24, 32), np.uint16), metadata=None)
    found = check([path]).findings
    assert of_rule(found, "source.metadata-free")[0].severity == "warning"
    assert of_rule(found, "tiff.ome-missing") == []


def test_a_stack_taken_downwards_has_no_wrong_pixel_size(tmp_path: Path) -> None:
    path = tmp_path / "falling.tif"
    options = {"axes": "ZYX", "spacing": -0.5, "unit": "um"}
    tifffile.imwrite(path, np.zeros((3, 24, 32), np.uint16), imagej=True, resolution=(4.0, 4.0), metadata=options)
    assert [finding.message for finding in check([path]).findings if "pixel-size" in finding.rule] == []


def test_a_png_and_a_jpeg_are_told_what_is_lost(tmp_path: Path) -> None:
    picture = Pillow.fromarray(np.random.default_rng(1).integers(0, 255, (32, 40, 3), np.uint8).astype(np.uint8))
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "b.jpg")
    report = check([tmp_path / "a.png", tmp_path / "b.jpg"])
    free = of_rule(report.findings, "source.metadata-free")
    assert {finding.input for finding in free} == {"a.png", "b.jpg"}
    assert "pixel size" in free[0].message
    assert [finding.input for finding in of_rule(report.findings, "source.lossy")] == ["b.jpg"]


def test_jpeg_tiles_inside_a_tiff_are_lossy(tmp_path: Path) -> None:
    path = tmp_path / "slide.tif"
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8).astype(np.uint8)
    tifffile.imwrite(path, pixels, compression="jpeg", tile=(32, 32), photometric="rgb", metadata=None)
    assert of_rule(check([path]).findings, "source.lossy")[0].severity == "warning"


def test_jpeg_blocks_inside_a_czi_are_lossy_and_lossless_ones_are_not(tmp_path: Path) -> None:
    for name, compression in (("lossy.czi", czi.JPEG), ("lossless.czi", czi.JPEGXR)):
        pixels = np.random.default_rng(1).integers(0, 255, (20, 30), np.uint8).astype(np.uint8)
        czi.write_czi(tmp_path / name, [czi.Tile(pixels, {"C": 0}, compression)])
    (finding,) = of_rule(check([tmp_path / "lossy.czi", tmp_path / "lossless.czi"]).findings, "source.lossy")
    assert (finding.input, finding.severity) == ("lossy.czi", "warning")
    assert "JPEG" in finding.message and "not the measured ones" in finding.message


def test_a_label_map_with_lossy_compression_is_an_error() -> None:
    from dataclasses import replace

    from lightmicroscopy.image import Dataset, Location

    from .memory_image import memory_image

    image = replace(memory_image(np.zeros((1, 1, 1, 4, 4, 1), np.uint8), kind="label"), lossy=True, compression="jpeg")
    subject = Subject("a", Path("a"), Dataset(Location(Path("a")), "OME-TIFF", (image,)))
    lossy = next(item for item in catalogue() if item.id == "source.lossy")
    assert run_rule(lossy, subject, "open-format")[0][0].severity == "error"


def test_white_is_zero_and_colour_tables_are_noted(tmp_path: Path) -> None:
    inverted, indexed = tmp_path / "inverted.tif", tmp_path / "indexed.tif"
    tifffile.imwrite(inverted, np.zeros((24, 32), np.uint8), photometric="miniswhite", metadata=None)
    table = np.random.default_rng(3).integers(0, 65535, (3, 256), np.uint16).astype(np.uint16)
    tifffile.imwrite(indexed, np.zeros((24, 32), np.uint8), photometric="palette", colormap=table, metadata=None)
    found = check([inverted, indexed]).findings
    assert [finding.input for finding in of_rule(found, "source.white-is-zero")] == ["inverted.tif"]
    assert [finding.input for finding in of_rule(found, "source.indexed")] == ["indexed.tif"]


def test_a_computer_and_an_artist_in_tiff_tags_are_personal_data(tmp_path: Path) -> None:
    path = tmp_path / "tags.tif"
    tifffile.imwrite(path, np.zeros((24, 32), np.uint8), metadata=None, extratags=[(316, 2, 0, "LAB-PC-7", True), (315, 2, 0, "Ada Lovelace", True)])
    messages = " ".join(finding.message for finding in of_rule(check([path]).findings, "ome.personal-data"))
    assert "LAB-PC-7" in messages
    assert "Ada Lovelace" in messages


def test_large_planes_without_tiles_or_pyramid_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, np.zeros((4100, 4100), np.uint8), compression="zlib", metadata=None)
    found = check([path]).findings
    assert of_rule(found, "tiff.no-pyramid")[0].severity == of_rule(found, "tiff.not-tiled")[0].severity == "info"


def test_metadata_alone_are_checked_and_the_missing_files_named(tmp_path: Path) -> None:
    path = tmp_path / "set.companion.ome"
    path.write_text(ome_xml(pixels="", data='<TiffData IFD="0"><UUID FileName="a.ome.tif">urn:uuid:0</UUID></TiffData>'), encoding="utf-8")
    report = check([path])
    assert report.failed == ()
    assert of_rule(report.findings, "ome.pixel-size-missing")
    assert "a.ome.tif" in of_rule(report.findings, "ome.file-missing")[0].message


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_metadata_from_windows_editors_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.ome.xml"
    path.write_text(ome_xml(pixels="", data="<MetadataOnly/>").replace("UTF-8", "utf-16" if encoding == "utf-16" else "UTF-8"), encoding=encoding)
    assert of_rule(check([path]).findings, "ome.pixel-size-missing")


def test_xml_that_is_no_ome_xml_is_one_failed_input(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<html><body/></html>")
    report = check([path])
    assert len(report.failed) == 1
    assert report.findings[0].rule == "input.unreadable"
    assert "html" in report.findings[0].message


@pytest.mark.parametrize(
    "content",
    [b"", b"no image at all", b"II*\0\xff\xff\xff\xff", b"MM\0*" + struct.pack(">I", 8), b"<", b"\xff\xfe<", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n"],
)
def test_rubbish_costs_its_own_row_only(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rubbish.tif").write_bytes(content)
    (tmp_path / "good.xml").write_text(ome_xml(data="<MetadataOnly/>"), encoding="utf-8")
    report = check([tmp_path / "rubbish.tif", tmp_path / "good.xml"])
    assert [item.name for item in report.failed] == ["rubbish.tif"]
    assert [finding.input for finding in report.findings if finding.severity == "error"] == ["rubbish.tif"]


def test_a_truncated_tiff_is_unreadable_but_its_metadata_are_still_checked(tmp_path: Path) -> None:
    path = tmp_path / "cut.ome.tif"
    tifffile.imwrite(path, np.zeros((24, 32), np.uint16), description=ome_xml(pixels="").encode(), metadata=None)
    path.write_bytes(path.read_bytes()[:-600])
    report = check([path])
    assert of_rule(report.findings, "input.unreadable")
    assert of_rule(report.findings, "ome.pixel-size-missing")


def test_what_is_not_there_is_a_failed_input_and_no_crash(tmp_path: Path) -> None:
    report = check([tmp_path / "missing.tif"])
    assert len(report.failed) == 1
    assert "missing.tif" in report.findings[0].message


def test_the_files_of_one_set_are_checked_once(realfiles: Path) -> None:
    report = check(sorted((realfiles / "ometiff").glob("multifile*")))
    assert len(report.checked) == 1
    assert {item.part_of for item in report.inputs} == {"", report.checked[0].name}
    assert {finding.input for finding in report.findings} == {report.checked[0].name}


def test_real_ome_tiffs_have_no_false_errors(realfiles: Path) -> None:
    report = check(sorted((realfiles / "ometiff").glob("*.tif*")))
    assert [finding for finding in report.findings if finding.severity in ("error", "not-run")] == []
