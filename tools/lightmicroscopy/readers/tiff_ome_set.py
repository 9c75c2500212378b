"""The files of an OME-TIFF set: which of the files given is the one that the metadata name."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import SuiteError, UnreadableError
from ..metadata.safe_xml import LARGEST
from .tiff_pages import PageBook

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..image import Location
    from .tiff_layout import Layout

_HELD = 200
_UUID = re.compile(rb"""<(?:[\w.-]+:)?OME\b[^>]*?\bUUID\s*=\s*["']([^"']{1,100})["']""")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PLAIN = re.compile(r"[^\w.-]")
_LONGEST_NAME = 255
"""Bytes of a file's name that file systems allow; asking for a longer one is an error."""


class TiffSet:
    """Members are looked for among the files given and, by their bare name, in the folder of the one opened; nowhere else.

    Parameters
    ----------
    location
        The file opened and those given with it.
    book
        The file opened, where it is a TIFF.
    """

    def __init__(self, location: Location, book: PageBook | None) -> None:
        self._location = location
        self.name = location.name
        self.own_uuid: str | None = None
        self.warnings: list[str] = []
        self._layouts: dict[object, Layout] = {}
        self._main = book
        self._master: Path | None = None
        self._books: dict[Path, PageBook] = {}
        self._found: dict[tuple[str | None, str | None], PageBook] = {}
        self._uuids: dict[Path, tuple[str, ...]] | None = None
        self._names = 1
        if book is not None:
            self._books[location.path] = book

    @cached_property
    def _given(self) -> tuple[Path, ...]:
        """All files given, looked through only if a member is missed: thousands may have been given that are no set."""
        return tuple(dict.fromkeys((self._location.path, *self._location.files)))

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        # Sets of tens of thousands of files are looked through once, not once for each of them.
        found: dict[str, list[Path]] = {}
        for path in self._given:
            found.setdefault(path.name, []).append(path)
        return found

    def expect(self, members: Iterable[tuple[str | None, str | None]]) -> None:
        """Say which members the metadata name, before any is opened."""
        self._names = len(set(members))

    def take_master(self, path: Path, uuid: str | None) -> None:
        """Make `path` the file that the metadata come from."""
        self._master = path
        self._main = self._open(path) if _is_tiff(path) else None
        self.own_uuid = uuid

    def book(self, file_name: str | None, uuid: str | None) -> PageBook:
        """The member that a TiffData block names; without a name, the file that holds the metadata.

        Raises
        ------
        UnreadableError
            If it is not there.
        """
        key = (file_name, uuid)
        if key not in self._found:
            self._found[key] = self._resolve(file_name, uuid)
        return self._found[key]

    def find(self, file_name: str | None, uuid: str | None) -> Path | None:
        """The file meant by a name and UUID: by its exact name, by the UUID it says it has, by the end of its name."""
        base = _bare(file_name)
        if base:
            if base == self._location.path.name and self._location.path.is_file():
                return self._location.path
            for path in self._by_name.get(base, ()):
                if path.is_file():
                    return path
            beside = self._location.path.parent / base
            if beside.is_file():
                return beside
        if uuid:
            for path, uuids in self._known_uuids().items():
                if uuid in uuids:
                    return path
        if base:
            plain = _PLAIN.sub("_", base)
            ends = [path for path in self._given if _ends(_PLAIN.sub("_", path.name), plain) and path.is_file()]
            if len(ends) == 1:
                return ends[0]
        return None

    def description(self, path: Path) -> bytes | None:
        """The OME-XML of a companion or TIFF; None if it has none."""
        if _is_tiff(path):
            book = self._open(path)
            return book.scanner.description(book.ifds[0].offset) or None
        if path.stat().st_size > LARGEST:
            return None
        data = path.read_bytes()
        return data if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else None

    def books(self) -> list[PageBook]:
        """Members whose pixels are in use."""
        return list({id(book): book for book in self._found.values()}.values()) or ([self._main] if self._main else [])

    def used(self) -> tuple[Path, ...]:
        """Every file the set is made of."""
        paths = [self._location.path, *([self._master] if self._master else []), *(book.file.path for book in self.books())]
        return tuple(dict.fromkeys(paths))

    def settle(self) -> None:
        """Close what was only needed to read the structure."""
        for book in self._books.values():
            book.settle()

    def close(self, *, but: PageBook | None = None) -> None:
        """Close everything, or everything but one that its owner still needs."""
        for book in self._books.values():
            if book is not but:
                book.close()

    def _resolve(self, file_name: str | None, uuid: str | None) -> PageBook:
        main = self._main
        if main is not None and ((not file_name and not uuid) or (uuid and uuid == self.own_uuid)):
            return main
        path = self.find(file_name, uuid)
        if path is not None:
            if not _is_tiff(path):
                raise UnreadableError(f"{path.name}, named by {self.name} as one of its files, is not a TIFF. Ask for the files of the set again.")
            return self._open(path)
        if main is not None and self._names == 1:
            self.warnings.append(
                f"{self.name} names its own pixels' file as {_bare(file_name) or uuid!r}; it was renamed, and its own pages were taken."
            )
            return main
        if not file_name and not uuid:
            raise UnreadableError(f"{self.name} does not say in which TIFF files its pixels are. Give the TIFF files themselves.")
        raise UnreadableError(
            f"{self.name} is part of a set, and its file {_bare(file_name) or uuid!r} is not there. Give all files of the set together."
        )

    def _open(self, path: Path) -> PageBook:
        if path not in self._books:
            self._books[path] = PageBook(path, hold=self._names <= _HELD, layouts=self._layouts)
        return self._books[path]

    def _known_uuids(self) -> dict[Path, tuple[str, ...]]:
        if self._uuids is None:
            self._uuids = {path: self._own_uuids(path) for path in self._given}
        return self._uuids

    def _own_uuids(self, path: Path) -> tuple[str, ...]:
        """UUIDs by which a file calls itself. That of a BinaryOnly element is its master's."""
        try:
            data = self.description(path) if path.is_file() else None
        except SuiteError:
            return ()
        if not data:
            return ()
        return tuple(match[1].decode("utf-8", "replace") for match in _UUID.finditer(data[: 1 << 16]))


def _is_tiff(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) in _TIFF
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be read: {error.strerror}. Check that you may read it.") from error


def _bare(file_name: str | None) -> str:
    """The last part of a name from a file, empty if it is no name of a file."""
    last = re.split(r"[\\/]", file_name or "")[-1]
    return "" if last in ("", ".", "..") or "\0" in last or len(last.encode("utf-8", "surrogatepass")) > _LONGEST_NAME else last


def _ends(name: str, wanted: str) -> bool:
    """Whether a staged name is the wanted one with something put before it, as in ``0_name.ome.tiff``."""
    return name == wanted or (name.endswith(wanted) and name[-len(wanted) - 1] in "_-.")
