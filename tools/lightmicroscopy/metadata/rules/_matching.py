"""Finds the inputs that documents name: by their paths, or by their names alone where the inputs lie flat as in Galaxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..input_facts import InputFacts


class Inputs:
    """Inputs by their names.

    Parameters
    ----------
    inputs
        Those that may be named.
    """

    def __init__(self, inputs: Iterable[InputFacts]) -> None:
        self.all = tuple(inputs)
        self._named: dict[str, list[InputFacts]] = {}
        self._folded: dict[str, list[InputFacts]] = {}
        for item in self.all:
            name = item.parts[-1]
            self._named.setdefault(name, []).append(item)
            self._folded.setdefault(name.casefold(), []).append(item)

    def find(self, path: str) -> InputFacts | None:
        """Return the input that a path means; a path into an OME-Zarr means the store."""
        parts = [part for part in path.strip().strip("/").split("/") if part]
        for end in range(len(parts), 0, -1):
            if end < len(parts) and ".zarr" not in parts[end - 1].lower():
                continue
            candidates = self._named.get(parts[end - 1], [])
            # Two inputs of one name are told apart by their folders, as far as both say them.
            best = max(candidates, key=lambda item: _agreeing(item.parts, parts[:end]), default=None)
            if best is not None:
                return best
        return None

    def by_case(self, path: str) -> InputFacts | None:
        """Return the input whose name differs from a path's only by case."""
        found = self._folded.get(path.strip().rstrip("/").rpartition("/")[2].casefold())
        return found[0] if found else None


def _agreeing(one: tuple[str, ...], other: list[str]) -> int:
    """How many names agree, counted from the last."""
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count
