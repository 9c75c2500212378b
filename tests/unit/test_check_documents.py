"""Documents among the inputs of a check: recognised by what is in them, checked by their profile, harmless whatever they hold."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import lm_check
from lightmicroscopy.metadata import findings
from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.documents import PROFILE_OF, content, file_list, read_document
from lightmicroscopy.metadata.findings import ALL_INPUTS, Problem, Together, rule
from lightmicroscopy.metadata.rules import catalogue
from lightmicroscopy.reports.findings_html import render
from scripts.test_data import documents
from tests.archives import Archive

from .document_checks import ASSAYS, LIBRARY, LIST, PROCESSED, STUDY, TODAY, Content, found, grave, of, report_of, submission, whole_study, write
from .remote_inputs import BLASTOCYST

KINDS: dict[str, tuple[Content, str]] = {
    "pagetab": (submission(), "PageTab (JSON)"),
    "table": (documents.as_table(submission()), "PageTab (TSV)"),
    "list": (LIST, "File list (TSV)"),
    "list in json": ([{"path": "a.tif", "size": 3}], "File list (JSON)"),
    "study": (documents.STUDY, "IDR study file"),
    "library": (documents.LIBRARY, "IDR library table"),
    "assays": (documents.ASSAYS, "IDR assays table"),
    "processed": (documents.PROCESSED, "IDR processed table"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["dataset_12.dat", "cells.ome.tiff", "notes.json", "study.tsv"])
def test_a_document_is_recognised_whatever_it_is_called(tmp_path: Path, kind: str, name: str) -> None:
    text, expected = KINDS[kind]
    (path,) = write(tmp_path, {name: text})
    document = read_document(path)
    assert document is not None
    assert document.format == expected


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "json" not in kind and kind != "pagetab"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_document_of_text_is_recognised_in_other_encodings(tmp_path: Path, kind: str, encoding: str) -> None:
    text, expected = KINDS[kind]
    assert isinstance(text, str)
    (path,) = write(tmp_path, {"a.txt": text.replace("°", "o").encode(encoding)})
    document = read_document(path)
    assert document is not None
    assert document.format == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        "these are words\n",
        "a\tb\tc\n1\t2\t3\n",
        "name,age\nOla,3\n",
        "Plate\tDish\n1\t2\n",
        "{}",
        '{"multiscales": []}',
        '{"attributes": {"ome": {}}, "zarr_format": 3, "node_type": "group"}',
        "[1, 2, 3]",
        '[{"name": "a"}]',
        "{words}",
        "<OME/>",
        "study:\n  title: x\n",
        "\x00\x01binary",
    ],
)
def test_what_is_no_document_is_none(tmp_path: Path, text: str) -> None:
    (path,) = write(tmp_path, {"a.txt": text})
    assert read_document(path) is None


def test_images_and_folders_are_no_documents(test_data: Path, tmp_path: Path) -> None:
    ours = {
        "bia_list.tsv",
        "bia_submission.json",
        "idr0000-study.txt",
        "idr0000-screenA-library.txt",
        "rembi_mistakes.tsv",
        "rembi_sheet.xlsx",
        "annotation_sheet.yaml",
    }
    names = {path.name for path in test_data.iterdir() if read_document(path) is not None}
    assert names == ours
    assert read_document(tmp_path) is None
    assert read_document(tmp_path / "nothing") is None
    assert read_document(Path(os.devnull)) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", ["open-format", "rembi", "bia", "idr"])
def test_a_document_whose_profile_was_not_chosen_is_told_as_not_checked(tmp_path: Path, kind: str, profile: str) -> None:
    (path,) = write(tmp_path, {"document": KINDS[kind][0]})
    document = read_document(path)
    assert document is not None
    report = check([path], [profile], today=TODAY)
    told = of(report.findings, "input.profile-missing")
    if PROFILE_OF[document.kind] == profile:
        assert told == []
    else:
        assert [(finding.severity, finding.input) for finding in told] == [("not-run", "document")]
        assert f"--profile {PROFILE_OF[document.kind]}" in told[0].fix
        assert report.reaches("warning")
        assert set(report.inputs[0].statuses.values()) <= {"not-applicable"}


def test_with_every_profile_nothing_is_left_unchecked(tmp_path: Path) -> None:
    files = {"submission.json": submission(), "bia_list.tsv": LIST, **whole_study()}
    told = found(tmp_path, files, "open-format", "bia", "idr")
    assert "input.profile-missing" not in {finding.rule for finding in told}
    assert grave(told) == set()


def test_what_a_profile_has_nothing_to_say_about_is_not_applicable(tmp_path: Path, test_data: Path) -> None:
    report = report_of(tmp_path, {"submission.json": submission(), STUDY: documents.STUDY}, "bia", "idr", also=[test_data / "cells.ome.tiff"])
    by_name = {item.name: item.statuses for item in report.inputs}
    assert by_name["submission.json"]["bia.doi"] == "passed"
    assert by_name["submission.json"]["idr.term"] == "not-applicable"
    assert by_name[STUDY]["idr.term"] == "passed"
    assert by_name[STUDY]["bia.doi"] == "not-applicable"
    assert by_name[STUDY]["idr.image-format"] == "not-applicable"
    assert by_name["cells.ome.tiff"]["idr.image-format"] == "found"
    assert by_name["cells.ome.tiff"]["bia.doi"] == "not-applicable"
    assert by_name["submission.json"]["bia.list-given"] == "found"
    assert by_name[STUDY]["bia.list-given"] == "not-applicable"
    assert all(set(statuses) == {rule.id for rule in catalogue(["bia", "idr"])} for statuses in by_name.values())


def test_the_rules_of_open_formats_say_nothing_of_documents(tmp_path: Path) -> None:
    report = report_of(tmp_path, {STUDY: documents.STUDY}, "open-format", "idr")
    of_images = {rule.id for rule in catalogue(["open-format"])}
    assert {report.inputs[0].statuses[name] for name in of_images} == {"not-applicable"}


def test_a_rule_belongs_to_the_profile_that_it_is_told_under(tmp_path: Path) -> None:
    files = {"submission.json": submission(lambda document: document["attributes"].pop()), STUDY: documents.STUDY.replace("2027-", "1.")}
    told = found(tmp_path, files, "open-format", "bia", "idr")
    assert {(finding.rule.partition(".")[0], finding.profile) for finding in told if "." in finding.rule} <= {("bia", "bia"), ("idr", "idr")}


@pytest.fixture
def extra_together() -> object:
    def make(function: object) -> findings.Rule:
        rule("test.together", severity="warning", title="It holds.", why="Why.", fix="Fix.", source="https://example.org", needs="together")(function)  # type: ignore[arg-type]
        return findings.RULES.pop("test.together")

    return make


def test_each_input_has_its_own_share_of_what_a_rule_over_all_finds(extra_together) -> None:  # type: ignore[no-untyped-def]
    checked = extra_together(lambda _: (Problem(f"{number}", input=name) for name in ("a", "b") for number in range(3000)))
    told, status = findings.run_together(checked, Together((), TODAY), "bia")
    assert status == "found"
    for name in ("a", "b"):
        mine = [finding for finding in told if finding.input == name]
        assert len(mine) == findings.PROBLEMS_SHOWN + 1
        assert "more than 1000 more places" in mine[-1].message


def test_a_rule_over_all_that_crashes_says_so(extra_together) -> None:  # type: ignore[no-untyped-def]
    def crashing(_: Together) -> list[Problem]:
        raise ZeroDivisionError("by zero")

    told, status = findings.run_together(extra_together(crashing), Together((), TODAY), "bia")
    assert status == "not-run"
    assert (told[0].input, told[0].severity) == (ALL_INPUTS, "not-run")


def test_a_rule_over_all_that_stops_half_way_did_not_pass(extra_together) -> None:  # type: ignore[no-untyped-def]
    def half(_: Together):  # type: ignore[no-untyped-def]
        yield Problem("One.", input="a")
        raise KeyError("x")

    assert findings.run_together(extra_together(half), Together((), TODAY), "bia")[1] == "not-run"


def test_rules_over_all_know_images_only_by_what_the_report_keeps(tmp_path: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Together] = []

    def look(together: Together) -> list[Problem]:
        seen.append(together)
        return []

    monkeypatch.setattr("lightmicroscopy.metadata.findings.RULES", dict(findings.RULES))
    rule("test.look", severity="info", title="T.", why="W.", fix="F.", source="https://example.org", profiles=("bia",), needs="together")(look)
    monkeypatch.setattr("lightmicroscopy.metadata.check.catalogue", lambda _: (findings.RULES["test.look"],))
    report_of(
        tmp_path, {"list.tsv": LIST}, "bia", also=[test_data / "cells.ome.tiff", test_data / "plate_04.ome.zarr.zip", test_data / "truncated.tif"]
    )
    ((listed, image, plate, broken),) = (together.inputs for together in seen)
    assert (listed.kind, image.kind, plate.kind, broken.kind) == ("file-list", "image", "image", "unknown")
    assert image.series[0].size_x == 128
    assert plate.is_zarr
    assert plate.plates[0][1].split()[0] == "A01"
    assert not any(hasattr(item, "dataset") for item in (listed, image, plate))


def test_the_page_shows_what_concerns_all_inputs(tmp_path: Path, test_data: Path) -> None:
    report = check([test_data / "cells.ome.tiff", test_data / "plain.tif"], ["bia"], today=TODAY)
    page = "".join(render(report))
    assert ALL_INPUTS in page
    assert "No submission (PageTab) was given" in page
    assert "Findings that are about no single input." in page


def test_the_page_names_the_kind_of_a_document(tmp_path: Path) -> None:
    page = "".join(render(report_of(tmp_path, {STUDY: documents.STUDY}, "idr")))
    assert "<p>IDR study file</p>" in page
    assert "metadata only" not in page


def test_documents_of_a_folder_are_taken_where_their_profile_was_chosen(tmp_path: Path, test_data: Path) -> None:
    folder = tmp_path / "study"
    write(folder, whole_study() | {"notes.txt": "words\n", "submission.json": submission()})
    (folder / "cells.ome.tiff").write_bytes((test_data / "cells.ome.tiff").read_bytes())
    for profiles, expected in (
        ((), {"cells.ome.tiff"}),
        (("idr",), {"cells.ome.tiff", STUDY, LIBRARY, PROCESSED}),
        (("bia",), {"cells.ome.tiff", "submission.json"}),
    ):
        out = tmp_path / "findings.json"
        flags = [word for profile in profiles for word in ("--profile", profile)]
        lm_check.main([str(folder), *flags, "--json", str(out), "--quiet"])
        assert {item["name"] for item in json.loads(out.read_text(encoding="utf-8"))["inputs"]} == expected


def test_a_sheet_given_by_its_flag_is_an_input(tmp_path: Path) -> None:
    (path,) = write(tmp_path, {"a.txt": documents.LIBRARY})
    out = tmp_path / "findings.json"
    assert lm_check.main(["--sheet", str(path), "--profile", "idr", "--json", str(out), "--quiet"]) == 0
    assert [item["name"] for item in json.loads(out.read_text(encoding="utf-8"))["inputs"]] == ["a.txt"]


def test_without_a_sheet_the_profile_rembi_says_that_nothing_was_checked(test_data: Path) -> None:
    (told,) = of(check([test_data / "cells.ome.tiff"], ["rembi"]).findings, "rembi.sheet-given")
    assert told.severity == "not-run"


def test_json_that_is_cut_off_is_unreadable_and_costs_nobody_else(tmp_path: Path) -> None:
    text = json.dumps(submission())
    report = report_of(tmp_path, {"submission.json": text[: len(text) // 2], STUDY: documents.STUDY}, "bia", "idr")
    assert [item.name for item in report.failed] == ["submission.json"]
    (told,) = of(report.findings, "input.unreadable")
    assert "is not valid JSON" in told.message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_json_in_another_encoding_is_a_sentence(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "submission.json").write_bytes(json.dumps(submission()).encode(encoding))
    (told,) = of(check([tmp_path / "submission.json"], ["bia"], today=TODAY).findings, "input.unreadable")
    wide = "is JSON in UTF-16 or UTF-32; programs exchange it in UTF-8"
    assert wide in told.message or "is of no format this tool reads" in told.message
    assert (wide in told.message) == (encoding == "utf-16")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", ["name\tvalue\na\t1\n", ""])
def test_text_with_a_byte_order_mark_is_no_xml(tmp_path: Path, encoding: str, text: str) -> None:
    (tmp_path / "table.txt").write_bytes(text.encode(encoding))
    (told,) = of(check([tmp_path / "table.txt"], ["bia"], today=TODAY).findings, "input.unreadable")
    assert "XML" not in told.message
    assert "is of no format this tool reads" in told.message


def nested(depth: int) -> str:
    return '{"type": "submission", "section": ' + '{"type": "S", "subsections": [' * depth + "]}" * depth + "}"


@pytest.mark.parametrize(
    "text",
    [
        nested(60),
        nested(5000),
        '{"type": "submission", "section": {"type": ["Study"], "attributes": {"a": [1]}, "subsections": [[[1]], null, {"type": {}}]}}',
        '{"type": "submission", "section": {"attributes": [{"name": 1e400, "value": NaN}, {"name": "x", "valqual": {"a": 3}}]}}',
        '{"section": {"type": "Study", "files": [{"path": {"a": 1}}, {"path": "' + "x" * 70000 + '", "size": -1}]}}',
        '[{"path": "a", "attributes": {"name": "x"}}, 3, null, {"path": "b", "attributes": [[], {"name": {}}], "size": "1e9"}]',
        "Submission\n\n\n" + "Study\t\t\n\n" * 500,
        "Submission\n\nStudy\n" + '"' + "\t\n" * 300,
        "Submission\n\nFile\ta\n\nLink\tb\n",
        "Files\t" + "\t" * 5000 + "\n" + "a\n" * 50,
        'Files\tA\n"a\n' + "b\tc\n" * 50_000,
        documents.STUDY.replace("\t", "\t\t\t"),
        "\n".join(f"Screen Number\t{number}" for number in range(3000)) + "\nStudy Title\tx\nStudy Type\tx\n",
        documents.LIBRARY.replace("drawn", '"drawn'),
        documents.LIBRARY.replace("\n", "\n" + "\t" * 2000 + "\n"),
        documents.LIBRARY + "drawn\t" + "Z" * 3000 + "1\t" + "9" * 5000 + "\n",
        documents.ASSAYS.replace("Image File", "Image File\tImage File"),
        documents.STUDY.replace("2027-03-01", "9999-99-99").replace("10.1234", "10." + "9" * 10000),
        documents.STUDY.replace("ola@example.org", "a" * 20000 + "@" + "b." * 5000),
        documents.STUDY.replace("12345678", "١٢٣٤"),
    ],
    ids=range(20),
)
def test_whatever_stands_in_a_document_no_rule_stops_with_an_error_of_its_own(tmp_path: Path, text: str) -> None:
    report = report_of(tmp_path, {"document.txt": text}, "open-format", "rembi", "bia", "idr")
    assert not [finding for finding in report.findings if "an error of its own" in finding.message or "this suite has a fault" in finding.message]
    assert report.findings


def test_a_document_larger_than_any_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "LARGEST", 1000)
    report = report_of(tmp_path, {STUDY: documents.STUDY}, "idr")
    (told,) = of(report.findings, "input.unreadable")
    assert "at most 1,000 are read" in told.message


def test_a_table_with_more_cells_than_any_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_list, "MOST_CELLS", 20)
    (told,) = of(found(tmp_path, {LIBRARY: documents.LIBRARY}, "idr"), "input.unreadable")
    assert "more than 20 cells" in told.message


def test_nothing_of_a_document_becomes_markup_of_the_page(tmp_path: Path) -> None:
    text = documents.STUDY.replace("Study Copyright", "<script>alert(1)</script>")
    page = "".join(render(report_of(tmp_path, {STUDY: text}, "idr")))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_documents_are_left_as_they_were(tmp_path: Path) -> None:
    files = {"submission.json": submission(), "bia_list.tsv": LIST, **whole_study(), ASSAYS: documents.ASSAYS}
    paths = write(tmp_path, files)
    before = {path: path.read_bytes() for path in paths}
    check(paths, ["bia", "idr"], today=TODAY)
    assert {path: path.read_bytes() for path in sorted(tmp_path.iterdir())} == dict(sorted(before.items()))


@pytest.mark.parametrize("profile", ["bia", "idr", "rembi"])
def test_a_store_on_the_web_is_checked_by_every_profile(web_archive: Archive, tmp_path: Path, profile: str) -> None:
    out = tmp_path / "findings.json"
    assert lm_check.main([BLASTOCYST, "--profile", profile, "--json", str(out), "--quiet"]) == 0
    (item,) = json.loads(out.read_text(encoding="utf-8"))["inputs"]
    assert "not-run" not in {status for rule, status in item["statuses"].items() if not rule.endswith("-given")}
    assert item["statuses"].get("idr.image-format", "passed") == "passed"
    assert item["statuses"].get("bia.file-name", "passed") == "passed"
