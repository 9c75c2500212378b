"""Identifiers that people type: ORCID iDs, DOIs, e-mail addresses, terms and paths, right and wrong."""

from __future__ import annotations

import re

import pytest

from lightmicroscopy.metadata.ontologies import orcid as orcids
from lightmicroscopy.metadata.ontologies.references import problem
from lightmicroscopy.metadata.rules._paths import path_problem, renaming
from lightmicroscopy.metadata.vocabulary import doubt_of, mail_problem


@pytest.mark.parametrize("orcid", ["0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"])
def test_the_orcid_ids_that_orcid_publishes_as_examples_are_right(orcid: str) -> None:
    assert orcids.problem(orcid) == ("", "")


@pytest.mark.parametrize("orcid", ["0000-0002-1825-0079", "0000-0002-1825-009X", "0000-0000-0000-0000", "0000-0002-1825-0197"])
def test_an_orcid_id_with_a_mistyped_digit_is_told(orcid: str) -> None:
    assert "mistyped" in orcids.problem(orcid)[0]


@pytest.mark.parametrize("orcid", ["", "Ola Nordmann", "0000000218250097", "0000-0002-1825-009", "https://example.org/0000-0002-1825-0097"])
def test_what_has_not_the_shape_is_no_orcid_id(orcid: str) -> None:
    assert "is no ORCID iD" in orcids.problem(orcid)[0]


@pytest.mark.parametrize(
    "doi", ["10.1234/abc", "https://doi.org/10.1101/2023.12.07.570699", "http://dx.doi.org/10.1016/j.devcel.2014.09.005", "10.1002/(SICI)1097"]
)
def test_a_doi_is_right_bare_and_as_an_address(doi: str) -> None:
    assert problem("doi", doi) == ("", "")


@pytest.mark.parametrize(
    ("doi", "wrong", "fix"),
    [
        ("TBD", "none yet", "Leave the field out"),
        ("pending", "none yet", "Leave the field out"),
        ("not yet assigned", "none yet", "Leave the field out"),
        ("https://doi.org/DOI: 10.1234/abc", "the word DOI", "Write only 10.1234/abc"),
        ("doi:10.1234/abc", "the word DOI", "Write only 10.1234/abc"),
        ("10.1234/abc.", "punctuation", "Write 10.1234/abc."),
        ("10.1234/ab c", "blank", "10.1234/abc"),
        ("10.1234/abc (in press)", "blank", "leave them out"),
        ("0.1234/abc", "first digit", "Write 10.1234/abc"),
        ("https://doi.org/0.1234/abc", "first digit", "Write 10.1234/abc"),
        ("arXiv:2312.01234", "arXiv", "10.48550"),
        ("2312.01234v2", "arXiv", "10.48550"),
        ("https://arxiv.org/abs/2312.01234", "arXiv", "10.48550"),
        ("https://www.nature.com/articles/s41592-021-01166-8", "an address", "10.1038/"),
        ("11.1234/abc", "is no DOI", "10.1038/"),
        ("10.1234", "is no DOI", "10.1038/"),
    ],
)
def test_what_curators_had_to_mend_in_a_doi_is_told_with_how(doi: str, wrong: str, fix: str) -> None:
    said, mended = problem("doi", doi)
    assert wrong in said
    assert fix in mended


@pytest.mark.parametrize("mail", ["ola@example.org", "ola.nordmann+lab@sub.uio.no", "o'neil@example.ie", "ola@uio.uio.no"])
def test_an_e_mail_address_is_right(mail: str) -> None:
    assert mail_problem(mail) == ("", "")


@pytest.mark.parametrize(
    ("mail", "wrong", "fix"),
    [
        ("Ola Nordmann <ola@example.org>", "a name around it", "ola@example.org"),
        ("ola@example.org@example.org", "more than one @", "ola@example.org"),
        ("ola@example.org, kari@example.org", "more than one @", "one address"),
        ("ola@example.orgexample", "", ""),
        ("ola@uio.no.uio.no", "its domain twice", "ola@uio.no"),
        ("ola@example", "no complete domain", "ending"),
        ("ola@example.", "no complete domain", "ending"),
        ("ola@example.org\u200b", "invisible", "ola@example.org"),
        ("\ufeffola@example.org", "invisible", "ola@example.org"),
        ("ola example.org", "no e-mail address", "one address"),
        ("ola@exam ple.org", "no e-mail address", "one address"),
    ],
)
def test_what_curators_had_to_mend_in_an_e_mail_address_is_told_with_how(mail: str, wrong: str, fix: str) -> None:
    said, mended = mail_problem(mail)
    assert (wrong in said) if wrong else said == ""
    assert fix in mended


