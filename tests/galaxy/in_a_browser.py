"""What tests do in a browser: open a form, wait for a result, look through Galaxy's viewer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

from bioblend.galaxy import GalaxyInstance
from PIL import Image
from playwright.sync_api import Page, Request, Response, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from local.viewers import viewers_folder

from ..needs import missing
from .conftest import GalaxyUnderTest
from .processes_left import eventually

# A job takes ten seconds on an idle machine, nearly all of it Galaxy's own.
JOB_MILLISECONDS = 600_000
# Seconds on an idle machine; the viewer's graphics are computed without a graphics card here.
VIEWER_MILLISECONDS = 300_000
EMPTY_FRAME_MILLISECONDS = 60_000


def run_tool(page: Page, galaxy: GalaxyUnderTest, tool_id: str) -> None:
    page.goto(f"{galaxy.connection.url}/?tool_id={tool_id}")
    page.wait_for_selector(".tool-model-title, .tool-card, form#tool-form, #execute", timeout=60_000)
    # The newest image of the history is chosen already.
    expect(page.locator("#execute").first).not_to_have_attribute("aria-disabled", "true", timeout=60_000)


def uploaded(page: Page, galaxy: GalaxyUnderTest, user: GalaxyInstance, history: str, files: Sequence[tuple[Path, str]]) -> list[str]:
    """Upload files, each with the name of its format (``auto``: let Galaxy see); gives their ids when they are there."""
    elements = [{"src": "files", "name": path.name, "ext": ext} for path, ext in files]
    parts = {
        f"files_{number}|file_data": {"name": path.name, "mimeType": "application/octet-stream", "buffer": path.read_bytes()}
        for number, (path, _) in enumerate(files)
    }
    answer = page.request.post(
        f"{galaxy.connection.url}/api/tools/fetch",
        headers={"x-api-key": galaxy.connection.user_key},
        # BioBlend's upload leaves the file open, which is an error here.
        multipart={"history_id": history, "targets": json.dumps([{"destination": {"type": "hdas"}, "elements": elements}]), **parts},
    )
    assert answer.ok, answer.text()
    ids = [str(output["id"]) for output in answer.json()["outputs"]]
    for dataset in ids:
        assert user.datasets.wait_for_dataset(dataset, maxwait=JOB_MILLISECONDS / 1000, interval=1)["state"] == "ok"
    return ids


def green(page: Page, name: str) -> None:
    expect(page.locator(f".content-item[data-state='ok']:has-text('{name}')").first).to_be_visible(timeout=JOB_MILLISECONDS)


def is_drawn(page: Page) -> bool:
    """Whether the middle of the viewer shows more than its background."""
    box = page.locator("#galaxy_visualization, [name=galaxy_visualization]").first.bounding_box()
    assert box is not None
    middle = {"x": box["x"] + box["width"] / 2 - 50, "y": box["y"] + box["height"] / 2 - 50, "width": 100, "height": 100}
    with Image.open(BytesIO(page.screenshot(clip=middle))) as picture:
        colours = picture.convert("RGB").getcolors(10_000)
    return colours is not None and len(colours) > 50


def show_in_viewer(page: Page, galaxy: GalaxyUnderTest, dataset_id: str, channel: str) -> None:
    """Open an OME-Zarr in Galaxy's viewer and wait for its channel and its pixels; no other host is asked for anything."""
    if not (viewers_folder() / "vizarr" / ".stamp").is_file():
        missing("the viewer could not be fetched here")
    hosts: set[str] = set()
    answers: list[str] = []

    def note(request: Request) -> None:
        hosts.add(urlsplit(request.url).hostname or "")

    def note_answer(response: Response) -> None:
        answers.append(f"{response.status} {response.url}")

    page.on("request", note)
    page.on("response", note_answer)
    page.goto(f"{galaxy.connection.url}/visualizations/display?visualization=vizarr&dataset_id={dataset_id}")
    frame = page.frame_locator("#galaxy_visualization, [name=galaxy_visualization]")
    canvas = frame.locator("canvas").first
    for _ in range(VIEWER_MILLISECONDS // EMPTY_FRAME_MILLISECONDS):
        try:
            canvas.wait_for(state="visible", timeout=EMPTY_FRAME_MILLISECONDS)
            break
        except PlaywrightTimeout:
            # About one in thirty times Galaxy's page leaves the frame empty for ever; a person loads it anew.
            print("The viewer's frame stayed empty; answers so far:", *answers, sep="\n")
            page.reload()
    expect(canvas).to_be_visible(timeout=EMPTY_FRAME_MILLISECONDS)
    expect(frame.get_by_text(channel).first).to_be_visible(timeout=VIEWER_MILLISECONDS)
    assert eventually(lambda: is_drawn(page), VIEWER_MILLISECONDS / 1000)
    page.remove_listener("request", note)
    page.remove_listener("response", note_answer)
    assert hosts - {"", "127.0.0.1"} == set()
