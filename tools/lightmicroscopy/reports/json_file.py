"""A JSON document with one long list in it, written item by item."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import UnwritableError
from .tables import temporary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class JsonFile:
    """An object whose last member is a list of any length; it gets its name when closed without an exception."""

    def __init__(self, path: Path, head: Mapping[str, Any], items: str) -> None:
        self.path = path
        self._temporary = temporary(path)
        self._encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
        self._between = "\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._temporary.open("w", encoding="utf-8", newline="\n", errors="replace")
            members = "".join(f"{self._encoder.encode(key)}: {self._encoder.encode(value)},\n" for key, value in head.items())
            self._stream.write(f"{{{members}{self._encoder.encode(items)}: [")
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, item: Mapping[str, Any]) -> None:
        """Write one item of the list, on a line of its own."""
        try:
            self._stream.write(self._between)
            self._stream.writelines(self._encoder.iterencode(item))
        except OSError as error:
            raise self._unwritable(error) from error
        self._between = ",\n"

    def __enter__(self) -> JsonFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._stream.write("\n]}\n")
            self._stream.close()
            if kind is None:
                self._temporary.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> UnwritableError:
        return UnwritableError(f"{self.path.name} cannot be written: {error.strerror}. Check the free space and your rights on its folder.")
