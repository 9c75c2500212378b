"""What a person at a browser sees: the form, the green result, the report, the viewer."""

from __future__ import annotations

from pathlib import Path

import pytest
from bioblend.galaxy import GalaxyInstance
from playwright.sync_api import Page, expect

from .conftest import GalaxyUnderTest
from .in_a_browser import JOB_MILLISECONDS, green, run_tool, show_in_viewer, uploaded

pytestmark = [pytest.mark.galaxy, pytest.mark.slow]


@pytest.fixture
def history(user: GalaxyInstance, page: Page, galaxy: GalaxyUnderTest, test_data: Path) -> str:
    """Return a history with one image in it, and make it the one the browser shows."""
    history_id = str(user.histories.create_history(name="Browser test")["id"])
    uploaded(page, galaxy, user, history_id, [(test_data / "cells.ome.tiff", "ome.tiff")])
    page.goto(f"{galaxy.connection.url}/histories/view?id={history_id}")
    page.request.put(f"{galaxy.connection.url}/history/set_as_current?id={history_id}")
    return history_id


def test_an_image_is_converted_and_checked_with_the_mouse_alone(
    page: Page, galaxy: GalaxyUnderTest, history: str, user: GalaxyInstance, screenshots: Path
) -> None:
    run_tool(page, galaxy, "lm_convert")
    expect(page.get_by_text("cells.ome.tiff").first).to_be_visible()
    page.screenshot(path=screenshots / "form.png", full_page=True)
    page.locator("#execute").first.click()
    green(page, "OME-TIFF")
    page.screenshot(path=screenshots / "history.png")

    # A preview is refused; the user puts away what is no image.
    for item in user.histories.show_history(history, contents=True):
        if item["name"].endswith(("preview", "report")):
            user.histories.delete_dataset(history, item["id"])
    run_tool(page, galaxy, "lm_check")
    page.locator("#execute").first.click()
    green(page, "findings")
    report = next(item for item in user.histories.show_history(history, contents=True) if item.get("extension") == "html")
    page.goto(f"{galaxy.connection.url}/datasets/{report['id']}/preview")
    frame = page.frame_locator("iframe[name=frame]")
    expect(frame.get_by_role("heading", name="Microscopy metadata check")).to_be_visible(timeout=60_000)
    # The style sheet arrived: Galaxy's sanitizer trusts the tools on its list.
    assert frame.locator("body").evaluate("body => getComputedStyle(body).fontFamily") != "Times New Roman"
    page.screenshot(path=screenshots / "report.png")


def put_away_what_is_no_image(user: GalaxyInstance, history: str) -> None:
    """Galaxy proposes the newest dataset, which would be a preview or report."""
    for item in user.histories.show_history(history, contents=True):
        if not item["name"].endswith(".ome.tiff"):
            user.histories.delete_dataset(history, item["id"])


def test_an_image_is_inspected_and_compared_and_the_pages_are_as_they_were_made(
    page: Page, galaxy: GalaxyUnderTest, history: str, user: GalaxyInstance, screenshots: Path
) -> None:
    for tool, output, heading, sentence in (
        ("lm_inspect", "page", "What is in these images", "1 series in 1 input."),
        ("lm_compare", "report", "Original and copies compared", "The copy is true: every pixel and every field is the same."),
    ):
        put_away_what_is_no_image(user, history)
        run_tool(page, galaxy, tool)
        expect(page.get_by_text("cells.ome.tiff").first).to_be_visible()
        page.screenshot(path=screenshots / f"{tool}_form.png", full_page=True)
        page.locator("#execute").first.click()
        green(page, f": {output}")
        made = next(item for item in user.histories.show_history(history, contents=True) if item.get("extension") == "html" and not item["deleted"])
        page.goto(f"{galaxy.connection.url}/datasets/{made['id']}/preview")
        frame = page.frame_locator("iframe[name=frame]")
        expect(frame.get_by_role("heading", name=heading)).to_be_visible(timeout=60_000)
        expect(frame.get_by_text(sentence).first).to_be_visible()
        # The style sheet and the pictures inside the page arrived.
        assert frame.locator("body").evaluate("body => getComputedStyle(body).fontFamily") != "Times New Roman"
        pictures = frame.locator("img")
        assert pictures.evaluate_all("all => all.every(img => img.complete && img.naturalWidth > 0)")
        assert (pictures.count() > 0) is (tool == "lm_inspect")
        page.screenshot(path=screenshots / f"{tool}_page.png")


def test_an_ome_zarr_opens_in_galaxys_own_viewer(page: Page, galaxy: GalaxyUnderTest, history: str, user: GalaxyInstance, screenshots: Path) -> None:
    image = user.histories.show_history(history, contents=True)[0]["id"]
    settings = {
        "source": {"source_by": "history", "image": {"src": "hda", "id": image}},
        "target": {"format": "ome-zarr", "packaging": "ome_zarr", "ngff_version": "0.4"},
    }
    made = user.tools.run_tool(history, "lm_convert", settings, input_format="21.01")["outputs"]
    store = next(output["id"] for output in made if output["output_name"] == "ome_zarr")
    assert user.datasets.wait_for_dataset(store, maxwait=JOB_MILLISECONDS / 1000, interval=1)["state"] == "ok"
    show_in_viewer(page, galaxy, store, "GFP")
    page.screenshot(path=screenshots / "viewer.png")


def test_a_link_pasted_from_the_idr_becomes_an_ome_zarr_to_look_at(
    page: Page, galaxy: GalaxyUnderTest, user: GalaxyInstance, screenshots: Path
) -> None:
    history_id = str(user.histories.create_history(name="From the IDR")["id"])
    page.request.put(f"{galaxy.connection.url}/history/set_as_current?id={history_id}")
    page.goto(f"{galaxy.connection.url}/?tool_id=lm_idr_download")
    page.locator("textarea").first.fill("https://idr.openmicroscopy.org/webclient/?show=image-6001240|image-999999999")
    page.locator("[id$='target|format'] .multiselect").first.click()
    page.get_by_text("OME-Zarr, one per image").last.click()
    page.get_by_text("Fetch a part only", exact=True).first.click()
    page.locator("[id$='selection|level'] input").first.fill("2")
    page.screenshot(path=screenshots / "idr_form.png", full_page=True)
    page.locator("#execute").first.click()
    for name in ("manifest", "images table", "annotations", "licence and citation", "preview", "OME-Zarr"):
        green(page, f"IDR: {name}")
    page.screenshot(path=screenshots / "idr_history.png")
    contents = {item["name"]: item for item in user.histories.show_history(history_id, contents=True)}
    manifest = user.datasets.show_dataset(contents["IDR: manifest"]["id"])
    # Half a success is told where one looks first: at the dataset in the history.
    assert "The IDR has no image 999999999" in manifest["misc_info"]
    page.goto(f"{galaxy.connection.url}/datasets/{contents['IDR: licence and citation']['id']}/preview")
    expect(page.frame_locator("iframe[name=frame]").get_by_role("heading", name="How to cite these images")).to_be_visible(timeout=60_000)
    page.screenshot(path=screenshots / "idr_citation.png")
    (element,) = user.dataset_collections.show_dataset_collection(contents["IDR: OME-Zarr"]["id"])["elements"]
    assert element["element_identifier"] == "6001240_B1_C1"
    show_in_viewer(page, galaxy, element["object"]["id"], "Dapi")
    page.screenshot(path=screenshots / "idr_viewer.png")
