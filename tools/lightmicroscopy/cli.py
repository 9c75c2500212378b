"""What all scripts share: common flags, ``--params``, messages, exit codes."""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import signal
import stat
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from . import __version__, progress
from .errors import SuiteError, UsageError
from .names import readable
from .report_paths import ReportPaths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

DONE = 0
NOTHING_USABLE = 1
WRONG_USAGE = 2
SOME_FAILED = 3
FINDINGS = 4
INTERRUPTED = 130
_PIPE = "-"
_LONGEST_NAME = 255
"""Bytes, on the file systems in use."""
_LARGEST_PARAMS = 64_000_000
"""Bytes; a choice of ten thousand images has far less."""
_SURROGATES = re.compile("[\ud800-\udfff]")
one_line = progress.one_line

EXIT_CODES = (
    "exit codes: 0 done; 1 nothing usable was produced; 2 wrong usage; 3 some items failed (only with --strict); "
    "4 findings or differences at the level of --fail-on"
)


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong and where the flags are listed, not the list itself."""

    def error(self, message: str) -> NoReturn:
        """Stop with exit code 2 and one line."""
        said = one_line(message).rstrip(". ")
        self.exit(WRONG_USAGE, f"{self.prog}: {said[:1].upper()}{said[1:]}. See {self.prog} --help.\n")


def build_parser(program: str, description: str, *, output: bool = True, examples: Sequence[str] = ()) -> Parser:
    """Make a parser that has the flags every script has.

    Parameters
    ----------
    program
        Name of the script without extension.
    description
        One sentence for ``--help``.
    output
        Whether the script writes into a folder (``--output``).
    examples
        Command lines to show at the end of ``--help``.
    """
    shown = "\n  ".join(("examples:", *examples))
    parser = Parser(
        prog=program,
        description=description,
        epilog=f"{shown}\n\n{EXIT_CODES}" if examples else EXIT_CODES,
        formatter_class=_LinesKept,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{program} {__version__}")
    common = parser.add_argument_group("common options")
    if output:
        common.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for what is produced; made if it is not there")
    common.add_argument("--threads", type=_at_least_one, metavar="N", help="threads to use (default: GALAXY_SLOTS, else all cores)")
    common.add_argument("--memory", type=_at_least_one, metavar="MB", help="memory for pixels, in MB (default: GALAXY_MEMORY_MB)")
    common.add_argument("--strict", action="store_true", help="exit with 3 if any item failed")
    common.add_argument("--quiet", action="store_true", help="only warnings and errors")
    common.add_argument("--log-json", action="store_true", help="messages as JSON lines")
    common.add_argument("--params", type=Path, metavar="FILE", help="more flags as a JSON object; the command line has precedence")
    return parser


class _LinesKept(argparse.HelpFormatter):
    """Help in which text keeps its lines; those that are indented, commands to copy, are not even filled."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = text.split("\n")
        return "\n".join(line if line.startswith(" ") else super(_LinesKept, self)._fill_text(line, width, indent) for line in lines)


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None, *, form_only: Sequence[str] = ()) -> argparse.Namespace:
    """Parse the command line, and the flags in the file that ``--params`` names.

    The file's object may be nested as Galaxy nests sections and conditionals: an object's members count as if they
    stood outside it, a list of objects (a repeat) gives a repeated flag, and ``null``, ``""`` and keys that begin with
    ``__`` mean "not given".

    Parameters
    ----------
    form_only
        Keys of that object that a Galaxy form has and the script has not, such as the names of datasets.

    Notes
    -----
    No tool reads from a pipe or writes a result into one: every path must be a name, and ``-`` is refused.
    """
    if arguments is None:
        _in_utf8()
    given = list(sys.argv[1:] if arguments is None else arguments)
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--params", type=Path)
    params = finder.parse_known_args(given)[0].params
    if params is None or str(params) == _PIPE:
        return _as_text(parser, _parsed(parser, given))
    try:
        extra = _from_params(parser, params, frozenset(form_only))
    except UsageError as error:
        parser.error(str(error))
    # Of a flag given twice argparse keeps the last, so the command line wins; a repeatable flag collects both.
    return _as_text(parser, _parsed(parser, extra + given))


