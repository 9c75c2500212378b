"""Output that appears under its final name only when it is whole, and leaves nothing behind when it fails."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import UnwritableError, UsageError
from ..progress import size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import FrameType

    _Handler = Callable[[int, FrameType | None], object] | signal.Handlers

_TRIES, _PAUSE_SECONDS = 50, 0.02
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Terminated(SystemExit):
    """SIGTERM, as an exception, so that what was begun is removed before the process ends."""


@contextmanager
def new_output(path: Path, *, most_bytes: int, least_bytes: int = 0) -> Iterator[Path]:
    """Give a hidden temporary path beside `path`, which takes the final name when the block ends without an exception.

    One path of what `new_outputs` does for several.
    """
    with new_outputs([path], most_bytes=most_bytes, least_bytes=least_bytes) as (temporary,):
        yield temporary


@contextmanager
def new_outputs(paths: Sequence[Path], *, most_bytes: int, least_bytes: int = 0) -> Iterator[list[Path]]:
    """Give hidden temporary paths beside `paths`, which take the final names when the block ends without an exception: all, or none.

    Parameters
    ----------
    paths
        The final paths, which are named in this order; nothing may be there.
    most_bytes, least_bytes
        The largest and smallest possible size of the output, as far as known.

    Yields
    ------
    list of Path
        Where to write: files or folders, made by the caller. After any exception, interruption or SIGTERM they are removed, and those that
        had their final names already too. Only a process that is killed while they get them can leave some of several.

    Raises
    ------
    UsageError
        If something is at one of the paths.
    UnwritableError
        If the disk is certain to be, or turns out to be, too small, or writing is not allowed.
    """
    temporaries = [path.parent / f".{secrets.token_hex(6)}.partial" for path in paths]
    for path in paths:
        refuse_existing(path)
        _refuse_too_small(path, least_bytes)
    begun: list[tuple[Path, Path]] = []
    failing = paths[0]

    def undo() -> None:
        for temporary in temporaries:
            # What has its final name already is told by its temporary one being gone: a signal may come between any two statements.
            named = next((path for former, path in begun if former == temporary), None)
            if named is not None and not os.path.lexists(temporary):
                remove(named)
            remove(temporary)

    with _interruptible_once():
        try:
            yield temporaries
            for temporary, path in zip(temporaries, paths, strict=True):
                failing = path
                refuse_existing(path)
                begun.append((temporary, path))
                temporary.rename(path)
        except OSError as error:
            free = _free(failing)
            undo()
            raise UnwritableError(_sentence(failing, error, most_bytes, free)) from error
        except BaseException:
            undo()
            raise


def refuse_existing(path: Path) -> None:
    """Raise `UsageError` if something is at `path`."""
    if os.path.lexists(path):
        raise UsageError(f"{path.name} is already in the output folder and is not overwritten. Remove it, or choose another folder.")


def _refuse_too_small(path: Path, least_bytes: int) -> None:
    free = _free(path)
    if free is not None and free < least_bytes:
        raise UnwritableError(f"{path.name} needs at least {size(least_bytes)}, and the output folder has {size(free)} left. Nothing was written.")


def _free(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return None


def _sentence(path: Path, error: OSError, most_bytes: int, free: int | None) -> str:
    if error.errno in _FULL:
        left = f", and {size(free)} were left when it stopped" if free is not None else ""
        return f"The disk is full: {path.name} needs up to {size(most_bytes)}{left}. Nothing of it was kept. Free space, or choose another folder."
    return f"{path.name} cannot be written: {error.strerror or error}. Check that the output folder exists and that you may write there."


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there.

    A thread that is just finishing its chunk may still put a file into a folder that is being emptied, so that is done again.
    """
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    for _ in range(_TRIES):
        shutil.rmtree(path, ignore_errors=True)
        if not os.path.lexists(path):
            return
        time.sleep(_PAUSE_SECONDS)


@contextmanager
def _interruptible_once() -> Iterator[None]:
    """Let the first SIGINT or SIGTERM stop the work, and no second one stop the tidying up.

    What the program does on a signal is kept, where it does something; SIGTERM else raises `Terminated`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def set_all(handler: _Handler) -> None:
        for number, former in before.items():
            if former not in (signal.SIG_IGN, None):
                signal.signal(number, handler)

    def first(number: int, frame: FrameType | None) -> None:
        set_all(signal.SIG_IGN)
        former = before[signal.Signals(number)]
        if not callable(former):
            raise Terminated(128 + number)
        former(number, frame)
        # The program has decided to go on.
        set_all(first)

    set_all(first)
    try:
        yield
    finally:
        for number, former in before.items():
            if former is not None:
                signal.signal(number, former)
