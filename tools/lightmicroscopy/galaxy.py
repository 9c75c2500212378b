"""What a Galaxy job must say beside its files: which folders are the elements of a collection."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from .names import without_extension
from .reports.tables import write_text

METADATA = Path("galaxy.json")
"""Galaxy looks for it in the folder the job runs in."""


def describe_stores(stores: Iterable[Path], collection: str) -> None:
    """Make OME-Zarr folders the elements of a collection output.

    A dataset of Galaxy's that is a folder is an empty file with *extra files*; a pattern over file names cannot find those. Each
    store is moved into a folder of its own, since Galaxy looks for a store in the one folder among the extra files.

    Parameters
    ----------
    stores
        Folders of the job, anywhere below the folder it runs in.
    collection
        Name of the output in the wrapper.
    """
    elements = []
    for store in stores:
        name = without_extension(store.name)
        primary, folder = (store.with_name(f"{name}.{kind}") for kind in ("primary", "files"))
        folder.mkdir()
        store.rename(folder / store.name)
        write_text(primary, ())
        elements.append({"name": name, "filename": primary.as_posix(), "ext": "ome_zarr", "extra_files": str(folder.absolute())})
    write_text(METADATA, [json.dumps({collection: {"elements": elements}})])
