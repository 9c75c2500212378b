"""Install a full ontology for the tools that look up terms: fetched from where it is published, or from a file."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
if not (FOLDER / "lightmicroscopy").is_dir():
    # Installed from the ToolShed, the library lies beside this script; in a checkout, with the other tools.
    sys.path.append(str(FOLDER.parents[1] / "tools"))

from lightmicroscopy import cli  # noqa: E402 - see above

PROGRAM = "lm_install_ontology"
DESCRIPTION = (
    "Install a full ontology for the tools that look up terms. It is fetched from where it is published, or made from a file in OBO or OWL "
    "(RDF/XML), also packed with gzip. Tools work without; what comes with them has the terms that imaging needs most."
)
EXAMPLES = (
    "lm_install_ontology --ontology FBbi --folder ontologies --output row.json",
    "lm_install_ontology --ontology EFO --file efo.owl --folder ontologies --output row.json",
)
FORM_ONLY = ("source_by",)
ONTOLOGIES = ("FBbi", "EFO", "NCBITaxon", "UO", "EDAM-BIOIMAGING", "CMPO", "CHEBI", "CL", "CLO", "UBERON", "GO", "OBI", "PATO", "MONDO")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(PROGRAM, DESCRIPTION, output=False, examples=EXAMPLES)
    asked = result.add_argument_group("what to install")
    asked.add_argument("--ontology", choices=ONTOLOGIES, required=True, help="the ontology; terms it takes over from others are left out")
    asked.add_argument("--file", type=Path, metavar="FILE", help="its file in OBO or OWL (RDF/XML); without, it is fetched")
    asked.add_argument("--version-stated", default="", metavar="TEXT", help="version, where the file does not state it")
    asked.add_argument("--licence", default="", metavar="TEXT", help="licence, where the file does not state it")
    made = result.add_argument_group("results")
    made.add_argument("--folder", type=Path, required=True, metavar="DIR", help="where the installed ontology is put; made if it is not there")
    made.add_argument("--output", type=Path, required=True, metavar="FILE", help="row of Galaxy's data table, as a data manager gives it (JSON)")
    return result


def work(arguments: argparse.Namespace) -> int:
    """Install, then write the row."""
    import json

    from lightmicroscopy.archives.endpoints import Endpoints
    from lightmicroscopy.metadata.ontologies.install import install
    from lightmicroscopy.metadata.ontologies.published import entries, file_name, install_published
    from lightmicroscopy.reports.tables import write_text

    log = logging.getLogger("lightmicroscopy")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    destination = arguments.folder / file_name(arguments.ontology)
    stated = {"version": arguments.version_stated.strip(), "licence": arguments.licence.strip()}

    def progress(count: int) -> None:
        if count % 100_000 == 0:
            log.info("%s terms", f"{count:,}")

    if arguments.file is None:
        about = install_published(arguments.ontology, destination, Endpoints.from_environment(), progress=progress, **stated)
    else:
        about = install(arguments.file, destination, arguments.ontology, progress=progress, **stated)
    write_text(arguments.output, [json.dumps(entries(about, destination.name), ensure_ascii=False, indent=1), "\n"])
    log.info("Installed: %s%s", about.name, f", {about.licence}" if about.licence else "; its file does not state its licence")
    return cli.DONE


def main(arguments: list[str] | None = None) -> int:
    """Run the script; see `work`."""
    return cli.run(PROGRAM, work, cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
