"""Studies of the BioImage Archive: descriptions in each template and spelling, file lists, and small files made when they are asked for.

Accessions, titles, people, licences, dates and paths are the real ones where README.md says so; everything else is invented.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .files import Original, imagej_tiff

Style = Literal["pagetab", "redirect", "link", "link-pagetab"]
Pair = dict[str, Any]
CC0 = ("CC0", "https://creativecommons.org/publicdomain/zero/1.0/legalcode")
CC_BY = ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/legalcode")
MANY = 2_500


@dataclass(frozen=True)
class Listed:
    """One line of a file list; `size` is what the list says, which need not be true."""

    path: str
    attributes: tuple[tuple[str, str], ...] = ()
    size: int | None = None
    type: str = "file"


@dataclass(frozen=True)
class BiaStudy:
    """A study as the service keeps it.

    Parameters
    ----------
    style
        How the service answers when it is asked for the study.
    files
        What lies below Files/, file lists apart.
    lists
        File lists by the name the study gives them; those ending in .tsv are kept as tables, the others as JSON.
    sections
        Which section each list belongs to, as the table of files calls it.
    """

    accession: str
    relpath: str
    style: Style
    document: Pair
    files: Mapping[str, Original]
    lists: Mapping[str, tuple[Listed, ...]] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    store: Literal["fire", "nfs"] = "fire"
    private: bool = False
    zipped: bool = False
    tsv_only: bool = False
    raw_lists: Mapping[str, bytes] = field(default_factory=dict)
    """Bytes to serve in place of a list."""
    collection: str = "BioImages"

    @property
    def folder(self) -> str:
        """Path of its folder on the server of files."""
        return f"/biostudies/{self.store}/{self.relpath}"

    @functools.cached_property
    def title(self) -> str:
        return next((one["value"] for one in self.document["section"]["attributes"] if one["name"] == "Title"), "")

    @functools.cached_property
    def released(self) -> str:
        return next((one["value"] for one in self.document["attributes"] if one["name"] == "ReleaseDate"), "")

    @functools.cached_property
    def authors(self) -> list[str]:
        return [
            one["attributes"][0]["value"]
            for one in self.document["section"].get("subsections", [])
            if isinstance(one, dict) and one["type"].lower() == "author"
        ]

    def rows(self) -> Iterator[tuple[str, Listed]]:
        """Every listed file with the section it belongs to."""
        for name, listed in self.lists.items():
            for one in listed:
                yield self.sections.get(name, ""), one
        for file in self.document["section"].get("files", []):
            for one in file if isinstance(file, list) else [file]:
                yield "", Listed(one["path"], tuple((a["name"], a.get("value", "")) for a in one.get("attributes", [])), one["size"])

    def size_of(self, listed: Listed) -> int:
        """Bytes that a list states."""
        if listed.size is not None:
            return listed.size
        return len(self.files[listed.path].data)

    @functools.cached_property
    def served(self) -> dict[str, bytes]:
        """Descriptions and lists by their paths below its folder."""
        data = {f"{self.accession}.tsv": pagetab_table(self.document)}
        if not self.tsv_only:
            data[f"{self.accession}.json"] = json.dumps(self.document).encode()
        for name, listed in self.lists.items():
            if name.endswith(".tsv"):
                data[f"Files/{name}"] = self._table(listed)
            else:
                data[f"Files/{name.rpartition('.')[0]}.json"] = self.raw_lists.get(name) or json.dumps([self._entry(one) for one in listed]).encode()
        return data

    def _entry(self, one: Listed) -> Pair:
        attributes: list[Pair] = [{"name": name, "value": value} for name, value in one.attributes]
        return {"path": one.path, "size": self.size_of(one), "type": one.type, "attributes": [*attributes, {}, {"name": "empty", "value": "null"}]}

    @staticmethod
    def _table(listed: tuple[Listed, ...]) -> bytes:
        names = list(dict.fromkeys(name for one in listed for name, _ in one.attributes))
        lines = ["\t".join(["Files", *names])]
        lines += ["\t".join([one.path, *(dict(one.attributes).get(name, "") for name in names)]) for one in listed]
        return ("\n".join(lines) + "\n").encode()


def attribute(name: str, value: str, *, reference: bool = False, **qualifiers: str) -> Pair:
    """Return an attribute."""
    made: Pair = {"name": name, "value": value}
    if reference:
        made["reference"] = True
    if qualifiers:
        made["valqual"] = [{"name": key, "value": said} for key, said in qualifiers.items()]
    return made


def section(kind: str, accno: str = "", attributes: tuple[Pair, ...] = (), **below: list[Any]) -> Pair:
    """Return a section."""
    return {"type": kind, "attributes": list(attributes), **({"accno": accno} if accno else {}), **below}


def licence(stated: tuple[str, str]) -> Pair:
    """Return a licence as the templates write it."""
    return attribute("License", stated[0], URL=stated[1])


def submission(accession: str, released: str, root: Pair, template: str = "BioImages.v4", *more: Pair) -> Pair:
    """Return a whole description."""
    attributes = [attribute("Template", template), attribute("ReleaseDate", released), attribute("AttachTo", "BioImages"), *more]
    return {"accno": accession, "attributes": attributes, "section": root, "type": "submission"}


def person(number: int, name: str, kind: str = "Author", orcid: str = "", affiliation: str = "o1") -> Pair:
    """Return an author."""
    attributes = [attribute("Name", name), attribute("affiliation", affiliation, reference=True)]
    if orcid:
        attributes.insert(1, attribute("ORCID", orcid))
    return section(kind, f"author{number}", tuple(attributes))


def pagetab_table(document: Pair) -> bytes:
    """Return a description as a table of text."""
    blocks = [[f"Submission\t{document['accno']}", *_lines(document["attributes"])]]

    def add(part: Pair, parent: str) -> None:
        accno = part.get("accno", "")
        blocks.append(["\t".join([part["type"], accno, *([parent] if parent else [])]), *_lines(part["attributes"])])
        for file in (one for each in part.get("files", []) for one in (each if isinstance(each, list) else [each])):
            blocks.append([f"File\t{file['path']}", *_lines(file.get("attributes", []))])
        for below in (one for each in part.get("subsections", []) for one in (each if isinstance(each, list) else [each])):
            add(below, accno)

    add(document["section"], "")
    return ("\n\n".join("\n".join(block) for block in blocks) + "\n").encode()


def _lines(attributes: list[Pair]) -> Iterator[str]:
    for one in attributes:
        if "name" not in one:
            continue
        name = f"<{one['name']}>" if one.get("reference") else one["name"]
        yield f"{name}\t{one.get('value', '')}"
        for qualifier in one.get("valqual", []):
            yield f"[{qualifier['name']}]\t{qualifier['value']}"


def picture(seed: int, y: int = 48, x: int = 64) -> Original:
    """Return a small stack."""
    return Original(lambda: imagej_tiff(seed, 2, 3, y, x, 0.3))


def plane(seed: int, y: int, x: int) -> Original:
    """Return an 8-bit plane whose resolution is the 72 dpi of a drawing program."""

    def make() -> bytes:
        import tifffile

        from .seeds import noise

        out = io.BytesIO()
        tifffile.imwrite(out, (noise(y, x, seed) * 4).astype("uint8"), resolution=(72, 72), resolutionunit=2, metadata=None, software=False)
        return out.getvalue()

    return Original(make)


def text(content: str) -> Original:
    """Return a file of text."""
    return Original(content.encode)
