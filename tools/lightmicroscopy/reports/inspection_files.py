"""The files an inspection leaves: written while the inputs go by, so that thousands take no more memory than one."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import SuiteError
from ..inspection import Input, Original, document, rows
from ..metadata.check import SUITE
from ..provenance import Provenance, checksum_of_source, now
from .json_file import JsonFile
from .tables import INSPECT, TableFile, TextFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..image import Dataset, Image
    from .inspection import Page


class Files:
    """Where each input is noted while it is open. The files get their names when this is closed without an exception.

    Parameters
    ----------
    table, json, html
        Files to make, each if wanted.
    ome_xml
        The document that each input gets, by the inputs' names; none if none is wanted.
    original
        What becomes of the sources' own metadata.
    checksum
        Whether the SHA-256 of each input is noted, for which all of it is read.
    told
        Called with each row of the table.
    """

    def __init__(
        self,
        *,
        table: Path | None = None,
        json: Path | None = None,
        html: Path | None = None,
        ome_xml: Mapping[str, Path] | None = None,
        original: Original = "keep",
        checksum: bool = False,
        parameters: Sequence[tuple[str, str]] = (),
        told: Callable[[dict[str, object]], None] | None = None,
    ) -> None:
        self.paths = (table, json, html)
        self.ome_xml = ome_xml or {}
        self.original: Original = original
        self.checksum = checksum
        self.parameters = tuple(parameters)
        self.told = told
        self.inputs = self.failed = self.series = 0
        self._stack = ExitStack()
        self._table: TableFile | None = None
        self._json: JsonFile | None = None
        self._page: Page | None = None
        self._documents = TextFiles()

    def __enter__(self) -> Files:
        table, json, html = self.paths
        head = {"suite": SUITE, "version": __version__, "date": now(), "parameters": dict(self.parameters)}
        with ExitStack() as opened:
            self._table = opened.enter_context(TableFile(table, INSPECT)) if table else None
            opened.enter_context(self._documents)
            self._json = opened.enter_context(JsonFile(json, head, "inputs")) if json else None
            if html:
                from .inspection import Page

                self._page = Page(self.parameters, self.original)
            self._stack = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self._stack.__exit__(kind, error, trace)
        html = self.paths[2]
        if kind is None and self._page is not None and html is not None:
            self._page.write(html)

    def add(self, item: Input) -> None:
        """Note one input everywhere."""
        if item.part_of:
            if self._json is not None:
                self._json.add(document(item))
            return
        images = item.dataset.images if item.dataset else ()
        self.inputs += 1
        self.series += len(images)
        self.failed += not images
        checksum = checksum_of_source(item.dataset) if self.checksum and item.dataset else ""
        lost = self._write_ome_xml(item, checksum)
        for number, row in enumerate(rows(item)):
            row["warnings"] = (*_sentences(row["warnings"]), *(lost if number == 0 else ()))
            if self._table is not None:
                self._table.add(row)
            if self.told is not None:
                self.told(row)
        if self._json is not None:
            self._json.add(document(item, self.original) | ({"sha256": checksum} if checksum else {}))
        if self._page is not None:
            self._page.add(item, checksum, lost)

    def _write_ome_xml(self, item: Input, checksum: str) -> tuple[str, ...]:
        if not self.ome_xml or item.dataset is None or not item.dataset.images:
            return ()
        try:
            text, losses = ome_xml(item.dataset, self.original, checksum, self.parameters)
        except SuiteError as error:
            return (f"Its OME-XML cannot be made: {error}",)
        self._documents.add(self.ome_xml[item.name], text)
        return losses


def ome_xml(dataset: Dataset, original: Original, checksum: str = "", parameters: Sequence[tuple[str, str]] = ()) -> tuple[str, tuple[str, ...]]:
    """Write the metadata of a dataset as OME-XML without pixels.

    Returns
    -------
    str
        The document, valid against the schema of June 2016.
    tuple of str
        A sentence for each thing it could not hold.

    Raises
    ------
    UnwritableError
        If OME has no such pixel type.
    """
    from ..metadata.ome_write import build_ome_with_losses

    place = dataset.location
    source = Provenance(place.name, checksum, "metadata only", tuple(parameters), now(), dataset.format, place.url or "")

    def recorded(image: Image) -> Image:
        annotation = source.annotation(image.series, image.name, lossy=image.lossy)
        return replace(image, metadata=replace(image.metadata, annotations=(*image.metadata.annotations, annotation)))

    document, losses = build_ome_with_losses([recorded(image) for image in dataset.images], storage="ome-zarr", source=dataset, original=original)
    return document.decode(), losses


def _sentences(value: object) -> tuple[str, ...]:
    return tuple(str(sentence) for sentence in value) if isinstance(value, list | tuple) else ()
