"""What a study of the BioImage Archive says of itself, in whichever template and spelling: people, samples, images, licence.

Source: templates BioImages.v4 and v5 and Default (EBIBioStudies/submission-tool), BioImage-Archive/bia-integrator (bia-ingest).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from .bia_pagetab import Attribute, Attributed, File, Link, Section, Submission, folded, qualifier
from .licences import Licence, licence_of
from .study import Study, dois, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE: Final = "https://www.ebi.ac.uk/biostudies/studies/"
AUTHORS: Final = ("author", "authors", "contact")
ORGANISATIONS: Final = ("organisation", "organization", "organisations", "organizations", "affiliation")
COMPONENTS: Final = ("study component",)
ANNOTATIONS: Final = ("annotation", "annotations")
ASSOCIATED: Final = {
    "biosample": ("biosample",),
    "specimen": ("specimen",),
    "image acquisition": ("image acquisition",),
    "image correlation": ("image correlation",),
    "image analysis": ("image analysis",),
}
"""What an association names, and the types of section that it may mean; sections are meant by their titles."""
FILE_LIST: Final = "File List"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ORCID: Final = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")


@dataclass(frozen=True, slots=True)
class Author:
    """A person; what is not stated is empty."""

    name: str
    email: str
    orcid: str
    role: str
    organisations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """A paper about the study."""

    title: str
    authors: str
    doi: str
    pubmed: str
    year: str


@dataclass(frozen=True, slots=True)
class Term:
    """A term of an ontology, or free text alone: label, ontology and identifier as stated."""

    label: str
    ontology: str = ""
    identifier: str = ""

    def __str__(self) -> str:
        """Write it for people."""
        return f"{self.label} ({self.identifier})" if self.identifier else self.label


@dataclass(frozen=True, slots=True)
class Association:
    """Which samples and methods the images of a component go with: sections by what they are, None where a title fits none."""

    named: tuple[tuple[str, str, Section | None], ...]

    def sections(self, kind: str) -> tuple[Section, ...]:
        """Sections of one kind."""
        return tuple(section for named, _, section in self.named if named == kind and section is not None)


@dataclass(frozen=True, slots=True)
class Component(Attributed):
    """A part of a study that has files of its own: a study component, a set of annotations, or any other section with files.

    Attributes
    ----------
    name
        As its title says; empty for files that belong to the study as a whole.
    lists
        Names of its file lists.
    files
        Files that are named in the section itself.
    """

    name: str
    accno: str
    kind: str
    description: str
    lists: tuple[str, ...]
    files: tuple[File, ...]
    associations: tuple[Association, ...] = ()
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class BiaStudy:
    """A study, read from its submission; each part is looked for when it is first asked for."""

    submission: Submission
    accession: str

    @property
    def root(self) -> Section:
        """The section of the study itself."""
        return self.submission.section

    @property
    def url(self) -> str:
        """Its page."""
        return PAGE + self.accession

    @cached_property
    def title(self) -> str:
        """Title, of the section rather than of the submission."""
        return self.root.first("Title") or self.submission.first("Title")

    @cached_property
    def description(self) -> str:
        """Description; older studies have an abstract."""
        return self.root.first("Description", "Abstract", "Study description") or self.submission.first("Description")

    @cached_property
    def keywords(self) -> tuple[str, ...]:
        """Keywords, each once."""
        return tuple(dict.fromkeys(part.strip() for value in self.root.values("Keywords", "Keyword") for part in value.split(";") if part.strip()))

    @cached_property
    def licence(self) -> Licence:
        """The licence, by its usual name."""
        for holder in (self.root, self.submission):
            stated = holder.all("License", "Licence", "Data license", "Licence type")
            if stated:
                found = [licence_of(attribute.value, qualifier([attribute], "URL", "Link")) for attribute in stated]
                return Licence(together(one.name for one in found), together(one.url for one in found))
        return Licence()

    @cached_property
    def doi(self) -> str:
        """DOI of the data, where the study has one; ``DOI`` = ``true`` only asks for one."""
        return dois((*self.submission.values("DOI"), *self.root.values("DOI", "Data DOI")))

    @cached_property
    def release_date(self) -> str:
        """Date of release, ``YYYY-MM-DD``."""
        stated = self.submission.first("ReleaseDate", "Release Date") or self.root.first("ReleaseDate", "Release Date")
        match = _DATE.match(stated)
        return match[0] if match else ""

    @cached_property
    def collections(self) -> tuple[str, ...]:
        """What it is attached to, such as ``BioImages``."""
        return self.submission.values("AttachTo")

    @cached_property
    def organisations(self) -> dict[str, str]:
        """Names of organisations by the accession they are referred to with."""
        found = (section for section in self.root.everything() if folded(section.type) in ORGANISATIONS)
        return {folded(section.accno): section.first("Name", "Organisation", "Organization") for section in found if section.accno}

    @cached_property
    def authors(self) -> tuple[Author, ...]:
        """People, in their order."""
        found = (section for section in self.root.everything() if folded(section.type) in AUTHORS)
        return tuple(author for section in found if (author := self._author(section)).name)

    def _author(self, section: Section) -> Author:
        name = section.first("Name", "Full name", "Author name") or " ".join(
            part for part in (section.first("First name", "Firstname"), section.first("Last name", "Lastname", "Surname")) if part
        )
        affiliations = [
            self.organisations.get(folded(part), part)
            for value in section.values("affiliation", "organisation", "organization", "Affiliations")
            # Several may stand in one value; the name of one organisation may have commas too.
            for part in (re.split(r"\s*[,;]\s*", value) if self._are_references(value) else [value])
        ]
        orcid = _ORCID.search(section.first("ORCID", "ORCID ID"))
        return Author(
            name,
            section.first("E-mail", "Email", "Mail"),
            orcid[0] if orcid else "",
            together(section.values("Role")),
            tuple(dict.fromkeys(part for part in affiliations if part)),
        )

    def _are_references(self, value: str) -> bool:
        return all(folded(part) in self.organisations for part in re.split(r"\s*[,;]\s*", value) if part)

    @cached_property
    def publications(self) -> tuple[Publication, ...]:
        """Papers."""
        return tuple(
            Publication(
                section.first("Title"),
                section.first("Authors"),
                dois(section.values("DOI")),
                section.first("Pubmed ID", "PMID") or section.accno,
                section.first("Year"),
            )
            for section in self.root.of_type("publication", "publications")
        )

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Links of all its sections."""
        return tuple(link for section in self.root.everything() for link in section.links)

    def sections(self, *types: str) -> tuple[Section, ...]:
        """Sections of some types, wherever they are."""
        wanted = {folded(kind) for kind in types}
        return tuple(section for section in self.root.everything() if folded(section.type) in wanted)

    @cached_property
    def organisms(self) -> tuple[Term, ...]:
        """Organisms of its samples, each once."""
        return tuple(dict.fromkeys(term for section in (self.root, *self.sections("biosample")) for term in organisms_of(section)))

    @cached_property
    def imaging_methods(self) -> tuple[Term, ...]:
        """How its images were taken, each once."""
        return tuple(dict.fromkeys(term for section in (self.root, *self.sections("image acquisition")) for term in imaging_methods_of(section)))

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """Everything that has files, in its order; the study's own files first."""
        return tuple(self._component(section) for section in self.root.everything() if section.files or section.all(FILE_LIST, "FileList"))

    def _component(self, section: Section) -> Component:
        name = "" if section is self.root else title_of(section) or section.accno or section.type
        associations = tuple(self._association(below) for below in section.of_type("associations", "association"))
        description, lists = section.first("Description"), section.values(FILE_LIST, "FileList")
        return Component(name, section.accno, section.type, description, lists, section.files, associations, section.attributes)

    def _association(self, section: Section) -> Association:
        named = []
        for kind, types in ASSOCIATED.items():
            for value in section.values(kind):
                found = next((one for one in self.sections(*types) if folded(title_of(one)) == folded(value)), None)
                named.append((kind, value, found))
        return Association(tuple(named))

    @cached_property
    def unmatched(self) -> tuple[str, ...]:
        """Sentences on associations whose title fits no section."""
        return tuple(
            f"{component.name!r} is associated with the {kind} {title!r}, and no section has that title."
            for component in self.components
            for association in component.associations
            for kind, title, section in association.named
            if section is None
        )

    @cached_property
    def cited(self) -> Study:
        """The study as every archive's studies are cited."""
        return Study(
            accession=self.accession,
            component="",
            url=self.url,
            title=self.title,
            authors=", ".join(author.name for author in self.authors),
            publication_title=together(paper.title for paper in self.publications),
            publication_doi=together(paper.doi for paper in self.publications),
            data_doi=self.doi if self.doi not in {paper.doi for paper in self.publications} else "",
            licence=self.licence.name,
            licence_url=self.licence.url,
            release_date=self.release_date,
            organism=together(map(str, self.organisms)),
            imaging_method=together(map(str, self.imaging_methods)),
        )


