"""On which lines of a JSON document its objects begin, which parsing it does not tell."""

from __future__ import annotations

import json
import re
from typing import Final

LONGEST: Final = 8 << 20
"""Characters; in a longer document places are told by their path alone."""
_TOKEN: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\],\n]')


def lines_of(text: str) -> dict[str, int]:
    """Find the line of each object of a valid document, by its path such as ``section.subsections[0]``.

    Returns
    -------
    Nothing for a document on one line, or one longer than `LONGEST`.
    """
    found: dict[str, int] = {}
    if len(text) > LONGEST or "\n" not in text.strip():
        return found
    line = 1
    path = ""
    # Of each open object or list: its path, whether it is an object, the member that comes next (None where a name is expected).
    above: list[tuple[str, bool, str | int | None]] = []
    member: str | int | None = 0
    is_object = False
    for match in _TOKEN.finditer(text):
        sign = match[0]
        if sign == "\n":
            line += 1
        elif sign in "{[":
            here = _below(path, is_object, member) if above else ""
            above.append((path, is_object, member))
            path, is_object, member = here, sign == "{", None if sign == "{" else 0
            if sign == "{":
                found[path] = line
        elif sign in "}]":
            path, is_object, member = above.pop()
        elif sign == ",":
            member = None if is_object else member + 1 if isinstance(member, int) else 0
        elif is_object and member is None:
            member = str(json.loads(sign))
    return found


def _below(path: str, is_object: bool, member: str | int | None) -> str:
    if not is_object:
        return f"{path}[{member}]"
    return f"{path}.{member}" if path else str(member)
