"""The HDF5 library, in a process of its own: it can crash and loop on damaged files, and then only this process ends.

Asked over a pipe, it tells what a file holds and where the bytes of each dataset lie. The suite reads and decodes those bytes
itself, in as many threads as it likes, which the library does not allow. A request is one line of JSON. An answer is a header
of two numbers (bytes of JSON, bytes of data), the JSON, and the data.

Nothing outside the file is read: only hard links are followed, and datasets of external or virtual storage are named, not opened
for reading. Filters are never run by plugins, since the library is not asked to filter more than its own two (see `hdf5_filters`).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
from array import array
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

HEADER: Final = struct.Struct("<QQ")
OBJECTS: Final = 200_000
"""Groups, datasets and refused links of a file accepted."""
CHUNKS: Final = 10_000_000
"""Stored chunks of one dataset accepted."""
_DEEPEST: Final = 64
_SECONDS: Final = 60.0
"""Processor time after which a request has lost its way; time spent waiting for the disk does not count."""
_STEP: Final = 100
"""Links after which a walk is taken to have come further."""
_STEP_SECONDS: Final = 5.0
_TEXT: Final = 1 << 20
_ALL_TEXT: Final = 64 << 20
_NUMBERS: Final = 4096
_MEMORY: Final = 3 << 30
_UNREAD: Final = frozenset({b"Histogram", b"Histogram1024"})
"""Datasets that Imaris puts beside every stack; opening thousands of them takes longer than all else."""


class TooManyError(Exception):
    """The file holds more than is accepted."""


class Library:
    """One file, open in the HDF5 library."""

    def __init__(self) -> None:
        import h5py

        self._h5py: Any = h5py
        self.path: str | None = None
        self._file: Any = None
        self._text = 0

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
        """All groups and datasets reached by hard links, each once, and the links that were not followed."""
        # What is at that path may be another file than before.
        self.close()
        signal.setitimer(signal.ITIMER_PROF, _STEP_SECONDS)
        root = self._h5py.h5g.open(self.open(path), b"/")
        self._text = 0
        seen = {self._address(root, b".")}
        yield {"path": "/", "group": True, **self._attributes(root)}
        waiting = [(root, b"", 0)]
        count = 0
        while waiting:
            group, prefix, depth = waiting.pop()
            try:
                names = self._links(group)
            except (KeyError, OSError, RuntimeError) as error:
                if not prefix:
                    raise
                yield {"path": _name(prefix), "damaged": f"{error}"[:300]}
                continue
            for name in names:
                count += 1
                if count > OBJECTS:
                    raise TooManyError(f"it holds more than {OBJECTS:,} objects")
                if count % _STEP == 0:
                    signal.setitimer(signal.ITIMER_PROF, _STEP_SECONDS)
                place = prefix + b"/" + name
                try:
                    node = self._link(group, name, place, seen)
                except (KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
                    # One that cannot be read costs itself only; h5py has as many ways of saying so.
                    node = {"path": _name(place), "damaged": f"{error}"[:300]}
                if node is None:
                    continue
                inner = node.pop("inner", None)
                yield node
                if inner is not None:
                    if depth >= _DEEPEST:
                        raise TooManyError(f"its groups are nested more than {_DEEPEST} deep")
                    waiting.append((inner, place, depth + 1))

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

    def _link(self, group: Any, name: bytes, place: bytes, seen: set[tuple[int, int]]) -> dict[str, Any] | None:
        h5l, h5o = self._h5py.h5l, self._h5py.h5o
        shown = _name(place)
        kind = group.links.get_info(name).type
        if kind == h5l.TYPE_SOFT or (kind == h5l.TYPE_HARD and name in _UNREAD):
            # Whatever a soft link leads to in this file has a hard link too; those at the top tell which of several is meant.
            top = kind == h5l.TYPE_SOFT and place.count(b"/") == 1
            return {"path": shown, "soft": _text(group.links.get_val(name))[:1000]} if top else None
        if kind != h5l.TYPE_HARD:
            target = b"/".join(group.links.get_val(name)) if kind == h5l.TYPE_EXTERNAL else b""
            return {"path": shown, "refused": "external link", "target": _text(target)[:200]}
        address = self._address(group, name)
        if address in seen:
            return None
        seen.add(address)
        opened = h5o.open(group, name)
        if isinstance(opened, self._h5py.h5g.GroupID):
            return {"path": shown, "group": True, **self._attributes(opened), "inner": opened}
        if isinstance(opened, self._h5py.h5d.DatasetID):
            return {"path": shown, **self._dataset(opened), **self._attributes(opened)}
        return None

    def _dataset(self, dataset: Any) -> dict[str, Any]:
        h5d = self._h5py.h5d
        properties = dataset.get_create_plist()
        layout = properties.get_layout()
        # Before anything else is asked of it: the library opens the files of a virtual dataset to tell its size.
        if outside := self._outside(properties):
            return {"refused": outside}
        space = dataset.get_space()
        simple = space.get_simple_extent_type() == self._h5py.h5s.SIMPLE
        shape = list(space.get_simple_extent_dims()) if simple else []
        if simple and any(full > most >= 0 for full, most in zip(shape, space.get_simple_extent_dims(True), strict=True)):
            raise ValueError("a dataset is larger than it can be")
        kind = dataset.get_type()
        stored, reason = self._type(kind)
        found: dict[str, Any] = {"shape": shape, "dtype": stored, "reason": reason}
        if stored is None:
            text = self._long_text(dataset, kind, shape, layout)
            return {**found, "text": text} if text is not None else found
        if len(shape) < 2:
            return found
        found["fill"] = self._fill(properties, dataset)
        found["filters"] = [_filter(properties.get_filter(number)) for number in range(properties.get_nfilters())]
        if layout == h5d.CHUNKED:
            found |= {"layout": "chunked", "chunk": list(properties.get_chunk())}
            if _bytes(shape, dataset) > 1 << 30:
                found["stored"] = dataset.get_storage_size()
        elif layout == h5d.CONTIGUOUS:
            found |= {"layout": "contiguous", "offset": dataset.get_offset(), "stored": dataset.get_storage_size()}
        else:
            found["layout"] = "compact"
        return found

    def _outside(self, properties: Any) -> str:
        """What a dataset is called whose data lie in other files."""
        h5d = self._h5py.h5d
        if properties.get_layout() == h5d.VIRTUAL:
            return "virtual dataset"
        return "dataset in external storage" if properties.get_layout() != h5d.CHUNKED and properties.get_external_count() else ""

    def _type(self, kind: Any) -> tuple[str | None, str]:
        """Numpy's name of a type as it is stored, or why it is no image's."""
        h5t = self._h5py.h5t
        if isinstance(kind, h5t.TypeEnumID):
            members = {kind.get_member_name(number): kind.get_member_value(number) for number in range(min(kind.get_nmembers(), 3))}
            if members == {b"FALSE": 0, b"TRUE": 1} and kind.get_size() == 1:
                return "|b1", ""
            return self._type(kind.get_super())
        if isinstance(kind, h5t.TypeIntegerID):
            return self._integer(kind)
        if isinstance(kind, h5t.TypeFloatID):
            orders = (("LE", "<"), ("BE", ">"))
            known = (f"{order}f{bits // 8}" for bits in (16, 32, 64) for end, order in orders if kind.equal(getattr(h5t, f"IEEE_F{bits}{end}")))
            found = next(known, None)
            return found, "" if found else "floating point numbers of an uncommon kind"
        names = {"TypeStringID": "text", "TypeCompoundID": "records of several fields", "TypeReferenceID": "references", "TypeArrayID": "arrays"}
        return None, names.get(type(kind).__name__, "no numbers")

    def _integer(self, kind: Any) -> tuple[str | None, str]:
        h5t, size = self._h5py.h5t, kind.get_size()
        if size not in {1, 2, 4, 8} or kind.get_precision() != 8 * size or kind.get_offset():
            return None, f"integers of {kind.get_precision()} bits in {size} bytes"
        order = "|" if size == 1 else ">" if kind.get_order() == h5t.ORDER_BE else "<"
        return f"{order}{'i' if kind.get_sign() == h5t.SGN_2 else 'u'}{size}", ""

    def _long_text(self, dataset: Any, kind: Any, shape: list[int], layout: int) -> str | None:
        """Text of single characters, as Imaris stores attributes that are too long for one."""
        import numpy as np

        if not isinstance(kind, self._h5py.h5t.TypeStringID) or kind.is_variable_str() or kind.get_size() != 1 or len(shape) != 1:
            return None
        if layout == self._h5py.h5d.CHUNKED or shape[0] > _TEXT or self._text + shape[0] > _ALL_TEXT:
            return None
        characters = np.zeros(shape, "S1")
        dataset.read(self._h5py.h5s.ALL, self._h5py.h5s.ALL, characters)
        self._text += shape[0]
        return _text(characters.tobytes())

    def _fill(self, properties: Any, dataset: Any) -> Any:
        import numpy as np

        value = np.zeros((), dataset.dtype.newbyteorder("="))
        if properties.fill_value_defined() != self._h5py.h5d.FILL_VALUE_UNDEFINED:
            properties.get_fill_value(value)
        return value.item()

    def _attributes(self, opened: Any) -> dict[str, Any]:
        h5a = self._h5py.h5a
        found: dict[str, Any] = {}
        lost = 0
        for number in range(min(h5a.get_num_attrs(opened), _NUMBERS * 16)):
            try:
                attribute = h5a.open(opened, index=number)
                value = self._value(attribute)
            except (KeyError, OSError, RuntimeError, TypeError, ValueError):
                lost += 1
                continue
            if value is not None:
                found[_text(attribute.name)] = value
        return {"attributes": found, "lost": lost}

    def _value(self, attribute: Any) -> Any:
        import numpy as np

        h5s, h5t = self._h5py.h5s, self._h5py.h5t
        space, kind = attribute.get_space(), attribute.get_type()
        if space.get_simple_extent_type() == h5s.NULL:
            return None
        count = space.get_simple_extent_npoints()
        if isinstance(kind, h5t.TypeStringID):
            size = count * (1 if kind.is_variable_str() else kind.get_size())
            if size > _TEXT or self._text + size > _ALL_TEXT:
                return None
        elif not isinstance(kind, (h5t.TypeIntegerID, h5t.TypeFloatID, h5t.TypeEnumID)) or count > _NUMBERS:
            return None
        values = np.zeros(attribute.shape, attribute.dtype)
        attribute.read(values)
        if not isinstance(kind, h5t.TypeStringID):
            return values.tolist()
        if values.dtype.kind == "S" and values.dtype.itemsize == 1 and values.ndim == 1:
            texts: Any = _text(values.tobytes())
        else:
            texts = _texts(values.tolist())
        self._text += len(str(texts))
        return texts if self._text <= _ALL_TEXT else None

    def dataset(self, path: str, place: str) -> Any:
        """Open a dataset of a file, following hard links only."""
        at = self._h5py.h5g.open(self.open(path), b"/")
        for name in place.encode("utf-8", "surrogateescape").strip(b"/").split(b"/"):
            if at.links.get_info(name).type != self._h5py.h5l.TYPE_HARD:
                raise ValueError("it is behind a link that is not followed")
            at = self._h5py.h5o.open(at, name)
        return at

    def index(self, path: str, place: str) -> array[int]:
        """Number of each stored chunk of a dataset within its grid, its place in the file, its length and the filters left out."""
        dataset = self.dataset(path, place)
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

    def part(self, path: str, place: str, start: list[int], extent: list[int]) -> bytes:
        """Let the library itself read a box of a dataset."""
        import numpy as np

        dataset = self.dataset(path, place)
        if outside := self._outside(dataset.get_create_plist()):
            raise ValueError(f"it is a {outside}")
        pixels = np.zeros(extent, dataset.dtype)
        space = dataset.get_space()
        space.select_hyperslab(tuple(start), tuple(extent))
        dataset.read(self._h5py.h5s.create_simple(tuple(extent)), space, pixels)
        return pixels.tobytes()


def _filter(found: tuple[int, int, tuple[int, ...], bytes]) -> list[Any]:
    code, _, values, name = found
    return [code, list(values), _text(name)]


def _bytes(shape: list[int], dataset: Any) -> int:
    total = int(dataset.dtype.itemsize)
    for extent in shape:
        total *= extent
    return total


def _name(value: bytes) -> str:
    """A name; bytes that are no UTF-8 come back as themselves when it is encoded again."""
    return value.decode("utf-8", "surrogateescape")


def _text(value: bytes) -> str:
    """Text up to the first NUL; what is no UTF-8 was written by a program that knew Western European letters only."""
    value = value.split(b"\0", 1)[0]
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return _text(value) if isinstance(value, bytes) else str(value)


def _answer(library: Library, request: dict[str, Any]) -> tuple[Any, Any]:
    path = request["file"]
    match request["do"]:
        case "walk":
            return list(library.walk(path)), b""
        case "index":
            return None, memoryview(library.index(path, request["path"])).cast("B")
        case "part":
            return None, library.part(path, request["path"], request["start"], request["extent"])
        case "close":
            if path == library.path:
                library.close()
            return None, b""
    raise ValueError(f"{request['do']} is nothing it can do")


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    library = Library()
    for line in requests:
        signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        data: Any = b""
        try:
            result, data = _answer(library, json.loads(line))
            answer: dict[str, Any] = {"result": result}
        except TooManyError as error:
            answer = {"too_many": str(error)}
        except MemoryError:
            answer = {"too_many": "it needs more memory than is allowed"}
        except Exception as error:  # whatever the library finds wrong is told to the asker
            answer = {"error": f"{type(error).__name__}: {error}"}
        signal.setitimer(signal.ITIMER_PROF, 0)
        text = json.dumps(answer).encode("ascii")
        answers.write(HEADER.pack(len(text), len(data)))
        answers.write(text)
        answers.write(data)
        answers.flush()


def main() -> None:
    """Serve until the asker closes the pipe."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # The library prints its errors; they would get between the answers.
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import h5py  # noqa: F401 - takes its memory before the limit is set

    with open("/proc/self/statm", "rb") as status:  # noqa: PTH123 - pathlib is one more module to load
        taken = int(status.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + _MEMORY, taken + _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _serve(requests, answers)
