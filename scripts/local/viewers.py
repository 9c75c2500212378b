"""Galaxy's image viewers, which a server's own build fetches from npm and the Python packages leave out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from pathlib import Path

from . import lifeline
from .locks import FileLock
from .paths import REQUIREMENTS, say, state_folder

_JPEG_2000 = re.compile(r"https://[\w./@-]+/jpx\.js")
_NO_JPEG_2000 = "data:text/javascript,export class JpxImage{parse(){throw new Error(`JPEG 2000 is not supported here`)}}"


def viewers_folder() -> Path:
    """Return the folder with one viewer per sub-folder."""
    return state_folder() / "viewers"


def ensure_viewers() -> Path:
    """Fetch the viewers that are not there yet; without npm or a network Galaxy works without them.

    Returns
    -------
    Path
        The folder that holds those there are.
    """
    folder = viewers_folder()
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.loads((REQUIREMENTS / "viewers.json").read_text())
    if all(_is_current(folder / name, entry) for name, entry in wanted.items()):
        return folder
    npm = shutil.which("npm")
    if npm is None:
        say("npm is not installed, so images cannot be viewed inside this Galaxy; everything else works.")
        return folder
    lock = FileLock(folder / ".lock")
    lock.acquire(wait=True)
    try:
        for name, entry in wanted.items():
            if not _is_current(folder / name, entry) and not _fetch(npm, folder / name, entry):
                say(f"The viewer {name} could not be fetched; everything else works.")
    finally:
        lock.release()
    return folder


def _is_current(folder: Path, entry: dict[str, str]) -> bool:
    stamp = folder / ".stamp"
    return stamp.is_file() and stamp.read_text() == entry["integrity"]


def _fetch(npm: str, folder: Path, entry: dict[str, str]) -> bool:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        status = lifeline.run(
            [npm, "pack", entry["package"], "--silent", "--pack-destination", scratch], log=Path(scratch, "npm.log"), cwd=Path(scratch)
        )
        archives = list(Path(scratch).glob("*.tgz"))
        if status != 0 or len(archives) != 1:
            return False
        digest = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
        if f"sha512-{digest}" != entry["integrity"]:
            return False
        unpacked = Path(scratch, folder.name)
        with tarfile.open(archives[0]) as tar:
            # Its contents are known by their hash.
            tar.extractall(unpacked, filter="data")
        shutil.rmtree(folder, ignore_errors=True)
        (unpacked / "package" / ".stamp").write_text(entry["integrity"])
        (unpacked / "package").rename(folder)
    return True


def _keep_off_the_network(package: Path) -> None:
    """Replace the one module that vizarr imports from the web, without which it shows nothing at all.

    It decodes JPEG 2000 in TIFF, which no OME-Zarr has; a browser without internet access stops at the import.
    """
    for script in package.glob("static/*.js"):
        text = script.read_text(encoding="utf-8")
        script.write_text(_JPEG_2000.sub(_NO_JPEG_2000, text), encoding="utf-8")


def make_static_folder(target: Path, galaxy_static: Path, viewers: Path, welcome: str) -> Path:
    """Make the folder of fixed files that Galaxy serves: its own, the viewers, and our first page.

    Parameters
    ----------
    target
        The folder to make anew.
    galaxy_static
        The one inside the installed Galaxy.
    viewers
        From :func:`ensure_viewers`.
    welcome
        HTML of the page in the middle on opening.
    """
    shutil.rmtree(target, ignore_errors=True)
    plugins = target / "plugins" / "visualizations"
    plugins.mkdir(parents=True)
    for entry in galaxy_static.iterdir():
        if entry.name not in {"plugins", "welcome.html"}:
            (target / entry.name).symlink_to(entry)
    for viewer in viewers.iterdir():
        if (viewer / ".stamp").is_file():
            # Copied, since what is served must lie inside the served folder.
            shutil.copytree(viewer, plugins / viewer.name)
            _keep_off_the_network(plugins / viewer.name)
    (target / "welcome.html").write_text(welcome, encoding="utf-8")
    return target
