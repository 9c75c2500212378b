"""Values set in OME-XML: what is shared is changed for those that are meant only, and nothing is left over."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from lightmicroscopy.image import MapAnnotation
from lightmicroscopy.metadata.changes import ChannelChanges, ObjectiveChanges, SeriesChanges
from lightmicroscopy.metadata.ome_edit import Meant, OmeEditor
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.metadata.ome_schema import schema_errors

NS = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
LENS = '<Instrument ID="Instrument:0"><Objective ID="Objective:0" Model="Plan" NominalMagnification="20" LensNA="0.8" Immersion="Air"/></Instrument>'
USED = '<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>'
NAMESPACE = "openmicroscopy.org/mapr/organism"


def notes(*annotations: tuple[str, str, str]) -> str:
    """Annotations by id, namespace and pairs as ``K=V,K=V``."""
    inside = "".join(
        f'<MapAnnotation ID="{identifier}" Namespace="{namespace}"><Value>'
        + "".join('<M K="{}">{}</M>'.format(*pair.split("=")) for pair in pairs.split(","))
        + "</Value></MapAnnotation>"
        for identifier, namespace, pairs in annotations
    )
    return f"<StructuredAnnotations>{inside}</StructuredAnnotations>"


def image(number: int, before: str = "", after: str = "", attributes: str = "", channels: str = "") -> str:
    return (
        f'<Image ID="Image:{number}" Name="image {number}">{before}<Pixels ID="Pixels:{number}" DimensionOrder="XYZCT" Type="uint8" SizeX="4" '
        f'SizeY="4" SizeZ="1" SizeC="2" SizeT="1" {attributes}>{channels}<MetadataOnly/></Pixels>{after}</Image>'
    )


def document(*parts: str) -> etree._Element:
    root = etree.fromstring(f'<OME xmlns="{NS}">{"".join(parts)}</OME>')
    assert schema_errors(root) == []
    return root


def edit(root: etree._Element, *changes: SeriesChanges | None) -> list[list[str]]:
    elements = root.findall(f"{{{NS}}}Image")
    meant = [Meant(element, change, 2) for element, change in zip(elements, changes, strict=False) if change is not None]
    changed = OmeEditor(root).edit(meant)
    assert schema_errors(root) == []
    return changed


def lens(root: etree._Element, number: int) -> Any:
    metadata = read_ome(etree.tostring(root), "a").images[number].metadata
    assert metadata.instrument is not None
    return next(item for item in metadata.instrument.objectives if item.id == metadata.objective_id)


def pairs(root: etree._Element, number: int) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    return [(note.namespace, note.pairs) for note in read_ome(etree.tostring(root), "a").images[number].metadata.annotations]


def wanted(*organisms: str) -> SeriesChanges:
    return SeriesChanges(annotations=(MapAnnotation(NAMESPACE, tuple(("Organism", name) for name in organisms)),))


FORTY = SeriesChanges(objective=ObjectiveChanges(magnification=40))


def test_an_objective_that_others_use_too_stays_theirs() -> None:
    root = document(LENS, image(0, USED), image(1, USED))
    assert edit(root, None, FORTY) == [["objective_magnification"]]
    assert [lens(root, number).magnification for number in (0, 1)] == [20, 40]
    assert lens(root, 1).immersion == "Air"


def test_nothing_is_left_of_an_objective_that_it_was_not() -> None:
    lens_of_before = LENS.replace('Immersion="Air"', 'Immersion="Air" Correction="PlanApo" SerialNumber="7" WorkingDistance="0.6"')
    settings = USED.replace('Objective:0"', 'Objective:0" Medium="Air" RefractiveIndex="1.0"')
    root = document(lens_of_before, image(0, settings), image(1, settings))
    edit(root, SeriesChanges(objective=ObjectiveChanges(magnification=63, immersion="Water")), None)
    used, kept = root.findall(f".//{{{NS}}}ObjectiveSettings")
    assert dict(used.attrib) == {"ID": used.get("ID")}
    assert kept.get("Medium") == "Air"
    of = {item.get("ID"): dict(item.attrib) for item in root.iter(f"{{{NS}}}Objective")}
    assert of[used.get("ID")].keys() == {"ID", "Model", "NominalMagnification", "LensNA", "Immersion"}
    assert of[kept.get("ID")]["Correction"] == "PlanApo"


@pytest.mark.parametrize(("medium", "immersion"), [("Water", "WaterDipping"), ("Oil", "Oil"), ("Glycerol", "Multi")])
def test_a_medium_that_goes_with_the_immersion_stays(medium: str, immersion: str) -> None:
    root = document(LENS, image(0, USED.replace('Objective:0"', f'Objective:0" Medium="{medium}" RefractiveIndex="1.4"')))
    edit(root, SeriesChanges(objective=ObjectiveChanges(immersion=immersion)))
    (settings,) = root.findall(f".//{{{NS}}}ObjectiveSettings")
    assert (settings.get("Medium"), settings.get("RefractiveIndex")) == (medium, "1.4")


def test_what_fills_in_an_objective_leaves_the_rest_of_it() -> None:
    root = document(LENS.replace('LensNA="0.8"', 'Correction="PlanApo"'), image(0, USED))
    edit(root, SeriesChanges(objective=ObjectiveChanges(numerical_aperture=0.8)))
    (found,) = root.iter(f"{{{NS}}}Objective")
    assert (found.get("Correction"), found.get("LensNA")) == ("PlanApo", "0.8")


def test_an_objective_of_all_that_are_meant_is_changed_where_it_is() -> None:
    root = document(LENS, image(0, USED), image(1, USED))
    assert edit(root, FORTY, FORTY) == [["objective_magnification"]] * 2
    assert len(root.findall(".//{*}Objective")) == 1
    assert lens(root, 0).magnification == 40


def test_images_with_different_objectives_each_get_their_own() -> None:
    root = document(LENS, image(0, USED), image(1, USED), image(2, USED))
    sixty = SeriesChanges(objective=ObjectiveChanges(magnification=63, immersion="oil"))
    edit(root, FORTY, sixty, FORTY)
    assert [(lens(root, number).magnification, lens(root, number).immersion) for number in range(3)] == [(40, "Air"), (63, "Oil"), (40, "Air")]
    assert edit(root, FORTY, sixty, FORTY) == [[], [], []]


def test_images_without_an_instrument_share_a_new_one() -> None:
    root = document(image(0), image(1))
    edit(root, FORTY, FORTY)
    assert len(root.findall("{*}Instrument")) == len(root.findall(".//{*}Objective")) == 1
    assert [lens(root, number).magnification for number in (0, 1)] == [40, 40]


def test_an_instrument_that_nobody_refers_to_is_kept_when_an_objective_is_added() -> None:
    scope = '<Instrument ID="Instrument:7"><Microscope Model="M"/></Instrument>'
    root = document(scope, image(0))
    edit(root, FORTY)
    metadata = read_ome(etree.tostring(root), "a").images[0].metadata
    assert metadata.instrument is not None
    assert (metadata.instrument.id, metadata.instrument.microscope_model) == ("Instrument:7", "M")


def test_the_only_objective_is_taken_for_the_one_used_unless_it_contradicts() -> None:
    reference = '<InstrumentRef ID="Instrument:0"/>'
    same = document(LENS, image(0, reference))
    edit(same, SeriesChanges(objective=ObjectiveChanges("Plan", 20)))
    assert len(same.findall(".//{*}Objective")) == 1
    assert lens(same, 0).numerical_aperture == 0.8
    other = document(LENS, image(0, reference))
    edit(other, FORTY)
    assert len(other.findall(".//{*}Objective")) == 2
    assert lens(other, 0).numerical_aperture is None


@pytest.mark.parametrize(
    ("model", "maker", "kept", "changed"),
    [
        ("Plan", "Example", "Plan", False),
        ("Example Plan", "Example", "Plan", False),
        ("Example Neo", "Example", "Example Neo", True),
        ("Other Neo", None, "Other Neo", True),
    ],
)
def test_maker_and_model_stand_in_one_cell(model: str, maker: str | None, kept: str, changed: bool) -> None:
    root = document(LENS.replace('Model="Plan"', 'Manufacturer="Example" Model="Plan"'), image(0, USED))
    wanted = SeriesChanges(objective=ObjectiveChanges(model))
    assert edit(root, wanted) == [["objective_model"] if changed else []]
    assert (lens(root, 0).manufacturer, lens(root, 0).model) == (maker, kept)
    assert edit(root, wanted) == [[]]


def test_what_this_suite_noted_of_the_immersion_does_not_come_back() -> None:
    note = notes(("Annotation:0", "lightmicroscopy/notes", "Objective:0 Immersion=Silicone,Image Kind=label"))
    root = document(LENS.replace("Air", "Other"), image(0, USED, '<AnnotationRef ID="Annotation:0"/>'), note)
    assert lens(root, 0).immersion == "Silicone"
    edit(root, SeriesChanges(objective=ObjectiveChanges(immersion="Water")))
    assert lens(root, 0).immersion == "Water"
    assert [item.text for item in root.iter("{*}M")] == ["label"]


@pytest.mark.parametrize("before", ["Organism=mouse", "Organism=mouse,Organism=rat", "Cell Line=HeLa,Organism=mouse,Sex=female"])
def test_a_key_is_replaced_where_it_stands_and_all_others_are_kept(before: str) -> None:
    root = document(image(0, after='<AnnotationRef ID="Annotation:0"/>'), notes(("Annotation:0", NAMESPACE, before)))
    edit(root, wanted("Homo sapiens"))
    kept = [tuple(pair.split("=")) for pair in before.split(",")]
    expected = [("Organism", "Homo sapiens") if key == "Organism" else (key, value) for key, value in kept]
    assert pairs(root, 0) == [(NAMESPACE, tuple(dict.fromkeys(expected)))]
    assert edit(root, wanted("Homo sapiens")) == [[]]


def test_several_values_of_one_key_are_set_together() -> None:
    root = document(image(0))
    edit(root, wanted("Homo sapiens", "Mus musculus"))
    edit(root, wanted("Homo sapiens", "Rattus norvegicus"))
    assert pairs(root, 0) == [(NAMESPACE, (("Organism", "Homo sapiens"), ("Organism", "Rattus norvegicus")))]


def test_annotations_of_other_namespaces_and_kinds_stay() -> None:
    other = notes(("Annotation:0", "mine", "Organism=mouse")).replace(
        "</StructuredAnnotations>", '<TagAnnotation ID="Annotation:1"><Value>nice</Value></TagAnnotation></StructuredAnnotations>'
    )
    root = document(image(0, after='<AnnotationRef ID="Annotation:0"/><AnnotationRef ID="Annotation:1"/>'), other)
    edit(root, wanted("Homo sapiens"))
    assert pairs(root, 0) == [("mine", (("Organism", "mouse"),)), (NAMESPACE, (("Organism", "Homo sapiens"),))]
    assert root.find(".//{*}TagAnnotation/{*}Value").text == "nice"
    assert [item.get("ID") for item in root.iter("{*}AnnotationRef")][:2] == ["Annotation:0", "Annotation:1"]


def test_an_annotation_that_others_refer_to_stays_theirs() -> None:
    reference = '<AnnotationRef ID="Annotation:0"/>'
    root = document(image(0, after=reference), image(1, after=reference), notes(("Annotation:0", NAMESPACE, "Organism=mouse,Sex=female")))
    edit(root, None, wanted("Homo sapiens"))
    assert pairs(root, 0) == [(NAMESPACE, (("Organism", "mouse"), ("Sex", "female")))]
    assert pairs(root, 1) == [(NAMESPACE, (("Organism", "Homo sapiens"), ("Sex", "female")))]


def test_an_annotation_that_all_share_is_shared_afterwards_too() -> None:
    reference = '<AnnotationRef ID="Annotation:0"/>'
    root = document(*(image(number, after=reference) for number in range(4)), notes(("Annotation:0", NAMESPACE, "Organism=mouse")))
    edit(root, *[wanted("Homo sapiens")] * 4)
    assert len(root.findall(".//{*}MapAnnotation")) == 1
    assert {pairs(root, number)[0][1] for number in range(4)} == {(("Organism", "Homo sapiens"),)}


def test_channels_that_are_not_listed_are_made() -> None:
    root = document(image(0))
    assert edit(root, SeriesChanges(channels=(ChannelChanges("DAPI"), ChannelChanges(emission_nm=525)))) == [
        ["channel 0 name", "channel 1 emission_nm"]
    ]
    assert [(channel.name, channel.emission_nm) for channel in read_ome(etree.tostring(root), "a").images[0].metadata.channels] == [
        ("DAPI", None),
        (None, 525),
    ]


def test_the_same_length_in_another_unit_stays_as_it_is_written() -> None:
    root = document(image(0, attributes='PhysicalSizeX="325" PhysicalSizeXUnit="nm" PhysicalSizeY="1" PhysicalSizeYUnit="pixel"'))
    assert edit(root, SeriesChanges(pixel_size_x_um=0.325, pixel_size_y_um=1)) == [["pixel_size_y_um"]]
    pixels = root.find(".//{*}Pixels")
    assert [pixels.get(f"PhysicalSize{part}") for part in ("X", "XUnit", "Y", "YUnit")] == ["325", "nm", "1.0", "µm"]


@pytest.mark.parametrize("text", ["a\nb", "  spaces  ", "æøå µ & < >", "nul\0"])
def test_any_text_can_be_a_name_and_a_description(text: str) -> None:
    root = document(image(0))
    changes = SeriesChanges(image_name=text, description=text, annotations=(MapAnnotation(text, ((text, text),)),))
    edit(root, changes)
    again = etree.fromstring(etree.tostring(root))
    assert edit(again, changes) == [[]]


def test_a_comment_does_not_bring_elements_out_of_their_order() -> None:
    root = document("<!-- first -->", image(0, "<!-- before -->", "<!-- after -->"), "<!-- last -->")
    edit(root, SeriesChanges(description="d", objective=ObjectiveChanges("Plan"), annotations=wanted("Homo sapiens").annotations))
    assert [child.text for child in root.iter(etree.Comment)] == [" first ", " before ", " after ", " last "]


def test_elements_stand_in_the_order_of_the_schema_whatever_was_there() -> None:
    stage = '<StageLabel Name="a"/>'
    rest = '<ROIRef ID="ROI:0"/>'
    roi = '<ROI ID="ROI:0"><Union><Point ID="Shape:0" X="1" Y="1"/></Union></ROI>'
    root = document(image(0, stage, rest), roi)
    edit(root, SeriesChanges(description="d", objective=ObjectiveChanges("Plan"), annotations=wanted("Homo sapiens").annotations))
    assert [etree.QName(child).localname for child in root] == ["Instrument", "Image", "StructuredAnnotations", "ROI"]
