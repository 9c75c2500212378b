#!/usr/bin/env python3
"""Make the tables of ontology terms in ``tools/lightmicroscopy/data/ontologies/``.

Usage: ``python scripts/make_term_lists.py`` makes those that come from packages: EFO and NCBITaxon (cellxgene-ontology-guide,
which no tool needs and which is installed for this only) and OME (ome-types). ``--published FBbi=fbbi.owl`` makes one from an
OBO or OWL file as the ontology's makers publish it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from lightmicroscopy.metadata.ome_schema import schema_file  # noqa: E402 - the library lies beside the scripts
from lightmicroscopy.metadata.ontologies.install import published  # noqa: E402
from lightmicroscopy.metadata.ontologies.registry import ONTOLOGIES  # noqa: E402
from lightmicroscopy.metadata.ontologies.terms import BUNDLED, FOLDER  # noqa: E402
from term_lists import sources, table  # noqa: E402


def from_packages(folder: Path) -> None:
    """Make the lists whose sources are packages."""
    efo, efo_version = sources.guide("EFO")
    origin = f"efo.owl {efo_version} of <https://github.com/EBISPOT/efo>, in {sources.guide_name()}"
    chosen = "cell lines, imaging, screens, libraries, protocols, stages, strains, parts of organisms, and what these replaced"
    _write(folder, "EFO", efo_version, "Apache 2.0", origin, chosen, sources.efo(efo), complete=False)
    taxa, taxa_version = sources.guide("NCBITaxon")
    origin = f"ncbitaxon.owl {taxa_version} of <https://github.com/obophenotype/ncbitaxon>, in {sources.guide_name()}"
    origin += "; what is no animal: see scripts/term_lists/organisms.tsv"
    _write(folder, "NCBITaxon", taxa_version, "CC0 1.0", origin, "organisms that are often imaged", sources.ncbitaxon(taxa), complete=False)
    schema = schema_file()
    origin = f"{schema.name} of <https://github.com/ome/ome-model>, in ome-types (PyPI)"
    chosen = "elements, attributes and the values they may have, without units"
    _write(folder, "OME", "2016-06", "CC BY 3.0", origin, chosen, sources.ome(schema), complete=True)


def from_published(folder: Path, ontology: str, file: Path, licence: str) -> None:
    """Make a list with every term of an ontology from its published file."""
    header, records = published(file, ontology)
    rows = (table.Row(one.curie, one.label, one.synonyms, one.parents, one.obsolete, one.replaced_by) for one in records)
    _write(folder, ontology, header.version, licence or header.licence, file.name, "all terms", rows, complete=True)


def _write(
    folder: Path, ontology: str, version: str, licence: str, source: str, selection: str, rows: Iterable[table.Row], *, complete: bool
) -> None:
    facts = {
        "ontology": ontology,
        "title": ONTOLOGIES[ontology].title,
        "version": version,
        "licence": licence,
        "source": source,
        "complete": "yes" if complete else "no",
        "selection": selection,
    }
    print(f"{BUNDLED[ontology]}: {table.write(folder / BUNDLED[ontology], facts, rows)} terms")


def main(arguments: list[str] | None = None) -> int:
    """Make the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write into")
    parser.add_argument("--published", metavar="NAME=FILE", help="make only this ontology's list, with all its terms, from its OBO or OWL file")
    parser.add_argument("--licence", default="", help="of that ontology, where the file does not state it")
    given = parser.parse_args(arguments)
    if given.published is None:
        from_packages(given.output)
        return 0
    name, _, file = given.published.partition("=")
    if name not in BUNDLED or not Path(file).is_file():
        parser.error(f"{given.published} is not NAME=FILE with one of {', '.join(BUNDLED)} and a file that is there.")
    from_published(given.output, name, Path(file), given.licence)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
