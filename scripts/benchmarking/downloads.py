"""Measure the suite's downloads beside ``curl --parallel`` and ``wget -r``, of files that nginx serves some milliseconds away.

nginx serves a folder; a forwarder before it lets every byte wait, half the latency in each direction, as a distant server does.
The suite plans the files, fetches them as the download tools do (length, SHA-256, a manifest), and is measured as a process of its own.

Usage: ``python3 scripts/benchmark.py downloads --scratch DIR [--nginx PATH] [--latency 20] [--repeats 3]``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

CONNECTIONS = 8
PIECE = 1 << 18
CONFIGURATION = """daemon off; master_process off; pid {scratch}/nginx.pid; error_log {scratch}/nginx.log;
events {{ worker_connections 256; }}
http {{ access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000;
client_body_temp_path {scratch}/t1; proxy_temp_path {scratch}/t2; fastcgi_temp_path {scratch}/t3;
uwsgi_temp_path {scratch}/t4; scgi_temp_path {scratch}/t5;
server {{ listen 127.0.0.1:{port}; root {scratch}/files; autoindex on; }} }}
"""


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Pass on what comes, each piece so many seconds later."""
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
    clock = asyncio.get_running_loop().time

    async def late() -> None:
        while True:
            moment, data = await queue.get()
            await asyncio.sleep(max(0.0, moment - clock()))
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    sender = asyncio.create_task(late())
    try:
        while data := await reader.read(PIECE):
            await queue.put((clock() + seconds, data))
    except ConnectionError:
        pass
    await queue.put((clock() + seconds, b""))
    try:
        await sender
    except ConnectionError:
        writer.close()


def forwarder(target: int, latency: float, to_parent: Connection) -> None:
    """Forward connections to a port until the process is ended; tells its own port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(forward(reader, back, latency / 2), forward(there, writer, latency / 2))

    async def serve() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=128)
        to_parent.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def served(scratch: Path, nginx: str, latency: float) -> Iterator[str]:
    """Serve the files; gives the URL of the forwarder."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (scratch / "nginx.conf").write_text(CONFIGURATION.format(scratch=scratch, port=port))
    server = subprocess.Popen([nginx, "-c", str(scratch / "nginx.conf"), "-p", str(scratch)], stderr=subprocess.DEVNULL)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=forwarder, args=(port, latency, theirs), daemon=True)
    process.start()
    try:
        url = f"http://127.0.0.1:{ours.recv()}"
        for attempt in range(50):
            try:
                urllib.request.urlopen(f"{url}/", timeout=5).close()  # noqa: S310 - our own server
                break
            except OSError:
                time.sleep(0.1 + attempt / 100)
        yield url
    finally:
        process.terminate()
        process.join()
        server.terminate()
        server.wait()


def fetch(base: str, folder: Path, output: Path) -> None:
    """Fetch all files of a folder as the download tools do; prints requests and memory as JSON."""
    from dataclasses import replace

    from lightmicroscopy.archives.endpoints import Endpoints
    from lightmicroscopy.archives.engine import Engine, Limits
    from lightmicroscopy.archives.http import Client
    from lightmicroscopy.archives.manifest import Row

    began = time.perf_counter()
    endpoints = Endpoints(idr_originals=base, connections=CONNECTIONS, configured=frozenset({"127.0.0.1"}))
    with Client(endpoints) as client, Engine(output, Limits(10_000, 10**12), manifest=output.with_suffix(".tsv")) as engine:

        def work(number: int, rows: Sequence[Row], _: list[Row]) -> Sequence[Row]:
            (row,) = rows
            done = client.download(row.source_url, output / row.path, limit=row.bytes or 0, expected=row.bytes)
            return [replace(row, status="done", sha256=done.sha256)]

        files = sorted(folder.iterdir())
        for number, file in enumerate(files):
            engine.plan(
                number, [Row(file.name, "planned", source_url=f"{base}/{folder.name}/{file.name}", path=file.name, bytes=file.stat().st_size)]
            )
        engine.hold_against_limits()
        engine.fetch(range(len(files)), work, at_once=client.files_at_once)
        if engine.tally.done != len(files):
            raise SystemExit("files are missing")
        took = time.perf_counter() - began
        print(json.dumps({"requests": client.requests, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "seconds": took}))


