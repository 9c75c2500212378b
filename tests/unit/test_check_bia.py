"""Submissions to the BioImage Archive: a sound one passes, and each mistake is told by the rule meant for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.rules import catalogue
from scripts.test_data import documents

from .document_checks import (
    LIST,
    TODAY,
    Content,
    Json,
    by_themselves,
    found,
    grave,
    named,
    of,
    part,
    setting,
    submission,
    with_more,
    without,
    without_section,
    write,
)

SUBMISSION = "submission.json"
LISTED = {SUBMISSION: submission(), "bia_list.tsv": LIST}


def one(*changes: Callable[[Json], object]) -> dict[str, Content]:
    return {SUBMISSION: submission(*changes), "bia_list.tsv": LIST}


def annotated(*rows: str, header: str = "Files\tSource Image") -> dict[str, Content]:
    """A submission with an annotation, whose list has these rows."""
    section = {
        "type": "Annotation",
        "accno": "annotation-1",
        "attributes": [
            {"name": name, "value": value}
            for name, value in (
                ("Title", "Masks"),
                ("Annotation Overview", "Nuclei"),
                ("Annotation Type", "segmentation_mask"),
                ("Annotation Method", "by hand"),
                ("Annotation Confidence Level", "high"),
                ("Annotation Criteria", "none"),
                ("Annotation Coverage", "all"),
                ("File List", "masks.tsv"),
            )
        ],
    }
    changed = submission(lambda document: document["section"]["subsections"].append(section))
    return {SUBMISSION: changed, "bia_list.tsv": LIST, "masks.tsv": "\n".join([header, *rows, ""])}


def test_a_sound_submission_passes_as_json_and_as_a_table(tmp_path: Path) -> None:
    for name, content in ((SUBMISSION, submission()), ("submission.tsv", documents.as_table(submission()))):
        findings = by_themselves(found(tmp_path / name, {name: content, "bia_list.tsv": LIST}, "bia"))
        assert [finding for finding in findings if finding.severity != "info"] == []
        assert {finding.rule for finding in findings} <= {"bia.direct-upload"}


def test_a_sound_annotation_passes(tmp_path: Path) -> None:
    findings = found(tmp_path, annotated("masks/1.png\tcells.ome.tiff"), "bia")
    assert grave(findings) == set()


def accession(document: Json, value: str) -> None:
    document["accno"] = value


def first(document: Json, kind: str, key: str, value: object) -> None:
    part(document, kind)[key] = value


def qualified(kind: str, name: str, position: int, value: str) -> Callable[[Json], object]:
    return lambda document: named(part(document, kind), name)["valqual"][position].update(value=value)


MISTAKES: list[tuple[str, str, dict[str, Content]]] = [
    ("bia.structure", "has no type", one(lambda document: part(document, "Specimen").update(type=3))),
    ("bia.structure", "has no name", one(lambda document: part(document, "Specimen")["attributes"].append({"value": "x"}))),
    ("bia.structure", "is no attribute", one(lambda document: part(document, "Specimen")["attributes"].append("x"))),
    ("bia.structure", "is no list", one(lambda document: part(document, "Specimen").update(links={"url": "x"}))),
    ("bia.structure", "has no url", one(lambda document: document["section"]["links"].append({"attributes": []}))),
    ("bia.structure", "has no path", one(lambda document: part(document, "Specimen").update(files=[[{"size": 3}]]))),
    (
        "bia.structure",
        "is no text",
        one(
            setting("Specimen", "Growth protocol", ""),
            with_more("Specimen", "x", "y", valqual=[3]),
            lambda d: named(part(d, "Specimen"), "Growth protocol").update(value=["a"]),
        ),
    ),
    ("bia.structure", "has no section", {SUBMISSION: {"type": "submission", "attributes": []}}),
    ("bia.structure", "has no type", one(lambda document: document.pop("type"))),
    ("bia.template", "does not say which template", one(lambda document: document["attributes"].pop(0))),
    ("bia.template", "is not known here", one(lambda document: document["attributes"][0].update(value="BioImages.v9"))),
    ("bia.template", "to no collection", one(lambda document: document["attributes"].pop(1))),
    ("bia.template", "to “ArrayExpress”", one(lambda document: document["attributes"][1].update(value="ArrayExpress"))),
    ("bia.title-short", "has 5 characters", one(setting("Study", "Title", "Cells"))),
    ("bia.licence", "is none that", one(setting("Study", "License", "CC BY-NC 4.0"))),
    ("bia.licence", "is none that", one(setting("Study", "License", "all rights reserved"))),
    ("bia.licence", "is spelled", one(setting("Study", "License", "cc-zero"))),
    ("bia.licence", "has no address", one(setting("Study", "License", "CC0", valqual=[]))),
    ("bia.licence", "of another", one(setting("Study", "License", "CC BY 4.0"))),
    ("bia.release-date", "is no day", one(setting("Study", "ReleaseDate", "1 March 2027"))),
    ("bia.release-date", "is no day", one(setting("Study", "ReleaseDate", "2027-02-30"))),
    ("bia.release-date", "in the past", one(setting("Study", "ReleaseDate", "2026-11-22"))),
    ("bia.release-date", "more than two years", one(setting("Study", "ReleaseDate", "2028-11-24"))),
    ("bia.release-date", "differ", one(setting("Study", "ReleaseDate", "2027-03-02"))),
    *(
        ("bia.sections-missing", kind, one(without_section(kind)))
        for kind in ("Author", "Biosample", "Specimen", "Image acquisition", "Study Component")
    ),
    *(
        ("bia.field-missing", f"“{name}” is missing", one(without(kind, name)))
        for kind, name in (
            ("Study", "Title"),
            ("Study", "Description"),
            ("Study", "License"),
            ("Author", "Name"),
            ("Author", "E-mail"),
            ("Author", "affiliation"),
            ("organisation", "Name"),
            ("Biosample", "Title"),
            ("Biosample", "Organism"),
            ("Biosample", "Biological entity"),
            ("Specimen", "Title"),
            ("Specimen", "Sample preparation protocol"),
            ("Image acquisition", "Title"),
            ("Image acquisition", "Imaging instrument"),
            ("Image acquisition", "Image acquisition parameters"),
            ("Image acquisition", "Imaging method"),
            ("Image correlation", "Spatial and temporal alignment"),
            ("Image analysis", "Image analysis overview"),
            ("Study Component", "Name"),
            ("Study Component", "Description"),
            ("Study Component", "File List"),
            ("Associations", "Biosample"),
            ("Associations", "Specimen"),
            ("Associations", "Image acquisition"),
        )
    ),
    ("bia.field-missing", "“Description” is empty", one(setting("Study Component", "Description", "  "))),
    ("bia.field-desirable", "“Growth protocol”", one(without("Specimen", "Growth protocol"))),
    ("bia.unknown-attribute", "“Colour” of Study", one(with_more("Study", "Colour", "blue"))),
    ("bia.unknown-attribute", "“Colour” of Study Component", one(with_more("Study Component", "Colour", "blue"))),
    ("bia.unknown-attribute", "“Keyword” of Study", one(with_more("Study", "Keyword", "blue"))),
    ("bia.unknown-attribute", "is written “Title”", one(lambda d: named(part(d, "Biosample"), "Title").update(name="title"))),
    ("bia.unknown-section", "“Specimn”", one(lambda document: part(document, "Specimen").update(type="Specimn"))),
    ("bia.unknown-section", "and not Study", one(lambda document: document["section"].update(type="Project"))),
    ("bia.repeated-field", "is there 2 times", one(with_more("Image acquisition", "Imaging instrument", "with a second half"))),
    ("bia.keywords", "several keywords", one(setting("Study", "Keywords", "mitosis, confocal"))),
    ("bia.choice", "is not one of the list", one(setting("Author", "Role", "boss"))),
    ("bia.term", "no identifier", one(setting("Biosample", "Organism", "Homo sapiens", valqual=[]))),
    ("bia.term", "is no identifier of NCBITaxon", one(qualified("Biosample", "Organism", 1, "human"))),
    ("bia.term", "is understood as FBbi:00000251", one(qualified("Image acquisition", "Imaging method", 1, "FBbi_251"))),
    ("bia.term", "is of the ontology EFO", one(qualified("Biosample", "Organism", 0, "EFO"))),
    ("bia.older-spelling", "which is Annotation now", one(lambda d: d["section"]["subsections"].append({"type": "Annotations", "accno": "x"}))),
    ("bia.affiliation", "not marked as a reference", one(setting("Author", "affiliation", "o1", reference=False))),
    ("bia.affiliation", "not marked as a reference", one(setting("Author", "affiliation", "University of Oslo", reference=False))),
    ("bia.affiliation", "accession of no organisation", one(setting("Author", "affiliation", "o7"))),
    ("bia.affiliation", "several organisations", one(setting("Author", "affiliation", "o1, o1"))),
    ("bia.organisation", "has no accession", one(lambda document: first(document, "organisation", "accno", ""))),
    ("bia.organisation", "Nobody is affiliated", one(setting("Author", "affiliation", "o2"))),
    ("bia.accession-repeated", "2 sections have the accession", one(lambda document: first(document, "Specimen", "accno", "biosample-1"))),
    ("bia.e-mail", "has a name around it", one(setting("Author", "E-mail", "Ola Nordmann <ola@example.org>"))),
    ("bia.orcid", "at least one is mistyped", one(setting("Author", "ORCID", "0000-0002-1825-0098"))),
    ("bia.ror", "check digits are wrong", one(with_more("organisation", "RORID", "https://ror.org/01xtthb57"))),
    ("bia.ror", "no ROR identifier", one(with_more("organisation", "RORID", "Oslo"))),
    ("bia.doi", "says that there is none yet", one(setting("Publication", "DOI", "TBD"))),
    ("bia.doi", "is an address and no DOI", one(lambda d: d["attributes"].append({"name": "DOI", "value": "https://example.org/doi"}))),
    ("bia.pubmed-id", "none yet", one(setting("Publication", "Pubmed ID", "in revision"))),
    ("bia.pubmed-id", "is not written as it should be", one(setting("Publication", "Pubmed ID", "PMID 12345678"))),
    ("bia.publication-year", "is no year", one(setting("Publication", "Year", "in press"))),
    ("bia.link", "says nothing", one(lambda document: document["section"]["links"][0].update(url="TBD"))),
    ("bia.link", "says nothing", one(lambda document: document["section"]["links"][0].update(url="-"))),
    ("bia.link", "does not say so", one(lambda document: document["section"]["links"][0].update(url="https://doi.org/10.1234/x"))),
    ("bia.link", "is no address", one(lambda document: document["section"]["links"][0].update(url="ERP116793"))),
    ("bia.reference", "accession of no section", one(with_more("Specimen", "Biosample", "biosample-7", reference=True))),
    ("bia.unknown-attribute", "“Colour” of Biosample", one(with_more("Biosample", "Colour", "blue"))),
    ("bia.field-desirable", "no section Publication", one(without_section("Publication"))),
    ("bia.associations", "has no associations", one(without_section("Associations"))),
    ("bia.association-target", "no section has that title", one(setting("Associations", "Biosample", "U2OS"))),
    ("bia.association-target", "differs in blanks or case", one(setting("Associations", "Biosample", "HeLa "))),
    ("bia.association-target", "differs in blanks or case", one(setting("Associations", "Specimen", "fixed cells"))),
    ("bia.association-target", "several sections in one value", one(setting("Associations", "Biosample", "HeLa,HeLa"))),
    (
        "bia.title-repeated",
        "2 sections of the type Specimen",
        one(lambda document: document["section"]["subsections"].append(dict(part(document, "Specimen"), accno="specimen-2"))),
    ),
    ("bia.unreferenced", "Image analysis “Counting”", one(without("Associations", "Image analysis"))),
    ("bia.list-named", "no JSON, TSV or XLSX file", one(setting("Study Component", "File List", "list.csv"))),
    ("bia.list-named", "is a directory", one(setting("Study Component", "File List", "images/"))),
    ("bia.list-named", "does not allow", one(setting("Study Component", "File List", "liste_å.tsv"))),
    (
        "bia.list-named",
        "is that of",
        one(lambda document: document["section"]["subsections"].append(dict(part(document, "Study Component"), accno="component-2"))),
    ),
    ("bia.listed-file", "does not allow", one(lambda d: part(d, "Specimen").update(files=[{"path": "a+b.tif", "type": "file"}]))),
    ("bia.listed-file", "stores files of up to", one(lambda d: part(d, "Specimen").update(files=[{"path": "a.zip", "size": 3 * 10**12}]))),
    ("bia.list-name", "by its ending", {**LISTED, "more.csv": LIST}),
    ("bia.list-header", "and not “Files”", {**LISTED, "bia_list.tsv": LIST.replace("Files", "File")}),
    ("bia.list-header", "and not “Files”", {**LISTED, "bia_list.tsv": LIST.replace("Files", "files")}),
    ("bia.list-header", "Column 2 has no name", {**LISTED, "bia_list.tsv": LIST.replace("Drug", " ")}),
    ("bia.list-header", "are called “drug”", {**LISTED, "bia_list.tsv": "Files\tDrug\tDrug\na.tif\tx\ty\n"}),
    ("bia.list-header", "has blanks before or behind", {**LISTED, "bia_list.tsv": LIST.replace("Drug", "Drug ")}),
    ("bia.list-rows", "no file in it", {**LISTED, "bia_list.tsv": "Files\tDrug\n"}),
    ("bia.list-rows", "no file in it", {**LISTED, "bia_list.json": []}),
    ("bia.list-rows", "is empty", {**LISTED, "bia_list.tsv": LIST.replace("plain", "\nplain")}),
    ("bia.list-rows", "no path in its first cell", {**LISTED, "bia_list.tsv": LIST + "\tnone\n"}),
    ("bia.list-rows", "has 3 cells", {**LISTED, "bia_list.tsv": LIST + "a.tif\tx\ty\n"}),
    ("bia.list-rows", "is not UTF-8", {**LISTED, "bia_list.tsv": (LIST + "b\xe9.tif\tx\n").encode("latin-1")}),
    ("bia.list-rows", "is in UTF-16", {**LISTED, "bia_list.tsv": LIST.encode("utf-16")}),
    ("bia.list-rows", "byte order mark", {**LISTED, "bia_list.tsv": LIST.encode("utf-8-sig")}),
    ("bia.list-rows", "has no path", {**LISTED, "bia_list.json": [{"path": "a.tif"}, {"size": 3}]}),
    ("bia.list-path", "+ #", {**LISTED, "bia_list.tsv": LIST + "ctrl+drug #2.tif\tx\n"}),
    ("bia.list-path", "blanks before or behind", {**LISTED, "bia_list.tsv": LIST + "a.tif \tx\n"}),
    ("bia.list-path", "../", {**LISTED, "bia_list.tsv": LIST + "a/../b.tif\tx\n"}),
    ("bia.list-path", "./", {**LISTED, "bia_list.tsv": LIST + "./b.tif\tx\n"}),
    ("bia.list-path", "ends with /", {**LISTED, "bia_list.tsv": LIST + "b/\tx\n"}),
    ("bia.list-path", "begins with /", {**LISTED, "bia_list.tsv": LIST + "/b.tif\tx\n"}),
    ("bia.list-path", "backslashes", {**LISTED, "bia_list.tsv": LIST + "a\\b.tif\tx\n"}),
    ("bia.list-repeated", "is listed at line 2 already", {**LISTED, "bia_list.tsv": LIST + "cells.ome.tiff\tx\n"}),
    ("bia.list-directory", "is a directory", {**LISTED, "bia_list.json": [{"path": "images", "type": "directory"}]}),
    ("bia.list-file-size", "stores files of up to", {**LISTED, "bia_list.json": [{"path": "a.zip", "size": 2 * 10**12 + 1}]}),
    ("bia.list-given", "was not given", {SUBMISSION: submission()}),
    ("bia.list-given", "differs in upper and lower case", {SUBMISSION: submission(), "BIA_list.tsv": LIST}),
    ("bia.list-unnamed", "No section of the submission names", {**LISTED, "more.tsv": LIST}),
    ("bia.source-image", "has no column Source Image", annotated("masks/1.png", header="Files")),
    ("bia.source-image", "is in no list", annotated("masks/1.png\tcells.ome.tif")),
    ("bia.source-image", "is not named", annotated("masks/1.png\t")),
    (
        "bia.choice",
        "is not one of the list",
        annotated("m.png\tplain.tif")
        | one(
            lambda d: d["section"]["subsections"].append(
                {"type": "Annotation", "accno": "a", "attributes": [{"name": "Annotation Type", "value": "drawing"}]}
            )
        ),
    ),
    ("bia.submission-given", "No submission", {"bia_list.tsv": LIST}),
    ("bia.direct-upload", "may refuse", LISTED),
]


@pytest.mark.parametrize(("rule", "words", "files"), MISTAKES, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(MISTAKES)])
def test_a_mistake_is_told_by_the_rule_meant_for_it(tmp_path: Path, rule: str, words: str, files: dict[str, Content]) -> None:
    told = of(found(tmp_path, files, "bia"), rule)
    assert any(words in finding.message for finding in told), told
    assert all(finding.fix for finding in told)


WITH_FILES = {"bia.files-missing", "bia.files-unlisted", "bia.file-name"}


def test_every_rule_of_the_profile_has_a_mistake_that_it_finds() -> None:
    rules = {rule.id for rule in catalogue(["bia"])}
    assert rules - {rule for rule, *_ in MISTAKES} == WITH_FILES


@pytest.mark.parametrize("change", [lambda text: text, lambda text: text.replace("\n", "\r\n")])
def test_a_mistake_in_a_table_is_told_with_its_line(tmp_path: Path, change: Callable[[str], str]) -> None:
    text = documents.as_table(submission(setting("Author", "ORCID", "0000-0002-1825-0098")))
    line = text.split("\n").index("ORCID\t0000-0002-1825-0098") + 1
    (told,) = of(found(tmp_path, {"submission.tsv": change(text), "bia_list.tsv": LIST}, "bia"), "bia.orcid")
    assert told.location == f"line {line}, ORCID"


@pytest.mark.parametrize("indent", [1, "\t"])
def test_a_mistake_in_json_is_told_with_its_line_and_its_path(tmp_path: Path, indent: int | str) -> None:
    document = submission(setting("Author", "ORCID", "0000-0002-1825-0098"), without("Specimen", "Title"))
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    lines = text.split("\n")
    value = next(number for number, line in enumerate(lines, 1) if "0000-0002-1825-0098" in line)
    specimen = next(number for number, line in enumerate(lines, 1) if '"Specimen"' in line)
    told = found(tmp_path, {SUBMISSION: text, "bia_list.tsv": LIST}, "bia")
    # The object of the attribute begins two lines before its value, that of the section a line before its type.
    assert of(told, "bia.orcid")[0].location == f"line {value - 2}, section.subsections[0].attributes[3], ORCID"
    assert of(told, "bia.field-missing")[0].location == f"line {specimen - 1}, section.subsections[5], Title"


def test_a_fault_in_json_is_told_with_the_line_around_it(tmp_path: Path) -> None:
    text = json.dumps(submission(lambda document: part(document, "Specimen")["attributes"].append("x")), indent=1)
    line = next(number for number, each in enumerate(text.split("\n"), 1) if '"Specimen"' in each) - 1
    (told,) = of(found(tmp_path, {SUBMISSION: text, "bia_list.tsv": LIST}, "bia"), "bia.structure")
    assert told.location == f"line {line}, section.subsections[5].attributes[3]"


def test_json_on_one_line_is_told_by_its_path(tmp_path: Path) -> None:
    (told,) = of(found(tmp_path, one(setting("Author", "ORCID", "x")), "bia"), "bia.orcid")
    assert told.location == "section.subsections[0].attributes[3], ORCID"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Specimen\tspecimen-1\tsection0", "Specimen\tspecimen-1\tsection7", "belongs to 'section7'"),
        ("Title\tFixed cells", "[Ontology]\tx\nTitle\tFixed cells", "says more of an attribute, but none stands before it"),
        ("Title\tFixed cells", "\tFixed cells", "An attribute has no name"),
        ("Link\thttps://example.org/drawn", "Link", "A link has no address"),
        ("Link\thttps://example.org/drawn\nDescription\tA page", "Links\tDescription", "has no row"),
        ("Link\thttps://example.org/drawn\nDescription\tA page", "Links\tDescription\nhttps://example.org\ta\tb", "has 3 cells"),
    ],
)
def test_what_the_archives_parser_refuses_in_a_table_is_an_error_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = documents.as_table(submission())
    assert old in text
    told = of(found(tmp_path, {"submission.tsv": text.replace(old, new), "bia_list.tsv": LIST}, "bia"), "bia.structure")
    assert any(words in finding.message and finding.location.startswith("line ") for finding in told), told


def test_a_submission_of_the_older_template_is_checked_as_such_and_told(tmp_path: Path) -> None:
    def older(document: Json) -> None:
        document["attributes"][0]["value"] = "BioImages.v4"
        organism = {"type": "Organism", "accno": "organism-1", "attributes": [{"name": "Scientific name", "value": "Homo sapiens"}]}
        part(document, "Biosample")["subsections"] = [organism]
        without("Biosample", "Organism")(document)
        without("Author", "E-mail")(document)
        without("Image analysis", "Image analysis overview")(document)

    findings = found(tmp_path, one(older), "bia")
    assert grave(findings) == set()
    assert {"bia.template", "bia.older-spelling", "bia.term", "bia.field-desirable"} <= {finding.rule for finding in findings}
    assert "bia.field-missing" in grave(found(tmp_path, one(older, lambda d: d["attributes"][0].update(value="BioImages.v5")), "bia"))


def test_a_study_that_is_published_already_may_have_been_released(tmp_path: Path) -> None:
    released = (setting("Study", "ReleaseDate", "2024-01-01"), lambda d: d["attributes"][2].update(value="2024-01-01"))
    assert "bia.release-date" in grave(found(tmp_path, one(*released), "bia"))
    assert "bia.release-date" not in grave(found(tmp_path, one(*released, lambda d: accession(d, "S-BIAD1")), "bia"))


@pytest.mark.parametrize(
    ("today", "good"), [(date(2025, 3, 1), True), (date(2027, 3, 1), True), (date(2027, 3, 2), False), (date(2025, 2, 28), False)]
)
def test_the_window_of_the_release_date_moves_with_the_day(tmp_path: Path, today: date, good: bool) -> None:
    paths = write(tmp_path, LISTED)
    assert ("bia.release-date" in grave(check(paths, ["bia"], today=today).findings)) is not good


def test_two_years_from_the_29th_of_february_is_a_day(tmp_path: Path) -> None:
    paths = write(tmp_path, one(setting("Study", "ReleaseDate", "2026-02-28"), lambda d: d["attributes"][2].update(value="2026-02-28")))
    assert of(check(paths, ["bia"], today=date(2024, 2, 29)).findings, "bia.release-date") == []


def test_files_of_a_list_are_looked_for_among_the_images(tmp_path: Path, test_data: Path) -> None:
    both = [test_data / "cells.ome.tiff", test_data / "plain.tif"]
    assert grave(found(tmp_path / "a", LISTED, "bia", also=both)) == set()
    told = found(tmp_path / "b", LISTED, "bia", also=both[:1])
    (missing,) = of(told, "bia.files-missing")
    assert (missing.severity, missing.input, missing.location) == ("error", "bia_list.tsv", "line 3")
    (unlisted,) = of(found(tmp_path / "c", LISTED, "bia", also=[*both, test_data / "float.ome.tiff"]), "bia.files-unlisted")
    assert unlisted.input == "float.ome.tiff"


def test_a_file_in_a_folder_of_the_list_is_the_one_of_that_name(tmp_path: Path, test_data: Path) -> None:
    listed = LIST.replace("cells.ome", "experiment_a/cells.ome").replace("plain", "experiment_a/plain")
    both = [test_data / "cells.ome.tiff", test_data / "plain.tif"]
    assert grave(found(tmp_path, {**LISTED, "bia_list.tsv": listed}, "bia", also=both)) == set()


def test_a_listed_path_into_a_store_is_the_store(tmp_path: Path, test_data: Path) -> None:
    listed = "Files\ncells_04.ome.zarr/.zattrs\ncells_04.ome.zarr/0/.zarray\n"
    assert grave(found(tmp_path, {**LISTED, "bia_list.tsv": listed}, "bia", also=[test_data / "cells_04.ome.zarr"])) == set()


def test_a_name_in_another_case_is_told_as_that(tmp_path: Path, test_data: Path) -> None:
    listed = LIST.replace("plain", "Plain")
    told = of(found(tmp_path, {**LISTED, "bia_list.tsv": listed}, "bia", also=[test_data / "plain.tif"]), "bia.files-missing")
    assert any("upper and lower case" in finding.message and finding.severity == "error" for finding in told)


def test_lists_of_files_that_were_left_out_on_purpose_are_a_warning(tmp_path: Path, test_data: Path) -> None:
    told = of(found(tmp_path, LISTED, "bia", also=[test_data / "float.ome.tiff"]), "bia.files-missing")
    assert {finding.severity for finding in told} == {"warning"}


def test_without_an_image_it_is_said_that_listed_files_could_not_be_looked_for(tmp_path: Path) -> None:
    findings = found(tmp_path, LISTED, "bia")
    (told,) = of(findings, "bia.files-missing")
    assert (told.severity, told.input) == ("not-run", "bia_list.tsv")
    assert not of(findings, "bia.files-unlisted")


def test_an_image_whose_name_the_archive_refuses_is_told_with_another(tmp_path: Path, test_data: Path) -> None:
    image = tmp_path / "Prøve #1 [µm].tif"
    image.write_bytes((test_data / "plain.tif").read_bytes())
    (told,) = of(list(check([image], ["bia"], today=TODAY).findings), "bia.file-name")
    assert "“Prove _1 _um_.tif”" in told.fix


def test_a_list_that_is_none_is_told_at_the_section_that_names_it(tmp_path: Path) -> None:
    files = {SUBMISSION: submission(), "bia_list.tsv": "these are words\n"}
    told = of(found(tmp_path, files, "bia"), "bia.list-given")
    assert any(finding.severity == "error" and "is no file list" in finding.message for finding in told)
