"""Downloading files of the BioImage Archive: list, choose, plan, hold the plan against the limits, then fetch several at a time."""

from __future__ import annotations

import logging
import os
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ..errors import ArchiveError, MissingError, SuiteError, UsageError
from ..names import without_extension
from ..progress import counted
from ..provenance import checksums, sha256
from ..writers.options import WriteOptions
from .bia_choice import Choice, Named, Places, folder_of, safe_name
from .bia_search import STORE, Looked, Lookup, packed
from .engine import Engine, Limits, Tally
from .failures import AlreadyThereError
from .fetch_file import forget_part
from .idr_addresses import NoAddressError
from .manifest import Earlier, Row
from .ordered import in_order
from .originals import make_folder, refuse_link_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..report_paths import ReportPaths
    from .bia_files import Listed
    from .biostudies import BioStudies
    from .http import Client
    from .study import Study

Format = Literal["original", "ome-zarr"]

MAX_ITEMS: Final = 10_000

log = logging.getLogger("lightmicroscopy")


@dataclass(frozen=True, slots=True)
class Job:
    """What one call is to do.

    Attributes
    ----------
    accessions
        Studies.
    format
        ``original``: files as they were submitted; ``ome-zarr``: the images that the archive keeps so itself, read and written anew.
    named
        A table that names files; only these are wanted then.
    plan_only
        Plan, and fetch no file.
    manifest
        File for the manifest, rewritten as the work goes on.
    reports
        All files that are written beside what is fetched: none may be in its place.
    earlier
        What an earlier call has left: not fetched again.
    progress
        Called with (bytes done, bytes in all).
    """

    accessions: tuple[str, ...]
    output: Path
    choice: Choice = field(default_factory=Choice)
    named: Named | None = None
    limits: Limits = field(default_factory=lambda: Limits(MAX_ITEMS))
    plan_only: bool = False
    manifest: Path | None = None
    earlier: Earlier = field(default_factory=Earlier)
    progress: Callable[[int, int], None] | None = None
    format: Format = "original"
    options: WriteOptions = field(default_factory=WriteOptions)
    parameters: tuple[tuple[str, str], ...] = ()
    reports: ReportPaths | None = None

    @property
    def extension(self) -> str:
        """Of what is written; empty for files, which keep theirs."""
        return "" if self.format == "original" else ".ome.zarr.zip" if self.options.zip else ".ome.zarr"


@dataclass
class Result(Tally):
    """What became of it, the studies met, and whether their files could be listed completely.

    Attributes
    ----------
    sums
        (SHA-256, path) of every file that is there.
    paths
        Of the OME-Zarr stores among them.
    """

    studies: dict[str, Study] = field(default_factory=dict)
    incomplete: bool = False
    sums: list[tuple[str, str]] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Task:
    """A file to plan: where it is, and where it goes; `problem` where it cannot be had."""

    looked: Looked
    file: Listed
    place: str
    kept: Sequence[Row] = ()
    problem: SuiteError | None = None

    @property
    def item(self) -> str:
        return item_of(self.looked.study.accession, self.file.path)


def item_of(accession: str, path: str) -> str:
    """Name of a file in a manifest."""
    return f"{accession}/{path}"


def download(service: BioStudies, client: Client, job: Job, *, clock: Callable[[], float] = time.monotonic) -> Result:
    """Plan and fetch files.

    Raises
    ------
    UsageError
        If there are too many, too much is to be fetched, or something is asked for that a study does not have; nothing was fetched then.
    UnwritableError
        If the disk is too small or becomes full, or the output folder cannot be written.
    """
    result = Result()
    if job.named is not None:
        job.named.refuse_other_format(job.format)
    with ExitStack() as stack:
        lookup = Lookup(service, client, stack)
        studies = lookup.studies(job.accessions, files=True, images=job.format == "ome-zarr")
        for looked in studies:
            result.studies[looked.study.accession] = looked.study.cited
            result.incomplete |= not looked.complete
            assert looked.files is not None  # noqa: S101 - for the type checker: they were asked for
            job.choice.refuse_unknown(looked.files, () if looked.stores else looked.study.components)
        asked_by = "the accessions" if job.named is None else "the earlier table"
        engine = Engine(
            job.output,
            job.limits,
            manifest=job.manifest,
            progress=job.progress,
            tally=result,
            brief=True,
            asked_by=asked_by,
            reports=job.reports,
            clock=clock,
        )
        run = _Run(client, job, engine, result, studies)
        with engine:
            run.refuse_none_or_too_many(lookup.failed)
            count = run.plan(lookup.failed, stack.enter_context(Places()))
            engine.save()
            run.refuse_all_too_large()
            if not job.plan_only:
                engine.hold_against_limits()
                run.fetch(count)
    return result


