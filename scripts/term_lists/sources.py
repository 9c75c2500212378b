"""Which terms of an ontology imaging needs, taken out of packages that ship the whole ontology or schema as data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from lxml import etree

from .table import Row

GUIDE = "cellxgene_ontology_guide"
ORGANISMS = Path(__file__).with_name("organisms.tsv")
# What EFO has beside cell lines that describes an imaging study; everything below these is taken too.
EFO_BRANCHES = (
    "high content analysis of cells",
    "microscopy assay",
    "imaging protocol",
    "imaging based spatial transcriptomics",
    "developmental stage",
    "organism part",
    "cell type",
    "strain",
    "genetic modification",
    "library",
    "protocol",
)
EFO_WORDS = re.compile(r"(protocol|library|screen(ing)?|fixation|microscop\w*|staining|imaging)$")
_XSD = "{http://www.w3.org/2001/XMLSchema}"


def guide(ontology: str) -> tuple[dict[str, dict[str, Any]], str]:
    """Give the newest version of an ontology that the guide ships, as it has it, and that version."""
    import zstandard

    data = files(GUIDE) / "data"
    latest = json.loads((data / "latest_ontology_info.json").read_text(encoding="utf-8"))["ontologies"][ontology]["version"]
    packed = (data / f"{ontology}-ontology-{latest}.json.zst").read_bytes()
    return json.loads(zstandard.ZstdDecompressor().stream_reader(packed).read()), latest


def guide_name() -> str:
    """Name and version of the package."""
    return f"cellxgene-ontology-guide {version(GUIDE)} (PyPI; MIT)"


def efo(terms: dict[str, dict[str, Any]]) -> Iterator[Row]:
    """Take cell lines, imaging, protocols, libraries, stages and parts of organisms, and what was any of these."""
    labels = {curie: term["label"] for curie, term in terms.items()}
    roots = {curie for curie, label in labels.items() if label.endswith("cell line") or label in EFO_BRANCHES}
    kept = {
        curie for curie, term in terms.items() if not term["deprecated"] and (roots & {curie, *term["ancestors"]} or EFO_WORDS.search(labels[curie]))
    }
    kept |= {curie for curie, term in terms.items() if term["deprecated"] and (term.get("replaced_by") in kept or "cell line" in labels[curie])}
    for curie in kept:
        yield _row(curie, terms[curie])


def ncbitaxon(terms: dict[str, dict[str, Any]]) -> Iterator[Row]:
    """Take the organisms of ``organisms.tsv``."""
    by_label = {term["label"]: curie for curie, term in terms.items()}
    with ORGANISMS.open(encoding="utf-8") as stream:
        lines = [line.rstrip("\n").split("\t") for line in stream if not line.startswith("#")]
    for name, curie, synonyms, _source in lines[1:]:
        if curie:
            yield Row(curie, name, tuple(synonyms.split("|")))
        elif name in by_label:
            yield _row(by_label[name], terms[by_label[name]])
        else:
            raise ValueError(f"{ORGANISMS.name}: {name} is not in the package. Correct its name, or give an identifier and its source.")


def ome(schema: Path) -> Iterator[Row]:
    """Take elements, attributes and the values that attributes may have out of the OME schema."""
    root = etree.parse(str(schema)).getroot()
    types = {item.get("name"): [value.get("value") for value in item.iter(f"{_XSD}enumeration")] for item in root.findall(f"{_XSD}simpleType")}
    for element in root.findall(f"{_XSD}element"):
        name = element.get("name")
        yield Row(f"OME:{name}", name, _words(name))
        for attribute in element.iter(f"{_XSD}attribute"):
            said = attribute.get("name")
            if said is None or said == "ID":
                continue
            here = f"OME:{name}.{said}"
            yield Row(here, said, _words(said), (f"OME:{name}",))
            values = [value.get("value") for value in attribute.iter(f"{_XSD}enumeration")] or types.get(attribute.get("type"), [])
            # Units have lists of their own, with words for them in the units' ontology.
            for value in values if not said.endswith("Unit") else ():
                yield Row(f"{here}.{'_'.join(value.split())}", value, _words(value), (here,))


def _row(curie: str, term: dict[str, Any]) -> Row:
    parents = tuple(sorted(parent for parent, distance in term["ancestors"].items() if distance == 1))
    label = re.sub(r"^obsolete[_ ]", "", term["label"])
    replaced = (term["replaced_by"],) if term.get("replaced_by") else ()
    return Row(curie, label, tuple(term.get("synonyms", ())), parents, term["deprecated"], replaced)


def _words(name: str) -> tuple[str, ...]:
    """Write ``SpinningDiskConfocal`` as people do, as another name for it."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return (apart.lower(),) if apart != name else ()
