"""Identifiers of people, papers and organisations, right ones and those that curators have had to correct."""

from __future__ import annotations

import pytest

from lightmicroscopy.metadata.ontologies import orcid, references
from lightmicroscopy.metadata.ontologies.references import ReferenceKind, canonical, problem

CARBERRY = "0000-0002-1825-0097"
"""The person whom ORCID made up for its own documentation."""


@pytest.mark.parametrize(
    "spelling",
    [
        CARBERRY,
        f"https://orcid.org/{CARBERRY}",
        f"http://orcid.org/{CARBERRY}/",
        f"orcid.org/{CARBERRY}",
        f"ORCID: {CARBERRY}",
        "0000000218250097",
        f" {CARBERRY} ",
    ],
)
def test_an_orcid_is_read_in_every_spelling(spelling: str) -> None:
    assert orcid.canonical(spelling) == CARBERRY
    assert orcid.is_valid(spelling)
    assert CARBERRY in orcid.problem(spelling)[1] or orcid.problem(spelling) == ("", "")


def test_an_orcid_may_end_with_x() -> None:
    assert orcid.is_valid("0000-0002-1694-233X")
    assert orcid.canonical("0000-0002-1694-233x") == "0000-0002-1694-233X"


@pytest.mark.parametrize("place", [0, 5, 10, 18])
@pytest.mark.parametrize("digit", "0123456789")
def test_one_mistyped_digit_of_an_orcid_is_noticed(place: int, digit: str) -> None:
    mistyped = CARBERRY[:place] + digit + CARBERRY[place + 1 :]
    assert orcid.is_valid(mistyped) == (mistyped == CARBERRY)


def test_two_exchanged_digits_of_an_orcid_are_noticed() -> None:
    exchanged = CARBERRY.replace("1825", "8125")
    assert not orcid.is_valid(exchanged)
    assert "check digit" in orcid.problem(exchanged)[0]


@pytest.mark.parametrize(
    "text", ["", "Josiah Carberry", "0000-0002-1825-009", "0000-0002-1825-00977", "0000-000X-1825-0097", "٠٠٠٠-٠٠٠٢-١٨٢٥-٠٠٩٧", "1" * 100_000]
)
def test_what_is_no_orcid_is_called_so(text: str) -> None:
    assert not orcid.is_valid(text)
    assert "no ORCID iD" in orcid.problem(text)[0]


@pytest.mark.parametrize(
    ("kind", "spelling", "value"),
    [
        ("doi", "10.1038/s41592-021-01166-8", "10.1038/s41592-021-01166-8"),
        ("doi", "https://doi.org/10.1038/s41592-021-01166-8", "10.1038/s41592-021-01166-8"),
        ("doi", "http://dx.doi.org/10.1038/s41592-021-01166-8", "10.1038/s41592-021-01166-8"),
        ("doi", "https://doi.org/DOI: 10.1038/s41592-021-01166-8", "10.1038/s41592-021-01166-8"),
        ("doi", "doi:10.1038/s41592-021-01166-8.", "10.1038/s41592-021-01166-8"),
        ("doi", "10.1016/S0092-8674(00)81683-9", "10.1016/S0092-8674(00)81683-9"),
        ("doi", "10.1038/s41592-021-01166-8)", "10.1038/s41592-021-01166-8"),
        ("doi", "\u200b10.1038/s41592-021-01166-8", "10.1038/s41592-021-01166-8"),
        ("pubmed", "24943848", "24943848"),
        ("pubmed", "PMID: 24943848", "24943848"),
        ("pubmed", "https://pubmed.ncbi.nlm.nih.gov/24943848/", "24943848"),
        ("pmc", "pmc8606015", "PMC8606015"),
        ("pmc", "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC8606015/", "PMC8606015"),
        ("ror", "https://ror.org/01xtthb56", "01xtthb56"),
        ("ror", "01XTTHB56", "01xtthb56"),
        ("biostudies", "s-biad582", "S-BIAD582"),
        ("biostudies", "https://www.ebi.ac.uk/biostudies/BioImages/studies/S-BIAD582", "S-BIAD582"),
        ("idr", "IDR0062", "idr0062"),
        ("empiar", "https://www.ebi.ac.uk/empiar/EMPIAR-10310/", "EMPIAR-10310"),
    ],
)
def test_references_are_read_in_the_spellings_people_use(kind: ReferenceKind, spelling: str, value: str) -> None:
    found = canonical(kind, spelling)
    assert found is not None
    assert found.value == value
    assert found.url.startswith("https://")
    assert found.url.endswith(value)
    what, fix = problem(kind, spelling)
    assert (value in fix) if what else fix == ""


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("doi", "TBD", "none yet"),
        ("doi", "", "is empty"),
        ("doi", "2103.12345", "arXiv"),
        ("doi", "arXiv:2103.12345v2", "arXiv"),
        ("doi", "0.1038/s41592-021-01166-8", "lacks its first digit"),
        ("doi", "10.1038/s41592-021 -01166-8", "blank"),
        ("doi", "10.1038/s41592-021-01166-8 (in press)", "blank"),
        ("doi", "https://www.nature.com/articles/s41592-021-01166-8", "address"),
        ("doi", "10.1038", "no DOI"),
        ("pubmed", "pending", "none yet"),
        ("pubmed", "in revision", "none yet"),
        ("pubmed", "0", "no PubMed identifier"),
        ("pmc", "8606015", "no PubMed Central identifier"),
        ("ror", "01xtthb57", "check digits"),
        ("ror", "01xthtb56", "check digits"),
        ("ror", "University of Oslo", "no ROR identifier"),
        ("ror", "01xtthb5", "no ROR identifier"),
        ("biostudies", "BIAD582", "no accession"),
        ("idr", "62", "no accession"),
        ("doi", "10.1038/" + " " * 100_000, "no DOI"),
    ],
)
def test_mistakes_that_curators_have_met_are_named(kind: ReferenceKind, text: str, said: str) -> None:
    assert canonical(kind, text) is None
    what, fix = problem(kind, text)
    assert said in what
    assert fix.endswith(".")
    assert len(what) + len(fix) < 400


@pytest.mark.parametrize("organisation", ["05xg72x27", "03zga2b32", "02catss52", "00wge5k78", "03vek6s52", "042nb2s44"])
def test_check_digits_of_real_organisations_are_right(organisation: str) -> None:
    assert references.canonical("ror", organisation) is not None
