"""Licence of the IDR's studies and how to cite them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import citation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .study import Study

IDR_PAPER: Final = citation.Paper(
    "Cite the Image Data Resource as well: Williams E, Moore J, Li SW et al. Image Data Resource: a bioimage data integration "
    "and publication platform. Nature Methods 14, 775–781 (2017).",
    "10.1038/nmeth.4326",
)


def citation_text(studies: Iterable[Study]) -> str:
    """Write it in Markdown; see `citation.citation_text`."""
    return citation.citation_text(studies, IDR_PAPER)


def citation_page(studies: Iterable[Study]) -> str:
    """Write it as a page of HTML; see `citation.citation_page`."""
    return citation.citation_page(studies, IDR_PAPER)
