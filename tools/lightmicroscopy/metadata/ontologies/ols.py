"""The Ontology Lookup Service of EMBL-EBI (OLS4), asked only where somebody wishes it and only about what no list knows.

Source: OLS4's API, <https://www.ebi.ac.uk/ols4/help>. Which server is asked is configuration: ``ontology_lookup``, see `archives.endpoints`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...archives.untrusted import line, mapping, sequence
from ...errors import ArchiveError
from .identifiers import Identifier, canonical
from .terms import Term

if TYPE_CHECKING:
    from ...archives.endpoints import Endpoints
    from ...archives.http import Client

LARGEST_ANSWER: Final = 4 * 1024 * 1024
MOST_SYNONYMS: Final = 100
_CONNECT_SECONDS, _READ_SECONDS, _ANSWER_SECONDS = 2.0, 5.0, 10.0
_MOST: Final = 10


class Service(Protocol):
    """What a lookup can ask on the web. What goes wrong there makes an answer empty and is kept in `trouble`."""

    trouble: str

    def find(self, identifier: Identifier) -> Term | None:
        """Give the term of an identifier."""

    def search(self, text: str, ontologies: Iterable[str]) -> list[Term]:
        """Give live terms with a name like this, best first."""


class Ols:
    """The lookup service.

    Parameters
    ----------
    client
        Whom it is asked with; see `impatient`.

    Attributes
    ----------
    trouble
        A sentence on why the service could not be asked, empty while it can. After the first failure it is left alone, so that
        a service that is down costs seconds and not hours.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.trouble = ""

    def find(self, identifier: Identifier) -> Term | None:
        """Give the term of an identifier, obsolete ones too."""
        if not identifier.iri:
            return None
        questions = {"iri": identifier.iri, "size": 1, "includeObsoleteEntities": "true"}
        found = self._terms(f"v2/ontologies/{_short(identifier.ontology)}/classes", questions)
        return next((term for term in found if term.curie == identifier.curie), None)

    def search(self, text: str, ontologies: Iterable[str]) -> list[Term]:
        """Give live terms with a name like this, best first."""
        wanted = ",".join(_short(name) for name in ontologies if name != "OME")
        questions = {"search": line(text, 200), "ontologyId": wanted, "type": "class", "size": _MOST, "includeObsoleteEntities": "false"}
        return [term for term in self._terms("v2/entities", questions) if not term.obsolete] if wanted else []

    def _terms(self, path: str, questions: dict[str, object]) -> list[Term]:
        if self.trouble:
            return []
        base = self._client.endpoints.ontology_lookup
        try:
            answer = self._client.get_json(f"{base}/{path}", params=questions, limit=LARGEST_ANSWER)
        except ArchiveError as error:
            self.trouble = f"The ontology lookup service was not asked any further, and only the lists that are here were used: {error}"
            return []
        return list(_terms_of(answer))


def impatient(endpoints: Endpoints) -> Client:
    """Make a client that gives up soon: what the service adds is a convenience."""
    from ...archives.http import Client

    return Client(endpoints, retries=0, connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, answer_seconds=_ANSWER_SECONDS)


def _short(ontology: str) -> str:
    return {"EDAM-BIOIMAGING": "edam-bioimaging", "CVCL": "cellosaurus"}.get(ontology, ontology.lower())


def _terms_of(answer: Any) -> Iterator[Term]:
    for element in sequence(mapping(answer).get("elements")):
        said = mapping(element)
        found = canonical(line(said.get("iri"))) or canonical(line(said.get("curie")))
        label = _first(said.get("label"))
        if found is None or not label:
            continue
        synonyms = tuple(dict.fromkeys(filter(None, map(_text, _several(said.get("synonym"))[:MOST_SYNONYMS]))))
        replaced = tuple(
            other.curie for text in _several(said.get("http://purl.obolibrary.org/obo/IAO_0100001")) if (other := canonical(_text(text)))
        )
        yield Term(found.curie, found.iri, label, found.ontology, synonyms, said.get("isObsolete") is True, replaced, "OLS4")


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def _first(value: Any) -> str:
    return next(filter(None, map(_text, _several(value))), "")


def _text(value: Any) -> str:
    """Take a text, which the service gives bare or as an object with its language."""
    return line(mapping(value).get("value") if isinstance(value, dict) else value)
