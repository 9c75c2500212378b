"""What lm_bia_search finds: studies by words and by accession, in each way the service answers, and a sentence where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lm_bia_search
from lightmicroscopy.archives.biostudies import BioStudies, accession_of, quoted_path
from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.idr_addresses import NoAddressError
from lightmicroscopy.errors import ArchiveError, UsageError
from lightmicroscopy.reports.tables import FILES, REMBI, STUDIES, path_of
from tests.archives.content.bia import MANY

from .bia_calls import Calls
from .idr_downloads import read_table

PUBLIC = ("S-BIAD1556", "S-BIAD24", "S-BIAD634", "S-BIAD990003", "S-BSST990001", "S-JCBD990001", "S-SCDT990001")
STUDY = r"/studies/S-BIAD634$"


def test_a_study_is_found_in_each_way_the_service_answers(bia: Calls) -> None:
    run = bia.search(*(part for accession in PUBLIC for part in ("--accession", accession)))
    assert run.code == 0
    rows = run.table("studies")
    assert [row["accession"] for row in rows] == sorted(PUBLIC)
    assert all(tuple(row) == STUDIES and row["source"] == "BioImage Archive" and row["title"] for row in rows)
    assert {row["accession"]: row["licence"] for row in rows} == {
        "S-BIAD1556": "CC0 1.0",
        "S-BIAD24": "CC BY 4.0",
        "S-BIAD634": "CC0 1.0",
        "S-BIAD990003": "CC0 1.0",
        "S-BSST990001": "",
        "S-JCBD990001": "All rights reserved",
        "S-SCDT990001": "CC BY 4.0",
    }
    assert all(tuple(row)[: len(FILES)] == FILES for row in run.table("files"))
    paths = [path_of(row["path"]) for row in run.table("files")]
    assert paths == sorted(paths)
    assert all(tuple(row) == REMBI for row in run.table("rembi"))
    assert [one["accession"] for one in json.loads((run.folder / "metadata.json").read_text(encoding="utf-8"))] == list(PUBLIC)


def test_addresses_of_files_come_from_the_service_and_are_never_computed(bia: Calls) -> None:
    urls = {row["path"]: row["url"] for row in bia.search("--accession", "S-BIAD24").table("files")}
    base = bia.archive.base("originals")
    assert urls == {
        "early.czi": f"{base}/biostudies/nfs/S-BIAD/S-BIAD0-99/S-BIAD24/Files/early.czi",
        "notes/read me.txt": f"{base}/biostudies/nfs/S-BIAD/S-BIAD0-99/S-BIAD24/Files/notes/read%20me.txt",
    }


def test_attributes_of_files_are_columns(bia: Calls) -> None:
    rows = bia.search("--accession", "S-BIAD634").table("files")
    assert list(rows[0])[len(FILES) :] == ["attr:Magnification", "attr:Source image"]
    assert {row["path"]: row["attr:Magnification"] for row in rows}["dataset/rawimages/otherspecimen_3.tif"] == "63x"
    assert {row["component"] for row in rows} == {"Raw images", "Segmentation masks"}


@pytest.mark.parametrize(
    ("pasted", "accessions"),
    [
        ("s-biad634", ["S-BIAD634"]),
        ("S-BIAD24, S-BIAD634\nS-BIAD24", ["S-BIAD24", "S-BIAD634"]),
        ("https://www.ebi.ac.uk/biostudies/bioimages/studies/S-BIAD634?query=x#y", ["S-BIAD634"]),
        ("https://www.ebi.ac.uk/biostudies/studies/S-BIAD634/", ["S-BIAD634"]),
        ("https://www.ebi.ac.uk/bioimage-archive/galleries/S-BIAD634.html", ["S-BIAD634"]),
        ("https://www.bioimagearchive.org/study/S-BIAD634/x?y", ["S-BIAD634"]),
        ("https://ftp.ebi.ac.uk/biostudies/fire/S-BIAD/634/S-BIAD634/Files", ["S-BIAD634"]),
        ("https://www.ebi.ac.uk/biostudies/files/S-BIAD634/S-phase/a.tif", ["S-BIAD634"]),
    ],
)
def test_accessions_and_links_as_people_paste_them(bia: Calls, pasted: str, accessions: list[str]) -> None:
    run = bia.plain(lm_bia_search, "--accession", pasted, "--studies", bia.folder / "studies.tsv")
    assert (run.code, [row["accession"] for row in run.table("studies")]) == (0, accessions)


@pytest.mark.parametrize(
    "text",
    [
        "idr0062",
        "634",
        "",
        "S-",
        "S-BIAD634/../S-BIAD1",
        "https://example.org/S-BIAD634",
        "https://ebi.ac.uk.example.org/S-BIAD634",
        "S-BIAD634;rm",
        "S-" + "X" * 90 + "1",
    ],
)
def test_what_is_no_accession_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="no accession"):
        accession_of(text)


def test_links_to_studies_of_every_kind_of_accession() -> None:
    for accession in ("S-SCDT-10_1038-S44318-024-00001-1", "S-JCBD-201610038", "S-BSST265", "S-EPMC1234567"):
        for link in ("", "https://www.ebi.ac.uk/biostudies/studies/", "https://www.ebi.ac.uk/biostudies/SourceData/studies/"):
            assert accession_of(link + accession) == accession
    assert accession_of("https://www.ebi.ac.uk/biostudies/studies/S-SCDT-10_1038-S44318-024-00001-1?query=x") == "S-SCDT-10_1038-S44318-024-00001-1"


def test_a_search_by_words_gives_the_true_total(bia: Calls) -> None:
    run = bia.plain(lm_bia_search, "--query", "invented", "--studies", bia.folder / "studies.tsv", "--limit", "2")
    assert run.code == 0
    assert run.lines == ["6 studies fit, and the first 2 are listed. Raise --limit, or narrow the search."]
    assert len(run.table("studies")) == 2
    assert len(bia.archive.asked("biostudies")) == 1


def test_a_search_with_details_has_licences_and_a_private_study_is_never_found(bia: Calls) -> None:
    run = bia.plain(lm_bia_search, "--query", "nuclear YAP", "--details", "--studies", bia.folder / "studies.tsv")
    assert [(row["accession"], row["licence"], row["organism"]) for row in run.table("studies")] == [
        ("S-BIAD1495", "CC BY 4.0", "Mus musculus (mouse)")
    ]
    assert bia.plain(lm_bia_search, "--query", "not yet public", "--studies", bia.folder / "studies.tsv").code == 0
    assert bia.plain(lm_bia_search, "--query", "not yet public", "--studies", bia.folder / "studies.tsv").table("studies") == []


def test_nothing_found_is_an_answer_and_not_a_fault(bia: Calls) -> None:
    run = bia.search("--query", "zzzz-no-such-word")
    assert (run.code, run.lines, run.table("studies")) == (0, ["0 studies fit."], [])


def test_all_pages_of_a_search_are_read_and_no_study_comes_twice(bia: Calls) -> None:
    def page(number: int, accessions: list[str]) -> None:
        body = json.dumps({"page": number, "pageSize": 100, "totalHits": 3, "hits": [{"accession": one, "title": one} for one in accessions]})
        bia.answers(rf"/search\?.*page={number}&", body)

    page(1, ["S-BIAD1", "S-BIAD2"])
    page(2, ["S-BIAD2", "S-BIAD3"])
    run = bia.plain(lm_bia_search, "--query", "x", "--studies", bia.folder / "studies.tsv")
    assert [row["accession"] for row in run.table("studies")] == ["S-BIAD1", "S-BIAD2", "S-BIAD3"]


def test_a_search_whose_pages_repeat_for_ever_ends(bia: Calls) -> None:
    body = json.dumps({"totalHits": 10**9, "hits": [{"accession": "S-BIAD1"}, 7, {"accession": None}]})
    bia.answers("/search", body)
    run = bia.plain(lm_bia_search, "--query", "x", "--studies", bia.folder / "studies.tsv")
    assert (run.code, len(run.table("studies")), len(bia.archive.asked("biostudies"))) == (0, 1, 2)
    assert run.lines == ["BioStudies counts 1,000,000,000 studies and gave 1 of them. Try again later, or narrow the search."]
    assert bia.plain(lm_bia_search, "--query", "x", "--studies", bia.folder / "studies.tsv", "--strict").code == 3


@pytest.mark.parametrize("body", ["[]", '{"hits": []}', '{"totalHits": "many"}', '{"totalHits": -1, "hits": []}', "null"])
def test_a_search_that_answers_something_else_is_told(bia: Calls, body: str) -> None:
    bia.answers("/search", body)
    run = bia.plain(lm_bia_search, "--query", "x", "--studies", bia.folder / "studies.tsv")
    assert (run.code, run.lines) == (1, ["BioStudies was asked to search and answered with something else. Try again later."])


@pytest.mark.parametrize(
    ("accession", "sentence"),
    [
        ("S-BIAD999", "BioStudies has no study S-BIAD999. Check the accession at https://www.ebi.ac.uk/biostudies/."),
        ("S-BIAD990002", "BioStudies keeps S-BIAD990002 to itself: it is not public yet. Wait for its release, or ask its authors."),
    ],
)
def test_a_study_that_is_not_there_or_not_public_is_told(bia: Calls, accession: str, sentence: str) -> None:
    run = bia.search("--accession", accession)
    assert (run.code, run.lines, run.table("studies")) == (1, [sentence], [])


def test_one_study_that_cannot_be_had_does_not_cost_the_others(bia: Calls) -> None:
    run = bia.search("--accession", "S-BIAD999 S-BIAD24")
    assert (run.code, len(run.table("studies")), len(run.lines)) == (0, 1, 1)
    assert bia.search("--accession", "S-BIAD999 S-BIAD24", "--strict").code == 3


def test_a_blocked_user_agent_is_told_with_what_to_do(bia: Calls) -> None:
    run = bia.search("--accession", "S-BIAD634", user_agent="wicked-agent/1.0")
    assert run.code == 1
    assert "does not let this program in (its User-Agent is on a list). Set user_agent in LIGHTMICROSCOPY_ENDPOINTS" in run.lines[0]


def test_a_study_that_lies_on_a_foreign_host_is_not_asked_there(bia: Calls) -> None:
    info = json.dumps({"httpLink": f"{bia.archive.elsewhere}/S-BIAD634", "files": 1})
    bia.answers(r"/info$", info)
    run = bia.search("--accession", "S-BIAD634")
    assert run.code == 1
    assert "is not among the services this program may contact" in run.lines[0]
    assert not bia.archive.asked("elsewhere")


@pytest.mark.parametrize(
    ("pattern", "body", "sentence"),
    [
        (r"/info$", "[]", "BioStudies was asked for S-BIAD634 and answered with something else."),
        (r"/info$", '{"files": 3}', "BioStudies does not say where the files of S-BIAD634 are"),
        (r"/info$", '{"httpLink": "ftp://ftp.ebi.ac.uk/x"}', "Where BioStudies says the files of S-BIAD634 are cannot be used."),
        (r"/info$", '{"httpLink": ["https://x"]}', "BioStudies does not say where"),
        (STUDY, "[]", "answered with something else"),
        (STUDY, "{}", "it has no section"),
        (STUDY, '{"ftpHttp_link": "x", "pageTab": "{"}', "is no valid JSON"),
        (STUDY, '{"accno": "S-BIAD1", "section": {}}', "BioStudies was asked for S-BIAD634 and answered with S-BIAD1."),
        (STUDY, '{"section": {"subsections": ' + "[" * 3000 + "]" * 3000 + "}}", "answers with"),
        (STUDY, "<html><body>down</body></html>", "web page (HTML) instead of data"),
        (STUDY, '{"section": {"attr', "it should answer with JSON"),
    ],
)
def test_a_service_that_answers_nonsense_is_told_in_one_sentence(bia: Calls, pattern: str, body: str, sentence: str) -> None:
    bia.answers(pattern, body)
    run = bia.search("--accession", "S-BIAD634")
    assert run.code == 1
    assert sentence in run.lines[0]
    assert len(run.lines) == 1


def test_the_description_is_taken_as_a_table_where_its_json_is_gone(bia: Calls) -> None:
    bia.archive.faults.add("status", r"/S-BIAD1495\.json$", status=404, count=0)
    run = bia.search("--accession", "S-BIAD1495")
    assert run.code == 0
    assert run.table("studies")[0]["authors"] == "Reiya Taniguchi, Martin Beck"
    assert len(run.table("files")) == MANY


def test_broken_file_lists_are_told_and_the_table_of_the_page_stands_in(bia: Calls) -> None:
    run = bia.search("--accession", "S-BIAD990003", "--strict")
    assert run.code == 0, "every file the service counts is there"
    assert [(row["path"], row["component"], row["attr:Gene"]) for row in run.table("files")] == [
        ("part0/im.txt", "Cut off", "invented1"),
        ("part1/im.txt", "Cut off", ""),
        ("part2/im.txt", "Lost", ""),
        ("part3/im.txt", "Lost", ""),
    ]
    assert "The file list 'cut.json' of 'Cut off' cannot be used" in run.lines[0]
    assert "3 files were found in the table on the study's page instead." in run.lines[2]


def test_files_that_cannot_be_listed_at_all_are_told_and_fail_a_strict_job(bia: Calls) -> None:
    bia.answers("/files/S-BIAD990003", '{"recordsTotal": 4, "data": []}')
    run = bia.search("--accession", "S-BIAD990003", "--strict")
    assert run.code == 3
    assert any("lists 0 of 4 files of S-BIAD990003 and then stops" in line for line in run.lines)
    assert any("BioStudies counts 4 files in S-BIAD990003, and its lists name 1." in line for line in run.lines)
    assert run.table("studies")[0]["size_bytes"] == ""


def test_a_page_that_names_the_same_files_for_ever_is_left(bia: Calls) -> None:
    rows = [{"path": "part0/im.txt", "size": 6, "Section": "", "type": "file"}]
    bia.answers("/files/S-BIAD990003", json.dumps({"recordsTotal": 100_000_000, "data": rows}))
    run = bia.search("--accession", "S-BIAD990003", "--strict")
    assert run.code == 3
    assert any("lists files of S-BIAD990003 over and over, 1 so far." in line for line in run.lines)


def test_files_that_the_page_names_again_do_not_make_up_for_those_it_lacks(bia: Calls) -> None:
    rows = [{"path": f"part{number}/im.txt", "size": 6, "Section": "", "type": "file"} for number in range(3)]
    bia.answers("/files/S-BIAD990003.*start=0", json.dumps({"recordsTotal": 4, "data": rows}))
    bia.answers("/files/S-BIAD990003.*start=3", json.dumps({"recordsTotal": 4, "data": []}))
    run = bia.search("--accession", "S-BIAD990003", "--strict")
    assert (run.code, len(run.table("files"))) == (3, 3)
    assert run.lines[-1] == "S-BIAD990003: BioStudies counts 4 files in S-BIAD990003, and its lists name 3."


def test_the_page_of_a_study_calls_attributes_as_the_lists_do(bia: Calls) -> None:
    expected = bia.search("--accession", "S-BIAD634").table("files")
    bia.archive.faults.add("status", r"/(rawimages|groundtruth)\.(json|tsv)$", status=404, count=0)
    found = bia.search("--accession", "S-BIAD634").table("files")
    assert [{name: row[name] for name in row if name != "bytes"} for row in found] == [
        {name: row[name] for name in row if name != "bytes"} for row in expected
    ]


def test_a_description_that_is_empty_is_taken_from_the_folder(bia: Calls) -> None:
    expected = bia.search("--accession", "S-BIAD1556").table("rembi")
    link = bia.archive.base("originals") + "/biostudies/fire/S-BIAD/556/S-BIAD1556/"
    bia.answers(r"/studies/S-BIAD1556$", json.dumps({"ftpHttp_link": link, "pageTab": ""}))
    assert bia.search("--accession", "S-BIAD1556").table("rembi") == expected


def test_a_page_of_a_study_that_never_ends_is_given_up_and_told(bia: Calls) -> None:
    bia.answers("/files/S-BIAD634", json.dumps({"recordsTotal": 10**15, "data": [{"path": "a"}] * 20}))
    endpoints = Endpoints(**bia.archive.endpoints, configured=frozenset({"127.0.0.1"}))
    with Client(endpoints) as client, pytest.raises(ArchiveError, match="no study has more than 12"):
        list(BioStudies(client, endpoints).listed_files("S-BIAD634", most=12))


def test_an_accession_that_a_search_makes_up_is_never_part_of_an_address(bia: Calls) -> None:
    bia.answers("/search", json.dumps({"totalHits": 2, "hits": [{"accession": "../../x?y"}, {"accession": "S-BIAD24"}]}))
    run = bia.search("--query", "x", "--strict")
    assert (run.code, [row["accession"] for row in run.table("studies")]) == (3, ["S-BIAD24"])
    assert not bia.archive.asked("biostudies", "..")


def test_the_page_of_a_study_is_read_to_its_end(bia: Calls) -> None:
    bia.archive.faults.add("status", r"/list\.(json|tsv)$", status=404, count=0)
    assert len(bia.search("--accession", "S-BIAD1495").table("files")) == MANY
    assert len(bia.archive.asked("biostudies", "/files/S-BIAD1495")) == 3


@pytest.mark.parametrize(
    "path", ["/a", "../a", "a/../b", "a//b", "a/.", "", "a/", "C:/x", "c:x", "a\\b", "a\nb", "a\0b", "\ud800", "./a", "a\u2028b"]
)
def test_a_path_that_leads_anywhere_else_is_no_address(path: str) -> None:
    with pytest.raises(NoAddressError):
        quoted_path(path)


@pytest.mark.parametrize(
    ("path", "quoted"),
    [("a/b c.tif", "a/b%20c.tif"), ("ø#?%2e.tif", "%C3%B8%23%3F%252e.tif"), ("..a/b..", "..a/b.."), ("a!-_*'().tif", "a!-_*'().tif")],
)
def test_any_other_path_is_encoded(path: str, quoted: str) -> None:
    assert quoted_path(path) == quoted


@pytest.mark.parametrize(
    "flags",
    [(), ("--query", " "), ("--query", "x", "--accession", "S-BIAD1"), ("--query", "x", "--limit", "0"), ("--query", "x", "--limit", "99999")],
)
def test_impossible_requests_are_wrong_usage_before_anything_is_asked(bia: Calls, flags: tuple[str, ...], tmp_path: Path) -> None:
    assert bia.plain(lm_bia_search, *flags, "--studies", tmp_path / "studies.tsv").code == 2
    assert not bia.archive.asked()


def test_the_files_of_very_many_studies_are_not_listed_at_once(bia: Calls) -> None:
    hits = [{"accession": f"S-BIAD{number}", "title": "x"} for number in range(600)]
    for page in range(6):
        bia.answers(rf"/search\?.*page={page + 1}&", json.dumps({"totalHits": 600, "hits": hits[100 * page : 100 * page + 100]}))
    run = bia.plain(lm_bia_search, "--query", "x", "--limit", "600", "--files", bia.folder / "files.tsv")
    assert (run.code, run.lines[-1]) == (2, "The files of 600 studies are asked for, and at most 500 are listed in one go. Lower --limit.")


def test_without_a_report_each_study_is_a_line(bia: Calls, capsys: pytest.CaptureFixture[str]) -> None:
    run = bia.plain(lm_bia_search, "--accession", "S-BIAD634", "--accession", "S-BIAD24")
    assert (run.code, capsys.readouterr().out.splitlines()) == (
        0,
        [
            "S-BIAD634 — An annotated fluorescence image dataset for training nuclear segmentation methods — 6 files — CC0 1.0",
            "S-BIAD24 — Invented title of an early study — 2 files, 4.2 kB — CC BY 4.0",
        ],
    )
    bia.plain(lm_bia_search, "--query", "nuclear", "--limit", "1")
    assert len(capsys.readouterr().out.splitlines()) == 1
    bia.search("--accession", "S-BIAD634")
    assert not capsys.readouterr().out


def test_the_size_of_a_study_is_known_without_its_lists_where_it_has_none(bia: Calls) -> None:
    bia.plain(lm_bia_search, "--accession", "S-BIAD24", "--accession", "S-BIAD634", "--studies", bia.folder / "alone.tsv")
    sizes = {row["accession"]: (row["size_bytes"], row["image_count"]) for row in read_table(bia.folder / "alone.tsv")}
    listed = sum(int(row["bytes"]) for row in bia.search("--accession", "S-BIAD24").table("files"))
    assert sizes == {"S-BIAD24": (str(listed), ""), "S-BIAD634": ("", "")}
