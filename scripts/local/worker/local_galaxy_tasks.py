"""Galaxy's tasks as the worker beside a local Galaxy runs them: those on a job in the folder of that job.

Galaxy 26.1 looks for a job's exit code and version in the folder that the process is in. A job's own process is in the right one; a worker
is not, finds no exit code, and takes it for 0 (`galaxy.metadata.set_metadata.set_metadata_portable`).
"""

from __future__ import annotations

import contextlib
from typing import Any

from galaxy.celery import celery_app, tasks
from galaxy.metadata.set_metadata import set_metadata_portable

__all__ = ["celery_app", "set_metadata_of_job"]


def set_metadata_of_job(tool_job_working_directory: str, **options: Any) -> None:
    """Describe the results of a job. The worker's processes do one task at a time, so their folder may be changed."""
    with contextlib.chdir(tool_job_working_directory):
        set_metadata_portable(tool_job_working_directory, **options)


tasks.set_metadata_portable = set_metadata_of_job
