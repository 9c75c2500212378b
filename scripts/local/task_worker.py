"""The process beside a local Galaxy that fetches uploads and describes the results of jobs, with Galaxy loaded once for all of them.

Without it every job loads Galaxy anew, and every upload twice, which takes six seconds of a processor each time. To start it takes fifteen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .lifeline import Supervised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .environments import Environment

TASKS_AT_ONCE = 2
GRACE_SECONDS = 12.0
WORKER_LOG = "worker.log"
# A folder of its own: beside it lies galaxy.py, which is not the package.
APP_FOLDER = Path(__file__).resolve().parent / "worker"
QUEUES = "celery,galaxy.internal,galaxy.external"
_TASKS, _RESULTS = "tasks.sqlite", "task_results.sqlite"


def task_settings(data: Path) -> dict[str, Any]:
    """Return what Galaxy and its worker have to know of each other; both read it from Galaxy's configuration."""
    return {
        "enable_celery_tasks": True,
        "metadata_strategy": "extended_celery",
        "celery_conf": {
            "broker_url": f"sqla+sqlite:///{data / _TASKS}",
            "result_backend": f"db+sqlite:///{data / _RESULTS}",
        },
    }


def forget_tasks(data: Path) -> None:
    """Remove what a Galaxy that was killed had still to do: its jobs are gone."""
    for name in (_TASKS, _RESULTS):
        for path in data.glob(f"{name}*"):
            path.unlink()


def start_worker(galaxy: Environment, folder: Path, environ: Mapping[str, str]) -> Supervised:
    """Start the worker; it takes up what waits for it as soon as it can.

    Parameters
    ----------
    galaxy
        Where Galaxy is installed.
    folder
        The instance's; its log goes there.
    environ
        The server's, which names the configuration.
    """
    log = folder / WORKER_LOG
    log.unlink(missing_ok=True)
    command: list[str | Path] = [
        galaxy.programs / "celery",
        "--app",
        "local_galaxy_tasks:celery_app",
        "worker",
        "--pool",
        "threads",
        "--concurrency",
        str(TASKS_AT_ONCE),
    ]
    quiet = ["--queues", QUEUES, "--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Supervised([*command, *quiet], log=log, grace=GRACE_SECONDS, env={**environ, "PYTHONPATH": str(APP_FOLDER)}, cwd=folder)
