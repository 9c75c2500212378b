"""Identifiers of terms, in the spellings in which they are found in studies, spreadsheets and browsers."""

from __future__ import annotations

import pytest

from lightmicroscopy.metadata.ontologies.identifiers import canonical, find_in
from lightmicroscopy.metadata.ontologies.registry import ONTOLOGIES, named

FLUORESCENCE = "FBbi:00000246"


@pytest.mark.parametrize(
    "spelling",
    [
        "FBbi:00000246",
        "FBbi_00000246",
        "Fbbi_00000246",
        "FBBI:00000246",
        "fbbi: 00000246",
        " FBbi:00000246 ",
        "FBbi:246",
        "obo:FBbi_00000246",
        "<http://purl.obolibrary.org/obo/FBbi_00000246>",
        "http://purl.obolibrary.org/obo/FBbi_00000246",
        "https://purl.obolibrary.org/obo/FBbi_00000246",
        "purl.obolibrary.org/obo/FBbi_00000246",
        "fbbi/00000246",
        "https://www.ebi.ac.uk/ols4/ontologies/fbbi/classes?obo_id=FBbi:00000246",
        "https://www.ebi.ac.uk/ols4/ontologies/fbbi/classes/http%253A%252F%252Fpurl.obolibrary.org%252Fobo%252FFBbi_00000246",
    ],
)
def test_every_spelling_of_a_term_is_read_as_the_same(spelling: str) -> None:
    found = canonical(spelling)
    assert found is not None
    assert (found.curie, found.iri) == (FLUORESCENCE, "http://purl.obolibrary.org/obo/FBbi_00000246")


@pytest.mark.parametrize(
    "spelling", ["topic_3382", "EDAM_topic:3382", "EDAM:topic_3382", "edamontology.org/topic_3382", "http://edamontology.org/topic_3382"]
)
def test_a_term_of_edam_is_read_in_every_spelling(spelling: str) -> None:
    found = canonical(spelling)
    assert found is not None
    assert (found.ontology, found.local) == ("EDAM", "topic_3382")


@pytest.mark.parametrize("words", ["GFP/RFP", "1/2", "10.1000/182", "EFO/123", "example.org/a/b", "EFO/UBERON"])
def test_a_slash_between_words_makes_no_term(words: str) -> None:
    assert canonical(words) is None


@pytest.mark.parametrize(
    "spelling",
    [
        "NCBITaxon:10090",
        "NCBITaxon_10090",
        "NCBI_TaxID:10090",
        "NCBI:txid10090",
        "txid10090",
        "taxon:10090",
        "http://purl.obolibrary.org/obo/NCBITaxon_10090",
        "https://identifiers.org/taxonomy:10090",
        "http://identifiers.org/taxonomy/10090",
        "https://www.ncbi.nlm.nih.gov/Taxonomy/Browser/wwwtax.cgi?id=10090",
    ],
)
def test_a_mouse_is_a_mouse_wherever_its_number_was_copied_from(spelling: str) -> None:
    found = canonical(spelling)
    assert found is not None
    assert found.curie == "NCBITaxon:10090"


@pytest.mark.parametrize(
    ("number", "column", "curie"),
    [
        ("00000251", "Fbbi", "FBbi:00000251"),
        ("251", "FBbi", "FBbi:00000251"),
        ("10090", "NCBI Taxonomy", "NCBITaxon:10090"),
        ("10090.0", "NCBITaxon", "NCBITaxon:10090"),
        ("1185", "efo", "EFO:0001185"),
    ],
)
def test_a_bare_number_is_read_by_its_column_with_the_zeros_a_spreadsheet_dropped(number: str, column: str, curie: str) -> None:
    found = canonical(number, column)
    assert found is not None
    assert found.curie == curie
    assert canonical(number) is None


def test_an_ontology_named_by_the_identifier_counts_more_than_the_column() -> None:
    found = canonical("EFO_0001185", "FBbi")
    assert found is not None
    assert (found.curie, found.iri) == ("EFO:0001185", "http://www.ebi.ac.uk/efo/EFO_0001185")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "HeLa",
        "fluorescence microscopy",
        "FBbi",
        "FBbi:",
        "FBbi:confocal",
        "FBbi:123456789",
        "NCBITaxon:0",
        "NCBITaxon:9606a",
        "NCBITaxon:٩٦٠٦",
        "cl 4",
        "OME TIFF",
        "10.1038/s41592-021-01166-8",
        "https://example.org/246",
        "x" * 100_000,
        "FBbi:" + "0" * 100_000,
        ":_" * 200,
        "%25" * 160,
    ],
)
def test_what_is_no_identifier_is_not_made_one(text: str) -> None:
    assert canonical(text) is None


def test_words_are_no_accession_of_a_cell_line() -> None:
    assert canonical("HeLa", "Cellosaurus") is None
    found = canonical("https://www.cellosaurus.org/CVCL_0030")
    assert found is not None
    assert (found.ontology, found.curie) == ("CVCL", "CVCL_0030")


def test_what_is_written_as_it_should_be_is_told_from_what_is_only_understood() -> None:
    right = ("FBbi:00000246", "FBbi_00000246", "http://purl.obolibrary.org/obo/FBbi_00000246")
    spellings = {**dict.fromkeys(right, True), **dict.fromkeys(("Fbbi_00000246", "FBbi:246", "https://purl.obolibrary.org/obo/FBbi_00000246"), False)}
    assert {text: found.as_it_should_be for text in spellings if (found := canonical(text))} == spellings


def test_stable_and_unstable_terms_of_edam_are_told_apart() -> None:
    stable, unstable = canonical("http://edamontology.org/operation_3443"), canonical("http://edamontology.org/topic_Fluorescent_microscopy")
    assert stable is not None
    assert unstable is not None
    assert (stable.curie, ONTOLOGIES[stable.ontology].stable) == ("EDAM:operation_3443", True)
    assert (unstable.curie, ONTOLOGIES[unstable.ontology].stable) == ("EDAM-BIOIMAGING:topic_Fluorescent_microscopy", False)
    assert "no stable identifiers" in ONTOLOGIES[unstable.ontology].note


@pytest.mark.parametrize(
    ("text", "curie", "rest"),
    [
        ("HeLa (EFO_0001185)", "EFO:0001185", "HeLa"),
        ("FBbi:00000251 | confocal microscopy", "FBbi:00000251", "confocal microscopy"),
        ("Homo sapiens [NCBITaxon:9606]", "NCBITaxon:9606", "Homo sapiens"),
        ("fluorescence microscopy http://purl.obolibrary.org/obo/FBbi_00000246", FLUORESCENCE, "fluorescence microscopy"),
    ],
)
def test_a_name_and_an_identifier_in_one_cell_are_taken_apart(text: str, curie: str, rest: str) -> None:
    found, label = find_in(text)
    assert found is not None
    assert (found.curie, label) == (curie, rest)


def test_a_cell_with_only_a_name_is_left_as_it_is() -> None:
    assert find_in("HeLa   cells, passage 12") == (None, "HeLa cells, passage 12")


@pytest.mark.parametrize("name", ["NCBITaxon", "ncbi taxon", "NCBI Taxonomy", "NCBI_TaxID", "taxid"])
def test_an_ontology_is_known_by_what_people_call_it(name: str) -> None:
    found = named(name)
    assert found is not None
    assert found.name == "NCBITaxon"


def test_an_unknown_ontology_is_none() -> None:
    assert named("my own ontology") is None
    assert named(None) is None
    assert named("") is None
