"""What several unit tests are given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.findings import Finding
from tests.archives import Archive

from .bia_calls import Calls
from .check_examples import Check
from .idr_downloads import Downloads
from .idr_searches import Searches
from .store_server import StoreServer, serving


@pytest.fixture
def checked(tmp_path: Path) -> Check:
    """Write an OME-TIFF of so many pages with that OME-XML, and check it."""

    def run(xml: str, *, pages: int = 1, name: str = "cells.ome.tif") -> list[Finding]:
        path = tmp_path / name
        tifffile.imwrite(
            path, np.zeros((pages, 24, 32), np.uint16), description=xml.encode("ascii", "xmlcharrefreplace"), metadata=None, photometric="minisblack"
        )
        return list(check([path]).findings)

    return run


@pytest.fixture
def archive() -> Iterator[Archive]:
    """Serve a sample archive of one's own."""
    with Archive() as archive:
        yield archive


@pytest.fixture
def download(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Downloads:
    """Download from that archive into a folder of one's own."""
    return Downloads(archive, tmp_path, monkeypatch)


@pytest.fixture
def bia(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Search and download from the BioImage Archive of that archive, in a folder of one's own."""
    return Calls(archive, tmp_path, monkeypatch)


@pytest.fixture
def search(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Searches:
    """Search that archive, with tables in a folder of one's own."""
    return Searches(archive, tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def _shared_archive() -> Iterator[Archive]:
    with Archive() as archive:
        yield archive


@pytest.fixture
def web_archive(_shared_archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """Name the sample archive that tests share as the services; nobody has asked it anything."""
    monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps(_shared_archive.endpoints))
    _shared_archive.log.clear()
    return _shared_archive


@pytest.fixture
def web_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreServer]:
    """Serve a folder of stores, as a host that the administrator has added."""
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as made:
        monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps({"allowed_hosts": [made.url]}))
        yield made
