"""Words of reports and messages."""

from __future__ import annotations


def plural(count: int, word: str) -> str:
    """``1 field``, ``2 fields``; ``series`` stays as it is."""
    return f"{count} {word}" if count == 1 or word.endswith("series") else f"{count} {word}s"