class _Run:
    """The state of one call, beside the engine's."""

    def __init__(self, client: Client, job: Job, engine: Engine, result: Result, studies: Sequence[Looked]) -> None:
        self.client = client
        self.job = job
        self.engine = engine
        self.result = result
        self.studies = studies
        self._several = len(job.accessions) > 1
        self._folders: set[Path] = set()
        self._may_be_whole: set[int] = set()
        """Items whose file is there already, where an earlier manifest says that a file was to be."""
        self._too_large = 0

    def wanted(self) -> Iterator[tuple[Looked, Listed]]:
        """Files that are wanted of each study, in the order of their paths."""
        named = self.job.named
        for looked in self.studies:
            if looked.files is None:
                continue
            if named is None:
                yield from ((looked, file) for file in self.job.choice.of(looked.files))
                continue
            chosen = (file for file in looked.files.files() if named.has(looked.study.accession, file.path) and self.job.choice.fits(file))
            for number, file in enumerate(chosen):
                if self.job.choice.first is not None and number >= self.job.choice.first:
                    break
                yield looked, file

    def refuse_none_or_too_many(self, failed: Sequence[object]) -> None:
        """Raise `UsageError` if no file fits, or more than are allowed in one go; a plan may be of any length."""
        count = sum(1 for _ in self.wanted())
        if not count and not failed and next(self._not_listed(), None) is None:
            listed = sum(looked.files.count for looked in self.studies if looked.files is not None)
            names = ", ".join(self.job.accessions[:5])
            raise UsageError(f"None of the {listed:,} files of {names} fits. Choose otherwise; a search with --files shows what is there.")
        if not self.job.plan_only:
            self.job.limits.refuse_too_many(count, "files")

    def plan(self, failed: Sequence[tuple[str, SuiteError]], places: Places) -> int:
        """Plan every file; a failed one is a row. Gives how many items there are."""
        number = 0
        for accession, error in failed:
            self.engine.fail(number, Row(accession, "failed", study=accession), error)
            number += 1
        for rows in self.job.earlier.items.values():
            for row in rows:
                places.take(row.path)
        for task, planned in in_order(self._tasks(places), self._planned):
            if isinstance(planned, SuiteError):
                self.engine.fail(number, self._row(task, None, ""), planned)
            elif planned is None:
                self.engine.keep(number, task.kept)
                self._made(task.kept)
            elif self._leave_out(number, planned):
                self._too_large += 1
            else:
                self.engine.plan(number, [planned])
                self._note_if_there(number, planned)
            number += 1
        for accession, path in self._not_listed():
            missing = MissingError(
                f"{path[:300]!r} is not among the files of {accession}. It was taken back, or the table was changed; remove that line."
            )
            self.engine.fail(number, Row(item_of(accession, path), "failed", study=accession), missing)
            number += 1
        return number

    def _leave_out(self, number: int, row: Row) -> bool:
        """Leave out what turns out to be too large only now, since the study does not state its size."""
        if row.bytes is None and self.job.choice.largest is not None:
            reason = "Its size is not known, so that --largest-file leaves it out."
        elif self.job.choice.is_too_large(row.bytes):
            reason = "It is larger than --largest-file allows."
        else:
            return False
        self.engine.manifest.put(number, replace(row, status="skipped", reason=reason, path=""))
        return True

    def refuse_all_too_large(self) -> None:
        """Tell of files that are left out for their size; raise `UsageError` if there are no others."""
        if not self._too_large:
            return
        sentence = f"{counted(self._too_large, 'file')} whose size no list states turned out to be larger than --largest-file allows"
        if not (self.result.planned or self.result.done or self.result.failed):
            raise UsageError(f"{sentence}, and no other fits. Raise it, or choose otherwise.")
        log.warning("%s; the manifest names them.", sentence)

    def _note_if_there(self, number: int, row: Row) -> None:
        named = self.job.named
        if named is not None and named.is_manifest and os.path.lexists(self.job.output / row.path):
            accession, _, path = row.item.partition("/")
            if named.place(accession, path) == row.path:
                self._may_be_whole.add(number)

    def _not_listed(self) -> Iterator[tuple[str, str]]:
        """Files that a table names and the study does not."""
        if self.job.named is None:
            return
        for looked in self.studies:
            if looked.files is not None:
                for path in self.job.named.paths(looked.study.accession):
                    if not looked.files.has(path):
                        yield looked.study.accession, path

    def _tasks(self, places: Places) -> Iterator[_Task]:
        for looked, file in self.wanted():
            accession = looked.study.accession
            kept = self.job.earlier.items.get(item_of(accession, file.path), ())
            if kept and all(self._fits(row, looked, file) for row in kept):
                yield _Task(looked, file, "", kept)
                continue
            folder = folder_of(file.folder, accession if self._several else "")
            if file.type == STORE:
                # One folder of names is enough: what belongs together is in one store.
                name = without_extension(file.path.rpartition("/")[2])
                yield _Task(looked, file, str(places.of(folder, f"{name}{self.job.extension}")))
                continue
            try:
                path = packed(file, looked.info)
                looked.info.file(path)
            except NoAddressError as error:
                yield _Task(looked, file, "", problem=ArchiveError(f"{error} It is not fetched; tell the archive's curators."))
                continue
            yield _Task(looked, file, str(places.of(folder, path)))

    def _fits(self, row: Row, looked: Looked, file: Listed) -> bool:
        """Whether what an earlier call made is of the kind that is wanted now: a file, or a store of it."""
        if file.type == STORE:
            return row.path.endswith(self.job.extension)
        return Path(row.path).suffix == Path(safe_name(packed(file, looked.info).rpartition("/")[2])).suffix

    def _planned(self, task: _Task) -> Row | None:
        """Plan one file: ask for its size where the study does not state it, which is so for every folder."""
        if task.kept:
            return None
        if task.problem is not None:
            raise task.problem
        info, file = task.looked.info, task.file
        if file.type == STORE:
            return self._row(task, file.bytes, task.looked.stores[file.path])
        url = info.file(packed(file, info))
        size = None if file.type == "directory" else file.bytes
        if size is None:
            size = self.client.size(url)
        if size is None and file.type == "directory":
            raise MissingError(
                f"{file.path!r} is a folder, and the archive keeps no zip of it. What is in it cannot be listed; fetch it by Globus or FTP."
            )
        if size is None:
            raise MissingError(f"{file.path!r} is listed, and is not on the server. Tell the archive's curators.")
        return self._row(task, size, url)

    def _row(self, task: _Task, size: int | None, url: str) -> Row:
        study = task.looked.study
        note = "A folder, kept by the archive as a zip." if task.file.type == "directory" and url else ""
        return Row(task.item, "planned", note, source_url=url, path=task.place, bytes=size, study=study.accession, licence=study.licence.name)

    def fetch(self, count: int) -> None:
        """Fetch what is planned, several files at a time."""
        try:
            self.engine.fetch(range(count), self._fetch, at_once=self.client.files_at_once if self.job.format == "original" else 1, done=self._made)
        finally:
            for folder in sorted(self._folders, key=lambda folder: len(folder.parts), reverse=True):
                with suppress(OSError):
                    folder.rmdir()

    def _made(self, rows: Sequence[Row]) -> None:
        for row in rows:
            path = self.job.output / row.path
            self.result.sums += checksums([path], self.job.output) if path.is_dir() else [(row.sha256, row.path)]
        self.result.paths += [self.job.output / row.path for row in rows if self.job.format == "ome-zarr"]

    def _fetch(self, number: int, rows: Sequence[Row], _: list[Row]) -> Sequence[Row]:
        (row,) = rows
        path = self.job.output / row.path
        if self.job.format == "ome-zarr":
            return [self._written_anew(number, row, path)]
        if os.path.lexists(path):
            return [self._found_whole(number, row, path)]
        refuse_link_out(path, self.job.output)
        self._folders.update(folder for folder in path.parents if self.job.output in folder.parents)
        make_folder(path.parent, row.source_url)
        limit = row.bytes if row.bytes is not None else self.job.limits.bytes
        fetched = self.client.download(
            row.source_url, path, limit=limit, expected=row.bytes, progress=lambda done, total: self.engine.tell(number, done)
        )
        return [
            replace(
                row, status="done", bytes=fetched.bytes, sha256=fetched.sha256, server_checksum=fetched.server_checksum, attempts=fetched.attempts
            )
        ]

    def _written_anew(self, number: int, row: Row, path: Path) -> Row:
        from .bia_store import write_store

        if os.path.lexists(path):
            raise AlreadyThereError(row.path, "image")
        refuse_link_out(path, self.job.output)
        self._folders.add(path.parent)
        study = self.result.studies[row.study]
        written = write_store(self.client, row, path, study, self.job, lambda done, total: self.engine.tell(number, done))
        return replace(written, attempts=1)

    def _found_whole(self, number: int, row: Row, path: Path) -> Row:
        """Take over a file that a call which was stopped has fetched, and not yet noted: files get their names when they are whole."""
        if number not in self._may_be_whole or path.is_symlink() or not path.is_file() or path.stat().st_size != row.bytes:
            raise AlreadyThereError(row.path)
        forget_part(path)
        return replace(row, status="done", reason="Found whole, from an earlier call that was stopped.", sha256=sha256(path), attempts=0)
