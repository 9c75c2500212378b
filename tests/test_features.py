"""docs/features.md: every row is there, and whatever it says this suite can do names tests that exist."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
import yaml
from lxml import etree

FEATURES = (
    "IDR images by id or link",
    "IDR by project or dataset",
    "IDR by screen, plate, well or field",
    "IDR search by gene, compound, organism, any key and value",
    "IDR over HTTPS, without Ice",
    "OME-Zarr of IDR and BioImage Archive read in place, by level, region or plane",
    "All channels, planes and times kept, with pixel size and channel names",
    "IDR annotations, regions and bulk tables as tables",
    "BioImage Archive: files as a table with size, attributes, component",
    "BioImage Archive: only some files, by pattern, component, size or number",
    "BioImage Archive: study metadata as JSON and as a REMBI table",
    "Checksums, resuming, retries, limited rate",
    "A plan before fetching, and a manifest that can be given back",
    "A table of what failed, item by item",
    "Nested collections (study : component, plate : well : field)",
    "Sample sheets, identifiers that carry metadata",
    "Vendors' files keep their ending or are known without it",
    "Files that belong together (companion, database, zipped folder)",
    "Several series in one file as a collection",
    "OME-TIFF with pyramid and validated OME-XML",
    "OME-Zarr 0.5 written, and OME-Zarr as one zip",
    "Metadata as JSON and table, for programs",
    "Completeness of metadata checked, with a report",
    "OME-Zarr validated",
    "Pixels and metadata compared before and after a conversion",
    "Tests that need no network",
    "Python with unit tests",
    "A workflow from accession to result, by the IWC's rules",
    "Metadata written into OME-TIFF and OME-Zarr without touching a pixel",
    "A sheet of metadata (REMBI) that images fill in, read back and checked",
    "Terms of ontologies checked, and the right ones suggested",
    "Licence and citation of what was downloaded",
)


@functools.cache
def tables() -> dict[str, list[dict[str, str]]]:
    """Rows of each table of the document, by the heading of its second column."""
    found: dict[str, list[dict[str, str]]] = {}
    text = (Path(__file__).parents[1] / "docs" / "features.md").read_text(encoding="utf-8")
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in block.splitlines()]
        found[head[1]] = [dict(zip(head, row, strict=True)) for row in rows]
    return found


def proofs() -> dict[str, list[str]]:
    return {row["feature"]: re.findall(r"`([^`]+::[^`]+)`", row["tests"]) for row in tables()["tests"]}


@functools.cache
def named_in(path: Path) -> frozenset[str]:
    """Names of the tests in a file, which is not imported."""
    if path.suffix == ".py":
        body = ast.parse(path.read_text(encoding="utf-8")).body
        return frozenset(node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))
    if path.suffix == ".xml":
        tests = etree.parse(path).getroot().find("tests")
        before = [test.getprevious() for test in tests.findall("test")] if tests is not None else []
        return frozenset(" ".join(str(comment.text).split()) for comment in before if comment is not None and comment.tag is etree.Comment)
    return frozenset(test["doc"] for test in yaml.safe_load(path.read_text(encoding="utf-8")))


def test_every_feature_has_a_row_in_both_tables() -> None:
    assert tuple(row["feature"] for row in tables()["this suite"]) == FEATURES
    assert tuple(row["feature"] for row in tables()["tests"]) == FEATURES


@pytest.mark.parametrize("feature", FEATURES)
def test_what_is_claimed_is_proved_and_what_is_lacking_is_told(feature: str) -> None:
    (row,) = (row for row in tables()["this suite"] if row["feature"] == feature)
    (told,) = (row["to know"] for row in tables()["tests"] if row["feature"] == feature)
    assert row["this suite"] in ("yes", "partly", "no")
    assert bool(proofs()[feature]) == (row["this suite"] != "no")
    assert told or row["this suite"] == "yes"


@pytest.mark.parametrize("proof", sorted({proof for named in proofs().values() for proof in named}))
def test_a_test_that_is_named_exists(root: Path, proof: str) -> None:
    path, _, name = proof.partition("::")
    assert name in named_in(root / path)


def test_every_other_tool_has_a_version_and_a_date() -> None:
    columns = list(tables()["this suite"][0])[2:]
    sources = tables()["tool and version"]
    assert [row["column"] for row in sources] == columns
    assert all(re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", row["as of"]) and re.search(r"\d\.\d", row["tool and version"]) for row in sources)


def test_a_cell_with_a_test_names_nothing_else() -> None:
    """So that no proof escapes because it is spelt in another way."""
    for row in tables()["tests"]:
        assert re.sub(r"`[^`]+::[^`]+`|, ", "", row["tests"]) == ""
