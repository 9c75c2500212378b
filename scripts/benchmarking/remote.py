"""Measure conversions of an OME-Zarr on a web server beside those of the same store on disk, in paired and interleaved runs.

A store of about one gigabyte is made once and kept in the scratch folder. A loopback server in a process of its own waits
before every answer, as a distant one does. Beside each time stands the least it can be: requests × latency ÷ connections.

Usage: ``python3 scripts/benchmark.py remote --scratch DIR [--latency 20] [--repeats 3]``
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

CONNECTIONS = 8
SELECTIONS: dict[str, dict[str, Any]] = {
    "one plane": {"z": "10", "t": "0"},
    "one plane, level 2": {"z": "10", "t": "0", "level": 2},
    "everything": {},
}


def serve(root: str, latency: float, to_parent: Connection) -> None:
    """Serve a folder until the process is ended; tells its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            time.sleep(latency)
            path = Path(root) / self.path.lstrip("/")
            body = path.read_bytes() if path.is_file() else b""
            self.send_response(200 if path.is_file() else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        # With the usual 5 some of many connections made at once would wait a second or more.
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    to_parent.send(server.server_port)
    server.serve_forever()


@contextmanager
def served(root: Path, latency: float) -> Iterator[str]:
    """Serve a folder from a process of its own; gives its URL."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(str(root), latency, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def convert_one(source: str, output: Path, selection: dict[str, Any], threads: int) -> None:
    """Convert a store, on disk or on a server, in this process; prints what it took as JSON."""
    import resource

    from lightmicroscopy.archives.endpoints import Endpoints
    from lightmicroscopy.archives.http import Client
    from lightmicroscopy.convert import Request, convert
    from lightmicroscopy.image import Location
    from lightmicroscopy.readers.remote_store import open_remote
    from lightmicroscopy.selection import Selection
    from lightmicroscopy.writers.options import WriteOptions

    remote = source.startswith("http")
    base = source.rpartition("/")[0] if remote else "https://localhost"
    with Client(Endpoints(object_store=base, configured=frozenset({"127.0.0.1"})), connections=CONNECTIONS) as client:
        began = time.perf_counter()
        location = open_remote(client, source) if remote else Location(Path(source))
        convert(location, output, Request("ome-tiff", Selection(**selection), options=WriteOptions(threads=threads))).dataset.close()
        wall = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"wall": wall, "memory": memory, "requests": client.requests, "bytes": client.bytes_received}))


def measured(source: str, output: Path, selection: dict[str, Any], threads: int) -> dict[str, float]:
    """Convert in a process of its own, for its memory."""
    shutil.rmtree(output, ignore_errors=True)
    task = json.dumps({"source": source, "output": str(output), "selection": selection, "threads": threads})
    done = subprocess.run([sys.executable, __file__, "--task", task], check=True, capture_output=True, text=True)
    shutil.rmtree(output)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def make_store(scratch: Path, megabytes: int) -> Path:
    """Make the store out of the other benchmark's image."""
    from benchmarking import jobs

    store = scratch / "stores" / f"benchmark-{megabytes}.ome.zarr"
    if not store.exists():
        image = scratch / f"benchmark-{megabytes}.ome.tiff"
        if not image.exists():
            jobs.call(Path(sys.executable), "make", path=str(image), kind="ome-tiff", gigabytes=megabytes / 1000)
        script = Path(__file__).resolve().parents[2] / "tools" / "lm_convert.py"
        subprocess.run([sys.executable, str(script), str(image), "--output", str(store.parent), "--format", "ome-zarr", "--quiet"], check=True)
    return store


def main(given: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="benchmark.py remote", description="Measure conversions of stores on a server.")
    parser.add_argument("--scratch", type=Path, help="folder for the store and the outputs; about four times the image's size")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the image (default 1000)")
    parser.add_argument("--latency", type=float, default=20.0, help="milliseconds before every answer (default 20)")
    parser.add_argument("--repeats", type=int, default=3, help="pairs of runs (default 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads that encode (default: all cores)")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    if arguments.task:
        task = json.loads(arguments.task)
        convert_one(task["source"], Path(task["output"]), task["selection"], task["threads"])
        return 0
    if arguments.scratch is None:
        parser.error("--scratch is needed")
    scratch: Path = arguments.scratch.resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    store = make_store(scratch, arguments.megabytes)
    print("| selection | requests | MB fetched | least s | remote s | on disk s | remote ÷ disk (median of pairs) | peak memory MB, remote / disk |")
    print("|---|---|---|---|---|---|---|---|")
    with served(store.parent, arguments.latency / 1000) as url:
        for name, selection in SELECTIONS.items():
            pairs = []
            for _ in range(arguments.repeats):
                remote = measured(f"{url}/{store.name}", scratch / "out", selection, arguments.threads)
                pairs.append((remote, measured(str(store), scratch / "out", selection, arguments.threads)))
            first = pairs[0][0]
            least = first["requests"] * arguments.latency / 1000 / CONNECTIONS
            walls = [statistics.median(pair[side]["wall"] for pair in pairs) for side in (0, 1)]
            ratio = statistics.median(remote["wall"] / local["wall"] for remote, local in pairs)
            memory = [max(pair[side]["memory"] for pair in pairs) / 1e6 for side in (0, 1)]
            print(
                f"| {name} | {first['requests']:.0f} | {first['bytes'] / 1e6:.1f} | {least:.2f} | {walls[0]:.2f} | {walls[1]:.2f} "
                f"| {ratio:.2f} | {memory[0]:.0f} / {memory[1]:.0f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