def _parsed(parser: argparse.ArgumentParser, given: list[str]) -> argparse.Namespace:
    """Read flags and names in any order; after ``--`` there are only names, as ever."""
    # An empty path would be the current folder, and comes of a shell's variable that is not set.
    paths = {option for action in parser._actions if action.type is Path for option in action.option_strings}
    for flag, value in pairwise([*given, "-"]):
        if (flag in paths and not value) or (flag.endswith("=") and flag[:-1] in paths):
            parser.error(f"{flag.rstrip('=')}: the name is empty. Give one; '.' is the folder you are in.")
    return parser.parse_args(given) if "--" in given else parser.parse_intermixed_args(given)


def _in_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale has another encoding: file names and texts are the same everywhere then."""
    if sys.getfilesystemencoding().lower().replace("-", "") != "utf8" and not sys.flags.utf8_mode:
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - the same command once more


def _as_text(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> argparse.Namespace:
    """Refuse what no table and no file name can hold: bytes of another encoding and halves of surrogate pairs in text, NUL in paths.

    Nor is ``-`` a file name, which people mean as standard input or output.
    """
    flags = {action.dest: action.option_strings[-1] for action in parser._actions if action.option_strings}
    for dest, value in vars(arguments).items():
        name = flags.get(dest, dest.upper())
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str) and _SURROGATES.search(part):
                parser.error(f"{name}: {part[:80]!a} holds characters that are no text. Write it in UTF-8.")
            if isinstance(part, Path) and "\0" in str(part):
                parser.error(f"{name}: {str(part)[:80]!a} is no path.")
            if isinstance(part, Path) and any(len(os.fsencode(step)) > _LONGEST_NAME for step in part.parts):
                parser.error(f"{name}: {part.name[:40]!a}… is longer than a file name may be ({_LONGEST_NAME} bytes). Check how it is written.")
            if isinstance(part, Path) and _has_no_end(part):
                parser.error(f"{name}: {part.name[:40]} is a pipe or a device. Give a file or a folder; a pipe's content can be saved in one.")
            if isinstance(part, Path) and str(part) == _PIPE:
                parser.error(f"{name}: '-' does not stand for standard input or output here. Name a file or folder.")
    return arguments


def _has_no_end(path: Path) -> bool:
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


def _from_params(parser: argparse.ArgumentParser, path: Path, form_only: frozenset[str]) -> list[str]:
    if _has_no_end(path) or (path.is_file() and path.stat().st_size > _LARGEST_PARAMS):
        raise UsageError(f"--params {path.name} must be a file of JSON of at most {_LARGEST_PARAMS:,} bytes.")
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"--params {path.name} cannot be read as JSON ({error}).") from error
    if not isinstance(document, dict):
        raise UsageError(f"--params {path.name} must hold one JSON object of flag names and values.")
    actions = {action.dest: action for action in parser._actions if action.option_strings}
    tokens = []
    for key, value in _flatten(document):
        name = key.replace("-", "_")
        if name in form_only or name.startswith("__"):
            continue
        if name not in actions or name in ("params", "help", "version"):
            raise UsageError(f"--params {path.name} names {key!r}, which is not a flag of this tool.")
        tokens += _tokens(actions[name], value)
    return tokens


def _flatten(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _flatten(value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    yield from _flatten(item)
                else:
                    yield key, item
        elif value is not None and value != "":
            yield key, value


def _tokens(action: argparse.Action, value: Any) -> list[str]:
    if action.nargs == 0:
        if str(value).lower() not in ("true", "false"):
            raise UsageError(f"--params gives {action.option_strings[-1]} the value {value!r}; it is either true or false.")
        wanted = str(value).lower() == "true"
        if isinstance(action, argparse.BooleanOptionalAction):
            return [action.option_strings[0] if wanted else action.option_strings[-1]]
        return [action.option_strings[-1]] if wanted else []
    return [f"{action.option_strings[-1]}={value}"]


@dataclass(frozen=True, slots=True)
class Resources:
    """What a run may use: threads, and bytes of memory (None: no limit was set)."""

    threads: int
    memory: int | None


def resources(arguments: argparse.Namespace) -> Resources:
    """Take threads and memory from the flags, else from what Galaxy granted, else from the machine."""
    threads = arguments.threads or _number("GALAXY_SLOTS") or _cores()
    megabytes = arguments.memory or _number("GALAXY_MEMORY_MB")
    return Resources(threads, megabytes * 1024 * 1024 if megabytes else None)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _number(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    return int(text) if re.fullmatch(r"0*[1-9][0-9]{0,11}", text) else None


def _at_least_one(text: str) -> int:
    if not re.fullmatch(r"0*[1-9][0-9]{0,11}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def run(program: str, main: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run a script's work with messages set up, and turn foreseen errors into a sentence and an exit code.

    A SIGTERM (a job being cancelled) unwinds like Ctrl-C, so that nothing half-written stays behind.
    """
    logger = progress.set_up_messages(program, quiet=arguments.quiet, log_json=arguments.log_json)
    logging.captureWarnings(True)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return main(arguments)
    except SuiteError as error:
        logger.error(one_line(str(error)))
        return error.exit_code
    except MemoryError:
        logger.error("The memory is not enough for this input. Give the job more, or fewer threads.")
        return NOTHING_USABLE
    except KeyboardInterrupt as error:
        logger.error(one_line(" ".join(("Interrupted; nothing was left half-written.", *getattr(error, "__notes__", ())))))
        return INTERRUPTED
    except OSError as error:
        if os.environ.get("LIGHTMICROSCOPY_DEBUG"):
            raise
        # Of a file in a store the name alone says little, and the whole path may be one of Galaxy's.
        named = f"{readable('/'.join(Path(os.fsdecode(error.filename)).parts[-2:]))}: " if isinstance(error.filename, str | bytes) else ""
        reason = f"{named}{error.strerror or error}. Check that it is there, that you may use it and its folder, and that the disk has room."
        logger.error(one_line(reason))
        return NOTHING_USABLE
    except Exception as error:
        # Whatever was not foreseen: a sentence for the user, and what a report of it needs where somebody asks for that.
        logger.error(
            "This suite has a fault and stopped (%s: %s). Please report it, with the file if you can.", type(error).__name__, one_line(str(error))
        )
        if os.environ.get("LIGHTMICROSCOPY_DEBUG"):
            raise
        return NOTHING_USABLE


