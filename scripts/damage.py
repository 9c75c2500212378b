#!/usr/bin/env python3
"""Damage copies of image files, convert them, and count what comes of it.

Every copy is damaged in one way, chosen by the seed: cut at even distances and at the seams of its structure, bytes flipped or set
to 0 or 255, numbers of 2, 4 or 8 bytes made huge, negative or zero, parts swapped, files of a set or store removed; in headers,
tables and directories as well as in pixels. `lm_convert` converts it to OME-TIFF or OME-Zarr in turn, in a process that is watched
for time and memory and is started again when it dies. A row per format counts:

    refused      exit code 1 and a sentence
    told         converted with a sentence that the undamaged file does not get; pixels the same, or different
    same         converted without a sentence, to the same pixels
    unknowable   converted without a sentence, to other pixels, where only pixels without a checksum were touched
    silent       the same where something else was touched: every one must be looked at
    bugs         tracebacks, crashes, hangs, too much memory, outputs left behind

Usage: ``python scripts/damage.py FILE_OR_FOLDER… [--seed 1] [--count 100] [--markdown FILE] [--details FILE]``
Exit code 1 if there are bugs.
"""

from __future__ import annotations

import argparse
import json
import select
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from damaging.copies import Damage, Subject

TOOLS = Path(__file__).resolve().parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

