"""What the IDR asks of a study: keys of its study file, columns of its tables, and the terms it lets choose from.

Source: IDR/idr-utils, pyidr/study_parser.py (which keys it knows, and which it cannot do without); the templates of
IDR/idr0000-lastname-example; IDR/idr.openmicroscopy.org, files/ControlledVocabulariesAndOntologyTermsIDR.csv. Names of keys,
columns and terms only, written down here anew.
"""

from __future__ import annotations

import re
from typing import Final, Literal

Component = Literal["Screen", "Experiment"]
COMPONENTS: Final[tuple[Component, ...]] = ("Screen", "Experiment")
PARSER: Final = "https://github.com/IDR/idr-utils/blob/master/pyidr/study_parser.py"
TEMPLATES: Final = "https://github.com/IDR/idr0000-lastname-example"
SUBMISSION: Final = "https://idr.openmicroscopy.org/about/submission.html"
METADATA: Final = "https://github.com/IDR/idr-metadata"
ACCESSION_KEY: Final = "Comment[IDR Study Accession]"
ACCESSION: Final = re.compile(r"idr\d{4}")

STUDY_MANDATORY: Final = (
    ACCESSION_KEY,
    "Study Title",
    "Study Description",
    "Study Type",
    "Study Publication Title",
    "Study Author List",
    "Study Public Release Date",
)
STUDY_OPTIONAL: Final = (
    "Study Type Term Source REF",
    "Study Type Term Accession",
    "Study Key Words",
    "Study Organism",
    "Study Organism Term Source REF",
    "Study Organism Term Accession",
    "Study Screens Number",
    "Study Experiments Number",
    "Study External URL",
    "Study BioStudies Accession",
    "Study BioImage Archive Accession",
    "Study EMPIAR Accession",
    "Study Publication Preprint",
    "Study PubMed ID",
    "Study PMC ID",
    "Study DOI",
    "Study License",
    "Study License URL",
    "Study Copyright",
    "Study Data Publisher",
    "Study Data DOI",
    "Study Version History",
    "Study Person Last Name",
    "Study Person First Name",
    "Study Person Email",
    "Study Person Address",
    "Study Person ORCID",
    "Study Person Roles",
    "Term Source Name",
    "Term Source URI",
)
STUDY_KEYS: Final = (*STUDY_MANDATORY, *STUDY_OPTIONAL)
_COMPONENT_OPTIONAL: Final = ("Data DOI", "Data Publisher", "Organism", "Organism Term Source REF", "Organism Term Accession")
_TEMPLATE_ONLY: Final = (
    *(f"Protocol {word}" for word in ("Name", "Type", "Type Term Source REF", "Type Term Accession", "Description")),
    *(f"Phenotype {word}" for word in ("Name", "Description", "Score Type", "Term Source REF", "Term Name", "Term Accession")),
    *(f"Raw Image {word}" for word in ("Data Format", "Organization")),
    *(f"Feature Level Data {word}" for word in ("File Name", "File Format", "File Description", "Column Name", "Column Description")),
    *(
        f"Processed Data {word}"
        for word in ("File Name", "File Format", "File Description", "Column Name", "Column Type", "Column Annotation Level", "Column Description")
    ),
    "Processed Data Column Link To Library File",
    "Processed Data Column Link To Assay File",
    "Quality Control Description",
    *(f"Library {word}" for word in ("File Name", "File Format", "Type", "Type Term Source REF", "Type Term Accession", "Manufacturer", "Version")),
    *(f"{kind} Experimental Conditions{word}" for kind in ("Library", "Assay") for word in ("", " Term Source REF", " Term Accession")),
    "Experiment Assay File",
    "Experiment Assay File Format",
)
"""Keys of the templates that the parser does not know: they are for people."""


def mandatory(component: Component) -> tuple[str, ...]:
    """Keys without which the parser refuses a component."""
    words = ("Description", "Sample Type", "Imaging Method", "Number", *(("Type",) if component == "Screen" else ()))
    return (f"Comment[IDR {component} Name]", *(f"{component} {word}" for word in words))


def known(component: Component) -> tuple[str, ...]:
    """Keys that the parser knows in the block of a component."""
    more = ("Technology Type",) if component == "Screen" else ()
    return (*mandatory(component), *(f"{component} {word}" for word in (*_COMPONENT_OPTIONAL, *more)))


def in_templates(component: Component) -> tuple[str, ...]:
    """Keys of a component's block that are known to the parser or stand in the templates."""
    words = ("Size", "Example Images", "Comments", *(f"Imaging Method Term {word}" for word in ("Source REF", "Accession")))
    screens = (
        tuple(f"Screen {kind} Term {word}" for kind in ("Technology Type", "Technology", "Type") for word in ("Source REF", "Accession"))
        if component == "Screen"
        else ()
    )
    return (*known(component), *(f"{component} {word}" for word in words), *screens, *_TEMPLATE_ONLY)


