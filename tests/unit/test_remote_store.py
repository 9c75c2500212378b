"""OME-Zarr on a web server: what is asked for, how often and how much at once, and what comes of a server that fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.convert import Conversion, Request, convert
from lightmicroscopy.errors import ArchiveError, LimitError, SuiteError, UnreadableError, UsageError
from lightmicroscopy.image import Location, Region, Shape
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.provenance import NAMESPACE
from lightmicroscopy.readers.remote_store import RemoteStore, name_of, open_remote, plain_url
from lightmicroscopy.selection import Selection
from lightmicroscopy.writers.options import WriteOptions

from .store_server import PAGE, Answer, BareClient, StoreServer, serving
from .zarr_stores import SHAPE, Files, by_zarr, edited, folder, group, image_store, opened, pixels_of, plate_store, several, waves

VERSIONS = ("0.4", "0.5")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as running:
        yield running


@pytest.fixture
def client() -> Iterator[BareClient]:
    made = BareClient()
    yield made
    made.close()


def put(server: StoreServer, files: Files, name: str = "cells.zarr") -> str:
    folder(files, server.root / name)
    return f"{server.url}/{name}"


def run(location: Location, output: Path, selection: Selection | None = None, *, threads: int = 2) -> Conversion:
    conversion = convert(location, output, Request("ome-zarr", selection or Selection(), options=WriteOptions(threads=threads)))
    conversion.dataset.close()
    return conversion


def pixels(path: Path) -> np.ndarray:
    with opened(path) as dataset:
        return pixels_of(dataset.images[0]).copy()


def answer(status: int, kind: str = "text/plain", body: bytes = b"no") -> object:
    return lambda _: (status, kind, body)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_image_is_opened_with_one_request_per_metadata_file_and_reads_as_it_does_locally(
    server: StoreServer, client: BareClient, version: str
) -> None:
    url = put(server, image_store(waves(SHAPE), version, levels=3))
    with readers.open(open_remote(client, url)) as remote, opened(server.root / "cells.zarr") as local:
        # Both versions are probed; then one file a level, those of label maps and OME-XML, which are not there.
        assert len(server.asked) == 7
        assert max(server.paths.values()) == 1
        assert remote.format == local.format
        assert [image.shape for image in remote.images] == [image.shape for image in local.images]
        assert remote.images[0].metadata.channels == local.images[0].metadata.channels
        server.forget()
        for level in range(3):
            assert np.array_equal(pixels_of(remote.images[0], level), pixels_of(local.images[0], level))
        assert max(server.paths.values()) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_plate_several_series_and_label_maps_read_as_they_do_locally(server: StoreServer, client: BareClient, version: str) -> None:
    labels = group("labels", {"labels": ["nuclei"]} if version == "0.4" else {"ome": {"version": "0.5", "labels": ["nuclei"]}}, version)
    stores = {
        "plate.zarr": plate_store(version),
        "several.zarr": several(version, ["1", "0"]),
        "labelled.zarr": image_store(waves(SHAPE), version) | labels | image_store(waves(SHAPE), version, path="labels/nuclei"),
    }
    for name, files in stores.items():
        server.forget()
        with readers.open(open_remote(client, put(server, files, name))) as remote, opened(server.root / name) as local:
            assert max(server.paths.values()) == 1
            assert [(image.name, image.shape) for image in remote.images] == [(image.name, image.shape) for image in local.images]
            assert [label.name for label in remote.labels] == [label.name for label in local.labels]
            assert remote.plates == local.plates
            for ours, theirs in zip((*remote.images, *remote.labels), (*local.images, *local.labels), strict=True):
                assert np.array_equal(pixels_of(ours), pixels_of(theirs))


def test_the_series_of_a_store_that_does_not_list_them_are_counted(server: StoreServer, client: BareClient) -> None:
    files = {name: data for name, data in several("0.4", ["0", "1"]).items() if not name.startswith("OME")}
    with readers.open(open_remote(client, put(server, files))) as dataset:
        assert len(dataset.images) == 2


@pytest.mark.parametrize(
    ("selection", "chunks"),
    [
        (Selection(z="1"), 2 * 2 * 12),
        (Selection(z="1", t="0", channels=("index:1",)), 12),
        (Selection(level=1, z="0", t="1"), 2 * 4),
        (Selection(region="20,10,20,20", z="2", t="0"), 2 * 4),
        (Selection(channels=("index:1", "index:0"), t="1"), 2 * 3 * 12),
        (Selection(project="max", t="0"), 2 * 3 * 12),
        (Selection(), 2 * 2 * 3 * 12),
    ],
    ids=lambda value: value.describe() if isinstance(value, Selection) else str(value),
)
@pytest.mark.parametrize("threads", [1, 2])
def test_of_a_selection_only_its_chunks_are_fetched_each_once(
    server: StoreServer, client: BareClient, tmp_path: Path, selection: Selection, chunks: int, threads: int
) -> None:
    url = put(server, image_store(waves(SHAPE), "0.4", levels=3))
    remote = run(open_remote(client, url), tmp_path / "remote", selection, threads=threads)
    assert len(server.chunks) == chunks
    assert max(server.chunks.values()) == 1
    local = run(Location(server.root / "cells.zarr"), tmp_path / "local", selection)
    assert np.array_equal(pixels(remote.paths[0]), pixels(local.paths[0]))


def test_several_requests_are_under_way_although_one_thread_encodes(server: StoreServer, client: BareClient, tmp_path: Path) -> None:
    url = put(server, image_store(waves(SHAPE), "0.4"))
    # Nobody is answered until eight ask: 144 chunks are 18 times eight.
    server.gate = threading.Barrier(8)
    remote = run(open_remote(client, url), tmp_path / "remote", threads=1)
    assert len(server.chunks) == 144
    assert np.array_equal(pixels(remote.paths[0]), waves(SHAPE))


def test_a_single_read_asks_for_its_chunks_together(server: StoreServer, client: BareClient) -> None:
    url = put(server, image_store(waves(SHAPE), "0.4"))
    with readers.open(open_remote(client, url)) as dataset:
        server.gate = threading.Barrier(4)
        source = dataset.images[0].levels[0].pixels
        assert source.read(Region.plane(source.shape, 0, 0, 0)).shape == (1, 1, 1, 37, 50, 1)


def test_chunks_in_shards_are_fetched_by_their_ranges(server: StoreServer, client: BareClient, tmp_path: Path) -> None:
    by_zarr(server.root / "cells.zarr", waves(SHAPE), 3, chunks=(1, 1, 1, 16, 16), shards=(1, 1, 1, 48, 64))
    remote = run(open_remote(client, f"{server.url}/cells.zarr"), tmp_path / "remote", Selection(z="1", t="0"))
    of_shards = [(part, path) for part, path in server.asked if "/c/" in path]
    assert all(part for part, _ in of_shards)
    # For both channels an index, and twelve chunks that lie side by side; whoever is early may ask for the first one alone.
    assert len(of_shards) == len(set(of_shards))
    assert 2 * 2 <= len(of_shards) <= 2 * 4
    assert np.array_equal(pixels(remote.paths[0]), waves(SHAPE)[:1, :, 1:2])


def test_codecs_that_only_zarr_python_knows_are_read_too(server: StoreServer, client: BareClient) -> None:
    from numcodecs import BZ2

    by_zarr(server.root / "cells.zarr", waves(SHAPE), 2, chunks=(1, 1, 1, 37, 50), compressors=BZ2())
    with readers.open(open_remote(client, f"{server.url}/cells.zarr")) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))


def test_the_address_is_recorded_and_no_checksum_is_claimed(server: StoreServer, client: BareClient, tmp_path: Path) -> None:
    url = put(server, image_store(waves(SHAPE), "0.4"))
    written = run(open_remote(client, url + "/"), tmp_path / "out", Selection(z="0"))
    assert written.paths[0].name == "cells.ome.zarr"
    document = read_ome((written.paths[0] / "OME" / "METADATA.ome.xml").read_bytes(), "it")
    (recorded,) = [dict(note.pairs) for note in document.images[0].metadata.annotations if note.namespace == NAMESPACE]
    assert recorded["Source URL"] == url
    assert "Source SHA-256" not in recorded


def test_a_chunk_that_is_not_there_is_the_fill_value(server: StoreServer, client: BareClient) -> None:
    url = put(server, {name: data for name, data in image_store(waves(SHAPE), "0.4", fill_value=7).items() if name != "0/1/0/2/1/1"})
    expected = waves(SHAPE)
    expected[1, 0, 2, 16:32, 16:32] = 7
    with readers.open(open_remote(client, url)) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), expected)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (answer(500), "500"),
        (answer(403), "403"),
        (answer(200, "text/html", PAGE), "0/1/0/2/1/1 (http://"),
        (lambda found: (found[0], found[1], found[2][:40]), "0/1/0/2/1/1 (http://"),
        (lambda found: (found[0], found[1], b""), "0/1/0/2/1/1 (http://"),
    ],
    ids=["500", "403", "page", "truncated", "empty"],
)
def test_a_chunk_that_cannot_be_had_stops_the_conversion_and_leaves_nothing(
    server: StoreServer, client: BareClient, tmp_path: Path, fault: object, told: str
) -> None:
    url = put(server, image_store(waves(SHAPE), "0.4"))
    server.faults["/0/1/0/2/1/1$"] = fault  # type: ignore[assignment]
    with pytest.raises(SuiteError) as caught:
        run(open_remote(client, url), tmp_path / "out")
    assert told in str(caught.value)
    assert f"{url}/0/1/0/2/1/1" in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("name", "status"), [("/.zattrs$", 500), ("/0/.zarray$", 403), ("/labels/.zattrs$", 500), ("/(zarr.json|.zattrs)$", 403)])
def test_metadata_that_cannot_be_had_are_not_taken_for_missing(server: StoreServer, client: BareClient, name: str, status: int) -> None:
    url = put(server, image_store(waves(SHAPE), "0.4"))
    server.faults[name] = answer(status)  # type: ignore[assignment]
    with pytest.raises(SuiteError, match=str(status)):
        readers.open(open_remote(client, url))


def test_a_server_that_keeps_silent_about_what_is_missing_is_understood(server: StoreServer, client: BareClient) -> None:
    """An S3 bucket that may not be listed answers 403 for every file it does not have."""
    url = put(server, image_store(waves(SHAPE), "0.4"))
    server.faults["."] = lambda found: answer(403)(found) if found[0] == 404 else found  # type: ignore[operator]
    with readers.open(open_remote(client, url)) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))


def test_with_the_suites_own_client_a_server_that_recovers_is_forgiven_and_one_that_does_not_is_told(server: StoreServer, tmp_path: Path) -> None:
    url = put(server, image_store(waves(SHAPE), "0.4"))
    failures = iter([True, True])

    def failing(found: Answer) -> Answer:
        return (503, "text/plain", b"") if next(failures, False) else found

    server.faults["/0/1/0/2/1/1$"] = failing
    with Client(Endpoints(object_store=server.url, configured=frozenset({"127.0.0.1"})), sleep=lambda _: None) as client:
        remote = run(open_remote(client, url), tmp_path / "out")
        assert np.array_equal(pixels(remote.paths[0]), waves(SHAPE))
        server.faults["/0/1/0/2/1/1$"] = answer(502, "text/html", PAGE)  # type: ignore[assignment]
        with pytest.raises(ArchiveError):
            run(open_remote(client, url), tmp_path / "again")


def test_where_there_is_nothing_or_no_ome_zarr_it_is_said(server: StoreServer, client: BareClient) -> None:
    with pytest.raises(UnreadableError, match=r"nothing\.zarr"):
        readers.open(open_remote(client, f"{server.url}/nothing.zarr"))
    url = put(server, {name: data for name, data in image_store(waves(SHAPE), "0.4").items() if name.startswith("0/")})
    with pytest.raises(UnreadableError, match="bare Zarr array"):
        readers.open(open_remote(client, f"{url}/0"))


def test_metadata_cannot_lead_out_of_the_store(server: StoreServer, client: BareClient) -> None:
    put(server, image_store(waves(SHAPE), "0.4"), "secret")
    files = edited(image_store(waves(SHAPE), "0.4"), ".zattrs", lambda value: value["multiscales"][0]["datasets"][0].update(path="../secret/0"))
    url = put(server, files)
    with pytest.raises(UnreadableError, match="does not lie inside"):
        readers.open(open_remote(client, url))
    assert not [path for path in server.paths if "secret" in path]


def test_an_array_that_only_claims_a_size_is_given_up(server: StoreServer, client: BareClient) -> None:
    huge = {"shape": [1, 1, 1, 1 << 20, 1 << 20], "chunks": [1, 1, 1, 1 << 12, 1 << 12]}
    files = edited(image_store(waves(SHAPE), "0.4", levels=1), "0/.zarray", lambda value: value.update(huge))
    with readers.open(open_remote(client, put(server, {name: data for name, data in files.items() if "/." in name or name[0] == "."}))) as dataset:
        source = dataset.images[0].levels[0].pixels
        with pytest.raises(LimitError, match="next to nothing"):
            for row in range(40):
                source.read(Region((0, 1), (0, 1), (0, 1), (row << 12, (row << 12) + 1), (0, 1)))


@pytest.mark.parametrize("version", VERSIONS)
def test_one_field_of_a_plate_opens_as_an_image_that_knows_its_well(server: StoreServer, client: BareClient, tmp_path: Path, version: str) -> None:
    url = put(server, plate_store(version), "plate.zarr")
    location = open_remote(client, f"{url}/B/7/1")
    assert location.name == "plate_B_7_1.zarr"
    with readers.open(location) as dataset:
        (well,) = dataset.plates[0].wells
        assert (dataset.plates[0].name, well.row, well.column, well.fields[0].index, well.fields[0].acquisition) == ("screen", 1, 6, 1, 5)
        # Not the rest of the plate.
        assert len(server.asked) <= 9
    written = run(open_remote(client, f"{url}/B/7/1"), tmp_path / "out")
    document = read_ome((written.paths[0] / "OME" / "METADATA.ome.xml").read_bytes(), "it")
    assert [(plate.name, plate.wells[0].row, plate.wells[0].column) for plate in document.plates] == [("screen", 1, 6)]


def test_a_field_whose_plate_cannot_be_asked_for_is_still_an_image(server: StoreServer, client: BareClient) -> None:
    url = put(server, plate_store("0.4"), "plate.zarr")
    server.faults["/plate.zarr/.zattrs$"] = answer(500)  # type: ignore[assignment]
    with readers.open(open_remote(client, f"{url}/B/7/1")) as dataset:
        assert dataset.plates == ()
        assert any("plate it is in is not known" in warning for warning in dataset.warnings)


def test_what_one_file_says_of_all_others_is_not_asked_for_again(server: StoreServer, client: BareClient) -> None:
    import zarr

    put(server, plate_store("0.4"), "plate.zarr")
    zarr.consolidate_metadata(server.root / "plate.zarr", zarr_format=2)
    with readers.open(open_remote(client, f"{server.url}/plate.zarr")) as dataset, opened(server.root / "plate.zarr") as local:
        assert dataset.plates == local.plates
        # The root, all at once, OME-XML and its order, and label maps of three fields: what it does not name may still be there.
        assert len(server.asked) == 8


@pytest.mark.parametrize(
    "url",
    [
        "ftp://server/a.zarr",
        "file:///etc/a.zarr",
        "a.zarr",
        "https://",
        "https://server/a.zarr?anonymous=true",
        "https://server/a.zarr#b",
        "https://server/a/../b.zarr",
        "https://server/a/%2e%2e/b.zarr",
        "https://server/a//b.zarr",
        "https://server:port/a.zarr",
        "https://[::1/a.zarr",
    ],
)
def test_an_address_that_is_none_of_a_store_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        plain_url(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://server/idr/6001240.zarr", "6001240.zarr"),
        ("https://server/plate.zarr/A/1/0", "plate_A_1_0.zarr"),
        ("https://server/series.ome.zarr/0", "series_0.zarr"),
        ("https://server/a.zarr/b.zarr", "b.zarr"),
        ("https://server/data/cells", "cells"),
        ("https://server/my%20cells.zarr", "my cells.zarr"),
        ("https://server", "server"),
    ],
)
def test_a_store_is_named_by_its_address(url: str, name: str) -> None:
    assert name_of(url) == name


def test_names_that_no_address_may_hold_are_encoded(server: StoreServer, client: BareClient) -> None:
    put(server, image_store(waves(SHAPE), "0.4"), "cells µ #1?.zarr")
    with readers.open(open_remote(client, f"{server.url}/cells%20µ%20%231%3F.zarr")) as dataset:
        assert dataset.location.name == "cells µ #1?.zarr"
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))


def test_ranges_and_sizes_of_files_on_a_server(server: StoreServer, client: BareClient) -> None:
    (server.root / "a.zarr").mkdir()
    (server.root / "a.zarr" / "file").write_bytes(b"0123456789")
    store = RemoteStore(client, f"{server.url}/a.zarr")
    assert store.get_range("file", 2, 3) == b"234"
    assert store.get_range("file", -3, 3) == b"789"
    assert (store.size("file"), store.size("none"), store.get_range("none", 0, 1)) == (10, None, None)
    assert list(store.children("")) == []
    with pytest.raises(UnreadableError):
        store.get_range("../file", 0, 1)


def test_regions_of_every_view_are_announced_as_they_are_read(server: StoreServer, client: BareClient) -> None:
    from lightmicroscopy.image import announce
    from lightmicroscopy.selection import select
    from lightmicroscopy.writers.sources import Converted

    url = put(server, image_store(waves(SHAPE), "0.4", levels=1))
    with readers.open(open_remote(client, url)) as dataset:
        view = select(dataset.images[0], Selection(channels=("index:1", "index:0"), region="3,4,40,30", project="max")).levels[0].pixels
        source = Converted(view, np.dtype(np.float32))
        regions = [Region.plane(Shape(*source.shape), t, c, 0) for t in range(2) for c in range(2)]
        announce(source, iter(regions))
        got = [source.read(region) for region in regions]
        announce(source, ())
    assert len(server.chunks) == 2 * 2 * 3 * 9
    assert max(server.chunks.values()) == 1
    expected = waves(SHAPE)[:, [1, 0], :, 4:34, 3:43].max(axis=2)
    assert np.array_equal(np.stack([part[0, 0, 0, ..., 0] for part in got]), expected.reshape(4, 30, 40))
