"""What every test can rely on."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
REALFILES = ROOT.parent / "shared" / "realfiles"
sys.path.insert(0, str(TOOLS))

# Started with nohup or in a script's background, this process ignores signals, and so would every program that a test stops by one.
for _signal in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _own_runtime_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the places that jobs share apart from those of jobs outside the tests."""
    os.environ["XDG_RUNTIME_DIR"] = str(tmp_path_factory.mktemp("runtime"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def tools() -> Path:
    """Return the folder of wrappers, scripts and the library."""
    return TOOLS


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of small generated images."""
    return ROOT / "test-data"


@pytest.fixture(scope="session")
def realfiles() -> Path:
    """Return the folder of real microscope files, which are not part of this repository."""
    if not REALFILES.is_dir():
        pytest.skip("the real microscope files are not part of this repository and lie beside it only on the maintainers' machines")
    return REALFILES
