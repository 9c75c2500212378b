"""Measure whole calls of the download tools: 1, 100 and 1,000 images of the sample archive, served by nginx some milliseconds away.

nginx keeps every answer of the sample archive, so that from the second round on the answers are nginx's, and only a session is ever
asked for again; the figures are of those rounds. A forwarder before it lets every byte wait, half the latency in each direction.

Usage: ``python3 scripts/benchmark.py images-of-archives --scratch DIR [--nginx PATH] [--latency 20] [--repeats 3]``
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .downloads import ROOT, forwarder

PLATE = "plate:2551"
"""576 images of 96 wells."""
STUDY = "S-BIAD1495"
"""2,500 small files."""
SERVER = """server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://{target}; proxy_http_version 1.1;
proxy_set_header Host $http_host; proxy_set_header Connection ""; proxy_set_header Accept-Encoding ""; {redirects}
sub_filter_once off; sub_filter_types application/json; }} }}
"""
CONFIGURATION = """daemon off; master_process off; pid {scratch}/nginx.pid; error_log {scratch}/nginx.log;
events {{ worker_connections 1024; }}
http {{ log_format asked '$request_method $request_uri $status $upstream_cache_status'; access_log {scratch}/asked.log asked;
sendfile on; tcp_nodelay on; keepalive_requests 100000; client_body_temp_path {scratch}/t1; proxy_temp_path {scratch}/t2;
fastcgi_temp_path {scratch}/t3; uwsgi_temp_path {scratch}/t4; scgi_temp_path {scratch}/t5;
proxy_cache_path {scratch}/cache keys_zone=all:50m max_size=20g inactive=1d;
proxy_cache all; proxy_cache_key "$request_method $http_host $request_uri"; proxy_cache_methods GET HEAD;
proxy_cache_valid any 1d; proxy_ignore_headers Cache-Control Expires Vary; proxy_cache_lock on;
{servers} }}
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what is called and with how many items."""

    name: str
    count: int
    command: tuple[str, ...]


@contextmanager
def sample_archive(scratch: Path) -> Iterator[dict[str, str]]:
    """Serve the sample archive in a process of its own; gives its endpoints."""
    told = scratch / "sample.json"
    told.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.archives", "--endpoints", str(told), "--until-stdin-closes"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        while not told.exists():
            if process.poll() is not None:
                raise SystemExit("the sample archive did not start")
            time.sleep(0.1)
        yield json.loads(told.read_text())


def free_port() -> int:
    """Find a port nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def served(scratch: Path, nginx: str, latency: float) -> Iterator[Path]:
    """Serve the sample archive through nginx and the forwarders; gives the file of endpoints."""
    with ExitStack() as stack:
        endpoints = stack.enter_context(sample_archive(scratch))
        hosts = sorted({urlsplit(url).netloc for url in endpoints.values()})
        ports = {host: free_port() for host in hosts}
        context = multiprocessing.get_context("spawn")
        late: dict[str, str] = {}
        for host in hosts:
            ours, theirs = context.Pipe()
            process = context.Process(target=forwarder, args=(ports[host], latency, theirs), daemon=True)
            process.start()
            stack.callback(process.terminate)
            late[host] = f"127.0.0.1:{ours.recv()}"
        # Some answers name other services, in their headers or in themselves.
        redirects = " ".join(f"proxy_redirect http://{host}/ http://{late[host]}/; sub_filter {host} {late[host]};" for host in hosts)
        servers = "".join(SERVER.format(port=ports[host], target=host, redirects=redirects) for host in hosts)
        (scratch / "nginx.conf").write_text(CONFIGURATION.format(scratch=scratch, servers=servers))
        server = subprocess.Popen([nginx, "-c", str(scratch / "nginx.conf"), "-p", str(scratch)], stderr=subprocess.DEVNULL)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        wait_for(f"http://127.0.0.1:{min(ports.values())}")
        through = scratch / "endpoints.json"
        moved = {}
        for key, url in endpoints.items():
            moved[key] = url.replace(urlsplit(url).netloc, late[urlsplit(url).netloc])
        through.write_text(json.dumps(moved))
        yield through


def wait_for(url: str) -> None:
    """Wait until something answers."""
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own server
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("nginx did not start")


