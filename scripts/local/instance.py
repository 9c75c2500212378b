"""One Galaxy: claimed, started, ready, stopped."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from . import environments
from .api import GalaxyApi
from .archive import start_archive
from .configuration import load_secrets, our_tools, write_configuration
from .lifeline import Supervised
from .locks import FileLock
from .paths import LocalGalaxyError, make_private, say, state_folder, write_private
from .task_worker import WORKER_LOG, forget_tasks, start_worker

HOST = "127.0.0.1"
# Forty seconds on an idle machine; several times that on a busy one.
START_SECONDS = 900.0
# What Galaxy needs to end its jobs and its worker by itself.
GRACE_SECONDS = 12.0
LOG_LINES_SHOWN = 15
GUNICORN_SETTINGS = Path(__file__).with_name("gunicorn_settings.py")


@dataclass(frozen=True)
class Connection:
    """How to reach a running Galaxy.

    Attributes
    ----------
    url
        Its address.
    user_key, admin_key
        API keys of the ordinary user and of the administrator.
    live
        Whether its tools talk to the live archives, and not to the sample archive.
    """

    url: str
    user_key: str
    admin_key: str
    live: bool = False


def instance_folder(name: str) -> Path:
    """Return where an instance keeps its configuration, database and files.

    Raises
    ------
    LocalGalaxyError
        When the name could not be a folder's.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise LocalGalaxyError(f"{name!r} cannot name a Galaxy; use letters, digits, '.', '_' and '-'.")
    return state_folder() / "galaxy" / name