def commands(base: str, folder: Path, output: Path, scratch: Path) -> dict[str, list[str]]:
    """What is measured: command lines by name."""
    lines = [f'url = "{base}/{folder.name}/{file.name}"\noutput = "{output}/{file.name}"\n' for file in sorted(folder.iterdir())]
    (scratch / "curl.txt").write_text("".join(lines))
    parallel = ["--parallel", "--parallel-max", str(CONNECTIONS), "--fail", "--silent", "--create-dirs"]
    task = json.dumps([base, str(folder), str(output)])
    curl = ["curl", *parallel, "--config", str(scratch / "curl.txt")]
    return {
        "this suite": [sys.executable, __file__, "--task", task],
        f"curl --parallel ({CONNECTIONS})": curl,
        "the same, and then sync": ["sh", "-c", f'"$@" && find {output} -type f -exec sync -d {{}} +', "sh", *curl],
        "wget -r": ["wget", "-q", "-r", "-np", "-nH", "--cut-dirs=1", "-R", "index.html*", "-P", str(output), f"{base}/{folder.name}/"],
    }


def store_commands(base: str, folder: Path, output: Path, scratch: Path) -> dict[str, list[str]]:
    """What is measured of OME-Zarr stores, one after the other: this suite writes and checks a store of its own, the others copy files."""
    urls = [f"{base}/{folder.name}/{store.name}" for store in sorted(folder.iterdir())]
    endpoints = scratch / "endpoints.json"
    endpoints.write_text(json.dumps({"allowed_hosts": [base]}))
    convert = f"{sys.executable} {ROOT / 'tools' / 'lm_convert.py'} $0 --format ome-zarr --quiet --output {output}"
    each = ["sh", "-c", 'one=$1; shift; for url; do sh -c "$one" "$url" || exit 1; done', "each"]
    return {
        "this suite": ["env", f"LIGHTMICROSCOPY_ENDPOINTS={endpoints}", *each, convert, *urls],
        "ome_zarr download": [*each, f"{Path(sys.executable).with_name('ome_zarr')} download $0 --output {output}", *urls],
        "wget -r": [*each, f"wget -q -r -l inf -np -nH --cut-dirs=1 -R 'index.html*' -P {output} $0/", *urls],
    }


def listed(store: Path, folder: Path) -> None:
    """Serve a store with a page of links in each folder, for wget: nginx's own pages leave out names that begin with a dot, as ``.zattrs``."""
    folder.mkdir(parents=True, exist_ok=True)
    links = []
    for entry in sorted(store.iterdir()):
        if entry.is_dir():
            listed(entry, folder / entry.name)
        elif not (folder / entry.name).is_symlink():
            (folder / entry.name).symlink_to(entry.resolve())
        links.append(f'<a href="{quote(entry.name)}{"/" if entry.is_dir() else ""}">{escape(entry.name)}</a>')
    (folder / "index.html").write_text("<!DOCTYPE html><title>Files</title>" + "\n".join(links))


def measure_stores(base: str, store: Path, counts: Sequence[int], repeats: int, scratch: Path) -> None:
    """Measure the copying of stores; prints a table."""
    print("\n| OME-Zarr stores | program | s (median) | processor s | files | wget's time ÷ this |\n|---|---|---|---|---|---|")
    for count in counts:
        folder = scratch / "files" / f"stores{count}"
        shutil.rmtree(folder, ignore_errors=True)
        for number in range(count):
            listed(store, folder / f"{number:04}.zarr")
        stored = count * sum(len(names) for _, _, names in os.walk(store))
        output = scratch / "out"
        programs = store_commands(base, folder, output, scratch)
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        files = {}
        for _ in range(repeats):
            for name, command in programs.items():
                shutil.rmtree(output, ignore_errors=True)
                output.mkdir()
                wall, busy, _printed = measured(command)
                seconds[name].append((wall, busy))
                files[name] = sum(len(names) for _, _, names in os.walk(output))
                if name == "wget -r" and files[name] != stored:
                    raise SystemExit(f"wget fetched {files[name]} of {stored} files")
        for name, runs in seconds.items():
            wall, busy = (statistics.median(run[index] for run in runs) for index in (0, 1))
            ratio = statistics.median(other[0] / run[0] for other, run in zip(seconds["wget -r"], runs, strict=True))
            print(f"| {count} | {name} | {wall:.2f} | {busy:.2f} | {files[name]:,} | {ratio:.2f} |", flush=True)


