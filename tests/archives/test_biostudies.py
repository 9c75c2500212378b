"""The stand-in for BioStudies answers as its sources say, the odd cases too."""

from __future__ import annotations

import json

import pytest

from . import Archive
from .asking import ask
from .content.bia import MANY


@pytest.fixture
def api(shared_archive: Archive) -> str:
    return shared_archive.endpoints["biostudies"]


@pytest.fixture
def tree(shared_archive: Archive) -> str:
    return shared_archive.endpoints["biostudies_files"]


def test_a_study_is_answered_in_one_of_four_ways(api: str, tree: str) -> None:
    assert ask(f"{api}/studies/S-BIAD634").json["accno"] == "S-BIAD634"
    sent_on = ask(f"{api}/studies/S-BIAD1495")
    assert (sent_on.status, sent_on.headers["Location"]) == (302, f"{tree}/fire/S-BIAD/495/S-BIAD1495/S-BIAD1495.json")
    assert ask(sent_on.headers["Location"]).json["accno"] == "S-BIAD1495"
    assert ask(f"{api}/studies/S-BIAD24").json == {"ftpHttp_link": f"{tree}/nfs/S-BIAD/S-BIAD0-99/S-BIAD24/"}
    both = ask(f"{api}/studies/S-BIAD1556").json
    assert json.loads(both["pageTab"])["accno"] == "S-BIAD1556"
    assert both["ftpHttp_link"].endswith("/S-BIAD1556/")


def test_version_2_always_has_the_link(api: str) -> None:
    second = api.removesuffix("v1") + "v2"
    assert set(ask(f"{second}/studies/S-BIAD634").json) == {"ftpHttp_link", "pageTab"}
    assert set(ask(f"{second}/studies/S-BIAD1495").json) == {"ftpHttp_link"}


def test_unknown_and_private_studies(api: str) -> None:
    unknown, private = ask(f"{api}/studies/S-BIAD999"), ask(f"{api}/studies/S-BIAD990002")
    assert (unknown.status, unknown.json) == (404, {"errorMessage": "Study not found"})
    assert (private.status, private.json) == (403, {"errorMessage": "Study not accessible"})
    assert (ask(f"{api}/studies/S-BIAD999/info").status, ask(f"{api}/studies/S-BIAD999/info").json) == (200, {})
    assert ask(f"{api}/studies/S-BIAD990002/info").status == 403


def test_info_says_where_the_files_are(api: str, tree: str) -> None:
    info = ask(f"{api}/studies/S-SCDT990001/info").json
    assert info["httpLink"] == f"{tree}/fire/S-SCDT/001/S-SCDT990001"
    assert (info["files"], info["hasZippedFolders"], info["isPublic"]) == (2, True, True)
    assert info["ftpLink"].startswith("ftp://")


def test_the_table_of_files_has_pages_of_five(api: str) -> None:
    page = ask(f"{api}/files/S-BIAD1495").json
    assert (page["recordsTotal"], page["recordsFiltered"], len(page["data"])) == (MANY, MANY, 5)
    assert page["data"][0].items() >= {"Section": "Study_Component-1", "type": "file", "Well": "A01"}.items()
    assert len(ask(f"{api}/files/S-BIAD1495?start={MANY - 3}&length=1000").json["data"]) == 3
    assert len(ask(f"{api}/files/S-BIAD1495?length=-1&search%5Bvalue%5D=neuron_0001").json["data"]) == 10


def test_a_search_without_hits_lacks_the_key(api: str) -> None:
    found, none = ask(f"{api}/BioImages/search?query=puncta&pageSize=1000").json, ask(f"{api}/search?query=zzzz").json
    assert (found["totalHits"], found["pageSize"], found["hits"][0]["accession"]) == (1, 100, "S-BIAD1556")
    assert none["totalHits"] == 0
    assert "hits" not in none


def test_agents_on_the_list_are_turned_away_in_plain_text(api: str) -> None:
    refused = ask(f"{api}/studies/S-BIAD634", User_Agent="Mozilla (Wicked-Agent)")
    assert (refused.status, refused.headers["Content-Type"]) == (403, "text/plain;charset=UTF-8")
    assert "User-Agent blocked" in refused.body.decode()
    assert ask(f"{api}/studies/S-BIAD634", User_Agent="wickedness-agent").status == 200


def test_files_are_asked_of_one_host_and_lie_on_another(shared_archive: Archive, tree: str) -> None:
    base = shared_archive.base("biostudies")
    sent_on = ask(f"{base}/biostudies/files/S-BIAD24/notes/read%20me.txt")
    assert (sent_on.status, sent_on.headers["Location"]) == (302, f"{tree}/nfs/S-BIAD/S-BIAD0-99/S-BIAD24/Files/notes/read%20me.txt")
    assert ask(sent_on.headers["Location"]).body == b"invented\n"
    assert ask(f"{base}/biostudies/files/S-BIAD24/S-BIAD24.json", Range="bytes=0-9").status == 206
    assert ask(f"{base}/biostudies/files/S-BIAD990002/x").status == 403
    assert ask(f"{base}/biostudies/files/S-BIAD999/x").status == 404


def test_the_tree_of_files_has_ranges_lists_and_no_private_study(tree: str) -> None:
    file = f"{tree}/nfs/S-BIAD/S-BIAD0-99/S-BIAD24/Files/early.czi"
    whole, part = ask(file), ask(file, Range="bytes=100-199")
    assert (part.status, part.headers["Content-Range"], part.body) == (206, "bytes 100-199/4200", whole.body[100:200])
    assert ask(file, Range="bytes=9999-").status == 416
    assert ask(f"{tree}/fire/S-BIAD/634/S-BIAD634/Files/rawimages.json").json[0]["type"] == "file"
    assert ask(f"{tree}/fire/S-BIAD/634/S-BIAD634/Files/groundtruth.tsv").body.startswith(b"Files\tSource image\n")
    assert ask(f"{tree}/fire/S-BIAD/634/S-BIAD634/Files/groundtruth.json").status == 404
    assert ask(f"{tree}/fire/S-BIAD/002/S-BIAD990002/S-BIAD990002.json").status == 404


def test_sizes_in_lists_are_those_of_the_files_unless_they_lie_on_purpose(tree: str) -> None:
    base = f"{tree}/fire/S-JCBD-/S-JCBD-xxx001/S-JCBD990001/Files"
    stated = {one["path"]: one["size"] for one in ask(f"{base}/odd.json").json}
    assert stated["fine.tif"] == len(ask(f"{base}/fine.tif").body)
    assert stated["lying.tif"] != len(ask(f"{base}/lying.tif").body)
    assert ask(f"{base}/gone.tif").status == 404
