"""The stand-in as a program and as a context."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest

from . import Archive
from .asking import ask


class Running:
    """`python -m tests.archives` in the background."""

    def __init__(self, root: Path, endpoints: Path, *more: str) -> None:
        command = [sys.executable, "-m", "tests.archives", "--endpoints", str(endpoints), *more]
        self.process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stderr is not None
        self.line = self.process.stderr.readline().decode()
        self.endpoints: dict[str, str] = json.loads(endpoints.read_text(encoding="utf-8"))

    def ended(self) -> tuple[int, bytes]:
        """Wait for the end."""
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(root: Path, tmp_path: Path, number: signal.Signals) -> None:
    endpoints, log = tmp_path / "some" / "endpoints.json", tmp_path / "log.jsonl"
    running = Running(root, endpoints, "--log", str(log))
    assert ask(f"{running.endpoints['idr_web']}/api/").status == 200
    assert running.endpoints["idr_web"] in running.line
    running.process.send_signal(number)
    assert running.ended() == (0, b"")
    assert not endpoints.exists()
    assert json.loads(log.read_text())["path"] == "/api/"
    with pytest.raises(ConnectionRefusedError):
        ask(f"{running.endpoints['idr_web']}/api/")


def test_it_goes_when_whoever_started_it_goes(root: Path, tmp_path: Path) -> None:
    running = Running(root, tmp_path / "endpoints.json", "--until-stdin-closes")
    assert ask(f"{running.endpoints['idr_web']}/api/").status == 200
    assert running.ended() == (0, b"")


def test_every_service_the_suite_knows_is_on_the_loopback_interface(shared_archive: Archive) -> None:
    names = {
        "idr_web",
        "idr_search",
        "idr_originals",
        "object_store",
        "biostudies",
        "biostudies_files",
        "bia_api",
        "ontology_lookup",
        "ontology_files",
    }
    assert set(shared_archive.endpoints) == names
    assert {urllib.parse.urlsplit(url).hostname for url in shared_archive.endpoints.values()} == {"127.0.0.1"}


def test_the_log_says_what_was_asked_and_how_much_was_sent(archive: Archive) -> None:
    answer = ask(f"{archive.endpoints['object_store']}/idr/zarr/v0.4/idr0062A/6001240.zarr/.zattrs?x=1", User_Agent="tester/1")
    (line,) = archive.asked("objects")
    assert (line.method, line.query, line.status, line.sent, line.headers["user-agent"]) == ("GET", "x=1", 200, len(answer.body), "tester/1")


def test_latency_is_added_to_every_answer() -> None:
    with Archive(latency=0.05) as archive:
        started = time.monotonic()
        ask(f"{archive.endpoints['idr_web']}/api/")
        assert time.monotonic() - started >= 0.05


def test_one_connection_serves_many_requests(shared_archive: Archive) -> None:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(shared_archive.endpoints["idr_web"]).netloc, timeout=5)
    sockets = set()
    for _ in range(20):
        connection.request("GET", "/api/v0/")
        connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1


def test_many_connections_at_once(shared_archive: Archive) -> None:
    url = f"{shared_archive.endpoints['idr_web']}/api/v0/m/images/6001240/"
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        assert {answer.status for answer in pool.map(lambda _: ask(url), range(200))} == {200}


def test_closing_ends_what_is_under_way() -> None:
    with Archive() as archive:
        fault = archive.faults.add("never")
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(archive.endpoints["idr_web"]).netloc, timeout=5)
        connection.request("GET", "/api/")
        while not fault.happened:
            archive.stopping.wait(0.01)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        connection.getresponse()
    connection.close()