def running(name: str) -> Connection | None:
    """Return the connection to an instance that another program runs, if one does and it answers."""
    path = instance_folder(name) / "connection.json"
    try:
        connection = Connection(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    lock = FileLock(path.with_name("lock"))
    if lock.acquire(wait=False):
        lock.release()
        return None
    return connection if GalaxyApi(connection.url).answers() else None


class Instance:
    """A Galaxy of this checkout.

    Parameters
    ----------
    name
        Which state to use; it must not be in use.
    port
        Port to listen on; 0 takes the one used last time if free, else any free one.
    live
        Whether its tools talk to the live archives, and not to a sample archive that is started with it.
    long
        Whether it will have so many jobs that a worker beside it, which takes time to start, soon pays.
    """

    def __init__(self, name: str, lock: FileLock, port: int = 0, *, live: bool = False, long: bool = False) -> None:
        self.name = name
        self.folder = instance_folder(name)
        self.log = self.folder / "galaxy.log"
        self._lock = lock
        self._wanted_port = port
        self.live = live
        self.long = long
        self._supervised: Supervised | None = None
        self._archive: Supervised | None = None
        self._worker: Supervised | None = None
        self.url = ""
        self.keys: dict[str, str] = {}

    @classmethod
    def claim(cls, name: str | None, port: int = 0, *, live: bool = False, long: bool = False) -> Instance:
        """Take an instance that nobody uses: the named one, or ``default``, ``default-2`` and so on.

        Raises
        ------
        LocalGalaxyError
            When the named one is in use.
        """
        candidates = [name] if name is not None else ["default", *(f"default-{number}" for number in range(2, 100))]
        for candidate in candidates:
            folder = make_private(instance_folder(candidate))
            lock = FileLock(folder / "lock")
            if lock.acquire(wait=False):
                # One that was killed left its address behind.
                (folder / "connection.json").unlink(missing_ok=True)
                if candidate != candidates[0]:
                    say(f"Galaxy {candidates[0]!r} is in use, so this is {candidate!r}, with its own histories.")
                return cls(candidate, lock, port, live=live, long=long)
        raise LocalGalaxyError(f"The Galaxy {name or 'default'!r} is already running; stop it, or choose another name with --name.")

    def start(self) -> None:
        """Start the server and wait until it answers with every tool loaded.

        Raises
        ------
        LocalGalaxyError
            When it cannot start, with the last lines of its log.
        """
        with self._bind() as listener:
            galaxy, tools = environments.ensure("galaxy"), environments.ensure("tools")
            self.url = f"http://{HOST}:{listener.getsockname()[1]}"
            self.keys = load_secrets(self.folder)
            endpoints = None
            if not self.live:
                self._archive, endpoints = start_archive(self.folder)
            forget_tasks(self.folder / "data")
            config_file = write_configuration(self.folder, self.url, galaxy, tools, self.keys, endpoints, worker=self.long)
            self.log.unlink(missing_ok=True)
            say(f"Starting Galaxy (log: {self.log}) …")
            environ = _server_environ(galaxy.programs, config_file)
            self._supervised = Supervised(
                [galaxy.programs / "gunicorn", "--config", GUNICORN_SETTINGS, "--bind", f"fd://{listener.fileno()}"],
                log=self.log,
                grace=GRACE_SECONDS,
                env=environ,
                cwd=self.folder,
                listen=listener,
                lock=self._lock,
            )
        self._await_answer()
        if self.long:
            # Not before: the server makes the database.
            self._worker = start_worker(galaxy, self.folder, environ)
        self._check_tools()

    def _bind(self) -> socket.socket:
        """Bind the port here and hand it over, so that nobody can take it in between."""
        port_file = self.folder / "port"
        remembered = int(port_file.read_text()) if port_file.exists() else 0
        for port in [self._wanted_port] if self._wanted_port else [remembered, 0]:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, port))
            except (OSError, OverflowError) as error:
                listener.close()
                if self._wanted_port:
                    reason = getattr(error, "strerror", None) or error
                    advice = "choose another with --port, or leave it out to get a free one"
                    raise LocalGalaxyError(f"Galaxy cannot listen on port {port} ({reason}); {advice}.") from error
                continue
            port_file.write_text(str(listener.getsockname()[1]))
            return listener
        raise LocalGalaxyError("This machine has no free port.")

    def _await_answer(self) -> None:
        api, deadline, pause = GalaxyApi(self.url), time.monotonic() + START_SECONDS, threading.Event()
        while not api.answers():
            if self.ended() is not None:
                raise LocalGalaxyError(f"Galaxy did not start.\n{_end_of(self.log)}")
            if time.monotonic() > deadline:
                raise LocalGalaxyError(f"Galaxy did not answer within {START_SECONDS:.0f} seconds.\n{_end_of(self.log)}")
            pause.wait(0.5)

    def _check_tools(self) -> None:
        loaded = {tool["id"] for tool in GalaxyApi(self.url, self.keys["bootstrap_key"]).get("tools?in_panel=false")}
        missing = sorted(set(our_tools()) - loaded)
        if missing:
            reasons = [
                line for line in self.log.read_text(errors="replace").splitlines() if any(tool in line for tool in missing) and "ERROR" in line
            ]
            raise LocalGalaxyError("\n".join([f"Galaxy could not load {', '.join(missing)}; its log {self.log} says why.", *reasons[-3:]]))

    def ended(self) -> int | None:
        """Return the exit status of the server or its worker, or None while both run."""
        ends = (process.ended() for process in (self._supervised, self._worker) if process)
        return next((status for status in ends if status is not None), None)

    def announce(self, connection: Connection) -> None:
        """Let other programs of this user find the running Galaxy."""
        write_private(self.folder / "connection.json", json.dumps(vars(connection)))

    def wait(self) -> None:
        """Wait until the server ends by itself, which it should not.

        Raises
        ------
        LocalGalaxyError
            When it does.
        """
        if self._supervised:
            pause = threading.Event()
            while (status := self.ended()) is None:
                pause.wait(1.0)
            worker_ended = self._worker is not None and self._worker.ended() is not None
            log = self.folder / WORKER_LOG if worker_ended else self.log
            raise LocalGalaxyError(f"Galaxy ended by itself (status {status}).\n{_end_of(log)}")

    def stop(self) -> None:
        """End the server and every job, and free the instance."""
        (self.folder / "connection.json").unlink(missing_ok=True)
        if self._worker:
            self._worker.close()
        if self._supervised:
            self._supervised.stop()
        if self._worker:
            self._worker.stop()
        if self._archive:
            self._archive.stop()
        self._lock.release()

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:] if log.exists() else []
    return "\n".join([f"The last lines of {log}:", *(f"  {line}" for line in lines)])


def _server_environ(programs: Path, config_file: Path) -> dict[str, str]:
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"} and not name.startswith("GALAXY_")
    }
    return environ | {
        "PATH": f"{programs}{os.pathsep}{environ.get('PATH', os.defpath)}",
        "GALAXY_CONFIG_FILE": str(config_file),
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
    }
