"""What lm_idr_download makes of images in the IDR: pixels, metadata, tables."""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from lxml import etree

from lightmicroscopy.readers.prefetch import MEMORY
from tests.archives import Archive
from tests.archives.asking import ask

from .idr_downloads import Downloads, asked
from .remote_inputs import held

SKET, MIFISH, FIRST, SECOND, FIELD, BLASTOCYST, MOVED = 13441308, 13965882, 15160018, 15160019, 1230059, 6001240, 4007821
NO_PIXELS, ODD, FLEX, NAMELESS = 99000001, 99000007, 12922361, 99000003
V05 = "/idr/zarr/v0.5/idr0062A/6001240_labels.zarr"
ROOT = "/pub/databases/IDR/"
HYPERSPECTRAL = "idr0165-duinkerken-hyperspectraledx/Figure1_Multichannel.ome.tif"
OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"


def crc(pixels: Any) -> int:
    """Checksum of values, whatever their byte order in memory."""
    return zlib.crc32(np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes())


def planes(path: Path) -> Any:
    """Return level 0 of an OME-TIFF as tifffile reads it, without axes of length one."""
    return tifffile.imread(path, series=0, level=0).squeeze()


def ome(path: Path) -> etree._Element:
    if path.suffix != ".tiff":
        return etree.fromstring(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        return etree.fromstring(file.pages.first.description.encode())


def pairs(root: etree._Element, namespace: str) -> list[tuple[str, str]]:
    maps = (found for found in root.iter(f"{OME}MapAnnotation") if found.get("Namespace") == namespace)
    return [(str(m.get("K")), m.text or "") for found in maps for m in found.iter(f"{OME}M")]


def store(url: str, level: str = "0") -> Any:
    """Return a level of a store as another library reads it off the archive."""
    return zarr.open_array(f"{url}/{level}", mode="r")


def original(archive: Archive, path: str) -> bytes:
    return ask(f"{archive.base('originals')}{ROOT}{path}").body


# --- pixels


def test_a_whole_image_has_every_value_of_the_archives_store(download: Downloads, archive: Archive) -> None:
    run = download(MOVED)
    assert (run.code, run.lines) == (0, [])
    (row,) = run.manifest
    expected = store(row["source_url"], "0/0")[...]
    assert expected.squeeze().shape == (3, 12, 116, 108)
    made = planes(run.folder / "out" / row["path"])
    assert made.shape == (3, 12, 116, 108)
    assert [crc(made[t, z]) for t in range(3) for z in range(12)] == [crc(expected[t, 0, z]) for t in range(3) for z in range(12)]
    assert len({crc(made[t, z]) for t in range(3) for z in range(12)}) > 30


def test_one_plane_of_one_channel_is_that_plane_and_only_its_chunks_are_fetched(download: Downloads, archive: Archive) -> None:
    with asked(archive) as paths:
        run = download(BLASTOCYST, "--channel", "Dapi", "--z", 118, "--region", "10,20,96,64")
    assert run.code == 0
    made = planes(run.folder / "out" / "6001240_B1_C1.ome.tiff")
    array = zarr.open_array(archive.base("objects") + V05 + "/0", mode="r")
    assert crc(made) == crc(array[1, 118, 20:84, 10:106])
    chunks = {path for path in paths if re.search(r"\.zarr/0/c/", path)}
    assert chunks == {f"objects {V05}/0/c/1/11/0/0"}


def test_a_lower_level_is_the_archives_own(download: Downloads, archive: Archive) -> None:
    run = download(BLASTOCYST, "--level", 2, "--channel", "index:0", "--z", "100:102")
    assert run.code == 0
    made = planes(run.folder / "out" / "6001240_B1_C1.ome.tiff")
    array = zarr.open_array(archive.base("objects") + V05 + "/2", mode="r")
    assert made.shape == (2, 68, 67)
    assert crc(made) == crc(array[0, 100:102])
    size = ome(run.folder / "out" / "6001240_B1_C1.ome.tiff").find(f".//{OME}Pixels").get("PhysicalSizeX")
    assert float(size) == pytest.approx(0.3603981534640209 * 271 / 67, rel=0.02)


def test_one_field_of_a_plate_is_found_by_its_well(download: Downloads, archive: Archive) -> None:
    run = download(FIELD, "--z", 3, "--channel", "GFP", "--region", "0,0,64,32")
    assert run.code == 0
    row = run.manifest[0]
    assert row["source_url"].endswith("/2551.zarr/F/6/0")
    assert crc(planes(run.folder / "out" / row["path"])) == crc(store(row["source_url"])[0, 3, 0:32, 0:64])
    assert [(image["plate"], image["well"], image["field"]) for image in run.images] == [("JL_120731_S6A", "F06", "0")]


def test_an_image_of_the_moved_plate_is_found_by_the_path_it_was_imported_from(download: Downloads, archive: Archive) -> None:
    run = download(3407079, "--region", "0,0,32,16", "--channel", "index:1")
    assert run.code == 0
    row = run.manifest[0]
    assert "imported from" in row["reason"]
    assert crc(planes(run.folder / "out" / row["path"])) == crc(store(row["source_url"])[1, 0:16, 0:32])


def test_an_original_picture_is_read_and_its_colours_are_the_idrs_three_channels(download: Downloads, archive: Archive) -> None:
    run = download(SKET)
    assert run.code == 0
    (tmp := run.folder / "given.tif").write_bytes(original(archive, "idr0117-croce-marimba/20210812-ftp/SkeT%2016c.tif"))
    expected = tifffile.imread(tmp)
    made = planes(run.folder / "out" / "13441308_SkeT_16c.ome.tiff")
    assert sorted(made.shape) == sorted(expected.shape)
    assert crc(made if made.shape == expected.shape else np.moveaxis(made, 0, -1)) == crc(expected)


def test_a_set_with_a_companion_file_is_one_image(download: Downloads, archive: Archive) -> None:
    with asked(archive) as paths:
        run = download(MIFISH)
    assert run.code == 0
    made = planes(run.folder / "out" / "13965882_Dataset1.ome.tiff")
    assert made.shape == (3, 4, 96, 128)
    assert len([path for path in paths if path.startswith("originals")]) == 8, "a HEAD and a GET for each of four files"
    assert run.made == ["13965882_Dataset1.ome.tiff"]


def test_two_images_in_one_file_are_each_their_own_series_and_the_file_is_fetched_once(download: Downloads, archive: Archive) -> None:
    run = download(FIRST, SECOND)
    assert run.code == 0
    (given := run.folder / "given.tif").write_bytes(original(archive, HYPERSPECTRAL))
    for series, row in enumerate(run.manifest):
        assert crc(planes(run.folder / "out" / row["path"])) == crc(tifffile.imread(given, series=series).squeeze())
    gets = [one for one in archive.asked("originals", HYPERSPECTRAL.rpartition("/")[2]) if one.method == "GET"]
    assert len(gets) == 2, "the second is this test's own"


def test_label_maps_come_along_cut_alike_and_named_as_such(download: Downloads, archive: Archive) -> None:
    run = download(BLASTOCYST, "--z", 118)
    made = planes(run.folder / "out" / "6001240_B1_C1__label_0.ome.tiff")
    array = zarr.open_array(archive.base("objects") + V05 + "/labels/0/0", mode="r")
    assert crc(made.astype(array.dtype)) == crc(array[0, 118])
    assert made.max() > 1
    assert [row["path"] for row in run.manifest] == ["6001240_B1_C1.ome.tiff", "6001240_B1_C1__label_0.ome.tiff"]


# --- formats


@pytest.mark.parametrize("flags", [(), ("--zip",), ("--ngff-version", "0.5")], ids=["folder", "zip", "0.5"])
def test_ome_zarr_holds_the_same_pixels(flags: tuple[str, ...], download: Downloads, archive: Archive) -> None:
    run = download(MOVED, "--format", "ome-zarr", "--t", 1, *flags)
    name = "4007821_180712_H2B_22ss_Courtney5.ome.zarr" + (".zip" if "--zip" in flags else "")
    assert (run.code, run.made) == (0, [name])
    (row,) = run.manifest
    assert row["path"] == name
    made = zarr.open_group(zarr.storage.ZipStore(run.folder / "out" / name, mode="r") if "--zip" in flags else run.folder / "out" / name, mode="r")
    assert crc(made["0"][...].squeeze()) == crc(store(row["source_url"], "0/0")[1, 0])
    if "--zip" in flags:
        with zipfile.ZipFile(run.folder / "out" / name) as archived:
            assert {info.compress_type for info in archived.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize("flags", [(), ("--zip",)], ids=["folder", "zip"])
def test_a_plan_names_the_outputs_as_they_will_be(flags: tuple[str, ...], download: Downloads) -> None:
    planned = download(MOVED, "--format", "ome-zarr", "--plan-only", *flags).manifest[0]["path"]
    assert download(MOVED, "--format", "ome-zarr", *flags).made == [planned]


def test_metadata_only_fetches_no_pixels_and_works_where_there_are_none(download: Downloads, archive: Archive) -> None:
    with asked(archive) as paths:
        run = download(NO_PIXELS, BLASTOCYST, "--format", "metadata")
    assert (run.code, run.made) == (0, ["6001240_B1_C1.ome.xml", "99000001_metadata_only.ome.xml"])
    assert not [path for path in paths if not path.startswith("web ")]
    pixels = ome(run.folder / "out" / "6001240_B1_C1.ome.xml").find(f".//{OME}Pixels")
    assert [pixels.get(f"Size{axis}") for axis in "XYZCT"] == ["271", "275", "236", "2", "1"]
    assert pixels.find(f"{OME}MetadataOnly") is not None
    assert [row["pixels_from"] for row in run.images] == ["unknown", "unknown"]


def test_an_original_file_is_kept_as_it_is(download: Downloads, archive: Archive) -> None:
    run = download(SKET, "--format", "original")
    name = "idr0117-croce-marimba/20210812-ftp/SkeT_16c.tif"
    assert (run.code, run.made) == (0, [name])
    data = original(archive, "idr0117-croce-marimba/20210812-ftp/SkeT%2016c.tif")
    assert (run.folder / "out" / name).read_bytes() == data
    (row,) = run.manifest
    assert (row["path"], row["bytes"], row["sha256"], row["attempts"]) == (name, str(len(data)), hashlib.sha256(data).hexdigest(), "1")


def test_the_files_of_a_set_keep_their_places_and_each_has_a_row(download: Downloads) -> None:
    run = download(MIFISH, "--format", "original")
    assert run.code == 0
    assert [Path(row["path"]).name for row in run.manifest] == [Path(name).name for name in run.made]
    assert len(run.made) == 4
    assert {row["item"] for row in run.manifest} == {"image-13965882"}


def test_a_file_of_two_images_is_kept_once_and_both_have_a_row(download: Downloads, archive: Archive) -> None:
    run = download(FIRST, SECOND, "--format", "original")
    assert (run.code, run.made) == (0, [HYPERSPECTRAL])
    assert run.statuses == [("image-15160018", "done"), ("image-15160019", "done")]
    assert len([one for one in archive.asked("originals") if one.method == "GET"]) == 1


def test_a_file_no_reader_knows_can_be_had_as_it_is_and_else_the_error_says_so(download: Downloads) -> None:
    run = download(FLEX)
    assert (run.code, run.made) == (1, [])
    assert "image-12922361: 140605_A375.nd2 is of no format this tool reads" in run.lines[0]
    assert run.lines[0].endswith("it can be had with the format original.")
    assert run.images[0]["pixels_from"] == "originals"
    assert download(FLEX, "--format", "original").made == ["idr0109-zaritsky-melanoma/20210319-ftp/140605_A375.nd2"]


# --- what is known besides


def test_metadata_of_the_idr_are_in_the_file(download: Downloads) -> None:
    run = download(BLASTOCYST, "--z", 0, "--region", "0,0,16,16")
    root = ome(run.folder / "out" / "6001240_B1_C1.ome.tiff")
    pixels = root.find(f".//{OME}Pixels")
    channels = [(channel.get("Name"), int(channel.get("Color"))) for channel in pixels.iter(f"{OME}Channel")]
    assert channels == [("LaminB1", 0x0000FFFF), ("Dapi", 0xFFFF00FF - (1 << 32))]
    assert [float(pixels.get(f"PhysicalSize{axis}")) for axis in "XYZ"] == [0.3603981534640209, 0.3603981534640209, 0.5002025531914894]
    assert pairs(root, "openmicroscopy.org/mapr/organism") == [("Organism", "Mus musculus")]
    origin = dict(pairs(root, "lightmicroscopy/archive"))
    assert origin["Study"] == "idr0062-blin-nuclearsegmentation/experimentA"
    assert (origin["Licence"], origin["Data DOI"]) == ("CC BY 4.0", "10.17867/10000125")
    assert dict(pairs(root, "lightmicroscopy/provenance"))["Selection"] == "--z 0 --region 0,0,16,16"


def test_channels_without_a_name_take_it_from_the_annotation(download: Downloads) -> None:
    run = download(ODD, "--format", "metadata")
    root = ome(run.folder / "out" / "99000007_annotated.ome.xml")
    assert [channel.get("Name") for channel in root.iter(f"{OME}Channel")] == ["DAPI", "FITC"]


def test_repeated_and_odd_annotations_are_kept_in_order_and_never_break_the_table(download: Downloads) -> None:
    run = download(ODD, "--format", "metadata")
    rows = [(row["namespace"], row["key"], row["value"], row["position"]) for row in run.annotations]
    assert rows[:4] == [
        ("", "Phenotype", "increased cell size", "0"),
        ("", "Phenotype", "decreased cell number", "1"),
        ("", "Phenotype", "increased cell size", "2"),
        ("", "Comment", "one two three four", "3"),
    ]
    assert ("", "", "a value without a key", "4") in rows
    assert ("", "a key without a value", "", "5") in rows
    assert len(rows) == 10
    root = ome(run.folder / "out" / "99000007_annotated.ome.xml")
    assert [value for key, value in pairs(root, "openmicroscopy.org/omero/client/mapAnnotation") if key == "Phenotype"] == [
        "increased cell size",
        "decreased cell number",
        "increased cell size",
    ]


def test_an_unknown_unit_and_name_stay_unknown(download: Downloads) -> None:
    run = download(NAMELESS, "--format", "metadata")
    (image,) = run.images
    assert (image["image_name"], image["pixel_size_x_um"], image["channels"]) == ("image-99000003", "", "")
    assert run.made == ["99000003_image-99000003.ome.xml"]


def test_the_images_table_is_in_the_order_of_its_contract(download: Downloads) -> None:
    fields = [1230059 + offset for offset in (-1, 0, 1, 6, -72)]
    run = download(*fields, SKET, BLASTOCYST, "--format", "metadata")
    assert [(row["study"][:7], row["well"], row["field"]) for row in run.images] == [
        ("idr0001", "E06", "0"),
        ("idr0001", "F05", "5"),
        ("idr0001", "F06", "0"),
        ("idr0001", "F06", "1"),
        ("idr0001", "F07", "0"),
        ("idr0062", "", ""),
        ("idr0117", "", ""),
    ]


def test_the_citation_names_each_study_once_with_its_licence(download: Downloads) -> None:
    download(BLASTOCYST, 6001241, ODD, "--format", "metadata", "--citation", download.folder / "cite.md")
    text = (download.folder / "cite.md").read_text()
    assert text.count("## idr0062-blin-nuclearsegmentation") == 1
    assert "CC BY 4.0 <https://creativecommons.org/licenses/by/4.0/>" in text
    assert "CC0 1.0" in text
    assert "10.1038/nmeth.4326" in text


def test_checksums_and_preview_are_of_what_was_written(download: Downloads) -> None:
    sums, picture = download.folder / "sums.txt", download.folder / "preview.png"
    run = download(SKET, MIFISH, "--checksums", sums, "--preview", picture)
    assert run.code == 0
    lines = [line.split("  ") for line in sums.read_text().splitlines()]
    assert [name for _, name in lines] == run.made
    for digest, name in lines:
        assert hashlib.sha256((run.folder / "out" / name).read_bytes()).hexdigest() == digest
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_galaxy_is_told_which_folders_are_elements(download: Downloads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(download.folder)
    run = download(MOVED, "--t", 0, "--format", "ome-zarr", "--galaxy-collection", "stores")
    assert run.code == 0
    name = "4007821_180712_H2B_22ss_Courtney5"
    assert f'"name": "{name}"' in (download.folder / "galaxy.json").read_text()
    assert (download.folder / "out" / f"{name}.files" / f"{name}.ome.zarr" / ".zattrs").is_file()


@pytest.mark.parametrize(("flags", "bytes_held"), [(("--memory", "256"), 16 << 20), ((), MEMORY)])
def test_what_is_fetched_ahead_is_a_share_of_the_memory_that_was_granted(
    download: Downloads, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], bytes_held: int
) -> None:
    monkeypatch.delenv("GALAXY_MEMORY_MB", raising=False)
    with held(monkeypatch) as found:
        assert download(6001240, "--z", 118, "--level", 2, *flags).code == 0
    assert set(found) == {bytes_held}
