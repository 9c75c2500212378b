#!/usr/bin/env python3
"""Ask `lm_check`, `ome-zarr-models validate` and ngff-zarr's validators about the same OME-Zarr stores.

The stores are the examples of the rules (`tests/unit/rule_table.py`: sound ones, and one for each mistake that a rule is for)
and mutations of valid metadata (`tests/mutations`). Writes docs/validators.md. ngff-zarr gets an environment of its own
(requirements/validators.txt); ome-zarr-models is among the tools' requirements.

Usage: ``python scripts/compare_validators.py [--mutations 16] [--seed 6] [--python PYTHON_WITH_NGFF_ZARR]``
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.by_place import load  # noqa: E402 - the repository is not installed
from tests.conftest import ROOT as _ROOT  # noqa: E402 - puts the library on the path

load("local")
load("validating")

from tests.mutations.bases import mutations  # noqa: E402
from tests.mutations.verdicts import asked, verdicts  # noqa: E402
from tests.unit.rule_examples import BASES  # noqa: E402
from tests.unit.rule_table import EXAMPLES  # noqa: E402

from local.environments import ensure  # noqa: E402 - a package of scripts, loaded above
from validating.peers import Peers  # noqa: E402

if TYPE_CHECKING:
    from tests.mutations.model import Mutation

PAGE = _ROOT / "docs" / "validators.md"
OURS, MODELS, SCHEMA, STRUCTURE = "lm_check", "ome-zarr-models", "ngff-zarr schema", "ngff-zarr structure"
OTHERS = (MODELS, SCHEMA, STRUCTURE)
HEAD = """# What validators of OME-Zarr find and miss

