"""JSON whose few bytes would become many objects."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from lightmicroscopy.errors import ArchiveError, UnreadableError
from lightmicroscopy.untrusted_json import MOST_VALUES, parse_json

from .http_servers import client_for, reply, serving
from .zarr_stores import folder, image_store, opened, waves

MANY = b"[" + b"[]," * (MOST_VALUES // 2 + 1) + b"[]]"


def test_a_document_of_many_values_in_long_texts_is_parsed() -> None:
    value = [{"key": "x" * 100_000}] * 100
    assert parse_json(json.dumps(value).encode()) == value


def test_whole_numbers_longer_than_any_that_is_meant_become_infinite_and_others_stay_exact() -> None:
    assert parse_json(b"[18446744073709551615, -1, 1" + b"0" * 400 + b", -1" + b"0" * 9000 + b"]") == [2**64 - 1, -1, math.inf, -math.inf]


@pytest.mark.parametrize("data", [MANY, b"[" * 100_000, b"", b"{", b"\xff"])
def test_what_would_fill_the_memory_or_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"values|nested|line|decode"):
        parse_json(data)


def test_a_store_and_a_service_that_send_such_are_told_of(tmp_path: Path) -> None:
    files = image_store(waves((1, 1, 1, 16, 16)), "0.4") | {".zattrs": b'{"a": ' + MANY + b"}"}
    with pytest.raises(UnreadableError, match="more than 4,000,000 values"):
        opened(folder(files, tmp_path))
    many = reply(MANY, kind="application/json")
    with serving(many) as server, client_for(server) as client, pytest.raises(ArchiveError, match="more than 4,000,000 values"):
        client.get_json(f"{server.url}/x")
