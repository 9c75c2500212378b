"""What is known of a study, in whichever archive it is: enough to name it, to cite it and to say what may be done with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_FACT: Final = 20_000
_DOI: Final = re.compile(r"10\.\d{4,9}/[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class Study:
    """What is known of a study. Empty is unknown; several values are joined by ``; ``."""

    accession: str
    component: str
    url: str
    title: str = ""
    authors: str = ""
    publication_title: str = ""
    publication_doi: str = ""
    data_doi: str = ""
    licence: str = ""
    licence_url: str = ""
    release_date: str = ""
    copyright: str = ""
    organism: str = ""
    imaging_method: str = ""

    @property
    def name(self) -> str:
        """The component, such as ``idr0062-blin-nuclearsegmentation/experimentA``; the accession where there is none."""
        return self.component or self.accession


def together(values: Iterable[str]) -> str:
    """Join what is known, each once."""
    return "; ".join(dict.fromkeys(value for value in values if value))[:LONGEST_FACT]


def dois(values: Iterable[str]) -> str:
    """Find the DOIs among values such as ``10.17867/1 https://doi.org/10.17867/1``."""
    found = (_DOI.search(value) for value in values)
    return together(match[0].rstrip(".,;)") for match in found if match)
