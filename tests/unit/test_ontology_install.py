"""An administrator installs a full ontology from its published file, and tools look things up in it."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from lightmicroscopy.errors import LimitError, SuiteError, UnreadableError, UsageError
from lightmicroscopy.metadata.ontologies import install as installing
from lightmicroscopy.metadata.ontologies import obo, owl, records
from lightmicroscopy.metadata.ontologies.install import install, published
from lightmicroscopy.metadata.ontologies.installed import Installed
from lightmicroscopy.metadata.ontologies.judge import judge
from lightmicroscopy.metadata.ontologies.lookup import Lookup

OBO = """format-version: 1.2
data-version: uo/releases/2026-01-16/uo.owl
ontology: uo
property_value: http://purl.org/dc/terms/license "http://creativecommons.org/licenses/by/4.0/" xsd:anyURI

[Term]
id: UO:0000001
name: length unit
is_a: PATO:0000001 ! imported

[Term]
id: UO:0000017
name: micrometer
synonym: "micron" EXACT []
synonym: "very \\"small\\" unit" RELATED [note:"x"]
synonym: "unit" BROAD []
is_a: UO:0000001 {source="x"} ! length unit
intersection_of: UO:0000046 ! prefixed unit
intersection_of: has_prefix UO:0000299 ! micro

[Term]
id: UO:0009999
name: obsolete micrometre per fortnight
is_obsolete: true
replaced_by: UO:0000017

[Term]
id: PATO:0000001
name: quality

[Typedef]
id: UO:part_of
name: part of

