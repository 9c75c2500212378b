"""``galaxy.py run`` as a person at a terminal uses it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bioblend.galaxy import GalaxyInstance

from local.accounts import workflow_files
from local.workflow_inputs import read_workflow

from .conftest import SCRIPT, GalaxyUnderTest

pytestmark = [pytest.mark.galaxy, pytest.mark.slow]

WORKFLOW = "microscope-files-to-open-formats"


IDR_WORKFLOW = "idr-to-ome-zarr"


def run(galaxy: GalaxyUnderTest, *arguments: str | Path, workflow: str = WORKFLOW) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, "run", workflow, *arguments, "--url", galaxy.connection.url]
    return subprocess.run(command, env=os.environ | {"GALAXY_API_KEY": galaxy.connection.user_key}, capture_output=True, text=True, check=False)


def test_a_file_and_a_folder_come_back_as_ome_zarr_with_a_report(galaxy: GalaxyUnderTest, test_data: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    done = run(galaxy, test_data / "cells.ome.tiff", test_data / "cells_04.ome.zarr", "--output", results, "--set", "OME-Zarr version=0.5")
    assert done.returncode == 0, done.stderr
    *_, page_line, results_line, galaxy_line = done.stdout.splitlines()
    assert (page_line, results_line) == (f"Open {results / 'report.html'}", f"Results and the report: {results}")
    assert galaxy_line.startswith(f"The same in Galaxy: {galaxy.connection.url}/histories/view?id=")
    assert not (results / "report.md").exists()
    stores = sorted(path.name for path in (results / "Converted_images").iterdir())
    assert stores == ["cells.ome.zarr", "cells_04.ome.zarr"]
    for store in stores:
        assert json.loads((results / "Converted_images" / store / "zarr.json").read_text())["attributes"]["ome"]["version"] == "0.5"
    assert not (results / "Conversion_to_OME-TIFF").exists()
    page = (results / "report.html").read_text()
    assert 'src="data:image/png;base64,' in page
    assert "is not among the saved results" not in page
    assert json.loads((results / "details" / "invocation.json").read_text())["state"] in {"scheduled", "completed"}
    assert not [path for path in results.rglob("*") if path.name.endswith(".partial")]


def test_one_bad_image_does_not_cost_the_others(galaxy: GalaxyUnderTest, test_data: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    images = [test_data / name for name in ("two_series.ome.tiff", "not_an_image.txt", "truncated.tif")]
    done = run(galaxy, *images, "--output", results, "--set", "Make OME-TIFF=yes", "--set", "Make OME-Zarr=no")
    assert done.returncode == 1
    assert "The tool lm_convert failed" in done.stderr
    assert done.stderr.count(" failed (exit code ") == 2
    assert "Not saved, because the jobs that make them failed: not_an_image.txt, truncated.tif" in done.stderr
    copies = results / "Converted_images" / "two_series.ome.tiff"
    assert sorted(path.name for path in copies.iterdir()) == ["Détail_2_µ-dish.ome.tiff", "Overview.ome.tiff"]
    assert list(copies.parent.iterdir()) == [copies]
    comparison = (results / "Comparison_page.html").read_text()
    assert "2 originals cannot be read. The copies that could be compared are true: every pixel and every field is the same." in comparison
    rows = [line.split("\t") for line in (results / "Series_table.tsv").read_text().splitlines()]
    assert [row[0] for row in rows[1:]] == ["not_an_image.txt", "truncated.tif", *["two_series.ome.tiff"] * 2]
    assert "truncated.tif is truncated" in rows[2][-1]
    page = (results / "report.html").read_text()
    for part in ("2 originals cannot be read.", "not_an_image.txt is of no format", "Microscopy metadata check", 'src="data:image/png;base64,'):
        assert part in page


def test_when_nothing_could_be_converted_the_cause_comes_first(galaxy: GalaxyUnderTest, test_data: Path, tmp_path: Path) -> None:
    done = run(galaxy, test_data / "not_an_image.txt", "--output", tmp_path / "results")
    assert done.returncode == 1
    first, *_ = [line for line in done.stderr.splitlines() if " failed (exit code " in line]
    assert first in {"The tool lm_convert failed (exit code 1):", "The tool lm_inspect failed (exit code 1):"}
    assert "not_an_image.txt is of no format" in done.stderr
    assert done.stdout.splitlines()[-2] == f"Nothing succeeded; the report: {tmp_path / 'results'}"


def test_a_link_of_the_idr_comes_back_as_ome_zarr_and_the_image_that_is_not_there_is_told(galaxy: GalaxyUnderTest, tmp_path: Path) -> None:
    results = tmp_path / "results"
    link = "https://idr.openmicroscopy.org/webclient/?show=image-6001240|image-999999999"
    done = run(galaxy, link, "--set", "Resolution level=2", "--output", results, workflow=IDR_WORKFLOW)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (results / "OME-Zarr_images").iterdir()] == ["6001240_B1_C1.ome.zarr"]
    store = json.loads((results / "OME-Zarr_images" / "6001240_B1_C1.ome.zarr" / ".zattrs").read_text())
    assert [channel["label"] for channel in store["omero"]["channels"]] == ["LaminB1", "Dapi"]
    manifest = (results / "Manifest.tsv").read_text()
    assert "image-6001240\tdone" in manifest
    assert "image-999999999\tfailed\tThe IDR has no image 999999999" in manifest
    page = (results / "report.html").read_text()
    assert 'src="data:image/png;base64,' in page
    for part in ("How to cite these images", "https://creativecommons.org/licenses/by/4.0/", "Microscopy metadata check", "image-999999999"):
        assert part in page
    assert "is not among the saved results" not in page


def test_a_link_that_leads_to_no_images_is_explained(galaxy: GalaxyUnderTest, tmp_path: Path) -> None:
    done = run(galaxy, "https://idr.openmicroscopy.org/webclient/?show=tag-801", "--output", tmp_path / "results", workflow=IDR_WORKFLOW)
    assert done.returncode == 1
    assert "The tool lm_idr_download failed (exit code 2):" in done.stderr
    assert "is a link to tag 801; images are needed." in done.stderr
    assert done.stderr.count(" failed (exit code ") == done.stderr.count("Not saved, because") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such-file.tif"], "galaxy: The input no-such-file.tif does not exist."),
        (
            ["--set", "Colour=blue"],
            "galaxy: The workflow “Microscope files to open formats” has no parameter 'Colour'; "
            "it has: 'Make OME-Zarr', 'OME-Zarr version', 'Make OME-TIFF', 'Tiles of mosaics'.",
        ),
        (["--set", "OME-Zarr version=0.6"], "galaxy: 'OME-Zarr version' must be 0.4 or 0.5, not 0.6."),
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


def test_an_address_where_no_galaxy_is(galaxy: GalaxyUnderTest, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
        done = run(replace(galaxy, connection=replace(galaxy.connection, url=nowhere)), "--output", tmp_path / "results")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"galaxy: No Galaxy answers at {nowhere}. Check the address."


def test_running_again_imports_no_second_workflow(user: GalaxyInstance, galaxy: GalaxyUnderTest, test_data: Path, tmp_path: Path) -> None:
    before = [entry["id"] for entry in user.workflows.get_workflows()]
    done = run(galaxy, test_data / "photo.jpg", "--output", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    assert [entry["id"] for entry in user.workflows.get_workflows()] == before


@pytest.fixture
def user(galaxy: GalaxyUnderTest) -> GalaxyInstance:
    return GalaxyInstance(galaxy.connection.url, galaxy.connection.user_key)


def corrections(user: GalaxyInstance, workflow_id: str) -> bool:
    """Tell whether the run page would say that the tools have changed."""
    history = user.histories.create_history(name="run page")["id"]
    page = user.make_get_request(f"{user.url}/workflows/{workflow_id}/download", params={"style": "run", "history_id": history}).json()
    return bool(page["has_upgrade_messages"] or page["step_version_changes"])


@pytest.mark.parametrize("path", workflow_files(), ids=lambda path: path.stem)
def test_the_run_page_has_nothing_to_correct(user: GalaxyInstance, path: Path) -> None:
    name = read_workflow(path)["name"]
    imported = [entry for entry in user.workflows.get_workflows() if entry["name"] == name]
    assert imported
    assert not any(corrections(user, entry["id"]) for entry in imported)


def test_a_workflow_with_a_parameter_left_out_would_be_noticed(user: GalaxyInstance) -> None:
    workflow = read_workflow(next(path for path in workflow_files() if path.stem == WORKFLOW))
    step = next(step for step in workflow["steps"].values() if step.get("tool_id") == "lm_convert")
    step["tool_state"] = json.dumps({name: value for name, value in json.loads(step["tool_state"]).items() if name != "members"})
    faulty = user.workflows.import_workflow_dict(workflow | {"name": "Without a parameter"})["id"]
    try:
        assert corrections(user, faulty)
    finally:
        user.workflows.delete_workflow(faulty)


def test_the_browsers_request_to_run_the_imported_workflow_is_accepted(user: GalaxyInstance) -> None:
    """As the run page sends it: no corrections allowed."""
    name = read_workflow(next(path for path in workflow_files() if path.stem == WORKFLOW))["name"]
    imported = next(entry["id"] for entry in user.workflows.get_workflows() if entry["name"] == name)
    history = user.histories.create_history(name="browser's request")["id"]
    image = user.tools.paste_content("no image", history)["outputs"][0]["id"]
    elements = [{"name": "image", "src": "hda", "id": image}]
    images = user.histories.create_dataset_collection(history, {"name": "Images", "collection_type": "list", "element_identifiers": elements})
    inputs = {"Images": {"src": "hdca", "id": images["id"]}}
    assert user.workflows.invoke_workflow(imported, inputs=inputs, inputs_by="name", history_id=history)["state"] == "new"
