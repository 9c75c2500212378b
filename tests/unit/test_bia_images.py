"""The OME-Zarr that the BioImage Archive keeps itself: found, fetched, and the same pixel by pixel; and what becomes of it where the service errs."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr
from lxml import etree

from lightmicroscopy.archives.bia_images import BiaImages
from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.errors import ArchiveError, MissingError
from lightmicroscopy.readers.prefetch import MEMORY
from tests.archives import Archive
from tests.archives.content.bia_images import bia_images, datasets, study_uuid

from .bia_calls import Calls
from .remote_inputs import held

OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"
RAW = "S-BIAD634/dataset/rawimages/otherspecimen_3.tif"
ZARR = ("--format", "ome-zarr")


@pytest.fixture
def images(archive: Archive) -> Iterator[BiaImages]:
    endpoints = Endpoints(**archive.endpoints, configured=frozenset({"127.0.0.1"}))
    with Client(endpoints, retries=0, sleep=lambda seconds: None) as client:
        yield BiaImages(client, endpoints)


def test_images_have_the_file_they_were_made_from_and_an_address_on_the_host_of_today(images: BiaImages, archive: Archive) -> None:
    raw, mask = images.of("S-BIAD634")
    assert (raw.path, raw.component) == ("dataset/rawimages/otherspecimen_3.tif", "Raw images")
    assert [(one.name, one.value) for one in raw.attributes] == [("Magnification", "63x"), ("Modality", "FM")]
    assert mask.path == "dataset/groundtruth/otherspecimen_3.tif"
    store = archive.base("objects") + "/bioimaging-integrator-data/S-BIAD634/"
    assert raw.url == f"{store}0931a00e-d4dc-4c82-9809-4fdeffb1fc2e/45407560-58f9-4b1a-b268-0e4caea3f094.ome.zarr/0"
    assert mask.url == f"{store}2b3c7b46-c31f-4b0a-ac1b-29c2dee8eebf/ae7a197e-a6ad-46dc-aee0-e5f6b3829a93.ome.zarr/0", "the old host and bucket"


def test_all_pages_are_read_and_no_image_comes_twice(images: BiaImages) -> None:
    found = [image.uuid for image in images.of("S-BIAD1495")]
    assert sorted(found) == sorted({image.uuid for image in bia_images() if image.accession == "S-BIAD1495"})


def test_a_study_that_the_service_does_not_know_has_no_images(images: BiaImages, archive: Archive) -> None:
    with pytest.raises(MissingError, match="keeps no OME-Zarr of S-BIAD24"):
        list(images.of("S-BIAD24"))
    archive.faults.add("status", "/search/study/accession", status=404)
    with pytest.raises(MissingError, match="keeps no OME-Zarr of S-BIAD634"):
        list(images.of("S-BIAD634"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/search/study", "[]"),
        ("/search/study", '{"uuid": "../../etc"}'),
        ("/search/study", '{"uuid": 7}'),
        ("/dataset", "{}"),
        ("/dataset", '[{"title": "x"}]'),
        ("/image\\?", '"text"'),
        ("/image\\?", "[7]"),
        ("/image_representation", '{"file_uri": []}'),
    ],
)
def test_a_service_that_answers_something_else_is_told(images: BiaImages, archive: Archive, path: str, body: str) -> None:
    archive.faults.add("replace", path, body=body, content_type="application/json", count=0)
    with pytest.raises(ArchiveError, match="answered with something else"):
        list(images.of("S-BIAD634"))


def test_pages_that_repeat_for_ever_end(images: BiaImages, archive: Archive) -> None:
    uuid = study_uuid("S-BIAD634")
    page = [{"uuid": f"{number:08x}-0000-4000-8000-000000000000", "title": "x"} for number in range(100)]
    archive.faults.add("replace", f"study/{uuid}/dataset", body=json.dumps(page), content_type="application/json", count=0)
    archive.faults.add("replace", r"dataset/[0-9a-f-]+/image", body="[]", content_type="application/json", count=0)
    assert list(images.of("S-BIAD634")) == []
    assert len(archive.asked("biostudies", f"study/{uuid}/dataset")) == 2


@pytest.mark.parametrize(
    "address", ["ftp://example.org/x.ome.zarr", "https://user:secret@example.org/x", "file:///etc/passwd", "https://example.org/../x"]
)
def test_an_address_that_is_none_is_told(images: BiaImages, archive: Archive, address: str) -> None:
    body = json.dumps([{"uuid": bia_images()[0].uuid, "image_format": ".ome.zarr", "file_uri": [address]}])
    archive.faults.add("replace", "/image_representation", body=body, content_type="application/json", count=0)
    with pytest.raises(ArchiveError, match=r"cannot be used|something else"):
        list(images.of("S-BIAD634"))


def test_an_image_comes_with_every_pixel_its_calibration_and_where_it_came_from(bia: Calls) -> None:
    run = bia.download("--accession", "S-BIAD634", *ZARR, "--component", "raw images")
    assert (run.code, run.lines, run.made) == (0, [], ["Raw_images/otherspecimen_3.ome.zarr"])
    (row,) = run.manifest
    made = run.folder / "out" / row["path"]
    assert np.array_equal(zarr.open_array(made / "0", mode="r")[...], zarr.open_array(row["source_url"] + "/0", mode="r")[...])
    assert json.loads((made / ".zattrs").read_text(encoding="utf-8"))["multiscales"][0]["axes"][-1]["unit"] == "millimeter"
    root = etree.fromstring((made / "OME" / "METADATA.ome.xml").read_bytes())
    facts = {str(m.get("K")): m.text for found in root.iter(f"{OME}MapAnnotation") for m in found.iter(f"{OME}M")}
    assert facts.items() >= {"Archive": "BioImage Archive", "Study": "S-BIAD634", "Licence": "CC0 1.0", "File": RAW.partition("/")[2]}.items()


def test_images_are_chosen_like_files_and_come_as_zips(bia: Calls) -> None:
    run = bia.download("--accession", "S-BIAD634", *ZARR, "--zip", "--attribute", "Modality=FM", "--match", "*.tif")
    assert run.made == ["Raw_images/otherspecimen_3.ome.zarr.zip"]
    with zipfile.ZipFile(run.folder / "out" / run.made[0]) as archive:
        assert ".zattrs" in archive.namelist()


def test_several_images_of_one_file_and_one_that_is_gone(bia: Calls) -> None:
    run = bia.download("--accession", "S-BIAD1556", *ZARR)
    assert run.code == 0
    assert sorted(run.statuses.values()) == ["done", "done", "failed"]
    assert len(run.made) == 2
    gone = next(row for row in run.manifest if row["status"] == "failed")
    assert "is named, and is not on the server. Fetch the original file." in gone["reason"]


def test_a_rerun_from_the_manifest_reads_nothing_that_is_there(bia: Calls) -> None:
    bia.download("--accession", "S-BIAD634", *ZARR)
    (bia.folder / "manifest.tsv").rename(bia.folder / "earlier.tsv")
    before = len(bia.archive.asked("objects"))
    run = bia.download("--table", bia.folder / "earlier.tsv", *ZARR)
    assert (run.code, set(run.statuses.values())) == (0, {"done"})
    assert len(bia.archive.asked("objects")) == before


def test_a_manifest_of_stores_asked_for_as_files_is_refused(bia: Calls) -> None:
    bia.download("--accession", "S-BIAD634", *ZARR, "--component", "raw images")
    (bia.folder / "manifest.tsv").rename(bia.folder / "earlier.tsv")
    run = bia.download("--table", bia.folder / "earlier.tsv")
    assert (run.code, run.made) == (2, ["Raw_images/otherspecimen_3.ome.zarr"])
    assert run.lines == ["earlier.tsv was planned as OME-Zarr. Give --format ome-zarr again, or another table."]


def test_a_study_without_any_is_told_what_to_do(bia: Calls) -> None:
    run = bia.download("--accession", "S-BIAD24", *ZARR)
    assert (run.code, run.lines) == (1, ["The BioImage Archive keeps no OME-Zarr of S-BIAD24. Fetch its original files."])


@pytest.mark.parametrize("kind", ["status", "truncate", "html"])
def test_a_store_that_cannot_be_read_leaves_nothing(bia: Calls, kind: str) -> None:
    bia.archive.faults.add(kind, r"\.ome\.zarr/0/0/", count=0, service="objects", **({"status": 503} if kind == "status" else {}))
    run = bia.download("--accession", "S-BIAD634", *ZARR, "--component", "raw images")
    assert (run.code, run.statuses) == (1, {RAW: "failed"})
    assert [path for path in (bia.folder / "out").rglob("*") if path.is_file()] == []


def test_a_store_on_a_foreign_host_is_not_asked_there(bia: Calls) -> None:
    address = f"{bia.archive.elsewhere}/x.ome.zarr/0"
    bia.answers("/image_representation", json.dumps([{"uuid": bia_images()[0].uuid, "image_format": ".ome.zarr", "file_uri": [address]}]))
    run = bia.download("--accession", "S-BIAD634", *ZARR)
    assert run.code == 1
    assert not bia.archive.asked("elsewhere")
    assert "is not among the services this program may contact" in run.reason("S-BIAD634/dataset/rawimages/otherspecimen_3.tif")


def test_a_store_in_the_way_is_not_overwritten(bia: Calls, tmp_path: Path) -> None:
    (bia.folder / "out" / "Raw_images" / "otherspecimen_3.ome.zarr").mkdir(parents=True)
    run = bia.download("--accession", "S-BIAD634", *ZARR, "--component", "raw images")
    assert (run.code, run.statuses) == (2, {RAW: "failed"})
    assert "is not overwritten" in run.reason(RAW)


def test_the_stand_in_has_a_dataset_for_each_component(archive: Archive) -> None:
    assert list(datasets("S-BIAD634").values()) == ["Raw images", "Segmentation masks"]


@pytest.mark.parametrize(("flags", "bytes_held"), [(("--memory", "256"), 16 << 20), ((), MEMORY)])
def test_what_is_fetched_ahead_is_a_share_of_the_memory_that_was_granted(
    bia: Calls, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], bytes_held: int
) -> None:
    monkeypatch.delenv("GALAXY_MEMORY_MB", raising=False)
    with held(monkeypatch) as found:
        assert bia.download("--accession", "S-BIAD634", *ZARR, "--component", "raw images", *flags).code == 0
    assert set(found) == {bytes_held}
