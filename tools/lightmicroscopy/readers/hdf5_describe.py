"""What the HDF5 library says of one object: a dataset's size, type and storage, and the attributes of it or of a group.

Part of the process that holds the library (see `hdf5_worker`), and imported by nothing else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: Final = (KeyError, OSError, RuntimeError, TypeError, ValueError)
"""What h5py raises where the library finds something damaged; it has as many ways of saying so."""
_TEXT: Final = 1 << 20
"""Bytes of one text that are kept."""
_NUMBERS: Final = 4096
"""Numbers of one attribute that are kept."""
_ATTRIBUTES: Final = 20_000
"""Attributes of one object that are read."""
_ALL: Final = 32 << 20
"""Bytes, as they are told, of the attributes of a whole file that are read."""
_ENTRY: Final = 64
"""Bytes that an attribute takes beside its value."""
_POINTER: Final = 16
"""Bytes that stand for a text of variable length."""
_NO_MEMORY: Final = ("memory allocation failed", "allocate", "H5MM_")
"""Words of the library where there is no memory to be had, which differ from place to place."""
_OFTEN: Final = 100
"""Attributes after which it is told that there is progress."""


class Describer:
    """Describes the objects of one file, as much of them all together as is accepted.

    Parameters
    ----------
    progress
        Called now and then.
    """

    def __init__(self, h5py: Any, progress: Callable[[], None]) -> None:
        self._h5py = h5py
        self._progress = progress
        self._room = _ALL

    def dataset(self, dataset: Any) -> dict[str, Any]:
        """Describe a dataset.

        Raises
        ------
        ValueError
            If it is damaged; h5py raises the others of `FAULTS`.
        """
        h5d = self._h5py.h5d
        properties = dataset.get_create_plist()
        layout = properties.get_layout()
        # Before anything else is asked of it: the library opens the files of a virtual dataset to tell its size.
        if outside := self.outside(properties):
            return {"refused": outside}
        space = dataset.get_space()
        simple = space.get_simple_extent_type() == self._h5py.h5s.SIMPLE
        shape = list(space.get_simple_extent_dims()) if simple else []
        if simple and any(full > most >= 0 for full, most in zip(shape, space.get_simple_extent_dims(True), strict=True)):
            raise ValueError("a dataset is larger than it can be")
        kind = dataset.get_type()
        stored, reason = self._type(kind)
        found: dict[str, Any] = {"shape": shape, "dtype": stored}
        if stored is None:
            text = self._long_text(dataset, kind, shape, layout)
            return {**found, "reason": reason, "text": text} if text is not None else {**found, "reason": reason}
        if len(shape) < 2:
            return found
        if fill := self._fill(properties, dataset):
            found["fill"] = fill
        if count := properties.get_nfilters():
            found["filters"] = [_filter(properties.get_filter(number)) for number in range(count)]
        if layout == h5d.CHUNKED:
            found |= {"layout": "chunked", "chunk": list(properties.get_chunk())}
            if _bytes(shape, kind.get_size()) > 1 << 30:
                found["stored"] = dataset.get_storage_size()
        elif layout == h5d.CONTIGUOUS:
            found |= {"layout": "contiguous", "offset": dataset.get_offset(), "stored": dataset.get_storage_size()}
        else:
            found["layout"] = "compact"
        return found

    def outside(self, properties: Any) -> str:
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
        if layout == self._h5py.h5d.CHUNKED or shape[0] > min(_TEXT, self._room):
            return None
        characters = np.zeros(shape, "S1")
        dataset.read(self._h5py.h5s.ALL, self._h5py.h5s.ALL, characters)
        self._room -= shape[0]
        return _text(characters.tobytes())

    def _fill(self, properties: Any, dataset: Any) -> Any:
        import numpy as np

        if properties.fill_value_defined() != self._h5py.h5d.FILL_VALUE_USER_DEFINED:
            return 0
        value = np.zeros((), dataset.dtype.newbyteorder("="))
        properties.get_fill_value(value)
        return value.item()

    def attributes(self, opened: Any) -> dict[str, Any]:
        """Attributes of an object; how many cannot be read (`lost`), and how many are too large or too many (`left`)."""
        h5a = self._h5py.h5a
        count = h5a.get_num_attrs(opened)
        if not count:
            return {}
        if self._room <= 0:
            return {"left": count}
        found: dict[str, Any] = {}
        names, complete = self._names(opened)
        missing = max(0, count - len(names))
        lost, left = (0, missing) if complete else (missing, 0)
        for number, name in enumerate(names):
            if number % _OFTEN == 0:
                self._progress()
            try:
                value, kept = self._value(h5a.open(opened, name))
            except MemoryError:
                value, kept = None, False
            except FAULTS as error:
                if any(words in str(error) for words in _NO_MEMORY):
                    value, kept = None, False
                else:
                    lost += 1
                    continue
            left += not kept
            if value is not None:
                found[_text(name)] = value
        return {key: value for key, value in (("attributes", found), ("lost", lost), ("left", left)) if value}

    def _names(self, opened: Any) -> tuple[list[bytes], bool]:
        """Names of the attributes, sorted, and whether the library had nothing against it.

        It takes them in its own order and opens them by name: by number, it would list them all for each.
        """
        h5 = self._h5py.h5
        names: list[bytes] = []

        def take(name: bytes, *_: Any) -> bool | None:
            names.append(name)
            return True if len(names) >= _ATTRIBUTES else None

        try:
            self._h5py.h5a.iterate(opened, take, index_type=h5.INDEX_NAME, order=h5.ITER_NATIVE)
        except FAULTS:
            return sorted(names), False
        return sorted(names), True

    def _value(self, attribute: Any) -> tuple[Any, bool]:
        """Value of an attribute, ``None`` for what is neither text nor numbers; and whether it is not too large to be kept."""
        import numpy as np

        h5s, h5t = self._h5py.h5s, self._h5py.h5t
        space, kind = attribute.get_space(), attribute.get_type()
        if space.get_simple_extent_type() == h5s.NULL:
            return None, True
        count = space.get_simple_extent_npoints()
        if isinstance(kind, h5t.TypeStringID):
            # How long texts of variable length are is known only once they are read.
            size = count * (_POINTER if kind.is_variable_str() else kind.get_size())
            return self._texts(attribute) if size <= min(_TEXT, self._room) else (None, False)
        if not isinstance(kind, (h5t.TypeIntegerID, h5t.TypeFloatID, h5t.TypeEnumID)):
            return None, True
        if count > _NUMBERS or count * 8 > self._room:
            return None, False
        values = np.zeros(attribute.shape, attribute.dtype)
        attribute.read(values)
        self._room -= count * 8 + _ENTRY
        return values.tolist(), True

    def _texts(self, attribute: Any) -> tuple[Any, bool]:
        import numpy as np

        values = np.zeros(attribute.shape, attribute.dtype)
        attribute.read(values)
        size = sum(map(len, values.ravel().tolist()))
        if size > _TEXT:
            self._room -= size
            return None, False
        single = values.dtype.kind == "S" and values.dtype.itemsize == 1 and values.ndim == 1
        texts = _text(values.tobytes()) if single else _texts(values.tolist())
        self._room -= len(json.dumps(texts)) + _ENTRY
        return texts, True


def _filter(found: tuple[int, int, tuple[int, ...], bytes]) -> list[Any]:
    code, _, values, name = found
    return [code, list(values), _text(name)]


def _bytes(shape: list[int], size: int) -> int:
    for extent in shape:
        size *= extent
    return size


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
