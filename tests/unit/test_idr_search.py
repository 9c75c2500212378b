"""What lm_idr_search finds: by study, by annotation, by container, and its three tables."""

from __future__ import annotations

import gc
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.archives.idr import Idr
from lightmicroscopy.archives.idr_search import Job, Question, Search
from lightmicroscopy.archives.idr_search_terms import parse_condition
from lightmicroscopy.archives.idr_tables import ImagesTable
from lightmicroscopy.reports.tables import ANNOTATIONS, IMAGES, STUDIES
from tests.archives import Archive

from .idr_downloads import Downloads, read_table
from .idr_searches import Searches, answering

NESSYS = "idr0062-blin-nuclearsegmentation/experimentA"
TCF15 = [6001238, 6001239]
F6 = [1230059 + field for field in range(6)]


# --- what is found


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        (["--where", "Gene Symbol=tcf15"], TCF15),
        (["--where", "gene symbol = TCF15"], TCF15),
        (["--where", "Gene Symbol~cf1"], TCF15),
        (["--where", "Gene Symbol=Tcf15", "--where", "Organism=Mus musculus"], TCF15),
        (["--where", "Gene Symbol=Tcf15", "--where", "Channels!~Oct6", "--any"], None),
        (["--where", "Gene Symbol=Tcf15", "--where", "Gene Symbol=ECT2", "--any"], [122770, *TCF15]),
        (["--where", "Gene Symbol=Tcf15", "--study", "idr0062"], TCF15),
        (["--where", "Gene Symbol=Tcf15", "--container", "dataset:11620"], TCF15),
        (["--where", "Gene Symbol=Tcf15", "--container", "idr0062/Acini"], TCF15),
        (["--where", "Gene Symbol=Tcf15", "--container", "project:801/Acini"], TCF15),
        (["--where", "Well=F6", "--container", "plate:2551"], F6),
        (["--where", "Organism=Schizosaccharomyces pombe", "--container", "plate:2551/F06"], F6),
        (["--where", "Organism=Schizosaccharomyces pombe", "--container", "well:590065"], F6),
        (["--where", "Imaging Method=confocal microscopy", "--where", "Gene Symbol=Tcf15"], TCF15),
        (["--where", "Imaging Method~spinning", "--container", "screen:3", "--where", "Well=F6"], F6),
        (["--where", "Phenotype!=increased cell size", "--container", "dataset:11620"], [6001237, *TCF15]),
        (["--container", "plate:2551/F06"], F6),
        (["--container", "plate:2551/F06/0 well:590065/1"], F6[:2]),
        (["--container", "https://idr.openmicroscopy.org/webclient/?show=image-6001240|image-6001247"], [6001240, 6001247]),
        (["--container", "idr0062/Acini", "--container", "dataset:11620"], [6001237, *TCF15]),
        (["--study", "idr0062", "--container", "plate:2551/F06"], None),
        (["--key", "Gene Symbol", "--operator", "is", "--value", "Tcf15"], TCF15),
        (
            ["--key", "Gene Symbol", "--value", "ect2", "--operator", "is", "--key", "Phenotype", "--value", "cell size", "--operator", "contains"],
            [122770],
        ),
    ],
)
def test_images_are_found(search: Searches, asked: list[str], ids: list[int] | None) -> None:
    found = search(*asked)
    assert found.code == 0, found.stderr
    assert len(found.ids) == len(set(found.ids)) > 1 or found.ids == ids
    assert ids is None or sorted(found.ids) == ids


@pytest.mark.parametrize(
    "study",
    [
        "idr0062",
        "IDR0062",
        "idr0062-blin-nuclearsegmentation",
        NESSYS,
        "10.17867/10000125",
        "https://doi.org/10.1371/journal.pbio.3000388",
        "doi: 10.1371/JOURNAL.PBIO.3000388",
        "automated detection nuclei dense cultures",
        "NesSys",
        "nuclear segmentation user-friendly",
        "https://idr.openmicroscopy.org/webclient/?show=project-801",
        "https://idr.openmicroscopy.org/study/idr0062/",
        "project:801",
    ],
)
def test_a_study_is_found_by_whatever_people_know_of_it(search: Searches, study: str) -> None:
    found = search("--study", study)
    assert found.code == 0, found.stderr
    assert [(row["accession"], row["image_count"]) for row in found.studies] == [("idr0062", "22")]
    assert found.ids == list(range(6001237, 6001259))


