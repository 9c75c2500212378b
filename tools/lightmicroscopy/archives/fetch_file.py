"""One file, fetched to disk: resumed where it broke off, checked as far as it can be, and under its name only when it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from ..errors import ArchiveError, UnwritableError, UsageError
from ..progress import size as spell
from .bodies import looks_like_page, too_long
from .digests import Digests
from .endpoints import shown
from .ranges import content_range
from .retries import Transient

if TYPE_CHECKING:
    from collections.abc import Callable

    from .bodies import Answer
    from .exchanges import Exchanges

_PIECE = 1024 * 1024
_NOTABLE = 256 * 1024
_NOTE_LIMIT = 8192
_STRONG = re.compile(r'"[\x21\x23-\x7e]{1,256}"')
# Servers that take the packing of such a file for its encoding send it as it lies there.
_PACKED = frozenset({".gz", ".tgz", ".bgz", ".svgz"})


@dataclass(frozen=True)
class Fetched:
    """A file that was fetched.

    Parameters
    ----------
    url
        As asked.
    server_checksum
        ``md5:…`` where the server gave one (an ETag of that shape) and it agrees; else empty, because nothing but the length could be checked.
    attempts
        Requests that were needed.
    """

    url: str
    path: Path
    bytes: int
    sha256: str
    server_checksum: str
    attempts: int


def fetch_file(
    exchanges: Exchanges, url: str, path: Path, *, limit: int, expected: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Fetched:
    """Fetch a URL into a new file.

    It grows as ``.<name>.part`` beside `path`. If it breaks off it is continued, in this call or in a later one of the same URL, provided that the
    server can tell (If-Range) that the file is still the same; a changed file starts anew.

    Parameters
    ----------
    limit
        Most bytes; never more are on disk.
    expected
        Bytes it must have, if that is known.
    progress
        Told (done, total) in bytes now and then.

    Raises
    ------
    UsageError
        If `path` exists.
    UnwritableError
        If it cannot be written, or the disk is too small.
    NotAllowedError, MissingError, TooLongError, ArchiveError
        See there.
    """
    if os.path.lexists(path):
        raise UsageError(f"{path.name} is already there and is not overwritten. Remove it, or choose another folder.")
    try:
        with _Part(url, path, limit, expected) as part:
            work = _Work(exchanges, part, progress)
            exchanges.try_again(url, work.attempt, progressed=work.progressed)
            checksum = f"md5:{part.digests.md5()}" if part.promised else ""
            part.publish()
            return Fetched(url, path, part.size, part.digests.sha256(), checksum, work.attempts)
    except OSError as error:
        raise UnwritableError(
            f"{path.name} cannot be written: {error.strerror or error}. Check the folder, its permissions and its free space."
        ) from error


def forget_part(path: Path) -> None:
    """Remove what a call that was killed at the last moment may have left beside a file that is whole."""
    for ending in ("part", "part.json"):
        path.with_name(f".{path.name}.{ending}").unlink(missing_ok=True)


class _Part:
    """The growing file, and beside it a note of what it is a part of."""

    def __init__(self, url: str, path: Path, limit: int, expected: int | None) -> None:
        self.url, self.path, self.limit, self.expected = url, path, limit, expected
        self._part = path.with_name(f".{path.name}.part")
        self._note = path.with_name(f".{path.name}.part.json")
        self.digests = Digests()
        self.total: int | None = None
        self.validator = ""
        self.promised = ""
        """MD5 that the server promises, in hexadecimal; empty for none."""
        self.file: BinaryIO

    def __enter__(self) -> _Part:
        descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        self.file = os.fdopen(descriptor, "r+b")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.file.close()
            raise _busy(self.path) from error
        # Between opening and locking, who held the lock may have finished: then this is no longer the part, but the file itself.
        if not self._part.exists() or not os.path.samestat(self._part.stat(), os.fstat(descriptor)):
            self.file.close()
            raise _busy(self.path)
        self._resume()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.digests.close()
        self.file.close()
        broke_off = error is not None and (not isinstance(error, Exception) or isinstance(error.__cause__, Transient))
        if not (broke_off and self.validator and self.size):
            self._part.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    def _resume(self) -> None:
        """Take over what an earlier call left, if it was of the same URL; its last byte is fetched again, so that there is something to ask for."""
        note = self._read_note()
        there = os.fstat(self.file.fileno()).st_size
        self.restart(truncate=False)
        keep = min(there, self.limit, (note[1] or there + 1) - 1)
        if note[0] and keep > 0:
            self.validator, self.total, self.promised = note
            while self.size < keep and (data := self.file.read(min(_PIECE, keep - self.size))):
                self._account(data)
        self.file.truncate(self.size)

    def _read_note(self) -> tuple[str, int | None, str]:
        try:
            with self._note.open("rb") as file:
                note = json.loads(file.read(_NOTE_LIMIT))
            if note["url"] == self._fingerprint and isinstance(note["validator"], str) and isinstance(note["promised"], str):
                total = note["total"]
                return note["validator"], total if isinstance(total, int) and total > 0 else None, note["promised"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        return "", None, ""

    @property
    def _fingerprint(self) -> str:
        # Not the URL itself: its query may be somebody's key.
        return hashlib.sha256(self.url.encode()).hexdigest()

    def restart(self, *, truncate: bool = True) -> None:
        """Begin at the first byte."""
        self.size = 0
        self.digests.close()
        self.digests = Digests()
        self.total, self.validator, self.promised = None, "", ""
        self.file.seek(0)
        if truncate:
            self.file.truncate(0)
            self._note.unlink(missing_ok=True)

    def describe(self, total: int | None, validator: str, promised: str) -> None:
        """Note what is being fetched, before its first byte."""
        self.total, self.validator, self.promised = total, validator, promised
        if validator:
            note = {"url": self._fingerprint, "validator": validator, "total": total, "promised": promised}
            self._note.write_text(json.dumps(note), encoding="utf-8")

    def add(self, data: bytes) -> None:
        """Write the next bytes."""
        if self.size + len(data) > self.limit:
            raise too_long(self.url, self.limit)
        self.file.write(data)
        self._account(data)

    def _account(self, data: bytes) -> None:
        self.digests.update(data, md5=bool(self.promised))
        self.size += len(data)

    def publish(self) -> None:
        """Give the file its name."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if os.path.lexists(self.path):
            raise UsageError(f"{self.path.name} has appeared meanwhile and is not overwritten. Remove it, or choose another folder.")
        self._part.rename(self.path)


