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
    lines = done.stdout.splitlines()
    where = lines.index(f"Results and the report: {results}")
    assert lines[where - 1] == f"Open {results / 'report.html'}"
    assert lines[where + 1].startswith("The same in Galaxy: http://127.0.0.1:")
    # Its own Galaxy is stopped at the end; one given by its address is not.
    assert ["That Galaxy is stopped now" in line for line in lines[where + 2 :]] == ([] if "--url" in words else [True])