def fetched(command: list[str], folder: Path, output: Path) -> tuple[float, float, dict[str, float]]:
    """Run a command into an empty folder, as `measured` does. Every byte must have come."""
    shutil.rmtree(output, ignore_errors=True)
    found = measured(command)
    for file in folder.iterdir():
        if (output / file.name).stat().st_size != file.stat().st_size:
            raise SystemExit(f"{command[0]} has not fetched {file.name} whole")
    return found


def measured(command: list[str]) -> tuple[float, float, dict[str, float]]:
    """Run a command; gives seconds, the processor's seconds, and what it printed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, busy, json.loads(done.stdout) if done.stdout.startswith("{") else {}


def make_files(scratch: Path, count: int, megabytes: int) -> Path:
    """Make files that are so many megabytes together."""
    folder = scratch / "files" / f"{count}x{megabytes}"
    if not folder.exists():
        folder.mkdir(parents=True)
        for number in range(count):
            left = megabytes * 1_000_000 // count
            with (folder / f"{number:05}.tif").open("wb") as file:
                while left:
                    left -= file.write(os.urandom(min(left, 1_000_000)))
    return folder


def main(given: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="benchmark.py downloads", description="Measure downloads.")
    parser.add_argument("--scratch", type=Path, help="folder for the files and what is fetched")
    parser.add_argument("--nginx", default="nginx", metavar="PATH", help="the server's program (Debian: package nginx)")
    parser.add_argument("--latency", type=float, default=20.0, help="milliseconds there and back (default 20)")
    parser.add_argument("--megabytes", type=int, default=200, help="all files of a row together (default 200)")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 100, 1000], help="how many files (default 1 100 1000)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds, interleaved (default 3)")
    parser.add_argument(
        "--store",
        type=Path,
        help="an OME-Zarr folder; copying it is measured too, beside ome_zarr (where that is installed beside this Python) and wget",
    )
    parser.add_argument("--stores", type=int, nargs="+", default=[1, 10], help="how many stores (default 1 10)")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    if arguments.task:
        base, folder, output = json.loads(arguments.task)
        fetch(base, Path(folder), Path(output))
        return 0
    if arguments.scratch is None:
        parser.error("--scratch is needed")
    scratch: Path = arguments.scratch.resolve()
    (scratch / "files").mkdir(parents=True, exist_ok=True)
    print(
        "| files | program | s (median) | without starting Python | processor s | requests | MB | curl's time ÷ this, and without starting Python |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with served(scratch, arguments.nginx, arguments.latency / 1000) as base:
        for count in arguments.counts:
            folder = make_files(scratch, count, arguments.megabytes)
            programs = commands(base, folder, scratch / "out", scratch)
            runs = [{name: fetched(command, folder, scratch / "out") for name, command in programs.items()} for _ in range(arguments.repeats)]
            curl = next(name for name in programs if name.startswith("curl"))
            for name in programs:
                wall, busy = (statistics.median(run[name][index] for run in runs) for index in (0, 1))
                working = [run[name][2].get("seconds", run[name][0]) for run in runs]
                ratios = [
                    statistics.median(run[curl][0] / time_of for run, time_of in zip(runs, times, strict=True))
                    for times in ([run[name][0] for run in runs], working)
                ]
                said = runs[0][name][2]
                cells = [
                    f"{count:,}",
                    name,
                    f"{wall:.2f}",
                    f"{statistics.median(working):.2f}",
                    f"{busy:.2f}",
                    said.get("requests", "–"),
                    said.get("memory", "–"),
                ]
                print(f"| {' | '.join(map(str, cells))} | {ratios[0]:.2f}, {ratios[1]:.2f} |", flush=True)
        if arguments.store is not None:
            measure_stores(base, arguments.store, arguments.stores, arguments.repeats, scratch)
    shutil.rmtree(scratch / "out", ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