@pytest.mark.parametrize(
    ("accession", "source"),
    [
        ("NCBITaxon_10090", "NCBITaxon"),
        ("10090", "NCBITaxon"),
        ("NCBITaxon:10090", ""),
        ("http://purl.obolibrary.org/obo/NCBITaxon_9606", "NCBITaxon"),
        ("00000251", "Fbbi"),
        ("FBbi_00000251", "fbbi"),
        ("Fbbi_00000251", "FBbi"),
        ("EFO_0007550", "EFO"),
        ("http://www.ebi.ac.uk/efo/EFO_0007550", "EFO"),
        ("C80146", "NCIT"),
        ("anything", "an ontology of ours"),
    ],
)
def test_every_spelling_of_an_identifier_found_in_the_wild_is_read(accession: str, source: str) -> None:
    assert doubt_of("", accession, source) is None


@pytest.mark.parametrize(
    ("accession", "source", "words"),
    [
        ("FBbi_25l", "FBbi", "is no identifier of FBbi"),
        ("EFO_00075500", "EFO", "is no identifier of EFO"),
        ("mouse", "NCBITaxon", "is no identifier of NCBITaxon"),
        ("EFO_0007550", "NCBITaxon", "is a term of Experimental Factor Ontology"),
    ],
)
def test_what_cannot_be_an_identifier_is_told(accession: str, source: str, words: str) -> None:
    doubt = doubt_of("", accession, source)
    assert doubt is not None
    assert words in doubt.message
    assert doubt.gravity == "error"


@pytest.mark.parametrize(("accession", "source"), [("251", "FBbi"), ("FBbi_251", ""), ("EFO_7550", "EFO"), ("FBbi_0000251", "FBbi")])
def test_an_identifier_without_its_leading_zeros_is_understood_and_told_how_to_write(accession: str, source: str) -> None:
    doubt = doubt_of("", accession, source)
    assert doubt is not None
    assert "is understood as" in doubt.message
    assert doubt.fix.startswith("Write ")
    assert doubt.gravity == "info"


def test_words_beside_another_terms_identifier_are_doubted_with_the_right_one() -> None:
    doubt = doubt_of("mouse", "NCBITaxon_9606", "NCBITaxon")
    assert doubt is not None
    assert "Homo sapiens" in doubt.message
    assert "NCBITaxon:10090" in doubt.fix
    assert doubt.gravity == "error"


@pytest.mark.parametrize("path", ["a.tif", "a/b/c.tif", "A (1)'!_-*.ome.tiff", "a b.tif"])
def test_a_path_that_the_archive_allows_is_right(path: str) -> None:
    assert path_problem(path) == ("", "")


@pytest.mark.parametrize("character", list('+#%&,;:@=[]{}~åøµ"<>|$^`?\u00a0\u200b'))
def test_no_other_character_is_allowed_in_a_path_and_a_name_without_it_is_offered(character: str) -> None:
    wrong, fix = path_problem(f"a{character}b.tif")
    assert wrong
    assert fix
    assert path_problem(renaming(f"a{character}b.tif")) == ("", "")


@pytest.mark.parametrize("path", ["./a.tif", "a/../b.tif", "../b.tif", "a/", "/a.tif", " a.tif", "a.tif ", "a\\b.tif", ""])
def test_a_path_of_another_shape_is_wrong(path: str) -> None:
    assert path_problem(path)[0]


def test_paths_are_judged_as_the_archives_own_expression_judges_them() -> None:
    # BioStudies, FileSourcesList.kt; blanks at either end and a leading slash are forbidden by the help page alone.
    theirs = re.compile(r"^(?!\./)(?!.*/$)(?!.*\.\./)[0-9A-Za-z!\-_*'(). /]+$")
    for path in ("a.tif", "a+b", "./a", "a/", "a/../b", "..", "a/..b", "...", "a b", "é", "a\tb", "a..b/c", "(a)", "a/./b"):
        assert bool(theirs.match(path)) == (path_problem(path)[0] == "") or path == "..", path
