"""The IDR's search engine: which keys there are, which objects have a value, which studies these belong to.

Source: ome/omero_search_engine, docs/user_guide/user_guide.rst and api/v1/resources/{urls,utils}.py. It answers without hits with a list where
hits are an object, tells of errors with status 200, and pages by a bookmark that it gives with the last page too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from ..errors import ArchiveError
from .untrusted import LARGEST_ID, LONGEST_NAME, line, mapping, sequence, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .endpoints import Endpoints
    from .http import Client

MOST_HITS: Final = 100_000_000
MOST_KEYS: Final = 20_000
SUGGESTED: Final = 5
_NOTHING: Final = ("returns no results", "no results found", "no data found")
_LONGEST_ERROR: Final = 200


@dataclass(frozen=True, slots=True)
class Query:
    """Objects of one kind that are wanted.

    Attributes
    ----------
    filters
        As the engine wants them, all of which must hold, or, with `either`, one.
    groups
        Further groups of filters, of each of which one must hold.
    within
        An attribute of the objects, such as ``project_id``, and its number.
    """

    resource: str
    filters: tuple[Mapping[str, str], ...] = ()
    either: bool = False
    groups: tuple[tuple[Mapping[str, str], ...], ...] = ()
    within: tuple[str, int] | None = None

    def question(self, bookmark: int | None = None) -> dict[str, object]:
        """Return what is posted."""
        groups = [*([list(self.filters)] if self.either and self.filters else []), *map(list, self.groups)]
        details: dict[str, object] = {"and_filters": [] if self.either else list(self.filters), "or_filters": groups, "case_sensitive": False}
        if self.within is not None:
            # The engine's own schema takes only text here.
            name, number = self.within
            details["main_attributes"] = {"and_main_attributes": [{"name": name, "value": str(number), "operator": "equals"}]}
        return {"resource": self.resource, "query_details": details} | ({} if bookmark is None else {"bookmark": [bookmark]})


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of hits, ascending by number over all pages, and how many there are on all of them."""

    total: int
    found: tuple[Mapping[str, Any], ...]


class SearchEngine:
    """Asks the search engine.

    Parameters
    ----------
    client
        Does the requests.
    endpoints
        Which server.
    """

    def __init__(self, client: Client, endpoints: Endpoints) -> None:
        self._client = client
        self._base = endpoints.idr_search
        self._counts: dict[str, Mapping[int, int]] = {}

    def keys(self) -> Mapping[str, tuple[str, ...]]:
        """Give the keys there are of each resource.

        Raises
        ------
        ArchiveError
            If the answer is no list of keys.
        """
        answer = self._client.get_json(f"{self._base}/all/keys/")
        _refuse_error(answer, "the list of its keys")
        found: dict[str, list[str]] = {}
        for source in answer if isinstance(answer, list) else [answer]:
            for resource, keys in mapping(source).items():
                names = (line(key) for key in sequence(keys)[:MOST_KEYS] if isinstance(key, str))
                found.setdefault(resource, []).extend(name for name in names if name)
        if not any(found.values()):
            raise ArchiveError("The IDR's search engine was asked for its keys and answered with something else. Try again later.")
        return {resource: tuple(dict.fromkeys(keys)) for resource, keys in found.items()}

    def pages(self, query: Query, what: str) -> Iterator[Hits]:
        """Give what a query finds, page after page; at least one, which is empty if it finds nothing.

        Parameters
        ----------
        what
            How errors call what is looked for.

        Raises
        ------
        ArchiveError
            If an answer makes no sense, pages come again, or hits are missing at the end.
        """
        bookmark: int | None = None
        came = last = total = 0
        while True:
            results = self._results(query, bookmark, what)
            # An empty page has no size, so that the largest said before counts.
            total = max(total, whole(results.get("size"), 0, MOST_HITS) or 0)
            found = []
            for hit in map(mapping, sequence(results.get("results"))):
                number = whole(hit.get("id"), 1, LARGEST_ID)
                if number is None:
                    raise ArchiveError(f"The IDR's search engine gave a hit without a number for {what}. Try again later.")
                if number > last:
                    last = number
                    found.append(hit)
            came += len(found)
            if bookmark is None or found:
                yield Hits(max(total, came), tuple(found))
            following = _bookmark(results)
            if came == total or (came > total and not found):
                return
            if not found or following is None or (bookmark is not None and following <= bookmark):
                raise ArchiveError(
                    f"The IDR's search engine says that it has {total:,} for {what}, and gives {came:,} of them. Try again later, or ask for less."
                )
            bookmark = following

    def containers(self, query: Query, what: str) -> list[tuple[str, int]]:
        """Give kind and number of the projects and screens that what a query finds belongs to."""
        answer = self._client.get_json(f"{self._base}/submitquery/containers/", question=query.question())
        results = _results_of(answer, what)
        found = [(line(one.get("type"), 20).lower(), whole(one.get("id"), 1, LARGEST_ID)) for one in map(mapping, sequence(results.get("results")))]
        return sorted({(kind, number) for kind, number in found if kind in ("project", "screen") and number is not None})

    def image_count(self, kind: str, number: int) -> int | None:
        """How many images a project or screen has; None if the engine does not say."""
        if kind not in self._counts:
            answer = self._client.get_json(f"{self._base}/{kind}/names/")
            rows = [mapping(row) for row in (answer if isinstance(answer, list) else [])]
            numbers = ((whole(row.get("id"), 1, LARGEST_ID), whole(row.get("no_images"), 0, MOST_HITS)) for row in rows)
            self._counts[kind] = {number: count for number, count in numbers if number is not None and count is not None}
        return self._counts[kind].get(number)

    def values_like(self, key: str, value: str) -> Sequence[str]:
        """Give a few values of a key that hold this text; the engine writes them in small letters."""
        answer = self._client.get_json(f"{self._base}/image/searchvalues/?{urlencode({'key': key, 'value': value})}")
        rows = (mapping(row) for row in sequence(mapping(answer).get("data"))[:100])
        values = (line(row.get("Value"), LONGEST_NAME) for row in rows if line(row.get("Key")).casefold() == key.casefold())
        return list(dict.fromkeys(found for found in values if found))[:SUGGESTED]

    def _results(self, query: Query, bookmark: int | None, what: str) -> Mapping[str, Any]:
        return _results_of(self._client.get_json(f"{self._base}/submitquery/", question=query.question(bookmark)), what)


def _results_of(answer: Any, what: str) -> Mapping[str, Any]:
    """The part of an answer that has the hits; empty if there are none."""
    if _refuse_error(answer, what):
        return {}
    results = mapping(answer).get("results")
    if results == []:
        return {}
    if not isinstance(results, dict) or not isinstance(results.get("results"), list):
        raise ArchiveError(f"The IDR's search engine was asked for {what} and answered with something else. Try again later.")
    return results


def _refuse_error(answer: Any, what: str) -> bool:
    """Raise if an answer is an error, which comes with status 200; whether it says that there is nothing."""
    error = mapping(answer).get("Error")
    if error in (None, "", "none", "None"):
        return False
    said = line(error, _LONGEST_ERROR) or "an error without words"
    if any(words in said.casefold() for words in _NOTHING):
        return True
    raise ArchiveError(f"The IDR's search engine was asked for {what} and answered: {said.rstrip('.')}. Ask in another way, or try again later.")


def _bookmark(results: Mapping[str, Any]) -> int | None:
    stated = results.get("bookmark")
    return whole(stated[0] if isinstance(stated, list) and len(stated) == 1 else stated, 1, LARGEST_ID)
