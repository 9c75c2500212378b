"""A term in a sheet or a study file, and what a report says about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lightmicroscopy.metadata.ontologies.judge import Verdict, judge


def verdict(stated: str, label: str = "", **given: object) -> Verdict:
    found = judge(stated, label, **given)  # type: ignore[arg-type]
    for sentence in (found.message, found.fix):
        assert not sentence or re.fullmatch(r"[“A-Z0-9Mh].*[.]", sentence, re.DOTALL), sentence
    assert bool(found.message) == (found.status != "right")
    return found


def test_a_term_with_its_own_name_is_right() -> None:
    assert verdict("FBbi:00000246", "fluorescence microscopy").status == "right"
    assert verdict("FBbi_00000246", "fluorescence microscopy").status == "right"
    assert verdict("http://purl.obolibrary.org/obo/NCBITaxon_10090", "mouse").status == "right"
    assert verdict("EFO:0001185", "HeLa cells").status == "right"


def test_a_term_written_otherwise_is_understood_and_the_right_spelling_told() -> None:
    found = verdict("Fbbi_246", "fluorescence microscopy")
    assert found.status == "spelled"
    assert found.identifier is not None
    assert found.identifier.curie in found.fix


def test_a_bare_number_is_read_by_the_ontology_beside_it() -> None:
    assert verdict("10090", "Mus musculus", ontology="NCBITaxon").status == "spelled"
    assert verdict("10090", "Mus musculus").status == "unreadable"


def test_a_name_that_is_another_term_s_is_pointed_out_with_the_right_term() -> None:
    found = verdict("NCBITaxon:10116", "mouse")
    assert found.status == "misnamed"
    assert "Rattus norvegicus" in found.message
    assert found.suggestions[0].term.curie == "NCBITaxon:10090"
    assert "NCBITaxon:10090" in found.fix


def test_a_name_without_an_identifier_gets_some_to_choose_from() -> None:
    found = verdict("confocal", allowed=("FBbi",))
    assert found.status == "no-identifier"
    assert len(found.suggestions) == 5
    assert "FBbi:00000251 (confocal microscopy)" in found.fix


def test_a_name_that_is_like_nothing_is_told_without_a_guess() -> None:
    found = verdict("our own wonderful method", allowed=("FBbi",))
    assert (found.status, found.suggestions) == ("no-identifier", ())
    assert "FBbi" in found.fix


def test_an_empty_cell_has_no_term() -> None:
    assert verdict("").status == "no-identifier"
    assert verdict("  ", "  ").status == "no-identifier"


def test_an_obsolete_term_gets_the_successor_its_ontology_names() -> None:
    found = verdict("EFO:0001088", "Beas2B")
    assert found.status == "obsolete"
    assert "EFO:0001089" in found.fix


def test_of_an_obsolete_term_without_a_successor_that_is_said() -> None:
    found = verdict("FBbi:00000160")
    assert found.status == "obsolete"
    assert "no successor" in found.fix
    assert "alkaline phosphatase" in found.fix


def test_a_number_that_no_term_has_is_unknown_only_where_the_list_is_complete() -> None:
    assert verdict("FBbi:00999999").status == "unknown"
    assert verdict("UO:9999999").status == "unknown"
    unlisted = verdict("NCBITaxon:44689", "Dictyostelium discoideum")
    assert unlisted.status == "unlisted"
    assert "could not be checked" in unlisted.message
    assert verdict("CHEBI:15377").status == "unlisted"
    assert verdict("EDAM:format_3547").status == "unlisted"


def test_an_unknown_number_beside_a_known_name_gets_the_term_of_that_name() -> None:
    found = verdict("FBbi:00999999", "fluorescence microscopy")
    assert found.suggestions[0].term.curie == "FBbi:00000246"
    found = verdict("NCBITaxon:99999999", "mouse")
    assert (found.status, found.suggestions[0].term.curie) == ("unlisted", "NCBITaxon:10090")


def test_a_term_of_another_ontology_is_out_of_place() -> None:
    found = verdict("EFO:0001185", "HeLa", allowed=("NCBITaxon",))
    assert found.status == "other-ontology"
    assert "NCBITaxon" in found.message


def test_users_of_edam_bioimaging_are_told_that_its_identifiers_do_not_stay() -> None:
    found = verdict("http://edamontology.org/topic_Fluorescent_microscopy", "Fluorescence microscopy")
    assert found.status == "unstable"
    assert "no stable identifiers" in found.message
    assert verdict("http://edamontology.org/topic_3382", "Imaging", allowed=("EDAM-BIOIMAGING",)).status == "right"


@pytest.mark.parametrize(
    "stated", ["FBbi:12x", "http://example.org/12", "99999", "FBbi:000002460", "EFO_1x", "http://purl.obolibrary.org/obo/FBbi_x1"]
)
def test_what_looks_like_an_identifier_and_is_none_is_called_so(stated: str) -> None:
    assert verdict(stated).status == "unreadable"


@pytest.mark.parametrize("stated", ["NCIT:C80146", "NCIT_C80146", "BTO:0000567", "http://purl.obolibrary.org/obo/NCIT_C80146"])
def test_a_term_of_an_ontology_that_is_not_known_here_is_not_called_wrong(stated: str) -> None:
    found = verdict(stated, "image segmentation")
    assert found.status == "unlisted"
    assert "not known here" in found.message


@pytest.mark.parametrize("stated", ["x" * 1_000_000, "FBbi:" * 100_000, "(" * 5000, "\x00\x01", "\u202eFBbi:00000246"])
def test_hostile_text_gets_a_verdict_too(stated: str) -> None:
    assert len(verdict(stated, stated).message) < 1000


def test_terms_of_published_idr_studies_raise_no_false_alarm() -> None:
    folder = Path(__file__).resolve().parents[3] / "shared" / "facts" / "examples" / "idr"
    files = sorted(folder.glob("idr00*-study.txt"))
    if not files:
        pytest.skip("studies of the IDR are not part of this repository and lie beside it only on the maintainers' machines")
    judged = {}
    for file in files:
        rows = [line.rstrip("\n").split("\t") for line in file.read_text(encoding="utf-8", errors="ignore").splitlines()]
        for number, (key, *accessions) in enumerate(rows):
            if not key.endswith(" Term Accession"):
                continue
            above = {row[0]: row[1:] for row in rows[:number]}
            what = key.removesuffix(" Term Accession")
            for place, accession in enumerate(accessions):
                if accession.strip() and not accession.startswith("#"):
                    label, source = ((above.get(name, []) + [""] * 99)[place] for name in (what, f"{what} Term Source REF"))
                    judged[file.name, what, accession] = verdict(accession, label, ontology=source).status
    assert len(judged) > 20
    assert {case: status for case, status in judged.items() if status not in ("right", "spelled", "unlisted")} == {}
    # Phenotypes (CMPO) and one term of NCIT cannot be checked; all others can.
    assert {what for (_, what, _), status in judged.items() if status == "unlisted"} <= {"Phenotype", "Study Type"}
