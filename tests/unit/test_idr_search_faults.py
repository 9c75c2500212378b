"""What lm_idr_search makes of services that fail, lie and never end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.archives import Archive

from .idr_downloads import IMPATIENT, PATIENT
from .idr_searches import Searches

TCF15 = [6001238, 6001239]


@pytest.mark.parametrize(
    ("asked", "kind", "path", "options", "sentence"),
    [
        (["--where", "Gene Symbol=x"], "html", "/keys/", {}, "answered with a web page"),
        (["--where", "Gene Symbol=x"], "status", "/keys/", {"status": 503}, "503 Service Unavailable"),
        (["--where", "Organism=Multitudo inventa"], "lie", "submitquery/$", {}, "it has 12,000 for images with Organism = Multitudo inventa"),
        (["--where", "Organism=Multitudo inventa"], "lie", "submitquery/$", {"value": 5000}, "gives 1,200 of them"),
        (["--where", "Gene Symbol=Tcf15"], "replace", "submitquery/$", {"body": '{"Error": "too busy"}'}, "answered: too busy"),
        (["--where", "Gene Symbol=Tcf15"], "replace", "submitquery/$", {"body": "[]"}, "answered with something else"),
        (["--where", "Gene Symbol=Tcf15"], "huge-json", "submitquery/$", {"limit": 80 << 20}, "announces 83,886,070 bytes"),
        (["--where", "Gene Symbol=Tcf15"], "redirect", "submitquery/$", {"target": "{elsewhere}/x"}, "where the question is not sent"),
        (["--where", "Gene Symbol=Tcf15"], "redirect", "submitquery/$", {"target": "{self}x", "status": 307}, "where the question is not sent"),
        (["--where", "Gene Symbol=Tcf15"], "never", "submitquery/$", {}, "did not answer in time"),
        (["--study", "idr0062"], "lie", "/m/projects/801/datasets/", {"value": 9}, "says that there are 9"),
        (["--study", "idr0062"], "truncate", r"/m/projects/\?", {}, "its answer ended after"),
        (["--study", "idr0062"], "replace", "/m/screens/", {"body": '{"data": "x"}'}, "answered with something else"),
    ],
)
def test_a_service_that_fails_makes_the_search_fail_and_never_shorter(
    search: Searches, archive: Archive, asked: list[str], kind: str, path: str, options: dict[str, Any], sentence: str
) -> None:
    json_type = {"content_type": "application/json"} if kind == "replace" else {}
    archive.faults.add(kind, path, count=0, **options, **json_type)
    found = search(*asked, "--limit", 5000, patience=IMPATIENT if kind == "never" else PATIENT)
    assert found.code == 1
    assert sentence in found.stderr
    assert list(search.folder.iterdir()) == []
    assert not archive.asked("elsewhere")


def test_a_bookmark_that_never_moves_does_not_make_the_search_loop(search: Searches, archive: Archive) -> None:
    archive.faults.add("lie", r"submitquery/$", count=0, what="bookmark", value=99000100)
    found = search("--where", "Organism=Multitudo inventa", "--limit", 5000)
    assert len(archive.asked("web", "submitquery/")) <= 6
    assert found.code in (0, 1)
    assert found.code == 1 or len(found.ids) == 1200


@pytest.mark.parametrize(
    ("path", "sentence", "kept"),
    [
        ("/webclient/api/annotations/.*image=", "500 Internal Server Error", 2),
        ("/webclient/api/annotations/.*project=", "500 Internal Server Error", 2),
        ("/project/names/", "", 2),
        ("/m/images/6001238/", "500 Internal Server Error", 2),
    ],
)
def test_what_is_only_told_beside_the_images_does_not_cost_them(search: Searches, archive: Archive, path: str, sentence: str, kept: int) -> None:
    archive.faults.add("json-error", path, count=0)
    found = search("--where", "Gene Symbol=Tcf15", "--details")
    assert found.code == 0
    assert len(found.ids) == kept
    assert sentence in found.stderr
    strict = search("--where", "Gene Symbol=Tcf15", "--details", "--strict")
    assert strict.code == (3 if sentence else 0)


def test_a_passing_fault_is_not_noticed(search: Searches, archive: Archive) -> None:
    for path in ("/keys/", "submitquery/$", "submitquery/containers/", "/m/screens/", "annotations"):
        archive.faults.add("status", path, status=503)
    found = search("--where", "Gene Symbol=Tcf15")
    assert (found.code, found.ids) == (0, TCF15)


def test_an_expired_session_is_opened_again(search: Searches, archive: Archive) -> None:
    archive.faults.add("session", "/m/projects/")
    assert search("--study", "idr0062").code == 0
