"""The public object store as the stand-in gives it."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
import tifffile
import zarr

from .asking import ask

V04 = "/idr/zarr/v0.4/idr0062A/6001240.zarr"
V05 = "/idr/zarr/v0.5/idr0062A/6001240_labels.zarr"
V01 = "/idr/zarr/v0.1/6001240.zarr"


def test_the_metadata_are_as_long_as_the_real_ones(objects: str) -> None:
    sizes = {"/.zgroup": 24, "/0/.zarray": 417, "/1/.zarray": 417, "/2/.zarray": 413}
    assert {name: len(ask(objects + V04 + name).body) for name in sizes} == sizes


def test_the_image_in_its_pyramid(objects: str) -> None:
    attributes = ask(f"{objects}{V04}/.zattrs").json
    scales = [dataset["coordinateTransformations"][0]["scale"] for dataset in attributes["multiscales"][0]["datasets"]]
    assert scales[0] == [1.0, 0.5002025531914894, 0.3603981534640209, 0.3603981534640209]
    assert scales[2] == [1.0, 0.5002025531914894, 1.4415926138560835, 1.4415926138560835]
    named = [(channel["label"], channel["color"], channel["window"]["end"]) for channel in attributes["omero"]["channels"]]
    assert named == [("LaminB1", "0000FF", 1500.0), ("Dapi", "FFFF00", 1500.0)]
    group = zarr.open_group(objects + V04, mode="r")
    assert [group[level].shape for level in "012"] == [(2, 236, 275, 271), (2, 236, 137, 135), (2, 236, 68, 67)]
    assert group["labels/0/0"].shape == (1, 236, 275, 271)


def test_all_versions_hold_the_same_pixels(objects: str) -> None:
    old, new, first = (zarr.open_group(objects + path, mode="r") for path in (V04, V05, V01))
    assert new["0"].shards == (1, 10, 512, 512)
    assert new["0"].chunks == (1, 1, 256, 256)
    for level in "012":
        plane = old[level][:, 118]
        assert plane.max() > 500
        assert np.array_equal(plane, new[level][:, 118])
    assert np.array_equal(old["1"][:, 118], first["1"][0, :, 118])
    assert np.array_equal(old["labels/0/0"][0, 118], new["labels/0/0"][0, 118])


def test_a_chunk_of_background_is_not_there(objects: str) -> None:
    array = zarr.open_group(objects + V04, mode="r")["labels/0/0"]
    keys = [f"0/{z}/{y}/{x}" for z in range(4) for y in range(4) for x in range(2)]
    missing = [key for key in keys if ask(f"{objects}{V04}/labels/0/0/{key}").status == 404]
    assert missing
    for key in missing:
        _, z, y, x = map(int, key.split("/"))
        assert not array[0, 59 * z : 59 * z + 59, 69 * y : 69 * y + 69, 136 * x : 136 * x + 136].any()


@pytest.mark.parametrize("key", ["0/0/236/0/0", "0/0/0/0", "0/2/0/0/0", "0/0/-1/0/0", "0/0/00/0/0", "3/.zarray", "0/zarr.json", ".zmetadata", "x"])
def test_what_is_not_there_is_404_in_xml(objects: str, key: str) -> None:
    answer = ask(f"{objects}{V04}/{key}")
    assert answer.status == 404
    assert b"<Code>NoSuchKey</Code>" in answer.body


@pytest.mark.parametrize("path", ["/", "/idr", "/idr/", "/idr/?list-type=2&prefix=zarr/"])
def test_nothing_is_listed(objects: str, path: str) -> None:
    answer = ask(objects + path)
    assert answer.status == 403
    assert b"<Code>AccessDenied</Code>" in answer.body


def test_an_etag_is_the_md5_of_the_bytes(objects: str) -> None:
    whole = ask(f"{objects}{V04}/0/0/118/0/0")
    head = ask(f"{objects}{V04}/0/0/118/0/0", "HEAD")
    assert whole.headers["ETag"].strip('"') == hashlib.md5(whole.body, usedforsecurity=False).hexdigest() == head.headers["ETag"].strip('"')
    assert (head.body, int(head.headers["Content-Length"])) == (b"", len(whole.body))


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-644", 206, slice(-644, None)),
        ("bytes=0-99999999", 206, slice(None)),
        ("bytes=99999999-", 416, slice(0)),
        ("bytes=-0", 416, slice(0)),
        ("bytes=9-3", 200, slice(None)),
        ("pages=1-2", 200, slice(None)),
    ],
)
def test_ranges(objects: str, asked: str, status: int, part: slice) -> None:
    url = f"{objects}{V05}/0/c/0/0/0/0"
    whole = ask(url).body
    answer = ask(url, Range=asked)
    assert (answer.status, answer.body) == (status, whole[part])
    if status == 206:
        start, stop, _ = part.indices(len(whole))
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(whole)}"
    if status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{len(whole)}"


def test_a_range_of_an_object_that_has_changed_is_the_whole(objects: str) -> None:
    url = f"{objects}{V04}/.zattrs"
    tag = ask(url).headers["ETag"]
    assert ask(url, Range="bytes=0-3", If_Range=tag).status == 206
    assert ask(url, Range="bytes=0-3", If_Range='"another"').status == 200


def test_the_plate(objects: str) -> None:
    store = f"{objects}/idr/zarr/v0.4/idr0001A/2551.zarr"
    plate = ask(f"{store}/.zattrs").json["plate"]
    assert (len(plate["wells"]), plate["field_count"]) == (96, 6)
    well = ask(f"{store}/F/6/.zattrs").json["well"]
    assert len(well["images"]) == 6
    field = zarr.open_group(f"{store}/F/6/0", mode="r")
    assert field["0"].shape == (2, 16, 1040, 1376)
    assert field["labels/0/4"].shape == (1, 16, 65, 86)
    assert ask(f"{store}/I/1/.zattrs").status == ask(f"{store}/A/13/.zattrs").status == 404


def test_a_plate_of_which_little_is_left(objects: str) -> None:
    store = f"{objects}/bioimaging-integrator-data/S-BIAD851/171961d7-6cca-4201-87e4-449ff3880d48/171961d7-6cca-4201-87e4-449ff3880d48.zarr"
    assert [well["path"] for well in ask(f"{store}/.zattrs").json["plate"]["wells"]] == ["A/1", "B/7", "P/24"]
    assert zarr.open_group(f"{store}/B/7/0", mode="r")["0"].shape == (5, 520, 696)
    assert ask(f"{store}/B/8/0/.zattrs").status == 404


def test_a_container_of_nine_images(objects: str) -> None:
    store = f"{objects}/idr/zarr/v0.5/idr0033A/BR00109990_C2.zarr"
    assert ask(f"{store}/zarr.json").json["attributes"]["ome"]["bioformats2raw.layout"] == 3
    assert ask(f"{store}/OME/zarr.json").json["attributes"]["ome"]["series"] == [str(number) for number in range(9)]
    assert ask(f"{store}/OME/METADATA.ome.xml").body.count(b"<Image ") == 9
    assert zarr.open_group(f"{store}/8", mode="r")["0"].shape == (5, 1552, 2080)


def test_the_big_one_costs_little_and_is_what_it_says(objects: str) -> None:
    from .content.more_stores import big_pixels, big_tile

    array = zarr.open_group(f"{objects}/idr/zarr/invented/big.zarr", mode="r")["0"]
    assert array.nbytes == 1 << 30
    assert np.array_equal(array[1, 60, 512:1024, 1536:2048], big_tile(big_pixels(1, 60, 1, 3), 512))


def test_an_original_with_a_blank_in_its_name(originals: str) -> None:
    answer = ask(f"{originals}/idr0117-croce-marimba/20210812-ftp/SkeT%2016c.tif")
    assert answer.headers["Content-Type"] == "image/tiff"
    assert tifffile.imread(io.BytesIO(answer.body)).shape == (120, 160, 3)


def test_a_file_of_two_series(originals: str) -> None:
    answer = ask(f"{originals}/idr0165-duinkerken-hyperspectraledx/Figure1_Multichannel.ome.tif")
    with tifffile.TiffFile(io.BytesIO(answer.body)) as file:
        assert [series.shape for series in file.series] == [(3, 96, 128), (2, 3, 64, 80)]


def test_a_set_of_files(originals: str) -> None:
    folder = f"{originals}/idr0123-mota-mifish/20211026-ftp/"
    page = ask(folder)
    assert page.headers["Content-Type"].startswith("text/html")
    names = ["Dataset1.companion.ome", *(f"Dataset1_C{channel}.tif" for channel in range(3))]
    assert all(name in page.body.decode() for name in names)
    assert ask(folder + names[0]).body.count(b"<TiffData ") == 12
    assert tifffile.imread(io.BytesIO(ask(folder + names[3]).body)).shape == (4, 96, 128)


def test_originals_that_are_not_there(originals: str) -> None:
    answer = ask(f"{originals}/idr0062-blin-nuclearsegmentation/20190429-ftp/Blastocysts/nothing.tif")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert ask(f"{originals}/idr0123-mota-mifish").status == 301


def test_a_file_of_100_gigabytes_is_served_in_pieces(originals: str) -> None:
    url = f"{originals}/idr9999-invented-oddities/100GiB.bin"
    head = ask(url, "HEAD")
    assert int(head.headers["Content-Length"]) == 100 << 30
    assert head.headers["Last-Modified"] == "Fri, 15 Apr 2022 05:20:00 GMT"
    start = 70 << 30
    piece = ask(url, Range=f"bytes={start}-{start + 7}")
    assert int.from_bytes(piece.body, "little") == start >> 20
