"""Images of the BioImage Archive that it keeps as OME-Zarr beside the submitted files.

Source: BioImage-Archive/bia-integrator (clients/openapi.json, test data of bia-search). The one public address of this service that is written down
anywhere is a preview's; which studies have such images is up to the archive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import ArchiveError, MissingError
from .bia_pagetab import LONGEST_PATH, Attribute
from .idr_addresses import NoAddressError, registered_address
from .idr_facts import Tables
from .untrusted import LARGEST_ID, LONGEST_TEXT, line, mapping, sequence, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .endpoints import Endpoints
    from .http import Client

PAGE: Final = 100
MOST_IMAGES: Final = 1_000_000
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FORMAT: Final = ".ome.zarr"


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as OME-Zarr.

    Attributes
    ----------
    path
        The submitted file it was made from; the image's own identifier where that is not told.
    component
        Title of the dataset, which is the study component.
    bytes
        Of the store as it lies there; None if not told.
    attributes
        What the file list says of that file.
    """

    uuid: str
    path: str
    component: str
    url: str
    bytes: int | None
    attributes: tuple[Attribute, ...]


class BiaImages:
    """Asks for the images of a study."""

    def __init__(self, client: Client, endpoints: Endpoints) -> None:
        self.client = client
        self._base = endpoints.bia_api
        self._tables = Tables(endpoints)

    def of(self, accession: str) -> Iterator[StoredImage]:
        """Images of a study that are there as OME-Zarr, dataset by dataset.

        Raises
        ------
        MissingError
            If the service does not know the study.
        ArchiveError
            If it cannot be asked, or contradicts itself.
        """
        try:
            study = self.client.get_json(f"{self._base}/search/study/accession", params={"accession_id": accession})
        except MissingError:
            study = None
        if study is None:
            raise MissingError(f"The BioImage Archive keeps no OME-Zarr of {accession}. Fetch its original files.")
        for dataset in self._all(f"study/{_uuid(study, accession)}/dataset", accession):
            title = line(dataset.get("title"), LONGEST_TEXT)
            for image in self._all(f"dataset/{_uuid(dataset, accession)}/image", accession):
                stored = self._stored(image, title, accession)
                if stored is not None:
                    yield stored

    def _all(self, path: str, accession: str) -> Iterator[Mapping[str, Any]]:
        """All objects of a list, page by page; a page that brings nothing new is the last."""
        seen: set[str] = set()
        last = ""
        while len(seen) < MOST_IMAGES:
            params: dict[str, object] = {"page_size": PAGE} | ({"start_from_uuid": last} if last else {})
            page = self.client.get_json(f"{self._base}/{path}", params=params)
            if not isinstance(page, list):
                raise ArchiveError(f"The BioImage Archive was asked for the images of {accession} and answered with something else. Try again later.")
            fresh = [found for found in map(mapping, page) if _uuid(found, accession) not in seen]
            for found in fresh:
                last = _uuid(found, accession)
                seen.add(last)
                yield found
            if not fresh or len(page) < PAGE:
                return

    def _stored(self, image: Mapping[str, Any], component: str, accession: str) -> StoredImage | None:
        uuid = _uuid(image, accession)
        for found in self._all(f"image/{uuid}/image_representation", accession):
            address = next((uri for uri in sequence(found.get("file_uri")) if isinstance(uri, str)), "")
            if found.get("image_format") != _FORMAT or not address:
                continue
            try:
                url = registered_address(address, self._tables)
            except NoAddressError as error:
                raise ArchiveError(f"Where the OME-Zarr of an image of {accession} is cannot be used. {error}") from error
            notes = {line(note.get("name")): mapping(note.get("value")) for note in map(mapping, sequence(image.get("additional_metadata")))}
            pattern = notes.get("file_pattern", {}).get("file_pattern")
            path = pattern if isinstance(pattern, str) and pattern.strip() and len(pattern) <= LONGEST_PATH else uuid
            size = whole(found.get("total_size_in_bytes"), 0, LARGEST_ID)
            return StoredImage(uuid, path, component, url, size, tuple(_attributes(notes)))
        return None


def _attributes(notes: Mapping[str, Mapping[str, Any]]) -> Iterator[Attribute]:
    for name, value in notes.items():
        if name.startswith("attributes_from_file_reference"):
            for key, said in mapping(value.get("attributes")).items():
                if line(key) and line(said):
                    yield Attribute(line(key), line(said, LONGEST_TEXT))


def _uuid(found: Any, accession: str) -> str:
    uuid = mapping(found).get("uuid")
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
        raise ArchiveError(f"The BioImage Archive was asked for the images of {accession} and answered with something else. Try again later.")
    return uuid
