"""What lm_bia_download fetches: the files that were chosen, whole and checked, each in its place; and what becomes of the others."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from lightmicroscopy.reports.tables import MANIFEST
from tests.archives.content.bia_studies import bia_studies

from .bia_calls import Calls

RAW, MASKS = "S-BIAD634/dataset/rawimages/", "S-BIAD634/dataset/groundtruth/"


def content(accession: str, path: str) -> bytes:
    return bia_studies()[accession].files[path].data


def test_every_file_of_a_study_comes_whole_below_its_component(bia: Calls) -> None:
    run = bia.download("--accession", "S-BIAD634", "--checksums", bia.folder / "sums.txt")
    assert (run.code, run.lines) == (0, [])
    assert len(run.made) == 6
    for row in run.manifest:
        assert tuple(row) == MANIFEST
        path = row["item"].removeprefix("S-BIAD634/")
        data = (run.folder / "out" / row["path"]).read_bytes()
        assert data == content("S-BIAD634", path)
        assert (row["status"], row["bytes"], row["sha256"]) == ("done", str(len(data)), hashlib.sha256(data).hexdigest())
        assert (row["study"], row["licence"]) == ("S-BIAD634", "CC0 1.0")
        assert row["path"] == f"{'Raw_images' if 'rawimages' in path else 'Segmentation_masks'}/{path}"
    sums = (run.folder / "sums.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(line.partition("  ")[2] for line in sums) == run.made
    assert "10.1016/j.jmb.2022.167505" in (run.folder / "citation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (("--match", "*_3.TIF"), ["groundtruth/otherspecimen_3", "rawimages/otherspecimen_3"]),
        (("--match", "dataset/raw*"), ["rawimages/Neuroblastoma_1", "rawimages/otherspecimen_3", "rawimages/otherspecimen_4"]),
        (("--component", "segmentation MASKS", "--first", "1"), ["groundtruth/Neuroblastoma_1"]),
        (("--attribute", "magnification=63X"), ["rawimages/otherspecimen_3", "rawimages/otherspecimen_4"]),
        (("--attribute", "Magnification=2*", "--attribute", "Magnification=no"), ["rawimages/Neuroblastoma_1"]),
        (("--attribute", "Source image=*Neuro*", "--match", "*.tif"), ["groundtruth/Neuroblastoma_1"]),
        (("--match", "*_4.tif", "--match", "Neuro*", "--component", "Raw images"), ["rawimages/Neuroblastoma_1", "rawimages/otherspecimen_4"]),
    ],
)
def test_files_are_chosen_by_name_component_attribute_and_number(bia: Calls, flags: tuple[str, ...], names: list[str]) -> None:
    run = bia.download("--accession", "S-BIAD634", "--plan-only", *flags)
    assert run.code == 0, run.stderr
    assert [row["item"] for row in run.manifest] == [f"S-BIAD634/dataset/{name}.tif" for name in names]
    assert set(run.statuses.values()) == {"planned"}
    assert run.made == []


def test_files_that_are_too_large_are_left_out(bia: Calls) -> None:
    run = bia.download("--accession", "S-BIAD24", "--largest-file", "1k")
    assert (run.code, run.made) == (0, ["files/notes/read me.txt"])


def test_files_whose_size_no_list_states_are_asked_for_theirs(bia: Calls) -> None:
    one = len(content("S-BIAD634", "dataset/groundtruth/otherspecimen_3.tif"))
    masks = ("--accession", "S-BIAD634", "--component", "Segmentation masks", "--first", "2")
    run = bia.download(*masks, "--largest-file", str(one))
    assert (run.code, len(run.made), run.lines) == (0, 2, [])
    run = bia.download("--accession", "S-BIAD634", "--accession", "S-BIAD24", "--largest-file", "5k", "--plan-only")
    assert run.code == 0
    assert sorted(run.statuses.values()) == ["planned"] * 2 + ["skipped"] * 3, "of three files the list states that they are too large"
    assert {row["reason"] for row in run.manifest if row["status"] == "skipped"} == {"It is larger than --largest-file allows."}
    assert run.lines == ["3 files whose size no list states turned out to be larger than --largest-file allows; the manifest names them."]
    run = bia.download(*masks, "--largest-file", "5k")
    assert (run.code, run.lines) == (
        2,
        ["2 files whose size no list states turned out to be larger than --largest-file allows, and no other fits. Raise it, or choose otherwise."],
    )


def test_a_rerun_knows_files_whose_name_had_to_change(bia: Calls) -> None:
    entry = [{"path": "notes/read me.txt", "size": 9, "type": "file"}, {"path": "a.t:f", "size": 9, "type": "file"}]
    bia.answers(r"/studies/S-BIAD24$", json.dumps({"accno": "S-BIAD24", "section": {"type": "Study", "files": entry}}))
    bia.archive.faults.add("replace", "/Files/a.t", body="invented\n", count=0, content_type="application/octet-stream")
    made = bia.download("--accession", "S-BIAD24").made
    assert len(made) == 2
    (bia.folder / "manifest.tsv").rename(bia.folder / "earlier.tsv")
    run = bia.download("--table", bia.folder / "earlier.tsv")
    assert (run.code, run.made, [row["status"] for row in run.manifest]) == (0, made, ["done", "done"])


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--component", "Nuclei"), "S-BIAD634 has no component 'Nuclei'. Its components are 'Raw images', 'Segmentation masks'."),
        (("--attribute", "Gene=TP53"), "The files of S-BIAD634 have no attribute 'Gene'. They have 'Magnification', 'Source image'."),
        (("--match", "*.czi"), "None of the 6 files of S-BIAD634 fits."),
        (("--attribute", "Gene"), "'Gene' is no attribute. Write it as NAME=VALUE"),
        (("--max-size", "1M"), "Up to 4.6 MB would be fetched, and at most 1.0 MB are allowed in one go."),
        (("--max-items", "5"), "6 files are asked for, and at most 5 are allowed in one go."),
        (("--first", "0"), "--first 0 must be at least 1."),
    ],
)
def test_an_impossible_choice_is_wrong_usage_and_fetches_nothing(bia: Calls, flags: tuple[str, ...], sentence: str) -> None:
    run = bia.download("--accession", "S-BIAD634", *flags)
    assert (run.code, run.made) == (2, [])
    assert sentence in run.lines[-1]


def test_an_administrators_ceilings_hold(bia: Calls) -> None:
    assert bia.download("--accession", "S-BIAD634", max_bytes=1000).code == 2
    assert bia.download("--accession", "S-BIAD634", max_items=2).code == 2
    assert bia.download("--accession", "S-BIAD634", "--first", "2", max_items=2).code == 0


def test_the_plan_has_sizes_that_no_list_states(bia: Calls) -> None:
    run = bia.download("--accession", "S-BIAD634", "--plan-only", "--component", "Segmentation masks")
    assert {row["bytes"] for row in run.manifest} == {str(len(content("S-BIAD634", "dataset/groundtruth/otherspecimen_3.tif")))}


def test_the_files_table_of_the_search_can_be_cut_down_and_given_back(bia: Calls) -> None:
    table = bia.search("--accession", "S-BIAD634 S-BIAD24").folder / "files.tsv"
    header, *lines = table.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "_3.tif" in line or "early" in line]
    (edited := bia.folder / "edited.tsv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    run = bia.download("--table", edited)
    assert run.code == 0, run.stderr
    assert run.made == [
        "S-BIAD24_files/early.czi",
        "S-BIAD634_Raw_images/dataset/rawimages/otherspecimen_3.tif",
        "S-BIAD634_Segmentation_masks/dataset/groundtruth/otherspecimen_3.tif",
    ]


def test_a_plan_given_back_fetches_what_it_lists(bia: Calls) -> None:
    plan = bia.download("--accession", "S-BIAD634", "--plan-only", "--first", "2").folder / "manifest.tsv"
    plan.rename(bia.folder / "plan.tsv")
    run = bia.download("--table", bia.folder / "plan.tsv")
    assert (run.code, sorted(run.statuses.values()), len(run.made)) == (0, ["done", "done"], 2)


def test_a_rerun_from_the_manifest_fetches_only_what_is_missing(bia: Calls) -> None:
    bia.archive.faults.add("status", r"/Files/dataset/rawimages/otherspecimen_4", status=404, count=0)
    first = bia.download("--accession", "S-BIAD634")
    assert (first.code, first.statuses[f"{RAW}otherspecimen_4.tif"], len(first.made)) == (0, "failed", 5)
    bia.archive.faults.clear()
    (bia.folder / "manifest.tsv").rename(bia.folder / "earlier.tsv")
    (bia.folder / "out" / "Segmentation_masks/dataset/groundtruth/otherspecimen_3.tif").write_bytes(b"changed meanwhile")
    (bia.folder / "out" / "Segmentation_masks/dataset/groundtruth/otherspecimen_4.tif").unlink()
    before = len(bia.archive.asked("originals", ".tif"))
    run = bia.download("--table", bia.folder / "earlier.tsv")
    fetched = {exchange.path.rpartition("/")[2] for exchange in bia.archive.asked("originals", ".tif")[before:] if exchange.method == "GET"}
    assert fetched == {"otherspecimen_4.tif"}
    assert run.statuses[f"{RAW}otherspecimen_4.tif"] == run.statuses[f"{MASKS}otherspecimen_4.tif"] == "done"
    assert "already in the output folder and is not overwritten" in run.reason(f"{MASKS}otherspecimen_3.tif")


def test_a_file_that_a_killed_call_has_not_noted_is_taken_over(bia: Calls) -> None:
    """The manifest still says planned, the file is there under its name, and so is whole."""
    bia.download("--accession", "S-BIAD634", "--plan-only", "--component", "Raw images")
    (bia.folder / "manifest.tsv").rename(bia.folder / "earlier.tsv")
    there = bia.folder / "out/Raw_images/dataset/rawimages/otherspecimen_3.tif"
    there.parent.mkdir(parents=True)
    there.write_bytes(content("S-BIAD634", "dataset/rawimages/otherspecimen_3.tif"))
    there.with_name(".otherspecimen_3.tif.part.json").write_text("{}", encoding="utf-8")
    run = bia.download("--table", bia.folder / "earlier.tsv")
    assert (run.code, set(run.statuses.values())) == (0, {"done"})
    assert not [name for name in run.made if ".part" in name]
    row = next(row for row in run.manifest if row["item"].endswith("rawimages/otherspecimen_3.tif"))
    assert row["sha256"] == hashlib.sha256(there.read_bytes()).hexdigest()
    assert not [one for one in bia.archive.asked("originals", "rawimages/otherspecimen_3.tif") if one.method == "GET"]


@pytest.mark.parametrize("table", [False, True])
def test_a_file_of_somebody_elses_in_the_way_is_never_overwritten(bia: Calls, table: bool) -> None:
    (there := bia.folder / "out/files/notes").mkdir(parents=True)
    (there / "read me.txt").write_text("mine", encoding="utf-8")
    source = ("--accession", "S-BIAD24")
    if table:
        bia.download("--accession", "S-BIAD24", "--plan-only")
        (bia.folder / "manifest.tsv").rename(bia.folder / "earlier.tsv")
        source = ("--table", str(bia.folder / "earlier.tsv"))
    run = bia.download(*source)
    assert (run.code, run.statuses) == (0, {"S-BIAD24/early.czi": "done", "S-BIAD24/notes/read me.txt": "failed"})
    assert (there / "read me.txt").read_text(encoding="utf-8") == "mine"


def test_folders_come_as_the_zips_the_archive_keeps(bia: Calls) -> None:
    run = bia.download("--accession", "S-SCDT990001", "--strict")
    assert (run.code, run.made) == (3, ["Plates/plate1.zarr.zip"])
    assert "is a folder, and the archive keeps no zip of it" in run.reason("S-SCDT990001/plate2.zarr")


def test_files_of_a_set_keep_their_names_and_places(bia: Calls) -> None:
    assert bia.download("--accession", "S-BSST990001").made == ["files/_scan_/stack1/frame_t.ets", "files/scan.vsi"]


def test_many_files_come_at_the_same_time_and_the_manifest_is_in_order(bia: Calls) -> None:
    run = bia.download("--accession", "S-BIAD1495", "--match", "*_001??.txt")
    assert run.code == 0
    items = [row["item"] for row in run.manifest]
    assert len(items) == 100
    assert items == sorted(items)
    assert {row["status"] for row in run.manifest} == {"done"}


def test_in_galaxy_the_files_are_lists_in_a_list(bia: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import json

    (work := tmp_path / "work").mkdir()
    monkeypatch.chdir(work)
    bia.download("--accession", "S-BIAD634", "--first", "4", "--galaxy-collection", "files")
    elements = json.loads((work / "galaxy.json").read_text(encoding="utf-8"))["files"]["elements"]
    assert [(one["name"], [file["name"] for file in one["elements"]]) for one in elements] == [
        ("Raw_images", ["Neuroblastoma_1.tif"]),
        ("Segmentation_masks", ["Neuroblastoma_1.tif", "otherspecimen_3.tif", "otherspecimen_4.tif"]),
    ]


@pytest.mark.parametrize("flags", [(), ("--accession", "S-BIAD634", "--table", "x.tsv")])
def test_accessions_or_a_table_but_not_both_and_not_neither(bia: Calls, flags: tuple[str, ...]) -> None:
    run = bia.download(*flags)
    assert (run.code, run.lines) == (2, ["Give either accessions (--accession) or a table of files (--table)."])
