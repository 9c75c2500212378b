"""docs/rules.md says what the rules say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lightmicroscopy.metadata.findings import OPEN_FORMAT
from lightmicroscopy.metadata.rules import catalogue


def test_the_page_is_up_to_date(root: Path) -> None:
    ran = subprocess.run([sys.executable, root / "scripts" / "write_rules_page.py", "--check"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_every_rule_has_its_place_on_the_page_and_every_link_a_heading(root: Path) -> None:
    text = (root / "docs" / "rules.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (\S+)$", text, re.MULTILINE)
    assert sorted(headings) == sorted(rule.id for rule in catalogue())
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert sorted(links) == sorted(heading.replace(".", "") for heading in headings)


def test_the_page_of_the_specifications_names_rules_that_there_are(root: Path) -> None:
    text = (root / "docs" / "specification-points.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:source|ome|tiff|ngff)\.[a-z0-9-]+)`", text))
    known = {rule.id for rule in catalogue([OPEN_FORMAT])}
    assert named <= known
    assert {rule for rule in known if rule.startswith(("tiff.", "ngff."))} <= named
