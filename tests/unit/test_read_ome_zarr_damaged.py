"""Damaged, hostile and absurd OME-Zarr stores are refused with a sentence, and never read past their bounds."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest

from lightmicroscopy.errors import LimitError, SuiteError, UnreadableError
from lightmicroscopy.metadata import ngff

from .zarr_stores import FOUR, SHAPE, Files, array_store, by_zarr, edited, folder, group, image_store, opened, pixels_of, waves, zipped


@pytest.mark.parametrize("name", ["../0/0", "a/../../b", "/etc/passwd", "C:/x", "a\\b"])
def test_a_zip_with_a_member_outside_itself_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableError, match="outside the zip"):
        opened(zipped(FOUR | {name: b""}, tmp_path / "x.zip"))


def test_a_zip_with_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    path = zipped(FOUR, tmp_path / "x.zip")
    link = zipfile.ZipInfo("0/0/9")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnreadableError, match="symbolic link"):
        opened(path)


def test_a_zip_that_claims_a_million_members_is_refused_before_they_are_read(tmp_path: Path) -> None:
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1_000_000, 1_000_000, 46_000_000, 4)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 4, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04" + end64 + locator + end)
    with pytest.raises(LimitError, match="1,000,000 members"):
        opened(tmp_path / "x.zip")


def test_a_zip_whose_directory_is_in_the_64_bit_form_is_read(tmp_path: Path) -> None:
    path = zipped(FOUR, tmp_path / "x.zip")
    data = path.read_bytes()
    *_, count, size, offset, _ = struct.unpack("<4s4H2LH", data[-22:])
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(data) - 22, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(data[:-22] + end64 + locator + end)
    with opened(path) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_truncated_zip_is_refused(tmp_path: Path, kept: float) -> None:
    path = zipped(FOUR, tmp_path / "x.zip")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(UnreadableError, match="damaged zip"):
        opened(path)


def test_a_zip_member_that_changed_is_noticed(tmp_path: Path) -> None:
    pixels = waves((1, 1, 1, 16, 16))
    path = zipped(image_store(pixels, "0.4", levels=1, compression="none"), tmp_path / "x.zip")
    data = path.read_bytes()
    at = data.find(pixels.tobytes()) + 100
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with opened(path) as dataset, pytest.raises(UnreadableError, match=r"0/0/0/0/0/0.*checksum"):
        pixels_of(dataset.images[0])


@pytest.mark.parametrize("name", [b"0/0/0/0/0/7", b"0/0/0/0/1/0"], ids=["a name of its own", "the name of another"])
def test_a_chunk_that_its_zip_calls_otherwise_is_no_missing_chunk(tmp_path: Path, name: bytes) -> None:
    path = zipped(image_store(waves((1, 1, 1, 32, 32)), "0.4", levels=1, chunk=(1, 1, 1, 16, 16)), tmp_path / "x.zip")
    data = path.read_bytes()
    at = data.rfind(b"0/0/0/0/0/1")
    path.write_bytes(data[:at] + name + data[at + len(name) :])
    with pytest.raises(UnreadableError, match="calls itself '0/0/0/0/0/1'"), opened(path) as dataset:
        pixels_of(dataset.images[0])


def test_a_part_of_a_shard_in_a_zip_that_changed_is_noticed(tmp_path: Path) -> None:
    plain = {"chunks": (1, 1, 1, 16, 16), "shards": (2, 2, 3, 48, 64), "compressors": None}
    store = by_zarr(tmp_path / "store", waves(SHAPE), 3, **plain)
    files = {str(place.relative_to(store)): place.read_bytes() for place in sorted(store.rglob("*")) if place.is_file()}
    path = zipped(files, tmp_path / "x.zip")
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels_of(dataset.images[0]), waves(SHAPE))
    shard = next(content for name, content in files.items() if "/c/" in name)
    data = path.read_bytes()
    at = data.find(shard) + 100
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with opened(path) as dataset, pytest.raises(UnreadableError, match="checksum"):
        pixels_of(dataset.images[0])


@pytest.mark.parametrize("separator", [".", "/"])
def test_chunks_under_other_names_than_the_metadata_say_are_not_black(tmp_path: Path, separator: str) -> None:
    files = image_store(waves(SHAPE), "0.4", levels=1)
    if separator == "/":
        files = {name[:2] + name[2:].replace("/", ".") if name[2:3].isdigit() else name: data for name, data in files.items()}
    path = folder(edited(files, "0/.zarray", lambda array: array.update(dimension_separator=separator)), tmp_path / "x.ome.zarr")
    with pytest.raises(UnreadableError, match="where its metadata lead to chunks like"):
        opened(path)


def test_a_zip_bomb_stops_at_its_stated_size(tmp_path: Path) -> None:
    path = zipped(FOUR | {".zattrs": b'{"a": "' + b" " * (65 << 20) + b'"}'}, tmp_path / "x.zip", method=zipfile.ZIP_DEFLATED)
    with pytest.raises(UnreadableError, match=r"\.zattrs is .* bytes long"):
        opened(path)


@pytest.mark.parametrize("files", [{"notes.txt": b"hello"}, {"a/.zgroup": b"{}", "b/.zgroup": b"{}"}])
def test_a_zip_of_something_else_is_refused(tmp_path: Path, files: Files) -> None:
    with pytest.raises(UnreadableError, match=r"x\.zip"):
        opened(zipped(files, tmp_path / "x.zip"))


DAMAGE: dict[str, Any] = {
    "empty": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "noise": lambda data: bytes(range(256)) * (len(data) // 256 + 1),
    "of another size": lambda data: bytes(numcodecs.Blosc("zstd", 1, 2).encode(np.zeros(7, "u2"))),
    "too large": lambda data: data + bytes(1 << 20),
}


# Without compression or checksum, any bytes of the right number are pixels: noise cannot be told there.
@pytest.mark.parametrize(
    ("compression", "damage"), [(how, what) for how in ("zstd", "zlib", "none") for what in DAMAGE if (how, what) != ("none", "noise")]
)
@pytest.mark.parametrize(("version", "key"), [("0.4", "0/0/1/2/0/1"), ("0.5", "0/c/0/1/2/0/1")])
def test_a_damaged_chunk_is_named(tmp_path: Path, damage: str, compression: str, version: ngff.Version, key: str) -> None:
    files = image_store(waves(SHAPE), version, compression=compression)
    files[key] = DAMAGE[damage](files[key])
    with opened(folder(files, tmp_path / "cells.zarr")) as dataset, pytest.raises(UnreadableError, match=rf"cells\.zarr.*{key}"):
        pixels_of(dataset.images[0])


def test_a_chunk_that_promises_too_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    data = bytearray(FOUR["0/0/0/0/0/0"])
    data[4:8] = struct.pack("<L", 2**31 - 20)
    with (
        opened(folder(FOUR | {"0/0/0/0/0/0": bytes(data)}, tmp_path)) as dataset,
        pytest.raises(UnreadableError, match="promises 2,147,483,628 bytes"),
    ):
        pixels_of(dataset.images[0])


ABSURD: list[tuple[dict[str, Any], type[SuiteError]]] = [
    ({"chunks": [1, 1, 1, 65536, 65536]}, LimitError),
    ({"shape": [1, 1, 1, 2**40, 2**40]}, LimitError),
    ({"shape": [1, 1, 1, -5, 10]}, UnreadableError),
    ({"shape": [1, 1, 1, 0, 10]}, UnreadableError),
    ({"shape": "large"}, UnreadableError),
    ({"shape": [1, 1, 1, 10**4000, 10**4000]}, UnreadableError),
    ({"chunks": [1, 1, 1, 10**4000, 10**4000]}, UnreadableError),
    ({"shape": [1, 1, 1, 2**63, 1]}, UnreadableError),
    ({"shape": [2**63 - 1] * 5}, LimitError),
    ({"chunks": [16, 16]}, UnreadableError),
    ({"dtype": "<c16"}, UnreadableError),
    ({"dtype": "|O"}, UnreadableError),
    ({"dtype": [["r", "<u2"]]}, UnreadableError),
    ({"dtype": "nonsense"}, UnreadableError),
    ({"dtype": "f8,("}, UnreadableError),
    ({"dtype": "u2," * 100_000}, UnreadableError),
    ({"fill_value": "many"}, UnreadableError),
    ({"fill_value": -1}, UnreadableError),
    ({"dimension_separator": "/../"}, UnreadableError),
]


@pytest.mark.parametrize(("change", "error"), ABSURD, ids=[str(change) for change, _ in ABSURD])
def test_array_metadata_that_make_no_sense_are_refused_on_opening(tmp_path: Path, change: dict[str, Any], error: type[SuiteError]) -> None:
    with pytest.raises(error, match="array 0"):
        opened(folder(edited(FOUR, "0/.zarray", lambda value: value.update(change)), tmp_path))


def test_a_huge_array_without_a_single_chunk_is_refused(tmp_path: Path) -> None:
    files = {
        name: data
        for name, data in edited(FOUR, "0/.zarray", lambda value: value.update(shape=[1, 1, 1, 10**6, 10**6])).items()
        if not name.startswith("0/0")
    }
    files = {name: data for name, data in files.items() if not name.startswith("0/1")}
    with pytest.raises(LimitError, match="stores next to nothing"):
        opened(folder(files, tmp_path))


@pytest.mark.parametrize("key", [".zattrs", "0/.zarray"])
@pytest.mark.parametrize("content", [b"{", b"[1, 2]", b"\xff\xfe", b"[" * 100_000])
def test_broken_json_is_named(tmp_path: Path, key: str, content: bytes) -> None:
    with pytest.raises(UnreadableError, match=key):
        opened(folder(FOUR | {key: content}, tmp_path))


@pytest.mark.parametrize("path", ["../0", "a/../../0", "0\\1", "", ".", 7, None])
def test_a_level_path_that_leads_out_of_the_store_is_refused(tmp_path: Path, path: object) -> None:
    with pytest.raises(UnreadableError):
        opened(folder(edited(FOUR, ".zattrs", lambda value: value["multiscales"][0]["datasets"][0].update(path=path)), tmp_path / "inner"))


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({}, "multiscales.*plate.*bioformats2raw"),
        ({"multiscales": []}, "malformed 'multiscales'"),
        ({"multiscales": [{"version": "0.4", "datasets": []}]}, "no resolution levels"),
        ({"multiscales": [{"version": "0.4", "datasets": [{"path": "7"}]}]}, "level 7"),
        ({"plate": {"version": "0.4", "wells": []}}, "plate of 0 wells"),
        ({"bioformats2raw.layout": 3}, "holds no image"),
        ({"labels": ["nuclei"]}, "label maps"),
        ({"well": {"images": []}}, "one well"),
    ],
)
def test_a_zarr_that_is_no_ome_zarr_is_told_what_it_lacks(tmp_path: Path, attributes: dict[str, Any], words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        opened(folder(group("", {"note": 1} | attributes, "0.4"), tmp_path))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_bare_array_is_refused(tmp_path: Path, version: ngff.Version) -> None:
    folder(array_store(waves(SHAPE), "only", version), tmp_path)
    with pytest.raises(UnreadableError, match="bare Zarr array"):
        opened(tmp_path / "only")


def test_a_folder_that_is_no_zarr_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UnreadableError, match="not an OME-Zarr"):
        opened(tmp_path)


def test_a_store_staged_by_a_symbolic_link_is_read(tmp_path: Path) -> None:
    folder(FOUR, tmp_path / "real")
    (tmp_path / "cells.ome.zarr").symlink_to(tmp_path / "real")
    with opened(tmp_path / "cells.ome.zarr") as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))


def test_links_inside_a_store_are_followed_only_inside(tmp_path: Path) -> None:
    store = folder(FOUR, tmp_path / "cells.zarr")
    chunk = store / "0/0/1/2/0/1"
    (store / "kept").write_bytes(chunk.read_bytes())
    (tmp_path / "outside").write_bytes(chunk.read_bytes())
    chunk.unlink()
    chunk.symlink_to(store / "kept")
    with opened(store) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))
    chunk.unlink()
    chunk.symlink_to(tmp_path / "outside")
    with opened(store) as dataset, pytest.raises(UnreadableError, match="leads out of the store"):
        pixels_of(dataset.images[0])


def test_a_level_folder_linked_from_outside_is_refused(tmp_path: Path) -> None:
    store = folder(FOUR, tmp_path / "cells.zarr")
    (store / "0").rename(tmp_path / "elsewhere")
    (store / "0").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnreadableError, match="leads out of the store"):
        opened(store)


@pytest.mark.parametrize(("leads_to", "told"), [(".zattrs", "leads back to itself"), ("gone", "leads nowhere")])
def test_metadata_that_are_a_link_to_nothing_are_told_of_as_that(tmp_path: Path, leads_to: str, told: str) -> None:
    store = folder(FOUR, tmp_path / "cells.zarr")
    for name in (".zattrs", ".zgroup"):
        (store / name).unlink()
        os.symlink(leads_to, store / name)  # noqa: PTH211 - a link relative to itself
    with pytest.raises(UnreadableError, match=f"symbolic link that {told}, which is not followed"):
        opened(store)


def test_a_named_pipe_in_place_of_a_chunk_does_not_hang(tmp_path: Path) -> None:
    store = folder(FOUR, tmp_path)
    (store / "0/0/1/2/0/1").unlink()
    os.mkfifo(store / "0/0/1/2/0/1")
    with opened(store) as dataset, pytest.raises(UnreadableError, match="should be a file"):
        pixels_of(dataset.images[0])
