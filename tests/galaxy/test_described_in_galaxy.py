"""From a microscope's files to images that say what a person knows of them, with the mouse: sheet, values, copies, a clean check."""

from __future__ import annotations

from pathlib import Path

import pytest
from bioblend.galaxy import GalaxyInstance
from playwright.sync_api import FrameLocator, Page, expect

from lightmicroscopy.metadata.rembi.sheet import Sheet, read_sheet, row_of, write_sheet

from .conftest import GalaxyUnderTest
from .in_a_browser import JOB_MILLISECONDS, green, run_tool, uploaded

pytestmark = [pytest.mark.galaxy, pytest.mark.slow]

FILES = ("stack.czi", "project.lif", "positions.nd2", "padded.ims", "confocal.lsm")
KNOWN = {
    "study": {
        "title": "Drawn cells of five makes of microscope",
        "description": "Small files that show what the readers must read.",
        "keywords": "drawing; test",
        "licence": "CC0",
        "release_date": "2027-01-31",
        "author_first_name": "Kari",
        "author_last_name": "Nordmann",
        "author_email": "kari@example.org",
        "author_organisation": "Facility of Drawings",
    },
    "study_component": {"description": "All five files"},
    "biosample": {"organism": "Homo sapiens (NCBITaxon:9606)", "biological_entity": "HeLa cells, drawn"},
    "specimen": {"preparation_method": "Drawn by a program"},
    "acquisition": {"imaging_method": "fluorescence microscopy (FBbi:00000246)", "instrument": "A program", "parameters": "As drawn"},
    "image": {},
}
"""What only a person knows; the cells that images have filled in stay."""


def filled_in(sheet: Sheet) -> Sheet:
    tables = {}
    for table, rows in sheet.tables.items():
        said = [{name: cell.text for name, cell in row.cells.items()} for row in rows] or [{}]
        tables[table] = tuple(row_of(KNOWN[table] | {name: text for name, text in row.items() if text}) for row in said)
    # How long the two time points are apart is nowhere in that file.
    tables["image"] = tuple(
        row_of({name: cell.text for name, cell in row.cells.items()} | ({"time_increment_s": "10"} if "stack" in row.text("image") else {}))
        for row in tables["image"]
    )
    return Sheet(sheet.name, tables)


def choose(page: Page, name: str, choice: str) -> None:
    """Choose from a list of a form."""
    page.locator(f"[id$='{name}'] .multiselect").first.click()
    page.locator(".multiselect__element:visible", has_text=choice).first.click()


def choose_list(page: Page, name: str, choice: str) -> None:
    """Choose a list for an input of many datasets, with its second button."""
    page.locator(f"[id$='{name}'] button[title*='ollection']").first.click()
    choose(page, name, choice)
    # A list of several choices stays open over what is below it.
    page.keyboard.press("Escape")


def report(page: Page, galaxy: GalaxyUnderTest, dataset: str, picture: Path) -> FrameLocator:
    page.goto(f"{galaxy.connection.url}/datasets/{dataset}/preview")
    frame = page.frame_locator("iframe[name=frame]")
    expect(frame.get_by_role("heading", level=1)).to_be_visible(timeout=60_000)
    page.screenshot(path=picture)
    return frame


def test_five_microscope_files_are_described_annotated_and_found_clean(
    page: Page, galaxy: GalaxyUnderTest, user: GalaxyInstance, test_data: Path, tmp_path: Path, screenshots: Path
) -> None:
    history = str(user.histories.create_history(name="Described")["id"])
    page.request.put(f"{galaxy.connection.url}/history/set_as_current?id={history}")
    ids = uploaded(page, galaxy, user, history, [(test_data / name, "auto") for name in FILES])
    elements = [{"name": name, "src": "hda", "id": dataset} for name, dataset in zip(FILES, ids, strict=True)]
    files = user.histories.create_dataset_collection(history, {"name": "Files", "collection_type": "list", "element_identifiers": elements})
    settings = {
        "source": {"source_by": "history", "image": {"batch": True, "values": [{"src": "hdca", "id": files["id"]}]}},
        "target": {"format": "ome-zarr", "packaging": "ome_zarr.zip", "ngff_version": "0.4"},
    }
    made = user.tools.run_tool(history, "lm_convert", settings, input_format="21.01")
    for job in made["jobs"]:
        assert user.jobs.wait_for_job(job["id"], maxwait=JOB_MILLISECONDS / 1000, interval=1)["state"] == "ok"

    def dataset(name: str) -> str:
        found = [item for item in user.histories.show_history(history, contents=True, visible=True) if item["name"].endswith(name)]
        return str(found[-1]["id"])

    run_tool(page, galaxy, "lm_describe")
    choose_list(page, "source|images", "OME-Zarr (zip)")
    page.screenshot(path=screenshots / "described_form.png", full_page=True)
    page.locator("#execute").first.click()
    green(page, ": sheet")
    page.screenshot(path=screenshots / "described_history.png")
    empty = tmp_path / "empty.xlsx"
    empty.write_bytes(user.datasets.download_dataset(dataset(": sheet")))
    sheet = read_sheet(empty)
    assert [row.text("image") for row in sheet.rows("image")] == sorted([*FILES, "positions.nd2", "project.lif"])
    filled = tmp_path / "filled in.xlsx"
    write_sheet(filled_in(sheet), filled)
    uploaded(page, galaxy, user, history, [(filled, "xlsx")])

    run_tool(page, galaxy, "lm_annotate")
    choose_list(page, "images", "OME-Zarr (zip)")
    choose(page, "sheet", filled.name)
    page.screenshot(path=screenshots / "annotated_form.png", full_page=True)
    page.locator("#execute").first.click()
    green(page, ": what was written")
    table = user.datasets.download_dataset(dataset(": what was written")).decode().splitlines()
    assert [line.split("\t")[3] for line in table[1:]] == ["done"] * 7

    run_tool(page, galaxy, "lm_compare")
    choose_list(page, "source|original", "OME-Zarr (zip)")
    choose_list(page, "copies", ": images")
    page.locator("#execute").first.click()
    green(page, "Compare microscopy images")
    pixels = [line.split("\t") for line in user.datasets.download_dataset(dataset(": comparison")).decode().splitlines()]
    assert [row[-1] for row in pixels if row[3] == "pixels"] == ["true"] * 7
    report(page, galaxy, dataset(": report"), screenshots / "annotated_compared.png")

    run_tool(page, galaxy, "lm_check")
    choose_list(page, "source|images", ": images")
    page.get_by_text("REMBI: is the study described").click()
    choose(page, "documents", filled.name)
    page.screenshot(path=screenshots / "checked_form.png", full_page=True)
    page.locator("#execute").first.click()
    green(page, "Check microscopy metadata")
    findings = [line.split("\t") for line in user.datasets.download_dataset(dataset(": findings")).decode().splitlines()[1:]]
    assert [row for row in findings if row[4] != "info"] == []
    frame = report(page, galaxy, dataset(": report"), screenshots / "checked_report.png")
    expect(frame.get_by_text("passed: nothing is wrong and nothing important is missing").first).to_be_visible()