This page is written by `scripts/compare_validators.py`. The same stores are given to `lm_check` of this suite, to `ome-zarr-models validate` (1.7,
pydantic models of the specification, which also read the arrays' metadata) and to ngff-zarr 0.50.0: its JSON schemas of the specification, asked of
every group, and its structural checks (`from_ngff_zarr(validate=True)`, `from_hcs_zarr(validate=True)` with every well). `lm_check` uses
ome-zarr-models too, for its rule `ngff.structure`; what the others alone can see is therefore a question of its other rules.

A validator says whether a store keeps to the specification. `lm_check` also says whether what it says is complete and plausible, and whether the
pixels are there, which the specification does not ask: that the others say nothing of those is no fault of theirs.

*yes*: it complains; *–*: it says nothing. Of `lm_check`, *yes* is an error or a warning, *info* a finding below that.

The examples of the first table were made for the rules of this suite, one for each: that `lm_check` finds them all shows only that its rules
work. The mutations of the second were made without looking at any validator. Where a program refuses a store before anything is broken in it,
what it says of the broken one is not counted (ome-zarr-models 1.7 knows no bioformats2raw layout of 0.5).
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What everybody said of one store."""

    title: str
    about: str
    ours: str
    """Gravest severity of what is said of it and not of a sound store; empty for nothing."""
    others: dict[str, str]


def _examples(scratch: Path, peers: Peers) -> Iterator[Row]:
    """The examples of the rules that are stores, sound ones first."""
    known: set[str] = set()
    for name, make in BASES.items():
        folder = scratch / f"sound {name}"
        folder.mkdir()
        (path,) = make(folder)
        if path.is_dir():
            findings = _findings(path)
            known |= {rule for rule, _ in findings}
            yield Row(f"sound: {name}", "", _gravest([severity for _, severity in findings if severity != "info"]), _asked(path, peers))
    for number, example in enumerate(EXAMPLES):
        folder = scratch / str(number)
        folder.mkdir()
        (path, *others) = example.make(folder)
        if path.is_dir() and not others:
            severities = [severity for rule, severity in _findings(path) if rule not in known or rule == example.rule]
            yield Row(example.situation, f"`{example.rule}`", _gravest(severities), _asked(path, peers))


def _findings(path: Path) -> list[tuple[str, str]]:
    from lightmicroscopy.metadata.check import check

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [(finding.rule, finding.severity) for finding in check([path]).findings if finding.severity != "not-run"]


def _gravest(severities: Sequence[str]) -> str:
    return next((severity for severity in ("error", "warning", "info") if severity in severities), "")


def _asked(path: Path, peers: Peers) -> dict[str, str]:
    program = Path(sys.executable).with_name("ome-zarr-models")
    ran = subprocess.run([program, "validate", path], capture_output=True, text=True, check=False)
    said = "" if ran.returncode == 0 else (ran.stdout or ran.stderr).strip().splitlines()[0]
    return {MODELS: said, **peers.ask(path)}


def _mutated(seed: int, most: int, scratch: Path, peers: Peers) -> Iterator[tuple[Mutation, bool, dict[str, str]]]:
    """Mutations of stores: whether lm_check says something, and what the others say."""
    stores = (mutation for mutation in mutations(seed, most) if not mutation.base.file)
    for verdict in verdicts(stores, scratch / "mutations"):
        found = asked(verdict, scratch, peers.ask)
        yield found.mutation, found.caught != "not", dict(found.oracles)


def page(rows: Sequence[Row], mutated: Sequence[tuple[Mutation, bool, dict[str, str]]], seed: int, most: int) -> str:
    """Write the page."""
    lines = [
        HEAD,
        "\n## The examples of the rules\n\n",
        "| store | rule it is for | " + " | ".join((OURS, *OTHERS)) + " |\n",
        "|---|---|" + "---|" * 4 + "\n",
    ]
    for row in rows:
        ours = {"": "–", "info": "info"}.get(row.ours, "yes")
        cells = [ours, *("yes" if row.others[name] else "–" for name in OTHERS)]
        lines.append(f"| {row.title} | {row.about} | {' | '.join(cells)} |\n")
    faulty = [row for row in rows if row.about]
    counts = [sum(bool(row.ours) for row in faulty), *(sum(bool(row.others[name]) for row in faulty) for name in OTHERS)]
    lines.append(f"| **of {len(faulty)} that are not sound** | | {' | '.join(map(str, counts))} |\n")
    lines.append(f"\n## Mutations\n\nSeed {seed}, at most {most} of a kind and input (see [metadata-mutations.md](metadata-mutations.md)): ")
    lines.append(f"{len(mutated)} stores in each of which one thing was broken; some are valid all the same.\n\n")
    lines.append("| | " + " | ".join((OURS, *OTHERS)) + " |\n|---|" + "--:|" * 4 + "\n")
    found = [sum(ours for _, ours, _ in mutated), *(sum(bool(said[name]) for _, _, said in mutated) for name in OTHERS)]
    lines.append(f"| complain of | {' | '.join(map(str, found))} |\n")
    alone = [
        sum(ours and not any(said.values()) for _, ours, said in mutated),
        *(sum(not ours and [other for other in OTHERS if said[other]] == [name] for _, ours, said in mutated) for name in OTHERS),
    ]
    lines.append(f"| alone complain of | {' | '.join(map(str, alone))} |\n")
    missed = [
        "0"
        if not any(not ours and any(said.values()) for _, ours, said in mutated)
        else str(sum(not ours and any(said.values()) for _, ours, said in mutated))
    ]
    missed += [str(sum(not said[name] and any(text for other, text in said.items() if other != name) for _, _, said in mutated)) for name in OTHERS]
    lines.append(f"| are silent where another of the three others complains | {' | '.join(missed)} |\n")
    lines.append("\n### What the others find and `lm_check` does not\n\n")
    lines.append(_list([(mutation, said) for mutation, ours, said in mutated if not ours and any(said.values())]))
    lines.append("\n### What only `lm_check` finds\n\nBy place, how often:\n\n")
    places = Counter(f"{mutation.kind}: `{mutation.place}`" for mutation, ours, said in mutated if ours and not any(said.values()))
    lines.append("; ".join(f"{place} {count}" for place, count in sorted(places.items())) + ".\n" if places else "Nothing.\n")
    return "".join(lines)


def _list(found: Sequence[tuple[Mutation, dict[str, str]]]) -> str:
    if not found:
        return "Nothing.\n"
    lines = ["| store | place | what | who complains |", "|---|---|---|---|"]
    for mutation, said in found:
        who = "; ".join(f"{name}: {' '.join(text.replace('|', ' ').split())[:120]}" for name, text in said.items() if text)
        lines.append(f"| {mutation.base.name} | `{mutation.where}` | {mutation.what} | {who} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=16, help="mutations of a kind of each store")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--python", type=Path, help="Python that has ngff-zarr with its validators (default: an environment made for it)")
    options = parser.parse_args()
    with TemporaryDirectory() as folder, Peers(options.python or ensure("validators").python) as peers:
        scratch = Path(folder)
        rows = list(_examples(scratch, peers))
        (scratch / "mutations").mkdir()
        mutated = list(_mutated(options.seed, options.mutations, scratch, peers))
    PAGE.write_text(page(rows, mutated, options.seed, options.mutations), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
