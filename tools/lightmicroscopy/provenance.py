"""Where an output came from: the source, its checksum, what was selected, which version wrote it and when."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .image import Dataset, Image, MapAnnotation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAMESPACE = "lightmicroscopy/provenance"
"""Namespace of the map annotation that carries it in OME-XML."""

SOURCE, SOURCE_FORMAT, SOURCE_LOSSY, SOURCE_SUM = "Source", "Source format", "Source lossy", "Source SHA-256"
"""Keys that are read again, by the check of what was converted."""
YES, NO = "yes", "no"

BLOCK = 1 << 20


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_of(files: Mapping[str, Path]) -> str:
    """Return the SHA-256 of one file, or of many as the SHA-256 of their checksum list.

    For several files (a set, or a store) it is that of the lines ``<sha256>  <name>`` sorted by name, so that it can be
    made again with ``sha256sum``.
    """
    if len(files) == 1:
        return sha256(next(iter(files.values())))
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(os.fsencode(f"{sha256(files[name])}  {name}\n"))
    return digest.hexdigest()


def files_below(path: Path) -> dict[str, Path]:
    """List a file, or all files in a folder by their path within it.

    Inside a folder only regular files count: what a link there leads to is no part of it, and a pipe or device has no end.
    """
    if not path.is_dir():
        return {path.name: path}
    found = {}
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder) / name
            if stat.S_ISREG(file.lstat().st_mode):
                found[file.relative_to(path).as_posix()] = file
    return found


def checksums(paths: Iterable[Path], folder: Path) -> Iterator[tuple[str, str]]:
    """SHA-256, and path below `folder`, of every file of some outputs."""
    for path in paths:
        for name, file in files_below(path).items():
            yield sha256(file), (path / name if path.is_dir() else path).relative_to(folder).as_posix()


def checksum_of_source(dataset: Dataset) -> str:
    """Return the SHA-256 of all that a dataset is made of; empty for a store on a server, which is never fetched whole."""
    if dataset.location.store is not None:
        return ""
    if dataset.location.path.is_dir() or not dataset.files:
        return sha256_of(files_below(dataset.location.path))
    return sha256_of({file.name: file for file in dataset.files})


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything needed to say where an output came from."""

    source: str
    checksum: str
    selection: str
    parameters: tuple[tuple[str, str], ...]
    date: str
    format: str = ""
    """Of the source, where known."""
    url: str = ""
    """Where the source was fetched from."""

    def annotation(self, series: int, series_name: str, *, lossy: bool = False) -> MapAnnotation:
        """Make the map annotation for one series of the output; `lossy` if its values were not the measured ones any more."""
        pairs = [
            (SOURCE, self.source),
            *([(SOURCE_FORMAT, self.format)] if self.format else []),
            (SOURCE_LOSSY, YES if lossy else NO),
            *([("Source URL", self.url)] if self.url else []),
            *([(SOURCE_SUM, self.checksum)] if self.checksum else []),
            ("Source series", str(series)),
            ("Source series name", series_name),
            ("Selection", self.selection or "everything"),
            *((f"Parameter {name}", value) for name, value in self.parameters),
            ("Software", f"Galaxy light microscopy suite {__version__}"),
            ("Date", self.date),
        ]
        return MapAnnotation(NAMESPACE, tuple(pairs))


def now() -> str:
    """Return the present moment in UTC as ISO 8601; SOURCE_DATE_EPOCH takes its place for reproducible outputs."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(fixed), UTC) if re.fullmatch(r"[0-9]{1,11}", fixed) else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def records_of(image: Image) -> list[dict[str, str]]:
    """Read what this suite noted each time it wrote an image, oldest first."""
    return [dict(note.pairs) for note in image.metadata.annotations if note.namespace == NAMESPACE]
