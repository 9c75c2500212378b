"""Rules on personal data outside of the places made for it: free text, and attributes of OME-Zarr."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ...provenance import NAMESPACE
from ..findings import Problem, Subject, rule
from ..ome_annotations import is_original
from ..ome_private import EMAIL, FOLDERS, PATIENT, is_personal
from ..ome_xml import local_name
from ._groups import groups, is_zarr
from ._views import document, place, series_of, shorten

_LAW = "https://eur-lex.europa.eu/eli/reg/2016/679/oj"
_WHY = "What is published cannot be taken back: addresses and user names in paths are personal data, and free text is where they are overlooked."
_FIX = "Decide whether they may be public. Converting with “original metadata: scrub” removes what this suite recognises."
_TOLD_ELSEWHERE: Final = frozenset({"Experimenter", "M", "BinData", "Plane"})
_NO_TEXT: Final = frozenset({"ID", "Namespace", "UUID", "schemaLocation"})
_OWN_KEYS: Final = frozenset({"path", "paths", "image", "_creator"})
"""Keys that OME-Zarr itself has, or that name software."""
_DEPTH = 20


def _names_somebody(text: str) -> bool:
    return (
        ("@" in text and EMAIL.search(text) is not None)
        or (("/" in text or "\\" in text) and FOLDERS.search(text) is not None)
        or PATIENT.search(text) is not None
    )


@rule(
    "ome.personal-text",
    severity="warning",
    title="There are no addresses of people, folders of their computers or patients in free text.",
    why=_WHY,
    fix=_FIX,
    source=_LAW,
    needs="ome-xml",
    applies=lambda subject: document(subject) is not None,
)
def _text(subject: Subject) -> Iterator[Problem]:
    """People who have an element of their own, and pairs of keys and values, are told by the rule on personal data."""
    stack = [document(subject).root]
    while stack:
        element = stack.pop()
        name = local_name(element)
        if not name or name in _TOLD_ELSEWHERE or is_original(element) or element.get("Namespace") == NAMESPACE:
            continue
        for key, value in element.attrib.items():
            if str(key).rpartition("}")[2] not in _NO_TEXT and _names_somebody(str(value)):
                message = f"{key!s} of {name} holds “{shorten(_found(str(value)), 40)}”."
                yield Problem(message, place(element), series_of(element))
        text = element.text or ""
        if _names_somebody(text):
            yield Problem(f"{name} holds “{shorten(_found(text), 40)}”.", place(element), series_of(element))
        stack.extend(reversed(element))


def _found(text: str) -> str:
    found = EMAIL.search(text) or FOLDERS.search(text) or PATIENT.search(text)
    return found[0] if found else text


@rule(
    "ngff.personal-data",
    severity="warning",
    title="There are no names of people or folders of their computers in the attributes of the store.",
    why=_WHY,
    fix="Decide whether they may be public. Converting with this suite keeps none of them: it writes attributes anew.",
    source=_LAW,
    needs="path",
    applies=lambda subject: is_zarr(subject) and bool(groups(subject)),
)
def _attributes(subject: Subject) -> Iterator[Problem]:
    told: set[tuple[str, str]] = set()
    for stored in groups(subject):
        for where, key, value in _strings(stored.group.attributes, "", _DEPTH):
            personal = _names_somebody(value) or (key not in _OWN_KEYS and value.strip() and is_personal(key, ""))
            if personal and (key, value) not in told:
                told.add((key, value))
                yield stored.problem(where, f"{stored.called} says “{shorten(key)}”: “{shorten(value, 40)}”.")


def _strings(value: Any, where: str, depth: int, key: str = "") -> Iterator[tuple[str, str, str]]:
    """Every string in JSON, with where it is and the key it has."""
    if isinstance(value, str):
        yield where, key, value
    elif depth and isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, f"{where}.{name}" if where else str(name), depth - 1, str(name))
    elif depth and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{where}.{index}", depth - 1, key)