RENAMED: Final = {"Term Source File": "Term Source URI"}
"""Keys of old templates, and what the parser calls them."""

CONTROLLED: Final[dict[str, dict[str, str]]] = {
    "Study Type": {"high content screen": "EFO_0007550", "high content analysis of cells": "EFO_0005397", "in situ hybridization": "OBI_0001686"},
    "Screen Technology Type": {
        "gene deletion screen": "EFO_0007552",
        "RNAi screen": "EFO_0007551",
        "protein screen": "EFO_0005398",
        "compound screen": "EFO_0007553",
    },
    "Screen Type": {"primary screen": "EFO_0007556", "secondary screen": "EFO_0007557", "validation screen": "EFO_0007558"},
    "Library Type": {
        "siRNA library": "EFO_0007564",
        "diploid homozygous deletion library": "EFO_0007562",
        "haploid deletion library": "EFO_0007561",
        "compound library": "EFO_0007569",
        "tag protein fusion library": "EFO_0007565",
        "GFP protein fusion library": "EFO_0007566",
        "YFP protein fusion library": "EFO_0007567",
    },
    "Protocol Type": {
        "growth protocol": "EFO_0003789",
        "treatment protocol": "EFO_0003969",
        "HCS library protocol": "EFO_0007571",
        "HCS image acquistion and feature extraction protocol": "EFO_0007572",
        "HCS data analysis protocol": "EFO_0007573",
    },
}
"""Terms the IDR lets choose from, with their accessions, spelled as there. Other terms are allowed."""
CONTROL_TYPES: Final = ("empty well", "positive control", "negative control", "technical control", "unknown control")

TableKind = Literal["library", "assays", "processed", "annotation"]
LIBRARY_COLUMNS: Final = (
    "Plate",
    "Well",
    "Well Number",
    "Characteristics [Organism]",
    "Term Source 1 REF",
    "Term Source 1 Accession",
    "Characteristics [Cell Line or Strain]",
    "Characteristics [Cell Line]",
    "Term Source 2 REF",
    "Term Source 2 Accession",
    "Reagent Identifier",
    "siRNA Identifier",
    "siRNA Pool Identifier",
    "Compound Name",
    "ORF Identifier",
    "Antibody Identifier",
    "Sense Sequence",
    "Antisense Sequence",
    "Reagent Design Gene Annotation Build",
    "Gene Identifier",
    "Gene Symbol",
    "Analysis Gene Annotation Build",
    "Gene Annotation Comments",
    "Control Type",
    "Control Comments",
    "Quality Control",
    "Quality Control Comments",
    "Channels",
    "Comments",
)
ASSAYS_COLUMNS: Final = (
    "Source Name",
    "Characteristics [Organism]",
    "Term Source 1 REF",
    "Term Source 1 Accession",
    "Characteristics [Cell Line]",
    "Term Source 2 REF",
    "Term Source 2 Accession",
    "Protocol REF",
    "Assay Name",
    "Comment [Gene Identifier]",
    "Comment [Gene Symbol]",
    "Comment [Gene Annotation Comments]",
    "Dataset Name",
    "Image File",
    "Comment [Image File Path]",
    "Comment [Image File Comments]",
    "Comment [Image File Type]",
    "Channels",
    "Processed Data File",
)
PROCESSED_COLUMNS: Final = (
    "Plate",
    "Well",
    "Reagent Identifier",
    "siRNA Identifier",
    "siRNA Pool Identifier",
    "Compound Name",
    "ORF Identifier",
    "Gene Identifier",
    "Gene Symbol",
    "Has Phenotype",
    "Phenotype Annotation Level",
    "Phenoptye Annotation Level",
)
"""With a spelling of one version of the templates."""
REAGENTS: Final = ("Reagent Identifier", "siRNA Identifier", "siRNA Pool Identifier", "Compound Name", "ORF Identifier", "Antibody Identifier")
LINKS: Final = (*REAGENTS, "Gene Identifier", "Gene Symbol")
"""Columns by which rows of processed data find those of the library."""
REQUIRED_COLUMNS: Final[dict[TableKind, tuple[tuple[str, ...], ...]]] = {
    "library": (("Plate",), ("Well", "Well Number"), ("Characteristics [Organism]",), (*REAGENTS, "Gene Identifier", "Gene Symbol")),
    "assays": (("Source Name",), ("Characteristics [Organism]",), ("Assay Name",), ("Dataset Name",), ("Image File",)),
    "processed": (),
    "annotation": (),
}
"""Groups of columns of which one must be there: what the templates cannot do without."""
REPEATABLE: Final = ("Protocol REF",)
"""Columns that the templates themselves have several times."""
TABLE_NAME: Final = re.compile(r"(?i)(idr\d{4})-((?:screen|experiment)[A-Z])-(library|assays|processed|annotation)\.(txt|tsv|csv)")
STUDY_NAME: Final = re.compile(r"(?i)(idr\d{4})-study\.(txt|tsv)")