def parse_with_input(parser: argparse.ArgumentParser, arguments: Sequence[str] | None = None, *, form_only: Sequence[str] = ()) -> argparse.Namespace:
    """Parse as `parse` does, for a script whose inputs are given in their place, by ``--url``, or both."""
    parsed = parse(parser, arguments, form_only=form_only)
    urls = [parsed.url] if isinstance(parsed.url, str) else parsed.url
    if not parsed.input and not getattr(parsed, "sheet", None) and not any(url.strip() for url in urls):
        parser.error("There is nothing to read: give a file or folder, or the address of an OME-Zarr on the web.")
    return parsed


def _read_besides(arguments: argparse.Namespace) -> list[Path]:
    """Files that a call reads beside its inputs: flags, ontologies, addresses of services."""
    endpoints = os.environ.get("LIGHTMICROSCOPY_ENDPOINTS", "").strip()
    named = [arguments.params, *getattr(arguments, "ontology_file", ()), Path(endpoints) if endpoints and not endpoints.startswith("{") else None]
    return [path for path in named if path is not None and path.is_file()]


def refuse_overwriting(
    arguments: argparse.Namespace, inputs: Iterable[object], reports: Sequence[Path | None], documents: Iterable[Path] = ()
) -> ReportPaths:
    """Refuse reports that would replace what is read, each other or the output folder, or that cannot become files, before any work is done.

    Inputs that are no paths are on the web.

    Returns
    -------
    ReportPaths
        For refusing the same of files that belong to an input, which are known when it is open.

    Raises
    ------
    UsageError
        Naming the first such report.
    """
    paths = ReportPaths(reports, documents)
    paths.refuse([*(path for path in inputs if isinstance(path, Path)), *_read_besides(arguments)])
    if isinstance(folder := getattr(arguments, "output", None), Path):
        paths.refuse_as_folder(folder)
    return paths


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
