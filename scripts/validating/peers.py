"""The validators as this process asks them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType

WORKER = Path(__file__).with_name("worker.py")


class Peers:
    """ngff-zarr in its own process, asked store by store."""

    def __init__(self, python: Path) -> None:
        self._process = subprocess.Popen([python, WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def __enter__(self) -> Peers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate()

    def ask(self, store: Path) -> dict[str, str]:
        """What each of its validators says is wrong with a store; empty texts where nothing is.

        Raises
        ------
        RuntimeError
            If the process ended.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process has no pipes")
        self._process.stdin.write(f"{store}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"ngff-zarr ended with the exit code {self._process.wait()} at {store}")
        answer: dict[str, str] = json.loads(line)
        return answer