def title_of(section: Section) -> str:
    """What a section is called."""
    return section.first("Title", "Name")


def organisms_of(section: Section) -> Iterator[Term]:
    """Organisms of a sample: an attribute with its ontology (v5), free text, or sections of their own (v4)."""
    yield from _terms(section, ("Organism", "Organisms"))
    for below in section.of_type("organism"):
        scientific, common = below.first("Scientific name"), below.first("Common name")
        label = f"{scientific} ({common})" if scientific and common else scientific or common
        identifier = below.first("NCBI taxon ID", "NCBI Taxon", "Ontology Term ID")
        if label:
            yield Term(label, "NCBITaxon" if identifier else "", identifier)


def imaging_methods_of(section: Section) -> Iterator[Term]:
    """Imaging methods: attributes with their ontology (v5), free text, or sections of their own (v4)."""
    yield from _terms(section, ("Imaging method", "Imaging methods", "Image acquisition method"))
    for below in section.of_type("imaging method"):
        label = below.first("Ontology Value", "Name", "Title")
        if label:
            yield Term(label, below.first("Ontology Name"), below.first("Ontology Term ID"))


def _terms(holder: Attributed, names: Iterable[str]) -> Iterator[Term]:
    for attribute in holder.all(*names):
        yield Term(
            attribute.value, qualifier([attribute], "Ontology", "Ontology Name"), qualifier([attribute], "TermId", "Ontology Term ID", "Term ID")
        )
