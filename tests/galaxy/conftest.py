"""One Galaxy for all tests that need one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bioblend.galaxy import GalaxyInstance
from playwright.sync_api import Browser, Page, sync_playwright

from local.instance import Connection, instance_folder, running
from local.paths import ROOT, state_folder

from ..needs import missing
from .processes_left import eventually, processes_with

SCRIPT = ROOT / "scripts" / "galaxy.py"
START_SECONDS = 900
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class ServedGalaxy:
    """A ``galaxy.py serve`` in the background."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = instance_folder(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        # What a killed one left behind must not be taken for the new one's.
        (self.folder / "connection.json").unlink(missing_ok=True)
        self.printed = self.folder / "printed.txt"
        with self.printed.open("wb") as printed:
            self.process = subprocess.Popen(
                [sys.executable, SCRIPT, "serve", "--name", name],
                stdout=printed,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @classmethod
    def prepared(cls, name: str, files: dict[str, bytes]) -> ServedGalaxy:
        """Start one that finds files already there."""
        for path, contents in files.items():
            file = instance_folder(name) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(contents)
        return cls(name)

    def ready(self) -> Connection:
        """Wait for the address."""
        described = self.folder / "connection.json"
        assert eventually(lambda: described.exists() or self.process.poll() is not None, START_SECONDS), self.printed.read_text()
        assert self.process.poll() is None, self.printed.read_text()
        return Connection(**json.loads(described.read_text()))

    def interrupt(self) -> int:
        """Press Ctrl-C and wait for the end."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)

    def left(self) -> list[object]:
        """Return the processes of this Galaxy that are still there."""
        return list(processes_with(str(self.folder)))

    def remove(self) -> None:
        """End it whatever its state and delete what it kept."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        eventually(lambda: not self.left(), 60)
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class GalaxyUnderTest:
    """A running Galaxy and how to log in."""

    connection: Connection
    folder: Path

    def password(self) -> str:
        """Return the user's password."""
        return str(json.loads((self.folder / "secrets.json").read_text())["user_password"])


@pytest.fixture(scope="session")
def galaxy() -> Iterator[GalaxyUnderTest]:
    """Start the Galaxy that all tests share, or use one that is open and named in LIGHTMICROSCOPY_TEST_GALAXY."""
    name = os.environ.get("LIGHTMICROSCOPY_TEST_GALAXY")
    if name:
        connection = running(name)
        assert connection, f"the Galaxy {name!r} is not running"
        yield GalaxyUnderTest(connection, instance_folder(name))
        return
    served = ServedGalaxy(f"tests-{os.getpid()}")
    try:
        yield GalaxyUnderTest(served.ready(), served.folder)
    finally:
        served.remove()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Return the folder where pictures of the browser are kept for people to look at."""
    folder = state_folder() / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        missing("no Chromium on the PATH")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def page(browser: Browser, galaxy: GalaxyUnderTest) -> Page:
    """Return a page of the user, logged in through the form."""
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(f"{galaxy.connection.url}/login/start")
    page.fill("#login-form-name", "user")
    page.fill("#login-form-password", galaxy.password())
    page.click("button[name=login]")
    page.wait_for_selector("#history-panel, .history-index", timeout=60_000)
    return page


@pytest.fixture(scope="module")
def user(galaxy: GalaxyUnderTest) -> GalaxyInstance:
    return GalaxyInstance(galaxy.connection.url, galaxy.connection.user_key)
