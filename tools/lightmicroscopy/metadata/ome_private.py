"""Personal data in metadata, and taking it out (``--original-metadata scrub``).

A pair goes if its key names a person, an account, a computer, a place on somebody's disk, or a patient or sample; or if
its value holds an e-mail address or an absolute path. In free text only the address or the folders go. Serial numbers
stay: they name a microscope, not a person, and recommended metadata (REMBI) ask for the instrument.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ..image import MapAnnotation
from .ome_xml import all_text, children, local_name, xml_text

if TYPE_CHECKING:
    from lxml import etree

    from .ome_annotations import Pairs

REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("operator|experimenter|author|creator|annotator|owner|investigator|physician|technician|researcher|artist", "names a person"),
    ("user|login|account", "names an account"),
    ("first ?name|last ?name|middle ?name|full ?name|surname|initials|e-?mail|phone|address|birth", "is about a person"),
    ("computer|host|workstation|machine ?name|domain|mac ?address|ip ?address", "names a computer"),
    ("path|folder|directory|file ?name|drive", "is a place on somebody's disk"),
    (
        "patient|subject|donor|participant|sample ?(id|name|number)|specimen ?(id|name|number)|case ?(id|number)|barcode",
        "names a patient or a sample",
    ),
)
"""Words in a key, whole or as part of CamelCase, and why such a pair is personal."""

EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_FOLDERS: Final = re.compile(
    r"(?:\b[A-Za-z]:[\\/]|\\\\[^\\/\s]+[\\/]|(?<![\w/:.])/(?:home|Users|mnt|media|data|tmp|var|scratch|net|Volumes)/|file://)(?:[^\\/\r\n\"'<>|]+[\\/])*"
)
_WORDS: Final = re.compile("|".join(rf"(?<![a-z])(?:{words})s?(?![a-z])" for words, _ in REASONS))
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_REMOVED: Final = "[removed]"
_INNOCENT: Final = re.compile(
    r"light ?path|beam ?path|optical ?path|path ?length|file ?path ?version|user ?defined|user ?interface|drive ?(speed|current|voltage|power)"
)


def is_personal(key: str, value: str) -> bool:
    """Whether a key-value pair says something about a person or somebody's computer."""
    words = re.sub(r"[_\W]+", " ", _CAMEL.sub(" ", key)).lower()
    return bool(_WORDS.search(_INNOCENT.sub(" ", words)) or EMAIL.search(value) or _FOLDERS.search(value))


def scrub_pairs(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Leave out the personal pairs."""
    return tuple((key, value) for key, value in pairs if not is_personal(key, value))


def scrub_map(annotation: MapAnnotation) -> MapAnnotation:
    """Leave out the personal pairs of a map annotation."""
    return MapAnnotation(annotation.namespace, scrub_pairs(annotation.pairs))


def scrub_text(text: str) -> str:
    """Take e-mail addresses and folders out of free text; file names stay."""
    return _FOLDERS.sub("", EMAIL.sub(_REMOVED, text))


def scrub_element(element: etree._Element) -> None:
    """Take personal data out of an element that is carried along, and out of everything in it."""
    for item in element.iter():
        name = local_name(item)
        if not name:
            continue
        if name in ("Experimenter", "ExperimenterGroup"):
            for attribute in set(item.attrib) - {"ID"}:
                del item.attrib[attribute]
        for key, value in item.attrib.items():
            attribute = str(key)
            if attribute in ("ID", "Namespace", "href"):
                continue
            item.set(attribute, _scrub_field(f"{name} {attribute}", str(value)))
        if item.text:
            item.text = _scrub_field(name, item.text)
    for pairs in element.iter("{*}Value"):
        for pair in list(children(pairs, "M")):
            if is_personal(pair.get("K", ""), all_text(pair) or ""):
                pairs.remove(pair)


def _scrub_field(name: str, value: str) -> str:
    if name in ("BinaryFile FileName", "UUID FileName"):
        return re.split(r"[\\/]", value)[-1]
    return xml_text(scrub_text(value))
