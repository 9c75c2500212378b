"""The suite's tables: what a spreadsheet, a Galaxy tool or sha256sum makes of them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from lightmicroscopy.archives.manifest import read_rows
from lightmicroscopy.errors import UnwritableError
from lightmicroscopy.reports.tables import CONVERSION, FILES, FINDINGS, MANIFEST, cell, path_cell, write_checksums, write_table


def test_a_table_has_one_header_line_and_one_line_per_row(tmp_path: Path) -> None:
    table = tmp_path / "findings.tsv"
    write_table(table, FINDINGS, [{"input": "a.tif", "message": "æ µm"}, {"input": "b.tif"}])
    lines = table.read_bytes().decode().split("\n")
    assert lines[0].split("\t") == list(FINDINGS)
    assert lines[1].split("\t")[0] == "a.tif"
    assert "æ µm" in lines[1]
    assert [line.count("\t") for line in lines[:3]] == [len(FINDINGS) - 1] * 3
    assert lines[3:] == [""]


@pytest.mark.parametrize("nasty", ["a\tb", "a\nb", "a\r\nb", "a\u2028b", "a\x00b", "a\x0bb", "a\x85b"])
def test_a_name_with_tabs_or_line_ends_stays_in_its_cell(tmp_path: Path, nasty: str) -> None:
    table = tmp_path / "t.tsv"
    write_table(table, FINDINGS, [{"input": nasty, "rule": "x"}])
    rows = table.read_text(encoding="utf-8").splitlines()
    assert len(rows) == 2
    assert rows[1].split("\t")[0] == "a b"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("", ""), (True, "true"), (0, "0"), (0.325, "0.325"), (1 / 3, "0.3333333333"), (("DAPI", "GFP"), "DAPI; GFP"), ((), "")],
)
def test_values_are_written_one_way(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_column_that_is_not_of_the_table_is_a_mistake_of_ours_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sha512"):
        write_table(tmp_path / "t.tsv", CONVERSION, [{"input": "a", "sha512": "x"}])
    assert list(tmp_path.iterdir()) == []


def test_a_file_name_that_is_no_text_does_not_stop_the_table(tmp_path: Path) -> None:
    write_table(tmp_path / "t.tsv", FINDINGS, [{"input": b"caf\xe9.tif".decode(errors="surrogateescape")}])
    assert "caf?.tif" in (tmp_path / "t.tsv").read_text(encoding="utf-8")


def test_a_folder_that_cannot_hold_the_table_is_named_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match=r"t\.tsv cannot be written: .+\."):
        write_table(tmp_path / "file" / "t.tsv", FINDINGS, [])


def test_sha256sum_accepts_the_checksums_whatever_the_names(tmp_path: Path) -> None:
    names = ["plain.tif", "with space.tif", "back\\slash.tif", "line\nend.tif", "æøå.tif"]
    for name in names:
        (tmp_path / name).write_text(name)
    write_checksums(tmp_path / "sums.txt", [(hashlib.sha256(name.encode()).hexdigest(), name) for name in names])
    result = subprocess.run(["sha256sum", "--check", "--strict", "sums.txt"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(": OK") == len(names)


NAMES = [
    " a.tif",
    "a.tif ",
    " ",
    "a\tb.tif",
    "a\tb.tif ",
    "a b.tif",
    "a\r\nb.tif",
    "\\a.tif",
    "\\u0009",
    "a\\u0009b.tif",
    "c:\\x\ty\\",
    "\u2028",
    "a\u00a0",
]


def test_names_of_files_survive_their_tables_exactly(tmp_path: Path) -> None:
    """The files table and the manifest are given back to the tools that wrote them."""
    for columns in (FILES, MANIFEST):
        table = tmp_path / "t.tsv"
        write_table(table, columns, [{"path": name} | ({"item": f"S-1/{name}"} if "item" in columns else {"accession": "S-1"}) for name in NAMES])
        assert table.read_bytes().count(b"\t") == (len(NAMES) + 1) * (len(columns) - 1)
        rows = list(read_rows(table, ("path",)))
        assert [row["path"] for row in rows] == NAMES
        assert "item" not in columns or [row["item"] for row in rows] == [f"S-1/{name}" for name in NAMES]


def test_only_names_that_would_not_survive_are_escaped() -> None:
    assert [path_cell(name) for name in ("a b.tif", " a ", "a\\b", "a%20b", "\u00e6")] == ["a b.tif", " a ", "a\\b", "a%20b", "\u00e6"]
