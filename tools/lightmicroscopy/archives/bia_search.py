"""Looking studies of the BioImage Archive up: by words or by accession, with their files and all that they say of themselves."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ..errors import MissingError, SuiteError
from ..progress import counted, size
from .bia_files import FileIndex, Listed, Listing
from .bia_images import BiaImages
from .bia_pagetab import File
from .bia_study import PAGE, BiaStudy
from .idr_addresses import NoAddressError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import ExitStack

    from .biostudies import BioStudies, Hit, Info
    from .http import Client

SOURCE: Final = "BioImage Archive"
STORE: Final = "ome-zarr"
"""Type of what is an image and not a file."""

log = logging.getLogger("lightmicroscopy")


@dataclass(frozen=True)
class Looked:
    """A study that was looked up.

    Attributes
    ----------
    files
        Its files; None if they were not asked for.
    complete
        Whether all of them are known.
    stores
        Addresses of OME-Zarr by the path of the file each was made from, where images and not files were asked for.
    """

    study: BiaStudy
    info: Info
    files: FileIndex | None
    complete: bool = True
    stores: Mapping[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int | None:
        """How many files it has, as far as that is known."""
        return self.files.count if self.files is not None and self.complete else self.info.files

    @property
    def bytes(self) -> int | None:
        """Size of all its files; None if it is not known of each. Without their lists only a study has it that names them all itself."""
        if self.files is not None:
            return self.files.bytes if self.files.sizes_known and self.complete else None
        components = self.study.components
        sizes = {file.path: file.size for component in components for file in component.files}
        if not sizes or len(sizes) != self.info.files or any(component.lists for component in components):
            return None
        known = [size for size in sizes.values() if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def address(self, file: Listed) -> str:
        """Address of a file; empty if its path cannot be one."""
        try:
            return self.stores.get(file.path) or self.info.file(packed(file, self.info))
        except NoAddressError:
            return ""


@dataclass
class Lookup:
    """Looks studies up, and keeps what failed.

    Attributes
    ----------
    stack
        Closes the files' indexes in the end.
    """

    service: BioStudies
    client: Client
    stack: ExitStack
    failed: list[tuple[str, SuiteError]] = field(default_factory=list)

    def study(self, accession: str, *, files: bool) -> Looked:
        """Look one study up.

        Raises
        ------
        SuiteError
            If there is none, or it cannot be read.
        """
        info = self.service.info(accession)
        study = BiaStudy(self.service.submission(accession), accession)
        for sentence in study.unmatched:
            log.info("%s: %s", accession, sentence)
        if not files:
            return Looked(study, info, None)
        index = self.stack.enter_context(FileIndex(accession))
        listing = Listing(self.service, self.client)
        listing.fill(index, study, info)
        for sentence in listing.problems:
            log.warning("%s: %s", accession, sentence)
        return Looked(study, info, index, listing.complete)

    def images(self, accession: str) -> Looked:
        """Look one study up, with the OME-Zarr that the archive keeps of its images in place of its files.

        Raises
        ------
        SuiteError
            If there is none, or it cannot be read.
        """
        looked = self.study(accession, files=False)
        index = self.stack.enter_context(FileIndex(accession))
        stores: dict[str, str] = {}
        for image in BiaImages(self.client, self.client.endpoints).of(accession):
            # Several images may have been made from one file.
            path = image.path if image.path not in stores else f"{image.path}_{image.uuid}"
            stores[path] = image.url
            index.add(File(path, image.bytes, STORE, image.attributes), image.component)
        if not stores:
            raise MissingError(f"The BioImage Archive keeps no OME-Zarr of {accession}. Fetch its original files.")
        return replace(looked, files=index, stores=stores)

    def studies(self, accessions: Iterable[str], *, files: bool, images: bool = False) -> list[Looked]:
        """Look studies up; one that fails is kept in `failed`."""
        found = []
        for accession in dict.fromkeys(accessions):
            try:
                found.append(self.images(accession) if images else self.study(accession, files=files))
            except SuiteError as error:
                self.failed.append((accession, error))
        return found


def packed(file: Listed, info: Info) -> str:
    """Path under which a file or folder is kept: folders are zips where the service says so."""
    return f"{file.path}.zip" if file.type == "directory" and info.zipped and not file.path.lower().endswith(".zip") else file.path


def study_row(looked: Looked) -> Mapping[str, object]:
    """Row of the studies table. Files are not images, so that their number is left out."""
    cited = looked.study.cited
    return {
        "source": SOURCE,
        "accession": looked.study.accession,
        "title": cited.title,
        "authors": cited.authors,
        "doi": cited.data_doi,
        "publication_doi": cited.publication_doi,
        "licence": cited.licence,
        "organism": cited.organism,
        "imaging_method": cited.imaging_method,
        "size_bytes": looked.bytes,
        "release_date": cited.release_date,
        "url": looked.study.url,
    }


def study_line(row: Mapping[str, object], files: int | None) -> str:
    """What a terminal is told of a study: accession, title, files, licence; what is not known is left out."""
    total = row.get("size_bytes")
    parts = (counted(files, "file") if files is not None else "", size(total) if isinstance(total, int) else "")
    told = (row["accession"], row["title"], ", ".join(part for part in parts if part), row.get("licence"))
    return " — ".join(str(part) for part in told if part)


def hit_row(hit: Hit) -> Mapping[str, object]:
    """Row of the studies table of a study that was found and not looked up."""
    return {
        "source": SOURCE,
        "accession": hit.accession,
        "title": hit.title,
        "authors": hit.authors,
        "release_date": hit.release_date,
        "url": PAGE + hit.accession,
    }
