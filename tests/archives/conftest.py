"""An archive to ask, and one to break."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import Archive


@pytest.fixture(scope="session")
def shared_archive() -> Iterator[Archive]:
    """Return an archive that nobody changes."""
    with Archive() as archive:
        yield archive


@pytest.fixture
def web(shared_archive: Archive) -> str:
    return shared_archive.endpoints["idr_web"]


@pytest.fixture
def objects(shared_archive: Archive) -> str:
    return shared_archive.endpoints["object_store"]


@pytest.fixture
def originals(shared_archive: Archive) -> str:
    return shared_archive.endpoints["idr_originals"]


@pytest.fixture
def archive() -> Iterator[Archive]:
    """Return an archive of one's own."""
    with Archive() as archive:
        yield archive
