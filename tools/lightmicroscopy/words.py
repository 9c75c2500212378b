"""Words of a command line that may be a path or an address; imported by every script, so that it imports next to nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:://|%3[Aa]%2[Ff]%2[Ff])")


def is_address(text: str) -> bool:
    """Whether a text names something on the web, and no file."""
    return _ADDRESS.match(text) is not None


def path_or_address(text: str) -> Path | str:
    """Take a word of the command line: a path, or the text of an address, whose slashes a path would lose."""
    return text.strip() if is_address(text.strip()) else Path(text)
