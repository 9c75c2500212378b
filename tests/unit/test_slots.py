"""Jobs on one machine share the connections to a host, and none of them waits for ever."""

from __future__ import annotations

import fcntl
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lightmicroscopy.archives.slots import PATIENCE, Slots, runtime_folder

HOST = ("archive.example", 443)
HOLDER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from lightmicroscopy.archives.slots import Slots
with Slots(1, folder=Path(sys.argv[2])).at("archive.example", 443):
    print("held", flush=True)
    sys.stdin.read()
"""


class Clock:
    """Time that passes by sleeping; `then` is done at each sleep."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.now, self.then = 0.0, then

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.then()


def jobs(folder: Path, connections: int, count: int) -> list[Slots]:
    return [Slots(connections, folder=folder) for _ in range(count)]


def test_several_jobs_together_use_no_more_connections_than_one_may(tmp_path: Path) -> None:
    lock, held, most, done = threading.Lock(), [0], [0], [0]

    def ask(job: Slots) -> None:
        with job.at(*HOST):
            with lock:
                held[0] += 1
                most[0] = max(most[0], held[0])
            with lock:
                held[0] -= 1
                done[0] += 1

    with ThreadPoolExecutor(9) as pool:
        list(pool.map(ask, jobs(tmp_path, 2, 3) * 20))
    assert done == [60]
    assert most[0] <= 2


def test_hosts_do_not_wait_for_each_other(tmp_path: Path) -> None:
    one, other = jobs(tmp_path, 1, 2)
    with one.at(*HOST), other.at("other.example", 443), other.at("archive.example", 8443) as nothing:
        assert nothing is None


def test_a_job_that_waits_says_so_and_goes_on_when_a_place_is_free(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (first,) = jobs(tmp_path, 1, 1)
    holding = first.at(*HOST)
    holding.__enter__()
    clock = Clock(lambda: holding.__exit__(None, None, None) if 10 <= clock.now < 10.03 else None)
    with caplog.at_level(logging.INFO, "lightmicroscopy"), Slots(1, folder=tmp_path, sleep=clock.sleep, clock=clock).at(*HOST):
        assert 10 <= clock.now < 11
    (record,) = caplog.records
    assert record.message == "Other jobs on this machine use all 1 connections to archive.example:443; waiting for one."


def test_a_job_that_has_waited_long_goes_on_with_one_connection_beyond(tmp_path: Path) -> None:
    (first,) = jobs(tmp_path, 1, 1)
    clock = Clock()
    second = Slots(2, folder=tmp_path, sleep=clock.sleep, clock=clock)
    with first.at(*HOST), Slots(2, folder=tmp_path).at(*HOST), second.at(*HOST):
        assert PATIENCE <= clock.now < PATIENCE + 1


def test_who_had_a_place_lets_those_go_first_who_wait(tmp_path: Path) -> None:
    def wait() -> None:
        with Slots(1, folder=tmp_path).at(*HOST):
            pass

    clock = Clock()
    (first,) = jobs(tmp_path, 1, 1)
    waiting = threading.Thread(target=wait, daemon=True)
    with first.at(*HOST):
        waiting.start()
        while not any(path.suffix == ".waiting" and is_held(path) for path in tmp_path.iterdir()):
            waiting.join(0.01)
        with Slots(2, folder=tmp_path, sleep=clock.sleep, clock=clock).at(*HOST):
            assert clock.now > 0
    waiting.join(30)
    assert not waiting.is_alive()


def test_requests_do_not_take_each_other_for_waiting_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pauses: list[float] = []
    lock = fcntl.flock

    def slow(descriptor: int, kind: int) -> None:
        lock(descriptor, kind)
        time.sleep(0.001)  # so that all of them look at once

    (waiter,) = jobs(tmp_path, 1, 1)
    with waiter.at("archive.example", 443):
        pass
    for path in [*tmp_path.iterdir()]:
        path.with_suffix(".waiting").touch()  # as it stays after somebody waited
    monkeypatch.setattr(fcntl, "flock", slow)
    slots = Slots(8, folder=tmp_path, sleep=pauses.append)

    def ask(_: int) -> None:
        for _ in range(25):
            with slots.at("archive.example", 443):
                pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert not pauses


def test_the_place_of_a_job_that_was_killed_is_free(tmp_path: Path, tools: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tools), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        held = [path for path in tmp_path.iterdir() if is_held(path)]
        process.kill()
        process.wait(10)
    assert len(held) == 1
    clock = Clock()
    with Slots(1, folder=tmp_path, sleep=clock.sleep, clock=clock).at(*HOST):
        assert clock.now == 0


def is_held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.parametrize("kind", ["file", "open to all", "link"])
def test_a_folder_that_is_not_of_this_user_alone_is_not_used(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder, there = tmp_path / "runtime", tmp_path / "there"
    there.mkdir(mode=0o700)
    if kind == "file":
        folder.write_text("x")
    elif kind == "link":
        folder.symlink_to(there)
    else:
        folder.mkdir()
        folder.chmod(0o777)
    slots = Slots(1, folder=folder)
    with caplog.at_level(logging.DEBUG, "lightmicroscopy"):
        for _ in range(2):
            with slots.at(*HOST):
                pass
    assert len(caplog.records) == 1
    assert caplog.records[0].message.startswith("The limit of connections holds for this job only: ")
    assert not list(there.iterdir())


def test_the_folder_is_not_in_that_of_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "job"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert runtime_folder() == tmp_path / "light-microscopy-suite"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert runtime_folder().name == f"light-microscopy-suite-{os.getuid()}"
    assert tmp_path not in runtime_folder().parents
