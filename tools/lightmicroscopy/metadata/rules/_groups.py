"""The groups of an OME-Zarr as stored, each with the part it plays, whether or not a reader could open its images.

A store of which one list is wrong is refused by readers as a whole; what is wrong with it can be said only by looking at
the lists themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

from ...errors import SuiteError
from ..findings import CannotRun, Problem, Severity, Subject
from ..ngff_read import version_of
from ._stores import is_remote, is_store, ngff_version, store_of, stored_images

if TYPE_CHECKING:
    from ...readers.ome_zarr import Group
    from ...readers.zarr_store import Store

Role = Literal["image", "label", "labels", "plate", "well", "layout", "series"]
_ZIP = b"PK\x03\x04"
CHECKED = ("0.4", "0.5")
"""Versions of NGFF whose structure is checked."""
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """A group, the part it plays by the lists that lead to it, and the series it is or belongs to, where that is known."""

    role: Role
    group: Group
    series: int | None = None
    above: Group | None = None
    """Of a labels group and of label maps, the image they belong to; of a well the plate; of a plate's field the well."""

    @property
    def path(self) -> str:
        """Where it is in the store."""
        return self.group.path

    @property
    def called(self) -> str:
        """How sentences call it."""
        return f"The group {self.path}" if self.path else "The root group"

    def block(self, key: str) -> Json:
        """One of its NGFF keys that holds an object; empty where it does not."""
        value = self.group.ome.get(key)
        return value if isinstance(value, Mapping) else {}

    def problem(self, key: str, message: str, severity: Severity | None = None) -> Problem:
        """Make a `Problem` with it; `key` says where in its attributes."""
        return Problem(message, "/".join(part for part in (self.path, key) if part), self.series, severity)


def is_zarr(subject: Subject) -> bool:
    """Whether this is a Zarr store with a group at its top, opened or not."""
    if subject.dataset is not None:
        return is_store(subject)
    try:
        return root_of(subject) is not None
    except CannotRun:
        return False


def root_of(subject: Subject) -> Group | None:
    """The root group; ``None`` if there is none."""
    from ...readers.ome_zarr import read_group

    def read() -> Group | None:
        if subject.dataset is None and not _may_be_store(subject):
            return None
        with open_store_of(subject) as store:
            return read_group(store, "")

    return subject.shared.get("ngff-root", lambda: _read_or_say(read))


def _read_or_say(read: Callable[[], Group | None]) -> Group | None:
    try:
        return read()
    except (SuiteError, OSError) as error:
        raise CannotRun(str(error)) from error


def _may_be_store(subject: Subject) -> bool:
    from ...readers.zarr_store import folder_root

    if subject.path.is_dir():
        return folder_root(subject.path) is not None
    if not subject.path.is_file():
        return False
    with subject.path.open("rb") as stream:
        return stream.read(4) == _ZIP


@contextmanager
def open_store_of(subject: Subject) -> Iterator[Store]:
    """The store of an input: that of its dataset, or where no reader could open it, opened for the time being."""
    from ...readers.zarr_store import open_store

    if subject.dataset is not None:
        yield store_of(subject)
        return
    store = open_store(subject.path)
    try:
        yield store
    finally:
        store.close()


def version_here(subject: Subject) -> str:
    """NGFF version that the store is read as, or states; empty if it is none that this suite knows."""
    if subject.dataset is not None:
        return ngff_version(subject) if is_store(subject) else ""
    root = root_of(subject)
    if root is None:
        return ""
    try:
        return version_of(root.attributes, root.zarr_format, subject.name)[0]
    except SuiteError:
        return ""


def is_checked(subject: Subject) -> bool:
    """Whether this is a store of a version whose structure is checked."""
    return is_zarr(subject) and version_here(subject) in CHECKED


def groups(subject: Subject) -> tuple[StoredGroup, ...]:
    """Every group that the lists of a store lead to; those that cannot be read are left out, for the reader says so."""
    return subject.shared.get("ngff-groups", lambda: tuple(_walk(subject)))


def of_role(subject: Subject, *roles: Role) -> tuple[StoredGroup, ...]:
    """The groups of some roles."""
    return tuple(stored for stored in groups(subject) if stored.role in roles)


def has_role(*roles: Role) -> Any:
    """Make a condition: a store of a checked version that has such groups."""
    return lambda subject: is_checked(subject) and bool(of_role(subject, *roles))


