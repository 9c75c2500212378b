"""Files and OME-Zarr folders into a Galaxy history."""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioblend.util import attach_file
from tqdm import tqdm

from .paths import LocalGalaxyError, say

if TYPE_CHECKING:
    from bioblend.galaxy import GalaxyInstance

    from .workflow_inputs import InputFile, WorkflowInputs

UPLOAD_SECONDS = 12 * 3600.0


def upload_inputs(galaxy: GalaxyInstance, history_id: str, wanted: WorkflowInputs) -> dict[str, Any]:
    """Upload what a workflow needs.

    Returns
    -------
    dict
        Inputs by label, as an invocation takes them.

    Raises
    ------
    LocalGalaxyError
        When Galaxy cannot take a file.
    """
    everything = [*wanted.datasets.values(), *(file for files in wanted.collections.values() for file in files)]
    uploaded: dict[int, str] = {}
    for file in tqdm(everything, desc="Uploading", unit="file", disable=not sys.stderr.isatty()):
        if not sys.stderr.isatty():
            say(f"Uploading {file.name}")
        uploaded[id(file)] = _upload_folder(galaxy, history_id, file) if file.path.is_dir() else _upload_file(galaxy, history_id, file)
    for file in everything:
        _await(galaxy, uploaded[id(file)], file)
    values: dict[str, Any] = dict(wanted.parameters)
    values |= {label: {"src": "hda", "id": uploaded[id(file)]} for label, file in wanted.datasets.items()}
    for label, files in wanted.collections.items():
        elements = [{"name": file.name, "src": "hda", "id": uploaded[id(file)]} for file in files]
        collection = galaxy.histories.create_dataset_collection(
            history_id, {"name": label, "collection_type": "list", "element_identifiers": elements}
        )
        values[label] = {"src": "hdca", "id": collection["id"]}
    return values


def _upload_file(galaxy: GalaxyInstance, history_id: str, file: InputFile) -> str:
    # Nothing is unpacked and no line ending touched: a container of images is an image.
    answer = galaxy.tools.upload_file(
        str(file.path), history_id, file_name=file.name, file_type=file.format, auto_decompress=False, to_posix_lines=False
    )
    return str(answer["outputs"][0]["id"])


def _upload_folder(galaxy: GalaxyInstance, history_id: str, file: InputFile) -> str:
    """Upload a folder as Galaxy's upload of directories wants it: packed, with an empty file as its face."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "folder.tar"
        with tarfile.open(archive, "w") as tar:
            # The name inside matters: viewers and tools look for one folder with the store's name.
            tar.add(file.path, arcname=file.name)
        element = {
            "src": "pasted",
            "paste_content": "",
            "name": file.name,
            "ext": file.format,
            "extra_files": {"src": "files", "items_from": "archive", "fuzzy_root": False},
        }
        payload = {
            "history_id": history_id,
            "targets": [{"destination": {"type": "hdas"}, "elements": [element]}],
            "auto_decompress": False,
            "files_0|file_data": attach_file(str(archive)),
        }
        answer = galaxy.make_post_request(f"{galaxy.url}/tools/fetch", payload=payload, files_attached=True)
    return str(answer["outputs"][0]["id"])


def _await(galaxy: GalaxyInstance, dataset_id: str, file: InputFile) -> None:
    dataset = galaxy.datasets.wait_for_dataset(dataset_id, maxwait=UPLOAD_SECONDS, interval=1, check=False)
    if dataset["state"] != "ok":
        raise LocalGalaxyError(f"Galaxy could not take in {file.path}: {dataset.get('misc_info') or dataset['state']}.")
