"""Work that needs the libraries, each in a process of its own.

The process that starts the programs to be measured must stay small: the kernel counts what a parent held before `exec` as its child's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[1]
TOOLS = SCRIPTS.parent / "tools"


def call(python: Path, job: str, **arguments: Any) -> Any:
    """Do a job with an interpreter that has what it needs; its result as JSON gives it."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (SCRIPTS, TOOLS)))}
    command: list[str | Path] = [python, "-m", "benchmarking.jobs", job]
    done = subprocess.run(command, input=json.dumps(arguments), stdout=subprocess.PIPE, check=True, text=True, env=environ)
    return json.loads(done.stdout.splitlines()[-1])


def _jobs() -> dict[str, Callable[..., Any]]:
    from .images import make, make_small
    from .limit import limit
    from .outputs import check

    return {job.__name__: job for job in (make, make_small, limit, check)}


if __name__ == "__main__":
    print(json.dumps(_jobs()[sys.argv[1]](**json.load(sys.stdin))))
