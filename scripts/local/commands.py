"""The commands of ``scripts/galaxy.py``: serve, run, test."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import environments, lifeline, tool_tests
from .accounts import import_workflows, prepare, workflow_files
from .configuration import ADMINISTRATOR, USER
from .instance import Connection, Instance, instance_folder, running
from .lifeline import Stop
from .paths import LocalGalaxyError, say, state_folder


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Understand a command line; inputs may stand behind options too, which argparse by itself refuses of subcommands."""
    options, rest = _parser().parse_known_args(arguments)
    unknown = [word for word in rest if word.startswith("-")] if options.command in ("run", "test") else rest
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.command == "run":
        options.inputs += rest
    elif options.command == "test":
        options.targets += rest
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="galaxy.py",
        description="A local Galaxy with the light microscopy tools.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="open a Galaxy for the browser, until Ctrl-C")
    run = commands.add_parser(
        "run", help="run a workflow and save its results", description="Run a workflow through BioBlend and save every output and the report."
    )
    test = commands.add_parser("test", help="run the tests of the tools and workflows")
    for command in (serve, run, test):
        command.set_defaults(parser=command)
        command.add_argument("--name", help="which local Galaxy (default: 'default', or the next free 'default-2' …)")
        command.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
        command.add_argument(
            "--live", action="store_true", help="tools talk to the live archives (IDR …) instead of the sample archive of this repository"
        )
    run.add_argument("workflow", help="a workflow's folder name, folder or .ga file")
    run.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="image files, folders of them, or folders that are OME-Zarr stores; for a workflow without data inputs, its text, such as ids or links "
        "(default: what the workflow's own test uses)",
    )
    run.add_argument("--output", type=Path, help="folder for the results (default: results/<workflow>-<time>)")
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="LABEL=VALUE",
        dest="settings",
        help="value of a workflow parameter, or a file for an input of one, by its label; repeatable",
    )
    run.add_argument("--url", help="run in this Galaxy instead of a local one")
    run.add_argument("--key", help="API key for --url (better: in the environment variable GALAXY_API_KEY)")
    run.add_argument("--serve", action="store_true", help="keep the local Galaxy open afterwards, until Ctrl-C")
    test.add_argument("targets", nargs="*", metavar="TOOL_OR_WORKFLOW", help="tool ids, workflow names or files (default: all)")
    test.add_argument("--output", type=Path, help="folder for the reports (default: test-results)")
    return parser


def serve(options: argparse.Namespace) -> int:
    """Open a Galaxy and keep it until told to stop."""
    began = time.monotonic()
    with Instance.claim(options.name, options.port, live=options.live, long=True) as instance:
        connection = _open(instance)
        _print_welcome(instance, connection, time.monotonic() - began)
        instance.wait()
    return 0


def _open(instance: Instance) -> Connection:
    instance.start()
    connection = prepare(instance)
    instance.announce(connection)
    return connection


def _print_welcome(instance: Instance, connection: Connection, seconds: float) -> None:
    print(
        f"\nGalaxy is ready at {connection.url} after {seconds:.0f} s; Ctrl-C stops it.\n\n"
        f"  user           {USER}\n    password     {instance.keys['user_password']}\n    API key      {connection.user_key}\n"
        f"  archives       {'the live services' if connection.live else 'the sample archive of this repository (--live for the live services)'}\n"
        f"  administrator  {ADMINISTRATOR}\n    password     {instance.keys['admin_password']}\n    API key      {connection.admin_key}\n",
        flush=True,
    )


def find_workflow(name: str) -> Path:
    """Return the ``.ga`` file that a folder name, folder or file stands for.

    Raises
    ------
    LocalGalaxyError
        When there is none.
    """
    known = {path.parent.name: path for path in workflow_files()}
    if name in known:
        return known[name]
    path = Path(name)
    found = sorted(path.glob("*.ga")) if path.is_dir() else [path] if path.is_file() else []
    if len(found) != 1:
        raise LocalGalaxyError(f"There is no workflow {name!r}; the suite has: {', '.join(known) or 'none'}.")
    return found[0].resolve()


