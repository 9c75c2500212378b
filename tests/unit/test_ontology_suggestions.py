"""What somebody types, and the terms that are suggested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lightmicroscopy.metadata.ontologies.lookup import LEAST, Lookup, find, suggest
from lightmicroscopy.metadata.ontologies.terms import bundled


@pytest.mark.parametrize(
    ("typed", "ontology", "curie"),
    [
        ("HeLa", None, "EFO:0001185"),
        ("HeLa cell", "EFO", "EFO:0001185"),
        ("hela cells", None, "EFO:0001185"),
        ("HEK 293 cells", None, "EFO:0001182"),
        ("U-2 OS", None, "EFO:0002869"),
        ("mouse", None, "NCBITaxon:10090"),
        ("Mus musculus", None, "NCBITaxon:10090"),
        ("M. musculus", None, "NCBITaxon:10090"),
        ("M musculus", "NCBI Taxonomy", "NCBITaxon:10090"),
        ("human", None, "NCBITaxon:9606"),
        ("E. coli", None, "NCBITaxon:562"),
        ("fruitfly", None, "NCBITaxon:7227"),
        ("um", "UO", "UO:0000017"),
        ("µm", "UO", "UO:0000017"),
        ("μm", "UO", "UO:0000017"),
        ("micron", None, "UO:0000017"),
        ("microns", "UO", "UO:0000017"),
        ("nm", "UO", "UO:0000018"),
        ("STED", "FBbi", "FBbi:00000334"),
        ("DIC", "FBbi", "FBbi:00000245"),
        ("Nomarski", None, "FBbi:00000245"),
        ("light-sheet microscopy", "FBbi", "FBbi:00000369"),
        ("SPIM", "FBbi", "FBbi:00000369"),
        ("widefield fluorescence microscopy", "FBbi", "FBbi:00100013"),
        ("cryo-ET", None, "FBbi:00100015"),
        ("DAPI", "FBbi", "FBbi:00000056"),
        ("brightfield microscopy", "FBbi", "FBbi:00000243"),
        ("spinning disk confocal", "OME", "OME:Channel.AcquisitionMode.SpinningDiskConfocal"),
    ],
)
def test_the_usual_name_of_a_thing_leads_to_its_term(typed: str, ontology: str | None, curie: str) -> None:
    best = suggest(typed, ontology)[0]
    assert best.term.curie == curie
    assert best.likeness >= 0.9 or ontology == "OME"


@pytest.mark.parametrize(
    ("typed", "ontology", "curie"),
    [
        ("fluoresence microscopy", "FBbi", "FBbi:00000246"),
        ("flourescence microscopy", None, "FBbi:00000246"),
        ("Mus muscullus", None, "NCBITaxon:10090"),
        ("Drosophila melanogster", None, "NCBITaxon:7227"),
        ("spinning disc confocal", "FBbi", "FBbi:00000253"),
        ("micrometr", "UO", "UO:0000017"),
    ],
)
def test_a_misspelled_name_leads_to_its_term_and_is_called_so(typed: str, ontology: str | None, curie: str) -> None:
    best = suggest(typed, ontology)[0]
    assert (best.term.curie, best.reason in ("spelling", "words")) == (curie, True)
    assert LEAST <= best.likeness < 1


def test_confocal_gives_several_methods_to_choose_from() -> None:
    found = suggest("confocal", "FBbi")
    assert [one.term.curie for one in found] == ["FBbi:00000251", "FBbi:00000392", "FBbi:00000393", "FBbi:00000252", "FBbi:00000253"]
    assert {one.reason for one in found} == {"words"}


def test_as_many_are_given_as_are_asked_for() -> None:
    assert len(suggest("confocal", "FBbi", limit=2)) == 2
    assert suggest("confocal", "FBbi", limit=0) == ()


def test_beside_the_very_name_nothing_is_given_that_is_only_spelled_like_it() -> None:
    assert {one.reason for one in suggest("HeLa")} <= {"label", "synonym", "words"}


def test_an_identifier_leads_to_its_term() -> None:
    assert [(one.term.curie, one.reason) for one in suggest("Fbbi_246")] == [("FBbi:00000246", "identifier")]


def test_an_obsolete_term_leads_to_the_successor_its_ontology_names() -> None:
    # EFO: "Beas2B" became "BEAS-2B".
    assert [(one.term.curie, one.reason) for one in suggest("EFO_0001088")] == [("EFO:0001089", "replacement")]


def test_a_successor_in_an_ontology_without_a_list_is_named_all_the_same() -> None:
    elsewhere = next(term for term in bundled("EFO")[1] if term.replaced_by and not term.replaced_by[0].startswith("EFO:"))
    best = suggest(elsewhere.curie)[0]
    assert (best.term.curie, best.reason, best.term.label) == (elsewhere.replaced_by[0], "replacement", "")


def test_an_obsolete_term_without_a_successor_leads_to_terms_in_use_with_like_names() -> None:
    obsolete = find("FBbi:00000160")
    assert obsolete is not None
    assert obsolete.obsolete
    found = suggest("FBbi:00000160")
    assert found[0].term.label == "alkaline phosphatase"
    assert found[0].reason != "replacement"


def test_a_synonym_of_an_obsolete_term_leads_to_the_term_in_use() -> None:
    # "primary antibody-tetramethyl rhodamine isothiocyanate", also called TRITC, is now only the label, "Tetramethyl rhodamine (TRITC)".
    assert suggest("FBbi:00000153")[0].term.curie == "FBbi:00000454"


def test_the_name_of_an_obsolete_term_leads_to_its_successor() -> None:
    found = {one.term.curie: one.reason for one in suggest("cultivar", "EFO")}
    assert found["EFO:0005135"] == "replacement"


@pytest.mark.parametrize("ontology", ["FBbi", "EFO"])
def test_no_obsolete_term_is_ever_suggested(ontology: str) -> None:
    for term in bundled(ontology)[1]:
        if term.obsolete:
            assert not any(one.term.obsolete for one in (*suggest(term.curie), *suggest(term.label, ontology)))


@pytest.mark.parametrize("typed", ["", "   ", "xyzzyqwert", "—", "\x00", "x" * 100_000, "☃", "%%%", "' OR 1=1 --", "lorem ipsum " * 1000])
def test_nothing_is_suggested_for_nonsense(typed: str) -> None:
    assert suggest(typed) == ()


def test_an_ontology_that_is_not_known_gives_nothing() -> None:
    assert suggest("HeLa", "my own ontology") == ()
    assert suggest("water", "CHEBI") == ()


def test_every_label_of_every_list_leads_to_itself_or_to_another_of_that_name() -> None:
    lost = []
    for ontology in ("FBbi", "UO", "NCBITaxon"):
        for term in bundled(ontology)[1]:
            if not term.obsolete and not any(term.label in (one.term.label, *one.term.synonyms) for one in suggest(term.label, ontology)):
                lost.append(term.curie)
    assert lost == []


def test_a_term_is_found_in_any_spelling_and_an_unknown_one_is_not() -> None:
    term = find("http://purl.obolibrary.org/obo/FBbi_00000246")
    assert term is not None
    assert (term.label, term.ontology, term.parents) == ("fluorescence microscopy", "FBbi", ("FBbi:00000345",))
    assert find("251", "Fbbi") is not None
    assert find("FBbi:99999999") is None
    assert find("fluorescence microscopy") is None


def test_terms_of_edam_s_own_are_found_in_edam_bioimaging() -> None:
    term = find("EDAM:topic_3382")
    assert term is not None
    assert (term.label, term.ontology) == ("Imaging", "EDAM-BIOIMAGING")


def test_a_method_is_a_kind_of_what_its_ontology_says() -> None:
    lookup = Lookup()
    assert lookup.is_below("FBbi:00000253", "FBbi:00000251")
    assert lookup.is_below("Fbbi_00000253", "http://purl.obolibrary.org/obo/FBbi_00000345")
    assert lookup.is_below("FBbi:00000253", "FBbi:00000253")
    assert lookup.is_below("FBbi:00000246", "FBbi:00000222")
    assert not lookup.is_below("FBbi:00000345", "FBbi:00000253")
    assert not lookup.is_below("FBbi:00000056", "FBbi:00000222")
    assert not lookup.is_below("FBbi:99999999", "FBbi:00000222")
    assert not lookup.is_below("confocal", "FBbi:00000222")


def test_asking_again_gives_the_same() -> None:
    lookup = Lookup()
    assert lookup.suggest("confocal", "FBbi") == lookup.suggest("confocal", "FBbi") == suggest("confocal", "FBbi")


def test_looking_up_loads_no_list_before_it_is_asked_and_no_library_that_takes_long(tools: Path) -> None:
    script = (
        "import sys; from lightmicroscopy.metadata.ontologies import lookup, judge, inchi, orcid, references, terms;"
        "slow = {'rdkit', 'numpy', 'lxml', 'urllib3', 'sqlite3', 'ome_types'} & set(sys.modules); assert not slow, slow;"
        "assert not terms.bundled.cache_info().currsize; lookup.suggest('confocal', 'FBbi'); assert terms.bundled.cache_info().currsize == 1"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tools, timeout=60)
