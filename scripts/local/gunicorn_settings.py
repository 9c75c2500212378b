"""How gunicorn runs Galaxy; gunicorn reads this file."""

from __future__ import annotations

import os
import signal
from typing import Any

wsgi_app = "galaxy.webapps.galaxy.fast_factory:factory()"
worker_class = "galaxy.webapps.galaxy.workers.Worker"
# Jobs are handled inside the worker, so there can be one only.
workers = 1
# Loading Galaxy takes minutes on a busy machine, and meanwhile the worker gives no sign of life.
timeout = 900
graceful_timeout = 6
# Its place would be in the home folder, the same for every Galaxy.
control_socket_disable = True


def child_exit(server: Any, worker: Any) -> None:
    """End the server with its worker: gunicorn would start one that fails again and again, and a new one has lost its jobs."""
    os.kill(server.pid, signal.SIGTERM)
