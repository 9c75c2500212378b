"""What a user means: ids, names such as ``image-1`` or ``plate:2551/B07``, studies, links in every shape the IDR's pages give, tables of images."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote, unquote_plus

from ..errors import UsageError
from .idr_record import PUBLIC_WEB
from .untrusted import LARGEST_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .idr_facts import Sample, Tables


_SHOWN: Final = 100
_NESTED: Final = 3

_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff]")
_CHUNK: Final = re.compile(r"\S+")
# Before a link that follows another thing without a space.
_NEXT_LINK: Final = re.compile(r"(?<![,;|])[,;|]+(?=https?(?:://|%3a%2f%2f))", re.IGNORECASE)
_LINK: Final = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?", re.IGNORECASE
)
_ENCODED_LINK: Final = re.compile(r"https?%(?:25)*3a%(?:25)*2f", re.IGNORECASE)
_MARKDOWN: Final = re.compile(r"\[?[^\]\[]*\]\((https?://.*)", re.IGNORECASE)
_BARE_HOST: Final = re.compile(r"[a-z0-9.-]*openmicroscopy\.org(?::\d+)?/", re.IGNORECASE)
_IDR_HOST: Final = re.compile(r"idr[a-z0-9-]*\.openmicroscopy\.org(?::(?:80|443))?", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\s,;|]+")
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e]")

_NAMED: Final = re.compile(r"(?P<kind>[a-z]+)(?:\.id)?[-:=_#](?P<number>\d+)(?P<below>(?:/[^/]+)*)/?", re.IGNORECASE)
_STUDY: Final = re.compile(r"(?P<name>idr\d{4,6}(?:-[^/]*)?)(?P<below>(?:/[^/]+)*)/?", re.IGNORECASE)
_LABELS: Final = frozenset({"image", "images", "image_id", "image-id", "id", "ids", "image:", "images:", "id:", "ids:"})
_CONTAINERS: Final = {kind: kind for kind in ("project", "dataset", "screen", "plate", "well", "acquisition")} | {
    "run": "acquisition",
    "plateacquisition": "acquisition",
}
_KINDS: Final = frozenset({*_CONTAINERS, "tag", "tagset", "roi", "fileset", "experimenter"})
_DEEPEST: Final = {"study": 5, "project": 2, "screen": 3, "dataset": 1, "plate": 2, "acquisition": 2, "well": 1}
"""How many names may follow: a study's component, plate, well and field; a dataset's image."""
_LISTED: Final = {f"{kind}s": kind for kind in ("image", "project", "dataset", "screen", "plate", "well", "plateacquisition", "roi", "shape")}

# A page, and which part of its path is the image's number.
_PATHS: Final = (
    re.compile(
        r"/(?:webclient|webgateway)/(?:img_detail|imgData|get_rois_json|histogram_json|original_file_paths)/(?P<image>\d+)(?:/|$)", re.IGNORECASE
    ),
    re.compile(r"/(?:webclient|webgateway)/(?:render_[a-z_]+|get_thumbnail|rdefs|get_image_rdefs_json)/(?P<image>\d+)(?:/|$)", re.IGNORECASE),
    re.compile(
        r"/(?:webclient|webgateway)/(?:metadata_[a-z]+|render_ome_tiff|annotations|archived_files/download|render_[a-z]+_ngff)/(?P<kind>[a-z]+)/(?P<image>\d+)(?:/|$)",
        re.IGNORECASE,
    ),
    re.compile(r"/webgateway/archived_files/download/(?P<image>\d+)(?:/|$)", re.IGNORECASE),
    re.compile(r"/webgateway/(?P<kind>plate|well)/(?P<image>\d+)(?:/|$)", re.IGNORECASE),
    re.compile(r"/api/v\d+/m/(?P<list>[a-z]+)/(?P<image>\d+)(?:/|$)", re.IGNORECASE),
    re.compile(r"/image/(?P<image>\d+)(?:/|$)", re.IGNORECASE),
    re.compile(r"/iviewer/(?P<image>\d+)(?:/|$)", re.IGNORECASE),
)
_SHORT: Final = {"i": "image", "d": "dataset", "p": "project", "w": "well"}
_ID_KEYS: Final = ("images", "image", "image_id", "imageid")
_OTHER_KEYS: Final = ("dataset", "project", "screen", "plate", "well", "acquisition", "roi")
_STUDY_PAGE: Final = re.compile(r"/(?:study|gallery/study)/(idr\d{4,6}(?:-[^/]*)?)(?:/json)?/?", re.IGNORECASE)
_ID_PAGES: Final = re.compile(r"/(?:webgateway|webclient)/(?:get_thumbnails|api/thumbnails)", re.IGNORECASE)


class Named(NamedTuple):
    """One thing of the IDR that a user named.

    Attributes
    ----------
    kind
        ``image``, ``project``, ``dataset``, ``screen``, ``plate``, ``acquisition``, ``well`` or ``study``.
    number
        Its id; 0 of a study.
    path
        Names on the way from it down to what is meant: of a study its own name first, then component, dataset or plate, well, field.
    """

    kind: str
    number: int = 0
    path: tuple[str, ...] = ()

    @property
    def item(self) -> str:
        """How the IDR's own links call it."""
        item = "/".join((*([f"{self.kind}-{self.number}"] if self.number else []), *(quote(name, safe="") for name in self.path)))
        # Of what is typed, a full stop at the end is that of a sentence.
        return f"{item[:-1]}%2E" if item.endswith(".") else item


