"""Axes of an NGFF image, brought to t c z y x; those OME does not have are folded into T, C or Z.

A dimension is folded with its own index counted fastest, as OME's Modulo annotation means it (and tifffile and this suite's
TIFF reader take it): index along T = t × size + own index.

Which of T, C and Z takes it follows Bio-Formats: wavelengths go to C (its Leica reader), lifetimes to T (its readers of
FLIM), and of Zeiss CZI rotations to Z, illuminations to C, phases to T. What has no example there goes to C if NGFF calls it
a channel, else to T. A dimension takes one only, since the annotation has room for one: a second goes to the next of T, C, Z.
Source: Bio-Formats' ZeissCZIReader, LeicaHandler and SDTReader (moduloT, moduloC, moduloZ); OME model documentation, "6D, 7D
and 8D storage", which has the types angle, phase, tile, lifetime, lambda and other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..errors import UnreadableError
from .ngff import AXES

Along = Literal["T", "C", "Z"]

_NAMES: Final = {"time": "t", "channel": "c", "ch": "c", "channels": "c"}
_TYPES: Final = {"time": "t", "channel": "c"}
_LETTERS: Final = {"angle": "A", "lambda": "E", "lifetime": "H", "tile": "M"}
_ORDER: Final[tuple[Along, ...]] = ("T", "C", "Z")
_LAMBDA: Final[tuple[str, Along]] = ("lambda", "C")
_ANGLE: Final[tuple[str, Along]] = ("angle", "Z")
_KINDS: Final[Mapping[str, tuple[str, Along]]] = {
    **dict.fromkeys(("lambda", "wavelength", "wavelengths", "spectral", "spectrum", "spectra", "emission", "excitation"), _LAMBDA),
    **dict.fromkeys(("angle", "angles", "rotation", "rotations", "view"), _ANGLE),
    **dict.fromkeys(("phase", "phases"), ("phase", "T")),
    **dict.fromkeys(("lifetime", "lifetimes", "microtime", "flim", "tcspc"), ("lifetime", "T")),
    **dict.fromkeys(("tile", "tiles"), ("tile", "T")),
    **dict.fromkeys(("illumination", "illuminations"), ("other", "C")),
}


@dataclass(frozen=True, slots=True)
class AxisInfo:
    """One dimension of the arrays.

    `name` is one of t c z y x, or ``-`` for one of size 1 that is left out, or ``T``, ``C`` or ``Z`` for one that is folded
    into t, c or z; of those `label` is the source's own name and `modulo` the type OME has for it.
    """

    name: str
    unit: object = None
    label: str = ""
    modulo: str = ""

    @property
    def along(self) -> Along | None:
        """What it is folded into, if it is."""
        return next((along for along in _ORDER if along == self.name), None)

    @property
    def folded(self) -> bool:
        """Whether it is a dimension OME does not have, and more than one deep."""
        return self.along is not None


def folded_letter(axis: AxisInfo) -> str:
    """Letter of an axis OME does not have: A angle, E wavelength, H lifetime, M tile, Q another."""
    return _LETTERS.get(axis.modulo, "Q")


def kind_of(label: str) -> tuple[str, Along]:
    """OME's type of a dimension it does not have, and which of T, C and Z takes it, by its name."""
    return _kind(None, label)


def read_axes(value: object, source: str, shape: Sequence[int] | None) -> tuple[tuple[AxisInfo, ...] | None, list[str]]:
    """Read ``axes``; ``None`` if there are none (0.1, 0.2).

    Parameters
    ----------
    value
        As it stands in the attributes.
    source
        The name by which errors call it.
    shape
        Shape of the largest array, where known.

    Returns
    -------
    tuple of AxisInfo
        In the order of the arrays' dimensions.
    list of str
        Warnings.

    Raises
    ------
    UnreadableError
        If there is more space than z y x, an axis is there twice, or more are to be folded than T, C and Z can take.
    """
    if not isinstance(value, list) or not value:
        return None, []
    if shape is not None and len(shape) != len(value):
        raise UnreadableError(f"{source} has {len(value)} axes, but its array has {len(shape)} dimensions. Repair its 'axes'.")
    sizes = [2] * len(value) if shape is None else list(shape)
    labels = [axis.get("name") if isinstance(axis, Mapping) else axis for axis in value]
    names = _plain_names(value, labels, sizes)
    _check_names(names, labels, sizes, value, source)
    kinds = [_kind(axis, str(label)) for axis, label in zip(value, labels, strict=True)]
    folds = _folds(names, kinds, labels, source)
    axes, warnings = [], []
    for index, (axis, label, name) in enumerate(zip(value, labels, names, strict=True)):
        unit = axis.get("unit") if isinstance(axis, Mapping) else None
        if name is None:
            along = folds[index]
            warnings.append(
                f"Its axis {label!r} of {sizes[index]}, which OME does not have, is folded into {along}, its own index counted fastest; "
                "a Modulo annotation records it."
            )
            axes.append(AxisInfo(along, unit, str(label), kinds[index][0]))
            continue
        if name == "-":
            warnings.append(f"Its axis {label!r}, of size 1, is left out.")
        elif isinstance(axis, Mapping) and name != label:
            warnings.append(f"Its axis {label!r} is read as {name}.")
        axes.append(AxisInfo(name, unit))
    order = [axis.name for axis in axes if axis.name in AXES]
    if order != [name for name in AXES if name in order]:
        warnings.append(f"Its axes are in the order {' '.join(order)}, where OME-Zarr wants t c z y x.")
    return tuple(axes), warnings


