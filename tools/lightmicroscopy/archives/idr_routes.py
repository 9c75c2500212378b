"""Where the pixels of an image of the IDR may be, best first.

The address the IDR registered for the image's OME-Zarr, the OME-Zarr it was imported from, the catalogue of OME-Zarr samples, and the
original files. What gives no address is kept with the reason, so that an error can name everything that was tried. Nothing is fetched
here, except the list of files once it is needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from ..errors import ArchiveError, MissingError
from .endpoints import Endpoints
from .idr_addresses import NoAddressError, allowed, imported_address, registered_address
from .idr_facts import Sample, Tables, version_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .idr import Originals
    from .idr_record import ImageRecord
    from .idr_study import Place

Route = Literal["external-info", "client-path", "samples", "originals"]

POINTERS: Final = (".pattern", ".screen", ".fake")
"""Files that only say, to Bio-Formats, which others belong together."""
_STORE_FILES: Final = (".zattrs", ".zgroup", ".zarray", ".zmetadata", "zarr.json")
# What is opened to read a set of several files, the likeliest first: it names the others.
_FIRST: Final = (
    re.compile(r"\.companion\.ome$"),
    re.compile(r"\.ome\.xml$|/metadata\.ome\.xml$"),
    re.compile(r"/index(\.idx|\.ref)?\.xml$|measurementindex\.columbusidx\.xml$|/experiment_descriptor\.xml$"),
    re.compile(r"\.(xdce|htd|wpi|mea|res|vsi|lei|xlef|lof|scn|mrxs|oif|nd|ims|h5)$"),
    re.compile(r"\.(ome\.)?(tiff?|btf|tf2|tf8|czi|lif|nd2|dv|lsm|ndpi|svs|oir|flex)$"),
)
_VERSION: Final = re.compile(r"/zarr/v(\d+\.\d+)/")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where the pixels may be.

    Attributes
    ----------
    urls
        A store's group, or all files of a set with the one to open first; none if there is no address, and `note` says why.
    series
        Which series to take if what is opened holds several.
    ngff_version
        Where it is known before opening.
    note
        Sentences: how the address was found, or why there is none.
    openable
        False if the files can be fetched, but not opened as this image.
    doubtful
        True if it is listed with other sizes than the image has.
    """

    route: Route
    kind: Literal["ome-zarr", "original"]
    urls: tuple[str, ...]
    series: int | None
    ngff_version: str | None
    note: str
    openable: bool = True
    doubtful: bool = False


@lru_cache(maxsize=8)
def tables(endpoints: Endpoints) -> Tables:
    """Tables of facts for these servers, read once."""
    return Tables(endpoints)


def candidates(
    record: ImageRecord,
    originals: Originals | Callable[[], Originals],
    facts: Tables | None = None,
    *,
    place: Place | None = None,
) -> Iterator[Candidate]:
    """Give every place the pixels may be, the best first.

    Of two copies of one image the one in the newer version of NGFF is first, wherever the older is registered.

    Parameters
    ----------
    originals
        The files the image was made from, or how to ask for them; asked at most once, and only when it comes to them.
    facts
        The tables; by default the bundled ones and the public servers.
    place
        Where the image belongs: an image of a plate is found in the plate's store by its well.
    """
    facts = facts or tables(Endpoints())
    registered = _registered(record, facts)
    samples = _samples(record, place, facts)
    newer = [sample for sample in samples if _is_newer(sample, registered) and not sample.doubtful]
    for sample in newer:
        yield replace(sample, note=f"{sample.note} It is newer than the copy the IDR registered ({registered.ngff_version}, {registered.urls[0]}).")
    yield registered
    try:
        files = originals() if callable(originals) else originals
    except ArchiveError as error:
        reason = "The IDR knows no files of it." if isinstance(error, MissingError) else f"The list of its files could not be had: {error}"
        imported, whole = [Candidate("client-path", "ome-zarr", (), None, None, reason)], [Candidate("originals", "original", (), None, None, reason)]
    else:
        imported, whole = list(_imported(record, files, place, facts)), [_originals(record, files, facts)]
    yield from imported
    tried = {registered.urls, *(candidate.urls for candidate in (*newer, *imported))} - {()}
    yield from (sample for sample in samples if sample.urls not in tried)
    yield from whole


def _nothing(route: Route, reason: str) -> Candidate:
    return Candidate(route, "original" if route == "originals" else "ome-zarr", (), None, None, reason)


def _registered(record: ImageRecord, facts: Tables) -> Candidate:
    if not record.external:
        return _nothing("external-info", "The IDR has registered no OME-Zarr for it.")
    try:
        url = allowed(registered_address(record.external, facts), facts)
    except NoAddressError as error:
        return _nothing("external-info", str(error))
    return Candidate("external-info", "ome-zarr", (url,), record.series, _version_of(url), "The OME-Zarr that the IDR registered for it.")


def _version_of(url: str) -> str | None:
    """Version in the samples' layout of folders."""
    found = _VERSION.search(url)
    return found[1] if found else None


def _is_newer(sample: Candidate, registered: Candidate) -> bool:
    if not sample.urls or not registered.urls or sample.ngff_version is None or registered.ngff_version is None:
        return False
    return version_order(sample.ngff_version) > version_order(registered.ngff_version)


# --- samples


def _samples(record: ImageRecord, place: Place | None, facts: Tables) -> list[Candidate]:
    # What is listed with other sizes may still be the image, for the list is not always right: it comes last, and is judged when it is open.
    rows = sorted(
        (row for row in facts.samples if _is_of(row, record, place)), key=lambda row: (not _differences(row, record), row.order), reverse=True
    )
    found = [_sample(row, record, place, facts) for row in rows]
    if not found:
        return [_nothing("samples", "It is not among the IDR's samples of OME-Zarr.")]
    usable = [candidate for candidate in found if candidate.urls]
    older = ", ".join(f"{candidate.ngff_version} at {candidate.urls[0]}" for candidate in usable[1:])
    if older:
        usable[0] = replace(usable[0], note=f"{usable[0].note} Other copies: {older}.")
    return [*usable, *(candidate for candidate in found if not candidate.urls)]


