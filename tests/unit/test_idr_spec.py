from __future__ import annotations

import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from lightmicroscopy.archives import idr_facts, idr_spec
from lightmicroscopy.archives.idr_images_table import read_images_table
from lightmicroscopy.archives.idr_spec import parse_named
from lightmicroscopy.errors import UnreadableError, UsageError
from lightmicroscopy.names import sanitise
from lightmicroscopy.reports.tables import IMAGES, write_table

WEB = "https://idr.openmicroscopy.org"
STORE = "https://livingobjects.ebi.ac.uk/idr/zarr"


def parse_images(texts: Iterable[str], *, web: str = WEB) -> Iterator[int]:
    """Read what names images only."""
    for named in parse_named(texts, web=web):
        assert named.kind == "image"
        yield named.number


@pytest.mark.parametrize(
    ("pasted", "ids"),
    [
        ("6001240", [6001240]),
        ("1 2,3;4|5\n6\r\n7\t8", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("image-1", [1]),
        ("Image:1", [1]),
        ("image_1, IMAGE=2", [1, 2]),
        ("Image 1", [1]),
        ("image_id\n1\n2", [1, 2]),
        ("image\u20131", [1]),
        ("\ufeff1\u200b\u00a02", [1, 2]),
        ("007", [7]),
        ("# chosen by eye\n1\n#2\n3", [1, 3]),
        (f"{WEB}/webclient/?show=image-1", [1]),
        (f"{WEB}/webclient/?show=image-1|image-2", [1, 2]),
        (f"{WEB}/webclient/?show=image-1%7Cimage-2", [1, 2]),
        (f"{WEB}/webclient/?show=image-1%257Cimage-2", [1, 2]),
        (f"{WEB}/webclient/?show=image-1,image-2", [1, 2]),
        (f"{WEB}/webclient/?show=image-1+image-2", [1, 2]),
        (f"{WEB}/webclient/?show=image-1|2|3", [1, 2, 3]),
        (f"{WEB}/webclient/?show=image.id-1", [1]),
        (f"{WEB}/webclient/?show=image-1| image-2", [1, 2]),
        (f"{WEB}/webclient/?experimenter=-1&amp;show=image-1", [1]),
        (f"{WEB}/webclient/userdata/?show=image-1#top", [1]),
        (f"{WEB}/webclient/?path=project-1|dataset-2|image-3", [3]),
        (f"{WEB}/webclient/?show=image-1,{WEB}/webclient/?show=image-2", [1, 2]),
        (f"{WEB}/webclient/?show=image-1\n{WEB}/webclient/img_detail/2/", [1, 2]),
        ("https%3A%2F%2Fidr.openmicroscopy.org%2Fwebclient%2F%3Fshow%3Dimage-3%7Cimage-4", [3, 4]),
        (f"<{WEB}/webclient/?show=image-1>", [1]),
        (f"[two]({WEB}/webclient/?show=image-1)", [1]),
        ("/webclient/?show=image-7", [7]),
        ("?show=image-7", [7]),
        ("idr.openmicroscopy.org/webclient/?show=image-9", [9]),
        ("http://idr-testing.openmicroscopy.org/webclient/?show=image-9", [9]),
        (f"{WEB}/webclient/img_detail/122770/?dataset=5", [122770]),
        (f"{WEB}/webclient/metadata_details/image/77/", [77]),
        (f"{WEB}/webclient/api/annotations/?type=map&image=7&image=8", [7, 8]),
        (f"{WEB}/webgateway/imgData/122770/", [122770]),
        (f"{WEB}/webgateway/render_image/5/0/0/?c=1|100:505$0000FF", [5]),
        (f"{WEB}/webgateway/render_image_region/5/0/0/?region=1,2,3,4", [5]),
        (f"{WEB}/webgateway/render_thumbnail/5/96/", [5]),
        (f"{WEB}/webgateway/render_ome_tiff/i/9/", [9]),
        (f"{WEB}/webgateway/archived_files/download/9/", [9]),
        (f"{WEB}/webgateway/original_file_paths/9/", [9]),
        (f"{WEB}/webgateway/get_thumbnails/96/?id=1&id=2", [1, 2]),
        (f"{WEB}/api/v0/m/images/6001240/", [6001240]),
        (f"{WEB}/api/v0/m/images/6001240/rois/", [6001240]),
        (f"{WEB}/iviewer/?images=1,2&dataset=5", [1, 2]),
        (f"{WEB}/iviewer/?images=1%2C2", [1, 2]),
        (f"{WEB}/image/15/download_urls/", [15]),
        (f"https://ome.github.io/vizarr/?source={STORE}/v0.4/idr0062A/6001240.zarr", [6001240]),
        (
            "https://ome.github.io/ome-ngff-validator/?source=https%3A%2F%2Fuk1s3.embassy.ebi.ac.uk%2Fidr%2Fzarr%2Fv0.4%2Fidr0062A%2F6001240.zarr",
            [6001240],
        ),
        (f"{STORE}/v0.5/idr0062A/6001240_labels.zarr/", [6001240]),
        (
            f"{STORE}/v0.5/idr0157/Asterella%20gracilis%20SWE/IMG_1033-1112%20Asterella%20gracilis%20(Mannia%20gracilis)%20stature.ome.zarr",
            [15154182],
        ),
        (f"{STORE}/v0.4/idr0048A/9846151.zarr/0/", [9846151]),
        ("", []),
        (" \n,, | ;\n", []),
    ],
)
def test_images_are_found_in_whatever_the_pages_and_people_copy(pasted: str, ids: list[int]) -> None:
    assert list(parse_images([pasted])) == ids


@pytest.mark.parametrize(
    ("pasted", "what"),
    [
        (f"{WEB}/webclient/?show=roi-3", "a link to roi 3"),
        (f"{WEB}/webclient/?show=", "shows no particular image"),
        (f"{WEB}/webclient/?show=%7C", "names no image"),
        (f"{WEB}/webclient/?show=image-", "“image-”, which is no image"),
        (f"{WEB}/webclient/?show=image.name-cell", "is no image"),
        (f"{WEB}/api/v0/m/images/", "shows no particular image"),
        (f"{WEB}/search/?key=Gene&value=ECT2", "the IDR's page search"),
        (f"{WEB}/", "shows no particular image"),
        ("https://omero.uio.no/webclient/?show=image-1", "omero.uio.no, which is not the IDR"),
        ("https://idr.openmicroscopy.org.evil.org/webclient/?show=image-1", "which is not the IDR"),
        ("https://evil.org/idr.openmicroscopy.org/webclient/?show=image-1", "which is not the IDR"),
        ("https://idr.openmicroscopy.org@evil.org/webclient/?show=image-1", "which is not the IDR"),
        ("[idr](https://evil.org/webclient/?show=image-1)", "evil.org, which is not the IDR"),
        ("x](https://evil.org/webclient/?show=image-1", "evil.org, which is not the IDR"),
        ("x[https://evil.org/webclient/?show=image-1", "no link that can be understood"),
        ("https://vizarr.org/?source=https://evil.org/1.zarr", "not known as a copy"),
        ("https://vizarr.org/?source=https://evil.org/?source=https://evil.org/?source=x", "which is not the IDR"),
        (f"{STORE}/v0.4/idr0001A/2551.zarr/../../idr0062A/6001240.zarr", "goes up in folders"),
        (f"{STORE}/v0.4/idr9999A/1.zarr", "not known as a copy"),
        ("ftp://idr.openmicroscopy.org/webclient/?show=image-1", "no link that can be understood"),
        ("file:///etc/passwd", "no link that can be understood"),
        ("javascript://idr.openmicroscopy.org/?show=image-1", "no link that can be understood"),
        ("0", "is no image"),
        ("-5", "is no image"),
        ("+5", "is no image"),
        ("1.5", "is no image"),
        ("1e6", "is no image"),
        ("1-5", "is no image"),
        ("0x10", "is no image"),
        ("\u0661\u0662", "is no image"),
        ("\u00b2", "is no image"),
        ("9223372036854775808", "is no image"),
        ("9" * 5000, "is no image"),
        ("image-0", "is no image"),
        ("image--1", "is no image"),
        ("image-1Ximage-2", "is no image"),
        ("cell.tif", "is no image"),
        ("1 2 three", "“three” is no image"),
        ("\x1b[31m5", "is no image"),
    ],
)
def test_anything_else_is_refused_by_what_it_is(pasted: str, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        list(parse_images([pasted]))
    assert what in str(refused.value)
    assert len(str(refused.value)) < 600
    assert "\x1b" not in str(refused.value)


def test_every_way_to_write_a_list_gives_the_same_images() -> None:
    names = ("{}", "image-{}", "image:{}", "Image-{}", "image.id-{}")
    between = (",", ", ", "|", " | ", "\n", "\r\n", ";", "\t", " ", ",,")
    ends = (("", ""), (" ", "\n"), (f"{WEB}/webclient/?show=", ""), ("?show=", "|"))
    for name, separator, (start, end) in itertools.product(names, between, ends):
        pasted = start + separator.join(name.format(number) for number in (11, 22, 33)) + end
        assert list(parse_images([pasted])) == [11, 22, 33], pasted


def test_random_rubbish_is_either_read_or_refused_and_nothing_else() -> None:
    alphabet = [
        "image",
        "-",
        "1",
        "|",
        "%7C",
        "%",
        "&",
        "=",
        "?",
        "show",
        "/",
        WEB,
        "webclient",
        "\n",
        " ",
        "é",
        "\x00",
        "[",
        "](",
        "source=",
        ".zarr",
        "..",
        "#",
        "@",
        ":",
    ]
    chance = np.random.default_rng(3)
    for _ in range(3000):
        pasted = "".join(alphabet[index] for index in chance.integers(len(alphabet), size=chance.integers(1, 10)))
        try:
            ids = [named.number for named in parse_named([pasted])]
        except UsageError as error:
            assert str(error).endswith(".")
        else:
            assert all(number > 0 for number in ids)


@pytest.mark.parametrize(
    "rubbish",
    ["," * 200_000 + "http", "(" * 200_000, "https%25" * 30_000, f"{WEB}/?" + "&" * 200_000, "x?source=" * 30_000, f"[{'a' * 200_000}](http:/"],
)
def test_long_rubbish_is_answered_at_once(rubbish: str) -> None:
    start = time.process_time()
    with suppress(UsageError):
        list(parse_images([rubbish]))
    assert time.process_time() - start < 3


def test_links_to_the_configured_server_are_links_to_the_idr() -> None:
    link = "http://127.0.0.1:8080/webclient/?show=image-1"
    assert list(parse_images([link], web="http://127.0.0.1:8080")) == [1]
    with pytest.raises(UsageError, match="not the IDR"):
        list(parse_images([link]))
    with pytest.raises(UsageError, match="not the IDR"):
        list(parse_images([link], web="http://127.0.0.1:8081"))


def test_reading_stops_at_the_first_thing_that_is_no_image_and_not_before() -> None:
    found = parse_images(iter(["1", "2", "x"]))
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(UsageError):
        next(found)


@pytest.mark.parametrize(
    ("at_once", "write"),
    [(1, str), (500, str), (1, f"{WEB}/webclient/?show=image-{{}}".format)],
    ids=["ids", "lines of ids", "links"],
)
def test_memory_stays_flat_however_many_images_there_are(at_once: int, write: Callable[[int], str]) -> None:
    count = 100_000 if write is str and at_once == 1 else 10_000
    texts = (",".join(write(number) for number in range(start, start + at_once)) for start in range(6_000_000, 6_000_000 + count, at_once))
    tracemalloc.start()
    try:
        found = sum(1 for _ in parse_images(texts))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == count
    assert peak < 1_000_000


def test_a_table_written_by_this_suite_is_read_again(tmp_path: Path) -> None:
    table = tmp_path / "images.tsv"
    rows = [
        {"image_id": 6001240, "image_name": "a/b\tc", "study": "idr0062", "well": "B07", "channels": ["LaminB1", "Dapi"], "licence": "CC BY 4.0"},
        {"image_id": 3},
    ]
    write_table(table, IMAGES, rows)
    first, second = read_images_table(table)
    assert (first.image_id, first.image_name, first.study, first.well, first.channels, first.licence) == (
        6001240,
        "a/b c",
        "idr0062",
        "B07",
        "LaminB1; Dapi",
        "CC BY 4.0",
    )
    assert second.image_id == 3
    assert second.licence == ""
    assert "/" not in sanitise(first.image_name)


def test_a_table_made_by_a_person_needs_only_the_ids(tmp_path: Path) -> None:
    table = tmp_path / "mine.tsv"
    table.write_bytes("\ufeffnote\timage_id\r\ngood\t5\r\n\r\n\t image-6\r\nagain\t5\r\n".encode())
    told: list[str] = []
    assert [row.image_id for row in read_images_table(table, warn=told.append)] == [5, 6]
    assert len(told) == 1


@pytest.mark.parametrize(
    ("content", "error", "what"),
    [
        (b"", UnreadableError, "no column image_id"),
        (b"image_id\n", UnreadableError, "names no image"),
        (b"image\n5\n", UnreadableError, "no column image_id"),
        (b"image_id\nfive\n", UsageError, "“five” in the column image_id"),
        (b"image_id\n-5\n", UsageError, "is no id of an image"),
        (b"image_id\n\xc3\x28\n", UnreadableError, "UTF-8"),
        (b"image_id\n5\t6\n", UnreadableError, "2 values where the header names 1"),
        (b"image_id\tstudy\n\tidr0062\n", UsageError, "is no id of an image"),
        (b"\x89PNG\r\n\x1a\n\x00", UnreadableError, "bad.tsv"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path: Path, content: bytes, error: type[Exception], what: str) -> None:
    table = tmp_path / "bad.tsv"
    table.write_bytes(content)
    with pytest.raises(error, match=what):
        list(read_images_table(table))


def test_many_links_to_stores_are_read_with_the_table_of_copies_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    rows = idr_facts._rows
    monkeypatch.setattr(idr_facts, "_rows", lambda path, columns: (read.append(path), rows(path, columns))[1])
    idr_spec._copies.cache_clear()
    links = "https://uk1s3.embassy.ebi.ac.uk/idr/zarr/v0.4/idr0062A/6001240.zarr\n" * 1000
    assert set(parse_images([links])) == {6001240}
    assert len(read) == len(set(read))
