"""Which rules are for which mistake, by the place where it is."""

from __future__ import annotations

import re

from .model import Kind

_NGFF: tuple[tuple[str, str], ...] = (
    (r"(^|\.)version$", "version version-mixed version-newer structure"),
    (r"coordinateTransformations", "structure scale pyramid-scales units label-extent"),
    (r"multiscales\.\d+\.axes", "axes units structure"),
    (r"multiscales\.\d+\.datasets", "structure listed-twice pyramid-shapes pyramid-scales label-levels unlisted"),
    (r"multiscales\.\d+\.(name|type|metadata)", "multiscale-unsaid structure"),
    (r"^multiscales", "structure listed-missing axes listed-twice"),
    (r"omero\.channels\.\d+\.color", "channel-color structure"),
    (r"omero\.channels\.\d+\.window", "window structure"),
    (r"omero\.channels\.\d+\.label", "channel-label structure"),
    (r"^omero(\.channels)?(\.\d+)?$", "channel-count structure"),
    (r"omero\.rdefs", "rendering structure"),
    (r"omero\.channels", "channel-form structure"),
    (r"^omero", "structure"),
    (r"plate\.wells", "plate-wells structure listed-twice unlisted listed-missing"),
    (r"plate\.(rows|columns)", "structure plate-wells listed-twice plate-names"),
    (r"plate\.acquisitions", "structure plate-times plate-field-count well-acquisition listed-twice"),
    (r"plate\.field_count", "plate-field-count structure"),
    (r"^plate", "structure unlisted"),
    (r"^well", "well-acquisition structure listed-twice unlisted listed-missing plate-field-count well-empty"),
    (r"^labels", "label-list structure listed-twice unlisted listed-missing"),
    (r"image-label\.source", "label-source structure"),
    (r"image-label\.(colors|properties)", "label-colors structure"),
    (r"^image-label", "label-undeclared structure"),
    (r"^bioformats2raw", "structure reader-note"),
    (r"^series", "series-list listed-missing unlisted listed-twice ome-xml-disagrees structure"),
)
_XML: tuple[tuple[str, str], ...] = (
    (r"Pixels@SizeC|Channel$|Channel@SamplesPerPixel", "channel-count channel-name-missing plane-out-of-range"),
    (r"Pixels@Size[ZT]", "plane-out-of-range modulo-size"),
    (r"Pixels@PhysicalSize", "pixel-size-invalid pixel-size-missing pixel-size-implausible pixel-size-default pixel-size-unequal z-step-missing"),
    (r"Pixels@TimeIncrement", "time-missing time-disagrees"),
    (r"Pixels@SignificantBits", "significant-bits"),
    (r"Channel@Name|Channel@Fluor", "channel-name-missing channel-name-duplicate"),
    (r"Channel@Color", "channel-color-default"),
    (r"Channel@(Excitation|Emission)", "wavelength-implausible wavelength-missing"),
    (r"Plane@The|Plane$", "plane-out-of-range time-missing planes-incomplete"),
    (r"Plane@(DeltaT|Exposure)", "plane-times time-disagrees time-missing"),
    (r"Plane", "plane-out-of-range plane-times"),
    (r"(Ref|Settings|Pump|Leader)(@ID)?$", "dangling-reference reference-kind reference-twice objective-missing plate-empty-reference"),
    (r"@ID$", "duplicate-id dangling-reference"),
    (r"Objective", "objective-missing objective-implausible dangling-reference"),
    (r"AcquisitionDate", "acquisition-date-missing acquisition-date-implausible"),
    (r"Well|Plate", "plate-out-of-range image-in-two-wells plate-empty-reference"),
    (r"Modulo|Label", "modulo-size modulo-form"),
    (r"Annotation@Namespace", "modulo-form"),
    (r"Annotation|ROI|Instrument|Detector|Laser|Filter|Dichroic|Experimenter|Reagent|Dataset|Project|Experiment", "dangling-reference"),
    (r"@The[ZCT]$", "roi-out-of-range"),
    (r"^Image$", "plate-empty-reference dangling-reference"),
)
_TIFF: tuple[tuple[str, str], ...] = (
    (r"TiffData|UUID|OME@UUID", "page-missing plane-twice page-twice plane-without-data page-unused uuid-differs file-renamed"),
    (r"Pixels@Size[ZCT]|Pixels@DimensionOrder|^Image$|^Pixels$", "page-missing plane-without-data page-unused plane-twice"),
    (r"Pixels@Size[XY]", "size-differs"),
    (r"Pixels@(Type|SamplesPerPixel)|Channel@SamplesPerPixel", "type-differs"),
)


def meant_of_json(kind: Kind, key: str) -> frozenset[str]:
    """Rules for a mistake in the attributes of an OME-Zarr."""
    for pattern, rules in _NGFF:
        if re.search(pattern, key):
            return frozenset(f"ngff.{rule}" for rule in rules.split())
    return frozenset({"ngff.structure"})


def meant_of_xml(kind: Kind, element: str, attribute: str) -> frozenset[str]:
    """Rules for a mistake in OME-XML; the schema may see any."""
    place = f"{element}@{attribute}" if attribute else element
    found = {"ome.schema", "ome.readable"} | ({"ome.duplicate-id"} if kind == "duplicate" else set())
    found |= next(({f"ome.{rule}" for rule in rules.split()} for pattern, rules in _XML if re.search(pattern, place)), set())
    return frozenset(found | {f"tiff.{rule}" for pattern, rules in _TIFF if re.search(pattern, place) for rule in rules.split()})
