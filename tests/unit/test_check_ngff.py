"""Each rule on OME-Zarr finds what it is for, and keeps quiet about a sound store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy.image import ImageMetadata
from lightmicroscopy.metadata import ngff
from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.findings import Finding
from lightmicroscopy.metadata.rules import _groups, catalogue
from lightmicroscopy.provenance import NAMESPACE
from lightmicroscopy.readers.ome_zarr import read_group
from lightmicroscopy.readers.zarr_store import open_store

from .zarr_stores import OME_XML, Files, array_store, edited, folder, group, halved, image_of, image_store, plate_store, several, waves, zipped

SHAPE = (2, 2, 3, 37, 50)
XML = {"OME/METADATA.ome.xml": OME_XML}
FOUR, FIVE = image_store(waves(SHAPE), "0.4") | XML, image_store(waves(SHAPE), "0.5") | XML
NOISE = np.random.default_rng(1).integers(0, 4000, SHAPE, "uint16")
RULES = {rule.id for rule in catalogue() if rule.id.startswith("ngff.")}


def found(files: Files, path: Path) -> dict[str, list[Finding]]:
    """Findings of the rules on OME-Zarr, by rule."""
    store = folder(files, path / "cells.ome.zarr")
    report = check([store])
    assert not report.failed, [item.unreadable for item in report.failed]
    by_rule: dict[str, list[Finding]] = {}
    for finding in report.findings:
        if finding.rule in RULES:
            by_rule.setdefault(finding.rule, []).append(finding)
    return by_rule


def first(change: Callable[[dict[str, Any]], object]) -> Files:
    """The sound 0.4 store with its first multiscale changed."""
    return edited(FOUR, ".zattrs", lambda value: change(value["multiscales"][0]))


def channel(change: dict[str, Any], *, drop: str = "") -> Files:
    """The sound 0.4 store with its first channel changed."""

    def edit(value: Any) -> None:
        entry = value["omero"]["channels"][0]
        entry.update(change)
        entry.pop(drop, None)

    return edited(FOUR, ".zattrs", edit)


def labelled(dtype: str, version: ngff.Version = "0.4") -> Files:
    labels = (waves((2, 1, 3, 37, 50)) // 200).astype(dtype)
    nuclei = image_store(labels, version, path="labels/nuclei", image=image_of(labels, kind="label", label_of=0, name="nuclei"))
    return (FOUR if version == "0.4" else FIVE) | group("labels", ngff.labels_attributes(["nuclei"], version), version) | nuclei


def averaged_labels() -> Files:
    labels = np.random.default_rng(2).integers(0, 2, (2, 1, 3, 37, 50), "uint16") * 1000
    image = image_of(labels, kind="label", label_of=0, name="nuclei")
    files = image_store(labels, "0.4", path="labels/nuclei", image=image) | array_store(halved(labels), "labels/nuclei/1", "0.4")
    return FOUR | group("labels", ngff.labels_attributes(["nuclei"], "0.4"), "0.4") | files


SOUND: dict[str, Files] = {
    "0.4": FOUR,
    "0.5": FIVE,
    "0.4 with a label map": labelled("uint16"),
    "0.5 with a label map": labelled("uint16", "0.5"),
    "three levels": image_store(waves((1, 1, 1, 133, 90)), "0.4", levels=3),
    "floating point": image_store(waves(SHAPE, "float32"), "0.4"),
    "noise": image_store(NOISE, "0.4"),
    "noise, levels by single pixels": image_store(NOISE, "0.4") | array_store(halved(NOISE, "label"), "1", "0.4"),
    "one value": image_store(np.full((1, 1, 1, 64, 64), 7, "uint8"), "0.4"),
    "several series": several("0.4", ["0", "1"]),
    "several series, 0.5": several("0.5", ["0", "1"]),
    "a plate": plate_store("0.4"),
    "a plate, 0.5": plate_store("0.5"),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_store_has_no_findings_beyond_its_missing_ome_xml(tmp_path: Path, name: str) -> None:
    assert set(found(SOUND[name], tmp_path)) <= {"ngff.ome-xml-missing"}


def test_a_zip_is_checked_as_a_folder_is(tmp_path: Path) -> None:
    broken = channel({"color": "#00FF00"})
    report = check([zipped(broken, tmp_path / "cells.ome.zarr.zip")])
    assert [finding.rule for finding in report.findings if finding.rule in RULES] == ["ngff.channel-color"]


def in_wrong_zarr() -> Files:
    """NGFF 0.4 attributes in Zarr v3."""
    return edited(
        FIVE, "zarr.json", lambda value: value.update(attributes={"multiscales": [value["attributes"]["ome"]["multiscales"][0] | {"version": "0.4"}]})
    )


FAULTS: list[tuple[str, str, Files, str]] = [
    (
        "ngff.structure",
        "error",
        first(lambda item: item.pop("datasets") and item.update(datasets=[{"path": "0"}])),
        "coordinateTransformations is missing",
    ),
    ("ngff.structure", "error", channel({}, drop="window"), "omero.channels.0.window is missing"),
    ("ngff.structure", "error", first(lambda item: item["axes"].__setitem__(0, {"name": "t", "type": "space"})), "space"),
    ("ngff.structure", "error", edited(FIVE, "0/zarr.json", lambda value: value.update(dimension_names=None)), "dimension_names"),
    (
        "ngff.structure",
        "error",
        edited(
            plate_store("0.4"),
            ".zattrs",
            lambda value: value["plate"].pop("rows") and value["plate"].update(rows=[{"name": "A"}, {"name": "B"}, {"name": "é"}]),
        ),
        "rows",
    ),
    (
        "ngff.structure",
        "error",
        edited(
            plate_store("0.5"),
            "B/7/1/zarr.json",
            lambda value: value["attributes"]["ome"]["multiscales"][0]["datasets"][0].pop("coordinateTransformations"),
        ),
        "group B/7/1",
    ),
    (
        "ngff.structure",
        "error",
        edited(
            labelled("uint16"),
            "labels/nuclei/.zattrs",
            lambda value: value["image-label"].update(colors=[{"label-value": 1, "rgba": [0, 0, 0, 900]}]),
        ),
        "label",
    ),
    ("ngff.version", "warning", first(lambda item: item.update(version="0.4-dev")), "0.4-dev"),
    (
        "ngff.version",
        "warning",
        edited(FOUR, ".zattrs", lambda value: (value["multiscales"][0].pop("version"), value["omero"].pop("version"))),
        "does not say its version",
    ),
    (
        "ngff.version",
        "info",
        first(lambda item: (item.update(version="0.2"), item.pop("axes"), item.update(datasets=[{"path": "0"}]))),
        "old version 0.2",
    ),
    ("ngff.axes", "warning", first(lambda item: item["axes"][4].pop("type")), "of which type its axis x is"),
    ("ngff.axes", "warning", first(lambda item: item["axes"][1].update(type="space")), "where channel is meant"),
    ("ngff.axes", "warning", first(lambda item: item["axes"].reverse()), "order x y z c t"),
    ("ngff.axes", "warning", first(lambda item: item["axes"][1].update(name="channel")), "calls an axis “channel”"),
    ("ngff.axes", "error", first(lambda item: item.pop("axes")), "what its dimensions are"),
    ("ngff.units", "warning", first(lambda item: item["axes"][4].pop("unit")), "scale 0.5 along x but no unit"),
    ("ngff.units", "warning", first(lambda item: item["axes"][4].update(unit="µm")), "spells in full"),
    ("ngff.units", "warning", first(lambda item: item["axes"][4].update(unit="unit")), "none that OME-Zarr knows"),
    (
        "ngff.units",
        "warning",
        image_store(waves(SHAPE), "0.4", image=image_of(waves(SHAPE), metadata=ImageMetadata())) | XML,
        "its size there is not known",
    ),
    ("ngff.scale", "error", first(lambda item: item["datasets"][0]["coordinateTransformations"][0]["scale"].__setitem__(4, 0)), "scale 0 along x"),
    ("ngff.scale", "error", first(lambda item: item["datasets"][1]["coordinateTransformations"][0]["scale"].__setitem__(2, -2)), "scale -2 along z"),
    ("ngff.scale", "warning", first(lambda item: item["datasets"][0].pop("coordinateTransformations")), "no usable scale"),
    ("ngff.channel-count", "warning", edited(FOUR, ".zattrs", lambda value: value["omero"]["channels"].pop()), "has 2 channels, but describes 1"),
    ("ngff.channel-count", "info", edited(FOUR, ".zattrs", lambda value: value.pop("omero")), "no 'omero' block"),
    ("ngff.channel-color", "warning", channel({"color": "#00FF00"}), "“#00FF00”, not as RRGGBB"),
    ("ngff.channel-color", "warning", channel({"color": -65281}), "-65281"),
    ("ngff.channel-color", "warning", channel({}, drop="color"), "does not say in which colour"),
    ("ngff.channel-label", "warning", channel({}, drop="label"), "has no label"),
    ("ngff.channel-label", "warning", channel({"label": 0}), "which is no name"),
    ("ngff.window", "warning", channel({"window": {"min": 0, "max": 255, "start": 0, "end": 255}}), "range of 8-bit pixels"),
    ("ngff.window", "warning", channel({"window": {"min": 0, "max": 65535, "start": 9, "end": 9}}), "which is no range"),
    ("ngff.window", "warning", channel({"window": {"min": 10, "max": 4095, "start": 0, "end": 900}}), "outside of its own limits"),
    ("ngff.window", "warning", channel({"window": {"min": 0, "max": 70000, "start": 0, "end": 900}}), "more than its pixels of type uint16 can hold"),
    ("ngff.window", "warning", channel({"window": {"min": 0, "max": 65535, "start": 0, "end": 5000}}), "12 significant bits end at 4095"),
    ("ngff.window", "warning", channel({"window": {"min": 0, "max": 1}}), "without numbers"),
    ("ngff.window", "warning", channel({}, drop="window"), "no display range"),
    ("ngff.label-type", "error", labelled("float32"), "float32"),
    ("ngff.listed-missing", "error", several("0.4", ["0", "7"]), "series 7"),
    ("ngff.listed-missing", "error", {name: data for name, data in plate_store("0.4").items() if not name.startswith("A/12")}, "well A/12"),
    ("ngff.ome-xml-missing", "info", image_store(waves(SHAPE), "0.4"), "METADATA.ome.xml"),
    ("ngff.ome-xml-disagrees", "error", FOUR | {"OME/METADATA.ome.xml": OME_XML.replace(b'SizeX="50"', b'SizeX="51"')}, "the arrays are right"),
    ("ngff.ome-xml-disagrees", "error", several("0.4", ["0", "1"]) | XML, "describes 1 image, but the store has 2"),
    (
        "ngff.pyramid-shapes",
        "error",
        {name: data for name, data in FOUR.items() if name[:2] != "1/"} | array_store(waves(SHAPE), "1", "0.4"),
        "not smaller than",
    ),
    (
        "ngff.pyramid-shapes",
        "error",
        {name: data for name, data in FOUR.items() if name[:2] != "1/"} | array_store(halved(waves(SHAPE)).astype("uint8"), "1", "0.4"),
        "type uint8 at level 1",
    ),
    (
        "ngff.pyramid-scales",
        "warning",
        first(lambda item: item["datasets"][1]["coordinateTransformations"][0]["scale"].__setitem__(4, 2.0)),
        "4 times that of level 0",
    ),
    (
        "ngff.pyramid-scales",
        "warning",
        first(lambda item: item["datasets"][1]["coordinateTransformations"][1]["translation"].__setitem__(3, 8.0)),
        "shifted by",
    ),
    ("ngff.pyramid-content", "warning", FOUR | array_store(halved(waves(SHAPE))[..., ::-1, ::-1].copy() * 3, "1", "0.4"), "shows something else"),
    ("ngff.pyramid-content", "warning", FOUR | array_store(np.flip(halved(waves(SHAPE)), (3, 4)).copy(), "1", "0.4"), "shows something else"),
    ("ngff.pyramid-content", "warning", FOUR | array_store(halved(waves(SHAPE)) * 0, "1", "0.4"), "shows something else"),
    (
        "ngff.pyramid-content",
        "warning",
        FOUR | array_store(np.roll(halved(waves(SHAPE)), 1, 4), "1", "0.4"),
        "lies about a pixel further along x at level 1 than at level 0",
    ),
    (
        "ngff.pyramid-content",
        "warning",
        FOUR | array_store((halved(waves(SHAPE)) * 1.05).astype(waves(SHAPE).dtype), "1", "0.4"),
        "is brighter at level 1 than at level 0",
    ),
    ("ngff.structure", "error", FOUR | {".zgroup": b"[]"}, "In the root group, .zgroup is not as Zarr wants it"),
    ("ngff.structure", "error", FOUR | {".zgroup": b'{"zarr_format": {"a": null}}'}, ".zgroup is not as Zarr wants it"),
    ("ngff.window", "warning", channel({"window": {"min": 0, "max": 10**400, "start": 0, "end": 1}}), "without numbers for all of"),
    ("ngff.structure", "error", in_wrong_zarr(), "must be stored as Zarr v2"),
    ("ngff.label-averaged", "error", averaged_labels(), "labels at level 1 that are not there at level 0"),
    ("ngff.chunk-damaged", "error", FOUR | {"0/1/1/2/2/3": b"rubbish"}, "0/1/1/2/2/3"),
    (
        "ngff.chunks-missing",
        "info",
        {name: data for name, data in FOUR.items() if not name.startswith("0/1/")},
        "(50%) not stored, which Zarr defines",
    ),
    (
        "ngff.chunks-missing",
        "warning",
        {name: data for name, data in FOUR.items() if name == "0/.zarray" or not name.startswith("0/")},
        "has none of its 144 chunks stored, so that every pixel is the fill value 0: either the whole image is that, or the copy is not complete",
    ),
]


@pytest.mark.parametrize(("rule", "severity", "files", "words"), FAULTS, ids=[f"{rule}: {words}" for rule, _, _, words in FAULTS])
def test_a_fault_is_found_by_its_rule(tmp_path: Path, rule: str, severity: str, files: Files, words: str) -> None:
    assert any(finding.severity == severity and words in finding.message for finding in found(files, tmp_path).get(rule, []))


def test_chunks_named_with_dots_are_found(tmp_path: Path) -> None:
    dotted = {
        (f"{name[0]}/{name[2:].replace('/', '.')}" if name[:2] in {"0/", "1/"} and ".z" not in name else name): data for name, data in FOUR.items()
    }
    for level in "01":
        dotted = edited(dotted, f"{level}/.zarray", lambda value: value.update(dimension_separator="."))
    assert list(found(dotted, tmp_path)) == ["ngff.chunk-separator"]


def test_bits_that_the_source_stated_too_low_are_told_as_a_fact_of_the_source_and_not_as_a_wrong_range(tmp_path: Path) -> None:
    kept = b"""</Image><StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="%s"><Value><M K="Source">camera.czi</M></Value>
