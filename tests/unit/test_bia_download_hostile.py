"""What an archive, a list or a table that means harm, or is merely wrong, does to a download: nothing beyond a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lightmicroscopy.archives.bia_choice import Places, folder_of, safe_name
from lightmicroscopy.reports.tables import path_cell
from tests.archives.content.bia_studies import bia_studies

from .bia_calls import Calls
from .idr_downloads import IMPATIENT, PATIENT

ODD = "S-JCBD990001"


def test_paths_that_lead_elsewhere_are_never_followed(bia: Calls) -> None:
    run = bia.download("--accession", ODD)
    assert run.code == 0
    bad = ["../../etc/passwd", "/etc/shadow", "C:\\Windows\\evil.dll", "C:/evil.tif", "a/../../up.tif", "line\nbreak.tif", "./here.tif", "a//b.tif"]
    assert {run.statuses[path_cell(f"{ODD}/{path}")] for path in bad} == {"failed"}
    assert all("is not followed" in run.reason(path_cell(f"{ODD}/{path}")) for path in bad)
    asked = [exchange.path for exchange in bia.archive.asked("originals")]
    assert not [path for path in asked if "passwd" in path or "shadow" in path or "evil" in path or "/up.tif" in path]
    assert all(path.is_relative_to(bia.folder) for path in bia.folder.rglob("*"))
    assert sorted(path.name for path in bia.folder.iterdir()) == ["citation.md", "manifest.tsv", "out"]


def test_names_that_clash_or_mean_devices_elsewhere_each_get_their_own(bia: Calls) -> None:
    run = bia.download("--accession", ODD)
    files = bia_studies()[ODD].files
    kept = {row["item"].removeprefix(f"{ODD}/"): row["path"] for row in run.manifest if row["status"] == "done"}
    assert kept == {
        "Aux.tif": "Odd_component/_Aux.tif",
        "CASE.tif": "Odd_component/CASE.tif",
        "a": "Odd_component/a",
        "a/b.tif": "Odd_component/a~2/b.tif",
        "case.TIF": "Odd_component/case~2.TIF",
        "dup.tif": "Odd_component/dup.tif",
        "fine.tif": "Odd_component/fine.tif",
    }
    assert all((run.folder / "out" / path).read_bytes() == files[name].data for name, path in kept.items())


def test_a_size_that_is_not_true_and_a_file_that_is_gone_cost_only_themselves(bia: Calls) -> None:
    run = bia.download("--accession", ODD, "--match", "lying.tif", "--match", "gone.tif", "--match", "fine.tif")
    assert (run.code, run.made) == (0, ["Odd_component/fine.tif"])
    assert "where 12 were expected" in run.reason(f"{ODD}/lying.tif") or "at most 12 are allowed" in run.reason(f"{ODD}/lying.tif")
    assert "does not exist (404 Not Found)" in run.reason(f"{ODD}/gone.tif")
    assert bia.download("--accession", ODD, "--match", "gone.tif").code == 1


def test_a_title_cannot_become_markup_and_an_unknown_licence_is_kept_as_it_is(bia: Calls) -> None:
    run = bia.download("--accession", ODD, "--match", "fine.tif")
    text = (run.folder / "citation.md").read_text(encoding="utf-8")
    assert "<script" not in text.replace("\\<", "")
    assert "All rights reserved" in text


@pytest.mark.parametrize(
    ("kind", "options", "what"),
    [
        ("html", {}, "web page (HTML) instead of data"),
        ("reset", {"bytes": 10}, "could not be fetched"),
        ("truncate", {}, "could not be fetched"),
        ("short-length", {"bytes": 100}, "were expected"),
        ("status", {"status": 503}, "503 Service Unavailable"),
        ("status", {"status": 403}, "was refused"),
        ("endless", {"limit": 50_000_000}, "are allowed"),
        ("redirect", {"target": "{elsewhere}/x"}, "leads to another address, which is not followed"),
        ("never", {"seconds": 20}, "could not be fetched"),
    ],
)
def test_a_file_that_cannot_be_had_whole_is_a_row_and_nothing_of_it_gets_its_name(
    bia: Calls, kind: str, options: dict[str, object], what: str
) -> None:
    bia.archive.faults.add(kind, r"/Files/early\.czi", count=0, service="originals", **options)
    run = bia.download("--accession", "S-BIAD24", patience=IMPATIENT if kind == "never" else PATIENT)
    assert run.statuses == {"S-BIAD24/early.czi": "failed", "S-BIAD24/notes/read me.txt": "done"}
    assert what in run.reason("S-BIAD24/early.czi")
    assert [name for name in run.made if not name.rpartition("/")[2].startswith(".")] == ["files/notes/read me.txt"]
    assert not bia.archive.asked("elsewhere")


@pytest.mark.parametrize(("kind", "options"), [("reset", {"bytes": 10}), ("truncate", {}), ("status", {"status": 503}), ("status", {"status": 429})])
def test_a_passing_fault_is_overcome(bia: Calls, kind: str, options: dict[str, object]) -> None:
    bia.archive.faults.add(kind, r"/Files/early\.czi", service="originals", **options)
    run = bia.download("--accession", "S-BIAD24")
    assert set(run.statuses.values()) == {"done"}
    assert (run.folder / "out/files/early.czi").read_bytes() == bia_studies()["S-BIAD24"].files["early.czi"].data


def test_a_link_in_the_output_folder_leads_nowhere(bia: Calls, tmp_path: Path) -> None:
    (outside := tmp_path / "outside").mkdir()
    (bia.folder / "out").mkdir()
    (bia.folder / "out" / "files").symlink_to(outside)
    run = bia.download("--accession", "S-BIAD24")
    assert run.code == 2
    assert "is a link that leads out of it" in run.reason("S-BIAD24/early.czi")
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("accession\tpath\nidr0062\ta.tif\n", "table.tsv, line 2: 'idr0062' is no accession of BioStudies"),
        ("accession\tpath\nS-BIAD24\t\n", "it names no file of 'S-BIAD24'"),
        ("accession\tfile\nS-BIAD24\ta\n", "it has no column path"),
        ("item\tstatus\nimage-6001240\tdone\n", "'image-6001240' is no accession"),
        ("accession\tpath\n", "No study is named."),
        ("", "it has no column accession"),
    ],
)
def test_a_table_of_something_else_is_refused_before_anything_is_asked(bia: Calls, table: str, sentence: str) -> None:
    (bia.folder / "table.tsv").write_text(table, encoding="utf-8")
    run = bia.download("--table", bia.folder / "table.tsv")
    assert run.code in (1, 2)
    assert sentence in run.lines[-1]
    assert not bia.archive.asked()


def test_a_table_cannot_make_the_tool_fetch_what_the_study_does_not_list(bia: Calls) -> None:
    """Addresses and places in a table are not believed."""
    rows = [
        ["S-BIAD24", "../../S-BIAD990002/secret.tif", "file", f"{bia.archive.elsewhere}/x"],
        ["S-BIAD24", "early.czi", "file", f"{bia.archive.elsewhere}/y"],
    ]
    lines = ["\t".join(["accession", "path", "type", "url"]), *("\t".join(row) for row in rows)]
    (bia.folder / "table.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = bia.download("--table", bia.folder / "table.tsv")
    assert run.statuses == {"S-BIAD24/early.czi": "done", "S-BIAD24/../../S-BIAD990002/secret.tif": "failed"}
    assert "is not among the files of S-BIAD24" in run.reason("S-BIAD24/../../S-BIAD990002/secret.tif")
    assert not bia.archive.asked("elsewhere")
    assert run.made == ["files/early.czi"]


def test_a_manifest_that_lies_about_places_is_not_believed(bia: Calls, tmp_path: Path) -> None:
    (victim := tmp_path / "victim.txt").write_text("x" * 9, encoding="utf-8")
    lines = ["item\tstatus\tpath\tsha256", f"S-BIAD24/notes/read me.txt\tplanned\t../{victim.name}\t", "S-BIAD24/early.czi\tdone\t/etc/passwd\tabc"]
    (bia.folder / "table.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run = bia.download("--table", bia.folder / "table.tsv")
    assert (set(run.statuses.values()), run.made) == ({"done"}, ["files/early.czi", "files/notes/read me.txt"])
    assert victim.read_text(encoding="utf-8") == "x" * 9


def test_one_study_of_two_that_is_not_there_is_a_row(bia: Calls) -> None:
    run = bia.download("--accession", "S-BIAD24 S-BIAD999", "--strict")
    assert (run.code, run.statuses["S-BIAD999"]) == (3, "failed")
    assert run.made == ["S-BIAD24_files/early.czi", "S-BIAD24_files/notes/read me.txt"]
    (bia.folder / "manifest.tsv").rename(bia.folder / "earlier.tsv")
    assert bia.download("--table", bia.folder / "earlier.tsv").statuses["S-BIAD24/early.czi"] == "done"


@pytest.mark.parametrize(("accession", "code"), [("S-BIAD999", 1), ("S-BIAD990002", 1), ("idr0062", 2)])
def test_a_study_that_cannot_be_had_fails_the_job(bia: Calls, accession: str, code: int) -> None:
    run = bia.download("--accession", accession)
    assert (run.code, run.made, len(run.lines)) == (code, [], 1)


def test_a_folder_that_cannot_be_written_stops_the_job_with_a_sentence(bia: Calls) -> None:
    (bia.folder / "out").write_text("a file", encoding="utf-8")
    run = bia.download("--accession", "S-BIAD24")
    assert run.code == 1
    assert "cannot be made" in run.lines[-1]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a b (1)!.tif", "a b (1)!.tif"),
        ("..", "file"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("CON", "_CON"),
        ("nul.tif", "_nul.tif"),
        ("com1", "_com1"),
        ("console.tif", "console.tif"),
        ("trailing. ", "trailing"),
        ('a<b>:"|?*.tif', "a_b.tif"),
        ("\u202etif.exe", "tif.exe"),
        ("x" * 300 + ".ome.tif", "x" * 109 + ".tif"),
        ("Zelle ø.czi", "Zelle ø.czi"),
    ],
)
def test_names_are_kept_where_they_are_safe_on_every_system(name: str, kept: str) -> None:
    assert safe_name(name) == kept
    assert os.sep not in kept


def test_places_differ_whatever_the_names() -> None:
    with Places() as places:
        paths = ["a.tif", "A.TIF", "a~2.tif", "x/y", "x", "X/z", "?/q", "*/q", "a.tif"]
        found = [str(places.of("c", path)) for path in paths]
    assert found == ["c/a.tif", "c/A~2.TIF", "c/a~2~2.tif", "c/x/y", "c/x~2", "c/X/z", "c/file/q", "c/file/q~2", "c/a~3.tif"]


@pytest.mark.parametrize(("component", "folder"), [("", "files"), ("../..", "files"), ("A / B", "A_B"), ("con", "_con"), ("ø", "ø")])
def test_folders_of_components_are_safe(component: str, folder: str) -> None:
    assert folder_of(component, "") == folder
