"""The wrappers, each read once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..archives import Archive
from .rendering import Wrapper

TOOLS = Path(__file__).resolve().parents[2] / "tools"
WRAPPERS = tuple(Wrapper(path) for path in sorted(TOOLS.glob("lm_*.xml")))


@pytest.fixture(params=WRAPPERS, ids=lambda wrapper: wrapper.path.stem)
def wrapper(request: pytest.FixtureRequest) -> Wrapper:
    """Each wrapper in turn."""
    return request.param


STAGERS = tuple(wrapper for wrapper in WRAPPERS if "inputs/" in wrapper.source.parse_command())


@pytest.fixture(params=STAGERS, ids=lambda wrapper: wrapper.path.stem)
def stager(request: pytest.FixtureRequest) -> Wrapper:
    """Each wrapper that gives datasets to its script under their names."""
    return request.param


@pytest.fixture(scope="session")
def lm_convert() -> Wrapper:
    """Return the wrapper of the converter."""
    return Wrapper(TOOLS / "lm_convert.xml")


@pytest.fixture(scope="session")
def lm_check() -> Wrapper:
    """Return the wrapper of the checker."""
    return Wrapper(TOOLS / "lm_check.xml")


@pytest.fixture(scope="session", autouse=True)
def _archive() -> Iterator[None]:
    """Let every job talk to the sample archive."""
    with Archive() as archive, pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "LIGHTMICROSCOPY_ENDPOINTS", json.dumps(archive.endpoints))
        yield
