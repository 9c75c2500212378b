"""A fault is told once, by the rule that says most about it; and what a conversion came from is not forgotten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lightmicroscopy.convert import Request, convert
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import ImageMetadata, Location
from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.findings import Finding, told_once
from lightmicroscopy.reports.findings_json import document
from lightmicroscopy.reports.preview import write_preview
from lightmicroscopy.writers.options import WriteOptions

from .czi_files import Tile, noise, write_czi
from .memory_image import memory_image
from .zarr_stores import OME_XML, Files, edited, folder, image_of, image_store, several, waves

SHAPE = (2, 2, 3, 37, 50)
KNOWN = image_store(waves(SHAPE), "0.4")
UNKNOWN = image_store(waves(SHAPE), "0.4", image=image_of(waves(SHAPE), metadata=ImageMetadata()))
ABOUT_SIZE = {"ngff.units", "ome.pixel-size-missing", "ome.z-step-missing", "ome.time-missing"}
ABOUT_NAMES = {"ngff.channel-label", "ome.channel-name-missing"}


def rules(files: Files, path: Path, wanted: set[str]) -> list[str]:
    """Return the rules among those wanted that found something, once per finding."""
    report = check([folder(files, path / "cells.ome.zarr")])
    assert not report.failed
    return sorted(finding.rule for finding in report.findings if finding.rule in wanted)


def without_unit(files: Files, axis: int) -> Files:
    return edited(files, ".zattrs", lambda value: value["multiscales"][0]["axes"][axis].pop("unit"))


def with_label(files: Files, label: object) -> Files:
    return edited(files, ".zattrs", lambda value: value["omero"]["channels"][0].update(label=label))


def test_a_size_that_nothing_states_is_told_by_the_rule_on_sizes(tmp_path: Path) -> None:
    assert rules(UNKNOWN, tmp_path, ABOUT_SIZE) == ["ome.pixel-size-missing", "ome.time-missing", "ome.z-step-missing"]


def test_a_z_step_without_a_unit_is_told_by_the_rule_on_units(tmp_path: Path) -> None:
    assert rules(without_unit(KNOWN, 2), tmp_path, ABOUT_SIZE) == ["ngff.units"]


def test_a_unit_that_only_the_store_lacks_is_told_where_web_viewers_read(tmp_path: Path) -> None:
    assert rules(without_unit(KNOWN, 4) | {"OME/METADATA.ome.xml": OME_XML}, tmp_path, ABOUT_SIZE) == ["ngff.units"]


@pytest.mark.parametrize("label", ["", None])
def test_a_channel_that_nothing_names_is_told_by_the_rule_on_names(tmp_path: Path, label: object) -> None:
    assert rules(with_label(KNOWN, label), tmp_path, ABOUT_NAMES) == ["ome.channel-name-missing"]


def test_a_label_that_is_no_name_is_told_by_the_rule_on_labels(tmp_path: Path) -> None:
    assert rules(with_label(KNOWN, 5), tmp_path, ABOUT_NAMES) == ["ngff.channel-label"]


def test_a_name_that_only_the_ome_xml_has_is_told_by_the_rule_on_labels(tmp_path: Path) -> None:
    assert rules(with_label(KNOWN, "") | {"OME/METADATA.ome.xml": OME_XML}, tmp_path, ABOUT_NAMES) == ["ngff.channel-label"]


def test_a_version_that_is_not_stated_is_told_by_the_rule_on_versions(tmp_path: Path) -> None:
    files = edited(KNOWN, ".zattrs", lambda value: (value["multiscales"][0].pop("version"), value["omero"].pop("version", None)))
    assert rules(files, tmp_path, {"ngff.version", "source.reader-note"}) == ["ngff.version"]


def test_a_series_that_is_listed_but_not_there_is_told_by_the_rule_on_that(tmp_path: Path) -> None:
    assert rules(several("0.4", ["0", "7"]), tmp_path, {"ngff.listed-missing", "source.reader-note"}) == ["ngff.listed-missing"]


def test_an_ome_xml_that_disagrees_is_told_by_the_rule_on_that(tmp_path: Path) -> None:
    files = KNOWN | {"OME/METADATA.ome.xml": OME_XML.replace(b'SizeX="50"', b'SizeX="51"')}
    assert rules(files, tmp_path, {"ngff.ome-xml-disagrees", "source.reader-note"}) == ["ngff.ome-xml-disagrees"]


def test_white_that_is_zero_is_told_by_the_rule_on_that(test_data: Path) -> None:
    found = [finding.rule for finding in check([test_data / "white_is_zero.tif"]).findings]
    assert "source.white-is-zero" in found
    assert "source.reader-note" not in found


def test_planes_that_are_not_in_the_file_are_a_warning_of_their_own(tmp_path: Path) -> None:
    planes = [Tile(noise(4, 5, seed=z), {"C": 0, "Z": z}) for z in (0, 2)]
    findings = check([write_czi(tmp_path / "a.czi", planes)]).findings
    told = [(finding.rule, finding.severity) for finding in findings if "1 of 3 planes of a are not in the file" in finding.message]
    assert told == [("source.planes-missing", "warning")]


def test_other_notes_of_a_reader_are_still_told(test_data: Path) -> None:
    assert "source.reader-note" in [finding.rule for finding in check([test_data / "plain.tif"]).findings]


def test_a_rule_whose_findings_another_tells_did_not_pass(tmp_path: Path) -> None:
    (item,) = check([folder(UNKNOWN, tmp_path / "cells.ome.zarr")]).inputs
    assert item.statuses["ngff.units"] == "found"


def test_more_of_the_same_than_is_listed_leaves_no_orphan_behind(tmp_path: Path) -> None:
    shape = (1, 30, 1, 32, 32)
    files = image_store(waves(shape), "0.4", image=image_of(waves(shape), metadata=ImageMetadata()))
    assert rules(files, tmp_path, ABOUT_NAMES) == ["ome.channel-name-missing"]


def finding(rule: str, about: tuple[str, ...], precision: int) -> Finding:
    return Finding("a", "0", "open-format", rule, "warning", "", "", "", "", about=about, precision=precision)


def test_a_finding_stays_while_one_thing_it_is_about_is_told_nowhere_better() -> None:
    both, one = finding("vague", ("x", "y"), 0), finding("exact", ("x",), 1)
    assert told_once([both, one]) == [both, one]
    assert told_once([both, one, finding("exact", ("y",), 1)])[0] == one


def test_findings_about_nothing_in_particular_all_stay() -> None:
    assert len(told_once([finding("a", (), 0), finding("b", (), 1)])) == 2


def test_keys_of_findings_are_in_no_report(test_data: Path) -> None:
    report = check([test_data / "plain.tif"])
    assert not any({"about", "precision"} & set(row) for row in (*report.rows(), *document(report)["findings"]))


def converted(source: Path, output: Path, target: str = "ome-zarr", **options: str) -> Path:
    request = Request(target, options=WriteOptions(**options))  # type: ignore[arg-type]
    done = convert(Location(source), output, request)
    done.dataset.close()
    return done.paths[0]


def origin(path: Path) -> list[tuple[str, str]]:
    return [(finding.severity, finding.message) for finding in check([path]).findings if finding.rule == "source.lossy-origin"]


@pytest.mark.parametrize("target", ["ome-tiff", "ome-zarr"])
def test_values_that_jpeg_had_changed_are_told_of_the_converted_image(test_data: Path, tmp_path: Path, target: str) -> None:
    ((severity, message),) = origin(converted(test_data / "photo.jpg", tmp_path, target))
    assert severity == "warning"
    assert message == "Series 0 was converted from photo.jpg (JPEG), in which lossy compression had changed the pixel values."


@pytest.mark.parametrize("original", ["keep", "drop"])
def test_they_are_told_after_a_second_conversion_too(test_data: Path, tmp_path: Path, original: str) -> None:
    first = converted(test_data / "photo.jpg", tmp_path / "first")
    ((severity, message),) = origin(converted(first, tmp_path / "second", "ome-tiff", original=original))
    assert severity == "warning"
    assert "lossy compression" in message


def test_a_format_without_metadata_is_noted_of_the_converted_image(test_data: Path, tmp_path: Path) -> None:
    ((severity, message),) = origin(converted(test_data / "grey16.png", tmp_path))
    assert severity == "info"
    assert message.startswith("Series 0 was converted from grey16.png (PNG). A PNG file does not say pixel size")


def test_nothing_is_said_of_an_image_that_came_from_a_good_one(test_data: Path, tmp_path: Path) -> None:
    assert origin(converted(test_data / "cells.ome.tiff", tmp_path)) == []


def test_a_preview_checked_by_mistake_is_told_apart_from_an_image(test_data: Path, tmp_path: Path) -> None:
    preview = tmp_path / "preview.png"
    write_preview([("cells", memory_image(np.ones((1, 1, 1, 64, 64, 1), np.uint8)))], preview)
    report = check([preview, test_data / "rgb.png"])
    assert [item.name for item in report.failed] == ["preview.png"]
    (found,) = [finding for finding in report.findings if finding.input == "preview.png"]
    assert (found.rule, found.severity) == ("input.preview", "error")
    assert found.message == "preview.png is a preview, made by this suite to look at, and not the image. Choose the image that it shows."


def test_a_preview_is_not_converted(tmp_path: Path) -> None:
    preview = tmp_path / "preview.png"
    write_preview([], preview)
    with pytest.raises(UnreadableError, match="is a preview, made by this suite"):
        converted(preview, tmp_path / "out")
    assert not (tmp_path / "out").exists()
