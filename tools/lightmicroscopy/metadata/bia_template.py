"""What the BioImage Archive asks of a submission: sections and fields of the templates BioImages.v5 and BioImages.v4.

Source: EBIBioStudies/submission-tool, frontend/src/templates (Apache-2.0); names and requirements only, written down here anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ..archives.bia_pagetab import folded

Need = Literal["required", "desirable", "optional"]
TEMPLATE: Final = "BioImages.v5"
OLDER: Final = "BioImages.v4"
SOURCE: Final = "https://github.com/EBIBioStudies/submission-tool/tree/main/frontend/src/templates"
STRUCTURE: Final = "https://github.com/EBIBioStudies/submission-tool/blob/main/frontend/src/utils/pageTabStructureValidator.ts"
CURATORS: Final = "https://github.com/BioImage-Archive/bia-integrator/blob/main/bia-ingest/bia_ingest/biostudies/api.py"
FILE_LIST_HELP: Final = "https://www.ebi.ac.uk/bioimage-archive/help-file-list"
POLICIES: Final = "https://github.com/BioImage-Archive/BIA-astro/tree/main/src/pages"
BACK_END: Final = "https://github.com/EBIBioStudies/biostudies-backend-services"
SHORTEST_TITLE: Final = 25
"""Characters."""
LARGEST_FILE: Final = 2 * 10**12
"""Bytes; a file above cannot be stored (BioImage-Archive/bia-integrator, api.py)."""
LICENCES: Final = ("CC0", "CC BY 4.0")
ANNOTATION_TYPES: Final = (
    "class_labels",
    "bounding_boxes",
    "counts",
    "derived_annotations",
    "geometrical_annotations",
    "graphs",
    "point_annotations",
    "segmentation_mask",
    "tracks",
    "weak_annotations",
    "other",
)
ROLES: Final = (
    "corresponding author",
    "data steward",
    "data acquisition",
    "data analyst",
    "experiment performer",
    "first author",
    "investigator",
    "principal investigator",
    "software development",
    "submitter",
)


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A field of a section.

    Attributes
    ----------
    need
        In version 5.
    older
        In version 4, where that differs.
    several
        Whether it may be there more than once.
    spellings
        Other names under which it is found.
    """

    name: str
    need: Need
    older: Need | None = None
    several: bool = False
    spellings: tuple[str, ...] = ()

    def need_in(self, older: bool) -> Need:
        """How much it is needed in version 4, or 5."""
        return self.older or self.need if older else self.need


@dataclass(frozen=True, slots=True)
class TemplateSection:
    """A type of section.

    Attributes
    ----------
    types
        Names of the type, that of version 5 first.
    at_least_one
        Whether a submission must have one.
    open
        Whether it may have attributes that the template does not know.
    title
        Field by which others refer to it; empty where none do.
    """

    types: tuple[str, ...]
    fields: tuple[TemplateField, ...]
    at_least_one: bool = False
    open: bool = True
    title: str = "Title"

    @property
    def name(self) -> str:
        """Name of version 5."""
        return self.types[0]


