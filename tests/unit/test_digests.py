"""Checksums that are made while a file is still being fetched."""

from __future__ import annotations

import hashlib
import threading

import pytest

from lightmicroscopy.archives.digests import ALONE_FROM, Digests

PIECE = bytes(range(256)) * 4096


@pytest.mark.parametrize("pieces", [0, 1, ALONE_FROM // len(PIECE), ALONE_FROM // len(PIECE) + 1, 40])
def test_they_are_those_of_the_bytes_in_their_order(pieces: int) -> None:
    digests, data = Digests(), bytearray()
    for number in range(pieces):
        piece = PIECE[number:]
        data += piece
        digests.update(piece, md5=True)
    assert digests.sha256() == hashlib.sha256(data).hexdigest()
    assert digests.md5() == hashlib.md5(data, usedforsecurity=False).hexdigest()


def test_an_md5_that_nobody_promised_is_not_made() -> None:
    digests = Digests()
    digests.update(PIECE, md5=False)
    assert digests.md5() == hashlib.md5(usedforsecurity=False).hexdigest()


def test_what_comes_after_a_look_at_them_counts_too() -> None:
    """A file that broke off is gone on with."""
    digests, data = Digests(), PIECE * 20
    digests.update(data, md5=False)
    digests.sha256()
    digests.update(PIECE, md5=False)
    assert digests.sha256() == hashlib.sha256(data + PIECE).hexdigest()


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    digests = Digests()
    for _ in range(20):
        digests.update(PIECE, md5=False)
    assert threading.active_count() == before + 1
    digests.close()
    digests.close()
    assert threading.active_count() == before