FORMATS = ("ome-tiff", "ome-zarr")
GOOD = ("refused", "told, same pixels", "told, other pixels", "same", "unknowable", "silent")
BUGS = ("traceback", "crash", "hang", "memory", "left behind")
NO_MEMORY = "The memory is not enough"
ENDINGS = (".czi", ".lif", ".nd2", ".ims", ".h5", ".tif", ".tiff", ".lsm", ".png", ".jpg", ".zarr.zip", ".companion.ome")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one damaged copy came to."""

    subject: Subject
    damage: Damage
    format: str
    outcome: str
    said: str
    memory: float = 0


class Worker:
    """A process that converts; started when it is needed, and again after it died."""

    command: Sequence[str] = (sys.executable, "-m", "damaging.worker")

    def __init__(self, patience: float, log: Path) -> None:
        self.patience, self.log = patience, log
        self.process: subprocess.Popen[str] | None = None

    def convert(self, inputs: Sequence[Path], output: Path, to: str) -> dict[str, Any]:
        """Convert, or tell how the process ended: ``crash`` or ``hang``."""
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process has no pipes")
        process.stdin.write(json.dumps({"inputs": [str(path) for path in inputs], "output": str(output), "format": to}) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], self.patience)
        line = process.stdout.readline() if ready else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.close()
        return {"end": "crash" if ready else "hang", "said": f"exit code {process.returncode}" if ready else f"{self.patience:.0f} s are over"}

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.communicate()
            self.process = None

    def _running(self) -> subprocess.Popen[str]:
        if self.process is None or self.process.poll() is not None:
            with self.log.open("a") as log:
                self.process = subprocess.Popen(
                    self.command, cwd=Path(__file__).parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
                )
        return self.process


def subjects(given: Iterable[Path]) -> Iterator[Subject]:
    """Inputs in files and folders: stores are one each, a companion file brings the files of its set along."""
    for path in given:
        if not path.is_dir() or _is_store(path):
            yield _subject(path.resolve())
            continue
        inside = sorted(path.iterdir())
        sets = {member for each in inside if each.name.endswith(".companion.ome") for member in _subject(each).others}
        files = [each for each in inside if each.is_file() and each.name.lower().endswith(ENDINGS) and each.resolve() not in sets]
        yield from subjects([*files, *(each for each in inside if each.is_dir())])


def _is_store(path: Path) -> bool:
    return any((path / name).is_file() for name in (".zgroup", ".zattrs", "zarr.json"))


def _subject(path: Path) -> Subject:
    path = path.resolve()
    if not path.name.endswith(".companion.ome"):
        return Subject(path)
    stem = path.name.removesuffix(".companion.ome")
    return Subject(path, tuple(sorted(other for other in path.parent.glob(f"{stem}[-_]*.ome.tif*"))))


def run(subject: Subject, damages: Iterable[Damage], worker: Worker, scratch: Path, memory: float) -> Iterator[Verdict]:
    """Convert the undamaged input once to each format, then every damaged copy to one of them."""
    whole = {to: _converted(subject, Damage(-1, "none", subject.files[0]), to, worker, scratch) for to in FORMATS}
    if any(answer.get("code") for answer in whole.values()):
        print(f"{subject.path.name} is left out, for it cannot be converted undamaged: {whole}", file=sys.stderr)
        return
    for damage in damages:
        to = FORMATS[damage.number % len(FORMATS)]
        answer = _converted(subject, damage, to, worker, scratch)
        yield _judge(subject, damage, to, answer, whole[to], memory)


def _converted(subject: Subject, damage: Damage, to: str, worker: Worker, scratch: Path) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        (folder / "in").mkdir()
        return worker.convert(subject.copy(folder / "in", damage), folder / "out", to)
    finally:
        shutil.rmtree(folder)


def _judge(subject: Subject, damage: Damage, to: str, answer: dict[str, Any], whole: dict[str, Any], memory: float) -> Verdict:
    if "end" in answer:
        return Verdict(subject, damage, to, answer["end"], answer["said"])
    told = [line for line in answer["lines"] if line not in whole["lines"]]
    said = answer["trace"] or " ".join(told) or " ".join(answer["lines"])
    if answer["trace"]:
        outcome = "traceback"
    elif answer["memory"] > memory or said.startswith(NO_MEMORY):
        outcome = "memory"
    elif answer["code"]:
        outcome = "left behind" if answer["made"] else "refused" if len(answer["lines"]) else "traceback"
    else:
        same = answer["pixels"] == whole["pixels"]
        silent = "same" if same else "unknowable" if damage.knowable is False else "silent"
        outcome = f"told, {'same' if same else 'other'} pixels" if told else silent
    return Verdict(subject, damage, to, outcome, said, answer["memory"])


def table(verdicts: Sequence[Verdict]) -> str:
    """Counts by format in Markdown."""
    columns = ("format", "inputs", "runs", *GOOD, *BUGS)
    lines = [columns, tuple("---" if column == "format" else "--:" for column in columns)]
    formats = sorted({verdict.subject.format for verdict in verdicts})
    for name in formats:
        own = [verdict for verdict in verdicts if verdict.subject.format == name]
        lines.append((name, *_counts(own)))
    lines.append(("all", *_counts(verdicts)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _counts(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    counted = Counter(verdict.outcome for verdict in verdicts)
    inputs = {verdict.subject.path for verdict in verdicts}
    return (f"{len(inputs)}", f"{len(verdicts)}", *(f"{counted[outcome]}" for outcome in (*GOOD, *BUGS)))


def _at_least_one(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument("input", nargs="+", type=Path, help="images, stores, and folders of them")
    result.add_argument("--seed", type=int, default=1, help="another one damages other places (default: 1)")
    result.add_argument("--count", type=_at_least_one, default=100, help="damaged copies of each input (default: 100)")
    result.add_argument("--only", type=int, action="append", help="the damage of this number only; may be repeated")
    result.add_argument("--seconds", type=float, default=60, help="after which a conversion hangs (default: 60)")
    result.add_argument("--memory", type=float, default=600, help="MB of resident memory that a conversion may take (default: 600)")
    result.add_argument("--scratch", type=Path, help="folder for the copies (default: the system's for temporary files)")
    result.add_argument("--markdown", type=Path, help="write the table to this file, too")
    result.add_argument("--details", type=Path, help="write a line for every copy to this file (TSV)")
    result.add_argument("--verbose", action="store_true", help="print every copy that was converted silently to other pixels, and every bug")
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run everything and print the table."""
    asked = parser()
    given = asked.parse_args(arguments)
    for path in given.input:
        if not path.exists():
            asked.error(f"{path} is not there. Give files, stores or folders of them.")
    if given.scratch and not given.scratch.is_dir():
        asked.error(f"--scratch {given.scratch} is no folder. Make it first, or leave that out.")
    verdicts = []
    with tempfile.TemporaryDirectory(dir=given.scratch, prefix="damage-") as name:
        scratch = Path(name)
        worker = Worker(given.seconds, scratch / "worker.log")
        try:
            for subject in subjects(given.input):
                damages = [damage for damage in subject.damages(given.seed, given.count) if not given.only or damage.number in given.only]
                for verdict in run(subject, damages, worker, scratch, given.memory):
                    verdicts.append(verdict)
                    if given.verbose and verdict.outcome in ("silent", *BUGS):
                        print(_line(verdict), flush=True)
                print(f"{subject.path.name}: {dict(Counter(each.outcome for each in verdicts if each.subject is subject))}", file=sys.stderr)
        finally:
            worker.close()
        crashes = (scratch / "worker.log").read_text(errors="replace")
    if crashes:
        print(crashes[-4000:], file=sys.stderr)
    print(table(verdicts), end="")
    if given.markdown:
        given.markdown.write_text(table(verdicts), encoding="utf-8")
    if given.details:
        given.details.write_text("".join(f"{_line(verdict)}\n" for verdict in verdicts), encoding="utf-8")
    return int(any(verdict.outcome in BUGS for verdict in verdicts))


def _line(verdict: Verdict) -> str:
    said = " ".join(verdict.said.split())
    return "\t".join(
        (verdict.subject.format, verdict.subject.path.name, str(verdict.damage), verdict.format, verdict.outcome, f"{verdict.memory:.0f}", said)
    )


if __name__ == "__main__":
    sys.exit(main())
