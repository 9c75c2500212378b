"""Setting single values in OME-XML: the tree stays as it is but for them.

What several images share (an objective, an annotation) is changed for those that are meant and left for the others.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from ..image import MapAnnotation
from .changes import ChannelChanges, ObjectiveChanges, SeriesChanges, filled
from .ngff_read import signed_color
from .ome_annotations import NOTES, build_map, read_map
from .ome_set import contradicts, forget_medium, insert, said, set_lens, set_number, set_text
from .ome_xml import attribute_text, children, first_child, new, put, xml_text

_SHARED: Final = frozenset({"MapAnnotation"})


@dataclass(frozen=True, slots=True)
class Meant:
    """Changes of one image of a document.

    Attributes
    ----------
    element
        Its ``Image``.
    channels, samples
        Channels of the series and samples of each, for a document that lists no channels.
    """

    element: etree._Element
    changes: SeriesChanges
    channels: int
    samples: int = 1


class OmeEditor:
    """Sets values in a document of 2016-06.

    Parameters
    ----------
    root
        The ``OME`` element, which is changed in place.
    """

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self._ids = {str(item.get("ID")) for item in root.iter(etree.Element) if item.get("ID") is not None}
        self._numbers: Counter[str] = Counter()
        self._references: Counter[str] = Counter()
        for item in root.iter("{*}AnnotationRef", "{*}ObjectiveSettings", "{*}InstrumentRef"):
            self._references[str(item.get("ID"))] += 1
        self._annotations = {str(item.get("ID")): item for group in children(root, "StructuredAnnotations") for item in children(group, *_SHARED)}
        self._made: dict[MapAnnotation, str] = {}
        self._tool: etree._Element | None = None
        # As readers take it: the only instrument is that of all images, unless some of them say that it is theirs.
        self._one_for_all = next(root.iter("{*}InstrumentRef"), None) is None

    def edit(self, meant: Sequence[Meant]) -> list[list[str]]:
        """Set what is meant.

        Returns
        -------
        list of list of str
            For each image the names of what was not so already: ``pixel_size_x_um``, ``channel 0 name``, ``annotation … Organism``.
        """
        changed = [self._image(item) for item in meant]
        lenses = self._objectives(meant)
        for number, item in enumerate(meant):
            changed[number] += lenses[number]
            for annotation in item.changes.annotations:
                changed[number] += self._annotate(item.element, replace(annotation, namespace=attribute_text(annotation.namespace)))
        return changed

    def attach(self, elements: Iterable[etree._Element], annotation: MapAnnotation) -> None:
        """Attach a new annotation to images."""
        for element in elements:
            self._refer(element, self._new_annotation(annotation))

    def _image(self, meant: Meant) -> list[str]:
        element, changes, changed = meant.element, meant.changes, list[str]()
        if changes.image_name is not None:
            changed += set_text(element, "Name", changes.image_name, "image_name")
        if changes.description is not None:
            changed += self._describe(element, changes.description)
        pixels = first_child(element, "Pixels")
        if pixels is None:
            return changed
        for axis, size in changes.pixel_sizes.items():
            changed += set_number(pixels, f"PhysicalSize{axis.upper()}", size, "µm", f"pixel_size_{axis}_um")
        if changes.time_increment_s is not None:
            changed += set_number(pixels, "TimeIncrement", changes.time_increment_s, "s", "time_increment_s")
        if any(filled(channel) for channel in changes.channels):
            changed += self._channels(meant, pixels)
        return changed

    def _describe(self, element: etree._Element, text: str) -> list[str]:
        found = first_child(element, "Description")
        # The schema counts white space around it as none.
        if found is not None and (found.text or "").strip() == xml_text(text).strip():
            return []
        if found is None:
            found = insert(element, new("Description"))
        found[:] = []
        found.text = xml_text(text)
        return ["description"]

    def _channels(self, meant: Meant, pixels: etree._Element) -> list[str]:
        found = list(children(pixels, "Channel"))
        while len(found) < meant.channels:
            channel = new("Channel", [("ID", self._new_id("Channel")), ("SamplesPerPixel", str(meant.samples))])
            found.append(insert(pixels, channel))
        changed = []
        for number, (element, changes) in enumerate(zip(found, meant.changes.channels, strict=False)):
            changed += [f"channel {number} {name}" for name in self._channel(element, changes)]
            if changes.color is not None:
                self._forget(meant.element, f"Channel:{number} Color")
        return changed

    def _channel(self, element: etree._Element, changes: ChannelChanges) -> list[str]:
        changed = [] if changes.name is None else set_text(element, "Name", changes.name, "name")
        if changes.color is not None:
            color = str(signed_color(changes.color))
            if (element.get("Color") or "").strip() != color:
                put(element, "Color", color)
                changed.append("color")
        for name, attribute, value in (
            ("excitation_nm", "ExcitationWavelength", changes.excitation_nm),
            ("emission_nm", "EmissionWavelength", changes.emission_nm),
        ):
            if value is not None:
                changed += set_number(element, attribute, value, "nm", name)
        return changed

    def _objectives(self, meant: Sequence[Meant]) -> list[list[str]]:
        """Set objectives, those last that other images, which are not meant, use too."""
        wanted = [(number, item, item.changes.objective) for number, item in enumerate(meant) if item.changes.objective is not None]
        changed: list[list[str]] = [[] for _ in meant]
        alike: dict[str, set[ObjectiveChanges]] = {}
        users: Counter[str] = Counter()
        for _, item, changes in wanted:
            identifier = self._lens_of(item.element)
            if identifier is not None:
                alike.setdefault(identifier, set()).add(changes)
                users[identifier] += 1
        before = {identifier: copy.deepcopy(lens) for identifier in users if (lens := self._lens(identifier)) is not None}
        for number, item, changes in wanted:
            identifier = self._lens_of(item.element)
            lens = None if identifier is None else self._lens(identifier)
            alone = identifier is not None and users[identifier] == self._references[identifier] and len(alike[identifier]) == 1
            if lens is None or identifier is None:
                names = self._new_lens(item.element, changes)
            elif alone:
                # The first of those that share it has set it for all.
                set_lens(lens, changes)
                names = set_lens(copy.deepcopy(before[identifier]), changes)
            else:
                names = self._other_lens(item.element, lens, changes)
            if changes.immersion is not None and names:
                self._forget_immersion(item.element)
                for settings in children(item.element, "ObjectiveSettings"):
                    forget_medium(settings, changes.immersion)
            changed[number] = names
        return changed

    def _lens_of(self, image: etree._Element) -> str | None:
        settings = first_child(image, "ObjectiveSettings")
        return None if settings is None else settings.get("ID")

    def _lens(self, identifier: str) -> etree._Element | None:
        return next(
            (lens for tool in children(self.root, "Instrument") for lens in children(tool, "Objective") if lens.get("ID") == identifier), None
        )

    def _instrument(self, image: etree._Element) -> etree._Element:
        reference = first_child(image, "InstrumentRef")
        known = {tool.get("ID"): tool for tool in children(self.root, "Instrument")}
        if reference is not None and reference.get("ID") in known:
            return known[reference.get("ID")]
        if reference is None:
            reference = insert(image, new("InstrumentRef"))
        if self._tool is None and len(known) == 1 and self._one_for_all:
            self._tool = next(iter(known.values()))
        if self._tool is None:
            # One is made for all images that have none.
            self._tool = insert(self.root, new("Instrument", [("ID", self._new_id("Instrument"))]))
        reference.set("ID", str(self._tool.get("ID")))
        return self._tool

    def _new_lens(self, image: etree._Element, changes: ObjectiveChanges) -> list[str]:
        tool = self._instrument(image)
        lenses = list(children(tool, "Objective"))
        # An instrument with one objective and an image that does not say which it used: both are the same one, unless they contradict.
        like = lenses[0] if len(lenses) == 1 and not self._references[str(lenses[0].get("ID"))] and not contradicts(lenses[0], changes) else None
        lens = new("Objective", [("ID", "")]) if like is None else copy.deepcopy(like)
        names = set_lens(lens, changes)
        if like is not None:
            set_lens(like, changes)
            lens = like
        else:
            lens = self._place_lens(tool, lens)
        settings = first_child(image, "ObjectiveSettings")
        if settings is None:
            settings = insert(image, new("ObjectiveSettings"))
        settings.set("ID", str(lens.get("ID")))
        self._references[str(lens.get("ID"))] += 1
        return names or ["objective"]

    def _other_lens(self, image: etree._Element, lens: etree._Element, changes: ObjectiveChanges) -> list[str]:
        """Give an image an objective of its own, since others keep the one it has."""
        changed = copy.deepcopy(lens)
        names = set_lens(changed, changes)
        if not names:
            return []
        tool = lens.getparent()
        placed = self._place_lens(self._instrument(image) if tool is None else tool, changed)
        settings = first_child(image, "ObjectiveSettings")
        if settings is not None:
            self._references[str(lens.get("ID"))] -= 1
            settings.set("ID", str(placed.get("ID")))
            self._references[str(placed.get("ID"))] += 1
        return names

    def _place_lens(self, tool: etree._Element, lens: etree._Element) -> etree._Element:
        """Put an objective into an instrument, unless it has one that is the same."""
        for other in children(tool, "Objective"):
            if said(other) == said(lens) and not len(other) and not len(lens):
                return other
        lens.set("ID", self._new_id("Objective"))
        lens.tail = None
        return insert(tool, lens)

    def _forget_immersion(self, image: etree._Element) -> None:
        tool = self._instrument(image)
        used = self._lens_of(image)
        for number, lens in enumerate(children(tool, "Objective")):
            if lens.get("ID") == used:
                self._forget(image, f"Objective:{number} Immersion")

    def _forget(self, image: etree._Element, key: str) -> None:
        """Take back what this suite noted beside a value, which would be put back in its place when the file is read."""
        for reference in list(children(image, "AnnotationRef")):
            annotation = self._annotations.get(str(reference.get("ID")))
            pairs = None if annotation is None else read_map(annotation)
            if pairs is not None and pairs.namespace == NOTES and key in dict(pairs.pairs):
                kept = tuple(pair for pair in pairs.pairs if pair[0] != key)
                self._replace(reference, annotation, MapAnnotation(NOTES, kept))

    def _annotate(self, image: etree._Element, wanted: MapAnnotation) -> list[str]:
        """Set key-value pairs of one namespace."""
        own = [
            (reference, annotation)
            for reference in children(image, "AnnotationRef")
            if (annotation := self._annotations.get(str(reference.get("ID")))) is not None and (annotation.get("Namespace") or "") == wanted.namespace
        ]
        before = [(reference, annotation, read_map(annotation)) for reference, annotation in own]
        values: dict[str, list[str]] = {}
        for key, value in wanted.pairs:
            values.setdefault(attribute_text(key), []).append(xml_text(value))
        there: dict[str, list[str]] = {}
        for _, _, known in before:
            for key, value in known.pairs if known else ():
                there.setdefault(key, []).append(value)
        changed = [key for key in values if there.get(key) != values[key]]
        if not changed:
            return []
        if not before:
            self._refer(image, self._new_annotation(MapAnnotation(wanted.namespace, tuple((key, value) for key in values for value in values[key]))))
        missing = {key: values[key] for key in changed}
        for position, (reference, annotation, known) in enumerate(before):
            pairs = []
            for key, value in known.pairs if known else ():
                if key not in changed:
                    pairs.append((key, value))
                elif key in missing:
                    pairs += [(key, text) for text in missing.pop(key)]
            if position == len(before) - 1:
                pairs += [(key, text) for key, texts in missing.items() for text in texts]
            if known is not None and tuple(pairs) != known.pairs:
                self._replace(reference, annotation, MapAnnotation(wanted.namespace, tuple(pairs)))
        return [f"annotation {wanted.namespace} {key}" for key in changed]

    def _replace(self, reference: etree._Element, annotation: etree._Element | None, wanted: MapAnnotation) -> None:
        """Change an annotation, or the reference to it where others refer to it too."""
        identifier = str(reference.get("ID"))
        if annotation is not None and self._references[identifier] == 1 and wanted.pairs and wanted not in self._made:
            built = first_child(build_map(wanted), "Value")
            known = first_child(annotation, "Value")
            if built is not None and known is not None:
                known[:] = list(built)
                return
        parent = reference.getparent()
        self._references[identifier] -= 1
        if annotation is not None and not self._references[identifier] and (group := annotation.getparent()) is not None:
            group.remove(annotation)
        if not wanted.pairs and parent is not None:
            parent.remove(reference)
            return
        placed = self._new_annotation(wanted, annotation)
        reference.set("ID", placed)
        self._references[placed] += 1

    def _new_annotation(self, wanted: MapAnnotation, like: etree._Element | None = None) -> str:
        """Make an annotation; one that is the same serves several images."""
        if wanted not in self._made:
            element = build_map(wanted)
            if like is not None:
                put(element, "Annotator", like.get("Annotator"))
            identifier = self._new_id("Annotation")
            element.set("ID", identifier)
            group = first_child(self.root, "StructuredAnnotations")
            if group is None:
                group = insert(self.root, new("StructuredAnnotations"))
            group.append(element)
            self._annotations[identifier] = element
            self._made[wanted] = identifier
        return self._made[wanted]

    def _refer(self, image: etree._Element, identifier: str) -> None:
        insert(image, new("AnnotationRef", [("ID", identifier)]))
        self._references[identifier] += 1

    def _new_id(self, kind: str) -> str:
        while (identifier := f"{kind}:{self._numbers[kind]}") in self._ids:
            self._numbers[kind] += 1
        self._ids.add(identifier)
        return identifier
