"""Downloading original files of studies straight from the IDR's tree, folder by folder, whatever images are made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ..errors import MissingError, SuiteError, UsageError
from .engine import Engine
from .idr_download import Job, Result
from .idr_request import is_manifest
from .idr_spec import parse_named
from .idr_study import Place
from .idr_tree import address_below, files_below, is_plain
from .manifest import Row, read_rows
from .ordered import in_order
from .original_paths import OriginalPaths
from .originals import fetching_originals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from .http import Client
    from .idr import Idr
    from .idr_spec import Named
    from .idr_walk import Walk
    from .study import Study


def download_folders(idr: Idr, client: Client, walk: Walk, job: Job, specs: Iterable[str], table: Path | None = None) -> Result:
    """Plan and fetch every file of studies, or of folders of theirs.

    Parameters
    ----------
    specs
        Studies such as ``idr0062``, or ``idr0062/20190429-ftp/Acini``: folders of the tree below a study.
    table
        Manifest of an earlier call: its files are asked for instead of a folder's listing.

    Raises
    ------
    UsageError
        If something else than studies is named, or there is too much; nothing was fetched then.
    ArchiveError
        If nothing of what is asked for can be had.
    UnwritableError
        If the disk is too small, or the output folder cannot be written.
    """
    if job.wanted.format != "original" or not job.wanted.selection.wants_everything:
        raise UsageError("A study's folder holds original files, which are fetched whole. Choose the format original, and leave the selection out.")
    result = Result()
    with Engine(
        job.output, job.limits, manifest=job.manifest, progress=job.progress, tally=result, brief=True, asked_by=job.asked_by, reports=job.reports
    ) as engine:
        numbers = _plan(_wanted(idr, client, walk, job, specs, table, result), client, job, engine, result)
        engine.save()
        if not job.plan_only:
            engine.hold_against_limits()
            with fetching_originals(client, job.output, job.limits.bytes, job.earlier.files, job.earlier.begun) as originals:

                def work(number: int, rows: Sequence[Row], done: list[Row]) -> Sequence[Row]:
                    return [originals.row(row, job.output, lambda count, _: engine.tell(number, count)) for row in rows]

                def made(rows: Sequence[Row]) -> None:
                    result.paths.extend(job.output / row.path for row in rows)

                engine.fetch(range(numbers), work, at_once=client.connections, done=made)
    return result


def _plan(wanted: Iterator[Row | tuple[Row, SuiteError]], client: Client, job: Job, engine: Engine, result: Result) -> int:
    """Ask how long each file is; gives how many there are."""
    count, paths = 0, OriginalPaths(job.earlier.files)

    def placed() -> Iterator[Row | tuple[Row, SuiteError]]:
        """Give each file once, and its place: a study, a folder of it and a manifest may name the same."""
        met = set[str]()
        for one in wanted:
            if isinstance(one, Row):
                if one.source_url in met:
                    continue
                met.add(one.source_url)
            yield replace(one, path=str(paths.of(one.source_url))) if isinstance(one, Row) else one

    def kept(row: Row) -> Row | None:
        there = job.earlier.files.get(row.source_url)
        return there if there is not None and there.path == row.path else None

    def size(row: Row | tuple[Row, SuiteError]) -> int | None:
        return client.size(row.source_url) if isinstance(row, Row) and kept(row) is None else 0

    for count, (planned, length) in enumerate(in_order(placed(), size), 1):
        number = count - 1
        row, error = (planned, length) if isinstance(planned, Row) else planned
        if isinstance(error, SuiteError):
            engine.fail(number, row, error)
        elif (there := kept(row)) is not None:
            engine.keep(number, [replace(there, item=row.item)])
            result.paths.append(job.output / there.path)
        elif error is None:
            engine.fail(number, row, MissingError(f"{row.source_url} is listed, but not there."))
        else:
            engine.plan(number, [replace(row, bytes=error)])
    return count


def _wanted(
    idr: Idr, client: Client, walk: Walk, job: Job, specs: Iterable[str], table: Path | None, result: Result
) -> Iterator[Row | tuple[Row, SuiteError]]:
    """Give the files that are asked for, and what is asked for and has none."""
    base, count, failures = idr.endpoints.idr_originals, 0, list[SuiteError]()
    named = list(dict.fromkeys(parse_named(specs, web=idr.endpoints.idr_web)))
    if table is not None:
        for row in _of_manifest(table, base):
            if not row.source_url:
                named += [one for one in parse_named([row.item]) if one not in named]
                continue
            count += 1
            job.limits.refuse_too_many(count, "files")
            yield row
    for one in named:
        if one.kind != "study":
            raise UsageError(
                f"{one.item} is no study, and only studies have folders of original files. Name one such as idr0062, or a folder of it such as "
                "idr0062/20190429-ftp; or leave --originals-from out."
            )
    for one in named:
        try:
            before = count
            for row in _of_study(client, walk, idr, one, base, job.limits.items - count, result):
                count += 1
                yield row
            if count == before:
                raise MissingError(f"The folder of {one.item} holds no file. Leave --originals-from out, to have the files that the IDR names.")
        except UsageError:
            raise
        except SuiteError as error:
            failures.append(error)
            yield Row(one.item, "failed"), error
    if not count and failures:
        raise failures[0]
    if not count:
        raise UsageError("No study is asked for. Name one such as idr0062, or give the manifest of an earlier call as the table.")


def _of_study(client: Client, walk: Walk, idr: Idr, one: Named, base: str, most: int, result: Result) -> Iterator[Row]:
    containers = walk.study_containers(one.path[0])
    for name in one.path[1:]:
        if not is_plain(name):
            raise UsageError(f"{name[:100]!r} is no name of a folder. Name folders below a study with slashes between them.")
    studies: dict[str, Study] = {}
    for container in containers:
        study = idr.study(Place(container.accession, container.name, container.kind, container.id, container.name))
        result.studies.setdefault(study.name, study)
        studies.setdefault(container.name.partition("/")[0], study)
    for folder, study in studies.items():
        if not is_plain(folder):
            continue
        common = Row(folder, "planned", "Listed in the IDR's tree of original files.", study=study.name, licence=study.licence)
        for url in files_below(client, address_below(base, folder, *one.path[1:]), most):
            yield replace(common, source_url=url)


def _of_manifest(table: Path, base: str) -> Iterator[Row]:
    if not is_manifest(table):
        raise UsageError(f"{table.name} is no manifest. To fetch a study's folder, name the study, or give the manifest of an earlier call.")
    for cells in read_rows(table, ("item", "status", "source_url")):
        url = cells["source_url"]
        if not url:
            # What could not be listed then is listed now.
            yield Row(cells["item"], "failed")
            continue
        if not url.startswith(f"{base}/") or "?" in url or not all(map(is_plain, map(unquote, url[len(base) + 1 :].split("/")))):
            raise UsageError(
                f"{table.name} names {url[:200]}, which is no file below {base}. Give a manifest of this tool's, made with --originals-from."
            )
        reason = "Listed in the IDR's tree of original files."
        yield Row(
            cells["item"],
            "planned",
            reason,
            source_url=url,
            study=cells.get("study", ""),
            licence=cells.get("licence", ""),
        )