def test_a_study_row_has_what_is_needed_to_cite_it(search: Searches) -> None:
    (row,) = search("--study", "idr0062").studies
    assert list(row) == list(STUDIES)
    assert row == {
        "source": "idr",
        "accession": "idr0062",
        "title": "NesSys: a new set of tools for the automated detection of nuclei within intact tissues and dense 3D cultures",
        "authors": "Blin G, Sadurska D, Migueles RP, Chen N, Watson JA, Lowell S",
        "doi": "10.17867/10000125",
        "publication_doi": "10.1371/journal.pbio.3000388",
        "licence": "CC BY 4.0",
        "organism": "Mus musculus",
        "imaging_method": "confocal microscopy",
        "image_count": "22",
        "size_bytes": "",
        "release_date": "2019-06-17",
        "url": "https://idr.openmicroscopy.org/webclient/?show=project-801",
    }


def test_two_studies_on_two_lines_are_two_rows_by_accession(search: Searches) -> None:
    found = search("--study", "idr0062\n  idr0001\n")
    assert [row["accession"] for row in found.studies] == ["idr0001", "idr0062"]
    assert len(found.ids) == 22 + 582


def test_a_row_of_a_plates_image_says_well_and_field_and_leaves_unknown_what_costs_a_request(search: Searches, archive: Archive) -> None:
    row = search("--where", "Gene Symbol=ECT2").images[0]
    assert list(row) == list(IMAGES)
    known = {name: value for name, value in row.items() if value}
    assert known == {
        "image_id": "122770",
        "image_name": "Plate8_Actinome1 [Well O02 Field #1]",
        "study": "idr0008-rohn-actinome/screenB",
        "container_type": "screen",
        "container_id": "206",
        "container_name": "idr0008-rohn-actinome/screenB",
        "plate": "Plate8_Actinome1",
        "well": "O02",
        "field": "0",
        "pixels_from": "unknown",
        "url": "https://idr.openmicroscopy.org/webclient/?show=image-122770",
    }
    assert archive.asked("web", "/m/images/") == []


def test_details_are_sizes_channels_and_where_the_pixels_are(search: Searches) -> None:
    rows = {row["image_id"]: row for row in search("--container", "6001240 13441308 99000001 1230059", "--details").images}
    assert [rows["6001240"][name] for name in ("size_x", "size_y", "size_z", "size_c", "size_t", "dtype")] == [
        "271",
        "275",
        "236",
        "2",
        "1",
        "uint16",
    ]
    assert rows["6001240"]["channels"] == "LaminB1; Dapi"
    assert rows["6001240"]["pixel_size_x_um"] == "0.3603981535"
    assert {number: row["pixels_from"] for number, row in rows.items()} == {
        "6001240": "ome-zarr",
        "13441308": "originals",
        "99000001": "none",
        "1230059": "ome-zarr",
    }


def test_rows_are_sorted_by_study_container_plate_well_and_field(search: Searches) -> None:
    rows = search("--container", "plate:2559 plate:2551/F06 idr0062/Acini plate:2551/A12 plate:2551/B01").images
    keys = [(row["study"], row["plate"], row["well"], row["field"], int(row["image_id"])) for row in rows]
    assert keys == sorted(keys)
    assert [row["well"] for row in rows[::6]] == ["A12", "B01", "F06", "A01", ""]


def test_annotations_keep_repeats_and_their_order_and_are_of_images_and_studies(search: Searches) -> None:
    rows = search("--where", "Gene Symbol=ECT2").annotations
    assert list(rows[0]) == list(ANNOTATIONS)
    assert {(row["object_type"], row["object_id"]) for row in rows} == {("image", "122770"), ("screen", "206")}
    phenotypes = [row["value"] for row in rows if row["key"] == "Phenotype"]
    assert phenotypes[:2] == ["increased actin over nucleus", "increased number of multinucleate cells"]
    assert len(phenotypes) == 6
    assert {row["namespace"] for row in rows if row["key"] == "Gene Symbol"} == {"openmicroscopy.org/mapr/gene"}
    order = [(row["object_type"], int(row["object_id"]), int(row["position"])) for row in rows]
    assert order == sorted(order)


