"""Personal data in metadata, and taking it out (``--original-metadata scrub``).

A pair goes if its key names a person, an account, a computer, a place on somebody's disk, or a patient or sample; or if
its value holds an e-mail address, an absolute path or a patient's number. In free text only these go. Serial numbers
stay: they name a microscope, not a person, and recommended metadata (REMBI) ask for the instrument. A statement of
rights stays as well: its holder wants to be named.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..image import MapAnnotation
from .ome_xml import all_text, children, first_child, local_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml import etree

    from .ome_annotations import Pairs

REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("operator|experimenter|author|creator|annotator|owner|investigator|physician|technician|researcher|artist", "names a person"),
    ("user|login|account", "names an account"),
    ("first ?name|last ?name|middle ?name|full ?name|surname|initials|e ?mail|(tele)?phone|address|birth", "is about a person"),
    ("computer|host|host ?name|workstation|machine ?name|domain ?name", "names a computer"),
    ("path|folder|directory|file ?name", "is a place on somebody's disk"),
    ("patient|subject|donor|participant|(sample|specimen) ?(id|name|number)|case ?(id|number)|barcode", "names a patient or a sample"),
)
"""Words in a key, whole or as part of CamelCase, and why such a pair is personal."""

EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
FOLDERS: Final = re.compile(
    r"(?:\b[A-Za-z]:[\\/]|\\\\[^\\/\s]+[\\/]|file:///?|(?<![\w/:.])/(?:home|Users|mnt|media|data|tmp|var|scratch|net|Volumes)/)"
    r"(?:[^\\/\r\n\"'<>|]+[\\/])*"
)
PATIENT: Final = re.compile(r"\b((?:patient|donor|participant)s?[ _-]?(?:id|name|number|no\.?)\b\s*[:=#]?\s*)([\w][\w./-]{0,60})", re.IGNORECASE)
"""A patient in free text: what it is called, and the name or number."""
_WORDS: Final = re.compile("|".join(rf"(?<![a-z])(?:{words})s?(?![a-z])" for words, _ in REASONS))
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_REMOVED: Final = "[removed]"
_INNOCENT: Final = re.compile(
    r"(light|beam|optical|filter|excitation|emission|scan) ?paths?|path ?length|user ?(defined|interface|settings?)"
    r"|\bm s (?!user)[a-z0-9 ]+ full name|camera user name|rect sensor user|user (camera ?orientation|awb ?mode)"
)
_NOT_TEXT: Final = frozenset({"ID", "Namespace", "href", "K"})


def is_personal(key: str, value: str) -> bool:
    """Whether a key-value pair says something about a person or somebody's computer.

    Examples
    --------
    >>> is_personal("Information|Document|UserName", "ada"), is_personal("LightPath", "1")
    (True, False)
    """
    return bool(_names_something_personal(key) or EMAIL.search(value) or FOLDERS.search(value) or PATIENT.search(value))


def _names_something_personal(key: str) -> bool:
    words = re.sub(r"[_\W]+", " ", _CAMEL.sub(" ", key)).lower()
    return bool(_WORDS.search(_INNOCENT.sub(" ", words)))


def scrub_pairs(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Leave out the personal pairs."""
    return tuple((key, value) for key, value in pairs if not is_personal(key, value))


def scrub_map(annotation: MapAnnotation) -> MapAnnotation:
    """Leave out the personal pairs of a map annotation."""
    return MapAnnotation(annotation.namespace, scrub_pairs(annotation.pairs))


def scrub_text(text: str) -> str:
    """Take e-mail addresses, folders and patients out of free text; file names stay."""
    return PATIENT.sub(rf"\1{_REMOVED}", FOLDERS.sub("", EMAIL.sub(_REMOVED, text)))


def scrub_element(element: etree._Element) -> None:
    """Take personal data out of an element that is carried along, and out of everything in it."""
    for pairs in element.iter("{*}Value"):
        for pair in list(children(pairs, "M")):
            if is_personal(pair.get("K", ""), all_text(pair) or ""):
                pairs.remove(pair)
    for item in element.iter():
        name = local_name(item)
        for key, value in item.attrib.items() if name else ():
            if str(key) == "FileName":
                item.set(key, re.split(r"[\\/]", str(value))[-1])
            elif str(key) not in _NOT_TEXT:
                item.set(key, scrub_text(str(value)))
        if name and item.text and name != "BinData":
            item.text = scrub_text(item.text)
    if local_name(element) == "XMLAnnotation":
        _scrub_foreign(first_child(element, "Value"))


def _scrub_foreign(content: etree._Element | None) -> None:
    """Empty the elements and attributes of foreign XML whose names, or whose ``Key`` beside them, are personal."""
    for item in content.iter() if content is not None else ():
        if not local_name(item):
            continue
        for key in [str(key) for key in item.attrib if _names_something_personal(str(key).rpartition("}")[2])]:
            item.set(key, _REMOVED)
        key_element = first_child(item, "Key")
        if key_element is not None and _names_something_personal(all_text(key_element) or ""):
            for value in children(item, "Value"):
                value.text = _REMOVED
        if item.text and item.text.strip() and _names_something_personal(local_name(item)):
            item.text = _REMOVED
