"""What the check says of a mutation, and what programs that are not ours do."""

from __future__ import annotations

import json
import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.findings import Finding

from .bases import STORES
from .model import Base, Content, Mutation

Caught = Literal["meant", "another", "not"]
Told = Counter[tuple[str, str]]
MASKED = "input.unreadable"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one mutation was told."""

    mutation: Mutation
    caught: Caught
    rules: tuple[str, ...]
    """The rules that spoke of it."""
    oracles: tuple[tuple[str, str], ...] = ()
    """What each of the programs asked says is wrong with it; nothing where it takes it for valid."""


def told(base: Base, folder: Path, mutation: Mutation | None = None) -> list[Finding]:
    """Findings of a base, or of a mutation of it; what is written is removed."""
    folder.mkdir()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = base.write(folder, None if mutation is None else mutation.content())
            return list(check([path]).findings)
    finally:
        shutil.rmtree(folder)


def verdicts(mutations: Iterable[Mutation], folder: Path) -> Iterator[Verdict]:
    """Check every mutation and compare with what is said of its base."""
    known: dict[str, Told] = {}
    for mutation in mutations:
        if mutation.base.name not in known:
            known[mutation.base.name] = _counted(told(mutation.base, folder / "base"))
        new = _counted(told(mutation.base, folder / "mutation", mutation)) - known[mutation.base.name]
        rules = tuple(sorted({rule for rule, _ in new}))
        caught: Caught = "meant" if mutation.meant & set(rules) else "another" if rules else "not"
        yield Verdict(mutation, caught, rules)


def _counted(findings: Iterable[Finding]) -> Told:
    """Findings without those that only say that a rule could not run."""
    return Counter((finding.rule, finding.message) for finding in findings if finding.severity != "not-run")


def by_schema(mutation: Mutation, folder: Path) -> str:
    """What the OME schema says of a document, asked without our rules; empty if it is valid."""
    from lxml import etree

    from lightmicroscopy.metadata.ome_schema import schema_file

    xml = _xml_of(mutation)
    tree = etree.parse(str(schema_file()), etree.XMLParser(no_network=True))
    for element in tree.getroot().findall("{http://www.w3.org/2001/XMLSchema}import"):
        tree.getroot().remove(element)
    schema = etree.XMLSchema(tree)
    return "" if schema.validate(etree.fromstring(xml)) else str(schema.error_log[0].message)


def _xml_of(mutation: Mutation) -> bytes:
    import io

    import tifffile

    (data,) = mutation.content().values()
    if mutation.base.file.endswith(".xml"):
        return data
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return str(file.pages.first.description).encode()


def by_models(base: Base, content: Content, folder: Path) -> str:
    """What ome-zarr-models says of a store; empty if it takes it for valid."""
    from ome_zarr_models import open_ome_zarr

    folder.mkdir()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            open_ome_zarr(str(base.write(folder, content)))
    except Exception as error:
        return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    finally:
        shutil.rmtree(folder)
    return ""


def asked(verdict: Verdict, folder: Path, validators: Callable[[Path], dict[str, str]] | None) -> Verdict:
    """The verdict with what the oracles say of its mutation."""
    mutation = verdict.mutation
    if mutation.base.file:
        return Verdict(mutation, verdict.caught, verdict.rules, (("OME schema", by_schema(mutation, folder)),))
    said = said_of(mutation.base, mutation.content(), folder, validators)
    refused = refused_by(mutation.base.name, folder, validators)
    return Verdict(mutation, verdict.caught, verdict.rules, tuple((name, "" if name in refused else text) for name, text in said.items()))


def said_of(base: Base, content: Content, folder: Path, validators: Callable[[Path], dict[str, str]] | None) -> dict[str, str]:
    """What each of the programs asked says is wrong with a store."""
    said = {"ome-zarr-models": by_models(base, content, folder / "models")}
    if validators is not None:
        (folder / "peers").mkdir()
        try:
            said |= validators(base.write(folder / "peers", content))
        finally:
            shutil.rmtree(folder / "peers")
    return said


_REFUSED: dict[tuple[str, bool], frozenset[str]] = {}


def refused_by(name: str, folder: Path, validators: Callable[[Path], dict[str, str]] | None) -> frozenset[str]:
    """Programs that refuse a store before it is broken: what they say of it afterwards means nothing."""
    key = (name, validators is not None)
    if key not in _REFUSED:
        base = STORES[name]
        _REFUSED[key] = frozenset(program for program, text in said_of(base, base.content, folder, validators).items() if text)
    return _REFUSED[key]


def as_json(verdict: Verdict) -> str:
    """A line for a log."""
    mutation = verdict.mutation
    said = {"base": mutation.base.name, "kind": mutation.kind, "where": mutation.where, "what": mutation.what, "caught": verdict.caught}
    return json.dumps({**said, "rules": verdict.rules, "meant": sorted(mutation.meant), "oracles": dict(verdict.oracles)}, ensure_ascii=False)