_ONE: Final = "required"
_WISH: Final = "desirable"
_MAY: Final = "optional"
STUDY: Final = TemplateSection(
    ("Study",),
    (
        TemplateField("Title", _ONE),
        TemplateField("ReleaseDate", _ONE),
        TemplateField("Description", _ONE),
        TemplateField("Keywords", _ONE, several=True),
        TemplateField("Acknowledgements", _WISH),
        TemplateField("License", _ONE),
        TemplateField("Funding statement", _WISH),
    ),
    at_least_one=True,
    open=False,
)
CONTACT: Final = TemplateSection(
    ("Author", "Contact"),
    (
        TemplateField("Name", _ONE, _WISH),
        TemplateField("E-mail", _ONE, _WISH, spellings=("Email",)),
        TemplateField("affiliation", _ONE, several=True, spellings=("Organisation", "Organization")),
        TemplateField("Role", _MAY, _WISH, several=True),
        TemplateField("ORCID", _WISH),
    ),
    at_least_one=True,
    title="",
)
ORGANISATION: Final = TemplateSection(("Organisation", "Organization"), (TemplateField("Name", _ONE),), title="")
PUBLICATION: Final = TemplateSection(
    ("Publication",),
    (
        TemplateField("Title", _WISH),
        TemplateField("Authors", _WISH),
        TemplateField("DOI", _WISH),
        TemplateField("Year", _WISH),
        TemplateField("Pubmed ID", _WISH, spellings=("PubMed ID", "PMID")),
    ),
    title="",
)
FUNDING: Final = TemplateSection(("Funding",), (TemplateField("Agency", _WISH), TemplateField("grant_id", _WISH)), title="")
BIOSAMPLE: Final = TemplateSection(
    ("Biosample",),
    (
        TemplateField("Title", _ONE),
        TemplateField("Organism", _ONE),
        TemplateField("Biological entity", _ONE),
        TemplateField("Description", _WISH),
        TemplateField("Experimental variable", _WISH, several=True),
        TemplateField("Extrinsic variable", _WISH, several=True),
        TemplateField("Intrinsic variable", _WISH, several=True),
    ),
    at_least_one=True,
)
SPECIMEN: Final = TemplateSection(
    ("Specimen",),
    (TemplateField("Title", _ONE), TemplateField("Sample preparation protocol", _ONE), TemplateField("Growth protocol", _WISH)),
    at_least_one=True,
)
ACQUISITION: Final = TemplateSection(
    ("Image acquisition",),
    (
        TemplateField("Title", _ONE),
        TemplateField("Imaging instrument", _ONE),
        TemplateField("Image acquisition parameters", _ONE),
        TemplateField("Imaging method", _ONE, several=True),
    ),
    at_least_one=True,
)
CORRELATION: Final = TemplateSection(
    ("Image correlation",),
    (
        TemplateField("Title", _ONE),
        TemplateField("Spatial and temporal alignment", _ONE, _WISH),
        TemplateField("Fiducials used", _WISH),
        TemplateField("Transformation matrix", _WISH),
    ),
)
ANALYSIS: Final = TemplateSection(("Image analysis",), (TemplateField("Title", _ONE), TemplateField("Image analysis overview", _ONE, _WISH)))
ANNOTATION: Final = TemplateSection(
    ("Annotation", "Annotations"),
    (
        TemplateField("Title", _ONE),
        TemplateField("Annotation Overview", _ONE),
        TemplateField("Annotation Type", _ONE, several=True),
        TemplateField("Annotation Method", _ONE),
        TemplateField("Annotation Confidence Level", _WISH),
        TemplateField("Annotation Criteria", _WISH),
        TemplateField("Annotation Coverage", _WISH),
        TemplateField("File List", _ONE),
    ),
)
COMPONENT: Final = TemplateSection(
    ("Study Component",),
    (TemplateField("Name", _ONE), TemplateField("Description", _ONE), TemplateField("File List", _ONE)),
    at_least_one=True,
    open=False,
    title="Name",
)
ASSOCIATIONS: Final = TemplateSection(
    ("Associations",),
    (
        TemplateField("Biosample", _ONE),
        TemplateField("Specimen", _ONE),
        TemplateField("Image acquisition", _ONE),
        TemplateField("Image correlation", _WISH),
        TemplateField("Image analysis", _WISH),
    ),
    title="",
)
SECTIONS: Final = (
    STUDY,
    CONTACT,
    ORGANISATION,
    PUBLICATION,
    FUNDING,
    BIOSAMPLE,
    SPECIMEN,
    ACQUISITION,
    CORRELATION,
    ANALYSIS,
    ANNOTATION,
    COMPONENT,
    ASSOCIATIONS,
)
REFERRED: Final = (BIOSAMPLE, SPECIMEN, ACQUISITION, CORRELATION, ANALYSIS)
"""Sections that associations refer to by their titles."""
_BY_TYPE: Final = {folded(kind): section for section in SECTIONS for kind in section.types}


def section_of(kind: str) -> TemplateSection | None:
    """Return the section of the template that a type means, in any case; None for one that it does not have."""
    return _BY_TYPE.get(folded(kind))
