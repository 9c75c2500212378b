"""Client of BioStudies, the database behind the BioImage Archive: studies, where their files are, and search.

Source: EBIBioStudies/ribs (controllers Study, Search, File and what they use), BioImage-Archive/bia-integrator (bia-ingest).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ..errors import ArchiveError, DeniedError, MissingError, UnreadableError, UsageError
from ..untrusted_json import parse_json
from .bia_pagetab import Submission, parse_pagetab
from .endpoints import shown
from .idr_addresses import NoAddressError, registered_address
from .idr_facts import Tables
from .untrusted import LARGEST_ID, LONGEST_TEXT, line, mapping, sequence, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .endpoints import Endpoints
    from .http import Client

COLLECTION: Final = "BioImages"
LARGEST_PAGE: Final = 100
"""Hits a page of a search has at most, whatever is asked for."""
FILES_PAGE: Final = 1000
MOST_PAGES: Final = 20_000
"""Pages of the table of a study's files that are asked for."""
MOST_HITS: Final = 10_000
_ACCESSION: Final = re.compile(r"S-[A-Z]{2,12}-?[0-9]{1,12}|S-[A-Z]{2,12}[A-Z0-9_-]{0,40}[0-9A-Z]", re.IGNORECASE)
_LINK: Final = re.compile(
    r"https?://(?:[\w.-]+\.)?(?:ebi\.ac\.uk|bioimagearchive\.org)(?:/[^\s?#]*)?/(?P<accession>(?<=/studies/)S-[A-Za-z]{2,12}-[\w-]{1,48}|S-[A-Za-z]{2,12}-?[0-9]{1,12})(?:\.html)?(?:[/?#]\S*)?"
)


