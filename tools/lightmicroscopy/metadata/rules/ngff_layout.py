"""Rules on how the parts of an OME-Zarr belong together: versions, lists of images, what is there and in no list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..findings import Problem, Subject, rule
from ..ngff_read import stated_version
from ._groups import StoredGroup, entries, first_multiscale, groups, has_role, is_checked, is_zarr, of_role, open_store_of, root_of, version_here
from ._stores import SPECIFICATION, is_remote, stored_images
from ._views import listed, shorten

if TYPE_CHECKING:
    from ...readers.zarr_store import Store

_VERSIONS = "https://ngff.openmicroscopy.org/specifications/index.html"
_LAYOUT = f"{SPECIFICATION}#bf2raw"
_NEWEST = (0, 5)
_NUMBER = re.compile(r"\s*(\d{1,4})\.(\d{1,4})")
_BLOCKS = ("multiscales", "plate", "well", "image-label", "omero")
_COMPARED = 100
"""Entries of ``multiscales`` that are compared with each other."""
_NEW_WORDS = ("coordinateSystems", "scene")
"""Keys that OME-Zarr 0.6 brought."""


def _local(subject: Subject) -> bool:
    """Whether its folders can be listed, which those on a web server cannot."""
    return is_checked(subject) and (subject.dataset is None or not is_remote(stored_images(subject)[0]))


@rule(
    "ngff.version-newer",
    severity="warning",
    title="The version of OME-Zarr is one that this check knows.",
    why="A newer version may mean other things by the same words: passing the checks of an old one would say nothing.",
    fix="For software of today, write it as OME-Zarr 0.4 or 0.5. Else check it with a tool of its own version.",
    source=_VERSIONS,
    needs="path",
    applies=lambda subject: is_zarr(subject) and root_of(subject) is not None,
)
def _newer(subject: Subject) -> Iterator[Problem]:
    root = root_of(subject)
    if root is None:
        return
    stated = stated_version(root.attributes)
    number = _NUMBER.match(stated) if stated is not None else None
    if number is not None and (int(number[1]), int(number[2])) > _NEWEST:
        yield Problem(f"It is of the version {shorten(str(stated))} of OME-Zarr, newer than 0.5, the newest that is checked here.", "version")
        return
    if stated is not None and not version_here(subject):
        yield Problem(f"It is of the version “{shorten(stated)}” of OME-Zarr, which was never released.", "version")
        return
    first = first_multiscale(root)
    words = [word for word in _NEW_WORDS if word in first or word in root.ome]
    if words:
        yield Problem(
            f"It says {stated or 'no version'}, but has {listed(words)}, which OME-Zarr 0.6 brought and no version before it knows.", words[0]
        )


@rule(
    "ngff.version-mixed",
    severity="error",
    title="All groups of the store are of one version.",
    why="The version decides how a group is read. Software that takes it from the top reads the others wrongly.",
    fix="Convert the store anew, all of it; do not put images of several stores into one by hand.",
    source=_VERSIONS,
    needs="path",
    applies=is_checked,
)
def _mixed(subject: Subject) -> Iterator[Problem]:
    version = version_here(subject)
    for stored in groups(subject):
        said: dict[str, str] = {}
        if stored.group.zarr_format == 3:
            said["version"] = str(stored.group.ome.get("version", version))
        for name in _BLOCKS:
            value: Any = stored.group.ome.get(name)
            for index, block in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(block, dict) and block.get("version") is not None:
                    said[f"{name}.{index}.version" if isinstance(value, list) else f"{name}.version"] = str(block["version"])
        for key, other in said.items():
            # A version never released (0.4-dev) is told by the rule on the version.
            if other != version and not other.startswith(version):
                yield stored.problem(
                    key, f"{stored.called} says by {key} that it is of the version “{shorten(other)}”; the store is read as {version}."
                )


@rule(
    "ngff.json",
    severity="error",
    title="The metadata are JSON as its standard has it.",
    why="Python reads more than JSON allows: viewers in a browser, and software in Java or C++, cannot open the image then, or see other values.",
    fix="Write the file anew as JSON in UTF-8 without a byte order mark, without NaN and Infinity, and each key once; converting the image does.",
    source="https://www.rfc-editor.org/rfc/rfc8259",
    needs="path",
    applies=_local,
)
def _json(subject: Subject) -> Iterator[Problem]:
    from ...readers.zarr_store import METADATA_LIMIT
    from ...untrusted_json import unlike_standard

    with open_store_of(subject) as store:
        for stored in groups(subject):
            name = "zarr.json" if stored.group.zarr_format == 3 else ".zattrs"
            for found in unlike_standard(store.get(stored.group.below(name), METADATA_LIMIT) or b"{}"):
                yield stored.problem(name, f"The metadata {found}.", severity="warning" if "twice" in found else None)


@rule(
    "ngff.two-zarr-versions",
    severity="warning",
    title="Every folder is a group in one version of Zarr.",
    why="Of a folder that is a Zarr v2 and a Zarr v3 group at once, some software reads the one metadata and some the other.",
    fix="Remove those that are not meant: .zgroup, .zattrs and .zarray are of Zarr v2 (OME-Zarr 0.4), zarr.json is of Zarr v3 (0.5).",
    source="https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html",
    needs="path",
    applies=_local,
)
def _two_versions(subject: Subject) -> Iterator[Problem]:
    with open_store_of(subject) as store:
        for stored in groups(subject):
            if stored.group.zarr_format == 3 and (found := next((name for name in (".zattrs", ".zgroup") if _is_there(store, stored, name)), None)):
                yield stored.problem(found, f"{stored.called} has both zarr.json and {found}; zarr.json was read.")


def _is_there(store: Store, stored: StoredGroup, name: str) -> bool:
    return store.size(stored.group.below(name)) is not None


@rule(
    "ngff.consolidated-stale",
    severity="warning",
    title="The collected copy of the metadata says the same as the metadata.",
    why="Software that finds .zmetadata reads only that: it shows the state before the last change.",
    fix="Write the collected metadata anew (zarr.consolidate_metadata), or remove .zmetadata.",
    source="https://zarr.readthedocs.io/en/stable/user-guide/consolidated_metadata.html",
    needs="path",
    applies=lambda subject: is_checked(subject) and bool(_consolidated(subject)),
)
def _stale(subject: Subject) -> Iterator[Problem]:
    copies = _consolidated(subject)
    for stored in groups(subject):
        path, attributes = stored.path, stored.group.attributes
        if stored.group.zarr_format == 2:
            copy = copies.get(f"{path}/.zattrs" if path else ".zattrs")
        else:
            entry = copies.get(path) if path else None
            copy = entry.get("attributes", {}) if isinstance(entry, dict) else None
        if copy is not None and copy != attributes:
            yield stored.problem("", f"{stored.called} has other attributes in the collected metadata than in its own file.")


def _consolidated(subject: Subject) -> dict[str, Any]:
    """Collected metadata, by the file (Zarr v2) or group (v3) they are copies of."""
    from ...readers.zarr_array import read_json

    def read() -> dict[str, Any]:
        root = root_of(subject)
        if root is None or not _local(subject):
            return {}
        with open_store_of(subject) as store:
            document = read_json(store, "zarr.json" if root.zarr_format == 3 else ".zmetadata") or {}
        collected = document.get("consolidated_metadata", {}) if root.zarr_format == 3 else document
        found = collected.get("metadata") if isinstance(collected, dict) else None
        return found if isinstance(found, dict) else {}

    return subject.shared.get("ngff-consolidated", read)


@rule(
    "ngff.series-list",
    severity="error",
    title="The list of series is one of paths, one for each image of the OME-XML.",
    why="The list says which image of the store each image of the OME-XML is: a wrong one gives them each other's metadata.",
    fix="List the path of every image once, in the order of the OME-XML, in 'series' of the group OME.",
    source=_LAYOUT,
    needs="path",
    applies=has_role("series"),
)
def _series_list(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "series"):
        if "series" not in stored.group.ome:
            continue
        paths = stored.group.ome["series"]
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            yield stored.problem("series", "The 'series' of the group OME is no list of paths.")
            continue
        described = (
            len(subject.ome.images) if subject.ome_xml is not None and subject.dataset is not None and subject.dataset.ome is not None else None
        )
        if described is not None and described != len(paths):
            message = f"The group OME lists {len(paths)} series, but the OME-XML describes {described} image{'s' if described != 1 else ''}."
            yield stored.problem("series", message)


@rule(
    "ngff.listed-twice",
    severity="error",
    title="Nothing is listed twice.",
    why="What is listed twice is read, measured and counted twice, or the store is refused.",
    fix="Remove the second entry, or correct its path if another was meant.",
    source=SPECIFICATION,
    needs="path",
    applies=is_checked,
)
def _listed_twice(subject: Subject) -> Iterator[Problem]:
    for stored in groups(subject):
        for key, kind, values in _lists(stored):
            for value, count in Counter(values).items():
                if count > 1:
                    yield stored.problem(key, f"{stored.called} lists the {kind} “{shorten(value)}” {count} times.")
        scales = stored.group.ome.get("multiscales")
        if isinstance(scales, list) and any(scale in scales[:index] for index, scale in enumerate(scales[:_COMPARED])):
            yield stored.problem("multiscales", f"{stored.called} has the same entry of 'multiscales' twice.")


def _lists(stored: StoredGroup) -> Iterator[tuple[str, str, list[str]]]:
    def texts(values: Any) -> list[str]:
        return [str(value).strip("/") for value in values if isinstance(value, str | int)]

    ome = stored.group.ome
    if stored.role in ("image", "label"):
        levels = entries(first_multiscale(stored.group), "datasets")
        yield "multiscales.0.datasets", "resolution level", texts(level.get("path") for level in levels)
    elif stored.role == "plate":
        plate = stored.block("plate")
        yield "plate.wells", "well", texts(well.get("path") for well in entries(plate, "wells"))
        yield "plate.rows", "row", texts(row.get("name") for row in entries(plate, "rows"))
        yield "plate.columns", "column", texts(column.get("name") for column in entries(plate, "columns"))
        yield "plate.acquisitions", "acquisition", texts(run.get("id") for run in entries(plate, "acquisitions"))
    elif stored.role == "well":
        yield "well.images", "field", texts(field.get("path") for field in entries(stored.block("well"), "images"))
    elif stored.role in ("labels", "series"):
        key = stored.role
        values = ome.get(key)
        yield key, "label map" if key == "labels" else "series", texts(values) if isinstance(values, list) else []


@rule(
    "ngff.unlisted",
    severity="warning",
    title="Every image, resolution level, well and label map that is there is listed.",
    why="What no list leads to is found by no software: it is lost, though it takes room.",
    fix="Add it to the list, or remove it from the store.",
    source=SPECIFICATION,
    needs="path",
    applies=_local,
)
def _unlisted(subject: Subject) -> Iterator[Problem]:
    from ...readers.ome_zarr import read_group

    known = {stored.path for stored in groups(subject)}
    with open_store_of(subject) as store:
        for stored in groups(subject):
            kind = {"layout": "image", "well": "field", "labels": "label map", "plate": "well"}.get(stored.role)
            for path in _below(store, stored) if kind else _loose_levels(store, stored):
                if kind is None:
                    yield stored.problem(path.removeprefix(f"{stored.path}/"), f"The resolution level {path} is there, but is not listed.")
                elif path not in known and (group := read_group(store, path)) and {"multiscales", "well"} & group.ome.keys():
                    yield stored.problem(path.removeprefix(f"{stored.path}/"), f"The {kind} {path} is there, but no list leads to it.")


def _loose_levels(store: Store, stored: StoredGroup) -> Iterator[str]:
    """Arrays beside the resolution levels that are none of these."""
    from ...readers.zarr_array import read_json

    if stored.role not in ("image", "label"):
        return
    listed_levels = {str(entry.get("path")).strip("/") for entry in entries(first_multiscale(stored.group), "datasets")}
    others = {str(entry.get("path")).strip("/") for scale in _other_scales(stored) for entry in entries(scale, "datasets")}
    folders = sorted(name for name, is_folder in store.children(stored.path) if is_folder and not name.startswith("."))
    for name in folders:
        # A level may lie deeper; its topmost folder is not loose then.
        if name in {path.partition("/")[0] for path in listed_levels | others}:
            continue
        path = stored.group.below(name)
        if store.size(f"{path}/.zarray") is not None or (read_json(store, f"{path}/zarr.json") or {}).get("node_type") == "array":
            yield path


def _other_scales(stored: StoredGroup) -> list[dict[str, Any]]:
    scales = stored.group.ome.get("multiscales")
    return [scale for scale in scales[1:] if isinstance(scale, dict)] if isinstance(scales, list) else []


def _below(store: Store, stored: StoredGroup) -> Iterator[str]:
    names = sorted(name for name, is_folder in store.children(stored.path) if is_folder and not name.startswith("."))
    for name in names:
        path = stored.group.below(name)
        if stored.role == "plate":
            yield from (f"{path}/{column}" for column, is_folder in sorted(store.children(path)) if is_folder and not column.startswith("."))
        else:
            yield path


@rule(
    "ngff.multiscale-unsaid",
    severity="info",
    title="Every image has a name in words, and says how its smaller levels were made.",
    why="Whether levels are means or single pixels decides what may be measured in them; OME-Zarr recommends to say it.",
    fix="Add 'name', 'type' (such as mean or nearest) and 'metadata' to the entry of 'multiscales'.",
    source=f"{SPECIFICATION}#multiscale-md",
    needs="path",
    applies=has_role("image", "label"),
)
def _multiscale_unsaid(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "image", "label"):
        first = first_multiscale(stored.group)
        several = len(entries(first, "datasets")) > 1
        missing = [key for key in ("name", *(("type", "metadata") if several else ())) if not first.get(key)]
        if missing:
            yield stored.problem("multiscales.0", f"{stored.called} does not say its {listed(missing)}.")
        for key in ("name", "type"):
            if first.get(key) and not isinstance(first[key], str):
                message = f"The {key} of {stored.called[0].lower()}{stored.called[1:]} is {shorten(str(first[key]), 40)}, which is no text."
                yield stored.problem(f"multiscales.0.{key}", message, severity="warning")


@rule(
    "ngff.rendering",
    severity="warning",
    title="The plane to be shown first is one that is there.",
    why="A viewer that asks for a plane beyond the last shows nothing, or stops.",
    fix="Set defaultZ and defaultT in 'omero.rdefs' to planes that exist (counted from 0), and model to color or greyscale.",
    source=f"{SPECIFICATION}#omero-md",
    needs="dataset",
    applies=lambda subject: is_checked(subject) and any(stored.block("omero").get("rdefs") for stored in of_role(subject, "image")),
)
def _rendering(subject: Subject) -> Iterator[Problem]:
    shapes = {stored.group.path: stored.image.shape for stored in stored_images(subject)}
    for stored in of_role(subject, "image"):
        rdefs = stored.block("omero").get("rdefs")
        if not isinstance(rdefs, dict):
            if rdefs is not None:
                yield stored.problem("omero.rdefs", f"{stored.called} has 'rdefs' that hold nothing that can be read.")
            continue
        shape = shapes.get(stored.path)
        for key, size in (("defaultZ", shape and shape.z), ("defaultT", shape and shape.t)):
            value = rdefs.get(key)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0 or (size and value >= size)):
                yield stored.problem(
                    f"omero.rdefs.{key}", f"{stored.called} is to be shown at {key} {shorten(str(value))}, where it has {size} planes."
                )
        model = rdefs.get("model")
        if model is not None and model not in ("color", "greyscale"):
            yield stored.problem(
                "omero.rdefs.model", f"{stored.called} is to be shown as “{shorten(str(model))}”, which is neither color nor greyscale."
            )
