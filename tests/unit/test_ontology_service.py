"""Asking the lookup service on the web: only where it is wished, and without harm where it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.metadata.ontologies.lookup import Lookup
from lightmicroscopy.metadata.ontologies.ols import LARGEST_ANSWER, Ols, impatient

from .http_servers import RESET, Handler, Request, Server, client_for, reply, reply_json, serving

PENGUIN = {
    "curie": "NCBITaxon:9238",
    "iri": "http://purl.obolibrary.org/obo/NCBITaxon_9238",
    "label": ["Pygoscelis adeliae"],
    "synonym": ["Adelie penguin", {"value": "Adélie penguin", "lang": "fr"}],
    "ontologyId": "ncbitaxon",
    "isObsolete": False,
}


def answer(*elements: Any) -> bytes:
    return reply_json({"page": 0, "numElements": len(elements), "totalPages": 1, "totalElements": len(elements), "elements": list(elements)})


@contextmanager
def service(handler: Handler | bytes) -> Iterator[tuple[Ols, Server]]:
    with serving(handler) as server, client_for(server, settings={"ontology_lookup": f"{server.url}/ols4/api"}, retries=0) as client:
        yield Ols(client), server


def asked(request: Request) -> tuple[str, dict[str, list[str]]]:
    parts = urlsplit(request.target)
    return parts.path, parse_qs(parts.query)


def test_without_being_asked_to_nothing_is_asked() -> None:
    with service(answer(PENGUIN)) as (_, server):
        assert Lookup().suggest("Adelie penguin") == ()
        assert server.requests == []


def test_a_name_that_no_list_knows_is_asked_of_the_configured_service() -> None:
    with service(answer(PENGUIN)) as (ols, server):
        found = Lookup(service=ols).suggest("Adelie penguin", "NCBITaxon")
        assert [(one.term.curie, one.term.label, one.reason) for one in found] == [("NCBITaxon:9238", "Pygoscelis adeliae", "service")]
        assert found[0].term.synonyms == ("Adelie penguin", "Adélie penguin")
        path, query = asked(server.requests[0])
        assert path == "/ols4/api/v2/entities"
        assert (query["search"], query["ontologyId"], query["includeObsoleteEntities"]) == (["Adelie penguin"], ["ncbitaxon"], ["false"])


def test_what_a_list_knows_is_not_asked() -> None:
    with service(answer(PENGUIN)) as (ols, server):
        lookup = Lookup(service=ols)
        assert lookup.suggest("mouse", "NCBITaxon")[0].term.curie == "NCBITaxon:10090"
        assert lookup.find("FBbi:00000246") is not None
        assert server.requests == []


def test_an_identifier_that_no_list_has_is_asked_by_its_address() -> None:
    with service(answer(PENGUIN)) as (ols, server):
        term = Lookup(service=ols).find("NCBITaxon_9238")
        assert term is not None
        assert (term.label, term.source) == ("Pygoscelis adeliae", "OLS4")
        path, query = asked(server.requests[0])
        assert path == "/ols4/api/v2/ontologies/ncbitaxon/classes"
        assert query["iri"] == ["http://purl.obolibrary.org/obo/NCBITaxon_9238"]


def test_another_term_than_was_asked_for_is_no_answer() -> None:
    with service(answer(PENGUIN)) as (ols, _):
        assert Lookup(service=ols).find("NCBITaxon:9239") is None
        assert ols.trouble == ""


def test_the_same_is_asked_once() -> None:
    with service(answer()) as (ols, server):
        lookup = Lookup(service=ols)
        for _ in range(3):
            assert lookup.suggest("our own wonderful method", "FBbi") == ()
        assert len(server.requests) == 1


def test_obsolete_terms_are_not_suggested_whatever_the_service_says() -> None:
    with service(answer({**PENGUIN, "isObsolete": True})) as (ols, _):
        assert Lookup(service=ols).suggest("Adelie penguin", "NCBITaxon") == ()


@pytest.mark.parametrize(
    "wrong",
    [
        reply(b"", 500),
        reply(b"", 404),
        reply(b"", 429, Retry_After="3600"),
        reply(b"<html>Sign in</html>", kind="text/html"),
        reply(b"{", kind="application/json"),
        reply(b"x" * (LARGEST_ANSWER + 1), kind="application/json"),
        RESET,
    ],
)
def test_a_service_that_fails_is_left_alone_and_the_lists_go_on_working(wrong: bytes) -> None:
    with service(wrong) as (ols, server):
        lookup = Lookup(service=ols)
        for name in ("Adelie penguin", "emperor penguin", "king penguin"):
            assert lookup.suggest(name, "NCBITaxon") == ()
        assert lookup.suggest("mouse", "NCBITaxon")[0].term.curie == "NCBITaxon:10090"
        assert "was not asked any further" in ols.trouble
        assert ols.trouble.endswith(".")
        assert len(server.requests) == 1


def test_a_host_that_is_not_configured_is_never_asked() -> None:
    with serving(answer(PENGUIN)) as server, serving(answer(PENGUIN)) as other, client_for(server, retries=0) as client:
        object.__setattr__(client.endpoints, "ontology_lookup", f"{other.url}/ols4/api")
        ols = Ols(client)
        assert Lookup(service=ols).suggest("Adelie penguin", "NCBITaxon") == ()
        assert "not among the services" in ols.trouble
        assert (server.requests, other.requests) == ([], [])


@pytest.mark.parametrize(
    "strange",
    [
        {},
        [],
        None,
        {"elements": None},
        {"elements": {"iri": "x"}},
        {"elements": [None, 1, "x", [], {}]},
        {"elements": [{"iri": 1, "label": [2]}]},
        {"elements": [{**PENGUIN, "label": []}]},
        {"elements": [{**PENGUIN, "label": [{"value": None}]}]},
        {"elements": [{**PENGUIN, "iri": "javascript:alert(1)", "curie": "x"}]},
    ],
)
def test_answers_of_another_shape_are_no_terms(strange: Any) -> None:
    with service(reply(json.dumps(strange).encode(), kind="application/json")) as (ols, _):
        assert Lookup(service=ols).suggest("Adelie penguin", "NCBITaxon") == ()


def test_texts_of_the_service_are_cleaned_and_cut() -> None:
    with service(answer({**PENGUIN, "label": ["Pygo\u202escelis\n\x1b[31m" + "x" * 10_000], "synonym": ["y"] * 10_000})) as (ols, _):
        term = Lookup(service=ols).suggest("Adelie penguin", "NCBITaxon")[0].term
        assert term.label.startswith("Pygoscelis [31mx")
        assert len(term.label) <= 1024
        assert term.synonyms == ("y",)


def test_words_of_the_ome_model_are_not_asked_of_a_service() -> None:
    with service(answer(PENGUIN)) as (ols, server):
        assert Lookup(service=ols).suggest("our own wonderful mode", "OME") == ()
        assert server.requests == []


def test_the_client_for_it_gives_up_within_seconds_and_asks_the_public_service_by_default() -> None:
    with impatient(Endpoints()) as client:
        assert client.endpoints.ontology_lookup == "https://www.ebi.ac.uk/ols4/api"
        assert client.requests == 0
