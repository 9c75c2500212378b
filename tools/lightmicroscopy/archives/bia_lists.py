"""File lists of a study, read file by file: they may name millions.

Source: BioImage Archive, help on file lists; EBIBioStudies/biostudies-backend-services (FileListTsvStreamDeserializer, FileListValidator).
"""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, Final, TextIO

from ..errors import UnreadableError
from .bia_pagetab import File, file_of, folded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_FILES: Final = 20_000_000
LONGEST_ENTRY: Final = 1_000_000
"""Characters of one file's entry."""
_PIECE: Final = 256 * 1024
_BETWEEN: Final = " \t\r\n,[]"
_DEEPEST: Final = 8


def read_list(path: Path, source: str) -> Iterator[File]:
    """Read a file list, JSON or a table of text, whichever it is.

    Memory does not grow with it. Entries without a path, and ``{}`` among attributes, are left out.

    Raises
    ------
    UnreadableError
        If it is neither, or ends too early; what came before has been given by then.
    """
    try:
        with path.open("rb") as beginning:
            is_json = beginning.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
        # A line end within quotes belongs to a value.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from (_from_json if is_json else _from_table)(stream, source)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{source} is no text in UTF-8 ({error.reason}). Try again later, or tell the service.") from error
    except OSError as error:
        raise UnreadableError(f"{source} cannot be read: {error.strerror}. Try again.") from error


def _from_json(stream: TextIO, source: str) -> Iterator[File]:
    count = 0
    for value in _Objects(stream, source):
        file = file_of(value)
        if file is not None:
            count += 1
            if count > MOST_FILES:
                raise UnreadableError(f"{source} names more than {MOST_FILES:,} files, which no study has. Tell the service.")
            yield file


class _Objects:
    """Objects of an array, or of arrays within it, each parsed by itself."""

    def __init__(self, stream: TextIO, source: str) -> None:
        self._stream, self._source = stream, source
        self._text, self._at, self._depth, self._ended = "", 0, 0, False
        self._decode = json.JSONDecoder().raw_decode

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while self._to_next_value():
            value = self._value()
            if isinstance(value, dict):
                yield value

    def _read_more(self) -> None:
        piece = self._stream.read(_PIECE)
        self._ended = not piece
        self._text, self._at = self._text[self._at :] + piece, 0

    def _to_next_value(self) -> bool:
        """Go past what is between values; false after the end of the outermost array."""
        while True:
            if self._at == len(self._text):
                if self._ended:
                    raise _broken(self._source, "it ends too early")
                self._read_more()
                continue
            character = self._text[self._at]
            if character not in _BETWEEN:
                return True
            self._at += 1
            self._depth += (character == "[") - (character == "]")
            if character == "]" and self._depth == 0:
                if (self._text[self._at :] + self._stream.read(64)).strip():
                    raise _broken(self._source, "there is something after its end")
                return False
            if self._depth > _DEEPEST:
                raise _broken(self._source, "its lists are nested too deeply")

    def _value(self) -> Any:
        while True:
            have = len(self._text) - self._at
            try:
                value, self._at = self._decode(self._text, self._at)
            except RecursionError as error:
                raise _broken(self._source, "it is nested too deeply") from error
            except ValueError as error:
                if self._ended or have > LONGEST_ENTRY:
                    raise _broken(self._source, "it ends too early" if self._ended else str(error)[:200]) from error
                # Perhaps only its end is not read yet.
                while not self._ended and len(self._text) - self._at < 2 * have:
                    self._read_more()
            else:
                return value


def _from_table(stream: TextIO, source: str) -> Iterator[File]:
    # A quote that never ends would swallow all lines after it.
    rows = csv.reader(iter(lambda: stream.readline(LONGEST_ENTRY), ""), delimiter="\t", strict=True)
    try:
        header = [cell.strip() for cell in next(rows, [])]
        if not header or folded(header[0]) != "files":
            raise UnreadableError(f"{source} is no file list: it is neither a JSON array nor a table that begins with Files. Tell the service.")
        for number, cells in enumerate(rows, 1):
            if number > MOST_FILES:
                raise UnreadableError(f"{source} names more than {MOST_FILES:,} files, which no study has. Tell the service.")
            if any(cell.strip() for cell in cells) and (file := _of_row(header, cells)):
                yield file
    except csv.Error as error:
        raise _broken(source, str(error)) from error


def _of_row(header: list[str], cells: list[str]) -> File | None:
    """Cells beyond the header say nothing."""
    named = list(zip(header[1:], cells[1:], strict=False))
    # The service's own tables state size and type in columns; of attributes several columns may have one name.
    size = next((value for name, value in named if name in ("Size", "size")), None)
    kind = next((value for name, value in named if name in ("Type", "type") and value in ("file", "directory")), "file")
    attributes = [
        {"name": name, "value": value}
        for name, value in named
        if name and name not in ("Size", "size") and not (name in ("Type", "type") and value in ("file", "directory"))
    ]
    return file_of({"path": cells[0].strip(), "size": (size or "").strip(), "type": kind, "attributes": attributes})


def _broken(source: str, what: str) -> UnreadableError:
    return UnreadableError(f"{source} is no whole file list: {what}. Try again later, or tell the service.")