</MapAnnotation></StructuredAnnotations></OME>""" % NAMESPACE.encode()
    copied = OME_XML.replace(b"</Pixels></Image></OME>", b'</Pixels><AnnotationRef ID="Annotation:0"/>' + kept)
    beyond = channel({"window": {"min": 0, "max": 5000, "start": 0, "end": 5000}}) | {"OME/METADATA.ome.xml": copied}
    rules = found(beyond, tmp_path)
    (finding,) = rules["ngff.significant-bits"]
    assert finding.severity == "info"
    assert finding.message.startswith("camera.czi says 12 significant bits, but values up to 5000, as channel 0 of series 0 has, need 13.")
    assert finding.fix.startswith("Nothing must be done")
    assert "ngff.window" not in rules
    within = channel({"window": {"min": 0, "max": 4095, "start": 0, "end": 4095}}) | {"OME/METADATA.ome.xml": copied}
    (tmp_path / "within").mkdir()
    assert not found(within, tmp_path / "within").keys() & {"ngff.window", "ngff.significant-bits"}


def test_findings_name_the_series_and_the_place(tmp_path: Path) -> None:
    files = edited(several("0.4", ["0", "1"]), "1/.zattrs", lambda value: value["omero"]["channels"][0].update(color="red"))
    (finding,) = found(files, tmp_path)["ngff.channel-color"]
    assert (finding.series, finding.location) == ("1", "1/omero.channels.0.color")
    assert finding.fix and finding.source.startswith("https://")


def test_rules_on_ome_zarr_stay_silent_about_a_tiff(test_data: Path) -> None:
    report = check([test_data / "cells.ome.tiff"])
    assert not [finding for finding in report.findings if finding.rule in RULES]


def test_a_check_without_ome_zarr_models_says_that_it_could_not_run(tmp_path: Path, tools: Path) -> None:
    store = folder(FOUR, tmp_path / "cells.ome.zarr")
    script = (
        "import sys, pathlib; sys.modules['ome_zarr_models'] = None; sys.path.insert(0, sys.argv[1]);"
        "from lightmicroscopy.metadata.check import check;"
        "print([(f.rule, f.severity) for f in check([pathlib.Path(sys.argv[2])]).findings if f.rule == 'ngff.structure'])"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(tools), str(store)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[('ngff.structure', 'not-run')]"


def test_an_invalid_real_store_is_found_out(realfiles: Path) -> None:
    report = check([realfiles / "omezarr" / "blobs_image_v04.ome.zarr"])
    assert any(finding.rule == "ngff.structure" and "version" in finding.location for finding in report.findings)


def test_a_valid_real_store_passes(realfiles: Path) -> None:
    report = check([realfiles / "omezarr" / "xyz_8bit__mitotic_plate_calibrated.ome.zarr"])
    found = {finding.rule: finding.severity for finding in report.findings if finding.rule in RULES}
    assert found == {"ngff.multiscale-unsaid": "info"}


def test_a_plate_that_lists_more_than_there_can_be_is_not_followed_for_ever(tmp_path: Path) -> None:
    wells = [{"path": f"A/{number}", "rowIndex": 0, "columnIndex": number} for number in range(40)]
    plate = {"version": "0.4", "rows": [{"name": "A"}], "columns": [{"name": f"{number}"} for number in range(40)], "wells": wells}
    files = group("", {"plate": plate}, "0.4")
    for number in range(40):
        files |= group(f"A/{number}", ngff.well_attributes([], "0.4"), "0.4")
    store = open_store(folder(files, tmp_path / "plate.ome.zarr"))
    root = read_group(store, "")
    assert root is not None
    assert len(list(_groups._Walk(store, {}, None, left=10).all(root))) == 11
    assert len(list(_groups._Walk(store, {}, None).all(root))) == 41
