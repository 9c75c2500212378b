"""Original files that a call which was killed had finished, and not come to note."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.originals import fetching_originals
from lightmicroscopy.errors import UsageError

URL = "https://ftp.ebi.ac.uk/pub/databases/IDR/a.tif"
"""Nobody is asked for it."""


@pytest.mark.parametrize("expected", [None, 5])
def test_a_file_that_was_planned_and_is_there_whole_is_taken(tmp_path: Path, expected: int | None) -> None:
    file = tmp_path / "a.tif"
    file.write_bytes(b"whole")
    with Client(Endpoints()) as client, fetching_originals(client, tmp_path, 100, {}, frozenset({"a.tif"})) as originals:
        fetched = originals.keep(URL, file, expected, lambda done, total: None)
    assert (fetched.bytes, fetched.path) == (5, file)


@pytest.mark.parametrize(("expected", "begun"), [(6, {"a.tif"}), (None, set()), (5, set())])
def test_a_file_of_another_size_or_that_nobody_planned_is_not_touched(tmp_path: Path, expected: int | None, begun: set[str]) -> None:
    file = tmp_path / "a.tif"
    file.write_bytes(b"whole")
    with (
        Client(Endpoints()) as client,
        fetching_originals(client, tmp_path, 100, {}, frozenset(begun)) as originals,
        pytest.raises(UsageError, match="already in the output folder"),
    ):
        originals.keep(URL, file, expected, lambda done, total: None)
    assert file.read_bytes() == b"whole"
