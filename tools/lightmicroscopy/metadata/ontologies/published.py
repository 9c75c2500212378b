"""Where ontologies publish their files, and how an installed one is told to Galaxy.

Source: <https://obofoundry.org> for the addresses below purl.obolibrary.org, and each ontology's own pages. Those addresses lead on
to where the files are kept, which is why more hosts than one must be allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...archives.endpoints import Endpoints
from ...errors import UsageError
from .install import LARGEST, install

if TYPE_CHECKING:
    from .terms import About

TABLE: Final = "lightmicroscopy_ontologies"
"""Galaxy's data table; its columns are the keys of `table_entry`."""
PUBLISHED: Final = {
    "FBbi": "fbbi.obo",
    "EFO": "http://www.ebi.ac.uk/efo/efo.owl",
    "NCBITaxon": "ncbitaxon.obo",
    "UO": "uo.obo",
    "EDAM-BIOIMAGING": "http://edamontology.org/EDAM-bioimaging.owl",
}
"""Files of the ontologies that can be fetched: below ``ontology_files``, or at an address of their own."""
LED_ON_TO: Final = (
    "http://purl.obolibrary.org",
    "https://github.com",
    "https://objects.githubusercontent.com",
    "https://release-assets.githubusercontent.com",
    "https://raw.githubusercontent.com",
    "http://www.ebi.ac.uk",
    "https://www.ebi.ac.uk",
    "http://edamontology.org",
    "https://edamontology.org",
)


def address(ontology: str, endpoints: Endpoints) -> str:
    """Give the address of an ontology's file: of the configured mirror if there is one, else where the ontology publishes it.

    Raises
    ------
    UsageError
        If none is known.
    """
    file = PUBLISHED.get(ontology)
    if file is None:
        raise UsageError(
            f"Where {ontology} publishes its file is not known here. Fetch it yourself and give it as a file. Known: {', '.join(PUBLISHED)}."
        )
    mirrored = endpoints.ontology_files != Endpoints().ontology_files
    return f"{endpoints.ontology_files}/{file.rpartition('/')[2]}" if mirrored or "/" not in file else file


def install_published(
    ontology: str, destination: Path, endpoints: Endpoints, *, version: str = "", licence: str = "", progress: Callable[[int], None] | None = None
) -> About:
    """Fetch the published file of an ontology and install it; see `install.install`.

    Raises
    ------
    ArchiveError
        If it cannot be fetched.
    """
    from ...archives.http import Client

    url = address(ontology, endpoints)
    if endpoints.ontology_files == Endpoints().ontology_files:
        endpoints = replace(endpoints, allowed_hosts=(*endpoints.allowed_hosts, *LED_ON_TO))
    fetched = destination.with_name(f".{destination.name}.published")
    try:
        with Client(endpoints) as client:
            client.download(url, fetched, limit=LARGEST)
        return install(fetched, destination, ontology, origin=url, version=version, licence=licence, progress=progress)
    finally:
        fetched.unlink(missing_ok=True)


def table_entry(about: About, file: str) -> dict[str, str]:
    """Give the row of Galaxy's data table for an installed ontology.

    Parameters
    ----------
    file
        Its name, as Galaxy finds it in the folder of the data manager's output.
    """
    licence = f" ({_short(about.licence)})" if about.licence else ""
    return {
        "value": _value(about),
        "name": f"{about.name}{licence}",
        "ontology": about.ontology,
        "version": about.version,
        "licence": about.licence,
        "path": file,
    }


def file_name(ontology: str) -> str:
    """Give the name of an installed ontology's file, before its version is known."""
    return f"{ontology}.ontology"


def entries(about: About, file: str) -> dict[str, Any]:
    """Give what a data manager hands to Galaxy."""
    return {"data_tables": {TABLE: [table_entry(about, file)]}}


def _value(about: About) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", f"{about.ontology}-{about.version}")[:100]


def _short(licence: str) -> str:
    match = re.search(r"creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)", licence)
    if match is None:
        return licence[:60]
    return "CC0 1.0" if match[1] == "zero" else f"CC {match[1].upper()} {match[2]}"
