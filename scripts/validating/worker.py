"""Asks ngff-zarr about stores: a path per line comes in, a line of JSON (validator to its complaint, empty for none) goes out.

Runs in the environment of ``requirements/validators.txt``, where nothing of this project is.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_SHORT = 300


def attributes(folder: Path) -> dict[str, Any]:
    """Attributes of a group as stored: with ``ome`` in version 0.5."""
    if (folder / "zarr.json").is_file():
        found: dict[str, Any] = json.loads((folder / "zarr.json").read_text(encoding="utf-8")).get("attributes", {})
        return found
    file = folder / ".zattrs"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def parts(store: Path) -> Iterator[tuple[str, Path]]:
    """(model of the schema, folder) of every group of a store that has one."""
    for path in sorted(path.parent for path in store.rglob("*") if path.name in (".zattrs", "zarr.json")):
        raw = attributes(path)
        ome = raw.get("ome", raw)
        if not isinstance(ome, dict):
            continue
        for key, model in (("plate", "plate"), ("well", "well"), ("multiscales", "image"), ("image-label", "label")):
            if key in ome:
                yield model, path
        if "bioformats2raw.layout" in ome:
            yield "bf2raw", path
        if "series" in ome:
            yield "ome", path


def by_schema(store: Path) -> None:
    """Validate every group by the JSON schema of the version that the root states."""
    import ngff_zarr

    root = attributes(store)
    version = "0.5" if (store / "zarr.json").is_file() else "0.4"
    found = list(parts(store))
    if not found:
        raise ValueError(f"no group with OME-Zarr metadata ({', '.join(root) or 'no attributes'})")
    for model, folder in found:
        ngff_zarr.validate(attributes(folder), version=version, model=model)


def by_structure(store: Path) -> None:
    """Open the store with all the checks that ngff-zarr has beyond its schema."""
    import ngff_zarr

    for model, folder in parts(store):
        if model == "plate":
            plate = ngff_zarr.from_hcs_zarr(str(folder), validate=True)
            for well in plate.wells:
                row, column = well.path.split("/")
                plate.get_well(row, column)
        elif model == "image":
            ngff_zarr.from_ngff_zarr(str(folder), validate=True)


def said(check: Callable[[Path], None], store: Path) -> str:
    """What a check says is wrong; empty if nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check(store)
        except Exception as error:  # every validator raises what it likes
            text = str(error).strip()
            return (text.splitlines()[0] if text else type(error).__name__)[:_SHORT]
    return ""


def main() -> None:
    """Answer until there are no more lines."""
    for line in sys.stdin:
        store = Path(line.strip())
        answer = {"ngff-zarr schema": said(by_schema, store), "ngff-zarr structure": said(by_structure, store)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
