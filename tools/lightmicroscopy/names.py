"""Names of outputs: made from what the user called things, and safe as a file name everywhere."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 120
"""Bytes (UTF-8) of a name without its extension."""
LOOKED_AT = 1000
"""Characters of a text that a name is made of; names in files can be of millions."""

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

EXTENSIONS = (
    ".companion.ome",
    ".ome.zarr.zip",
    ".ome.zarr",
    ".zarr.zip",
    ".ome.tiff",
    ".ome.tif",
    ".ome.tf2",
    ".ome.tf8",
    ".ome.btf",
    ".ome.xml",
    ".zarr",
    ".ozx",
    ".tiff",
    ".tif",
    ".btf",
    ".tf8",
    ".tf2",
    ".lsm",
    ".czi",
    ".lif",
    ".lof",
    ".xlef",
    ".xlif",
    ".xlcf",
    ".nd2",
    ".ims",
    ".h5",
    ".hdf5",
    ".hdf",
    ".stk",
    ".png",
    ".jpeg",
    ".jpg",
    ".zip",
)


def readable(name: str) -> str:
    """Write the name of a file as text: its bytes need not be any."""
    return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= character <= "\udfff" else character for character in name)


def visible(text: str) -> str:
    r"""Show characters that no page should hold: control characters, and those that turn the direction of what follows them.

    White space stays, and so do the marks that scripts written from right to left need.

    >>> visible("a\x1b[31m\u202egpj.exe")
    'a␛[31m\ufffdgpj.exe'
    """
    if text.isprintable():
        return text
    return _UNSEEN.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] < " " else "\N{REPLACEMENT CHARACTER}", text)


def without_extension(name: str) -> str:
    """Cut the extension of an image format off a name: ``a.b.ome.tiff`` becomes ``a.b``."""
    lower = name.lower()
    for extension in EXTENSIONS:
        if lower.endswith(extension) and len(name) > len(extension):
            return name[: -len(extension)]
    return name


def sanitise(name: str, longest: int = LONGEST, *, otherwise: str = "image") -> str:
    """Turn any text into a file name.

    Letters of every script (in NFC), digits, ``.``, ``_`` and ``-`` are kept; white space becomes ``_``, anything else
    is dropped or, between two kept parts, becomes ``_``. The result has no leading dot or dash, is at most `longest`
    bytes of UTF-8 and, where nothing could be kept of the first `LOOKED_AT` characters, `otherwise`.
    """
    text = unicodedata.normalize("NFC", name.lstrip()[:LOOKED_AT])
    text = re.sub(r"\s+", "_", text.strip())
    # \w keeps combining marks out of some scripts' words; those marks (category M) belong to the letters they follow.
    kept = "".join(character if _keeps(character) else "\0" for character in text)
    text = re.sub("_*\0[_\0]*", "_", kept.strip("\0"))
    text = re.sub(r"^[.-][._-]*", "", text)
    text = text.encode()[:longest].decode(errors="ignore")
    return text.rstrip(".") or otherwise


def _keeps(character: str) -> bool:
    return character in "._-" or unicodedata.category(character)[0] in "LNM"


def unique(names: list[str]) -> list[str]:
    """Make names differ, also where a file system ignores case: the second ``a`` becomes ``a~2``."""
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    result = []
    for name in names:
        candidate, key = name, name.casefold()
        # Thousands of one name each go on where the one before them ended.
        number = numbers.get(key, 1)
        while candidate.casefold() in taken:
            number += 1
            suffix = f"~{number}"
            candidate = sanitise(name, LONGEST - len(suffix)) + suffix
        numbers[key] = number
        taken.add(candidate.casefold())
        result.append(candidate)
    return result
