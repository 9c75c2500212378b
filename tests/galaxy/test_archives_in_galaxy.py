"""The archives in a Galaxy: from a search to pixels with the mouse, plans that Galaxy's own upload fetches, and stores that nobody fetches whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from bioblend.galaxy import GalaxyInstance
from playwright.sync_api import Page, expect

from local.paths import ROOT

from .conftest import GalaxyUnderTest
from .in_a_browser import JOB_MILLISECONDS, green, show_in_viewer

pytestmark = [pytest.mark.galaxy, pytest.mark.slow]

STORE = "/idr/zarr/v0.4/idr0062A/6001240.zarr"


@pytest.fixture(scope="module")
def sample_archive(galaxy: GalaxyUnderTest) -> Path:
    """Return the file that names the services of the Galaxy's own sample archive."""
    return galaxy.folder / "endpoints.json"


def fetched(galaxy: GalaxyUnderTest, user: GalaxyInstance, history: str, targets: list[Any]) -> dict[str, Any]:
    """Give targets to Galaxy's upload and wait for what it makes of them."""
    answer = requests.post(
        f"{galaxy.connection.url}/api/tools/fetch",
        headers={"x-api-key": galaxy.connection.user_key},
        json={"history_id": history, "targets": targets},
        timeout=60,
    )
    assert answer.ok, answer.text
    made: dict[str, Any] = answer.json()
    for job in made["jobs"]:
        assert user.jobs.wait_for_job(job["id"], maxwait=JOB_MILLISECONDS / 1000, interval=1)["state"] == "ok"
    return made


def finished(user: GalaxyInstance, run: dict[str, Any]) -> dict[str, str]:
    """Wait for a tool's outputs; their ids by name."""
    outputs = {output["output_name"]: output["id"] for output in run["outputs"]}
    for output in outputs.values():
        assert user.datasets.wait_for_dataset(output, maxwait=JOB_MILLISECONDS / 1000, interval=1)["state"] == "ok"
    return outputs


def text_of(user: GalaxyInstance, dataset: str) -> str:
    return user.datasets.download_dataset(dataset, require_ok_state=True).decode()


def choose(page: Page, name: str, choice: str) -> None:
    """Choose from a list of a form."""
    page.locator(f"[id$='{name}'] .multiselect").first.click()
    page.locator(".multiselect__element:visible", has_text=choice).first.click()


def test_from_a_search_to_chosen_images_with_the_mouse_alone(page: Page, galaxy: GalaxyUnderTest, user: GalaxyInstance, screenshots: Path) -> None:
    history = str(user.histories.create_history(name="Found in the IDR")["id"])
    page.request.put(f"{galaxy.connection.url}/history/set_as_current?id={history}")
    page.goto(f"{galaxy.connection.url}/?tool_id=lm_idr_search")
    page.locator("[id$='container'] textarea, textarea[id*='container']").first.fill("idr0062/Blastocysts")
    page.screenshot(path=screenshots / "search_form.png", full_page=True)
    page.locator("#execute").first.click()
    green(page, "IDR: images found")
    page.screenshot(path=screenshots / "search_history.png")

    page.goto(f"{galaxy.connection.url}/?tool_id=Filter1")
    page.locator("[id$='cond'] input").first.fill("c1==6001240 or c1==6001247")
    page.locator("[id$='header_lines'] input").first.fill("1")
    page.screenshot(path=screenshots / "search_rows_form.png", full_page=True)
    choose(page, "input", "IDR: images found")
    page.locator("#execute").first.click()
    green(page, "Filter on dataset")

    page.goto(f"{galaxy.connection.url}/?tool_id=lm_idr_download")
    choose(page, "source|source_by", "A table of images")
    choose(page, "target|format", "OME-Zarr, one per image")
    choose(page, "arrange", "A list per dataset or plate")
    page.get_by_text("Fetch a part only", exact=True).first.click()
    page.locator("[id$='selection|level'] input").first.fill("2")
    page.screenshot(path=screenshots / "search_download_form.png", full_page=True)
    page.locator("#execute").first.click()
    green(page, "IDR: OME-Zarr, by dataset")
    page.screenshot(path=screenshots / "search_downloaded.png")
    contents = {item["name"]: item for item in user.histories.show_history(history, contents=True)}
    found = user.dataset_collections.show_dataset_collection(contents["IDR: OME-Zarr, by dataset"]["id"])
    nested = {element["element_identifier"]: element["object"]["elements"] for element in found["elements"]}
    assert list(nested) == ["Blastocysts"]
    assert "6001240_B1_C1" in [element["element_identifier"] for element in nested["Blastocysts"]]
    show_in_viewer(page, galaxy, nested["Blastocysts"][0]["object"]["id"], "Dapi")
    page.screenshot(path=screenshots / "search_viewer.png")
    expect(page.locator("body")).to_be_visible()


