"""HDF5: Imaris IMS, BigDataViewer, and any other file that holds images, such as those of ilastik and Fiji.

The HDF5 library finds out what a file holds, in a process of its own (`hdf5_worker`); the pixels are read and decoded here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from ..image import Dataset, Location

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_STARTS: Final = (0, 512, 1024, 2048)
"""Where in the first 4096 bytes the signature may be: after a block that other programs use."""
_SPIM_DATA: Final = re.compile(rb"<SpimData[\s>]")


def sniff(path: Path, head: bytes) -> bool:
    """Whether this is an HDF5 file, or the XML of BigDataViewer that belongs to one."""
    return not path.is_dir() and (any(head.startswith(SIGNATURE, start) for start in _STARTS) or is_xml(head))


def is_xml(head: bytes) -> bool:
    """Whether this is the beginning of a BigDataViewer XML."""
    return head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and _SPIM_DATA.search(head) is not None


def open_dataset(location: Location) -> Dataset:
    """Open an HDF5 file.

    Raises
    ------
    UnreadableError
        If it is damaged, holds no image, or its pixels lie in other files or behind filters that are not known.
    LimitError
        If it asks for more than is allowed.
    UsageError
        If axes are given that fit none of its datasets.
    """
    from .hdf5_process import start

    # It takes as long to start as the modules here take to load.
    start()
    from . import hdf5_bdv, hdf5_ims, hdf5_plain
    from .hdf5_file import HdfFile

    path, xml = hdf5_bdv.members(location)
    file = HdfFile(path)
    try:
        if hdf5_ims.is_ims(file):
            return hdf5_ims.open_ims(location, file)
        if hdf5_bdv.is_bdv(file):
            return hdf5_bdv.open_bdv(location, file, path, xml)
        return hdf5_plain.open_plain(location, file)
    except BaseException:
        file.close()
        raise
