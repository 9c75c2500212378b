"""Regions of interest of images of the IDR: in a table, and in the images that are written."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from lxml import etree

from lightmicroscopy.archives import idr_rois
from tests.archives import Archive
from tests.archives.content.oddities import BIG, EVERYTHING

from .idr_downloads import Downloads, Row, asked, read_table

PART = ("--z", "2:6", "--region", "0,0,128,160")


def rois(download: Downloads, *arguments: object) -> list[Row]:
    """Download with the table of regions, and read it."""
    run = download(*arguments, "--rois", download.folder / "rois.tsv")
    assert run.code == 0, run.stderr
    return read_table(download.folder / "rois.tsv")


def test_every_shape_is_a_row_with_its_geometry_units_and_text(download: Downloads) -> None:
    rows = rois(download, BIG, "--format", "metadata")
    assert [row["type"] for row in rows] == ["Rectangle", "Ellipse", "Polygon", "Polyline", "Line", "Point", "Mask", "Path"]
    box, ellipse, polygon, polyline, line, point, mask, path = rows
    assert {key: box[key] for key in ("x", "y", "width", "height", "z", "c", "t", "unit", "text", "stroke_color")} == {
        "x": "10",
        "y": "12",
        "width": "30",
        "height": "20",
        "z": "3",
        "c": "",
        "t": "0",
        "unit": "pixel",
        "text": "a cell",
        "stroke_color": "#FF0000FF",
    }
    assert (ellipse["radius_x"], ellipse["stroke_width"], ellipse["stroke_width_unit"]) == ("5", "2.5", "pixel")
    assert ellipse["roi_id"] == box["roi_id"] != polygon["roi_id"]
    assert polygon["points"] == "100,100 120,100 110,130"
    assert polyline["points"] == "1000,1000 1020,1000"
    assert (line["x1"], line["y2"], point["transform"]) == ("1", "40", "1 0 0 1 5 6")
    assert "not its pixels" in mask["loss"]
    assert (mask["x"], mask["width"]) == ("0", "64")
    assert "does not know" in path["loss"]


def test_regions_that_fit_the_selection_are_written_into_the_image_and_moved_with_it(download: Downloads) -> None:
    rois(download, BIG, *PART, "--level", "0", "--channel", "index:1")
    (made,) = (download.folder / "out").glob("*.ome.tiff")
    import tifffile

    root = etree.fromstring(tifffile.tiffcomment(made).encode())
    found = [etree.QName(shape).localname for union in root.iterfind(".//{*}Union") for shape in union]
    assert found == ["Rectangle", "Ellipse", "Polygon", "Line", "Point"]
    box = root.find(".//{*}Rectangle")
    assert (box.get("TheZ"), box.get("X"), box.get("Text")) == ("1", "10", "a cell")
    assert root.find(".//{*}Polygon").get("TheC") == "0"


def test_a_mask_without_pixels_is_named_as_a_loss_in_the_manifest(download: Downloads) -> None:
    run = download(BIG, "--format", "metadata", "--rois", download.folder / "rois.tsv")
    assert "not its pixels" in run.manifest[0]["reason"]
    assert "not its pixels" in run.stderr


def test_nothing_is_asked_about_regions_unless_they_are_wanted(download: Downloads, archive: Archive) -> None:
    with asked(archive) as paths:
        download(BIG, "--format", "metadata")
    assert not [path for path in paths if "/rois/" in path]


def test_an_image_without_regions_has_no_row(download: Downloads) -> None:
    assert rois(download, 6001240, "--format", "metadata") == []


def test_that_regions_cannot_be_had_is_told_and_costs_no_image(download: Downloads, archive: Archive) -> None:
    archive.faults.add("json-error", r"/images/99000007/rois/", count=0)
    run = download(EVERYTHING, "--format", "metadata", "--rois", download.folder / "rois.tsv")
    assert run.statuses == [(f"image-{EVERYTHING}", "done")]
    assert "regions of interest could not be had" in run.manifest[0]["reason"]


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"@type": 7, "X": "1"},
        {"@type": "x#Rectangle", "X": float("nan"), "Y": 1, "Width": 1, "Height": 1},
        {"@type": "x#Rectangle", "X": True, "Y": 1, "Width": 1, "Height": 1},
        {"@type": "x#Polygon", "Points": ["1,2"]},
        {"@type": "x#Polygon", "Points": "1,2 " * 500_000},
        {"@type": "x#Point", "X": 10**400, "Y": 0},
        "no object",
        None,
    ],
)
def test_a_shape_that_makes_no_sense_is_a_row_that_says_so_and_is_not_drawn(shape: Any) -> None:
    found = idr_rois._shape(shape if isinstance(shape, dict) else {})
    assert found.shape is None
    assert found.loss


def test_regions_without_end_are_refused(download: Downloads, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idr_rois, "MOST_SHAPES", 4)
    run = download(BIG, "--format", "metadata", "--rois", download.folder / "rois.tsv")
    assert run.code == 0
    assert re.search("more than 4 regions", run.manifest[0]["reason"])


def test_a_text_that_is_a_formula_of_xml_or_of_a_table_stays_text(download: Downloads, archive: Archive) -> None:
    shape = {"@id": 6, "@type": "x#Point", "X": 1, "Y": 2, "Text": "<a>&\t\u0007\n\u2028"}
    body = json.dumps({"data": [{"@id": 5, "@type": "x#ROI", "shapes": [shape]}], "meta": {"totalCount": 1}})
    archive.faults.add("replace", r"/images/99000007/rois/", body=body, content_type="application/json", count=0)
    (row,) = rois(download, EVERYTHING, "--format", "metadata")
    assert row["text"] == "<a>&"
