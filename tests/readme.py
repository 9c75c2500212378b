"""The commands of README, so that tests can run them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def commands() -> list[list[str]]:
    """Every command in a console block, split into words."""
    blocks = re.findall(r"^```console\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def shown() -> list[str]:
    """What README shows as printed by its commands."""
    return re.findall(r"^```text\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def in_a_terminal() -> list[list[str]]:
    """Installation and the tools themselves."""
    return [command for command in commands() if command[0] == "pip" or command[0].startswith("lm_")]


def in_a_galaxy() -> list[list[str]]:
    """What starts a local Galaxy, or uses another."""
    return [command for command in commands() if command[:2] == ["python3", "scripts/galaxy.py"]]


ENVIRONMENT = ["python3", "-m", "venv", "environment"], [".", "environment/bin/activate"]
"""Makes what `in_a_terminal` is installed into, and is first to be typed there."""
EVERYTHING = ["python3", "scripts/test.py"]
"""Runs the tests, this one among them."""
