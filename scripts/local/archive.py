"""The sample archive that a local Galaxy's tools talk to instead of the live services."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from . import environments
from .lifeline import Supervised
from .paths import ROOT, LocalGalaxyError

if TYPE_CHECKING:
    from pathlib import Path

START_SECONDS = 120.0


def start_archive(folder: Path) -> tuple[Supervised, Path]:
    """Start the sample archive.

    Parameters
    ----------
    folder
        Where its log and the file for ``LIGHTMICROSCOPY_ENDPOINTS`` go.

    Returns
    -------
    The running server, and that file.

    Raises
    ------
    LocalGalaxyError
        If it does not start.
    """
    endpoints, log = folder / "endpoints.json", folder / "archive.log"
    endpoints.unlink(missing_ok=True)
    log.unlink(missing_ok=True)
    python = environments.ensure("tools").python
    server = Supervised([python, "-m", "tests.archives", "--endpoints", endpoints], log=log, cwd=ROOT)
    deadline, pause = time.monotonic() + START_SECONDS, threading.Event()
    while not endpoints.exists():
        if server.ended() is not None or time.monotonic() > deadline:
            server.stop()
            lines = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
            raise LocalGalaxyError("\n".join(["The sample archive did not start:", *(f"  {line}" for line in lines)]))
        pause.wait(0.1)
    return server, endpoints