def _plain_names(value: list[Any], labels: list[Any], sizes: list[int]) -> list[str | None]:
    """One of t c z y x, ``-`` for what is left out, ``None`` for what is to be folded or refused.

    A name decides before a type, so that of two channel axes the one called c is the channel.
    """
    names: list[str | None] = [_by_name(label) for label in labels]
    for index, axis in enumerate(value):
        known = isinstance(labels[index], str) and _word(labels[index]) in _KINDS
        if names[index] is not None or (known and sizes[index] > 1):
            continue
        kind = axis.get("type") if isinstance(axis, Mapping) else None
        name = _TYPES.get(kind) if isinstance(kind, str) else None
        if name is not None and name not in names:
            names[index] = name
    return ["-" if name is None and size == 1 else name for name, size in zip(names, sizes, strict=True)]


def _by_name(label: object) -> str | None:
    lower = label.lower() if isinstance(label, str) else ""
    return lower if len(lower) == 1 and lower in AXES else _NAMES.get(lower)


def _word(text: str) -> str:
    return text.strip().lower().replace("λ", "lambda")


def _check_names(names: list[str | None], labels: list[Any], sizes: list[int], value: list[Any], source: str) -> None:
    for name, label, size, axis in zip(names, labels, sizes, value, strict=True):
        if name is not None:
            continue
        if not isinstance(label, str) or not label:
            raise UnreadableError(
                f"{source} has an axis called {label!r}, which is none of t, c, z, y and x, so that its pixels cannot be placed. Name that axis."
            )
        if isinstance(axis, Mapping) and axis.get("type") == "space":
            raise UnreadableError(
                f"{source} has an axis called {label!r} of {size} in space, which is none of z, y and x: an image has no more dimensions there. "
                "If it is no dimension of space, correct its type in 'axes'; otherwise split the image along it."
            )
    plain = [name for name in names if name not in (None, "-")]
    same = {label for label in labels if isinstance(label, str) and labels.count(label) > 1}
    if len(set(plain)) != len(plain) or not {"y", "x"} <= set(plain) or same:
        raise UnreadableError(f"{source} has the axes {', '.join(map(str, labels))}; each may be there once, and y and x must be. Repair its 'axes'.")


def _kind(axis: object, label: str) -> tuple[str, Along]:
    """OME's type of a folded dimension and where it goes: by its name, else by its type."""
    kind = axis.get("type") if isinstance(axis, Mapping) else None
    stated = _word(kind) if isinstance(kind, str) else ""
    return _KINDS.get(_word(label)) or _KINDS.get(stated) or ("other", "C" if stated == "channel" else "T")


def _folds(names: list[str | None], kinds: Sequence[tuple[str, Along]], labels: list[Any], source: str) -> dict[int, Along]:
    """Where each axis that is to be folded goes; those of a known kind choose first."""
    folds: dict[int, Along] = {}
    extra = [index for index, name in enumerate(names) if name is None]
    for index in sorted(extra, key=lambda index: kinds[index][0] == "other"):
        free = [along for along in (kinds[index][1], *_ORDER) if along not in folds.values()]
        if not free:
            called = ", ".join(repr(labels[other]) for other in extra)
            raise UnreadableError(
                f"{source} has the axes {called}, which OME does not have; T, C and Z can each hold one of them, so that at most three can be read. "
                "Split the image along one."
            )
        folds[index] = free[0]
    return folds