def _walk(subject: Subject) -> Iterator[StoredGroup]:
    root = root_of(subject)
    if root is None:
        return
    series = {stored.group.path: stored.series for stored in stored_images(subject)} if subject.dataset is not None else {}
    with open_store_of(subject) as store:
        images = _remote_images(subject) if subject.dataset is not None and is_remote(stored_images(subject)[0]) else None
        yield from _Walk(store, series, images).all(root)


def _remote_images(subject: Subject) -> tuple[Group, ...]:
    """Images of a store on the web: those that were opened, for the others would have to be fetched."""
    return tuple(stored.group for stored in stored_images(subject) if stored.image.label_of is None)


def _images() -> int:
    """Images, wells or label maps that the reader accepts of a store."""
    from ...readers.ome_zarr import IMAGES

    return IMAGES


@dataclass(slots=True)
class _Walk:
    store: Store
    series: Mapping[str, int]
    only: tuple[Group, ...] | None
    left: int = field(default_factory=lambda: 3 * _images())
    """Groups that may still be asked for: a hostile plate can list as many as it likes."""

    def all(self, root: Group) -> Iterator[StoredGroup]:
        if "bioformats2raw.layout" in root.ome:
            yield StoredGroup("layout", root)
            listing = self.read("OME")
            if listing is not None:
                yield StoredGroup("series", listing)
        if "plate" in root.ome:
            yield StoredGroup("plate", root)
            yield from self.plate(root)
        elif "multiscales" in root.ome:
            yield from self.image(root)
        elif self.only is not None:
            for group in self.only:
                yield from self.image(group)
        else:
            yield from self.several(root)

    def read(self, path: str) -> Group | None:
        from ...readers.ome_zarr import read_group

        if self.left <= 0:
            return None
        self.left -= 1
        with suppress(SuiteError):
            return read_group(self.store, path)
        return None

    def plate(self, root: Group) -> Iterator[StoredGroup]:
        fields = {group.path: group for group in self.only or ()}
        wells = dict.fromkeys(path.rpartition("/")[0] for path in fields) if self.only is not None else dict.fromkeys(well_paths(root))
        for path in wells:
            well = self.read(path)
            if well is None:
                continue
            yield StoredGroup("well", well, above=root)
            block = well.ome.get("well")
            for entry in entries(block if isinstance(block, Mapping) else {}, "images"):
                name = entry.get("path")
                if not isinstance(name, str) or (self.only is not None and well.below(name) not in fields):
                    continue
                field = fields.get(well.below(name)) or self.read(well.below(name.strip("/")))
                if field is not None and "multiscales" in field.ome:
                    yield from self.image(field, well)

    def several(self, root: Group) -> Iterator[StoredGroup]:
        listing = self.read("OME")
        named = listing.ome.get("series") if listing is not None else None
        if isinstance(named, list):
            paths = [path.strip("/") for path in named if isinstance(path, str)]
            found = (self.read(root.below(path)) for path in dict.fromkeys(paths))
        else:
            found = (self.read(str(index)) for index in range(_images()))
        for group in found:
            if group is not None and "multiscales" in group.ome:
                yield from self.image(group)
            elif not isinstance(named, list):
                return

    def image(self, group: Group, above: Group | None = None) -> Iterator[StoredGroup]:
        series = self.series.get(group.path)
        yield StoredGroup("image", group, series, above)
        labels = self.read(group.below("labels"))
        if labels is None:
            return
        yield StoredGroup("labels", labels, series, group)
        names = labels.ome.get("labels")
        for name in dict.fromkeys(name for name in names if isinstance(name, str)) if isinstance(names, list) else ():
            label = self.read(labels.below(name.strip("/")))
            if label is not None and "multiscales" in label.ome:
                yield StoredGroup("label", label, series, group)


def entries(block: Json, key: str) -> list[Json]:
    """The objects in one of a block's lists."""
    value = block.get(key)
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def well_paths(root: Group) -> list[str]:
    """Paths of the wells that a plate lists."""
    plate = root.ome.get("plate")
    listed = entries(plate if isinstance(plate, Mapping) else {}, "wells")
    return [path.strip("/") for entry in listed if isinstance(path := entry.get("path"), str)]


def first_multiscale(group: Group) -> Json:
    """The first entry of ``multiscales``; empty if there is none."""
    value = group.ome.get("multiscales")
    return value[0] if isinstance(value, list) and value and isinstance(value[0], Mapping) else {}


def whole(value: object) -> TypeGuard[int]:
    """Whether a JSON value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)