def test_annotations_of_many_images_take_few_requests(search: Searches, archive: Archive) -> None:
    found = search("--container", "dataset:99001", "--limit", 250, tables=("annotations",))
    assert len({row["object_id"] for row in found.annotations if row["object_type"] == "image"}) == 250
    assert len(archive.asked("web", "/webclient/api/annotations/")) == 3 + 1


def test_annotations_with_tabs_line_ends_and_empty_keys_stay_in_their_cells(search: Searches) -> None:
    rows = search("--container", "image-99000007").annotations
    assert "one two three four" in [row["value"] for row in rows]
    assert [row["value"] for row in rows if row["key"] == "Phenotype"] == ["increased cell size", "decreased cell number", "increased cell size"]


# --- limits


def test_more_than_the_limit_are_counted_and_not_listed(search: Searches, archive: Archive) -> None:
    found = search("--where", "Organism=Multitudo inventa", "--limit", 30)
    assert found.code == 0
    assert found.ids == list(range(99000100, 99000130))
    assert found.lines == ["There are 1,200 such images, and 30 are listed (--limit 30). Raise the limit to list more, or narrow the search."]
    assert len(archive.asked("web", "submitquery/")) == 2


def test_a_limit_beyond_a_page_takes_as_many_pages_as_it_needs(search: Searches, archive: Archive) -> None:
    found = search("--where", "Organism=Multitudo inventa", "--limit", 1100, tables=("images",))
    assert found.ids == list(range(99000100, 99001200))
    assert "1,200 such images, and 1,100 are listed" in found.stderr


def test_everything_is_listed_if_that_is_allowed(search: Searches) -> None:
    found = search("--where", "Organism=Multitudo inventa", "--limit", 999_999, tables=("images",))
    assert found.ids == list(range(99000100, 99001300))
    assert found.lines == ["There are 1,200 such images, of 1 project or screen."]


@pytest.mark.parametrize("asked", [["--study", "idr9999"], ["--container", "project:99000000"]])
def test_a_large_project_is_counted_without_walking_through_it(search: Searches, archive: Archive, asked: list[str]) -> None:
    found = search(*asked, "--limit", 10, tables=("images",))
    assert len(found.ids) == 10
    assert "There are 1,209 such images, and 10 are listed" in found.stderr
    assert len(archive.asked("web", "/images/")) <= 2


def test_a_large_dataset_is_counted_by_walking_through_it(search: Searches) -> None:
    assert "There are 1,200 such images, and 10 are listed" in search("--container", "dataset:99001", "--limit", 10, tables=("images",)).stderr


def test_an_administrators_ceiling_counts_like_a_limit(search: Searches) -> None:
    found = search("--study", "idr0062", max_items=3)
    assert len(found.ids) == 3
    assert "22 such images, and 3 are listed (--limit 3)" in found.stderr


def test_who_wants_only_the_studies_walks_through_none(search: Searches, archive: Archive) -> None:
    found = search("--study", "idr0001", tables=("studies",))
    assert [row["image_count"] for row in found.studies] == ["582"]
    assert not archive.asked("web", "/wells/")
    assert found.lines == ["There are 582 such images, of 1 project or screen."]


def test_many_wells_of_one_plate_are_asked_for_together_and_few_one_by_one(search: Searches, archive: Archive) -> None:
    search("--where", "Organism=Schizosaccharomyces pombe", "--limit", 576, tables=("images",))
    assert len(archive.asked("web", "/m/plates/2551/wells/")) == 1
    assert not archive.asked("web", "/m/wells/")
    archive.log.clear()
    search("--where", "Gene Symbol=ECT2", tables=("images",))
    assert [one.path for one in archive.asked("web", "/m/wells/")] == ["/api/v0/m/wells/45217/"]


