"""A real Galaxy starts, is found, and goes without a trace."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from bioblend.galaxy import GalaxyInstance

from local.api import GalaxyApi
from local.paths import LocalGalaxyError

from .conftest import GalaxyUnderTest, ServedGalaxy
from .processes_left import eventually

pytestmark = [pytest.mark.galaxy, pytest.mark.slow]


@pytest.fixture
def served() -> Iterator[ServedGalaxy]:
    other = ServedGalaxy(f"lifecycle-{os.getpid()}")
    yield other
    other.remove()


def start_job(served: ServedGalaxy) -> None:
    """Have a job running."""
    connection = served.ready()
    user = GalaxyInstance(connection.url, connection.user_key)
    history = user.histories.create_history(name="left running")["id"]
    user.tools.paste_content("an image", history)
    assert eventually(lambda: any(job["state"] == "running" for job in user.jobs.get_jobs()), 60)
    assert eventually(lambda: len(served.left()) > 4, 20)


def test_killed_while_a_job_runs_it_leaves_no_process_and_starts_again(served: ServedGalaxy, galaxy: GalaxyUnderTest) -> None:
    """Beside the Galaxy that the other tests share, so that two run at once."""
    start_job(served)
    assert GalaxyInstance(galaxy.connection.url, galaxy.connection.user_key).users.get_current_user()["username"] == "user"
    served.process.kill()
    served.process.wait(10)
    assert eventually(lambda: served.left() == [], 60)
    again = ServedGalaxy(served.name)
    try:
        connection = again.ready()
        names = [history["name"] for history in GalaxyInstance(connection.url, connection.user_key).histories.get_histories()]
        assert "left running" in names
        assert again.interrupt() == 0
        assert again.left() == []
        assert not (again.folder / "connection.json").exists()
    finally:
        again.remove()


def test_a_galaxy_that_cannot_start_shows_the_end_of_its_log() -> None:
    broken = ServedGalaxy.prepared(f"broken-{os.getpid()}", {"data/galaxy.sqlite": b"this is no database"})
    try:
        assert broken.process.wait(900) == 1
        printed = broken.printed.read_text()
        assert "galaxy: Galaxy did not start." in printed
        assert "file is not a database" in printed
        assert broken.left() == []
    finally:
        broken.remove()


def test_the_users_files_and_keys_are_hers_alone(galaxy: GalaxyUnderTest) -> None:
    for name in ("secrets.json", "connection.json", "config/galaxy.yml"):
        assert (galaxy.folder / name).stat().st_mode & 0o077 == 0, name
    assert galaxy.folder.stat().st_mode & 0o077 == 0


def test_nobody_can_use_it_without_a_key_to_make_an_account(galaxy: GalaxyUnderTest) -> None:
    with pytest.raises(LocalGalaxyError):
        GalaxyApi(galaxy.connection.url).request("POST", "users", {"username": "intruder", "email": "intruder@example.org", "password": "intruder1"})


def test_interrupting_ends_with_success(served: ServedGalaxy) -> None:
    served.ready()
    os.killpg(served.process.pid, signal.SIGINT)
    assert served.process.wait(60) == 0
    assert served.left() == []