class _Work:
    """The attempts at one file."""

    def __init__(self, exchanges: Exchanges, part: _Part, progress: Callable[[int, int], None] | None) -> None:
        self.exchanges, self.part, self.progress = exchanges, part, progress
        self.attempts = 0
        self._farthest = part.size
        self._mismatches = 0

    def progressed(self) -> bool:
        """Whether the last attempt came notably farther than any before."""
        farther = self.part.size >= self._farthest + _NOTABLE
        self._farthest = max(self._farthest, self.part.size)
        return farther

    def attempt(self) -> None:
        """Fetch what is missing."""
        self.attempts += 1
        part = self.part
        asked = {"Range": f"bytes={part.size}-", "If-Range": part.validator} if part.size and part.validator else {}
        if not asked:
            part.restart()
        with self.exchanges.answer("GET", part.url, asked) as answer:
            self._begin(answer, resumed=bool(asked))
            for piece in answer.pieces(_PIECE):
                if part.size == 0 and not _wants_page(part.url) and looks_like_page(piece):
                    raise self.exchanges.page_error(answer)
                part.add(piece)
                if self.progress is not None:
                    self.progress(part.size, max(part.size, part.total or part.expected or 0))
        self._check()

    def _begin(self, answer: Answer, *, resumed: bool) -> None:
        part = self.part
        if resumed and answer.status == 416:
            part.restart()
            raise Transient("the file became shorter while it was fetched")
        self.exchanges.demand(answer, 200, 206)
        if not _wants_page(part.url):
            self.exchanges.refuse_page(answer)
        if answer.encoding and _suffix(part.url) not in _PACKED:
            raise ArchiveError(
                f"{shown(answer.url)} is sent compressed although that was not asked for, so its true bytes are unknown. Tell the service."
            )
        if answer.status == 206:
            self._continue(answer)
        else:
            part.restart()
            tag, modified = answer.header("ETag"), answer.header("Last-Modified")
            part.describe(answer.length, tag if _STRONG.fullmatch(tag) else modified[:64], answer.promised_md5)
        self._refuse_size()

    def _continue(self, answer: Answer) -> None:
        part, sent = self.part, content_range(answer)
        tag = answer.header("ETag")
        known = part.total if part.total is not None else sent.total
        # A server that takes no notice of If-Range says at least what it sends a part of.
        stated = tag if part.validator.startswith('"') else answer.header("Last-Modified")[:64]
        changed = (sent.total not in {None, known}) or (stated and stated != part.validator)
        if known is None:
            part.restart()
            raise Transient("it sent a rest without saying how long the whole is")
        if not part.size or sent.first != part.size or changed:
            part.restart()
            raise Transient("the file changed while it was fetched")
        part.total = known

    def _refuse_size(self) -> None:
        part, total = self.part, self.part.total
        if total is None:
            return
        if total > part.limit:
            raise too_long(part.url, part.limit, total)
        if part.expected is not None and total != part.expected:
            raise _wrong_size(part.url, total, part.expected)
        free = shutil.disk_usage(part.path.parent).free
        if free < total - part.size:
            raise UnwritableError(
                f"{part.path.name} needs {spell(total - part.size)} more, and its folder has {spell(free)} left. Free space, or choose another."
            )

    def _check(self) -> None:
        part = self.part
        if part.total is not None and part.size != part.total:
            done = part.size
            if done > part.total:
                part.restart()
            raise Transient(f"it sent {done:,} of {part.total or 0:,} bytes")
        if part.expected is not None and part.size != part.expected:
            raise _wrong_size(part.url, part.size, part.expected)
        if part.promised and part.digests.md5() != part.promised:
            self._mismatches += 1
            promised = part.promised
            part.restart()
            if self._mismatches > 1:
                raise ArchiveError(
                    f"{shown(part.url)} arrived twice with other bytes than the server's own checksum says (MD5 {promised}). "
                    "Nothing was kept; tell the service."
                )
            raise Transient("its bytes do not agree with the server's checksum")


def _busy(path: Path) -> ArchiveError:
    return ArchiveError(f"{path.name} is being fetched by another process already. Wait for it, or choose another folder.")


def _wrong_size(url: str, actual: int, expected: int) -> ArchiveError:
    return ArchiveError(
        f"{shown(url)} has {actual:,} bytes, where {expected:,} were expected. It has changed since it was listed; make the list anew."
    )


def _wants_page(url: str) -> bool:
    return _suffix(url) in {".html", ".htm", ".xhtml"}


def _suffix(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).suffix.lower()