def run(options: argparse.Namespace) -> int:
    """Run a workflow here or elsewhere."""
    workflow = find_workflow(options.workflow)
    check_inputs(workflow, options.inputs, options.settings)
    output = options.output or Path("results") / f"{workflow.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    if options.url:
        return _run_client(options, workflow, output, options.url, options.key)
    connection = running(options.name or "default")
    if connection:
        check_archives(connection, live=options.live)
        say(f"Using the Galaxy that is open at {connection.url}.")
        import_workflows(instance_folder(options.name or "default"), connection)
        return _run_client(options, workflow, output, connection.url, connection.user_key)
    began = time.monotonic()
    with Instance.claim(options.name, options.port, live=options.live, long=options.serve) as instance:
        connection = _open(instance)
        status = _run_client(options, workflow, output, connection.url, connection.user_key)
        if options.serve:
            _print_welcome(instance, connection, time.monotonic() - began)
            instance.wait()
    if (output / "report.html").exists():
        print(f"That Galaxy is stopped now; to open it again: {_serve_command(instance)}", flush=True)
    return status


def check_inputs(workflow: Path, inputs: list[str], settings: Sequence[str] = ()) -> None:
    """Refuse files that are not there, on the command line or as ``LABEL=FILE``, before a Galaxy is made for them.

    Raises
    ------
    LocalGalaxyError
        Naming the first that is missing.
    """
    try:
        steps = json.loads(workflow.read_text(encoding="utf-8"))["steps"].values()
        takes_data = any(step["type"] in ("data_input", "data_collection_input") for step in steps)
        files = {step["label"] for step in steps if step["type"] == "data_input"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # What is wrong with it is said where it is read.
        return
    named = [value for label, _, value in (setting.partition("=") for setting in settings) if label in files]
    missing = [path for path in (*(inputs if takes_data else ()), *named) if not Path(path).exists()]
    if missing:
        raise LocalGalaxyError(f"The input {missing[0]} does not exist.")


def check_archives(connection: Connection, *, live: bool) -> None:
    """Refuse a Galaxy whose tools ask other archives than the user wants.

    Raises
    ------
    LocalGalaxyError
        With what to do.
    """
    if connection.live and not live:
        advice = "uses the live archives. Add --live to this command to use them too, or start another Galaxy with --name."
    elif live and not connection.live:
        advice = "uses the sample archive. Stop it, or start another Galaxy with --name."
    else:
        return
    raise LocalGalaxyError(f"The Galaxy that is open at {connection.url} {advice}")


def _serve_command(instance: Instance) -> str:
    words = [
        "python3 scripts/galaxy.py serve",
        *(["--name", instance.name] if instance.name != "default" else []),
        *(["--live"] if instance.live else []),
    ]
    return " ".join(words)


def _run_client(options: argparse.Namespace, workflow: Path, output: Path, url: str, key: str | None) -> int:
    client = environments.ensure("client")
    command: list[str | Path] = [
        client.python,
        Path(__file__).with_name("run_workflow.py"),
        workflow,
        *options.inputs,
        "--output",
        output,
        "--url",
        url,
    ]
    for setting in options.settings:
        command += ["--set", setting]
    # The key goes through the environment: a command line can be read by everybody on the machine.
    return lifeline.run(command, env=lifeline.environ_with(GALAXY_API_KEY=key))


def test(options: argparse.Namespace) -> int:
    """Run tool and workflow tests in a Galaxy of their own."""
    plan = tool_tests.make_plan(options.targets)
    output = options.output or state_folder() / "test-results"
    with Instance.claim(options.name, options.port, live=options.live, long=True) as instance:
        return tool_tests.run_tests(plan, _open(instance), output)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = parse(arguments)
    commands = {"serve": serve, "run": run, "test": test}
    try:
        lifeline.end_with_caller()
        return commands[options.command](options)
    except LocalGalaxyError as error:
        print(f"galaxy: {error}", file=sys.stderr)
        return 1
    except Stop as stop:
        say("\nStopped.")
        # Ctrl-C is how a served Galaxy is meant to end.
        return 0 if options.command == "serve" and stop.number == signal.SIGINT else 128 + stop.number
