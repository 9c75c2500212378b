"""Rules on how the study file, the tables and the images of an IDR study agree, and on what images the IDR takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..documents.content import shorten
from ..findings import IDR, Problem, Severity, Subject, Together, rule
from ..idr_template import PARSER, STUDY_NAME, SUBMISSION, TABLE_NAME, TEMPLATES
from ._documents import listed
from ._matching import Inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..input_facts import InputFacts


@rule(
    "idr.image-format",
    severity="error",
    title="Images are OME-Zarr.",
    why="Since 2026 the IDR takes new images as OME-Zarr on public object storage.",
    fix="Convert the image with Convert microscopy images (lm_convert), format OME-Zarr.",
    source=SUBMISSION,
    profiles=(IDR,),
)
def _image_format(subject: Subject) -> Iterator[Problem]:
    if not subject.is_zarr:
        yield Problem(f"{subject.name} is {subject.format}.")


@rule(
    "idr.parts",
    severity="warning",
    title="Study file, library or assays, and processed data are all there.",
    why="The IDR asks for these three; without one of them curators have to ask, and the study waits.",
    fix="Give the missing file too, or make it from the IDR's template.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="together",
)
def _parts(together: Together) -> Iterator[Problem]:
    studies, tables = together.of_kind("idr-study"), together.of_kind("idr-table")
    if not studies:
        yield Problem("No study file was given, so that the description of the study could not be checked.", severity="not-run")
        if not tables:
            return
    if len(studies) > 1:
        names = listed([item.name for item in studies])
        yield Problem(f"Several study files were given: {names}.", severity="error", fix="Check one study at a time.")
    kinds = {item.document.kind for item in tables}
    of_study = [kind for item in studies for kind, _, _ in item.document.components]
    wanted = [*(["library"] if "Screen" in of_study else []), *(["assays"] if "Experiment" in of_study else [])]
    for kind in wanted:
        # Curators' own table holds both.
        if kind not in kinds and "annotation" not in kinds:
            component = "screen" if kind == "library" else "experiment"
            yield Problem(f"The study has {'a' if component == 'screen' else 'an'} {component}, but no {kind} table was given.")
    if (wanted or tables) and not kinds & {"processed", "annotation"}:
        yield Problem("No table of processed data was given.", severity="info", fix="If the images were analysed, give the results too.")


@rule(
    "idr.named-file",
    severity="warning",
    title="Files that the study file names are among the inputs, under these names.",
    why="Curators look for the tables under the names that the study file has.",
    fix="Give the file, or correct its name in the study file.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="together",
    applies=lambda together: bool(together.of_kind("idr-table")) and any(item.document.files for item in together.of_kind("idr-study")),
)
def _named_file(together: Together) -> Iterator[Problem]:
    given = Inputs(together.inputs)
    for item in together.of_kind("idr-study"):
        for what, name, where in item.document.files:
            found = given.find(name)
            if found is None:
                yield Problem(f"The study file names “{shorten(name)}” ({what}), which was not given.", where, input=item.name)
            elif found.kind != "idr-table" or found.document.kind not in (what, "annotation"):
                kind = found.document.kind if found.kind == "idr-table" else found.format or found.kind
                yield Problem(f"The study file names “{shorten(name)}” as {what}, but it is: {kind}.", where, severity="error", input=item.name)


@rule(
    "idr.same-study",
    severity="error",
    title="All files are of one study, and of components that it has.",
    why="The IDR puts files and components together by their names.",
    fix="Correct the name of the file, or the accession and names in the study file.",
    source=PARSER,
    profiles=(IDR,),
    needs="together",
    applies=lambda together: bool(together.of_kind("idr-study") and together.of_kind("idr-table")),
)
def _same_study(together: Together) -> Iterator[Problem]:
    for study in together.of_kind("idr-study"):
        named = STUDY_NAME.fullmatch(study.parts[-1])
        accession = study.document.accession or (named[1].lower() if named else "")
        components = {name for _, name, _ in study.document.components if name}
        for item in together.of_kind("idr-table"):
            match = TABLE_NAME.fullmatch(item.parts[-1])
            if match is None:
                continue
            if accession and match[1].lower() != accession:
                yield Problem(f"{item.name} is of another study than {study.name}, which is {shorten(accession)}.", input=item.name)
            elif components and match[2] not in components:
                names = listed(sorted(components))
                yield Problem(f"{item.name} is of {match[2]}, which the study does not have; it has {names}.", input=item.name)


@rule(
    "idr.processed-agrees",
    severity="error",
    title="Wells, reagents and genes of the processed data are those of the library or assays.",
    why="Results of a well or a reagent that the library does not have cannot be linked to any image.",
    fix="Write the plate, well, reagent or gene as the library does.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="together",
    applies=lambda together: {"processed", "library"} <= {item.document.kind for item in together.of_kind("idr-table")},
)
def _processed_agrees(together: Together) -> Iterator[Problem]:
    for processed in _tables(together, "processed"):
        libraries = [item for item in _tables(together, "library") if _component(item) in ("", _component(processed)) or not _component(processed)]
        if not libraries:
            continue
        wells = {well for item in libraries for well in item.document.wells}
        strangers = sorted(processed.document.wells - wells) if wells else []
        for plate, well in strangers:
            yield Problem(f"Well {well} of plate {shorten(plate, 40)} is not in the library.", "Plate, Well", input=processed.name)
        shared = [name for name in processed.document.links if any(name in item.document.links for item in libraries)]
        for name in shared:
            known = {value for item in libraries for value in item.document.links.get(name, ())}
            for value in sorted(processed.document.links[name] - known):
                yield Problem(f"“{shorten(value)}” is not in the library's column of that name.", name, severity="warning", input=processed.name)
        if not shared and not processed.document.wells:
            yield Problem("No column links the processed data to the library.", "line 1", input=processed.name)


@rule(
    "idr.images-given",
    severity="error",
    title="Image files and plates of the tables are the images that were given.",
    why="A row without its image, or an image without its row, cannot be published.",
    fix="Write the name as the file has it, or give the file. If only a part of the images was given on purpose, nothing is wrong.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="together",
    applies=lambda together: bool(together.of_kind("idr-table")),
)
def _images_given(together: Together) -> Iterator[Problem]:
    if not together.images:
        message = "No image was given, so that it could not be checked whether images and tables agree, and whether the images are OME-Zarr."
        yield Problem(message, severity="not-run", fix="Give the images, or the OME-Zarr of the plates, together with the tables.")
        return
    given = Inputs(together.images)
    used: set[str] = set()
    named = False
    for item in (*_tables(together, "assays"), *_tables(together, "annotation")):
        found = [(name, path, where, given.find(path) or given.find(name)) for name, path, where in item.document.images]
        named = named or bool(found)
        missing = [(name, where) for name, _, where, image in found if image is None]
        used.update(image.name for *_, image in found if image is not None)
        severity: Severity | None = "warning" if len(missing) == len(found) else None
        for name, where in missing:
            yield Problem(f"“{shorten(name)}” is in the table, but was not given.", where, severity=severity, input=item.name)
    plates = {name: (image, set(wells.split())) for image in together.images for name, wells in image.plates}
    for item in _tables(together, "library"):
        for plate in sorted(item.document.plates & plates.keys()):
            image, wells = plates[plate]
            used.add(image.name)
            listed_wells = {well for on, well in item.document.wells if on == plate}
            for well in sorted(wells - listed_wells):
                yield Problem(f"Well {well} of plate {shorten(plate, 40)} has images in {image.name}, but no row in the library.", input=item.name)
            for well in sorted(listed_wells - wells):
                message = f"Well {well} of plate {shorten(plate, 40)} has a row in the library, but no image in {image.name}."
                yield Problem(message, severity="warning", input=item.name)
        for plate in sorted(item.document.plates - plates.keys()) if plates else ():
            yield Problem(f"Plate “{shorten(plate)}” of the library was not given.", "Plate", severity="warning", input=item.name)
    for image in together.images:
        if image.name not in used and (named or (plates and image.plates)):
            yield Problem(f"{image.name} is in no table.", severity="warning", input=image.name)


def _tables(together: Together, kind: str) -> list[InputFacts]:
    return [item for item in together.of_kind("idr-table") if item.document.kind == kind]


def _component(item: InputFacts) -> str:
    match = TABLE_NAME.fullmatch(item.parts[-1])
    return match[2].lower() if match else ""
