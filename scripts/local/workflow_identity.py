"""A workflow's UUID from its contents, so that one already in a Galaxy is found again, and never an older one taken for it."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any


def identified(workflow: dict[str, Any]) -> dict[str, Any]:
    """Return the workflow with a UUID that any change to it changes.

    The UUID in the file says which workflow it is, but not which state of it: an edited file keeps it.

    Parameters
    ----------
    workflow
        The contents of a ``.ga`` file.
    """
    digest = hashlib.sha256(json.dumps(workflow, sort_keys=True).encode()).digest()
    # Galaxy shows no workflow whose UUID is not of version 4.
    return workflow | {"uuid": str(uuid.UUID(bytes=digest[:16], version=4))}
