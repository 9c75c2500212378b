#!/usr/bin/env python3
"""Check the examples of OME-Zarr metadata that others publish with their software: valid ones must not be complained of.

Each JSON file with ``multiscales``, ``plate``, ``well``, ``labels``, ``image-label`` or ``bioformats2raw.layout`` (0.4, or 0.5 below ``ome``)
becomes a store: arrays of its resolution levels, and what its lists lead to, are made for it. For every file a line says what `lm_check` found.

Usage: ``python scripts/published_examples.py FOLDER…``, for instance an unpacked source distribution of ome-zarr-models or ngff-zarr.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TOOLS = Path(__file__).resolve().parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

KEYS = ("multiscales", "plate", "well", "labels", "image-label", "bioformats2raw.layout")
_SIZES = {"time": 2, "channel": 2}
_LARGE, _DEEP = 96, 6
_LEVEL = {"multiscales": [{"name": "field", "axes": [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"], "datasets": []}]}


def examples(folders: list[Path]) -> Iterator[tuple[Path, dict[str, Any], str]]:
    """(file, attributes without ``ome``, version) of every JSON file that is metadata of OME-Zarr 0.4 or 0.5."""
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix == ".json" or path.name == ".zattrs"):
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, UnicodeDecodeError):
            continue
        ome = value.get("ome", value) if isinstance(value, dict) else None
        if isinstance(ome, dict) and any(key in ome for key in KEYS):
            yield path, ome, stated(ome) or ("0.5" if "ome" in value else "0.4")


def stated(ome: dict[str, Any]) -> str | None:
    """Version that attributes state."""
    from lightmicroscopy.metadata.ngff_read import stated_version

    return stated_version({"ome": ome})


class Builder:
    """Writes a store around some attributes."""

    def __init__(self, root: Path, version: str) -> None:
        self.root, self.version = root, version

    def group(self, path: str, ome: dict[str, Any]) -> None:
        """Write a group."""
        folder = self.root / path.strip("/")
        if not folder.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(f"{path} lies outside of the store")
        folder.mkdir(parents=True, exist_ok=True)
        if self.version == "0.4":
            (folder / ".zgroup").write_text('{"zarr_format": 2}')
            (folder / ".zattrs").write_text(json.dumps(ome))
        else:
            attributes = {"ome": {"version": self.version, **ome}} if ome else {}
            (folder / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}))

    def image(self, path: str, ome: dict[str, Any], *, label: bool = False) -> None:
        """Write an image group with arrays for its levels, each made of the one before."""
        import numpy as np

        self.group(path, ome)
        for multiscale in ome["multiscales"]:
            axes = multiscale.get("axes") or [{"name": name, "type": "space"} for name in "tczyx"]
            pixels = None
            scales: list[list[float]] = []
            for dataset in multiscale["datasets"]:
                scales.append(_scale(dataset, len(axes)))
                steps = [round(own / last) for own, last in zip(scales[-1], scales[-2] if len(scales) > 1 else scales[-1], strict=True)]
                if pixels is None:
                    channels = len(ome.get("omero", {}).get("channels", [])) or _SIZES["channel"]
                    shape = [_size(axis, channels) for axis in axes]
                    pixels = np.arange(np.prod(shape)).reshape(shape) // 50 % 250
                else:
                    pixels = pixels[tuple(slice(None, None, max(1, step)) for step in steps)]
                self._array(self.root / path / dataset["path"].strip("/"), pixels.astype("uint16"), [str(axis.get("name")) for axis in axes])

    def _array(self, path: Path, pixels: Any, names: list[str]) -> None:
        import zarr

        # The names come out of a file that is not ours.
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(f"{path} lies outside of the store")
        old = self.version == "0.4"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = zarr.create_array(
                path,
                shape=pixels.shape,
                chunks=pixels.shape,
                dtype=pixels.dtype,
                zarr_format=2 if old else 3,
                dimension_names=None if old else names,
                chunk_key_encoding={"name": "v2" if old else "default", "separator": "/"},
            )
            array[...] = pixels

    def plain(self, path: str) -> None:
        """Write an image that keeps to the specification."""
        transformation = [{"type": "scale", "scale": [0.5, 0.5]}]
        multiscale = _LEVEL["multiscales"][0] | {"datasets": [{"path": "0", "coordinateTransformations": transformation}]}
        self.image(path, {"multiscales": [multiscale | ({"version": "0.4"} if self.version == "0.4" else {})]})

    def whole(self, ome: dict[str, Any]) -> None:
        """Write the store that the attributes belong into."""
        if "plate" in ome:
            self.group("", ome)
            wells = ome["plate"]["wells"]
            runs = [run["id"] for run in ome["plate"].get("acquisitions", [])] or [None]
            count = ome["plate"].get("field_count", 1)
            for well in wells:
                fields = [{"path": str(index)} | ({} if runs[0] is None else {"acquisition": runs[index % len(runs)]}) for index in range(count)]
                self._well(well["path"], fields)
        elif "bioformats2raw.layout" in ome:
            self.group("", ome)
            self.plain("0")
        elif "well" in ome:
            runs = sorted({field["acquisition"] for field in ome["well"]["images"] if "acquisition" in field})
            plate = {
                "rows": [{"name": "A"}],
                "columns": [{"name": "1"}],
                "wells": [{"path": "A/1", "rowIndex": 0, "columnIndex": 0}],
                "name": "plate",
            }
            plate |= {"acquisitions": [{"id": run} for run in runs]} if runs else {}
            self.group("", {"plate": plate | {"version": self.version}})
            self._well("A/1", ome["well"]["images"], ome)
        elif "image-label" in ome:
            if "multiscales" in ome:
                self.image("", {"multiscales": ome["multiscales"]})
            else:
                self.plain("")
            self.group("labels", {"labels": ["cells"]})
            self.image("labels/cells", ome if "multiscales" in ome else ome | self._of_root(), label=True)
        elif "labels" in ome:
            self.plain("")
            self.group("labels", ome)
            for name in ome["labels"]:
                self.image(f"labels/{name}", {"image-label": {}} | self._of_root(), label=True)
        else:
            self.image("", ome)

    def _of_root(self) -> dict[str, Any]:
        name = ".zattrs" if self.version == "0.4" else "zarr.json"
        value = json.loads((self.root / name).read_text())
        return {"multiscales": (value if self.version == "0.4" else value["attributes"]["ome"])["multiscales"]}

    def _well(self, path: str, fields: list[dict[str, Any]], ome: dict[str, Any] | None = None) -> None:
        self.group(path.split("/", maxsplit=1)[0], {})
        self.group(path, ome or {"well": {"images": fields} | ({"version": "0.4"} if self.version == "0.4" else {})})
        for field in fields:
            self.plain(f"{path}/{field['path']}")


def _scale(dataset: dict[str, Any], count: int) -> list[float]:
    found = [item["scale"] for item in dataset.get("coordinateTransformations", []) if item.get("type") == "scale"]
    return list(found[0]) if found else [1.0] * count


def _size(axis: dict[str, Any], channels: int) -> int:
    kind, name = axis.get("type"), axis.get("name")
    return channels if kind == "channel" else _SIZES.get(str(kind), _DEEP if name == "z" else _LARGE)


def main() -> int:
    """Run."""
    from lightmicroscopy.metadata.check import check

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="+", type=Path)
    errors = 0
    for path, ome, version in examples(parser.parse_args().folder):
        with TemporaryDirectory() as scratch:
            store = Path(scratch, "example.ome.zarr")
            store.mkdir()
            try:
                Builder(store, version if version in ("0.4", "0.5") else "0.5" if version > "0.5" else "0.4").whole(ome)
            except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
                print(f"{path.parent.name}/{path.name} ({version}): no store could be made of it ({type(error).__name__}: {error})")
                continue
            found = [finding for finding in check([store]).findings if finding.rule.startswith(("ngff", "input")) and finding.severity != "info"]
        errors += any(finding.severity == "error" for finding in found)
        print(f"{path.parent.name}/{path.name} ({version}): {'nothing' if not found else ''}")
        for finding in found:
            print(f"    {finding.severity} {finding.rule}: {finding.message}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
