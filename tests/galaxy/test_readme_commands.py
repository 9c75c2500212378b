"""README's commands that use a Galaxy, run as they stand there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .. import readme
from .conftest import GalaxyUnderTest

pytestmark = [pytest.mark.galaxy, pytest.mark.slow]


@pytest.mark.parametrize("command", readme.in_a_galaxy(), ids=" ".join)
def test_a_command_with_a_galaxy(command: list[str], galaxy: GalaxyUnderTest, root: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    said = {"$GALAXY_URL": galaxy.connection.url, "results": str(results), "idr-results": str(results)}
    words = [said.get(word, word) for word in command]
    words += [] if "--output" in words else ["--output", str(results)]
    done = subprocess.run(
        words, cwd=root, env=os.environ | {"GALAXY_API_KEY": galaxy.connection.user_key}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (results / "report.html").is_file()
    assert "Results and the report: " in done.stdout.splitlines()[-1]
