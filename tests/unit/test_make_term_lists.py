"""The script that makes the lists of terms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lightmicroscopy.metadata.ontologies.terms import BUNDLED, read_terms

OBO = """format-version: 1.2
data-version: 2030-01-01

[Term]
id: UO:0000017
name: micrometer
synonym: "micron" EXACT []

[Term]
id: UO:0000018
name: nanometer
"""


def run(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, root / "scripts" / "make_term_lists.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_list_is_made_from_a_published_file(root: Path, tmp_path: Path) -> None:
    (tmp_path / "uo.obo").write_text(OBO, encoding="utf-8")
    done = run(root, "--output", tmp_path / "lists", "--published", f"UO={tmp_path / 'uo.obo'}", "--licence", "CC BY 4.0")
    assert done.returncode == 0, done.stderr
    about, terms = read_terms(tmp_path / "lists" / BUNDLED["UO"])
    assert (about.version, about.licence, about.complete) == ("2030-01-01", "CC BY 4.0", True)
    assert [(term.curie, term.label, term.synonyms) for term in terms] == [("UO:0000017", "micrometer", ("micron",)), ("UO:0000018", "nanometer", ())]


def test_a_file_that_is_not_there_is_told(root: Path, tmp_path: Path) -> None:
    done = run(root, "--output", tmp_path, "--published", f"UO={tmp_path / 'gone.obo'}")
    assert done.returncode == 2
    assert "NAME=FILE" in done.stderr
