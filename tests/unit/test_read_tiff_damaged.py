"""TIFFs that are cut, damaged or hostile are refused in a sentence and cost nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile

from lightmicroscopy.errors import LimitError, UnreadableError
from lightmicroscopy.image import Region
from lightmicroscopy.readers import tiff_layout
from lightmicroscopy.readers.tiff_lzw import check_lzw

from .tiff_files import grey, hand_made, noise, opened, pixels, smooth


def test_an_empty_directory_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.tif"
    path.write_bytes(b"II*\0\0\0\0\0")
    with pytest.raises(UnreadableError, match=r"none\.tif .*no page"):
        opened(path)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (32, 32)}, {"bigtiff": True}, {"rowsperstrip": 9}])
def test_a_truncated_file_is_refused_at_opening(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, noise((4, 90, 80)), photometric="minisblack", metadata=None, **options)
    whole = path.read_bytes()
    for keep in (9, 30, 300, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:keep])
        with pytest.raises(UnreadableError, match=r"cut\.tif"):
            opened(path)


@pytest.mark.parametrize("keep", [9, 5000])
def test_a_file_that_is_refused_is_not_kept_open(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, noise((4, 90, 80)), photometric="minisblack", metadata=None)
    path.write_bytes(path.read_bytes()[:keep])
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(UnreadableError, match=r"cut\.tif"):
        opened(path)
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_bytes_that_do_not_decode_name_the_plane(tmp_path: Path) -> None:
    path = tmp_path / "damaged.tif"
    tifffile.imwrite(path, smooth((3, 90, 80)), photometric="minisblack", compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as parsed:
        offset, count = parsed.pages[1].dataoffsets[0], parsed.pages[1].databytecounts[0]
    data = bytearray(path.read_bytes())
    data[offset + 2 : offset + count] = b"\xff" * (count - 2)
    path.write_bytes(data)
    with opened(path) as dataset:
        source = dataset.images[0].levels[0].pixels
        source.read(Region.plane(source.shape, 0, 0, 0))
        with pytest.raises(UnreadableError, match=r"damaged\.tif is damaged: the plane t=1 c=0 z=0 \(page 1\)"):
            source.read(Region.plane(source.shape, 1, 0, 0))


def test_a_file_that_shrinks_after_opening_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "shrunk.tif"
    tifffile.imwrite(path, noise((90, 80)), metadata=None)
    with opened(path) as dataset:
        path.write_bytes(path.read_bytes()[:-50])
        with pytest.raises(UnreadableError, match=r"shrunk\.tif is truncated"):
            pixels(dataset.images[0])


MILLION = 1_000_000


@pytest.mark.parametrize(
    ("tags", "error", "message"),
    [
        pytest.param(grey(MILLION, MILLION, 8, 100), UnreadableError, "is truncated", id="10^12 pixels in one strip of nothing"),
        pytest.param(grey(MILLION, MILLION, 8, 50, compression=8), LimitError, "unpacks to", id="10^12 pixels in one deflated strip"),
        pytest.param(grey(MILLION, MILLION, 8, 50, rows=1), UnreadableError, "strips or tiles", id="10^12 pixels and one strip of a million"),
        pytest.param(grey(40_000, 40_000, 8, 50, compression=8), UnreadableError, "promises", id="far too small for its pixels"),
        pytest.param(grey(40_000, 40_000, 0, 0, compression=8), UnreadableError, "promises", id="huge and never written"),
        pytest.param(grey(10, 10, 10**9, 100), UnreadableError, "truncated", id="pixels beyond the end"),
        pytest.param(grey(10, 10, 8, 100, photometric=5), UnreadableError, "CMYK", id="CMYK"),
        pytest.param(grey(10, 10, 8, 100, photometric=8), UnreadableError, "L\\*a\\*b", id="CIELAB"),
        pytest.param(grey(10, 10, 8, 100, compression=34661), UnreadableError, "34661", id="unknown compression"),
        pytest.param(grey(0, 10, 8, 100), UnreadableError, "no pixels", id="no width"),
        pytest.param(grey(10, 10, 8, 100) | {258: (3, 1, 77)}, UnreadableError, "77 bits", id="77 bits"),
        pytest.param(grey(10, 10, 8, 100) | {339: (3, 1, 6), 258: (3, 1, 64)}, UnreadableError, "complex", id="complex numbers"),
        pytest.param(grey(10, 10, 8, 100) | {273: (4, 4_000_000_000, 8)}, UnreadableError, "claims", id="four billion strips"),
        pytest.param(grey(10, 10, 8, 100) | {270: (2, 4_000_000_000, 8)}, UnreadableError, "claims", id="a description of 4 GB"),
        pytest.param(grey(10, 10, 8, 100) | {322: (4, 1, 0), 323: (4, 1, 16)}, UnreadableError, "hostile", id="tiles of no width"),
    ],
)
def test_headers_that_promise_what_is_not_there(tmp_path: Path, tags: dict[int, tuple[int, int, int]], error: type[Exception], message: str) -> None:
    path = hand_made(tmp_path / "hostile.tif", tags, after=b"\0" * 200)
    with pytest.raises(error, match=message) as caught:
        opened(path)
    assert "hostile.tif" in str(caught.value)


def test_huge_sparse_rows_in_a_big_tiff_are_refused(tmp_path: Path) -> None:
    tags = grey(MILLION, MILLION, 16, 50, rows=1)
    with pytest.raises(UnreadableError, match="strips or tiles"):
        opened(hand_made(tmp_path / "hostile.tif", tags, after=b"\0" * 200, big=True))


@pytest.mark.parametrize("following", [8, 100_000, 3])
def test_page_lists_that_loop_or_leave_the_file_are_refused(tmp_path: Path, following: int) -> None:
    path = hand_made(tmp_path / "loop.tif", grey(10, 10, 130, 100), after=b"\0" * 200, following=following)
    with pytest.raises(UnreadableError, match=r"loop\.tif"):
        opened(path)


def test_a_picture_hidden_in_a_tile_cannot_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hidden.tif"
    tifffile.imwrite(path, noise((64, 64), "uint8"), compression="jpeg", tile=(64, 64), metadata=None)
    data = path.read_bytes()
    at = data.index(b"\xff\xc0")
    path.write_bytes(data[: at + 5] + b"\xff\xff\xff\xff" + data[at + 9 :])
    assert tiff_layout.MAX_SEGMENT < 65535 * 65535
    with opened(path) as dataset, pytest.raises(LimitError, match="65,535"):
        pixels(dataset.images[0])


def test_damaged_lzw_that_would_kill_the_decoder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lzw.tif"
    tifffile.imwrite(path, smooth((40, 50)), compression="lzw", metadata=None)
    with tifffile.TiffFile(path) as parsed:
        offset = parsed.pages[0].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[offset + 1] = 0x7F  # the first code after Clear becomes 508, which no table holds yet
    path.write_bytes(data)
    with opened(path) as dataset, pytest.raises(UnreadableError, match="code 508"):
        pixels(dataset.images[0])


@pytest.mark.parametrize("size", [1, 2, 250, 300, 1000, 5000, 200_000])
@pytest.mark.parametrize("kind", ["noise", "smooth", "constant"])
def test_honest_lzw_passes_the_look_at_it(kind: str, size: int) -> None:
    values = {"noise": noise((size,), "uint8"), "smooth": smooth((size,), "uint8"), "constant": np.zeros(size, "uint8")}[kind]
    check_lzw(imagecodecs.lzw_encode(values.tobytes()))


@pytest.mark.parametrize("plain", [0, 1, 7, 200])
def test_a_bad_code_is_found_behind_every_clear(plain: int) -> None:
    codes = [256, *([1] * plain), 256, 300, 257]
    bits = "".join(f"{code:09b}" for code in codes)
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    with pytest.raises(ValueError, match="code 300"):
        check_lzw(data)


@pytest.mark.parametrize("head", [b"", b"II", b"PK\3\4", b"<html>", b"MM\0+"[:3], b"<?xml version='1.0'?><svg/>"])
def test_what_is_no_tiff_is_left_to_others(tmp_path: Path, head: bytes) -> None:
    from lightmicroscopy.readers import tiff

    assert not tiff.sniff(tmp_path / "x", head)


def test_random_damage_never_escapes_as_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "fuzz.tif"
    tifffile.imwrite(path, smooth((3, 40, 50)), photometric="minisblack", compression="zlib", rowsperstrip=9, metadata=None)
    whole = path.read_bytes()
    generator = np.random.default_rng(7)
    outcomes = set()
    for _ in range(300):
        data = bytearray(whole)
        for at in generator.integers(4, len(data), 3):
            data[at] = generator.integers(256)
        path.write_bytes(data)
        try:
            with opened(path) as dataset:
                for image in dataset.images:
                    pixels(image)
            outcomes.add("read")
        except (UnreadableError, LimitError):
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
