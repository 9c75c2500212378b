"""Reading byte ranges of a file from several threads, without mapping it into memory."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from ..errors import SuiteError, UnreadableError
from ..names import readable

if TYPE_CHECKING:
    from pathlib import Path

_AT_ONCE = 1 << 30


class RandomFile:
    """One input file, read by position.

    `pread` shares no file position, so threads need no lock, and it releases the interpreter while it waits.

    Parameters
    ----------
    path
        The file.
    hold
        Whether to keep it open between reads. Sets of very many files are opened anew for each read, since an operating
        system lets a process hold only so many.
    """

    def __init__(self, path: Path, *, hold: bool = True) -> None:
        self.path = path
        self.name = readable(path.name)
        self._hold = hold
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._closed = False
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise self._error(error) from error

    def read(self, offset: int, count: int) -> bytes:
        """Read up to `count` bytes at `offset`; fewer only at the end of the file."""
        count = max(0, min(count, self.size - offset))
        if not count:
            return b""
        descriptor = self._open()
        try:
            data = os.pread(descriptor, min(count, _AT_ONCE), offset)
            while len(data) < count:
                more = os.pread(descriptor, min(count - len(data), _AT_ONCE), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise self._error(error) from error
        finally:
            self._done(descriptor)
        return data

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill `buffer` (contiguous) from `offset`; returns how many bytes there were."""
        view = buffer.cast("B")
        descriptor = self._open()
        done = 0
        try:
            while done < len(view):
                got = os.preadv(descriptor, [view[done : done + _AT_ONCE]], offset + done)
                if not got:
                    break
                done += got
        except OSError as error:
            raise self._error(error) from error
        finally:
            self._done(descriptor)
        return done

    def close(self) -> None:
        """Give the file back to the operating system; nothing can be read afterwards."""
        with self._lock:
            self._closed = True
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _open(self) -> int:
        with self._lock:
            if self._closed:
                raise SuiteError(f"{self.name} was to be read after it had been closed. Please report this.")
            if self._hold:
                if self._descriptor is None:
                    self._descriptor = self._new()
                return self._descriptor
        return self._new()

    def _new(self) -> int:
        try:
            return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise self._error(error) from error

    def _done(self, descriptor: int) -> None:
        if not self._hold:
            os.close(descriptor)

    def _error(self, error: OSError) -> UnreadableError:
        return UnreadableError(f"{self.path.name} cannot be read: {error.strerror}. Check that the file is there and that you may read it.")
