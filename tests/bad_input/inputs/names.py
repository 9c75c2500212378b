"""Names that no folder should be given as they are."""

import shutil
from pathlib import Path

import numpy as np
import tifffile

from .makers import CELLS, NAMESPACE, TO_TIFF, row
from .promises import ome_text


def named_file(folder: Path, name: str) -> list[str]:
    """Copy the sound image under another name."""
    shutil.copy(CELLS, folder / name)
    return [str(folder / name), *TO_TIFF]


@row("file name with quotes")
def _(folder: Path) -> list[str]:
    return named_file(folder, 'it\'s "mine" $(touch x) `y`.ome.tiff')


@row("file name with a line break")
def _(folder: Path) -> list[str]:
    return named_file(folder, "one\ntwo\tthree.ome.tiff")


@row("file name with emoji")
def _(folder: Path) -> list[str]:
    return named_file(folder, "Zelle 🔬 ø µ.ome.tiff")


@row("file name of nothing but signs")
def _(folder: Path) -> list[str]:
    return named_file(folder, "🔬?!.ome.tiff")


@row("file name like a flag")
def _(folder: Path) -> list[str]:
    return named_file(folder, "-rf.ome.tiff")


@row("file name of 250 bytes")
def _(folder: Path) -> list[str]:
    return named_file(folder, "x" * 241 + ".ome.tiff")


def named_series(folder: Path, *names: str) -> list[str]:
    """Write a file with several series of these names (as XML has them)."""
    pixels = [ome_text({"X": 8, "Y": 8}, name).split(b"<Image", 1)[1].rsplit(b"</OME>", 1)[0] for name in names]
    images = b"".join(
        b"<Image" + text.replace(b":0", b":%d" % number).replace(b"<TiffData/>", b'<TiffData IFD="%d" PlaneCount="1"/>' % number)
        for number, text in enumerate(pixels)
    )
    path = folder / "set.ome.tiff"
    with tifffile.TiffWriter(path) as writer:
        description = b'<?xml version="1.0"?><OME xmlns="%s">' % NAMESPACE.encode() + images + b"</OME>"
        for number in range(len(names)):
            writer.write(np.full((8, 8), number, np.uint8), description=description if number == 0 else None, metadata=None, photometric="minisblack")
    return [str(path), *TO_TIFF]


@row("series names with slashes, quotes, line breaks and emoji")
def _(folder: Path) -> list[str]:
    return named_series(folder, "a/b\\c", "&quot;q&quot; &apos;r&apos;", "one&#10;two", "../../etc", "🔬")


@row("series names of 300 characters that differ at the end")
def _(folder: Path) -> list[str]:
    return named_series(folder, "n" * 300 + "1", "n" * 300 + "2")


@row("series names that are equal")
def _(folder: Path) -> list[str]:
    return named_series(folder, "same", "Same", "")
