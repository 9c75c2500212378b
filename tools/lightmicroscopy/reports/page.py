"""HTML pages: for people, without scripts or anything from elsewhere.

Galaxy removes styles and pictures from the pages of tools that its administrator has not allowed to keep them, so headings,
tables and lists carry everything; the style sheet stands in a comment inside its element, which browsers apply and
sanitizers drop.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..metadata.check import SUITE
from ..names import visible
from .words import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST = 1000
"""Characters of one text on a page; names and values in files can be of millions, and tables hold them whole."""


def render(template: str, values: dict[str, Any], **filters: Callable[..., Any]) -> Iterator[str]:
    """Make a page out of a template beside this module, in pieces; `filters` are what the template may call beside `plural`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_to_read,
    )
    environment.filters.update(filters, plural=plural)
    return environment.get_template(template).generate(suite=SUITE, version=__version__, **values)


def _to_read(value: Any) -> Any:
    """Cut a text that nobody reads to its end, and show what is unseen in it; what is markup already was made here."""
    if type(value) is not str:
        return value
    return visible(f"{value[:LONGEST]}…" if len(value) > LONGEST else value)


def title(names: Sequence[str], count: int) -> str:
    """Name the page after its inputs, so that it is found again among others in a browser: ``a.czi and 4 more``."""
    first = names[0] if names else ""
    return f"{first} and {count - 1} more" if count > 1 else first
