"""Metadata files of a Zarr store on a server, fetched together as far as the few that name the others allow.

Reading a store step by step costs a round trip for each file. What a reader will ask for follows from the root's attributes:
those files are fetched side by side, one depth of the store after the other, and the reader finds them here.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from ..errors import LimitError
from ..metadata.ngff_read import ome_attributes
from ..untrusted_json import parse_json
from .zarr_store import METADATA_FILES, METADATA_LIMIT, is_plain

OME_XML: Final = "OME/METADATA.ome.xml"
JSON_LIMIT: Final = 16 << 20
"""Bytes of one JSON metadata file accepted from a server."""
METADATA_MEMORY: Final = 256 << 20
"""Bytes of all metadata of one store accepted from a server."""
_SURVEYED: Final = 20_000
"""Files fetched ahead of reading them; more are fetched as they are needed."""
_CONSOLIDATED: Final = ".zmetadata"
_LABELS_OF_LABELS: Final = re.compile(r"(?:^|/)labels/[^/]+/labels$")
_V2, _V3 = 2, 3
_Fetch = Callable[[Iterable[str]], list[bytes | None]]
_IMAGE, _PLATE, _WELL, _SERIES, _LABELS = "multiscales", "plate", "well", "bioformats2raw.layout", "labels"


def is_metadata(key: str) -> bool:
    """Whether a file holds metadata, by its name."""
    return key.rpartition("/")[2] in {*METADATA_FILES, _CONSOLIDATED} or key.endswith(OME_XML)


class Metadata:
    """The metadata files of one store; safe to use from several threads.

    Parameters
    ----------
    fetch
        Gets one file of at most so many bytes; ``None`` if the server has none.
    name
        What errors call the store.
    connections
        Files fetched at a time.
    """

    def __init__(self, fetch: Callable[[str, int], bytes | None], name: str, connections: int) -> None:
        self.name = name
        self.connections = connections
        self._fetch = fetch
        self._files: dict[str, bytes | None] = {}
        self._held = 0
        self._format = 0
        self._surveyed = False
        self._images_ahead = True
        self._marks = False
        self._lock = threading.Lock()
        self._surveying = threading.Lock()

    def beside(self, fetch: Callable[[str, int], bytes | None]) -> Metadata:
        """Make that of another store of the same Zarr version, whose files are fetched as they are asked for."""
        other = Metadata(fetch, self.name, 1)
        other._format, other._surveyed = self._format, True
        return other

    def get(self, key: str) -> bytes | None:
        """One file; ``None`` if there is none.

        Raises
        ------
        LimitError
            If the store's metadata are absurdly large.
        """
        self._survey()
        return self._file(key)

    def _file(self, key: str) -> bytes | None:
        with self._lock:
            if key in self._files:
                return self._files[key]
        return None if self._needless(key) else self._keep(key, self._fetch(key, METADATA_LIMIT if key.endswith(OME_XML) else JSON_LIMIT))

    def _keep(self, key: str, data: bytes | None) -> bytes | None:
        with self._lock:
            if key not in self._files:
                self._held += len(key) + len(data or b"")
                self._files[key] = data
            if self._held > METADATA_MEMORY:
                raise LimitError(
                    f"{self.name} has more than {METADATA_MEMORY:,} bytes of metadata, the most that is read from a server. "
                    "Open one of its images by the address of that image."
                )
            return self._files[key]

    def _needless(self, key: str) -> bool:
        """Whether a file cannot be there or says nothing.

        Those of the other Zarr version, the mark of a group, what an array says beside what it is, and label maps of label maps: zarr-python
        asks for thousands of these.
        """
        folder, _, name = key.rpartition("/")
        if name == "zarr.json":
            return self._format == _V2
        if self._format == _V2 and folder:
            if name == _CONSOLIDATED or (name == ".zattrs" and self._files.get(f"{folder}/.zarray") is not None):
                return True
            if name == ".zarray" and self._files.get(f"{folder}/.zattrs") is not None:
                return True
            if _LABELS_OF_LABELS.search(folder):
                return True
        return name in METADATA_FILES and (self._format == _V3 or (self._format == _V2 and name == ".zgroup" and not self._marks))

    @property
    def held(self) -> int:
        """Bytes of all files held."""
        return self._held

    def leave_images(self) -> None:
        """Survey only the groups that list images. The images themselves are fetched as they are asked for."""
        self._images_ahead = False

    def fetch_groups(self, paths: Sequence[str], *, whole: bool) -> None:
        """Fetch the attributes of these groups side by side; if `whole`, also those of all that belongs to them."""
        self._survey()
        plain = [path for path in paths if is_plain(path)][:_SURVEYED]
        with self._surveying, self._several() as fetch:
            if whole:
                self._descend([(path, False) for path in plain], [], fetch)
            else:
                fetch([self._attributes_of(path) for path in plain])

    def fetch_marks(self, paths: Sequence[str]) -> None:
        """Fetch the marks of groups of Zarr 2, too, which say no more than that those are groups."""
        self._survey()
        self._marks = True
        with self._surveying, self._several() as fetch:
            fetch([f"{path}/.zgroup" if path else ".zgroup" for path in paths if not path or is_plain(path)])

    @property
    def found_root(self) -> bool:
        """Whether the store's own attributes are there."""
        with self._lock:
            return any(self._files.get(name) is not None for name in METADATA_FILES)

    def _survey(self) -> None:
        if self._surveyed:
            return
        with self._surveying:
            if self._surveyed:
                return
            with self._several() as fetch:
                self._walk(fetch)
            self._surveyed = True

    @contextmanager
    def _several(self) -> Iterator[_Fetch]:
        pool = ThreadPoolExecutor(self.connections, "survey")
        try:
            yield lambda keys: list(pool.map(self._file, keys))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _walk(self, fetch: _Fetch) -> None:
        v3, v2 = fetch(["zarr.json", ".zattrs"])
        is_v3 = _object(v3).get("node_type") == "group"
        root = _attributes(v3 if is_v3 else v2)
        kinds = {_IMAGE, _PLATE, _SERIES} & root.keys()
        if not kinds:
            return
        self._format = _V3 if is_v3 else _V2
        # A group that describes images is no array.
        self._keep(".zarray", None)
        groups, files = _named("", root), [OME_XML]
        if kinds == {_IMAGE}:
            # The group OME tells the order of several images, and that of one is known.
            self._keep(self._attributes_of("OME"), None)
        else:
            self._consolidated(v3 if is_v3 else fetch([_CONSOLIDATED])[0])
            files.append(self._attributes_of("OME"))
        if kinds == {_SERIES}:
            (described,) = fetch(files[1:])
            series = _strings(_attributes(described).get("series"))
            if self._images_ahead or not series:
                groups += [(path, False) for path in series or self._numbered(fetch)]
        self._descend(groups, files, fetch)

    def _descend(self, groups: list[tuple[str, bool]], files: list[str], fetch: _Fetch) -> None:
        """Fetch groups and arrays (True), and what their attributes name, one depth after the other; `files` go with the first."""
        left = _SURVEYED
        while groups and left > 0:
            named, left = groups[:left], left - len(groups)
            keys = [self._array_of(path) if is_array else self._attributes_of(path) for path, is_array in named]
            found = fetch([*keys, *files])
            groups, files = [], []
            for (path, is_array), data in zip(named, found, strict=False):
                attributes = {} if is_array else _attributes(data)
                groups += [] if _WELL in attributes and not self._images_ahead else _named(path, attributes)

    def _numbered(self, fetch: _Fetch) -> list[str]:
        """Series that no list names: 0, 1, 2 … until one is not there."""
        there: list[str] = []
        while len(there) < _SURVEYED:
            batch = [str(len(there) + number) for number in range(self.connections)]
            found = fetch([self._attributes_of(path) for path in batch])
            there += [path for path, data in zip(batch, found, strict=True) if data is not None]
            if None in found:
                break
        return there

    def _attributes_of(self, path: str) -> str:
        return f"{path}/{'zarr.json' if self._format == _V3 else '.zattrs'}"

    def _array_of(self, path: str) -> str:
        return f"{path}/{'zarr.json' if self._format == _V3 else '.zarray'}"

    def _consolidated(self, data: bytes | None) -> None:
        """Take over what one file says of all the others."""
        document = _object(data)
        files = document.get("metadata") if self._format == _V2 else _mapping(document.get("consolidated_metadata")).get("metadata")
        for key, content in _mapping(files).items():
            name = key if self._format == _V2 else f"{key}/zarr.json"
            if is_metadata(name) and isinstance(content, Mapping):
                self._keep(name, json.dumps(content).encode())