def parse_named(texts: Iterable[str], *, web: str = PUBLIC_WEB) -> Iterator[Named]:
    """Read whatever of the IDR a user names, in the order given, repeats too.

    Understood are ids of images, ``image-1``, ``image:1``, and links of the IDR's web pages, separated by spaces, commas, ``|`` or line ends; lines
    beginning with ``#`` are skipped. Also: ``project:1``, ``dataset-2``, ``screen:3``, ``plate:4``, ``acquisition:5``, ``well:6`` and links to them;
    studies by accession, by name and by component; and what lies in them, by name, after a slash: ``plate:4/B07`` is a well, ``plate:4/B07/0`` its
    first field, ``idr0062/Blastocysts`` a dataset. Blanks and slashes within a name are written ``%20`` and ``%2F``.

    Parameters
    ----------
    web
        The IDR's server: links to it are links to the IDR.

    Raises
    ------
    UsageError
        At the first thing that is none of these; the message quotes it and says what it is.
    """
    host = web.partition("://")[2].partition("/")[0].lower()
    for text in texts:
        yield from _in_text(text, host)


def _in_text(text: str, host: str) -> Iterator[Named]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if not text[start : start + 1].startswith("#"):
            yield from _in_line(text, start, end, host)
        start = end + 1


def _in_line(text: str, start: int, end: int, host: str) -> Iterator[Named]:
    # A pasted line may hold 100,000 ids: it is walked through and never split as a whole.
    for match in _CHUNK.finditer(text, start, end):
        chunk = _DASHES.sub("-", _INVISIBLE.sub("", match[0]))
        for piece in _NEXT_LINK.split(chunk) if "http" in chunk.lower() else (chunk,):
            yield from _in_piece(piece.strip("<>\"'()[]{},;|"), host)


def _in_piece(piece: str, host: str) -> Iterator[Named]:
    if _ENCODED_LINK.match(piece):
        piece = _decoded(piece)
    elif markdown := _MARKDOWN.fullmatch(piece):
        piece = markdown[1]
    if "://" in piece or piece.lower().startswith(("/webclient", "/webgateway", "/api/", "/iviewer", "?show=", "www.")) or _BARE_HOST.match(piece):
        yield from _in_link(piece.replace("&amp;", "&"), host, _NESTED)
        return
    # Names below a container may hold encoded blanks, which separate nothing; each name is decoded by itself.
    for match in _WORD.finditer(piece if "/" in piece else _decoded(piece)):
        if match[0].lower() not in _LABELS:
            yield _word(match[0].strip("<>\"'()[]{}."), piece)


def _word(word: str, whole: str, *, link: str = "") -> Named:
    """One id or name."""
    named = _NAMED.fullmatch(word)
    kind = named["kind"].lower() if named else "image"
    number = number_of(named["number"] if named else word)
    below = _below(named)
    if kind in ("image", "images", "img", "imageid") and number is not None and not below:
        return Named("image", number)
    text = quoted(link or whole)
    if kind in _CONTAINERS and number is not None:
        return _deep_enough(Named(_CONTAINERS[kind], number, below), text)
    if kind in _KINDS and number is not None:
        what = f"a link to {kind} {number}" if link else f"{kind} {number}"
        raise UsageError(f"{text} is {what}; images are needed. Open it at the IDR, select images there and copy their link, or give their ids.")
    if study := _STUDY.fullmatch(word):
        return _deep_enough(Named("study", 0, (_decoded(study["name"]), *_below(study))), text)
    inside = f" holds {quoted(word)}, which" if link or word != whole else ""
    raise UsageError(f"{text}{inside} is no image. Give ids such as 6001240, names such as image-6001240, or links to images of the IDR.")


def _below(match: re.Match[str] | None) -> tuple[str, ...]:
    return tuple(_decoded(part) for part in match["below"].split("/")[1:]) if match and match["below"] else ()


def _deep_enough(named: Named, text: str) -> Named:
    if len(named.path) <= _DEEPEST[named.kind]:
        return named
    raise UsageError(
        f"{text} names too much: below a {named.kind} there is nothing that deep. Write a plate as plate:2551, its well as plate:2551/B07, "
        "a field of it as plate:2551/B07/0; a blank or slash in a name as %20 or %2F."
    )


