#!/usr/bin/env python3
"""Write docs/rules.md, the catalogue of what `lm_check` checks, from the rules themselves.

Usage: ``python scripts/write_rules_page.py`` writes it; ``--check`` only says whether it is up to date (exit code 1 if not).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from lightmicroscopy.metadata.rules import PROFILES, catalogue  # noqa: E402 - the library is beside, not installed

if TYPE_CHECKING:
    from lightmicroscopy.metadata.findings import Rule

PAGE = ROOT / "docs" / "rules.md"
AREAS = {
    "source": "Where the image comes from",
    "ome": "OME metadata",
    "tiff": "OME-TIFF and TIFF",
    "ngff": "OME-Zarr (NGFF)",
}
"""Titles of areas, the first part of a rule's id; others get their own name."""
HEAD = """# What `lm_check` checks

This page is written by `scripts/write_rules_page.py` from the rules themselves; a test fails when it is not up to date. The ids are stable: they
stand in the tables, and a change of one is a new major version.

*error*: the file breaks a rule, or a number in it is certainly wrong. *warning*: something important is missing or unlikely. *info*: good to know.
Single findings of a rule may be graver or milder than stated here. Two more findings are of no rule: `input.unreadable` (no reader could open the
input; rules that look at its metadata still run) and `input.preview` (it is a picture made by this suite).

"""


def page(rules: Iterable[Rule]) -> str:
    """The whole page."""
    by_area: dict[str, list[Rule]] = {}
    for rule in rules:
        by_area.setdefault(rule.id.partition(".")[0], []).append(rule)
    parts = [HEAD, "## Profiles\n\n", *(f"- *{name}*: {_cell(title)}\n" for name, title in PROFILES.items()), "\n## All rules\n\n", _index(by_area)]
    for area, found in by_area.items():
        parts.append(f"\n## {AREAS.get(area, area.capitalize())}\n")
        parts.extend(_section(rule) for rule in sorted(found, key=lambda rule: rule.id))
    return "".join(parts)


def _index(by_area: dict[str, list[Rule]]) -> str:
    lines = ["| rule | severity | profiles | what holds where nothing is found |", "|---|---|---|---|"]
    for rules in by_area.values():
        for rule in sorted(rules, key=lambda rule: rule.id):
            lines.append(f"| [`{rule.id}`](#{_anchor(rule)}) | {rule.severity} | {', '.join(rule.profiles)} | {_cell(rule.title)} |")
    return "\n".join(lines) + "\n"


def _section(rule: Rule) -> str:
    return (
        f"\n### {rule.id}\n\n**{rule.title}** ({rule.severity}; {', '.join(rule.profiles)})\n\n"
        f"- Why: {rule.why}\n- How to mend it: {rule.fix}\n- Source: <{rule.source}>\n"
    )


def _anchor(rule: Rule) -> str:
    """Link to a heading as GitHub makes it."""
    return rule.id.replace(".", "").lower()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the page is not up to date")
    options = parser.parse_args()
    wanted = page(catalogue())
    if options.check:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == wanted:
            return 0
        print("docs/rules.md is not what the rules say; run python scripts/write_rules_page.py", file=sys.stderr)
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
