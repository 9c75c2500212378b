"""Documents to be checked: a sound submission and a sound study, and the findings of copies that somebody changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

from lightmicroscopy.metadata.check import Report, check
from lightmicroscopy.metadata.findings import Finding
from scripts.test_data import documents

TODAY = date(2026, 11, 23)
Json = dict[str, Any]
Content = str | bytes | Json | list[Any]
LIST = documents.FILE_LIST
STUDY = "idr0000-study.txt"
LIBRARY = "idr0000-screenA-library.txt"
PROCESSED = "idr0000-screenA-processed.txt"
ASSAYS = "idr0000-experimentA-assays.txt"


def write(folder: Path, files: Mapping[str, Content]) -> list[Path]:
    """Write documents under these names; what is no text becomes JSON."""
    paths = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict | list):
            content = json.dumps(content, ensure_ascii=False)  # noqa: PLW2901
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
        paths.append(path)
    return paths


def report_of(folder: Path, files: Mapping[str, Content], *profiles: str, also: Sequence[Path] = ()) -> Report:
    """Check these documents, and other files with them."""
    return check([*write(folder, files), *also], profiles, today=TODAY)


def found(folder: Path, files: Mapping[str, Content], *profiles: str, also: Sequence[Path] = ()) -> list[Finding]:
    """Return what a check of these documents finds."""
    return list(report_of(folder, files, *profiles, also=also).findings)


NO_IMAGES = {"idr.images-given", "bia.files-missing"}
"""Rules that say of documents without images that these could not be looked at."""


def by_themselves(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out that no images were given with the documents."""
    return [finding for finding in findings if finding.severity != "not-run" or finding.rule not in NO_IMAGES]


def grave(findings: Sequence[Finding]) -> set[str]:
    """Rules that found an error or a warning."""
    return {finding.rule for finding in findings if finding.severity in ("error", "warning")}


def of(findings: Sequence[Finding], rule: str) -> list[Finding]:
    """Findings of one rule."""
    return [finding for finding in findings if finding.rule == rule]


def submission(*changes: Callable[[Json], object]) -> Json:
    """Return the sound submission, changed."""
    document = deepcopy(documents.submission())
    for change in changes:
        change(document)
    return document


def part(document: Json, kind: str) -> Json:
    """First section of a type, wherever it is."""
    waiting = [document["section"]]
    while waiting:
        section: Json = waiting.pop(0)
        if section["type"] == kind:
            return section
        waiting += section.get("subsections", [])
    raise KeyError(kind)


def named(section: Json, name: str) -> Json:
    """First attribute of a name."""
    return next(each for each in section["attributes"] if each["name"] == name)


def setting(kind: str, name: str, value: str, **more: Any) -> Callable[[Json], object]:
    """Change that gives an attribute another value."""
    return lambda document: named(part(document, kind), name).update(value=value, **more)


def without(kind: str, name: str) -> Callable[[Json], object]:
    """Change that takes an attribute away."""
    return lambda document: part(document, kind)["attributes"].remove(named(part(document, kind), name))


def with_more(kind: str, name: str, value: str, **more: Any) -> Callable[[Json], object]:
    """Change that adds an attribute."""
    return lambda document: part(document, kind)["attributes"].append({"name": name, "value": value, **more})


def without_section(kind: str) -> Callable[[Json], object]:
    """Change that takes a section away."""

    def change(document: Json) -> None:
        waiting = [document["section"]]
        while waiting:
            section = waiting.pop(0)
            below = section.get("subsections", [])
            if any(each["type"] == kind for each in below):
                section["subsections"] = [each for each in below if each["type"] != kind]
                return
            waiting += below
        raise KeyError(kind)

    return change


def study(*changes: tuple[str, str]) -> str:
    """Return the sound study file, with texts in it replaced."""
    return replaced(documents.STUDY, *changes)


def replaced(text: str, *changes: tuple[str, str]) -> str:
    """Replace texts that must be there."""
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def whole_study(**files: str) -> dict[str, Content]:
    """Return study file, library and processed data, some of them others."""
    known: dict[str, Content] = {STUDY: documents.STUDY, LIBRARY: documents.LIBRARY, PROCESSED: documents.PROCESSED}
    names = {"study": STUDY, "library": LIBRARY, "processed": PROCESSED}
    return known | {names[key]: text for key, text in files.items()}
