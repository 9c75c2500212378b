"""Carrying along what the source's OME-XML says beyond the image model.

An element is carried when something that is kept refers to it, together with all it refers to itself. Ids are given
anew; a reference whose target is not carried is removed, so that none dangles.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from .ome_annotations import is_original
from .ome_instrument import LIGHT_SOURCES
from .ome_private import scrub_element
from .ome_rois import GEOMETRY
from .ome_xml import all_text, children, copy_as_2016, local_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

Ids = dict[tuple[str, str], str]

REFERENCES: Final = {
    "ExperimenterRef": "Experimenter",
    "Leader": "Experimenter",
    "Contact": "Experimenter",
    "ExperimenterGroupRef": "ExperimenterGroup",
    "GroupRef": "ExperimenterGroup",
    "ExperimentRef": "Experiment",
    "InstrumentRef": "Instrument",
    "ObjectiveSettings": "Objective",
    "ObjectiveRef": "Objective",
    "DetectorSettings": "Detector",
    "DetectorRef": "Detector",
    "LightSourceSettings": "LightSource",
    "LightSourceRef": "LightSource",
    "Pump": "LightSource",
    "FilterSetRef": "FilterSet",
    "FilterRef": "Filter",
    "ExcitationFilterRef": "Filter",
    "EmissionFilterRef": "Filter",
    "DichroicRef": "Dichroic",
    "AnnotationRef": "Annotation",
    "ROIRef": "ROI",
    "MicrobeamManipulationRef": "MicrobeamManipulation",
    "ImageRef": "Image",
    "PlateRef": "Plate",
    "ReagentRef": "Reagent",
    "DatasetRef": "Dataset",
    "FolderRef": "Folder",
    "ProjectRef": "Project",
    "ScreenRef": "Screen",
    "WellSampleRef": "WellSample",
    "ChannelRef": "Channel",
}
"""Elements that refer to another by its id, and to what."""

_NOT_CARRIED: Final = frozenset({"Image", "Pixels", "Channel", "Plate", "Well", "WellSample", "PlateAcquisition"})
"""Made anew by the writer."""
_PEOPLE: Final = frozenset({"Experimenter", "ExperimenterGroup"})
_CONTAINERS: Final = {"Dataset": ("ImageRef",), "Project": ("DatasetRef",), "Folder": ("ImageRef", "ROIRef", "FolderRef"), "Screen": ("PlateRef",)}
"""What holds images, and by which references. Nothing is carried for being in the same container."""
_NAMES_OF_PEOPLE: Final = ("FirstName", "MiddleName", "LastName", "Email", "Institution", "UserName")
"""Attributes of Experimenter that were child elements before 2010."""


def kind_of(element: etree._Element) -> str:
    """Return the kind of thing an id names: all light sources share one, so do annotations and shapes."""
    name = local_name(element)
    if name in LIGHT_SOURCES:
        return "LightSource"
    if name.endswith("Annotation"):
        return "Annotation"
    return "Shape" if name in GEOMETRY else name


class Carrier:
    """Copies elements of one source document into one output document.

    Attributes
    ----------
    ids
        New id of each (kind, old id) that is in the output.
    placed
        Carried elements by their local names ("Annotation" for all annotations), in the order they were needed.
    """

    def __init__(self, root: etree._Element | None, *, scrub: bool) -> None:
        self.scrub = scrub
        self.ids: Ids = {}
        self.placed: dict[str, list[etree._Element]] = {}
        self._counts: dict[str, count[int]] = {}
        self._unsettled: list[etree._Element] = []
        self._root = root
        self._owners = {} if root is None else _index(root)

    def new_id(self, kind: str) -> str:
        """Make an id nothing in the output has."""
        return f"{kind}:{next(self._counts.setdefault(kind, count()))}"

    def place(self, element: etree._Element) -> str:
        """Put a new top-level element into the output and return the id it gets."""
        kind = kind_of(element)
        identifier = self.new_id(kind)
        element.set("ID", identifier)
        self.placed.setdefault(kind, []).append(element)
        return identifier

    def source_of(self, kind: str, identifier: str | None) -> etree._Element | None:
        """Return the source's top-level element that is or holds the one of that id."""
        return self._owners.get((kind, identifier or ""))

    def carry(self, kind: str, old: str) -> str | None:
        """Carry an element of the source along; None if it is not there, or must not be.

        What it refers to itself follows in `settle`, because such chains may be long.
        """
        known = self.ids.get((kind, old))
        if known is not None:
            return known
        owner = self._owners.get((kind, old))
        if owner is None or kind in _NOT_CARRIED or (self.scrub and kind in _PEOPLE) or is_original(owner):
            return None
        self._carry(owner)
        return self.ids.get((kind, old))

    def carry_containers(self) -> None:
        """Carry the datasets, projects, folders and screens that hold, at any depth, what is kept."""
        elements = [(name, element) for name in _CONTAINERS for element in children(self._root, name)]
        wanted: list[etree._Element] = []
        changed = True
        while changed:
            changed = False
            for name, element in elements:
                key = (name, element.get("ID", ""))
                if key not in self.ids and any(
                    (REFERENCES[local_name(ref)], ref.get("ID", "")) in self.ids for ref in children(element, *_CONTAINERS[name])
                ):
                    self.ids[key] = self.new_id(name)
                    wanted.append(element)
                    changed = True
        for element in wanted:
            self._carry(element)

    def settle(self) -> None:
        """Point all references of what was carried to the new ids, carrying their targets too."""
        while self._unsettled:
            self.fix(self._unsettled.pop())

    def _carry(self, owner: etree._Element) -> None:
        copied = copy_as_2016(owner)
        if local_name(copied) == "Experimenter":
            _names_to_attributes(copied)
        self.renumber(copied)
        if self.scrub:
            scrub_element(copied)
        self.placed.setdefault(kind_of(copied), []).append(copied)
        self._unsettled.append(copied)

    def renumber(self, element: etree._Element) -> None:
        """Give new ids to an element and to all in it that have one."""
        for item in _own(element):
            name = local_name(item)
            if name not in REFERENCES and item.get("ID") is not None:
                key = (kind_of(item), item.get("ID", ""))
                given = self.ids.get(key) if key[0] in _CONTAINERS else None
                new = given or self.new_id(key[0])
                self.ids.setdefault(key, new)
                item.set("ID", new)

    def number_instrument(self, element: etree._Element) -> Ids:
        """Give an instrument and its parts new ids; return the new ones of its parts.

        Other references of the source to those parts, from anywhere, find them too.
        """
        old = element.get("ID", "")
        identifier = self.place(element)
        self.ids.setdefault(("Instrument", old), identifier)
        parts: Ids = {}
        for part in children(element):
            if local_name(part) in REFERENCES or part.get("ID") is None:
                continue
            key = (kind_of(part), part.get("ID", ""))
            parts[key] = self.new_id(key[0])
            part.set("ID", parts[key])
            self.ids.setdefault(key, parts[key])
        if self.scrub:
            scrub_element(element)
        self.fix(element, parts)
        return parts

    def fix(self, element: etree._Element, first: Mapping[tuple[str, str], str] | None = None) -> bool:
        """Point the references in an element to the new ids, and remove those that have none.

        Parameters
        ----------
        element
            A copy still holding the source's ids in its references.
        first
            Ids to prefer, of parts of the instrument the image was taken with.

        Returns
        -------
        bool
            False if the element itself is such a reference and must not be used.
        """
        for item in list(_own(element)):
            annotator = item.get("Annotator")
            if annotator is not None:
                new = self.carry("Experimenter", annotator)
                item.attrib.pop("Annotator") if new is None else item.set("Annotator", new)
            kind = REFERENCES.get(local_name(item))
            if kind is None:
                continue
            old = item.get("ID", "")
            only_if_kept = kind in _CONTAINERS or (local_name(element) in _CONTAINERS and kind == "ROI")
            target = (first or {}).get((kind, old)) or (self.ids.get((kind, old)) if only_if_kept else self.carry(kind, old))
            if target is not None:
                item.set("ID", target)
            elif item is element:
                return False
            else:
                parent = item.getparent()
                if parent is not None:
                    parent.remove(item)
        return True


def _names_to_attributes(experimenter: etree._Element) -> None:
    for child in list(children(experimenter, *_NAMES_OF_PEOPLE)):
        text = all_text(child)
        if text and local_name(child) not in experimenter.attrib:
            experimenter.set(local_name(child), text)
        experimenter.remove(child)


def _index(root: etree._Element) -> dict[tuple[str, str], etree._Element]:
    owners: dict[tuple[str, str], etree._Element] = {}
    for group in children(root):
        if local_name(group) in ("Image", "Plate"):
            continue
        for owner in children(group) if local_name(group) == "StructuredAnnotations" else [group]:
            for item in _own(owner):
                if item.get("ID") is not None and local_name(item) not in REFERENCES:
                    owners.setdefault((kind_of(item), item.get("ID", "")), owner)
    return owners


def _own(element: etree._Element) -> list[etree._Element]:
    """Collect an element and what is in it, except the content of XML annotations, which is not OME's."""
    found, pending = [], [element]
    while pending:
        item = pending.pop()
        found.append(item)
        if local_name(item) == "XMLAnnotation":
            pending += children(item, "AnnotationRef")
        else:
            pending += reversed(list(children(item)))
    return found
