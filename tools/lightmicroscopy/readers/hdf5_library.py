"""One file in the HDF5 library: what it holds, and where the bytes of each dataset lie.

Nothing outside the file is read: only hard links are followed, and datasets of external or virtual storage are named, not opened
for reading. Filters are never run by plugins, since the library is not asked to filter more than its own two (see `hdf5_filters`).

Part of the process that holds the library (see `hdf5_worker`), and imported by nothing else.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

from .hdf5_describe import FAULTS, Describer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OBJECTS: Final = 200_000
"""Links of a file accepted."""
CHUNKS: Final = 10_000_000
"""Stored chunks of one dataset accepted."""
_DEEPEST: Final = 64
_STEP: Final = 100
"""Links after which a walk is taken to have come further."""
_TARGET: Final = 1000
"""Bytes of the path that a soft link leads to."""
_WALK: Final = 384 << 20
_INDEX: Final = 768 << 20
_PART: Final = 128 << 20
"""Bytes of memory that the library may take beside what it has when it is loaded: to describe a file, to list the chunks of a
dataset, and to read a part of one beside the pixels themselves."""
_UNREAD: Final = frozenset({b"Histogram", b"Histogram1024"})
"""Datasets that Imaris puts beside every stack; opening thousands of them takes longer than all else."""


class TooManyError(Exception):
    """The file holds more than is accepted."""


class Library:
    """One file, open in the HDF5 library.

    Parameters
    ----------
    progress
        Called whenever a walk has come further.
    allow
        Called with the bytes of memory that what comes next may take.
    """

    def __init__(self, progress: Callable[[], None], allow: Callable[[int], None]) -> None:
        import h5py

        self._h5py: Any = h5py
        self._progress = progress
        self._allow = allow
        self._describer = Describer(h5py, progress)
        self.path: str | None = None
        self._file: Any = None

    def open(self, path: str) -> Any:
        """Open a file for reading, unless it is the one that is open."""
        if path != self.path:
            self.close()
            # Locks are of no use to a reader, and file systems without them (many clusters') would refuse.
            self._file = self._h5py.File(path, "r", locking=False)
            self.path = path
        return self._file.id

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
        self._file = self.path = None

    def walk(self, path: str) -> Iterator[dict[str, Any]]:
        """All groups and datasets reached by hard links, each once; further links to one of them, and those that were not followed."""
        # What is at that path may be another file than before.
        self.close()
        self._allow(_WALK)
        self._progress()
        root = self._h5py.h5g.open(self.open(path), b"/")
        self._describer = Describer(self._h5py, self._progress)
        seen = {self._address(root, b"."): "/"}
        yield {"path": "/", "group": True, **self._describer.attributes(root)}
        waiting = [(b"", 0)]
        count = 0
        while waiting:
            prefix, depth = waiting.pop()
            try:
                # By its path, since thousands of groups held open take much memory.
                group = self._h5py.h5g.open(root, prefix[1:]) if prefix else root
                names = self._links(group)
            except FAULTS as error:
                if not prefix:
                    raise
                yield {"path": _name(prefix), "damaged": f"{error}"[:300]}
                continue
            for name in names:
                count += 1
                if count > OBJECTS:
                    raise TooManyError(f"it holds more than {OBJECTS:,} objects")
                if count % _STEP == 0:
                    self._progress()
                place = prefix + b"/" + name
                try:
                    node = self._link(group, name, place, seen)
                except FAULTS as error:
                    # One that cannot be read costs itself only.
                    node = {"path": _name(place), "damaged": f"{error}"[:300]}
                if node is None:
                    continue
                yield node
                if node.get("group"):
                    if depth >= _DEEPEST:
                        raise TooManyError(f"its groups are nested more than {_DEEPEST} deep")
                    waiting.append((place, depth + 1))

    def _links(self, group: Any) -> list[bytes]:
        names: list[bytes] = []

        def take(name: bytes) -> bool | None:
            names.append(name)
            return True if len(names) > OBJECTS else None

        group.links.iterate(take)
        return names

    def _address(self, group: Any, name: bytes) -> tuple[int, int]:
        info = self._h5py.h5o.get_info(group, name)
        return info.fileno, info.addr

    def _link(self, group: Any, name: bytes, place: bytes, seen: dict[tuple[int, int], str]) -> dict[str, Any] | None:
        h5l, h5o = self._h5py.h5l, self._h5py.h5o
        shown = _name(place)
        kind = group.links.get_info(name).type
        if kind == h5l.TYPE_SOFT:
            target = group.links.get_val(name)
            return {"path": shown, "link": _name(target) if len(target) <= _TARGET else ""}
        if kind != h5l.TYPE_HARD:
            target = b"/".join(group.links.get_val(name)) if kind == h5l.TYPE_EXTERNAL else b""
            return {"path": shown, "refused": "external link", "target": target.decode("utf-8", "replace")[:200]}
        if name in _UNREAD:
            return None
        first = seen.setdefault(self._address(group, name), shown)
        return {"path": shown, "link": first} if first != shown else self._thing(h5o.open(group, name), shown)

    def _thing(self, opened: Any, shown: str) -> dict[str, Any] | None:
        if isinstance(opened, self._h5py.h5g.GroupID):
            return {"path": shown, "group": True, **self._describer.attributes(opened)}
        if isinstance(opened, self._h5py.h5d.DatasetID):
            return {"path": shown, **self._describer.dataset(opened), **self._describer.attributes(opened)}
        return None

    def _dataset(self, path: str, place: str) -> Any:
        """Open a dataset of a file, following hard links only."""
        at = self._h5py.h5g.open(self.open(path), b"/")
        for name in place.encode("utf-8", "surrogateescape").strip(b"/").split(b"/"):
            if at.links.get_info(name).type != self._h5py.h5l.TYPE_HARD:
                raise ValueError("it is behind a link that is not followed")
            at = self._h5py.h5o.open(at, name)
        return at

    def index(self, path: str, place: str) -> array[int]:
        """Number of each stored chunk of a dataset within its grid, its place in the file, its length and the filters left out."""
        self._allow(_INDEX)
        dataset = self._dataset(path, place)
        chunk = dataset.get_create_plist().get_chunk()
        grid = [-(-full // extent) for full, extent in zip(dataset.shape, chunk, strict=True)]
        found = array("q")

        def take(info: Any) -> bool | None:
            number = 0
            for start, extent, count in zip(info.chunk_offset, chunk, grid, strict=True):
                number = number * count + start // extent
            # The library removes what lies beyond the edge when a dataset shrinks.
            inside = all(start // extent < count for start, extent, count in zip(info.chunk_offset, chunk, grid, strict=True))
            found.extend((number if inside else -1, info.byte_offset, info.size, info.filter_mask))
            return True if len(found) > 4 * CHUNKS else None

        dataset.chunk_iter(take)
        if len(found) > 4 * CHUNKS:
            raise TooManyError(f"the dataset {place} is stored in more than {CHUNKS:,} chunks")
        return found

    def part(self, path: str, place: str, start: list[int], extent: list[int], unit: int) -> bytes:
        """Let the library itself read a box of a dataset, of which a chunk is so many bytes."""
        import numpy as np

        # The chunk as it is stored and twice as it is decoded, and the pixels, twice.
        self._allow(_PART + 6 * unit)
        dataset = self._dataset(path, place)
        if outside := self._describer.outside(dataset.get_create_plist()):
            raise ValueError(f"it is a {outside}")
        pixels = np.zeros(extent, dataset.dtype)
        space = dataset.get_space()
        space.select_hyperslab(tuple(start), tuple(extent))
        dataset.read(self._h5py.h5s.create_simple(tuple(extent)), space, pixels)
        return pixels.tobytes()


def _name(value: bytes) -> str:
    """A name; bytes that are no UTF-8 come back as themselves when it is encoded again."""
    return value.decode("utf-8", "surrogateescape")