def _in_link(link: str, host: str, depth: int) -> Iterator[Named]:
    match = _LINK.fullmatch(link if "://" in link or link.startswith(("/", "?")) else f"https://{link}")
    scheme = (match["scheme"] or "").lower() if match else ""
    if match is None or depth == 0 or scheme not in ("", "http", "https") or (not scheme and "://" in match["path"]):
        raise UsageError(f"{quoted(link)} is no link that can be understood. Copy the link of the images from the IDR's page again.")
    parameters = [part.partition("=")[::2] for part in (match["query"] or "").split("&")]
    values = {key.lower(): value for key, value in parameters if value}
    if source := values.get("source"):
        yield from _in_source(_decoded(source), link, host, depth)
        return
    server = (match["host"] or "").lower()
    if server and server != host and not _IDR_HOST.fullmatch(server):
        yield from _in_store(link, server)
        return
    yield from _in_page(unquote(match["path"] or ""), values, parameters, link)


def _in_page(path: str, values: dict[str, str], parameters: list[tuple[str, str]], link: str) -> Iterator[Named]:
    shown = values.get("show") or values.get("path", "").rpartition("|")[2]
    if shown:
        yield from _listed(shown, link)
        return
    for pattern in _PATHS:
        if match := pattern.search(path):
            groups = match.groupdict()
            kind = _LISTED.get((groups.get("list") or "").lower()) or (groups.get("kind") or groups.get("list") or "image").lower()
            yield _word(f"{_SHORT.get(kind, kind)}-{match['image']}", link, link=link)
            return
    if _ID_PAGES.search(path):
        for key, value in parameters:
            if key.lower() == "id":
                yield from _listed(value, link)
        return
    for key in _ID_KEYS:
        if key in values:
            for name, value in parameters:
                if name.lower() == key:
                    yield from _listed(value, link)
            return
    study = _STUDY_PAGE.fullmatch(path)
    container = next((f"{key}-{values[key]}" for key in _OTHER_KEYS if number_of(values.get(key, ""))), study[1] if study else None)
    if container is not None:
        yield _word(container, link, link=link)
        return
    raise UsageError(f"{quoted(link)} is {_page_of(path)}; images are needed. Select images at the IDR and copy their link, or give their ids.")


def _page_of(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if parts and parts[0] in ("study", "search", "searchengine", "cell", "tissue", "mapr", "figure", "about"):
        return f"the IDR's page {'/'.join(parts[:2])}"
    return "a page of the IDR that shows no particular image"


def _listed(value: str, link: str) -> Iterator[Named]:
    found = False
    for match in _WORD.finditer(_decoded(value, plus=True)):
        found = True
        yield _word(match[0], match[0], link=link)
    if not found:
        raise UsageError(f"{quoted(link)} names no image. Copy the link of the images from the IDR's page again.")


def _in_source(source: str, link: str, host: str, depth: int) -> Iterator[Named]:
    """Read the link of a viewer of OME-Zarr (vizarr, the validator …), which says in ``source`` what it shows."""
    match = _LINK.fullmatch(source)
    server = (match["host"] or "").lower() if match else ""
    if server and (server == host or _IDR_HOST.fullmatch(server)):
        yield from _in_link(source, host, depth - 1)
    else:
        yield from _in_store(source, server, shown=link)


def _in_store(address: str, server: str, *, shown: str = "") -> Iterator[Named]:
    """Find the image that an address of an OME-Zarr is a copy of."""
    from .idr_addresses import NoAddressError, registered_address

    text = quoted(shown or address)
    if ".zarr" not in address.lower():
        raise UsageError(f"{text} is a link to {server or 'nowhere'}, which is not the IDR. Give links, names or ids of images of the IDR.")
    facts, samples = _copies()
    try:
        found = registered_address(address, facts)
    except NoAddressError as error:
        raise UsageError(f"{text}: {error} Give the id of the image.") from error
    row = samples.get(found)
    if row is None:
        raise UsageError(
            f"{text} is an OME-Zarr that is not known as a copy of an image of the IDR. Give the image's id, or convert the store by its own address."
        )
    if row.kind == "plate" and row.plate_id is None:
        raise UsageError(f"{text} is a whole plate of {row.study}, whose number is not known. Give the ids of images on it, or of the plate.")
    number, kind = (row.plate_id, "plate") if row.kind == "plate" and row.plate_id is not None else (row.image_id, "image")
    yield Named(kind, number)


@cache
def _copies() -> tuple[Tables, Mapping[str, Sample]]:
    """The tables, and each known copy by its address."""
    from .endpoints import Endpoints
    from .idr_addresses import registered_address
    from .idr_facts import Tables

    facts = Tables(Endpoints())
    copies = {registered_address(f"{row.address}/{row.inside}", facts): row for row in facts.samples}
    return facts, copies | {registered_address(row.address, facts): row for row in facts.samples}


def _decoded(text: str, *, plus: bool = False) -> str:
    """Undo percent-encoding, also where it was done twice."""
    for _ in range(_NESTED):
        decoded = (unquote_plus if plus else unquote)(text)
        if decoded == text:
            break
        text, plus = decoded, False
    return text


def number_of(text: str) -> int | None:
    """Return a number of an object; None for anything else. Only ASCII digits count, and none so many that they are no id."""
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        return None
    number = int(text)
    return number if 0 < number <= LARGEST_ID else None


def quoted(text: str) -> str:
    """Quote what a user wrote, cut and without anything that a terminal acts on."""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"“{_UNPRINTABLE.sub(' ', shown)}”"
