"""Which part of the IDR a search is limited to: studies by accession, name, DOI or words of their titles; containers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveError, MissingError, UsageError
from .idr_search_engine import Query
from .idr_search_terms import STUDY_KINDS, Condition
from .idr_spec import parse_named
from .study import dois
from .untrusted import line, mapping, sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from .idr_search_engine import SearchEngine
    from .idr_spec import Named
    from .idr_walk import Container, Walk

LONGEST: Final = 500
MOST_WORDS: Final = 12
_ACCESSION: Final = re.compile(r"idr\d{4,6}(?:-\S*)?", re.IGNORECASE)
_DOI: Final = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_LINK: Final = re.compile(r"https?://\S+|(?:project|screen)[-:]\d+", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
_TITLES: Final = ("Study Title", "Publication Title")
_DOI_KEYS: Final = ("Data DOI", "Publication DOI")
_ATTRIBUTED: Final = ("project", "dataset", "screen", "plate", "well")
_FIELD_DEPTH: Final = {"well": 1, "plate": 2, "screen": 3, "study": 4}
"""From how many names on the last, if it is a number, is a field."""
_SHOWN: Final = 80


class Scopes:
    """Finds what a search is limited to. For one thread."""

    def __init__(self, walk: Walk, engine: SearchEngine, web: str) -> None:
        self._walk = walk
        self._engine = engine
        self._web = web

    def studies(self, text: str) -> list[Container]:
        """Give the projects and screens of the studies that somebody means.

        Parameters
        ----------
        text
            An accession, a name (of a study or a component), a DOI (of the data or the publication), a link, or words that are all in a title.

        Raises
        ------
        MissingError
            If there is none.
        UsageError
            If there is no word in it.
        """
        wanted = line(text, LONGEST + 1)
        if len(wanted) > LONGEST:
            raise UsageError(f"“{wanted[:_SHOWN]}…” is too long for a study. Give its accession, its DOI, or some words of its title.")
        if _ACCESSION.fullmatch(wanted):
            return self._walk.study_containers(wanted.rstrip("/"))
        if doi := _DOI.fullmatch(wanted):
            return self._by_doi(doi[1].rstrip(".,;)"))
        if _LINK.fullmatch(wanted):
            return list(self._by_link(wanted))
        return self._by_title(wanted)

    def having(self, conditions: Sequence[Condition], *, either: bool) -> list[Container]:
        """Give the projects and screens whose own annotations fit."""
        found = {}
        for kind in STUDY_KINDS:
            query = Query(kind, tuple(condition.filter(kind) for condition in conditions), either)
            found[kind] = {int(hit["id"]) for page in self._engine.pages(query, f"{kind}s with {conditions[0]}") for hit in page.found}
        return self._known(found)

    def attributes(self, named: Named) -> set[tuple[str, int]]:
        """Give the search engine's attributes that stand for a container, such as ``dataset_id`` with its number.

        Raises
        ------
        UsageError
            If the engine has none: of runs, fields and single images.
        """
        if named.kind in _ATTRIBUTED and not named.path:
            return {(f"{named.kind}_id", named.number)}
        if named.kind in ("acquisition", "image") or _names_a_field(named):
            raise _too_small(named)
        wells: set[int] = set()
        found: set[tuple[str, int]] = set()
        for count, image in enumerate(self._walk.images(named)):
            if count == 0 and named.path[-1].casefold() in (image.name.casefold(), str(image.image)):
                raise _too_small(named)
            wells |= {image.well_id} if image.well_id is not None else set()
            kind, number = ("plate_id", image.plate_id) if image.plate_id is not None else ("dataset_id", image.dataset_id)
            found |= {(kind, number)} if number is not None else set()
        # All in one well: it is the well that was named, or all there is of the plate.
        return {("well_id", well) for well in wells} if len(wells) == 1 else found

    def _by_doi(self, doi: str) -> list[Container]:
        found = {}
        for kind in STUDY_KINDS:
            group = tuple(Condition(key, "contains", doi).filter(kind) for key in _DOI_KEYS)
            hits = (hit for page in self._engine.pages(Query(kind, groups=(group,)), f"{kind}s with the DOI {doi}") for hit in page.found)
            # 10.17867/1 is part of 10.17867/10000125 too.
            found[kind] = {int(hit["id"]) for hit in hits if doi.casefold() in _dois_of(hit)}
        if not any(found.values()):
            raise MissingError(f"The IDR has no study with the DOI {doi}. Check it, or give the accession or words of the title.")
        return self._known(found)

    def _by_link(self, link: str) -> Iterator[Container]:
        for named in parse_named([link], web=self._web):
            if named.kind == "study":
                yield from self._walk.study_containers(named.path[0])
            elif named.kind in STUDY_KINDS:
                known = [one for one in self._walk.containers if (one.kind, one.id) == (named.kind, named.number)]
                if not known:
                    raise MissingError(f"The IDR has no {named.kind} {named.number}, or it is not public. Check the number at the IDR's page.")
                yield from known
            else:
                raise UsageError(f"“{link[:_SHOWN]}” is {named.kind} {named.number} and no study. Give it as --container.")

    def _by_title(self, text: str) -> list[Container]:
        words = list(dict.fromkeys(word.casefold() for word in _WORD.findall(text)))[:MOST_WORDS]
        if not words:
            raise UsageError(f"“{text[:_SHOWN]}” names no study. Give its accession, its DOI, or some words of its title.")
        described = [one for one in self._walk.containers if all(word in f"{one.name} {one.description}".casefold() for word in words)]
        found = {kind: {one.id for one in described if one.kind == kind} for kind in STUDY_KINDS}
        for kind in STUDY_KINDS:
            groups = tuple(tuple(Condition(key, "contains", word).filter(kind) for key in _TITLES) for word in words)
            found[kind] |= {
                int(hit["id"]) for page in self._engine.pages(Query(kind, groups=groups), f"{kind}s by their titles") for hit in page.found
            }
        if not any(found.values()):
            raise MissingError(f"No study of the IDR has “{text[:_SHOWN]}” in its title. Give fewer words, or the accession.")
        return self._known(found)

    def _known(self, numbers: Mapping[str, Iterable[int]]) -> list[Container]:
        wanted = {(kind, number) for kind, found in numbers.items() for number in found}
        known = [one for one in self._walk.containers if (one.kind, one.id) in wanted]
        if len(known) < len(wanted):
            missing = sorted(wanted - {(one.kind, one.id) for one in known})[0]
            raise ArchiveError(f"The IDR's search engine knows {missing[0]} {missing[1]}, which the IDR itself does not list. Try again later.")
        return known


def _names_a_field(named: Named) -> bool:
    deep = len(named.path) >= _FIELD_DEPTH.get(named.kind, 99)
    return deep and named.path[-1].isdigit()


def _too_small(named: Named) -> UsageError:
    return UsageError(
        f"Annotations cannot be searched within {named.item}. Name a project, dataset, screen, plate or well, or leave the conditions out."
    )


def _dois_of(hit: Mapping[str, Any]) -> set[str]:
    values = (mapping(pair) for pair in sequence(hit.get("key_values")))
    keys = {key.casefold() for key in _DOI_KEYS}
    stated = [line(pair.get("value")) for pair in values if line(pair.get("name")).casefold() in keys]
    return {doi.casefold() for value in stated for doi in dois([value]).split("; ")}
