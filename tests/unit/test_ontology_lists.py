"""The lists of terms that come with the suite hold together, and say where they are from."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from lightmicroscopy.metadata.ome_schema import schema_file
from lightmicroscopy.metadata.ontologies.identifiers import canonical
from lightmicroscopy.metadata.ontologies.lookup import find
from lightmicroscopy.metadata.ontologies.terms import BUNDLED, FOLDER, bundled, read_terms

README = FOLDER.parent / "README.md"


@pytest.mark.parametrize("ontology", BUNDLED)
def test_each_list_names_version_source_and_licence_and_readme_says_the_same(ontology: str) -> None:
    about, terms = bundled(ontology)
    assert about.ontology == ontology
    assert about.version
    assert about.licence
    assert about.source
    assert terms
    row = next(line for line in README.read_text(encoding="utf-8").splitlines() if f"ontologies/{BUNDLED[ontology]}" in line)
    assert about.version in row
    assert about.licence in row


def test_what_is_share_alike_lies_apart_and_is_labelled() -> None:
    apart = {ontology for ontology in BUNDLED if "-SA" in bundled(ontology)[0].licence}
    assert apart == {ontology for ontology, file in BUNDLED.items() if file.startswith("share_alike/")} == {"EDAM-BIOIMAGING"}
    _, _, labelled = README.read_text(encoding="utf-8").partition("### Under terms of their own")
    assert "share-alike" in labelled
    assert "edam_bioimaging.tsv" in labelled


@pytest.mark.parametrize("ontology", BUNDLED)
def test_every_identifier_is_canonical_and_there_once(ontology: str) -> None:
    _, terms = bundled(ontology)
    assert len({term.curie for term in terms}) == len(terms)
    for term in terms:
        found = canonical(term.curie)
        assert found is not None, term.curie
        assert (found.curie, found.iri) == (term.curie, term.iri)
        assert found.ontology == ontology or (ontology, found.ontology) == ("EDAM-BIOIMAGING", "EDAM")
        assert term.label == term.label.strip()
        assert term.label
        assert not re.match("obsolete[ _]", term.label)


@pytest.mark.parametrize("ontology", BUNDLED)
def test_relations_lead_to_identifiers(ontology: str) -> None:
    about, terms = bundled(ontology)
    curies = {term.curie for term in terms}
    for term in terms:
        assert not term.replaced_by or term.obsolete, term.curie
        for other in (*term.parents, *term.replaced_by):
            assert canonical(other) is not None, (term.curie, other)
            if about.complete:
                assert other in curies, (term.curie, other)


def test_the_lists_are_as_large_as_their_sources() -> None:
    # FBbi: 647 classes of the edit file and 16 newer ones; UO and EDAM: rows of their files.
    assert {ontology: len(bundled(ontology)[1]) for ontology in ("FBbi", "UO", "EDAM-BIOIMAGING")} == {"FBbi": 663, "UO": 574, "EDAM-BIOIMAGING": 341}
    assert sum(term.obsolete for term in bundled("FBbi")[1]) == 107


def vocabulary() -> Iterator[tuple[str, str]]:
    path = Path(__file__).resolve().parents[3] / "shared" / "facts" / "examples" / "idr_templates" / "ControlledVocabulariesAndOntologyTermsIDR.csv"
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.reader(stream):
            if len(row) > 3 and row[3].startswith("EFO_"):
                yield row[2], row[3]


def test_every_term_that_the_idr_prescribes_is_there() -> None:
    prescribed = list(vocabulary())
    if not prescribed:
        pytest.skip("the IDR's vocabulary is not part of this repository and lies beside it only on the maintainers' machines")
    assert len(prescribed) > 20
    assert [identifier for _, identifier in prescribed if find(identifier) is None] == []


def test_the_words_of_the_ome_schema_are_the_schema_s_own() -> None:
    schema = etree.parse(str(schema_file())).getroot()
    words = {element.get("value") for element in schema.iter("{*}enumeration")}
    names = {element.get("name") for element in schema.iter("{*}element", "{*}attribute")}
    _, terms = bundled("OME")
    values = [term.label for term in terms if term.curie.count(".") == 2]
    assert len(values) > 200
    assert set(values) <= words
    assert {term.label for term in terms if term.curie.count(".") < 2} <= names


@pytest.mark.parametrize("broken", ["id\tlabel\n", "", "# ontology: FBbi\n"])
def test_a_list_of_another_form_is_refused(tmp_path: Path, broken: str) -> None:
    (tmp_path / "list.tsv").write_text(broken, encoding="utf-8")
    with pytest.raises(ValueError, match="columns"):
        read_terms(tmp_path / "list.tsv")
