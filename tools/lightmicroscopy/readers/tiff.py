"""TIFF in all its forms: OME-TIFF and its companion files, ImageJ, LSM, and plain TIFF.

tifffile parses the structure; pixels are read and decoded by `tiff_source`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import LimitError
from ..metadata.safe_xml import LARGEST
from . import tiff_ome, tiff_plain, tiff_series
from .tiff_pages import PageBook

if TYPE_CHECKING:
    from pathlib import Path

    from ..image import Dataset, Location

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_OME_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?OME[\s>/]")


def sniff(path: Path, head: bytes) -> bool:
    """Whether this is a TIFF, or the OME-XML companion of a set of them."""
    return not path.is_dir() and (head[:4] in _MAGIC or is_ome_xml(head))


def is_ome_xml(description: bytes) -> bool:
    """Whether a description begins as OME-XML does, be it well-formed or not."""
    text = description[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    return text.startswith(b"<") and _OME_ROOT.search(text) is not None


def open_dataset(location: Location) -> Dataset:
    """Open a TIFF, or a companion file with its TIFFs.

    Raises
    ------
    UnreadableError
        If it is damaged or truncated, its pixels are of a kind that is not read, or files of its set are missing.
    LimitError
        If it asks for more than is allowed.
    """
    with location.path.open("rb") as stream:
        head = stream.read(4096)
    if head[:4] not in _MAGIC:
        return tiff_ome.open_companion(location, _companion_xml(location))
    book = PageBook(location.path)
    try:
        return _open(location, book)
    except BaseException:
        book.close()
        raise
    finally:
        book.settle()


def _companion_xml(location: Location) -> bytes:
    if location.path.stat().st_size > LARGEST:
        raise LimitError(f"{location.name} is an XML file of more than {LARGEST:,} bytes. Check where it comes from.")
    return location.path.read_bytes()


def _open(location: Location, book: PageBook) -> Dataset:
    warnings: tuple[str, ...] = ()
    description = book.scanner.description(book.ifds[0].offset)
    if is_ome_xml(description):
        try:
            return tiff_ome.open_tiff(location, book, description)
        except tiff_ome.OmeMismatchError as error:
            warnings = (
                f"The OME-XML in {location.name} does not fit its pixels ({error}); the pixels were read as plain TIFF, without its metadata.",
            )
    dataset = tiff_series.open_tiff(location, book, warnings)
    return dataset if dataset is not None else tiff_plain.open_tiff(location, book, warnings)
