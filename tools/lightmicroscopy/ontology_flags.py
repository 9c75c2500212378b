"""Flags of the scripts that look up terms: which full ontologies there are, and whether a service on the web may be asked."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .metadata.ontologies.lookup import Lookup


def add_ontologies(parser: argparse.ArgumentParser) -> None:
    """Add where terms are looked up beside the lists that come with the suite."""
    group = parser.add_argument_group("terms of ontologies")
    group.add_argument(
        "--ontology-file",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="a full ontology that lm_install_ontology has made; in place of the shorter list that comes with the suite; repeatable",
    )
    group.add_argument(
        "--ontology-lookup",
        action="store_true",
        help="ask the Ontology Lookup Service on the web about names and identifiers that no list here knows; what is asked leaves this machine",
    )


@contextmanager
def lookup_of(arguments: argparse.Namespace) -> Iterator[Lookup]:
    """Look up as the flags say, in every check within the block. That the service on the web failed is one warning at the end.

    Yields
    ------
    Lookup
        To be asked from one thread.
    """
    from .metadata.ontologies.lookup import Lookup, using

    for sentence in _damaged(arguments.ontology_file):
        logging.getLogger("lightmicroscopy").warning("%s", sentence)
    if not arguments.ontology_lookup:
        with using(Lookup(arguments.ontology_file)) as lookup:
            yield lookup
        return
    from .archives.endpoints import Endpoints
    from .metadata.ontologies.ols import Ols, impatient

    with impatient(Endpoints.from_environment()) as client:
        service = Ols(client)
        with using(Lookup(arguments.ontology_file, service)) as lookup:
            yield lookup
        if service.trouble:
            logging.getLogger("lightmicroscopy").warning("%s", service.trouble)


def _damaged(files: list[Path]) -> Iterator[str]:
    """Say of ontologies that cannot be used that they cannot; whatever needs them is told as not checked."""
    from .errors import UnreadableError
    from .metadata.ontologies.installed import Installed

    for path in files:
        try:
            Installed(path)
        except UnreadableError as error:
            yield f"{error} Terms are not checked."