@dataclass(frozen=True, slots=True)
class Info:
    """Where a study's files are.

    Attributes
    ----------
    base
        Address of the study's folder, without a trailing slash; the one source of addresses, since the folder of a study cannot be computed
        from its accession.
    files
        How many files the service counts; None if it does not say.
    zipped
        Whether its folders are kept as zips.
    sections
        Names of the sections that have files.
    columns
        Names of the files' attributes, by how the table of files writes them.
    """

    accession: str
    base: str
    files: int | None
    zipped: bool
    sections: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)

    def file(self, path: str) -> str:
        """Address of a file by its path in the study.

        Raises
        ------
        NoAddressError
            If the path leads out of the study.
        """
        return f"{self.base}/Files/{quoted_path(path)}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A study that a search found."""

    accession: str
    title: str
    authors: str
    release_date: str
    files: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the hits that were wanted, how many there are in all, and whether the service gave as many as it counts."""

    hits: tuple[Hit, ...]
    total: int
    exact: bool
    complete: bool = True


def accession_of(text: str) -> str:
    """Read an accession, or a link to a study's page.

    Raises
    ------
    UsageError
        If it is neither.
    """
    stated = text.strip()
    link = _LINK.fullmatch(stated)
    accession = link["accession"] if link else stated
    if len(accession) > 64 or not _ACCESSION.fullmatch(accession):
        raise UsageError(f"{line(stated, 80)!r} is no accession of BioStudies. Write it as S-BIAD634, or paste the link of the study's page.")
    return accession.upper()


def quoted_path(path: str) -> str:
    """Percent-encode a path within a study.

    Raises
    ------
    NoAddressError
        If it is empty, begins at the root, leads upwards, or has characters that no path has.
    """
    segments = path.split("/")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        raise NoAddressError(f"The path {line(path, 200)!r} begins at the root of a disk, and is not followed.")
    if any(segment in ("", ".", "..") for segment in segments):
        raise NoAddressError(f"The path {line(path, 200)!r} leads out of the study or nowhere, and is not followed.")
    if re.search(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff\u2028\u2029]", path):
        raise NoAddressError(f"The path {line(path, 200)!r} has characters that no path has, and is not followed.")
    return "/".join(quote(segment, safe="~!$'()*+,=:@") for segment in segments)


class _GoneError(MissingError):
    """The service sends on to something that is not there."""


class BioStudies:
    """Asks BioStudies; safe to use from several threads."""

    def __init__(self, client: Client, endpoints: Endpoints) -> None:
        self.client = client
        self._base = endpoints.biostudies
        self._tables = Tables(endpoints)

    def info(self, accession: str) -> Info:
        """Find out where a study's files are.

        Raises
        ------
        MissingError, DeniedError, ArchiveError
            If there is no such study, it is private, or the service does not say.
        """
        answer = self._asked(accession, f"{self._base}/studies/{accession}/info")
        if not answer:
            raise _missing(accession)
        link = line(answer.get("httpLink"), LONGEST_TEXT)
        if not link:
            raise ArchiveError(f"BioStudies does not say where the files of {accession} are (no httpLink). Try later, or tell the service.")
        return Info(
            accession,
            self._address(link, accession),
            whole(answer.get("files"), 0, LARGEST_ID),
            answer.get("hasZippedFolders") is True,
            tuple(line(name) for name in sequence(answer.get("sections")) if line(name)),
            {
                line(column.get("data")): line(column.get("name"))
                for column in map(mapping, sequence(answer.get("columns")))
                if line(column.get("name"))
            },
        )

    def submission(self, accession: str) -> Submission:
        """Read a study's description, in whichever of its ways the service answers.

        It is PageTab, or a redirect to it, or an object with PageTab as text or with the address of the study's folder.

        Raises
        ------
        MissingError, DeniedError, ArchiveError, UnreadableError
            If there is no such study, it is private, or its description cannot be read.
        """
        try:
            answer = self._asked(accession, f"{self._base}/studies/{accession}")
        except _GoneError:
            return self._from_folder(accession, self.info(accession).base)
        link = line(answer.get("ftpHttp_link"), LONGEST_TEXT)
        if isinstance(answer.get("pageTab"), str) and not (link and not answer["pageTab"].strip()):
            try:
                answer = mapping(parse_json(answer["pageTab"].encode("utf-8", "replace")))
            except ValueError as error:
                raise UnreadableError(f"The description of {accession} is no valid JSON ({error}). Try later, or tell the service.") from error
        elif isinstance(answer.get("pageTab"), dict):
            answer = answer["pageTab"]
        elif link:
            return self._from_folder(accession, self._address(link, accession))
        return self._right_one(parse_pagetab(answer, f"The answer of BioStudies on {accession}"), accession)

    def _from_folder(self, accession: str, base: str) -> Submission:
        try:
            document = self.client.get_json(f"{base}/{accession}.json")
        except MissingError:
            from .bia_pagetab_tsv import parse_pagetab_tsv
            from .http import JSON_LIMIT

            address = f"{base}/{accession}.tsv"
            return self._right_one(parse_pagetab_tsv(self.client.get(address, limit=JSON_LIMIT).body, shown(address)), accession)
        return self._right_one(parse_pagetab(document, f"The description of {accession}"), accession)

    @staticmethod
    def _right_one(submission: Submission, accession: str) -> Submission:
        if submission.accession and submission.accession.upper() != accession:
            raise ArchiveError(f"BioStudies was asked for {accession} and answered with {submission.accession[:80]}. Try later, or tell the service.")
        return submission

    def _asked(self, accession: str, url: str) -> Mapping[str, Any]:
        try:
            answer = self.client.get_json(url)
        except DeniedError as error:
            if "user-agent" in str(error).lower():
                raise DeniedError(
                    f"BioStudies does not let this program in (its User-Agent is on a list). Set user_agent in LIGHTMICROSCOPY_ENDPOINTS; {error}"
                ) from error
            if "not accessible" in str(error).lower():
                raise DeniedError(
                    f"BioStudies keeps {accession} to itself: it is not public yet. Wait for its release, or ask its authors."
                ) from error
            raise
        except MissingError as error:
            # A redirect to a description that is not there is no sign that there is no such study.
            raise (_missing(accession) if f"{self._base}/studies/" in str(error) else _GoneError(str(error))) from error
        if not isinstance(answer, dict):
            raise ArchiveError(f"BioStudies was asked for {accession} and answered with something else. Try again later.")
        return answer

    def _address(self, link: str, accession: str) -> str:
        try:
            address = registered_address(link, self._tables)
        except NoAddressError as error:
            raise ArchiveError(f"Where BioStudies says the files of {accession} are cannot be used. {error}") from error
        self._tables.endpoints.check(address)
        return address.rstrip("/")

    def search(self, query: str, *, collection: str = COLLECTION, limit: int = 1000, sort: str = "") -> Found:
        """Search studies by words or by a query in the syntax of Lucene.

        Parameters
        ----------
        collection
            Only studies of this collection; empty for all of BioStudies.
        limit
            Most hits; the true total is told anyway.

        Raises
        ------
        ArchiveError
            If the service cannot be asked, or contradicts itself.
        """
        url = f"{self._base}/{quote(collection, safe='')}/search" if collection else f"{self._base}/search"
        hits: dict[str, Hit] = {}
        total, exact, page = 0, True, 1
        while len(hits) < limit:
            params: dict[str, object] = {"query": query, "page": page, "pageSize": LARGEST_PAGE}
            answer = self.client.get_json(url, params=params | ({"sortBy": sort} if sort else {}))
            if not isinstance(answer, dict) or whole(answer.get("totalHits"), 0, LARGEST_ID) is None:
                raise ArchiveError("BioStudies was asked to search and answered with something else. Try again later.")
            total, exact = answer["totalHits"], answer.get("isTotalHitsExact") is not False
            # Without a hit the key is missing.
            found = [hit for each in sequence(answer.get("hits")) if (hit := _hit(mapping(each)))]
            before = len(hits)
            for hit in found:
                hits.setdefault(hit.accession, hit)
            if not found or len(hits) == before or len(hits) >= total:
                break
            page += 1
        return Found(tuple(hits.values())[:limit], max(total, len(hits)), exact, len(hits) >= min(limit, total))

    def listed_files(self, accession: str, *, most: int) -> Iterator[Mapping[str, Any]]:
        """Rows of the table of files on a study's page, page by page.

        Parameters
        ----------
        most
            Rows after which it is given up.

        Raises
        ------
        ArchiveError
            If the service cannot be asked, or contradicts itself.
        """
        start = 0
        rows: list[Mapping[str, Any]] = []
        for _ in range(MOST_PAGES):
            before = rows
            params = {"start": start, "length": FILES_PAGE, "draw": 1, "metadata": "true", "search[value]": ""}
            answer = self.client.get_json(f"{self._base}/files/{accession}", params=params)
            total = whole(mapping(answer).get("recordsTotal"), 0, LARGEST_ID)
            if total is None:
                raise ArchiveError(f"BioStudies was asked for the files of {accession} and answered with something else. Try again later.")
            rows = [row for row in sequence(answer.get("data")) if isinstance(row, dict)]
            if rows and rows == before:
                break
            yield from rows[: max(0, most - start)]
            start += len(rows)
            if start >= total:
                return
            if start >= most:
                raise ArchiveError(f"BioStudies lists {total:,} files of {accession}, and no study has more than {most:,}. Tell the service.")
            if not rows:
                raise ArchiveError(f"BioStudies lists {start:,} of {total:,} files of {accession} and then stops. Try again later.")
        raise ArchiveError(f"BioStudies lists files of {accession} over and over, {start:,} so far. Tell the service.")


def _hit(value: Mapping[str, Any]) -> Hit | None:
    accession = line(value.get("accession"))
    # It becomes part of addresses.
    if not re.fullmatch(r"[0-9A-Za-z_-][0-9A-Za-z_.-]{0,127}", accession):
        return None
    return Hit(
        accession,
        line(value.get("title"), LONGEST_TEXT),
        line(value.get("author"), LONGEST_TEXT),
        line(value.get("release_date"))[:10],
        whole(value.get("files"), 0, LARGEST_ID),
    )


def _missing(accession: str) -> MissingError:
    return MissingError(f"BioStudies has no study {accession}. Check the accession at https://www.ebi.ac.uk/biostudies/.")
