"""The outputs of an invocation, saved under names a person can read."""

from __future__ import annotations

import re
import shutil
import unicodedata
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .paths import LocalGalaxyError, say

if TYPE_CHECKING:
    from pathlib import Path

    from bioblend.galaxy import GalaxyInstance

FOLDER_FORMATS = {"ome_zarr": ".ome.zarr", "zarr": ".zarr", "directory": ""}
SUFFIXES = {"tabular": ".tsv", "ome_zarr.zip": ".ome.zarr.zip", "ome.tiff": ".ome.tiff", "expression.json": ".json"}
MAX_NAME_BYTES = 120
DOWNLOADS_AT_ONCE = 8


def safe_name(name: str) -> str:
    """Make a name from outside fit for a file: no separators, no control characters, no leading dot."""
    kept = "".join(letter if unicodedata.category(letter)[0] in "LMN" or letter in "._-" else "_" for letter in unicodedata.normalize("NFC", name))
    kept = re.sub("_+", "_", kept).lstrip("._-").rstrip("_")
    return kept.encode()[:MAX_NAME_BYTES].decode(errors="ignore") or "unnamed"


def free_path(path: Path) -> Path:
    """Return the path, or its first numbered variant that does not exist yet."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.name.partition('.')[0]}~{number}{path.name[len(path.name.partition('.')[0]) :]}")
    return candidate


def save_outputs(galaxy: GalaxyInstance, invocation: dict[str, Any], folder: Path) -> dict[str, list[Path]]:
    """Save every labelled output of an invocation: datasets as files, collections as folders.

    Returns
    -------
    dict
        What was saved, by label.
    """
    saved: dict[str, list[Path]] = {}
    missing: list[str] = []
    for label, output in invocation["outputs"].items():
        saved[label] = _save_dataset(galaxy, output["id"], folder, label, missing)
    for label, output in invocation["output_collections"].items():
        collection = galaxy.dataset_collections.show_dataset_collection(output["id"])
        saved[label] = _save_elements(galaxy, collection["elements"], folder / safe_name(label), missing)
    if missing:
        say(f"Not saved, because the jobs that make them failed: {', '.join(missing)}")
    return saved


def _save_elements(galaxy: GalaxyInstance, elements: list[dict[str, Any]], folder: Path, missing: list[str]) -> list[Path]:
    saved = []
    for element in elements:
        if element["element_type"] == "hda":
            saved += _save_dataset(galaxy, element["object"]["id"], folder, element["element_identifier"], missing)
        else:
            inner, name = element["object"]["elements"], element["element_identifier"]
            # A list of one, as a mapped tool gives for each input, needs no folder of its own.
            if len(inner) == 1 and inner[0]["element_type"] == "hda":
                saved += _save_dataset(galaxy, inner[0]["object"]["id"], folder, name, missing)
            else:
                saved += _save_elements(galaxy, inner, folder / safe_name(name), missing)
    return saved


def _save_dataset(galaxy: GalaxyInstance, dataset_id: str, folder: Path, name: str, missing: list[str]) -> list[Path]:
    dataset = galaxy.datasets.show_dataset(dataset_id)
    if dataset["state"] != "ok":
        missing.append(name)
        return []
    extension = dataset["extension"]
    if extension == "expression.json" and dataset.get("misc_blurb") == "skipped":
        # Galaxy's place holder for the output of a step that was not wanted.
        return []
    folder.mkdir(parents=True, exist_ok=True)
    suffix = FOLDER_FORMATS.get(extension, SUFFIXES.get(extension, f".{extension}"))
    stem = safe_name(name)
    target = free_path(folder / (stem if stem.lower().endswith(suffix.lower()) else _bare(stem) + suffix))
    partial = target.with_name(f".{target.name}.partial")
    if extension in FOLDER_FORMATS:
        _save_folder(galaxy, dataset_id, partial)
    else:
        _stream(galaxy, f"{galaxy.url}/datasets/{dataset_id}/display?to_ext={extension}", partial)
        _unwrap_page(partial, extension)
    partial.rename(target)
    return [target]


def _unwrap_page(path: Path, extension: str) -> None:
    """Take an HTML page out of the zip that Galaxy sends it in, since a page could have files beside it."""
    if extension != "html" or not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as packed:
        pages = [name for name in packed.namelist() if name.endswith(".html")]
        if len(pages) != 1:
            return
        text = packed.read(pages[0])
    path.write_bytes(text)


def _bare(stem: str) -> str:
    """Drop the suffix an image had before it was converted."""
    suffixes = r"tiff?|zarr(\.zip)?|zip|png|jpe?g|lsm|czi|lif|lof|xlef|nd2|ims|h5|hdf5?|companion\.ome"
    return re.sub(rf"(\.ome)?\.({suffixes})$", "", stem, flags=re.IGNORECASE) or stem


def _stream(galaxy: GalaxyInstance, url: str, path: Path) -> None:
    with galaxy.make_get_request(url, stream=True) as answer, path.open("wb") as file:
        answer.raise_for_status()
        shutil.copyfileobj(answer.raw, file, 1 << 20)


def _save_folder(galaxy: GalaxyInstance, dataset_id: str, target: Path) -> None:
    """Save a folder dataset file by file.

    Galaxy 26.1 sends an empty file when asked to download a dataset of format ome_zarr whole.
    """
    listing = galaxy.make_get_request(f"{galaxy.url}/datasets/{dataset_id}/extra_files").json()
    files = [entry["path"] for entry in listing if entry["class"] == "File"]
    store = _store_root(files)
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        list(pool.map(lambda path: _save_member(galaxy, dataset_id, path, target, store), files))


def _save_member(galaxy: GalaxyInstance, dataset_id: str, name: str, target: Path, store: str) -> None:
    if not name.startswith(store):
        return
    path = target / name[len(store) :]
    if not path.resolve().is_relative_to(target.resolve()):
        raise LocalGalaxyError(f"The folder that Galaxy sent names the file {name!r}, outside itself; it was not saved.")
    path.parent.mkdir(parents=True, exist_ok=True)
    _stream(galaxy, f"{galaxy.url}/datasets/{dataset_id}/extra_files/raw/{quote(name)}", path)


def _store_root(files: list[str]) -> str:
    """Return the part of the paths before the store's own root, so that the saved folder is the store."""
    roots = [name.removesuffix(mark) for name in files for mark in ("zarr.json", ".zgroup", ".zattrs") if name.rpartition("/")[2] == mark]
    return min(roots, key=len, default="")
