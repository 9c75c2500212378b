"""Paths of files as the BioImage Archive allows them.

Source: EBIBioStudies/biostudies-backend-services, FileSourcesList.kt; <https://www.ebi.ac.uk/bioimage-archive/help-file-list>.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_FORBIDDEN: Final = re.compile(r"[^0-9A-Za-z!\-_*'(). /]")
_ENDINGS: Final = (".json", ".tsv", ".xlsx")
_LETTERS: Final = str.maketrans(
    {"ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "µ": "u", "μ": "u", "ß": "ss", "đ": "d", "ł": "l", "Ł": "L", "ð": "d", "þ": "th"}
)


def path_problem(path: str) -> tuple[str, str]:
    """Say what is wrong with a path: the end of a sentence, and how to mend it; both empty where nothing is."""
    return next(_cases(path), ("", ""))


def _cases(path: str) -> Iterator[tuple[str, str]]:
    renamed = f"Rename it, for instance to “{renaming(path)}”."
    if path != path.strip():
        yield "has blanks before or behind it", "Take the blanks out."
    if "\\" in path:
        yield "has backslashes; the archive's paths have /", f"Write “{path.replace(chr(92), '/')}”."
    if path.startswith("/"):
        yield "begins with /", f"Write it from the top of the upload area: “{path.lstrip('/')}”."
    if path.startswith("./"):
        yield "begins with ./", f"Write “{path[2:]}”."
    if "../" in path or path == "..":
        yield "leads out of its folder with ../", "Write it from the top of the upload area."
    if path.endswith("/"):
        yield "ends with /", f"Write “{path.rstrip('/')}”."
    wrong = list(dict.fromkeys(_FORBIDDEN.findall(path)))
    if wrong:
        yield f"has characters that the archive does not allow: {' '.join(map(_shown, wrong[:8]))}", renamed
    if not path:
        yield "is empty", "Name the file."


def list_name_problem(name: str) -> str:
    """Say what is wrong with the name of a file list, as the end of a sentence; empty where nothing is."""
    if name.strip().endswith("/"):
        return "is a directory"
    wrong, _ = path_problem(name)
    if wrong:
        return wrong
    return "" if name.lower().endswith(_ENDINGS) else "is no JSON, TSV or XLSX file by its ending"


def renaming(path: str) -> str:
    """Return a path that the archive allows and a person would recognise."""
    plain = unicodedata.normalize("NFKD", path.translate(_LETTERS))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return _FORBIDDEN.sub("_", plain).strip()


def _shown(character: str) -> str:
    return character if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"
