"""Original files: kept as they are, or held while an image is read from them."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import TYPE_CHECKING, Final

from .. import readers
from ..errors import ArchiveError, UnreadableError, UnwritableError, UsageError
from ..image import Location
from ..provenance import sha256
from ..writers.atomic import remove
from .fetch_file import Fetched, forget_part
from .original_paths import original_path

if TYPE_CHECKING:
    from ..image import Dataset
    from .http import Client
    from .manifest import Row

_SCRATCH: Final = ".originals-"


class Originals:
    """Fetches original files, each once in a call, however many images it holds; those that an earlier call has kept, not at all.

    Files may be kept from several threads; only one may open images.
    """

    def __init__(self, client: Client, scratch: Path, limit: int, kept: Mapping[str, Row], begun: frozenset[str] = frozenset()) -> None:
        self._client = client
        self._scratch = scratch
        self._limit = limit
        self._earlier = kept
        self._begun = begun
        self._kept: dict[str, Fetched] = {}
        self._locks: dict[str, Lock] = {}
        self._folders: set[Path] = set()
        self._held: tuple[str, ...] = ()

    def row(self, row: Row, output: Path, progress: Callable[[int, int], None]) -> Row:
        """Fetch the file of a planned row to stay, and give the row as it is then; raises as `keep`."""
        fetched = self.keep(row.source_url, output / row.path, row.bytes, progress)
        return replace(
            row, status="done", bytes=fetched.bytes, sha256=fetched.sha256, server_checksum=fetched.server_checksum, attempts=fetched.attempts
        )

    def keep(self, url: str, path: Path, expected: int | None, progress: Callable[[int, int], None]) -> Fetched:
        """Fetch a file to stay.

        Raises
        ------
        UsageError
            If something is at `path` that this call has not put there.
        ArchiveError
            If it cannot be fetched whole.
        """
        # Images of one file may be at it at the same time.
        with self._locks.setdefault(url, Lock()):
            known = self._kept.get(url) or self._from_earlier(url, path)
            if known is None:
                known = self._kept[url] = self._fetch(url, path, expected, progress)
        return known

    def _fetch(self, url: str, path: Path, expected: int | None, progress: Callable[[int, int], None]) -> Fetched:
        if os.path.lexists(path):
            if str(path.relative_to(self._scratch.parent)) in self._begun and _is_file_of(path, expected):
                # Files get their names when they are whole.
                forget_part(path)
                return Fetched(url, path, path.stat().st_size, sha256(path), "", 0)
            raise UsageError(
                f"{path.name} is already in the output folder and is not overwritten. Remove it, or give the earlier manifest as the table."
            )
        self._folders.update(folder for folder in path.parents if not folder.exists())
        refuse_link_out(path, self._scratch.parent)
        make_folder(path.parent, url)
        limit = self._limit if expected is None else expected
        return self._client.download(url, path, limit=limit, expected=expected, progress=progress)

    def remove_empty_folders(self) -> None:
        """Remove the folders that were made for files that then could not be had."""
        for folder in sorted(self._folders, key=lambda folder: len(folder.parts), reverse=True):
            with suppress(OSError):
                folder.rmdir()

    def _from_earlier(self, url: str, path: Path) -> Fetched | None:
        row = self._earlier.get(url)
        if row is None or row.bytes is None or row.path != path.relative_to(self._scratch.parent).as_posix():
            return None
        return Fetched(url, path, row.bytes, row.sha256, row.server_checksum, row.attempts or 0)

    def open(self, urls: Sequence[str], sizes: Sequence[int | None], progress: Callable[[int, int], None]) -> Dataset:
        """Fetch the files of one image and open them; those of the last call are still there.

        Raises
        ------
        UnreadableError
            If no reader knows them.
        ArchiveError
            If they cannot be fetched whole.
        """
        files = [self._scratch / original_path(url, exact=True) for url in urls]
        if tuple(urls) != self._held:
            self._held = ()
            for entry in self._scratch.iterdir():
                remove(entry)
            before = 0
            for url, file, size in zip(urls, files, sizes, strict=True):
                make_folder(file.parent, url)
                limit = self._limit if size is None else size
                self._client.download(url, file, limit=limit, expected=size, progress=after(before, progress))
                before += size or 0
            self._held = tuple(urls)
        try:
            return readers.open(Location(files[0], tuple(files), url=urls[0]))
        except UnreadableError as error:
            raise UnreadableError(f"{error} As it is, it can be had with the format original.") from error


def _is_file_of(path: Path, size: int | None) -> bool:
    return not path.is_symlink() and path.is_file() and (size is None or path.stat().st_size == size)


def refuse_link_out(path: Path, root: Path) -> None:
    """Raise `UsageError` if a folder on the way to `path` is a link that leads out of `root`."""
    there = next(folder for folder in path.parents if folder.exists())
    if not there.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"{there.name} in the output folder is a link that leads out of it, and nothing is written there. Remove it.")


def make_folder(folder: Path, url: str) -> None:
    """Make a folder for what comes from `url`.

    Raises
    ------
    ArchiveError
        If a file is in the way.
    UnwritableError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ArchiveError(f"{url} lies below another file, which no folder can hold. Fetch it by itself, into another folder.") from error
    except OSError as error:
        raise UnwritableError(
            f"The folder {folder.name} cannot be made in the output folder: {error.strerror}. Check your rights and the free space."
        ) from error


def after(before: int, progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Progress of one file of several."""
    return lambda count, total: progress(before + count, total)


@contextmanager
def fetching_originals(client: Client, output: Path, limit: int, kept: Mapping[str, Row], begun: frozenset[str] = frozenset()) -> Iterator[Originals]:
    """Give a fetcher whose scratch folder is removed at the end, whatever happens.

    Parameters
    ----------
    limit
        Most bytes of a file whose length is not known.
    kept
        Rows of files that lie in `output` already, by address.
    begun
        Paths of files that a call which was killed may have finished.
    """
    _remove_abandoned(output)
    with scratch_folder(output) as scratch:
        originals = Originals(client, scratch, limit, kept, begun)
        try:
            yield originals
        finally:
            originals.remove_empty_folders()


@contextmanager
def scratch_folder(output: Path) -> Iterator[Path]:
    """Give a hidden folder in the output folder; it is removed at the end, or by the next call if this one is killed."""
    try:
        scratch = Path(mkdtemp(prefix=_SCRATCH, dir=output))
    except OSError as error:
        raise UnwritableError(f"Nothing can be written in the output folder: {error.strerror}. Choose one you may write to.") from error
    try:
        with _locked(scratch):
            yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold a folder as long as this process lives, where the file system can; gives whether it is ours."""
    descriptor = -1
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = True
    except OSError:
        ours = False
    try:
        yield ours
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _remove_abandoned(output: Path) -> None:
    """Remove what calls that were killed could not."""
    for left in output.glob(f"{_SCRATCH}*"):
        with _locked(left) as nobody_holds_it:
            if nobody_holds_it:
                shutil.rmtree(left, ignore_errors=True)
