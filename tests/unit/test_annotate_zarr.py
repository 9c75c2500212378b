"""Annotated copies of OME-Zarr: the chunks the same files, the metadata new ones, and consistent in all their places."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy.errors import UsageError
from lightmicroscopy.image import Image
from lightmicroscopy.metadata import ngff
from lightmicroscopy.metadata.changes import ChannelChanges, SeriesChanges
from lightmicroscopy.metadata.check import check

from ..needs import small_disk
from .annotations import LENS, MEDIUM, ORGANISM, PIXEL_SIZE, PIXEL_SIZE_FIELDS, annotated, differences, document, everything, made
from .zarr_stores import (
    FIVE,
    FOUR,
    OME_XML,
    Files,
    Version,
    edited,
    folder,
    group,
    image_of,
    image_store,
    opened,
    pixels_of,
    plate_store,
    several,
    waves,
    zipped,
)

STORES = ["cells_04.ome.zarr", "cells_04.ome.zarr.zip", "cells_05.ome.zarr.zip", "plate_04.ome.zarr.zip"]
LABELLED = [("0.4", ".zattrs"), ("0.5", "zarr.json")]


def attributes(path: Path, key: str) -> dict[str, Any]:
    value = json.loads((path / key).read_text())
    inner: dict[str, Any] = value["attributes"]["ome"] if key.endswith("zarr.json") else value
    return inner


def scales(ome: dict[str, Any]) -> list[tuple[list[float], list[float]]]:
    found = []
    for level in ome["multiscales"][0]["datasets"]:
        kinds = {item["type"]: item[item["type"]] for item in level["coordinateTransformations"]}
        found.append((kinds["scale"], kinds.get("translation", [0.0] * 5)))
    return found


def with_label(version: Version) -> Files:
    """An image with a label map."""
    pixels = waves((1, 1, 1, 32, 32))
    label = image_of(pixels, kind="label", label_of=0)
    files = image_store(pixels, version) | group("labels", ngff.labels_attributes(["cells"], version), version)
    return files | image_store(pixels, version, path="labels/cells", image=label)


@pytest.mark.parametrize("name", STORES)
def test_only_the_pixel_size_differs_where_only_it_was_to_be_set(test_data: Path, tmp_path: Path, name: str) -> None:
    copy = made(tmp_path / "out", test_data / name, changes=PIXEL_SIZE)
    assert differences(test_data / name, copy) == PIXEL_SIZE_FIELDS
    assert document(copy).find("{*}Image/{*}Pixels").get("PhysicalSizeY") == "0.25"


@pytest.mark.parametrize("name", STORES)
def test_everything_is_set_and_nothing_else_differs(test_data: Path, tmp_path: Path, name: str) -> None:
    copy = made(tmp_path / "out", test_data / name)
    found = differences(test_data / name, copy)
    meant = ("name", "description", "pixel size", "time increment", "channel ", "objective ", *MEDIUM, "annotation openmicroscopy.org/mapr/organism")
    assert [what for what in found if not what.startswith(meant)] == []
    assert {"name", "pixel size x", "channel 0 name", "channel 0 emission (nm)", "objective 0 model"} <= found
    document(copy)


@pytest.mark.parametrize("name", STORES)
def test_what_was_valid_is_valid_afterwards(test_data: Path, tmp_path: Path, name: str) -> None:
    def errors(path: Path) -> list[tuple[str, str]]:
        return [(finding.rule, finding.message) for finding in check([path]).findings if finding.severity == "error"]

    assert errors(made(tmp_path, test_data / name)) == errors(test_data / name)


@pytest.mark.parametrize("name", STORES)
def test_the_same_sheet_a_second_time_gives_the_same_bytes(test_data: Path, tmp_path: Path, name: str) -> None:
    first = made(tmp_path / "first", test_data / name)
    outcomes = annotated(tmp_path / "second", first)
    assert {outcome.status for outcome in outcomes} == {"unchanged"}
    second = tmp_path / "second" / name
    files = [""] if first.is_file() else [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert [(second / file).read_bytes() for file in files] == [(first / file).read_bytes() for file in files]


def test_chunks_are_hard_links_and_metadata_are_not(test_data: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(test_data / "cells_04.ome.zarr", tmp_path / "cells_04.ome.zarr"))
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    copy = made(tmp_path / "out", source)
    linked = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file() and path.stat().st_nlink == 2}
    assert {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()} - linked == {
        ".zattrs",
        "labels/nuclei/.zattrs",
        "OME/METADATA.ome.xml",
    }
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before


def test_a_copy_that_will_be_edited_can_have_files_of_its_own(test_data: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(test_data / "cells_04.ome.zarr", tmp_path / "cells_04.ome.zarr"))
    copy = made(tmp_path / "out", source, link=False)
    assert {path.stat().st_nlink for path in copy.rglob("*") if path.is_file()} == {1}
    assert differences(source, copy) >= {"name"}


def test_another_file_system_is_copied_to(test_data: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8m"):
        copy = made(tmp_path / "disk", test_data / "cells_04.ome.zarr", changes=PIXEL_SIZE)
        assert differences(test_data / "cells_04.ome.zarr", copy) == PIXEL_SIZE_FIELDS


def test_a_full_disk_leaves_nothing(test_data: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k"):
        (outcome,) = annotated(tmp_path / "disk", test_data / "cells_04.ome.zarr")
        assert (outcome.status, "The disk is full" in outcome.reason) == ("failed", True)
        assert list((tmp_path / "disk").iterdir()) == []


@pytest.mark.parametrize(("version", "key"), LABELLED)
def test_all_levels_get_the_pixel_size_and_their_shifts_go_along(tmp_path: Path, version: Version, key: str) -> None:
    source = folder(FOUR if version == "0.4" else FIVE, tmp_path / "a.ome.zarr")
    before = scales(attributes(source, key))
    after = attributes(made(tmp_path / "out", source, changes=SeriesChanges(pixel_size_x_um=0.5, time_increment_s=2.5)), key)
    for (scale, shift), (old_scale, old_shift) in zip(scales(after), before, strict=True):
        ratio = 0.5 / before[0][0][4]
        assert scale[4] == pytest.approx(old_scale[4] * ratio)
        assert shift[4] == pytest.approx(old_shift[4] * ratio)
        assert scale[0] == 2.5
        assert (scale[1:4], shift[:4]) == (old_scale[1:4], old_shift[:4])
    assert scales(after)[0][0][4] == 0.5
    units = {axis["name"]: axis.get("unit") for axis in after["multiscales"][0]["axes"]}
    assert (units["x"], units["t"]) == ("micrometer", "second")


def test_an_image_that_a_store_lists_twice_gets_its_pixel_size_in_both_places(tmp_path: Path) -> None:
    def listed_again(ome: dict[str, Any]) -> None:
        (first,) = ome["multiscales"]
        other = json.loads(json.dumps(first)) | {"name": "other levels", "datasets": json.loads(json.dumps(first["datasets"][1:]))}
        ome["multiscales"] += [json.loads(json.dumps(first)) | {"name": "seen otherwise"}, other, None]

    source = folder(edited(FOUR, ".zattrs", listed_again), tmp_path / "a.ome.zarr")
    before = attributes(source, ".zattrs")["multiscales"]
    after = attributes(made(tmp_path / "out", source, changes=SeriesChanges(pixel_size_x_um=0.25)), ".zattrs")["multiscales"]
    assert after[0]["datasets"] == after[1]["datasets"] != before[1]["datasets"]
    assert after[0]["datasets"][0]["coordinateTransformations"][0]["scale"][4] == 0.25
    assert [each["name"] for each in after[:3]] == [before[0]["name"], "seen otherwise", "other levels"]
    assert after[2:] == before[2:]


def test_a_pixel_size_that_is_so_already_in_another_unit_stays(tmp_path: Path) -> None:
    def nanometres(ome: dict[str, Any]) -> None:
        ome["multiscales"][0]["axes"][4]["unit"] = "nanometer"
        for level in ome["multiscales"][0]["datasets"]:
            for item in level["coordinateTransformations"]:
                item[item["type"]][4] *= 1000

    source = folder(edited(FOUR, ".zattrs", nanometres), tmp_path / "a.ome.zarr")
    with opened(source) as dataset:
        size = dataset.images[0].metadata.pixel_size_x
    assert size is not None
    assert size.unit == "nm"
    (outcome,) = annotated(tmp_path / "out", source, changes=SeriesChanges(pixel_size_x_um=size.value / 1000))
    # Its OME-XML is made here, of what NGFF says, so that it says the same.
    assert outcome.changed == ()


def test_a_scale_for_all_levels_together_is_taken_into_account(tmp_path: Path) -> None:
    def together(ome: dict[str, Any]) -> None:
        ome["multiscales"][0]["coordinateTransformations"] = [{"type": "scale", "scale": [1, 1, 1, 1, 10.0]}]

    copy = made(tmp_path / "out", folder(edited(FOUR, ".zattrs", together), tmp_path / "a.ome.zarr"), changes=PIXEL_SIZE)
    with opened(copy) as dataset:
        size = dataset.images[0].metadata.pixel_size_x
    assert size is not None
    assert size.value == pytest.approx(0.5)
    assert size.unit == "µm"


def test_scales_that_are_not_understood_are_left_alone_and_said(tmp_path: Path) -> None:
    def strange(ome: dict[str, Any]) -> None:
        ome["multiscales"][0]["datasets"][0]["coordinateTransformations"] = [{"type": "scale", "path": "scale.bin"}]

    source = folder(edited(FOUR, ".zattrs", strange), tmp_path / "a.ome.zarr")
    (outcome,) = annotated(tmp_path / "out", source, changes=PIXEL_SIZE)
    assert "has coordinate transformations that are not understood" in outcome.reason
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("version", "key"), LABELLED)
def test_label_maps_keep_to_the_pixel_size_of_their_image(tmp_path: Path, version: Version, key: str) -> None:
    copy = made(tmp_path / "out", folder(with_label(version), tmp_path / "a.ome.zarr"), changes=PIXEL_SIZE)
    sizes = [scales(attributes(copy, place))[0][0][2:] for place in (key, f"labels/cells/{key}")]
    assert sizes == [[2, 0.25, 0.5]] * 2


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_several_series_each_get_their_own(tmp_path: Path, version: Version) -> None:
    source = folder(several(version, ["1", "0"]), tmp_path / "a.ome.zarr")
    names = {0: SeriesChanges(image_name="first"), 1: SeriesChanges(image_name="second", objective=LENS)}
    copy = made(tmp_path / "out", source, changes=names)
    with opened(copy) as dataset:
        assert [(image.name, image.path) for image in dataset.images] == [("first", "1"), ("second", "0")]
        assert [image.metadata.instrument is not None for image in dataset.images] == [False, True]
    document(copy)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_all_fields_of_a_plate_get_the_organism_in_one_annotation(tmp_path: Path, version: Version) -> None:
    source = folder(plate_store(version), tmp_path / "a.ome.zarr")
    copy = made(tmp_path / "out", source, changes=SeriesChanges(annotations=(ORGANISM,)))
    root = document(copy)
    assert len([item for item in root.iter("{*}MapAnnotation") if item.get("Namespace") == ORGANISM.namespace]) == 1
    with opened(copy) as dataset:
        assert [ORGANISM in image.metadata.annotations for image in dataset.images] == [True] * 3
        assert len(dataset.plates[0].wells) == 2


def test_names_of_channels_find_a_place_where_there_was_none(tmp_path: Path) -> None:
    source = folder(edited(FOUR, ".zattrs", lambda ome: ome.pop("omero")), tmp_path / "a.ome.zarr")
    copy = made(tmp_path / "out", source, changes=SeriesChanges(channels=(ChannelChanges("DAPI"), ChannelChanges("GFP", "00ff00"))))
    channels = attributes(copy, ".zattrs")["omero"]["channels"]
    assert [(channel["label"], set(channel["window"])) for channel in channels] == [
        (name, {"min", "max", "start", "end"}) for name in ("DAPI", "GFP")
    ]
    assert channels[1]["color"] == "00FF00"
    assert [finding.message for finding in check([copy]).findings if finding.severity == "error"] == []


def test_a_store_with_metadata_of_its_own_keeps_what_is_not_meant(tmp_path: Path) -> None:
    source = folder(FOUR | {"OME/METADATA.ome.xml": OME_XML}, tmp_path / "a.ome.zarr")
    copy = made(tmp_path / "out", source, changes=SeriesChanges(channels=(ChannelChanges(), ChannelChanges("GFP"))))
    assert differences(source, copy) == {"channel 1 name"}
    assert (copy / ".zattrs").stat().st_nlink == 1


def test_metadata_held_twice_are_changed_in_both_places(tmp_path: Path) -> None:
    known = {"metadata": {key: json.loads(data) for key, data in FOUR.items() if key.endswith((".zattrs", ".zgroup", ".zarray"))}}
    four = folder(FOUR | {".zmetadata": json.dumps(known | {"zarr_consolidated_format": 1}).encode()}, tmp_path / "four.ome.zarr")
    copy = made(tmp_path / "out", four, changes=PIXEL_SIZE)
    assert json.loads((copy / ".zmetadata").read_text())["metadata"][".zattrs"] == json.loads((copy / ".zattrs").read_text())

    files = several("0.5", ["0", "1"])
    root = json.loads(files["zarr.json"])
    inside = {path: json.loads(files[f"{path}/zarr.json"]) for path in ("0", "1")}
    root["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": inside}
    five = folder(files | {"zarr.json": json.dumps(root).encode()}, tmp_path / "five.ome.zarr")
    copy = made(tmp_path / "out", five, changes={1: PIXEL_SIZE})
    held = json.loads((copy / "zarr.json").read_text())["consolidated_metadata"]["metadata"]
    assert held == {path: json.loads((copy / path / "zarr.json").read_text()) for path in ("0", "1")}
    assert held["0"] == inside["0"]


@pytest.mark.parametrize("below", ["", "inner.zarr/"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_stays_a_zip_with_each_member_once(tmp_path: Path, below: str, method: int) -> None:
    source = zipped(FOUR, tmp_path / "a.ome.zarr.zip", below=below, method=method)
    copy = made(tmp_path / "out", source)
    with zipfile.ZipFile(copy) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert sorted(names) == sorted([*(f"{below}{name}" for name in FOUR), f"{below}OME/METADATA.ome.xml"])
    with opened(source) as before, opened(copy) as after:
        np.testing.assert_array_equal(pixels_of(before.images[0]), pixels_of(after.images[0]))
        assert after.images[0].name == "Æ 1"


def test_of_two_members_of_one_name_the_last_is_changed_and_the_first_gone(tmp_path: Path) -> None:
    source = zipped(FOUR, tmp_path / "a.ome.zarr.zip")
    with zipfile.ZipFile(source, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(".zattrs", json.dumps(json.loads(FOUR[".zattrs"]) | {"mine": 1}))
    with zipfile.ZipFile(made(tmp_path / "out", source)) as archive:
        assert archive.namelist().count(".zattrs") == 1
        assert json.loads(archive.read(".zattrs"))["mine"] == 1


@pytest.mark.parametrize("comment", [b"", b"OZX0005"])
def test_the_comment_of_a_zip_stays(tmp_path: Path, comment: bytes) -> None:
    source = zipped(FOUR, tmp_path / "a.ozx")
    with zipfile.ZipFile(source, "a") as archive:
        archive.comment = comment
    with zipfile.ZipFile(made(tmp_path / "out", source)) as archive:
        assert archive.comment == comment


def test_a_zip_of_this_suite_takes_the_metadata_into_their_reserved_place(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells_04.ome.zarr.zip"
    copy = made(tmp_path, source, changes=PIXEL_SIZE)
    places = []
    for path in (source, copy):
        with zipfile.ZipFile(path) as archive:
            places.append({info.filename: info.header_offset for info in archive.infolist()})
    assert {name for name in places[0] if places[0][name] != places[1][name]} == {"OME/METADATA.ome.xml"}


def test_a_link_that_leads_out_of_the_store_is_not_followed(tmp_path: Path) -> None:
    source = folder(FOUR, tmp_path / "a.ome.zarr")
    (tmp_path / "secret").write_text("secret")
    (source / "note.txt").symlink_to(tmp_path / "secret")
    (outcome,) = annotated(tmp_path / "out", source)
    assert "leads out of the store" in outcome.reason
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("link", "leads_to", "told"),
    [
        ("again", ".", "again is reached through a symbolic link that leads back to itself"),
        ("0/again", "..", "0/again is reached through a symbolic link that leads back to itself"),
        ("again", "again", "again is reached through a symbolic link that leads back to itself"),
        ("again", "0", "again is reached through a symbolic link that leads to another folder of it"),
        ("again", "gone", "again is reached through a symbolic link that leads nowhere"),
    ],
)
def test_a_link_to_the_store_itself_is_told_of_as_that(tmp_path: Path, link: str, leads_to: str, told: str) -> None:
    source = folder(FOUR, tmp_path / "a.ome.zarr")
    os.symlink(leads_to, source / link)  # noqa: PTH211 - a link relative to itself
    (outcome,) = annotated(tmp_path / "out", source)
    assert outcome.reason == f"a.ome.zarr: {told}, which is not followed. Put the file itself in place of the link."
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("below", ["", "out"])
def test_a_copy_is_not_written_into_its_own_input(tmp_path: Path, below: str) -> None:
    source = folder(FOUR, tmp_path / "a.ome.zarr")
    before = sorted(source.rglob("*"))
    with pytest.raises(UsageError, match=r"lies inside a\.ome\.zarr, which stays as it is"):
        annotated(source / below, source)
    assert sorted(source.rglob("*")) == before


def test_a_pipe_in_the_store_is_refused(tmp_path: Path) -> None:
    source = folder(FOUR, tmp_path / "a.ome.zarr")
    os.mkfifo(source / "pipe")
    (outcome,) = annotated(tmp_path / "out", source)
    assert "should be a file and is not one" in outcome.reason


def test_metadata_that_cannot_be_read_are_not_replaced_by_less(tmp_path: Path) -> None:
    source = folder(FOUR | {"OME/METADATA.ome.xml": b"<OME"}, tmp_path / "a.ome.zarr")
    (outcome,) = annotated(tmp_path / "out", source)
    assert "cannot be read, and so cannot be changed" in outcome.reason


def test_metadata_of_fewer_images_than_there_are_is_a_sentence(tmp_path: Path) -> None:
    source = folder(several("0.4", ["0", "1"]) | {"OME/METADATA.ome.xml": OME_XML}, tmp_path / "a.ome.zarr")
    outcomes = annotated(tmp_path / "out", source, changes=PIXEL_SIZE)
    assert {outcome.status for outcome in outcomes} == {"failed"}
    assert "does not describe its series 1" in outcomes[0].reason


@pytest.mark.parametrize("name", ["cells_01.ome.zarr.zip", "cells_03.ome.zarr.zip"])
def test_older_versions_are_refused_with_what_to_do(test_data: Path, tmp_path: Path, name: str) -> None:
    (outcome,) = annotated(tmp_path, test_data / name)
    assert "metadata are written into 0.4 and 0.5. Convert it" in outcome.reason


def test_a_time_that_is_another_dimension_keeps_its_scale(tmp_path: Path) -> None:
    from lightmicroscopy.image import ImageMetadata, Modulo
    from lightmicroscopy.metadata.ngff_edit import edit_scale

    image: Image = image_of(waves((4, 1, 1, 16, 16)), metadata=ImageMetadata(modulo=(Modulo("T", "lifetime", 0, 3, 1, "ns"),)))
    ome = json.loads(image_store(waves((4, 1, 1, 16, 16)), "0.4", image=image)[".zattrs"])
    assert edit_scale(ome, image, everything(1), "a") == ["pixel_size_x_um", "pixel_size_y_um", "pixel_size_z_um"]
    assert scales(ome)[0][0][0] == 1.0


def test_half_a_character_of_utf_16_is_written_as_it_was(tmp_path: Path) -> None:
    odd = FOUR[".zattrs"].replace(b"{", b'{"note": "\\ud800", ', 1)
    copy = made(tmp_path / "out", folder(FOUR | {".zattrs": odd}, tmp_path / "odd.ome.zarr"), changes=PIXEL_SIZE)
    assert json.loads((copy / ".zattrs").read_text(encoding="utf-8"))["note"] == "\ud800"


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e999"])
def test_numbers_that_are_none_in_json_are_not_written(tmp_path: Path, number: bytes) -> None:
    odd = FOUR[".zattrs"].replace(b"{", b'{"mean": ' + number + b", ", 1)
    store = folder(FOUR | {".zattrs": odd}, tmp_path / "odd.ome.zarr")
    (outcome,) = annotated(tmp_path / "out", store, changes=PIXEL_SIZE)
    assert outcome.status == "failed"
    assert "odd.ome.zarr: .zattrs has a number that JSON has no way to write" in outcome.reason
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    "change",
    [
        lambda block: block.update(axes=[axis["name"] for axis in block["axes"]]),
        lambda block: block["datasets"][0]["coordinateTransformations"][0].update(scale=[1]),
        lambda block: block["datasets"][0]["coordinateTransformations"][0].update(scale=["a", "b", "c", "d", "e"]),
    ],
    ids=["axes in words", "a short scale", "a scale of words"],
)
def test_a_pixel_size_without_a_place_is_not_written_beside_the_old_one(tmp_path: Path, change: Any) -> None:
    store = folder(edited(FOUR, ".zattrs", lambda value: change(value["multiscales"][0])), tmp_path / "odd.ome.zarr")
    (outcome,) = annotated(tmp_path / "out", store, changes=PIXEL_SIZE)
    assert outcome.status == "failed"
    assert "Convert it with Convert microscopy images" in outcome.reason or "cannot be set" in outcome.reason, outcome.reason
    assert not list((tmp_path / "out").iterdir())