# --- what is not found


@pytest.mark.parametrize(
    ("asked", "code", "sentence"),
    [
        ([], 2, "Nothing is asked for."),
        (["--study", " "], 2, "Nothing is asked for."),
        (["--study", "!?"], 2, "names no study."),
        (["--study", "x" * 1000], 2, "is too long for a study."),
        (["--study", "idr0063"], 1, "The IDR has no study idr0063, or it is not public. Near ones are idr0062"),
        (["--study", "10.17867/1000012"], 1, "The IDR has no study with the DOI 10.17867/1000012."),
        (["--study", "zebrafish and a typewriter"], 1, "No study of the IDR has “zebrafish and a typewriter” in its title."),
        (["--study", "plate:2551"], 1, "in its title."),
        (["--study", "https://idr.openmicroscopy.org/webclient/?show=dataset-11620"], 2, "and no study. Give it as --container."),
        (["--study", "https://idr.openmicroscopy.org/webclient/?show=project-77"], 1, "The IDR has no project 77"),
        (["--study", "https://evil.org/webclient/?show=project-801"], 2, "which is not the IDR"),
        (["--container", "plate:1"], 1, "The IDR has no plate 1"),
        (["--container", "dataset:99002"], 1, "dataset-99002 holds no images."),
        (["--container", "plate:2551/A13"], 1, "has no well A13"),
        (["--container", "plate 2551"], 2, "“plate” is no image."),
        (["--container", "roi-5"], 2, "is roi 5; images are needed"),
        (["--where", "Gene Symbol"], 2, "is no condition."),
        (["--where", "Gene Symbl=x"], 2, "Near ones are Gene Symbol"),
        (["--where", "Gene Symbol=nosuch"], 1, "Nothing in the IDR fits."),
        (["--where", "Imaging Method=guessing"], 1, "Nothing in the IDR fits."),
        (["--where", "Gene Symbol=Tcf15", "--study", "idr0001"], 1, "Nothing in the IDR fits."),
        (["--where", "Gene Symbol=Tcf15", "--container", "plate:2551/F06/0"], 2, "cannot be searched within plate-2551/F06/0"),
        (["--where", "Gene Symbol=Tcf15", "--container", "acquisition:3001"], 2, "cannot be searched within acquisition-3001"),
        (["--where", "Gene Symbol=Tcf15", "--container", "6001240"], 2, "cannot be searched within image-6001240"),
        (["--where", "Gene Symbol=Tcf15", "--container", "idr0062/Acini/Tcf15_KO_d2.tif"], 2, "cannot be searched within"),
        (["--where", "Imaging Method~confocal", "--container", "plate:2551"], 2, "is a key of whole studies, and plate-2551 is a part of one"),
        (["--where", "Imaging Method~confocal", "--where", "Gene Symbol=x", "--any"], 2, "of these --any cannot be asked together"),
        (["--key", "Gene Symbol", "--value", "x"], 2, "as many of each"),
        (["--study", "idr0062", "--limit", "0"], 2, "is not a whole number of at least 1"),
        (["--study", "idr0062", "--limit", "1" * 10], 2, "is more than any table holds"),
        (["--study", "idr0062", "--limit", "many"], 2, "is not a whole number of at least 1"),
        (["--where", "Gene Symbol=" + "A" * 5000], 2, "longer than 1000 characters"),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_told(search: Searches, asked: list[str], code: int, sentence: str) -> None:
    found = search(*asked)
    assert (found.code, sentence in found.stderr) == (code, True), found.stderr
    assert len(found.lines[-1]) < 500


def test_values_that_are_near_are_named_when_nothing_fits(search: Searches) -> None:
    found = search("--where", "Phenotype=cell size")
    assert found.code == 1
    assert "Phenotype has no value cell size; there are increased cell size." in found.stderr
    assert search("--where", "Phenotype~cell size").code == 0


def test_a_search_without_hits_leaves_tables_without_rows(search: Searches) -> None:
    found = search("--where", "Gene Symbol=nosuch")
    assert (found.images, found.studies, found.annotations) == ([], [], [])


def test_one_study_that_does_not_exist_costs_the_others_nothing(search: Searches) -> None:
    found = search("--study", "idr0062", "--study", "idr0063", "--container", "plate:1")
    assert found.code == 0
    assert len(found.ids) == 22
    assert [line for line in found.lines if "idr0063" in line or "plate 1" in line] == found.lines[:2]
    assert search("--study", "idr0062", "--study", "idr0063", "--strict").code == 3


def test_a_report_over_another_is_refused_before_anything_is_asked(search: Searches, archive: Archive) -> None:
    found = search("--study", "idr0062", "--images", search.folder / "studies.tsv", tables=("studies",))
    assert found.code == 2
    assert archive.asked() == []


# --- what other tools make of the tables


def test_the_images_table_is_a_table_of_the_download(search: Searches, download: Downloads) -> None:
    search("--container", "plate:2551/F06", "--container", "idr0062/Acini")
    run = download("--table", search.folder / "images.tsv", "--format", "metadata", "--arrange", "dataset", tables=False)
    assert run.code == 0, run.stderr
    assert len(run.made) == 9
    assert run.made[0] == "Acini/6001237_E14tg2a_d2.ome.xml"


def test_an_images_table_with_details_says_what_the_download_says(search: Searches, download: Downloads) -> None:
    search("--container", "6001240 1230059", "--details")
    found = read_table(search.folder / "images.tsv")
    download("6001240 1230059", "--format", "metadata", "--plan-only")
    planned = read_table(download.folder / "images.tsv")
    assert [{**row, "pixels_from": ""} for row in found] == [{**row, "pixels_from": ""} for row in planned]


@pytest.mark.parametrize("table", ["studies", "annotations"])
def test_its_other_tables_are_refused_by_name(search: Searches, download: Downloads, table: str) -> None:
    search("--container", "idr0062/Acini")
    run = download("--table", search.folder / f"{table}.tsv", tables=False)
    assert run.code == 1
    assert run.lines == [f"{table}.tsv is not such a table: it has no column image_id. Its first line must name the columns, separated by tabs."]


def test_an_accession_of_the_studies_table_is_a_study_again(search: Searches) -> None:
    (row,) = search("--study", "NesSys").studies
    assert search("--study", row["accession"]).studies == [row]


def test_a_form_of_galaxy_is_understood(search: Searches) -> None:
    form = {
        "conditions": [
            {"__index__": 0, "key": "Gene Symbol", "operator": "is", "value": "Tcf15"},
            {"__index__": 1, "key": "Channels", "operator": "contains", "value": "Dapi, gamma"},
        ],
        "any": False,
        "study": "idr0062\nidr0001",
        "container": "",
        "limit": 7,
        "details": False,
    }
    (params := search.folder / "params.json").write_text(json.dumps(form), encoding="utf-8")
    found = search("--params", params)
    assert (found.code, found.ids) == (0, TCF15)


# --- many


def test_memory_does_not_grow_with_the_hits(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        def page(path: str, question: Any) -> Any:
            if question is None:
                return [{"image": ["Organism"]}] if "keys" in path else {"data": [], "meta": {}}
            start = (question.get("bookmark") or [0])[0]
            hits = [{"id": number, "name": "x" * 50} for number in range(start + 1, min(start + 1000, count) + 1)]
            return {"results": {"results": hits, "size": count, "bookmark": [start + len(hits)]} if hits else []}

        with answering(page) as (engine, _), ImagesTable(tmp_path / "images.tsv") as images:
            idr = Idr(engine._client, engine._client.endpoints)
            gc.collect()
            tracemalloc.start()
            asked = Question(conditions=(parse_condition("Organism=x"),))
            result = Search(idr, engine).answer(asked, Job(limit=10**9, image=images.add))
            largest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert (result.total, result.listed) == (count, count)
        return largest

    peak(2000)
    few, many = peak(4000), peak(24_000)
    assert len(read_table(tmp_path / "images.tsv")) == 24_000
    assert many - few < 20_000 * 40
