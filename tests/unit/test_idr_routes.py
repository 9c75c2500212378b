"""The routes to an image of the IDR: in which order, to which address, and why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.idr import Originals
from lightmicroscopy.archives.idr_facts import DATA, Tables
from lightmicroscopy.archives.idr_record import ImageRecord, record_of
from lightmicroscopy.archives.idr_routes import Candidate, candidates
from lightmicroscopy.archives.idr_study import Place
from lightmicroscopy.errors import ArchiveError, MissingError

from .idr_answers import image

FTP = "https://ftp.ebi.ac.uk/pub/databases/IDR"
STORES = "https://livingobjects.ebi.ac.uk"
FACTS = Tables(Endpoints())
LOCAL = Tables(Endpoints(object_store="http://127.0.0.1:9000/objects", idr_originals="http://127.0.0.1:9001/tree"))
NOTHING = Originals((), None)
UUID = "103d9428-b86b-4f4e-84d8-966b5d89aae1"


def record(number: int = 15000, **changes: object) -> ImageRecord:
    return replace(record_of(image(number), number), **changes)  # type: ignore[arg-type]


def found(record: ImageRecord, *paths: str, place: Place | None = None, facts: Tables = FACTS) -> list[Candidate]:
    return list(candidates(record, Originals(paths, 1), facts, place=place))


def by_route(record: ImageRecord, *paths: str, place: Place | None = None, facts: Tables = FACTS) -> dict[str, Candidate]:
    return {candidate.route: candidate for candidate in reversed(found(record, *paths, place=place, facts=facts))}


def screen(**changes: object) -> Place:
    place = Place(
        "idr0001",
        "idr0001-graml-sysgro/screenA",
        "screen",
        3,
        "idr0001-graml-sysgro/screenA",
        plate_id=2551,
        plate="JL_120731_S6A",
        well="F06",
        well_path="F/6",
        field=2,
    )
    return replace(place, **changes)  # type: ignore[arg-type]


def test_the_routes_come_in_order_and_each_says_something() -> None:
    routes = found(record(), "uod/idr/filesets/idr0062-x/a.tif")
    assert [candidate.route for candidate in routes] == ["external-info", "client-path", "samples", "originals"]
    assert all(candidate.note.endswith(".") for candidate in routes)
    assert [bool(candidate.urls) for candidate in routes] == [False, False, False, True]


def test_an_image_that_is_nowhere_has_a_reason_for_each_route() -> None:
    routes = list(candidates(record(), NOTHING, FACTS))
    assert all(candidate.urls == () and candidate.note for candidate in routes)
    assert {candidate.route for candidate in routes} == {"external-info", "client-path", "samples", "originals"}


def test_the_registered_zarr_is_first_and_nothing_else_is_asked_for_then() -> None:
    def ask() -> Originals:
        pytest.fail("the files were asked for")

    first = next(iter(candidates(record(external="s3://livingobjects.ebi.ac.uk/idr/plate.zarr/A/1/0", series=7), ask, FACTS)))
    assert (first.route, first.urls, first.series) == ("external-info", (f"{STORES}/idr/plate.zarr/A/1/0",), 7)


def test_files_that_cannot_be_asked_for_do_not_hide_the_samples() -> None:
    def ask() -> Originals:
        raise ArchiveError("The server is on holiday.")

    routes = list(candidates(record(6001240), ask, FACTS))
    assert any(candidate.route == "samples" and candidate.urls for candidate in routes)
    assert "on holiday" in next(candidate.note for candidate in routes if candidate.route == "originals")


def test_an_image_without_files_says_so() -> None:
    def ask() -> Originals:
        raise MissingError("Not found.")

    assert "knows no files" in next(found.note for found in candidates(record(), ask, FACTS) if found.route == "originals")


def test_a_host_that_may_not_be_asked_is_a_reason_and_no_address() -> None:
    first = found(record(external="s3://minio.example.org/idr/a.zarr"))[0]
    assert first.urls == ()
    assert "minio.example.org" in first.note
    assert "allowed_hosts" in first.note


def test_the_newest_copy_of_an_image_wins_and_the_older_ones_are_named() -> None:
    routes = [candidate for candidate in found(record(6001240)) if candidate.route == "samples"]
    assert [candidate.ngff_version for candidate in routes] == ["0.5", "0.4", "0.2", "0.1"]
    assert routes[0].urls == (f"{STORES}/idr/zarr/v0.5/idr0062A/6001240_labels.zarr",)
    assert "called 6001240_labels; by its sizes it is this image" in routes[0].note
    assert f"0.4 at {STORES}/idr/zarr/v0.4/idr0062A/6001240.zarr" in routes[0].note


def test_a_newer_copy_wins_over_an_older_one_that_is_registered() -> None:
    registered = "s3://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0062A/6001240.zarr?anonymous=true"
    routes = found(record(6001240, external=registered))
    assert [(candidate.route, candidate.ngff_version) for candidate in routes[:2]] == [("samples", "0.5"), ("external-info", "0.4")]
    assert "newer than the copy the IDR registered (0.4" in routes[0].note
    urls = [candidate.urls for candidate in routes if candidate.urls]
    assert len(set(urls)) == len(urls)


def test_a_registered_zarr_of_unknown_version_stays_first() -> None:
    assert found(record(6001240, external="s3://livingobjects.ebi.ac.uk/other/6001240.zarr"))[0].route == "external-info"


def test_a_twin_listed_with_other_sizes_comes_last_and_says_so() -> None:
    """Image 9836998 is listed twice; were it deeper than one of them says, that one would be doubtful."""
    sizes = {"size_x": 1584, "size_y": 788, "size_z": 142, "size_c": 2, "size_t": 1}
    assert [candidate.ngff_version for candidate in found(record(9836998, **sizes)) if candidate.route == "samples"] == ["0.4", "0.3"]
    twins = [candidate for candidate in found(record(6001240, size_z=235)) if candidate.route == "samples"]
    assert all("It may be another image: it is listed with 236 in z where the IDR has 235." in candidate.note for candidate in twins)


def test_a_doubtful_twin_never_displaces_what_is_registered() -> None:
    registered = "s3://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0062A/6001240.zarr?anonymous=true"
    assert found(record(6001240, external=registered, size_z=235))[0].route == "external-info"


def test_a_sure_older_copy_comes_before_a_doubtful_newer_one(tmp_path: Path) -> None:
    for name in ("host_rewrites.tsv", "idr_download_urls.tsv"):
        (tmp_path / name).write_bytes((DATA / name).read_bytes())
    header = (DATA / "idr_samples.tsv").read_text(encoding="utf-8").splitlines()[2]
    rows = [
        f"{version}\tidr0062\timage\t7\t\t{STORES}/idr/{version}.zarr\t\t271\t275\t{z}\t2\t\t"
        for version, z in (("0.3", 236), ("0.4", ""), ("0.5", 9))
    ]
    (tmp_path / "idr_samples.tsv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    twins = [candidate for candidate in found(record(7), facts=Tables(Endpoints(), tmp_path)) if candidate.route == "samples"]
    assert [candidate.ngff_version for candidate in twins] == ["0.4", "0.3", "0.5"]


def test_an_image_inside_a_store_of_several_is_found_by_its_path() -> None:
    sizes = {"size_x": 333, "size_y": 333, "size_z": 201, "size_c": 1, "size_t": 79}
    first = by_route(record(4007817, **sizes, series=5))["samples"]
    assert first.urls == (f"{STORES}/idr/zarr/v0.5/idr0051/180712_H2B_22ss_Courtney1_20180712-163837_p00_c00_preview.zarr/0",)
    assert first.series is None


PLATE_SIZES = {"size_x": 1376, "size_y": 1040, "size_z": 16, "size_c": 2, "size_t": 1}


def test_an_image_of_a_plate_is_found_in_the_plates_store_by_its_well() -> None:
    first = by_route(record(1230000, **PLATE_SIZES), place=screen())["samples"]
    assert first.urls == (f"{STORES}/idr/zarr/v0.4/idr0001A/2551.zarr/F/6/2",)
    assert first.series is None
    assert "field 2 of well F06" in first.note


def test_a_plate_that_is_named_and_not_numbered_is_found_by_study_and_name() -> None:
    sizes = {"size_x": 2048, "size_y": 2044, "size_z": 31, "size_c": 5}
    named = by_route(record(12539999, **sizes), place=screen(study="idr0090", plate_id=9999, plate="190129"))["samples"]
    assert named.urls == (f"{STORES}/idr/zarr/v0.5/idr0090/190129.zarr/F/6/2",)
    other = by_route(record(12539999, **sizes), place=screen(study="idr0091", plate_id=9999, plate="190129"))["samples"]
    assert other.urls == ()


@pytest.mark.parametrize("place", [None, screen(well_path="", well=""), screen(field=None)])
def test_a_plate_without_a_known_well_is_not_guessed_at(place: Place | None) -> None:
    samples = by_route(record(1230059, **PLATE_SIZES), place=place)["samples"]
    assert samples.urls == ()
    assert "the image's well is not known" in samples.note


def test_a_zarr_it_was_imported_from_is_taken_by_its_series() -> None:
    stored = by_route(record(692150, series=3), f"https://uk1s3.embassy.ebi.ac.uk/bia-integrator-data/S-BIAD867/{UUID}/{UUID}.zarr/.zattrs")
    assert stored["client-path"].urls == (f"{STORES}/bioimaging-integrator-data/S-BIAD867/{UUID}/{UUID}.zarr",)
    assert stored["client-path"].series == 3
    assert "is taken to be the same" in stored["client-path"].note
    assert stored["originals"].urls == ()


def test_a_zarr_of_a_plate_is_tried_by_its_well_first() -> None:
    paths = [
        f"https://uk1s3.embassy.ebi.ac.uk/bia-integrator-data/S-BIAD867/{UUID}/{UUID}.zarr/{name}"
        for name in (".zattrs", ".zgroup", "A/.zgroup", "OME/METADATA.ome.xml")
    ]
    stores = [candidate for candidate in found(record(692150, series=3), *paths, place=screen()) if candidate.route == "client-path"]
    root = f"{STORES}/bioimaging-integrator-data/S-BIAD867/{UUID}/{UUID}.zarr"
    assert [(candidate.urls, candidate.series) for candidate in stores] == [((f"{root}/F/6/2",), None), ((root,), 3)]


def test_a_zarr_in_the_tree_of_originals_is_a_zarr() -> None:
    stored = by_route(record(15158733), "uod/idr/filesets/idr0138-lohoff-seqfish/20210917-Globus/ngff/MMStack_Pos0.ome.zarr/1/0/0/0/3")
    assert stored["client-path"].urls == (f"{FTP}/idr0138-lohoff-seqfish/20210917-Globus/ngff/MMStack_Pos0.ome.zarr",)


def test_several_zarrs_at_once_are_not_guessed_among() -> None:
    stored = by_route(record(), "uod/idr/filesets/idr0138-x/a.zarr/.zattrs", "uod/idr/filesets/idr0138-x/b.zarr/.zattrs")["client-path"]
    assert stored.urls == ()
    assert "2 OME-Zarr stores" in stored.note


def test_a_zarr_on_the_idrs_own_server_names_where_the_study_is() -> None:
    stored = by_route(record(), "bia-idr/S-BIAD1891/A375.zarr/OME/METADATA.ome.xml")["client-path"]
    assert stored.urls == ()
    assert "S-BIAD1891" in stored.note


def test_a_single_original_keeps_its_series() -> None:
    original = by_route(record(13965772, series=12), "uod/idr/filesets/idr0124-esteban-heartmorphogenesis/20211023-ftp/Collection/E10/E10.lif")[
        "originals"
    ]
    assert (original.urls, original.series, original.openable, original.kind) == (
        (f"{FTP}/idr0124-esteban-heartmorphogenesis/20211023-ftp/Collection/E10/E10.lif",),
        12,
        True,
        "original",
    )


@pytest.mark.parametrize(
    ("first", "others"),
    [
        ("plate.companion.ome", ["a1.ome.tiff", "a2.ome.tiff"]),
        ("Images/Index.idx.xml", ["Images/r01c01.tiff", "Images/notes.txt"]),
        ("plate.HTD", ["plate_A01.TIF", "thumb.JPG"]),
        ("plate.xdce", ["a.tif"]),
        ("MeasurementIndex.ColumbusIDX.xml", ["1.tif", "2.tif"]),
        ("a.ome.tif", ["readme.txt", "Thumbs.db"]),
        ("001.flex", ["002.flex", "x.mea.bak"]),
    ],
)
def test_of_a_set_of_files_the_one_to_open_is_first_and_all_are_there(first: str, others: list[str]) -> None:
    names = [*others[:1], first, *others[1:]] if first != "001.flex" else [first, *others]
    original = by_route(record(), *(f"uod/idr/filesets/idr0112-x/{name}" for name in names))["originals"]
    assert original.urls[0] == f"{FTP}/idr0112-x/{first}"
    assert set(original.urls) == {f"{FTP}/idr0112-x/{name}" for name in names}
    assert "Its 3 original files." in original.note or len(names) == 2


@pytest.mark.parametrize("name", ["plate1_1_013.screen", "cell002.pattern", "x.FAKE"])
def test_a_file_that_only_points_to_others_is_no_original(name: str) -> None:
    original = by_route(record(), f"uod/idr/filesets/idr0002-heriche-condensation/{name}")["originals"]
    assert original.urls == ()
    assert name in original.note


def test_files_that_a_pattern_puts_together_can_be_fetched_and_not_opened() -> None:
    original = by_route(
        record(), "uod/idr/filesets/idr0101-x/cell002.pattern", "uod/idr/filesets/idr0101-x/c0.tif", "uod/idr/filesets/idr0101-x/c1.tif"
    )["originals"]
    assert original.urls == (f"{FTP}/idr0101-x/c0.tif", f"{FTP}/idr0101-x/c1.tif")
    assert not original.openable
    assert "cell002.pattern" in original.note


def test_a_companion_on_github_is_a_reason_unless_that_host_is_allowed() -> None:
    path = "uod/idr/metadata/idr0163-greenwald-tnbc/companions/TONIC.companion.ome"
    refused = by_route(record(), path)["originals"]
    assert refused.urls == ()
    assert "raw.githubusercontent.com" in refused.note
    allowed = Tables(Endpoints(allowed_hosts=("raw.githubusercontent.com",)))
    url = "https://raw.githubusercontent.com/IDR/idr0163-greenwald-tnbc/main/companions/TONIC.companion.ome"
    assert by_route(record(), path, facts=allowed)["originals"].urls == (url,)


def test_a_set_of_which_a_file_is_missing_is_not_opened() -> None:
    original = by_route(
        record(), "uod/idr/metadata/idr0163-greenwald-tnbc/a.companion.ome", "uod/idr/filesets/idr0163-greenwald-tnbc/a.tif", "secret/b.tif"
    )["originals"]
    assert original.urls == (f"{FTP}/idr0163-greenwald-tnbc/a.tif",)
    assert not original.openable
    assert "2 cannot be fetched" in original.note


def test_no_candidate_leads_to_a_host_that_is_not_configured() -> None:
    endpoints = Endpoints()
    hostile = [
        "https://evil.org/x.zarr/.zattrs",
        "https://evil.org/a.tif",
        "uod/idr/filesets/a/@evil.org/b.tif",
        "https://livingobjects.ebi.ac.uk@evil.org/a.tif",
    ]
    hostile += [
        "https://livingobjects.ebi.ac.uk:444/a.tif",
        "http://169.254.169.254/latest/meta-data/a.tif",
        "https://livingobjects.ebi.ac.uk.evil.org/a.zarr/.zattrs",
    ]
    for path in hostile:
        for candidate in found(record(external=path), path):
            for url in candidate.urls:
                endpoints.check(url)
                assert "evil.org" not in url.partition("/pub/")[0]
