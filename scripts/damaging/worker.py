"""Converts one input after another in one process, and tells what came of each; started by `scripts/damage.py`.

A request is a line of JSON (``inputs``, ``output``, ``format``), and so is its answer. Messages of the converter are caught; what
ends the process (a crash, the limits below) is seen by whoever asked.
"""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import io
import json
import os
import resource
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

ADDRESSES = 16 << 30
LARGEST_FILE = 1 << 30


def processes() -> Iterator[str]:
    """Numbers of the own process and of those it has started, as the kernel has them."""
    yield "self"
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            yield from (task / "children").read_text().split()


def forget_peaks() -> None:
    """Let the kernel count the largest resident set anew."""
    for number in processes():
        with contextlib.suppress(OSError):
            Path(f"/proc/{number}/clear_refs").write_text("5")


def peak() -> float:
    """Largest resident set since, in MB: of this process, and of those it has started, together."""
    total = 0
    for number in processes():
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{number}/status").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return total / 1024


def converted(request: dict[str, Any]) -> dict[str, Any]:
    """Run `lm_convert` as a user does."""
    import lm_convert

    forget_peaks()
    said = io.StringIO()
    command = [*request["inputs"], "--output", request["output"], "--format", request["format"], "--quiet", "--threads", "2"]
    trace = ""
    with contextlib.redirect_stderr(said):
        try:
            code = lm_convert.main(command)
        except SystemExit as error:
            code = int(error.code or 0)
        except BaseException:  # all that the suite did not foresee is what is looked for
            code, trace = -1, traceback.format_exc()
    memory = peak()
    made = sorted(path.name for path in Path(request["output"]).iterdir()) if Path(request["output"]).is_dir() else []
    pixels = [] if code else sorted(digests(Path(request["output"])))
    lines = [line.removeprefix("lm_convert: ") for line in said.getvalue().splitlines() if line.strip()]
    return {"code": code, "lines": lines, "trace": trace, "memory": memory, "made": made, "pixels": pixels}


def digests(folder: Path) -> Iterator[str]:
    """Shape, type and a hash of the pixels of every full-resolution image in a folder of OME-TIFF files or OME-Zarr stores."""
    import tifffile
    import zarr

    for path in folder.glob("*.ome.tiff"):
        yield digest(tifffile.imread(path, series=0, level=0))
    for attributes in folder.rglob(".zattrs"):
        if "multiscales" in json.loads(attributes.read_text()):
            yield digest(zarr.open_array(attributes.parent / "0", mode="r")[...])


def digest(pixels: Any) -> str:
    """One array in a word."""
    return f"{pixels.shape} {pixels.dtype} {hashlib.sha1(pixels.tobytes(), usedforsecurity=False).hexdigest()}"


def main() -> None:
    """Answer until nobody asks."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    faulthandler.enable()
    os.environ["LIGHTMICROSCOPY_DEBUG"] = "1"
    for limit, most in ((resource.RLIMIT_AS, ADDRESSES), (resource.RLIMIT_FSIZE, LARGEST_FILE), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
    for line in sys.stdin:
        answers.write(json.dumps(converted(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
