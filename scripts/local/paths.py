"""Where things are, and the one error that means "tell the user and stop"."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"
WORKFLOWS = ROOT / "workflows"
REQUIREMENTS = ROOT / "requirements"


class LocalGalaxyError(Exception):
    """Something the user can understand and act on; its text is a sentence."""


def state_folder() -> Path:
    """Return the one ignored folder that holds every environment, instance and result.

    ``LIGHTMICROSCOPY_LOCAL`` puts it elsewhere, for instance on a larger disk.
    """
    return Path(os.environ.get("LIGHTMICROSCOPY_LOCAL") or ROOT / ".local").absolute()


def make_private(folder: Path) -> Path:
    """Create a folder that only its owner can enter, since it holds keys and passwords."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def say(message: str) -> None:
    """Tell the person at the terminal; results alone go to standard output."""
    print(message, file=sys.stderr, flush=True)