def _object(data: bytes | None) -> Mapping[str, Any]:
    """Parse a JSON object; an empty one where it is none, of which the reader will tell."""
    try:
        return _mapping(parse_json(data or b"{}"))
    except ValueError:
        return {}


def _attributes(data: bytes | None) -> Mapping[str, Any]:
    document = _object(data)
    return ome_attributes(_mapping(document["attributes"]) if "node_type" in document else document)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _strings(value: object) -> list[str]:
    """Paths in a list, or under ``path`` of its objects; those that lead nowhere in the store are left to the reader."""
    if not isinstance(value, list):
        return []
    paths = (item.get("path") if isinstance(item, Mapping) else item for item in value)
    plain = [path.strip("/") for path in paths if isinstance(path, str)]
    return [path for path in plain if is_plain(path)]


def _named(path: str, attributes: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Paths that the attributes of a group name, and whether each is of an array."""
    below = f"{path}/" if path else ""
    scales = attributes.get(_IMAGE)
    arrays = _strings(_mapping(scales[0]).get("datasets")) if isinstance(scales, list) and scales else []
    groups = [*_strings(_mapping(attributes.get(_PLATE)).get("wells")), *_strings(_mapping(attributes.get(_WELL)).get("images"))]
    if path.rpartition("/")[2] == _LABELS:
        groups += _strings(attributes.get(_LABELS))
    elif arrays and f"/{path}".rpartition("/")[0].rpartition("/")[2] != _LABELS:
        groups.append(_LABELS)
    return [(below + name, is_array) for names, is_array in ((arrays, True), (groups, False)) for name in names]
