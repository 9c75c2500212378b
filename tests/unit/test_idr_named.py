"""Containers, wells, fields and studies in whatever people write and paste."""

from __future__ import annotations

import pytest

from lightmicroscopy.archives.idr_spec import parse_named
from lightmicroscopy.errors import UsageError

WEB = "https://idr.openmicroscopy.org"


def read(text: str) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(named.kind, named.number, named.path) for named in parse_named([text])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("project:1", [("project", 1, ())]),
        ("dataset-2 screen=3,plate_4|well#5", [("dataset", 2, ()), ("screen", 3, ()), ("plate", 4, ()), ("well", 5, ())]),
        ("Plate:2551", [("plate", 2551, ())]),
        ("plate:2551/", [("plate", 2551, ())]),
        ("plate:2551/B07", [("plate", 2551, ("B07",))]),
        ("plate:2551/B07/0", [("plate", 2551, ("B07", "0"))]),
        ("well:5/3", [("well", 5, ("3",))]),
        ("run-7 acquisition:8", [("acquisition", 7, ()), ("acquisition", 8, ())]),
        ("screen:3/JL_120731_S6A/B07/0", [("screen", 3, ("JL_120731_S6A", "B07", "0"))]),
        ("project:801/Blastocysts/B1_C1.tif", [("project", 801, ("Blastocysts", "B1_C1.tif"))]),
        ("dataset:5/a%20name%2Fwith%20a%20slash.tif", [("dataset", 5, ("a name/with a slash.tif",))]),
        ("idr0062", [("study", 0, ("idr0062",))]),
        ("IDR0062", [("study", 0, ("IDR0062",))]),
        ("idr0062-blin-nuclearsegmentation", [("study", 0, ("idr0062-blin-nuclearsegmentation",))]),
        ("idr0062-blin-nuclearsegmentation/experimentA", [("study", 0, ("idr0062-blin-nuclearsegmentation", "experimentA"))]),
        ("idr0062/Blastocysts", [("study", 0, ("idr0062", "Blastocysts"))]),
        ("idr0001/screenA/JL_120731_S6A/B07/0", [("study", 0, ("idr0001", "screenA", "JL_120731_S6A", "B07", "0"))]),
        (f"{WEB}/webclient/?show=plate-2551", [("plate", 2551, ())]),
        (f"{WEB}/webclient/?show=plate-2551|well-590000", [("plate", 2551, ()), ("well", 590000, ())]),
        (f"{WEB}/webclient/?show=plate-2551%7Cwell-590000", [("plate", 2551, ()), ("well", 590000, ())]),
        (f"{WEB}/webclient/?show=run-3000", [("acquisition", 3000, ())]),
        (f"{WEB}/webclient/?path=screen-3|plate-4|well-5", [("well", 5, ())]),
        (f"{WEB}/study/idr0062/", [("study", 0, ("idr0062",))]),
        (f"{WEB}/webgateway/plate/422/0/", [("plate", 422, ())]),
        (f"{WEB}/api/v0/m/plates/422/wells/", [("plate", 422, ())]),
        (f"{WEB}/api/v0/m/plateacquisitions/7/", [("acquisition", 7, ())]),
        (f"{WEB}/iviewer/?dataset=5", [("dataset", 5, ())]),
        (f"{WEB}/iviewer/?images=6&dataset=5", [("image", 6, ())]),
        (f"{WEB}/webclient/metadata_details/well/77/", [("well", 77, ())]),
        ("https%3A%2F%2Fidr.openmicroscopy.org%2Fwebclient%2F%3Fshow%3Ddataset-11620", [("dataset", 11620, ())]),
        ("https://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0001A/2551.zarr", [("plate", 2551, ())]),
        (f"{WEB}/webgateway/render_ome_tiff/d/9/", [("dataset", 9, ())]),
        ("6001240 plate:5", [("image", 6001240, ()), ("plate", 5, ())]),
    ],
)
def test_what_people_write_is_understood(text: str, expected: list[tuple[str, int, tuple[str, ...]]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("plate:0", "is no image"),
        ("plate:x", "is no image"),
        ("plate:", "is no image"),
        ("plates/5", "is no image"),
        ("image-5/B07", "is no image"),
        ("5/B07", "is no image"),
        ("well:5/0/1", "names too much"),
        ("plate:5/B07/0/1", "names too much"),
        ("dataset:5/a/b", "names too much"),
        ("idr0062/a/b/c/d/e/f", "names too much"),
        ("roi-5", "is roi 5; images are needed"),
        ("tag:5", "is tag 5"),
        ("fileset-5", "is fileset 5"),
        ("idr62", "is no image"),
        ("idr", "is no image"),
        (f"{WEB}/webclient/?show=plate-2551|roi-3", "a link to roi 3"),
        (f"{WEB}/study/", "the IDR's page study"),
        ("https://idr.openmicroscopy.org.evil.org/webclient/?show=plate-1", "which is not the IDR"),
        ("https://evil.org/?show=plate-1", "which is not the IDR"),
    ],
)
def test_what_is_nothing_of_the_idr_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(text)
    assert what in str(refused.value)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("text", ["plate:2551/B07/0", "idr0062/a%20b%2Fc", "well:5", "image-7", "idr0001/screenA/x/B07/0", "idr0062/Fig.%201%2E"])
def test_an_item_of_a_manifest_is_read_as_what_it_was(text: str) -> None:
    (named,) = parse_named([text])
    (again,) = parse_named([named.item])
    assert (again.kind, again.number, again.path) == (named.kind, named.number, named.path)


def test_a_name_cannot_climb_or_break_a_line() -> None:
    (named,) = parse_named(["idr0062/%2E%2E%2F%2E%2E%0Aetc"])
    assert named.path[1] == "../..\netc"
    assert named.item == "idr0062/..%2F..%0Aetc"
