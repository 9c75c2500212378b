"""Folders of the IDR's tree of original files, as its web server lists them.

A listing is a page for people, made by the server (Apache's and nginx's are understood), and is believed in nothing: only plain names of one
folder are followed, so that no page leads out of the study.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from ..errors import ArchiveError, MissingError, TooLongError, UsageError
from .pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .http import Client

MOST_LISTING: Final = 64 * 1024 * 1024
"""Bytes of one listing; a folder of 100,000 files takes some 20 MB."""
MOST_FOLDERS: Final = 50_000
DEEPEST: Final = 30
LONGEST_NAME: Final = 255
_SAFE: Final = "~!$'()*+,=:@"
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_MARK: Final = "index of"


class _Listing(HTMLParser):
    """Collects the links of a page, and whether it is a listing at all."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: dict[str, None] = {}
        self.is_one = False
        self._title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._title = tag in ("title", "h1")
        if tag == "a":
            self.links.update((value, None) for name, value in attrs if name == "href" and value)

    def handle_data(self, data: str) -> None:
        self.is_one = self.is_one or (self._title and data.strip().casefold().startswith(_MARK))

    def handle_endtag(self, tag: str) -> None:
        self._title = False


def names_in(page: str) -> tuple[list[str], list[str]] | None:
    """Return folders and files of a listing, sorted; None if the page is none.

    Links up, to other servers, to other orders of the list, and whatever is no plain name are left out.
    """
    listing = _Listing()
    listing.feed(page)
    if not listing.is_one:
        return None
    folders, files = set[str](), set[str]()
    for link in listing.links:
        plain = link.removeprefix("./")
        name = unquote(plain.removesuffix("/"))
        odd = "?" in plain or "#" in plain or ":" in plain.partition("/")[0] or _UNSAFE.search(name) or name in ("", ".", "..")
        if odd or len(name.encode("utf-8", "replace")) > LONGEST_NAME:
            continue
        (folders if plain.endswith("/") else files).add(name)
    return sorted(folders), sorted(files)


def address_below(base: str, *names: str) -> str:
    """Address of what lies below a folder."""
    return "/".join((base, *(quote(name, safe=_SAFE) for name in names)))


def is_plain(name: str) -> bool:
    """Whether a name is one of a file or folder, and leads nowhere else."""
    return not _UNSAFE.search(name) and name not in ("", ".", "..") and len(name.encode("utf-8", "replace")) <= LONGEST_NAME


def files_below(client: Client, base: str, most: int) -> Iterator[str]:
    """Give the address of every file below a folder, folder by folder, by name.

    Parameters
    ----------
    base
        Address of the folder, without a slash at its end.
    most
        Files that may be asked for.

    Raises
    ------
    MissingError
        If there is no such folder, or its server does not list it.
    UsageError
        If it holds more files.
    ArchiveError
        If a folder in it cannot be listed, or there is no end to them.
    """
    waiting: list[tuple[str, int]] = [(base, 0)]
    seen, found, pulse = 0, 0, Pulse()
    while waiting:
        folder, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST or seen > MOST_FOLDERS:
            what = f"lie more than {DEEPEST} deep" if depth > DEEPEST else f"are more than {MOST_FOLDERS:,}"
            raise ArchiveError(f"The folders below {base} {what}, which no study has. Name a part of it, and tell the IDR.")
        pulse.tell("Looking through %s: %s files so far.", base, f"{found:,}")
        folders, files = _listed(client, folder, base)
        for name in files:
            found += 1
            if found > most:
                raise UsageError(
                    f"{base} holds more files than the {most:,} that are allowed in one go. Name a folder of it, such as idr0062/20190429-ftp, or "
                    "raise --max-items (an administrator may have set a ceiling)."
                )
            yield address_below(folder, name)
        waiting += [(address_below(folder, name), depth + 1) for name in reversed(folders)]


def _listed(client: Client, folder: str, base: str) -> tuple[list[str], list[str]]:
    asked = f"{folder}/"
    advice = "Leave --originals-from out, to have the files that the IDR names for each image."
    try:
        response = client.get(asked, limit=MOST_LISTING, html=True)
    except MissingError as error:
        raise MissingError(f"There is no folder {asked} on the server of originals. {advice}") from error
    except TooLongError as error:
        raise ArchiveError(f"The listing of {asked} is longer than {MOST_LISTING:,} bytes. {advice}") from error
    if response.url != asked:
        raise ArchiveError(f"The server was asked for the folder {asked} and sent on to another place, which is not followed. {advice}")
    names = names_in(response.body.decode("utf-8", "replace"))
    if names is None:
        kind = MissingError if folder == base else ArchiveError
        raise kind(f"The server does not list the folder {asked}. {advice}")
    return names
