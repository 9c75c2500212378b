"""The wrappers, each read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from .rendering import Wrapper

TOOLS = Path(__file__).resolve().parents[2] / "tools"
WRAPPERS = tuple(Wrapper(path) for path in sorted(TOOLS.glob("lm_*.xml")))


@pytest.fixture(params=WRAPPERS, ids=lambda wrapper: wrapper.path.stem)
def wrapper(request: pytest.FixtureRequest) -> Wrapper:
    """Each wrapper in turn."""
    return request.param


@pytest.fixture(scope="session")
def lm_convert() -> Wrapper:
    """Return the wrapper of the converter."""
    return Wrapper(TOOLS / "lm_convert.xml")


@pytest.fixture(scope="session")
def lm_check() -> Wrapper:
    """Return the wrapper of the checker."""
    return Wrapper(TOOLS / "lm_check.xml")
