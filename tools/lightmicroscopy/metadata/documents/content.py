"""Documents of text that nobody vouches for: read in bounded memory, with a note of what is unusual about their bytes."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...errors import LimitError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 64 << 20
"""Bytes of a document. The tables of a study of 100,000 wells take some 30 MB."""
HEAD: Final = 64 << 10
"""Bytes that tell what a file is."""
_BEGINNING: Final = 512
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a document, found while it was read.

    Attributes
    ----------
    where
        The place in the document: a line, or a member of its JSON.
    message
        What is wrong, as a sentence.
    fix
        How to mend it, or empty where the rule that tells it knows that.
    """

    where: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A document's text, and what is unusual about its bytes.

    Attributes
    ----------
    lines
        Without their ends; each of CR LF, LF and CR ends one.
    faults
        Sentences about its encoding and line ends.
    carriage_returns
        Whether its lines end with CR alone.
    """

    lines: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    carriage_returns: bool = False

    @property
    def whole(self) -> str:
        """All of it, each line with one line feed."""
        return "\n".join(self.lines)


def head_of(path: Path) -> str:
    """Beginning of a file as text; empty for what is no regular file, or no text."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as stream:
            data = stream.read(_BEGINNING)
            # Most inputs are images, whose first bytes say enough.
            if b"\0" not in data or data.startswith(_UTF_16):
                data += stream.read(HEAD - _BEGINNING)
    except OSError:
        return ""
    if data.startswith(_UTF_16):
        return data[: len(data) // 2 * 2].decode("utf-16", "replace")
    return "" if b"\0" in data else data.decode("utf-8-sig", "replace")


def bytes_of(path: Path) -> bytes:
    """Whole content of a document.

    Raises
    ------
    LimitError
        If it is larger than `LARGEST`.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise LimitError(f"{path.name} is a document of {size:,} bytes; at most {LARGEST:,} are read. Split it, or check where it comes from.")
    with path.open("rb") as stream:
        return stream.read(LARGEST + 1)


def text_of(path: Path) -> Text:
    """Read a document as text, whatever its encoding, and note where it is not UTF-8.

    Raises
    ------
    LimitError
        If it is larger than `LARGEST`.
    """
    data = bytes_of(path)
    faults: list[Fault] = []
    if data.startswith(_UTF_16):
        faults.append(Fault("line 1", f"{path.name} is in UTF-16, as some spreadsheets save “Unicode text”.", "Save it as text in UTF-8."))
        text = data.decode("utf-16", "replace")
    else:
        if data.startswith(codecs.BOM_UTF8):
            message = f"{path.name} begins with a byte order mark, which is taken for a part of its first word."
            faults.append(Fault("line 1", message, "Save it as UTF-8 without a byte order mark (BOM)."))
        text = data.decode("utf-8-sig", "replace")
        faults.extend(_invalid(path.name, data))
    lines = _LINE_END.split(text)
    if lines and not lines[-1]:
        lines.pop()
    return Text(tuple(lines), tuple(faults), "\r" in text and "\n" not in text)


def _invalid(name: str, data: bytes) -> list[Fault]:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(data[: error.start].decode("utf-8", "replace"))) + 1
        bad = data[error.start : error.start + 1].hex().upper()
        message = f"{name} is not UTF-8: byte {bad} in line {line} is no character. The parser drops it without a word."
        return [Fault(f"line {line}", message, "Open it in the encoding it was written in (often Windows-1252) and save it as UTF-8.")]
    return []


def shorten(text: str, longest: int = 80) -> str:
    """Return text for a sentence: on one line, and not too long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
