"""A user, an administrator, and the workflows in the user's list."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from .api import GalaxyApi
from .configuration import ADMINISTRATOR, USER
from .instance import Connection
from .paths import WORKFLOWS, LocalGalaxyError, say, write_private
from .workflow_identity import identified

if TYPE_CHECKING:
    from pathlib import Path

    from .instance import Instance


def prepare(instance: Instance) -> Connection:
    """Make both accounts and import the workflows, unless an earlier start did.

    Returns
    -------
    Connection
        Address and keys.
    """
    root = GalaxyApi(instance.url, instance.keys["bootstrap_key"])
    admin_key = _account(root, instance, "administrator", ADMINISTRATOR, "admin")
    user_key = _account(root, instance, "user", USER, "user")
    connection = Connection(instance.url, user_key, admin_key, instance.live)
    import_workflows(instance.folder, connection)
    return connection


def _account(root: GalaxyApi, instance: Instance, name: str, email: str, role: str) -> str:
    key_name = f"{role}_key"
    known = instance.keys.get(key_name)
    if known:
        try:
            if GalaxyApi(instance.url, known).get("users/current").get("email") == email:
                return known
        except LocalGalaxyError:
            pass  # The database was removed while the keys stayed: the account is made anew.
    found = [user for user in root.get("users") if user["email"] == email]
    user = found[0] if found else root.request("POST", "users", {"username": name, "email": email, "password": instance.keys[f"{role}_password"]})
    key = str(root.request("POST", f"users/{user['id']}/api_key"))
    instance.keys[key_name] = key
    write_private(instance.folder / "secrets.json", json.dumps(instance.keys, indent=2))
    return key


def workflow_files(folder: Path = WORKFLOWS) -> list[Path]:
    """Return every workflow of the suite."""
    return sorted(folder.glob("*/*.ga"))


def import_workflows(folder: Path, connection: Connection) -> None:
    """Import each workflow once, and again as a new version of the same when its file has changed.

    Parameters
    ----------
    folder
        Of the instance, where it is recorded which workflow is which.
    connection
        To the running instance.
    """
    api = GalaxyApi(connection.url, connection.user_key)
    record_file = folder / "workflows.json"
    record: dict[str, dict[str, str]] = json.loads(record_file.read_text()) if record_file.exists() else {}
    for path in workflow_files():
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        known = record.get(path.stem, {})
        if known.get("sha256") == digest and _exists(api, known["id"]):
            continue
        workflow = identified(json.loads(content))
        if known and _exists(api, known["id"]):
            identifier = known["id"]
            api.request("PUT", f"workflows/{identifier}", {"workflow": workflow})
        else:
            identifier = api.request("POST", "workflows", {"workflow": workflow, "publish": True})["id"]
        record[path.stem] = {"id": identifier, "sha256": digest}
        say(f"Imported the workflow “{workflow['name']}”.")
    write_private(record_file, json.dumps(record, indent=2))


def _exists(api: GalaxyApi, identifier: str) -> bool:
    try:
        return not api.get(f"workflows/{identifier}").get("deleted", False)
    except LocalGalaxyError:
        return False