[Term]
id: UO:0000018
name: nanometer ! not a comment in a name of ours
"""
OWL = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
  xmlns:owl="http://www.w3.org/2002/07/owl#" xmlns:obo="http://purl.obolibrary.org/obo/"
  xmlns:oio="http://www.geneontology.org/formats/oboInOwl#" xmlns:dcterms="http://purl.org/dc/terms/">
  <owl:Ontology rdf:about="http://purl.obolibrary.org/obo/fbbi.owl">
    <owl:versionIRI rdf:resource="http://purl.obolibrary.org/obo/fbbi/releases/2026-01-30/fbbi.owl"/>
    <dcterms:license rdf:resource="http://creativecommons.org/licenses/by/4.0/"/>
    <dcterms:title>Biological Imaging Methods Ontology</dcterms:title>
  </owl:Ontology>
  <!-- a comment -->
  <owl:Class rdf:about="http://purl.obolibrary.org/obo/FBbi_00000246">
    <rdfs:subClassOf rdf:resource="http://purl.obolibrary.org/obo/FBbi_00000345"/>
    <owl:equivalentClass><owl:Class><owl:intersectionOf rdf:parseType="Collection">
      <rdf:Description rdf:about="http://purl.obolibrary.org/obo/FBbi_00000999"/>
    </owl:intersectionOf></owl:Class></owl:equivalentClass>
    <rdfs:label xml:lang="de">Fluoreszenzmikroskopie</rdfs:label>
    <rdfs:label>fluorescence microscopy</rdfs:label>
    <oio:hasExactSynonym>epifluorescence</oio:hasExactSynonym>
  </owl:Class>
  <owl:Class rdf:about="http://purl.obolibrary.org/obo/FBbi_00000242">
    <rdfs:label>obsolete wide field light micrograph</rdfs:label>
    <owl:deprecated rdf:datatype="http://www.w3.org/2001/XMLSchema#boolean">true</owl:deprecated>
    <obo:IAO_0100001 rdf:resource="http://purl.obolibrary.org/obo/FBbi_00000246"/>
  </owl:Class>
  <rdf:Description rdf:about="http://purl.obolibrary.org/obo/FBbi_00000345">
    <rdf:type rdf:resource="http://www.w3.org/2002/07/owl#Class"/>
    <rdfs:label>light microscopy</rdfs:label>
  </rdf:Description>
  <owl:Class rdf:about="http://purl.obolibrary.org/obo/BFO_0000001"><rdfs:label>entity</rdfs:label></owl:Class>
  <owl:Axiom><owl:annotatedSource rdf:resource="http://purl.obolibrary.org/obo/FBbi_00000246"/></owl:Axiom>
</rdf:RDF>
"""


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Install from a text or bytes."""

    def run(content: str | bytes, ontology: str, name: str = "published", **given: str) -> Path:
        source, made = tmp_path / name, tmp_path / f"{name}.ontology"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        install(source, made, ontology, **given)
        return made

    return run


def test_an_obo_file_is_installed_with_version_and_licence(make: Callable[..., Path]) -> None:
    made = Installed(make(OBO, "UO", "uo.obo"))
    assert (made.about.ontology, made.about.version, made.about.licence) == ("UO", "2026-01-16", "http://creativecommons.org/licenses/by/4.0/")
    assert made.about.complete
    micrometer = made.find("UO:0000017")
    assert micrometer is not None
    assert (micrometer.label, micrometer.iri) == ("micrometer", "http://purl.obolibrary.org/obo/UO_0000017")
    assert (micrometer.synonyms, micrometer.parents) == (("micron", 'very "small" unit'), ("UO:0000001", "UO:0000046"))
    assert micrometer.source == "UO 2026-01-16"
    old = made.find("UO:0009999")
    assert old is not None
    assert (old.label, old.obsolete, old.replaced_by) == ("micrometre per fortnight", True, ("UO:0000017",))
    # The last term of a file counts too; what is imported, a relation, or no identifier does not.
    assert made.find("UO:0000018") is not None
    assert made.find("PATO:0000001") is None


def test_an_owl_file_is_installed_with_version_and_licence(make: Callable[..., Path]) -> None:
    made = Installed(make(OWL, "FBbi", "fbbi.owl"))
    assert (made.about.version, made.about.licence) == ("2026-01-30", "http://creativecommons.org/licenses/by/4.0/")
    term = made.find("FBbi:00000246")
    assert term is not None
    assert (term.label, term.synonyms, term.parents, term.obsolete) == (
        "fluorescence microscopy",
        ("epifluorescence",),
        ("FBbi:00000345", "FBbi:00000999"),
        False,
    )
    assert made.find("FBbi:00000345") is not None
    assert made.find("FBbi:00000999") is None
    old = made.find("FBbi:00000242")
    assert old is not None
    assert (old.label, old.obsolete, old.replaced_by) == ("wide field light micrograph", True, ("FBbi:00000246",))


@pytest.mark.parametrize(("content", "ontology"), [(OBO, "UO"), (OWL, "FBbi")])
def test_a_packed_file_gives_the_same(make: Callable[..., Path], content: str, ontology: str) -> None:
    plain, packed = Installed(make(content, ontology, "plain")), Installed(make(gzip.compress(content.encode()), ontology, "packed"))
    for curie in ("UO:0000017", "UO:0009999", "FBbi:00000246", "FBbi:00000242"):
        assert plain.find(curie) == packed.find(curie)
    assert plain.about.version == packed.about.version


def test_what_the_administrator_states_counts_more_than_the_file(make: Callable[..., Path]) -> None:
    made = Installed(make(OBO, "UO", version="of our own", licence="CC BY 4.0", origin="https://example.org/uo.obo"))
    assert (made.about.version, made.about.licence, made.about.source) == ("of our own", "CC BY 4.0", "https://example.org/uo.obo")


def test_tools_look_things_up_in_it(make: Callable[..., Path]) -> None:
    lookup = Lookup([make(OBO, "UO", "uo"), make(OWL, "FBbi", "fbbi")])
    assert [(one.term.curie, one.reason) for one in lookup.suggest("epifluorescence", "FBbi")] == [("FBbi:00000246", "synonym")]
    assert [(one.term.curie, one.reason) for one in lookup.suggest("FBbi:00000242")] == [("FBbi:00000246", "replacement")]
    assert lookup.suggest("fluoresence microscopy", "FBbi")[0].term.curie == "FBbi:00000246"
    assert lookup.suggest("light", "FBbi")[0].term.label == "light microscopy"
    assert lookup.suggest("microns", "UO")[0].term.curie == "UO:0000017"
    assert lookup.suggest("micrometre per fortnight", "UO")[0].reason == "replacement"
    # The bundled list of an ontology that is installed is not asked any more, the others are.
    assert lookup.find("FBbi:00000251") is None
    assert lookup.find("EFO:0001185") is not None
    assert judge("NCBITaxon:10090", "mouse", lookup=lookup).status == "right"
    assert judge("FBbi:00000251", lookup=lookup).status == "unknown"


@pytest.mark.parametrize(
    "typed", ["", "%", "_", '"', "' OR 1=1 --", "NEAR(a b)", "light AND OR", "*", "a" * 10_000, "micro*", "(", "\x00", "ñ\U0010ffff"]
)
def test_signs_of_the_query_language_are_only_letters(make: Callable[..., Path], typed: str) -> None:
    assert isinstance(Lookup([make(OBO, "UO")]).suggest(typed, "UO"), tuple)


def test_a_bundled_ontology_found_whole_in_its_own_published_form_reads_the_same(make: Callable[..., Path]) -> None:
    from lightmicroscopy.metadata.ontologies.terms import bundled

    _, terms = bundled("UO")
    stanzas = ["format-version: 1.2\ndata-version: 2026-01-16\n"]
    for term in terms:
        lines = [f"[Term]\nid: {term.curie}\nname: {term.label}", *(f"is_a: {parent}" for parent in term.parents)]
        escaped = (synonym.replace("\\", "\\\\").replace('"', '\\"') for synonym in term.synonyms)
        lines += [*(f'synonym: "{synonym}" EXACT []' for synonym in escaped), *(["is_obsolete: true"] if term.obsolete else [])]
        stanzas.append("\n".join(lines) + "\n")
    made = Installed(make("\n".join(stanzas), "UO"))
    assert [term for term in terms if made.find(term.curie) != term] == []


def test_a_small_ontology_can_be_read_without_installing(tmp_path: Path) -> None:
    (tmp_path / "fbbi.owl").write_text(OWL, encoding="utf-8")
    header, terms = published(tmp_path / "fbbi.owl", "FBbi")
    assert header.version == "2026-01-30"
    assert [term.curie for term in terms] == ["FBbi:00000246", "FBbi:00000242", "FBbi:00000345"]


BILLION = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no terms"),
        (b"These are words, not terms.\n", "no terms"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not XML in UTF-8"),
        (b"<html><body>404</body></html>", "web page"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'{"graphs": []}', "JSON"),
        (b"PK\x03\x04", "a zip"),
        (b"Prefix(:=<http://example.org/>)\nOntology()", "functional syntax"),
        (b"@prefix obo: <http://purl.obolibrary.org/obo/> .", "Turtle"),
        (OBO.split("[Term]", maxsplit=1)[0].encode(), "no terms"),
        (OBO.replace("UO:", "XX:").encode(), "no term of UO"),
        (OBO.encode("utf-16"), "UTF-8"),
        (OBO.encode() + b"\n[Term]\nid: UO:0000020\nname: \xff\xfe\n", "not UTF-8"),
        (b"[Term]\nid: UO:0000017\nname: " + b"x" * (obo.LONGEST_LINE + 1), "line of more than"),
        (f'<?xml version="1.0"?>{BILLION}{RDF}</rdf:RDF>'.encode(), "document type"),
        (OWL.replace("<rdf:RDF", f"{BILLION}<rdf:RDF", 1).encode(), "document type"),
        (b"<!-- " + b"-" * owl.HEAD + f" -->{BILLION}{RDF}</rdf:RDF>".encode(), "does not begin"),
        (OWL.encode("utf-16"), "UTF-8"),
        (b'<?xml version="1.0" encoding="UTF-7"?><rdf/>', "UTF-8"),
        (b"<svg/>", "no OWL"),
        (OWL[:1500].encode(), "not well-formed"),
        (f"{RDF}&lol;</rdf:RDF>".encode(), "not well-formed"),
        (OWL.encode(), "no term of UO"),
        (gzip.compress(OBO.encode())[:-20], "cannot be read to its end"),
        (b"\x1f\x8b" + b"\0" * 100, "cannot be read to its end"),
    ],
)
def test_what_is_no_published_ontology_is_refused_in_a_sentence_and_nothing_is_left(tmp_path: Path, content: bytes, said: str) -> None:
    source, made = tmp_path / "upload.dat", tmp_path / "made" / "uo.ontology"
    made.parent.mkdir()
    source.write_bytes(content)
    with pytest.raises(UnreadableError, match=said) as caught:
        install(source, made, "UO")
    assert "upload.dat" in str(caught.value)
    assert str(caught.value).endswith((".", "whole."))
    assert list(made.parent.iterdir()) == []


ABBREVIATED = (
    "<!DOCTYPE rdf:RDF [\n <!ENTITY obo \"http://purl.obolibrary.org/obo/\" >\n <!ENTITY rdfs 'http://www.w3.org/2000/01/rdf-schema#' >\n]>\n"
)


def test_addresses_abbreviated_as_protege_writes_them_are_read(make: Callable[..., Path]) -> None:
    shorter = OWL.replace('"http://purl.obolibrary.org/obo/FBbi_', '"&obo;FBbi_').replace("<rdf:RDF", f"{ABBREVIATED}<rdf:RDF", 1)
    assert "&obo;FBbi_00000246" in shorter
    plain, short = Installed(make(OWL, "FBbi", "plain")), Installed(make(shorter, "FBbi", "short"))
    for curie in ("FBbi:00000246", "FBbi:00000242", "FBbi:00000345"):
        assert short.find(curie) == plain.find(curie) is not None


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "lol"><!ENTITY b "&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY a PUBLIC "x" "http://example.org/x">',
        '<!ENTITY % a "x">',
        "%a;",
        "<!ELEMENT rdf:RDF ANY>",
        '<!ENTITY a "&#38;b;">',
        '<!ENTITY a "' + "x" * 400 + '">',
        "".join(f'<!ENTITY a{number} "x">' for number in range(300)),
    ],
)
def test_a_document_type_that_does_more_is_refused(tmp_path: Path, declared: str) -> None:
    (tmp_path / "a.owl").write_text(OWL.replace("<rdf:RDF", f"<!DOCTYPE rdf:RDF [{declared}]><rdf:RDF", 1), encoding="utf-8")
    with pytest.raises(UnreadableError, match="document type"):
        install(tmp_path / "a.owl", tmp_path / "made", "FBbi")


def test_an_abbreviation_repeated_without_end_does_not_take_the_memory(tmp_path: Path) -> None:
    declared = f'<!DOCTYPE rdf:RDF [<!ENTITY a "{"x" * 300}">]>'
    endless = OWL.replace("<rdf:RDF", f"{declared}<rdf:RDF", 1).replace(">epifluorescence<", f">{'&a;' * 200_000}<")
    (tmp_path / "a.owl").write_text(endless, encoding="utf-8")
    with pytest.raises(UnreadableError, match="not well-formed"):
        install(tmp_path / "a.owl", tmp_path / "made", "FBbi")


def test_a_bomb_of_gzip_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "LARGEST", 1 << 20)
    source = tmp_path / "bomb.obo.gz"
    source.write_bytes(gzip.compress(b"[Term]\nid: UO:0000017\nname: micrometer\n" + b"comment: nothing\n" * 1_000_000))
    assert source.stat().st_size < 1 << 20
    with pytest.raises(LimitError, match="unpacked"):
        install(source, tmp_path / "made", "UO")
    assert not (tmp_path / "made").exists()


def test_more_terms_than_any_ontology_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_TERMS", 2)
    for name, content, ontology in (("a.obo", OBO, "UO"), ("a.owl", OWL, "FBbi")):
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(LimitError, match="more than 2 terms"):
            install(tmp_path / name, tmp_path / f"{name}.made", ontology)


def test_a_class_with_endless_parts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owl, "MOST_PARTS", 1000)
    endless = OWL.replace("<oio:hasExactSynonym>epifluorescence</oio:hasExactSynonym>", "<oio:hasExactSynonym/>" * 2000)
    (tmp_path / "a.owl").write_text(endless, encoding="utf-8")
    with pytest.raises(LimitError, match="parts"):
        install(tmp_path / "a.owl", tmp_path / "made", "FBbi")


def test_names_and_synonyms_are_cut_to_what_can_be_one(make: Callable[..., Path]) -> None:
    synonyms = "".join(f'synonym: "name {number}" EXACT []\n' for number in range(3 * records.MOST_SYNONYMS))
    made = Installed(make(f"[Term]\nid: UO:0000017\nname: {'x' * 5000}\n{synonyms}", "UO", version="1"))
    term = made.find("UO:0000017")
    assert term is not None
    assert (len(term.label), len(term.synonyms)) == (records.LONGEST_NAME, records.MOST_SYNONYMS)


def test_an_identifier_given_twice_keeps_its_first_meaning(make: Callable[..., Path]) -> None:
    made = Installed(make("[Term]\nid: UO:0000017\nname: one\n\n[Term]\nid: UO:0000017\nname: other\n", "UO", version="1"))
    term = made.find("UO:0000017")
    assert term is not None
    assert term.label == "one"


def test_a_number_with_a_digit_too_few_is_not_taken_for_another_term(make: Callable[..., Path]) -> None:
    made = Installed(make("[Term]\nid: UO:000017\nname: a fault\n\n[Term]\nid: UO:0000017\nname: micrometer\n", "UO", version="1"))
    term = made.find("UO:0000017")
    assert term is not None
    assert term.label == "micrometer"


def test_an_ontology_that_nobody_knows_cannot_be_installed(tmp_path: Path) -> None:
    (tmp_path / "a.obo").write_text(OBO, encoding="utf-8")
    with pytest.raises(UsageError, match="These can: FBbi, EFO"):
        install(tmp_path / "a.obo", tmp_path / "made", "OWN")
    with pytest.raises(UsageError, match="no ontology that can be installed"):
        install(tmp_path / "a.obo", tmp_path / "made", "OME")


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.obo").write_text(OBO, encoding="utf-8")
    (tmp_path / "made").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="not overwritten"):
        install(tmp_path / "a.obo", tmp_path / "made", "UO")
    assert (tmp_path / "made").read_text(encoding="utf-8") == "mine"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"nothing\.obo cannot be read"):
        install(tmp_path / "nothing.obo", tmp_path / "made", "UO")


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"\0" * 200])
def test_a_damaged_installation_is_told_to_the_administrator(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "uo.ontology").write_bytes(content)
    with pytest.raises(UnreadableError, match=r"uo\.ontology is no ontology that this suite can read.*install it again"):
        Lookup([tmp_path / "uo.ontology"]).suggest("micron", "UO")


def test_a_missing_installation_is_told_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="install it again"):
        Installed(tmp_path / "gone.ontology")
    assert list(tmp_path.iterdir()) == []


def test_an_installation_of_another_version_is_told(make: Callable[..., Path]) -> None:
    made = make(OBO, "UO")
    with sqlite3.connect(made) as base:
        base.execute("UPDATE about SET value = 'lightmicroscopy ontology 0' WHERE name = 'format'")
    base.close()
    with pytest.raises(UnreadableError, match="another version"):
        Installed(made)


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "_BATCH", 2)
    told: list[int] = []
    (tmp_path / "a.obo").write_text(OBO, encoding="utf-8")
    install(tmp_path / "a.obo", tmp_path / "made", "UO", progress=told.append)
    assert told == [2, 4]
