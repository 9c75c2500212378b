"""Studies of the IDR: where an image belongs, and what is known of its study.

Source: the map annotation that the IDR puts on each project and screen, ``idr.openmicroscopy.org/study/info``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .idr_record import page_of
from .study import Study, dois, together
from .untrusted import LONGEST_TEXT, line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .idr import Annotation

NAMESPACE: Final = "idr.openmicroscopy.org/study/info"

_STUDY: Final = re.compile(r"(idr\d{4,6})(?:-|/|$)")
_COMPONENT: Final = re.compile(r"idr\d{4,6}-[\w.-]+(?:/\w+)?")
_URL: Final = re.compile(r"https?://[^\s<>\"'`\\]+")
_URL_IN_BRACKETS: Final = re.compile(rf"[(<]?{_URL.pattern}>?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image belongs. What it does not have (a well, a dataset) is empty or None.

    Attributes
    ----------
    study
        Accession, such as ``idr0062``.
    component
        Name of the project or screen if it follows the IDR's rule, such as ``idr0062-blin-nuclearsegmentation/experimentA``.
    container_type
        ``project`` or ``screen``; ``dataset`` or ``plate`` where that is all there is.
    well
        ``B07``.
    well_path
        ``B/7``, after the plate's own naming of rows and columns.
    field
        Index among the well's images, 0-based.
    """

    study: str
    component: str
    container_type: str
    container_id: int
    container_name: str
    dataset_id: int | None = None
    dataset: str = ""
    plate_id: int | None = None
    plate: str = ""
    well: str = ""
    well_path: str = ""
    field: int | None = None
    well_id: int | None = None


def names_of(container: str) -> tuple[str, str]:
    """Accession and component in the name of a project or screen; empty if the name does not follow the IDR's rule."""
    study = _STUDY.match(container)
    return study[1] if study else "", container if _COMPONENT.fullmatch(container) else ""


def study_of(place: Place, annotations: Iterable[Annotation]) -> Study:
    """Read a study from the annotations of its project or screen. Nothing is filled in that they do not say."""
    facts: dict[str, list[str]] = {}
    for annotation in annotations:
        value = line(annotation.value, LONGEST_TEXT)
        if annotation.namespace == NAMESPACE and value:
            facts.setdefault(line(annotation.key).casefold(), []).append(value)
    licences = [_name_and_url(value) for value in facts.get("license", [])]
    return Study(
        accession=place.study,
        component=place.component,
        url=page_of(place.container_type, place.container_id),
        title=_joined(facts, "study title"),
        authors=_joined(facts, "publication authors"),
        publication_title=_joined(facts, "publication title"),
        publication_doi=dois(facts.get("publication doi", [])),
        data_doi=dois(facts.get("data doi", [])),
        licence=together(name or url for name, url in licences),
        licence_url=together(url for _, url in licences),
        release_date=_joined(facts, "release date"),
        copyright=_joined(facts, "copyright"),
        organism=_joined(facts, "organism"),
        imaging_method=_joined(facts, "imaging method"),
    )


def _joined(facts: dict[str, list[str]], key: str) -> str:
    return together(facts.get(key, []))


def _name_and_url(value: str) -> tuple[str, str]:
    """Split ``CC BY 4.0 https://creativecommons.org/licenses/by/4.0/``."""
    url = _URL.search(value)
    address = url[0].rstrip(".,;") if url else ""
    if "(" not in address:
        address = address.rstrip(")")
    return line(_URL_IN_BRACKETS.sub(" ", value)), address
