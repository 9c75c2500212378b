"""`python -m tests.archives`: serve until stopped."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from .server import Archive


def write_whole(path: Path, text: str) -> None:
    """Write a file that is never seen half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def stop_at_end_of_input(stop: threading.Event) -> None:
    """Stop when standard input closes."""
    sys.stdin.buffer.read()
    stop.set()


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.archives", description="Serve a stand-in for the IDR and the BioImage Archive on the loopback interface."
    )
    parser.add_argument("--endpoints", type=Path, required=True, help="write the JSON for LIGHTMICROSCOPY_ENDPOINTS here")
    parser.add_argument("--port", type=int, default=0, help="of OMERO.web; the other services take the next four (default: any free ones)")
    parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="milliseconds before every answer")
    parser.add_argument("--faults", type=Path, help="a JSON list of faults, read again whenever it changes")
    parser.add_argument("--log", type=Path, help="append one JSON line per request")
    parser.add_argument("--sessions", choices=("silent", "strict"), default="silent", help="whether the API needs a session opened first")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when whoever started this goes away")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Serve until a signal comes, or standard input closes."""
    options = arguments(given)
    stop = threading.Event()

    def stopped(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stopped)
    if options.until_stdin_closes:
        threading.Thread(target=stop_at_end_of_input, args=(stop,), daemon=True).start()
    with Archive(
        port=options.port, latency=options.latency / 1000, faults=options.faults, sessions=options.sessions, log_file=options.log
    ) as archive:
        write_whole(options.endpoints, json.dumps(archive.endpoints, indent=2) + "\n")
        print(f"The sample archive is at {archive.base('web')}; LIGHTMICROSCOPY_ENDPOINTS={options.endpoints}", file=sys.stderr, flush=True)
        while not stop.wait(0.5):
            pass
    options.endpoints.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
