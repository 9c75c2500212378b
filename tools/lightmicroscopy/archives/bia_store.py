"""An OME-Zarr of the BioImage Archive, read over the network and written anew: whole, checked, and with where it came from."""

from __future__ import annotations

import logging
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final

from .. import readers
from ..errors import MissingError, UnreadableError, UnwritableError
from ..image import Location, MapAnnotation
from ..names import without_extension
from ..provenance import files_below, sha256_of
from .idr_image import NAMESPACE
from .originals import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..image import Dataset, Image
    from .bia_download import Job
    from .http import Client
    from .manifest import Row
    from .study import Study

_LONGEST_METADATA: Final = 16 * 1024 * 1024

log = logging.getLogger("lightmicroscopy")


def write_store(client: Client, row: Row, path: Path, study: Study, job: Job, progress: Callable[[int, int], None]) -> Row:
    """Fetch an image and write it.

    Parameters
    ----------
    row
        What is planned.
    path
        Of the store that is made.

    Returns
    -------
    Row
        What was done.

    Raises
    ------
    SuiteError
        If it cannot be read or written; nothing is left then.
    """
    from ..convert import Request, convert_dataset
    from ..readers.prefetch import share_of
    from ..readers.remote_store import RemoteStore

    url = row.source_url.rstrip("/")
    store = RemoteStore(client, url, name=f"the OME-Zarr of {row.item}", memory=share_of(job.options.memory))
    if all(store.get(name, _LONGEST_METADATA) is None for name in (".zgroup", "zarr.json", ".zattrs")):
        raise MissingError(f"The OME-Zarr of {row.item} is named, and is not on the server. Fetch the original file.")
    with readers.open(Location(Path("image.zarr"), store=store, url=url)) as opened, _folder_beside(path, url) as folder:
        if not opened.images:
            raise UnreadableError(f"The OME-Zarr of {row.item} holds no image. Fetch the original file.")
        dataset = replace(opened, images=tuple(_with_origin(image, row, study) for image in opened.images))
        request = Request("ome-zarr", options=job.options, parameters=job.parameters, name=without_extension(path.name))
        conversion = convert_dataset(dataset, folder, request, progress=progress)
        for outcome in conversion.outcomes:
            for sentence in (*outcome.losses, *outcome.warnings):
                log.warning("%s: %s", row.item, sentence)
        if conversion.failed:
            raise UnreadableError(conversion.failed[0].reason)
        (made,) = conversion.paths
        made.rename(path)
        notes = _never_stored(dataset)
    files = files_below(path)
    size = sum(file.stat().st_size for file in files.values())
    return replace(row, status="done", reason=notes, bytes=size, sha256=sha256_of(files))


@contextmanager
def _folder_beside(path: Path, url: str) -> Iterator[Path]:
    """Give a folder to make a store in, which is gone afterwards: the writer has its own way with names."""
    make_folder(path.parent, url)
    try:
        folder = Path(mkdtemp(prefix=".store-", dir=path.parent))
    except OSError as error:
        raise UnwritableError(f"Nothing can be written in the output folder: {error.strerror}. Choose one you may write to.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _with_origin(image: Image, row: Row, study: Study) -> Image:
    facts = (
        ("Archive", "BioImage Archive"),
        ("Study", study.accession),
        ("File", row.item.partition("/")[2]),
        ("URL", row.source_url),
        ("Licence", study.licence),
        ("Licence URL", study.licence_url),
        ("Data DOI", study.data_doi),
        ("Publication DOI", study.publication_doi),
    )
    origin = MapAnnotation(NAMESPACE, tuple((key, value) for key, value in facts if value))
    return replace(image, metadata=replace(image.metadata, annotations=(*image.metadata.annotations, origin)))


def _never_stored(dataset: Dataset) -> str:
    """Say that parts are only the fill value, for that is what Zarr makes of chunks that are lost, too."""
    from ..readers.remote_store import RemoteStore

    store = dataset.location.store
    if not isinstance(store, RemoteStore) or not store.absent:
        return ""
    sentence = f"{len(store.absent):,} chunks are not on the server, and the pixels there are the fill value."
    log.warning("%s: %s", dataset.location.name, sentence)
    return sentence
