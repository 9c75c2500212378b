"""``galaxy.py run`` as a person at a terminal uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import SCRIPT, GalaxyUnderTest

pytestmark = [pytest.mark.galaxy, pytest.mark.slow]

WORKFLOW = "microscope-files-to-open-formats"


def run(galaxy: GalaxyUnderTest, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, "run", WORKFLOW, *arguments, "--url", galaxy.connection.url]
    return subprocess.run(command, env=os.environ | {"GALAXY_API_KEY": galaxy.connection.user_key}, capture_output=True, text=True, check=False)


def test_a_file_and_a_folder_come_back_as_ome_zarr_with_a_report(galaxy: GalaxyUnderTest, test_data: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    done = run(galaxy, test_data / "cells.ome.tiff", test_data / "cells_04.ome.zarr", "--output", results, "--set", "OME-Zarr version=0.5")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"Results and the report: {results}"
    stores = sorted(path.name for path in (results / "OME-Zarr_images").iterdir())
    assert stores == ["cells.ome.zarr", "cells_04.ome.zarr"]
    for store in stores:
        assert json.loads((results / "OME-Zarr_images" / store / "zarr.json").read_text())["attributes"]["ome"]["version"] == "0.5"
    page = (results / "report.html").read_text()
    assert 'src="data:image/png;base64,' in page
    assert "is not among the saved results" not in page
    assert json.loads((results / "invocation.json").read_text())["state"] in {"scheduled", "completed"}
    assert not [path for path in results.rglob("*") if path.name.endswith(".partial")]


def test_one_bad_image_does_not_cost_the_others(galaxy: GalaxyUnderTest, test_data: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    done = run(galaxy, test_data / "cells.ome.tiff", test_data / "not_an_image.txt", "--output", results)
    assert done.returncode == 1
    assert "The tool lm_convert failed" in done.stderr
    assert "not_an_image.txt" in done.stderr
    assert [path.name for path in (results / "OME-Zarr_images").iterdir()] == ["cells.ome.zarr"]
    assert "cells" in (results / "Metadata_report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such-file.tif"], "galaxy: The input no-such-file.tif does not exist."),
        (["--set", "Colour=blue"], "galaxy: The workflow “Microscope files to open formats” has no parameter 'Colour'; it has: 'OME-Zarr version'."),
        (["--set", "OME-Zarr version"], "galaxy: --set OME-Zarr version has no value; write 'label=value'."),
    ],
)
def test_a_mistake_is_a_sentence_and_nothing_is_made(galaxy: GalaxyUnderTest, tmp_path: Path, arguments: list[str], sentence: str) -> None:
    done = run(galaxy, *arguments, "--output", tmp_path / "results")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == sentence
    assert not (tmp_path / "results").exists()


def test_results_are_never_mixed_with_what_is_there(galaxy: GalaxyUnderTest, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = run(galaxy, "--output", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"galaxy: The results folder {tmp_path} is not empty; give another with --output."
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
