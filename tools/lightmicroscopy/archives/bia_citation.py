"""Licence of the BioImage Archive's studies and how to cite them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import citation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .study import Study

BIA_PAPER: Final = citation.Paper(
    "Cite the BioImage Archive as well: Hartley M, Kleywegt GJ, Patwardhan A et al. The BioImage Archive – building a home for "
    "life-sciences microscopy data. Journal of Molecular Biology 434, 167505 (2022).",
    "10.1016/j.jmb.2022.167505",
)


def citation_text(studies: Iterable[Study]) -> str:
    """Write it in Markdown; see `citation.citation_text`."""
    return citation.citation_text(studies, BIA_PAPER)


def citation_page(studies: Iterable[Study]) -> str:
    """Write it as a page of HTML; see `citation.citation_page`."""
    return citation.citation_page(studies, BIA_PAPER)