def rows(tables: dict[int, Path], files: dict[int, Path], output: Path) -> list[Row]:
    """Return what is measured."""
    tools = ROOT / "tools"
    common = ("--quiet", "--output", str(output), "--manifest", str(output / "manifest.tsv"))
    found = []
    for count, table in tables.items():
        images = (sys.executable, str(tools / "lm_idr_download.py"), "--table", str(table), *common)
        found += [
            Row("IDR images to OME-Zarr, level 2", count, (*images, "--format", "ome-zarr", "--level", "2")),
            Row("IDR images, one plane to OME-TIFF", count, (*images, "--format", "ome-tiff", "--channel", "index:0", "--z", "0", "--t", "0")),
            Row("IDR images, a plan only", count, (*images, "--plan-only")),
        ]
    for count, table in files.items():
        found.append(Row("BioImage Archive files", count, (sys.executable, str(tools / "lm_bia_download.py"), "--table", str(table), *common)))
    return found


def cut(table: Path, count: int) -> Path:
    """Write the first rows of a table to a file beside it."""
    lines = table.read_text().splitlines(keepends=True)
    if len(lines) - 1 < count:
        raise SystemExit(f"{table} has no {count} rows")
    target = table.with_name(f"{table.stem}{count}.tsv")
    target.write_text("".join(lines[: count + 1]))
    return target


def run(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float, int]:
    """Run a command; gives seconds, the processor's seconds, and its peak memory in MB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def requests(log: Path, since: int) -> tuple[int, int]:
    """Count the requests since a place in nginx's log: all, and those that nginx did not answer by itself."""
    with log.open() as stream:
        stream.seek(since)
        lines = stream.readlines()
    return len(lines), sum(not line.rstrip().endswith("HIT") for line in lines)


def measure(row: Row, environment: dict[str, str], scratch: Path, repeats: int) -> str:
    """Run a row once for nginx to know the answers, then as often as asked for; gives the line of the table."""
    output, log = scratch / "out", scratch / "asked.log"
    times, asked, own = [], 0, 0
    for number in range(repeats + 1):
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        since = log.stat().st_size if log.exists() else 0
        taken = run(row.command, environment)
        time.sleep(0.2)
        asked, own = requests(log, since)
        if number:
            times.append(taken)
    wall, busy, memory = (statistics.median(taken[index] for taken in times) for index in range(3))
    return f"| {row.count:,} | {row.name} | {wall:.2f} | {busy:.2f} | {asked:,} | {own} | {memory:.0f} |"


def main(given: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="benchmark.py images-of-archives", description="Measure downloads of images, call by call.")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what is served and fetched")
    parser.add_argument("--nginx", default="nginx", metavar="PATH", help="the server's program (Debian: package nginx)")
    parser.add_argument("--latency", type=float, default=20.0, help="milliseconds there and back (default 20)")
    parser.add_argument(
        "--counts", type=int, nargs="+", default=[1, 100, 576], help="how many images of the IDR; the plate has 576 (default 1 100 576)"
    )
    parser.add_argument("--files", type=int, nargs="+", default=[1, 100, 1000], help="how many files of the BioImage Archive (default 1 100 1000)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds after the first, which only fills nginx (default 3)")
    arguments = parser.parse_args(given)
    scratch: Path = arguments.scratch.resolve()
    shutil.rmtree(scratch / "cache", ignore_errors=True)
    scratch.mkdir(parents=True, exist_ok=True)
    with served(scratch, arguments.nginx, arguments.latency / 1000) as endpoints:
        environment = os.environ | {"LIGHTMICROSCOPY_ENDPOINTS": str(endpoints)}
        images, files = scratch / "images.tsv", scratch / "files.tsv"
        tools = ROOT / "tools"
        run([sys.executable, str(tools / "lm_idr_search.py"), "--container", PLATE, "--limit", "2000", "--images", str(images)], environment)
        run([sys.executable, str(tools / "lm_bia_search.py"), "--accession", STUDY, "--files", str(files)], environment)
        print("| items | what | s (median) | processor s | requests | not from nginx | MB |\n|---|---|---|---|---|---|---|")
        wanted = rows(
            {count: cut(images, count) for count in arguments.counts}, {count: cut(files, count) for count in arguments.files}, scratch / "out"
        )
        for row in wanted:
            print(measure(row, environment, scratch, arguments.repeats), flush=True)
    for folder in ("out", "curl-out", "cache"):
        shutil.rmtree(scratch / folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
