"""Lists of the IDR's JSON API, page by page to their end.

A server may give fewer objects than were asked for without saying so, and its totals are not always right: what came is counted, and
a list that is shorter than it says it is, is an error and not a short list.

Source: ome/omero-web, omeroweb/api/api_query.py (limits are clipped silently; ``meta`` has the one that was used).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import ArchiveError, TooLongError
from .seen import Seen
from .untrusted import LARGEST_ID, mapping, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PAGE: Final = 1000
"""Objects asked for at once; the IDR's own maximum."""
MOST: Final = 5_000_000
"""Objects of one list; the largest screens have some hundred thousand wells."""


def listed(ask: Callable[[str], Any], what: str, at_once: int = PAGE) -> Iterator[Mapping[str, Any]]:
    """Give the objects of a list, each once, in the server's order.

    Parameters
    ----------
    ask
        Fetches a page by its query, ``limit=…&offset=…``.
    what
        How errors call the list.
    at_once
        Objects of a page; fewer are asked for where so many are longer than an answer may be.

    Raises
    ------
    ArchiveError
        If an answer is no such list, or the list ends before its own total, or never.
    """
    seen = Seen()
    came = 0
    while True:
        try:
            answer = mapping(ask(f"limit={at_once}&offset={came}"))
        except TooLongError:
            if at_once == 1:
                raise
            at_once = max(1, at_once // 4)
            continue
        page, meta = answer.get("data"), mapping(answer.get("meta"))
        if not isinstance(page, list):
            raise ArchiveError(f"The IDR was asked for {what} and answered with something else. Try again later.")
        before = len(seen)
        for found in map(mapping, page):
            number = whole(found.get("@id"), 1, LARGEST_ID)
            if number is None:
                raise ArchiveError(f"The IDR was asked for {what}, and one in the list has no number. Try again later.")
            if seen.is_new(number):
                yield found
        came += len(page)
        total, limit = whole(meta.get("totalCount"), 0, MOST), whole(meta.get("limit"), 1, at_once) or at_once
        if came > MOST:
            raise ArchiveError(f"The IDR's list of {what} does not end after {MOST:,}. Name a smaller part, and tell the IDR.")
        if page and len(seen) > before and (len(page) >= limit or (total is not None and came < total)):
            continue
        if total is not None and len(seen) < total:
            raise ArchiveError(
                f"The IDR says that there are {total:,} in its list of {what}, and gives {len(seen):,} of them. Try again later, or name parts."
            )
        return