def _is_of(row: Sample, record: ImageRecord, place: Place | None) -> bool:
    if row.image_id == record.id:
        return True
    if row.kind != "plate" or place is None or place.plate_id is None:
        return False
    by_number = row.plate_id == place.plate_id
    return by_number or (row.plate_id is None and row.study == place.study and bool(place.plate) and row.stem == place.plate)


def _differences(row: Sample, record: ImageRecord) -> str:
    """Sizes that the list states otherwise than the IDR, in words; empty if there are none."""
    own = (record.size_x, record.size_y, record.size_z, record.size_c, record.size_t)
    pairs = zip("xyzct", row.sizes, own, strict=True)
    return ", ".join(f"{listed} in {axis} where the IDR has {size}" for axis, listed, size in pairs if listed not in (None, size))


def _sample(row: Sample, record: ImageRecord, place: Place | None, facts: Tables) -> Candidate:
    inside = row.inside
    if row.kind == "plate":
        if place is None or not place.well_path or place.field is None:
            return _nothing("samples", f"The sample {row.address} is its plate, but the image's well is not known.")
        inside = f"{place.well_path}/{place.field}"
    try:
        url = allowed(registered_address(f"{row.address}/{inside}".replace("%", "%25"), facts), facts)
    except NoAddressError as error:
        return _nothing("samples", str(error))
    notes = [f"Sample of OME-Zarr {row.version} of the IDR."]
    if row.kind == "plate":
        notes.append(f"It is the whole plate; the image is field {place.field if place else ''} of well {place.well if place else ''} there.")
    if differences := _differences(row, record):
        notes.append(f"It may be another image: it is listed with {differences}.")
    elif row.stem != str(record.id) and row.kind == "image":
        notes.append(f"The store is called {row.stem}; by its sizes it is this image.")
    if row.labels:
        notes.append("It is listed with label maps.")
    return Candidate("samples", "ome-zarr", (url,), 0 if inside == "" else None, row.version, " ".join(notes), doubtful=bool(differences))


# --- files


def _imported(record: ImageRecord, files: Originals, place: Place | None, facts: Tables) -> Iterator[Candidate]:
    stores = list(dict.fromkeys(store for path in files.client_paths if (store := store_of(path)) is not None))
    if not stores:
        yield _nothing("client-path", "It was not imported from an OME-Zarr.")
        return
    if len(stores) > 1:
        yield _nothing("client-path", f"It was imported from {len(stores)} OME-Zarr stores at once, and which of them it is is not known.")
        return
    try:
        url = allowed(imported_address(stores[0], facts), facts)
    except NoAddressError as error:
        yield _nothing("client-path", str(error))
        return
    note = "The OME-Zarr it was imported from."
    if "bia-integrator-data/" in stores[0]:
        note += " It has moved since, and the path inside its bucket is taken to be the same."
    if place is not None and place.well_path and place.field is not None:
        well = f"{note} It is a plate, and the image is taken from its well {place.well}, field {place.field}."
        yield Candidate("client-path", "ome-zarr", (f"{url}/{place.well_path}/{place.field}",), None, None, well)
    yield Candidate("client-path", "ome-zarr", (url,), record.series, None, note)


def store_of(path: str) -> str | None:
    """Root of the Zarr store that a file lies in; None if it lies in none."""
    parts = path.rstrip("/").split("/")
    # The last, since stores were wrapped in folders of the same name.
    named = [index for index, part in enumerate(parts) if part.lower().endswith(".zarr")]
    if named:
        return "/".join(parts[: named[-1] + 1])
    return "/".join(parts[:-1]) if parts[-1] in _STORE_FILES and len(parts) > 1 else None


def _originals(record: ImageRecord, files: Originals, facts: Tables) -> Candidate:
    paths = [path for path in files.client_paths if store_of(path) is None]
    pointers = [path for path in paths if path.lower().endswith(POINTERS)]
    data = sorted((path for path in paths if path not in set(pointers)), key=_rank)
    if not paths:
        return _nothing("originals", "The IDR knows no files of it." if not files.client_paths else "It has no original files besides its OME-Zarr.")
    if not data:
        name = pointers[0].rpartition("/")[2][:200]
        return _nothing("originals", f"Its only file, {name}, names others for Bio-Formats and holds no pixels; where those are is not said.")
    urls, refused = [], []
    for path in data:
        try:
            urls.append(allowed(imported_address(path, facts), facts))
        except NoAddressError as error:
            refused.append(str(error))
    if not urls:
        what = "Its only file" if len(data) == 1 else f"None of its {len(data)} files"
        return _nothing("originals", f"{what} {'cannot' if len(data) == 1 else 'can'} be fetched: {refused[0]}")
    note = "Its original file." if len(urls) == 1 else f"Its {len(urls)} original files."
    if refused:
        note += f" Of the set's {len(data)} files {len(refused)} cannot be fetched, so that it cannot be opened: {refused[0]}"
    if pointers:
        note += f" How they belong together is said in {pointers[0].rpartition('/')[2][:200]}, which only Bio-Formats reads."
    return Candidate("originals", "original", tuple(urls), record.series, None, note, openable=not pointers and not refused)


def _rank(path: str) -> int:
    lower = f"/{path.lower()}"
    return next((rank for rank, pattern in enumerate(_FIRST) if pattern.search(lower)), len(_FIRST))
