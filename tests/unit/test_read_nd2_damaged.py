"""ND2 files that are cut off, damaged, or made to do harm."""

from __future__ import annotations

import random
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.errors import LimitError, SuiteError, UnreadableError
from lightmicroscopy.image import Location, Region
from lightmicroscopy.readers import nd2_chunks, nd2_variant

from .nd2_files import BLOCK, Nd2, Unsigned, container, item, points, stack, time_loop, tree, values

GOOD = Nd2(pixels=values(6, components=2), experiment=time_loop(3, inner=stack(2)), columns={"AcqTimesCache": [0.0] * 6})


def read_all(data: bytes, path: Path) -> list[tuple[tuple[int, ...], str, np.ndarray]]:
    """Open and read everything."""
    path.write_bytes(data)
    with readers.open(Location(path)) as dataset:
        sources = [image.levels[0].pixels for image in dataset.images]
        return [(tuple(source.shape), str(source.dtype), source.read(Region.whole(source.shape))) for source in sources]


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_cut_off_anywhere_is_an_error(tmp_path: Path, *, compressed: bool) -> None:
    whole = Nd2(pixels=values(6), experiment=stack(6), compressed=compressed).bytes()
    for part in range(20):
        with pytest.raises(UnreadableError):
            read_all(whole[: len(whole) * part // 20], tmp_path / "cut.nd2")


def test_flipped_bytes_give_an_error_or_the_same_image(tmp_path: Path) -> None:
    whole = GOOD.bytes()
    ((shape, dtype, pixels),) = read_all(whole, tmp_path / "good.nd2")
    generator = random.Random(7)  # noqa: S311 - damage that is the same each time, no secret
    stamped = [at for name in range(6) for at in [whole.index(b"ImageDataSeq|%d!" % name) - 16 + BLOCK]]
    where = [at for at in range(len(whole)) if whole[at] and not any(start <= at < start + pixels.nbytes // 6 for start in stamped)]
    outcomes = {"error": 0, "same": 0, "told": 0}
    for _ in range(150):
        data = bytearray(whole)
        at = generator.choice(where)
        data[at] ^= 1 << generator.randrange(8)
        try:
            found = read_all(bytes(data), tmp_path / "flipped.nd2")
        except SuiteError:
            outcomes["error"] += 1
            continue
        if len(found) == 1 and found[0][:2] == (shape, dtype) and np.array_equal(found[0][2], pixels):
            outcomes["same"] += 1
        else:
            with readers.open(Location(tmp_path / "flipped.nd2")) as dataset:
                assert dataset.warnings, (at, found[0][:2])
            outcomes["told"] += 1
    assert outcomes["error"] > 20
    assert outcomes["same"] > 20
    assert outcomes["told"] < 15


@pytest.mark.parametrize(
    "attributes",
    [
        {"uiWidth": Unsigned(0)},
        {"uiWidth": Unsigned(9)},
        {"uiWidth": Unsigned(7)},
        {"uiHeight": Unsigned(5)},
        {"uiHeight": Unsigned(7)},
        {"uiHeight": Unsigned(2**31)},
        {"uiWidthBytes": Unsigned(2**31)},
        {"uiComp": Unsigned(1)},
        {"uiComp": Unsigned(3)},
        {"uiBpcInMemory": Unsigned(8)},
        {"uiBpcInMemory": Unsigned(12)},
        {"eCompression": 0},
    ],
)
def test_sizes_that_do_not_fit_the_frames_are_an_error(tmp_path: Path, attributes: dict[str, int]) -> None:
    with pytest.raises(SuiteError):
        read_all(Nd2(pixels=values(1, components=2), attributes=attributes).bytes(), tmp_path / "wrong.nd2")


def test_a_loop_of_billions_takes_no_memory(tmp_path: Path) -> None:
    experiment = time_loop(2**31 - 1, inner=stack(2))
    ((shape, _, _),) = read_all(Nd2(pixels=values(6), experiment=experiment).bytes(), tmp_path / "many.nd2")
    assert shape == (3, 1, 2, 6, 8, 1)


def test_a_frame_with_a_number_of_billions_is_an_error(tmp_path: Path) -> None:
    chunks = [(b"ImageDataSeq|4000000000!" if name == b"ImageDataSeq|5!" else name, data) for name, data in GOOD.chunks()]
    with pytest.raises(UnreadableError, match="numbered up to"):
        read_all(container(chunks), tmp_path / "far.nd2")


def test_a_frame_that_is_not_where_it_should_be_is_an_error(tmp_path: Path) -> None:
    whole = bytearray(GOOD.bytes())
    at = whole.index(b"ImageDataSeq|3!")
    whole[at : at + 15] = b"ImageDataSeq|4!"
    with pytest.raises(UnreadableError, match="not at byte"):
        read_all(bytes(whole), tmp_path / "moved.nd2")


def test_a_frame_packed_as_a_bomb_is_an_error(tmp_path: Path) -> None:
    made = Nd2(pixels=values(1), compressed=True)
    bomb = bytes(8) + zlib.compress(bytes(1 << 20))
    chunks = [(name, bomb if name.startswith(b"ImageDataSeq") else data) for name, data in made.chunks()]
    with pytest.raises(UnreadableError):
        read_all(container(chunks), tmp_path / "bomb.nd2")


def test_metadata_packed_as_a_bomb_are_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nd2_variant, "LARGEST", 1 << 16)
    bomb = b"LV0Z" + struct.pack("<Q", 1) + zlib.compress(bytes(1 << 20))
    chunks = [(name, bomb if name == b"ImageMetadataLV!" else data) for name, data in GOOD.chunks()]
    with pytest.raises(LimitError):
        read_all(container(chunks), tmp_path / "bomb.nd2")


def test_metadata_nested_without_end_are_an_error(tmp_path: Path) -> None:
    nested = item("leaf", 1)
    for _ in range(2000):
        head = b"\x0b\x01\0\0"
        nested = head + struct.pack("<IQ", 1, len(head) + 12 + len(nested)) + nested + bytes(8)
    chunks = [(name, nested if name == b"ImageMetadataLV!" else data) for name, data in GOOD.chunks()]
    with pytest.raises(UnreadableError, match="levels within each other"):
        read_all(container(chunks), tmp_path / "deep.nd2")


def test_xml_with_entities_is_refused(tmp_path: Path) -> None:
    xml = b'<?xml version="1.0"?><!DOCTYPE v [<!ENTITY a "aaaa">]><variant><uiCount runtype="CLxStringW" value="&a;"/></variant>'
    chunks = [(name, xml if name == b"ImageMetadataLV!" else data) for name, data in GOOD.chunks()]
    with pytest.raises(UnreadableError):
        read_all(container(chunks), tmp_path / "entities.nd2")


def test_a_table_of_contents_without_end_is_an_error(tmp_path: Path) -> None:
    whole = GOOD.bytes()
    end = whole.rindex(b"ND2 CHUNK MAP SIGNATURE 0000001!", 0, len(whole) - 40)
    with pytest.raises(UnreadableError):
        read_all(whole[:end] + b"XXX" + whole[end + 3 :], tmp_path / "endless.nd2")


def claiming(path: Path, length: int, size: int) -> Path:
    """A file of mostly nothing whose table of contents is said to be so long."""
    head, name = GOOD.bytes()[:4096], b"ND2 FILEMAP SIGNATURE NAME 0001!"
    with path.open("wb") as file:
        file.write(head + struct.pack("<4sIQ", nd2_chunks.MAGIC, len(name), length) + name)
        file.write(b"".join(b"A%d!" % number + bytes(16) for number in range(10)))
        file.seek(size - 40)
        file.write(b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", len(head)))
    return path


@pytest.mark.parametrize(("length", "why"), [(150 << 20, "lists more than the file has room for"), (90 << 20, "has no end")])
def test_a_table_of_contents_of_nothing_takes_no_memory(tmp_path: Path, length: int, why: str) -> None:
    path = claiming(tmp_path / "a.nd2", length, 200 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError, match=why):
            readers.open(Location(path))
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_a_table_of_contents_read_in_pieces_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_all(GOOD.bytes(), tmp_path / "a.nd2")
    monkeypatch.setattr(nd2_chunks, "_PIECE", 50)
    monkeypatch.setattr(nd2_chunks, "_LONGEST_ENTRY", 80)
    found = read_all(GOOD.bytes(), tmp_path / "a.nd2")
    assert [each[:2] for each in found] == [each[:2] for each in expected]
    assert all(np.array_equal(one[2], other[2]) for one, other in zip(found, expected, strict=True))


def test_more_chunks_than_are_read_are_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = len(GOOD.chunks())
    for most in (count, count + 1, count + 2):
        monkeypatch.setattr(nd2_chunks, "MOST_CHUNKS", most)
        assert len(read_all(GOOD.bytes(), tmp_path / "a.nd2")) == 1
    monkeypatch.setattr(nd2_chunks, "MOST_CHUNKS", count - 2)
    with pytest.raises(LimitError, match="lists more than"):
        read_all(GOOD.bytes(), tmp_path / "a.nd2")


def test_damage_outside_what_is_needed_costs_only_itself(tmp_path: Path) -> None:
    more = [(b"ImageTextInfoLV!", b"\xff" * 40), (b"CustomData|RoiMetadata_v1!", b"\x0b\xff"), (b"CustomDataVar|LUTDataV1_0!", b"<x")]
    made = Nd2(pixels=values(2), experiment=points([(0.0, 0.0, "a"), (1.0, 0.0, "b")]), more=more)
    assert len(read_all(made.bytes(), tmp_path / "odd.nd2")) == 2


def test_half_trees_are_not_whole_trees() -> None:
    whole = tree({"outer": {"uiCount": Unsigned(3), "wsName": "name"}})
    for cut in range(1, len(whole) - 16):
        with pytest.raises(UnreadableError):
            nd2_variant.decode_tree(whole[:cut], "x")