def test_a_plan_is_fetched_by_galaxys_own_upload(galaxy: GalaxyUnderTest, user: GalaxyInstance, sample_archive: Path, tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "tools" / "lm_bia_download.py", "--accession", "S-BIAD634", "--match", "*otherspecimen_3.tif", "--plan-only"]
    files = ["--output", tmp_path / "out", "--manifest", tmp_path / "plan.tsv", "--fetch-json", tmp_path / "plan.json"]
    subprocess.run([*command, *files], env=os.environ | {"LIGHTMICROSCOPY_ENDPOINTS": str(sample_archive)}, check=True)
    history = str(user.histories.create_history(name="A plan")["id"])
    made = fetched(galaxy, user, history, json.loads((tmp_path / "plan.json").read_text())["targets"])
    (collection,) = made["output_collections"]
    shown = user.dataset_collections.show_dataset_collection(collection["id"])
    nested = {folder["element_identifier"]: folder["object"]["elements"] for folder in shown["elements"]}
    assert sorted(nested) == ["Fluorescence_images", "Segmentation_masks"] or len(nested) == 2
    leaves = [leaf["object"] for folder in nested.values() for leaf in _leaves(folder)]
    assert len(leaves) == 2
    assert {leaf["state"] for leaf in leaves} == {"ok"}
    run = user.tools.run_tool(history, "lm_inspect", {"source|images": {"batch": False, "values": [{"src": "hdca", "id": collection["id"]}]}})
    # A nested list is inspected list by list.
    tables = [text_of(user, output["id"]) for output in run["outputs"] if finished(user, {"outputs": [output]}) and output["output_name"] == "table"]
    assert all("\t1014\t763\t" in table for table in tables)


def _leaves(elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [leaf for element in elements for leaf in (_leaves(element["object"]["elements"]) if "elements" in element["object"] else [element])]


def test_a_store_that_galaxy_has_not_fetched_is_read_where_it_is(galaxy: GalaxyUnderTest, user: GalaxyInstance, sample_archive: Path) -> None:
    url = json.loads(sample_archive.read_text())["object_store"] + STORE
    history = str(user.histories.create_history(name="Deferred")["id"])
    element = {"src": "url", "url": url, "ext": "ome_zarr", "name": "6001240.zarr", "deferred": True}
    made = fetched(galaxy, user, history, [{"destination": {"type": "hdas"}, "elements": [element]}])
    (dataset,) = made["outputs"]
    assert user.datasets.show_dataset(dataset["id"])["state"] == "deferred"
    store = {"src": "hda", "id": dataset["id"]}

    table = finished(user, user.tools.run_tool(history, "lm_inspect", {"source|source_by": "web", "store": store}))["table"]
    assert "\t271\t275\t236\t2\t1\tuint16\t" in text_of(user, table)
    findings = finished(user, user.tools.run_tool(history, "lm_check", {"source|source_by": "web", "store": store}))["table"]
    assert "6001240.zarr\t0\topen-format\tome.acquisition-date-missing\t" in text_of(user, findings)
    settings = {
        "source|source_by": "web",
        "store": store,
        "target|format": "ome-tiff",
        "selection|level": 2,
        "selection|z": "118",
        "make_preview": False,
    }
    run = user.tools.run_tool(history, "lm_convert", settings)
    job = user.jobs.wait_for_job(run["jobs"][0]["id"], maxwait=JOB_MILLISECONDS / 1000, interval=1)
    assert job["state"] == "ok"
    assert user.datasets.show_dataset(dataset["id"])["state"] == "deferred"


def test_a_form_asks_for_a_store_by_its_address(page: Page, galaxy: GalaxyUnderTest, user: GalaxyInstance, screenshots: Path) -> None:
    history = str(user.histories.create_history(name="On the web")["id"])
    page.request.put(f"{galaxy.connection.url}/history/set_as_current?id={history}")
    page.goto(f"{galaxy.connection.url}/?tool_id=lm_inspect")
    choose(page, "source|source_by", "On the web")
    page.locator("textarea").first.fill(f"https://livingobjects.ebi.ac.uk{STORE}")
    page.screenshot(path=screenshots / "store_form.png", full_page=True)
    page.locator("#execute").first.click()
    green(page, ": page")
    made = next(item for item in user.histories.show_history(history, contents=True) if item.get("extension") == "html")
    page.goto(f"{galaxy.connection.url}/datasets/{made['id']}/preview")
    frame = page.frame_locator("iframe[name=frame]")
    expect(frame.get_by_text("1 series in 1 input.").first).to_be_visible(timeout=60_000)
    page.screenshot(path=screenshots / "store_page.png")
