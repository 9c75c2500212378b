"""A question that is posted: what is sent, when it is sent again, and where it never goes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.errors import ArchiveError, MissingError
from tests.archives import Archive

QUESTION = {
    "resource": "image",
    "query_details": {"and_filters": [{"name": "Gene Symbol", "value": "Tcf15", "operator": "equals", "resource": "image"}]},
}


@pytest.fixture
def client(archive: Archive) -> Iterator[Client]:
    with Client(Endpoints(**archive.endpoints, configured=frozenset({"127.0.0.1"})), retries=1, sleep=lambda seconds: None) as client:
        yield client


def ask(client: Client, path: str = "submitquery/") -> object:
    return client.get_json(f"{client.endpoints.idr_search}/{path}", question=QUESTION)


def test_a_question_is_posted_as_json(client: Client, archive: Archive) -> None:
    answer = ask(client)
    assert isinstance(answer, dict)
    assert answer["results"]["size"] == 2
    (exchange,) = archive.asked("web", "submitquery")
    assert exchange.method == "POST"
    assert exchange.headers["content-type"] == "application/json"
    assert int(exchange.headers["content-length"]) == len(json.dumps(QUESTION))


def test_letters_of_any_script_arrive(client: Client) -> None:
    question = {"resource": "image", "query_details": {"and_filters": [{"name": "Gene Symbol", "value": "β-ACTIN", "operator": "contains"}]}}
    answer = client.get_json(f"{client.endpoints.idr_search}/submitquery/", question=question)
    assert [hit["id"] for hit in answer["results"]["results"]] == [99000007]


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_it_is_posted_again_after_a_passing_fault(client: Client, archive: Archive, kind: str) -> None:
    archive.faults.add(kind, "submitquery")
    assert isinstance(ask(client), dict)
    assert [one.method for one in archive.asked("web", "submitquery")] == ["POST", "POST"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["{elsewhere}/x", "{base}/other/", "http://169.254.169.254/"])
def test_it_is_sent_to_no_other_address(client: Client, archive: Archive, status: int, target: str) -> None:
    archive.faults.add("redirect", "submitquery", count=0, target=target, status=status)
    with pytest.raises(ArchiveError, match="where the question is not sent"):
        ask(client)
    assert not archive.asked("elsewhere")
    assert not archive.asked("web", "/other/")


def test_an_address_that_is_not_there_is_missing(client: Client) -> None:
    with pytest.raises(MissingError):
        ask(client, "galaxy/searchannotation/")


def test_an_answer_that_is_no_json_is_told(client: Client, archive: Archive) -> None:
    archive.faults.add("replace", "submitquery", count=0, body="not json", content_type="application/json")
    with pytest.raises(ArchiveError, match="should answer with JSON"):
        ask(client)
