"""Copies of files, as fast as the file system makes them."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_CLONE = 0x40049409
"""FICLONE of Linux: the copy shares its blocks with the original until one of them is written to."""
_AT_ONCE = 1 << 28
_NOT_HERE = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.ETXTBSY})
"""What kernels and file systems say that cannot copy by themselves."""


def copy_file(source: Path, target: Path, progress: Callable[[int], None] | None = None) -> None:
    """Copy the content of a file to a new one.

    The kernel copies where it can, and shares blocks where the file system can.

    Parameters
    ----------
    target
        Must not exist.
    progress
        Called with the bytes copied since the last call.

    Raises
    ------
    OSError
        If it cannot be copied.
    """
    told = progress or (lambda _: None)
    with source.open("rb") as reading, target.open("xb") as writing:
        size = os.fstat(reading.fileno()).st_size
        if _shared(reading.fileno(), writing.fileno()):
            told(size)
            return
        done = _by_kernel(reading.fileno(), writing.fileno(), size, told)
        if done < size:
            reading.seek(done)
            writing.seek(done)
            shutil.copyfileobj(reading, writing, 1 << 20)
            told(size - done)


def _shared(source: int, target: int) -> bool:
    import fcntl

    with suppress(OSError):
        fcntl.ioctl(target, _CLONE, source)
        return True
    return False


def _by_kernel(source: int, target: int, size: int, told: Callable[[int], None]) -> int:
    """Copy as far as the kernel does it; returns how far."""
    done = 0
    while done < size and hasattr(os, "copy_file_range"):
        try:
            copied = os.copy_file_range(source, target, min(_AT_ONCE, size - done), done, done)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
            return done
        if not copied:
            return done
        done += copied
        told(copied)
    return done


def link_or_copy(source: Path, target: Path, *, link: bool = True) -> bool:
    """Give a file a second name where it can have one, else copy it; returns whether it is the same file."""
    if link:
        # Another file system, one without links, or somebody else's file.
        with suppress(OSError):
            os.link(source, target, follow_symlinks=True)
            return True
    copy_file(source, target)
    return False
