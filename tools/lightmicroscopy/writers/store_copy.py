"""A copy of a Zarr store in which some metadata files are others: by hard links where the file system has them.

A file that changes is always made anew, never written to: under its other name it belongs to the input.
"""

from __future__ import annotations

import os
import stat
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import UnreadableError
from ..names import readable
from ..readers.zarr_store import LEADS_IN_A_CIRCLE, LEADS_OUT, LINK_FAULTS, refused_link
from .copies import copy_file, link_or_copy

_HEADER_BYTES = 30
_CRC_AT = 14
_HAS_DESCRIPTOR = 0x8


def copy_folder(root: Path, target: Path, replaced: Mapping[str, bytes], *, link: bool = True, progress: Callable[[int], None] | None = None) -> int:
    """Copy the folder of a store.

    Parameters
    ----------
    root
        The folder that holds the store.
    target
        Must not exist.
    replaced
        Content of files by their keys; those that are not there yet are added.
    link
        Whether files may be hard links to the input's; if not, or where links cannot be made, they are copied.
    progress
        Called with the bytes of the files done since the last call.

    Returns
    -------
    int
        Bytes of all files.

    Raises
    ------
    UnreadableError
        If a link in it leads out of it, or there is something in it that is neither file nor folder.
    OSError
        If it cannot be written.
    """
    top = os.path.realpath(root)
    total = 0
    target.mkdir()
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(f"{top}/{folder}") as entries:
            for entry in entries:
                key = f"{folder}{entry.name}"
                if key in replaced:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    (target / key).mkdir()
                    pending.append(f"{key}/")
                    continue
                size = _copy_entry(top, key, target / key, link=link)
                total += size
                if progress is not None:
                    progress(size)
    for key, content in replaced.items():
        place = target / key
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            file.write(content)
        total += len(content)
    return total


def _copy_entry(top: str, key: str, target: Path, *, link: bool) -> int:
    """Link or copy one file; a symbolic link becomes what it leads to."""
    path, name = f"{top}/{key}", readable(Path(top).name)
    source = os.path.realpath(path)
    if source != top and not source.startswith(top.rstrip(os.sep) + os.sep):
        raise refused_link(name, key, LEADS_OUT)
    try:
        state = os.stat(source)  # noqa: PTH116 - string paths: called for every chunk
    except OSError as error:
        if error.errno not in LINK_FAULTS:
            raise
        raise refused_link(name, key, LINK_FAULTS[error.errno]) from error
    if stat.S_ISDIR(state.st_mode):
        raise refused_link(name, key, LEADS_IN_A_CIRCLE if path.startswith(f"{source.rstrip(os.sep)}{os.sep}") else "leads to another folder of it")
    if not stat.S_ISREG(state.st_mode):
        raise UnreadableError(f"{name}: {readable(key)} should be a file and is not one. The store is damaged; ask for it again.")
    link_or_copy(Path(source), target, link=link)
    return state.st_size


def copy_zip(path: Path, target: Path, replaced: Mapping[str, bytes], progress: Callable[[int], None] | None = None) -> int:
    """Copy a zipped store.

    A member that changes is written over where it is stored as it is and the new content is no longer, filled up with spaces as JSON
    and XML allow; else it is added at the end, and the zip's directory leads there.

    Parameters
    ----------
    replaced
        Content of members by their whole names; those that are not there yet are added.

    Returns
    -------
    int
        Size of the zip.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    copy_file(path, target, progress)
    with zipfile.ZipFile(target, "a") as archive, warnings.catch_warnings():
        listed = archive.infolist()
        # Of several members of one name the last counts; the others would come back in a directory of names.
        known = {info.filename: info for info in listed}
        over = [(known[name], content) for name, content in replaced.items() if name in known and _fits(known[name], content)]
        added = [(name, content) for name, content in replaced.items() if name not in known or not _fits(known[name], content)]
        gone = {name for name, _ in added}
        listed[:] = [info for info in listed if info.filename not in gone and info is known[info.filename]]
        for name in gone & known.keys():
            archive.NameToInfo.pop(name)
        with target.open("r+b") as file:
            for info, content in over:
                _write_over(file.fileno(), info, content.ljust(info.file_size, b" "))
        for name, content in added:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
        # Assigned so that the directory is written anew, also where no member was added.
        archive.comment = archive.comment
    return target.stat().st_size


def _fits(info: zipfile.ZipInfo, content: bytes) -> bool:
    return info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & _HAS_DESCRIPTOR and len(content) <= info.file_size


def _write_over(file: int, info: zipfile.ZipInfo, content: bytes) -> None:
    import zlib

    info.CRC = zlib.crc32(content)
    header = os.pread(file, _HEADER_BYTES, info.header_offset)
    begin = info.header_offset + _HEADER_BYTES + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    os.pwrite(file, info.CRC.to_bytes(4, "little"), info.header_offset + _CRC_AT)
    os.pwrite(file, content, begin)
