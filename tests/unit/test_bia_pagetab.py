"""Descriptions of studies: every template and spelling is understood, and nothing in them is believed blindly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lightmicroscopy.archives.bia_pagetab import DEEPEST, parse_pagetab
from lightmicroscopy.archives.bia_pagetab_tsv import parse_pagetab_tsv
from lightmicroscopy.archives.bia_rembi import as_json, rembi_rows
from lightmicroscopy.archives.bia_study import BiaStudy
from lightmicroscopy.errors import UnreadableError
from tests.archives.content.bia import attribute, pagetab_table, section, submission
from tests.archives.content.bia_studies import bia_studies


def study(*attributes: Any, **below: Any) -> BiaStudy:
    return BiaStudy(parse_pagetab(submission("S-BIAD1", "2024-01-02", section("Study", "s", tuple(attributes), **below)), "The study"), "S-BIAD1")


def of(accession: str) -> BiaStudy:
    return BiaStudy(parse_pagetab(bia_studies()[accession].document, accession), accession)


def test_a_study_of_the_older_template() -> None:
    found = of("S-BIAD634")
    assert found.title == "An annotated fluorescence image dataset for training nuclear segmentation methods"
    assert (found.licence.name, found.licence.url) == ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/")
    assert found.keywords == ("nuclear segmentation", "fluorescence")
    assert [str(term) for term in found.organisms] == ["Homo sapiens (human)"]
    assert [str(term) for term in found.imaging_methods] == ["fluorescence microscopy (FBbi:00000246)"]
    assert [(one.name, one.kind, one.lists) for one in found.components] == [
        ("Raw images", "Study Component", ("rawimages.json",)),
        ("Segmentation masks", "Annotations", ("groundtruth.tsv",)),
    ]
    assert [link.url for link in found.links] == ["S-BSST265"]


def test_a_study_of_the_newer_template_has_the_same_facts_in_other_places() -> None:
    found = of("S-BIAD1556")
    assert [str(term) for term in found.organisms] == ["Homo sapiens (NCBITaxon_9606)"]
    assert [(term.label, term.ontology) for term in found.imaging_methods] == [("confocal microscopy", "fbbi")]
    assert [author.name for author in found.authors][::5] == ["Amir Arabzade", "Richard Kriwacki"]
    assert found.doi == "", "DOI = true only asks for one"


def test_a_title_with_a_trailing_blank_is_still_found_and_one_that_fits_nothing_is_told() -> None:
    (raw, _) = of("S-BIAD634").components
    assert [section.accno for section in raw.associations[0].sections("biosample")] == ["Biosample-2"]
    assert of("S-BIAD1556").unmatched == (
        "'Image analysis of HEK293T Cells with GFP-ZFTA::RELA constructs' is associated with the specimen 'There is none of this title', "
        "and no section has that title.",
    )


@pytest.mark.parametrize("kind", ["author", "Author", "AUTHORS", "Contact"])
@pytest.mark.parametrize("organisation", ["organisation", "Organization", "organization"])
@pytest.mark.parametrize(
    ("affiliation", "names"),
    [
        (("o1",), ("Institute, of Things",)),
        (("o1, o2",), ("Institute, of Things", "Second")),
        (("o1", "o2"), ("Institute, of Things", "Second")),
        (("O1 ; o2",), ("Institute, of Things", "Second")),
        (("A place, not referred to",), ("A place, not referred to",)),
        (("o9",), ("o9",)),
    ],
)
def test_people_and_organisations_in_their_many_spellings(kind: str, organisation: str, affiliation: tuple[str, ...], names: tuple[str, ...]) -> None:
    person = section(kind, "", (attribute("Name", "Ada  Invented "), *(attribute("affiliation", one, reference=True) for one in affiliation)))
    places = [section(organisation, accno, (attribute("Name", name),)) for accno, name in (("o1", "Institute, of Things"), ("o2", "Second"))]
    (author,) = study(subsections=[person, *places]).authors
    assert (author.name, author.organisations) == ("Ada  Invented", names)


def test_first_and_last_names_and_identifiers_in_addresses() -> None:
    parts = (attribute("First name", "Grace"), attribute("Last name", "Invented"), attribute("ORCID", "https://orcid.org/0000-0002-1825-0097"))
    (author,) = study(subsections=[section("Author", "", parts), section("Author", "", (attribute("E-mail", "nobody"),))]).authors
    assert (author.name, author.orcid) == ("Grace Invented", "0000-0002-1825-0097")


def test_the_doi_is_found_in_whatever_was_typed_and_nothing_else_is_one() -> None:
    papers = [
        section("Publication", "", (attribute("DOI", text),)) for text in ("https://doi.org/DOI: 10.1000/x.y.", "TBD", "10.1000/z", "arXiv:2101.1")
    ]
    assert study(subsections=papers).cited.publication_doi == "10.1000/x.y; 10.1000/z"


def test_files_and_subsections_may_be_lists_within_lists() -> None:
    inner = [section("Study Component", "c", (attribute("Name", "C"),), files=[[{"path": "x", "size": 1}], {"path": "y", "size": 2}, {}, 7, None])]
    found = study(subsections=[inner, "text", None])
    assert [(one.name, [file.path for file in one.files]) for one in found.components] == [("C", ["x", "y"])]


@pytest.mark.parametrize(
    "document",
    [None, [], "text", 7, {}, {"section": []}, {"section": None}, {"accno": "S-BIAD1", "attributes": []}],
)
def test_what_is_no_description_is_refused(document: Any) -> None:
    with pytest.raises(UnreadableError, match="no description of a study"):
        parse_pagetab(document, "It")


def test_wrong_types_everywhere_count_as_absent() -> None:
    wrong = {
        "accno": ["x"],
        "attributes": {"name": "Title"},
        "section": {
            "type": 7,
            "accno": None,
            "attributes": [7, {"name": 1}, {"value": "x"}, {"name": "Title", "value": {}}],
            "links": {},
            "files": 3,
            "subsections": "no",
        },
    }
    found = BiaStudy(parse_pagetab(wrong, "It"), "S-BIAD1")
    assert (found.title, found.authors, found.components, found.links, found.licence.name, found.release_date) == ("", (), (), (), "", "")
    assert [row["field"] for row in rembi_rows(found) if row["required_by"]] == ["Study description", *["General dataset info"] * 3]


def test_a_description_without_a_bottom_is_refused() -> None:
    deep = section("a")
    for _ in range(DEEPEST + 2):
        deep = section("a", subsections=[deep])
    with pytest.raises(UnreadableError, match="nested more than"):
        study(subsections=[deep])


# S-JCBD990001's paths hold line ends, which the stand-in's writer of tables does not quote.
@pytest.mark.parametrize("accession", sorted(set(bia_studies()) - {"S-JCBD990001"}))
def test_the_table_of_text_says_the_same_as_the_json(accession: str) -> None:
    document = bia_studies()[accession].document
    from_table = BiaStudy(parse_pagetab_tsv(pagetab_table(document), "The table"), accession)
    from_json = of(accession)
    assert from_table.cited == from_json.cited
    assert from_table.authors == from_json.authors
    assert [(one.name, one.lists, [file.path for file in one.files], len(one.associations)) for one in from_table.components] == [
        (one.name, one.lists, [file.path for file in one.files], len(one.associations)) for one in from_json.components
    ]


def test_tables_of_sections_and_qualifiers_in_text() -> None:
    text = (
        "Submission\tS-BIAD1\nReleaseDate\t2024-01-01\n\n"
        'Study\ts\nTitle\t"Two\nlines"\nLicense\tCC BY 4.0\n[URL]\thttps://creativecommons.org/licenses/by/4.0/\nKeyword\tx\n(kind)\ty\n\n'
        "Author[s]\tName\t<affiliation>\na1\tAda\to1\na2\tGrace\to1\tmore\n\n"
        "organisation[]\tName\no1\tSomewhere\n\n"
        "Study Component\tc1\ts\nName\tC\nFile List\tlist.tsv\n\n"
        "Files\tGene\na.tif\tTP53\n\nLinks\tType\nERP1\tENA\n"
    )
    found = BiaStudy(parse_pagetab_tsv(text.encode(), "It"), "S-BIAD1")
    assert found.title == "Two\nlines"
    assert found.licence.name == "CC BY 4.0"
    assert [(author.name, author.organisations) for author in found.authors] == [("Ada", ("Somewhere",)), ("Grace", ("Somewhere",))]
    assert [(one.name, [file.path for file in one.files]) for one in found.components] == [("C", ["a.tif"])]
    assert [link.url for link in found.links] == ["ERP1"]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "does not begin with Submission"),
        (b"<html>", "does not begin with Submission"),
        (b"\xff\xff", "no table of text"),
        (b"Submission\tS-BIAD1\n", "has no section"),
        (b"Submission\tS-BIAD1\n\nFile\ta.tif\n", "before the first section"),
        (b"Submission\tS-BIAD1\n\nStudy\ts\n\nAuthor\ta\tnobody\nName\tX\n", "which is not there"),
        (b'Submission\tS-BIAD1\n\nStudy\ts\nTitle\t"No end\n\nStudy Component\tc\nFile List\tl.tsv\n', "a quotation mark in it has no end"),
    ],
)
def test_a_text_that_is_no_description_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(UnreadableError, match=what):
        parse_pagetab_tsv(data, "The table")


def test_the_rembi_table_has_every_statement_and_the_gaps() -> None:
    rows = [(row["module"], row["item"], row["field"], row["value"]) for row in rembi_rows(of("S-BIAD634"))]
    assert ("Image acquisition", "Fluorescence imaging", "Imaging method", "fluorescence microscopy") in rows
    assert ("Specimen", "Cytospin", "Preparation method", "Invented protocol") in rows
    assert ("Analyzed data", "Segmentation masks", "Analysis result type", "segmentation_mask") in rows
    gaps = study(subsections=[section("Biosample", "b", (attribute("Title", "B"), attribute("Age", "3")))])
    found = [(row["field"], row["value"], row["required_by"]) for row in rembi_rows(gaps) if row["module"] == "Biosample"]
    assert found == [
        ("Identity", "B", ""),
        ("Further information", "3", ""),
        ("Biological entity", "", "BioImage Archive"),
        ("Organism", "", "BioImage Archive"),
    ]


def test_what_rembi_has_no_field_for_is_in_its_table_all_the_same() -> None:
    list_ = attribute("File List", "l.json")
    sections = [
        section("Study Component", "c", (attribute("Name", "C"), attribute("Odd", "1"), list_)),
        section("Specimen", "s", (attribute("Title", "S"),), subsections=[section("Stain", "", (attribute("Dye", "DAPI"),))]),
    ]
    rows = [row for row in rembi_rows(study(attribute("Organism", "Yeast"), subsections=sections)) if row["field"] == "Further information"]
    assert [(row["module"], row["item"], row["value"], row["stated_as"]) for row in rows] == [
        ("Study", "S-BIAD1", "Yeast", "Study: Organism"),
        ("Study component", "C", "1", "Study Component: Odd"),
        ("Specimen", "S", "DAPI", "Specimen: Stain: Dye"),
    ]


def test_the_json_has_qualifiers_and_references() -> None:
    said = {"name": "A", "value": "o1", "reference": True, "nmqual": [{"name": "n", "value": "1"}], "valqual": [{"name": "v", "value": "2"}]}
    assert {"name": "A", "value": "o1", "reference": True, "qualifiers": [["v", "2"]], "name_qualifiers": [["n", "1"]]} in as_json(study(said))[
        "sections"
    ]["attributes"]


def test_funding_has_its_grants() -> None:
    funded = study(subsections=[section("Funding", "", (attribute("Agency", "Invented Council"), attribute("grant_id", "12/34")))])
    assert [row["value"] for row in rembi_rows(funded) if row["stated_as"] == "Study: Funding"] == [["Invented Council 12/34"]]


def test_the_json_can_be_written_and_has_what_was_not_understood_too() -> None:
    document = json.loads(json.dumps(as_json(study(attribute("Strange", "thing"), subsections=[section("Odd", "o", (attribute("Even", "odder"),))]))))
    assert {"name": "Strange", "value": "thing"} in document["sections"]["attributes"]
    assert document["sections"]["sections"][0]["attributes"] == [{"name": "Even", "value": "odder"}]
