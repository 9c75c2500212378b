"""The page docs/metadata-mutations.md: what was broken, what was told, what was not and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from .model import KINDS
from .verdicts import Verdict

HEAD = """# What the check says of broken metadata

This page is written by `python -m tests.mutations`. It takes valid metadata (OME-XML 2016-06 alone and in an OME-TIFF; OME-Zarr 0.4 and 0.5
with a label map, with several series and OME-XML, and as a plate), breaks one thing at a time, runs `lm_check` and looks at what it says that it
does not say of the whole. Which places are broken how is chosen at random from a seed, so that a run can be had again; at most so many of a kind
for each of the inputs. `tests/mutations/test_mutations.py` runs a small part of it with every run of the tests.

- **meant**: a rule that is for such a mistake speaks, error, warning or info. (Which rules are meant for which place stands in
  `tests/mutations/meant.py`.)
- **another**: some other rule speaks, or the input is said to be unreadable.
- **not**: nothing is said. Programs that are not ours are asked of each whether it is broken at all: the OME schema of 2016-06 (through
  libxml2), the models of ome-zarr-models, and the JSON schemas and structural checks of ngff-zarr.
"""
_REASONS: tuple[tuple[str, str, str], ...] = (
    (r"count", r"coordinateTransformations", "a level without a translation is as valid: single pixels, and not means, were taken"),
    (r"remove", r"@(Name|Model|ContrastMethod|Manufacturer|SerialNumber|ExternalIdentifier)|\bname$", "not demanded; nothing that reads it fails"),
    (r"remove", r"TiffData@|TiffData/UUID", "the default means the same here, or the file is found in another way"),
    (r"remove", r"omero\.(rdefs|name|channels)|coefficient|inverted|active|family", "not demanded: viewers have a default"),
    (r"remove|unit", r"axes\.unit", "along an axis of one step there is nothing to measure"),
    (r"remove|unit", r"Unit$", "the default unit is meant then"),
    (r"remove", r"version", "recommended, and stated by the store already"),
    (r"remove", r"", "not demanded by the specification"),
    (
        r"order",
        r"rgba|colors|properties|wells|channels|rows|columns|images|series",
        "another order that is as valid; only whoever made it knows the right one",
    ),
    (r"order", r"", "the order has no meaning there"),
    (r"dangling", r"@ID$", "nothing refers to it, so that its ID may be any"),
    (r"duplicate", r"", "may be there more than once"),
    (r"type|value", r"metadata|coefficient|family|inverted|active|omero\.name", "the specification says nothing of what may stand there"),
    (r"value|type", r"@K$|Text|Description|Model|Name|Identifier|label|type|name|Namespace", "free text"),
    (
        r"value|count|type",
        r"Position|StageLabel|Row|Column|The[ZCT]|Size|First|PlaneCount|IFD|window|scale|DeltaT|Exposure",
        "another value that can be true; without the pixels, or the person who took them, nobody can tell",
    ),
    (r"unit", r"", "another unit that can be true"),
    (r"count", r"", "as many can be right"),
)


def reason(kind: str, place: str) -> str:
    """Why nothing can be said of a mutation that every oracle takes for valid."""
    for kinds, places, words in _REASONS:
        if re.fullmatch(kinds, kind) and re.search(places, place):
            return words
    return "another value that can be true"


def page(verdicts: Sequence[Verdict], seed: int, most: int, asked: Sequence[str]) -> str:
    """Write the page."""
    caught = Counter(verdict.caught for verdict in verdicts)
    broken = [verdict for verdict in verdicts if verdict.caught == "not" and any(said for _, said in verdict.oracles)]
    valid = [verdict for verdict in verdicts if verdict.caught == "not" and verdict not in broken]
    parts = [
        HEAD,
        f"\nSeed {seed}, at most {most} of a kind and input (twice that of OME-XML): {len(verdicts):,} mutations. Asked: {', '.join(asked)}.\n",
        f"\n**{caught['meant']:,} are told by a rule that is meant for them, {caught['another']:,} by another, {caught['not']:,} by none. Of these "
        f"{len(valid):,} are valid by every oracle, and {len(broken):,} are not.**\n",
        "\n## By input\n\n" + _table("input", verdicts, lambda verdict: verdict.mutation.base.name),
        "\n## By kind\n\n" + _table("kind", verdicts, lambda verdict: f"{verdict.mutation.kind}: {KINDS[verdict.mutation.kind]}"),
        "\n## Not told, though an oracle says that it is broken\n\n" + _broken(broken),
        "\n## Not told, and valid by every oracle\n\n" + _valid(valid),
        "\n## Told by a rule that is for something else\n\n" + _another([verdict for verdict in verdicts if verdict.caught == "another"]),
        "\n## The rules that spoke\n\n" + _rules(verdicts),
    ]
    return "".join(parts)


def _table(title: str, verdicts: Sequence[Verdict], key: Callable[[Verdict], str]) -> str:
    lines = [f"| {title} | mutations | meant | another | not | of these valid by every oracle |", "|---|--:|--:|--:|--:|--:|"]
    for name in dict.fromkeys(map(key, verdicts)):
        own = [verdict for verdict in verdicts if key(verdict) == name]
        counts = Counter(verdict.caught for verdict in own)
        valid = sum(verdict.caught == "not" and not any(said for _, said in verdict.oracles) for verdict in own)
        lines.append(f"| {name} | {len(own)} | {counts['meant']} | {counts['another']} | {counts['not']} | {valid} |")
    return "\n".join(lines) + "\n"


def _broken(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return "None.\n"
    lines = ["| input | place | what | who says so |", "|---|---|---|---|"]
    for verdict in verdicts:
        mutation = verdict.mutation
        said = "; ".join(f"{name}: {_cell(text)}" for name, text in verdict.oracles if text)
        lines.append(f"| {mutation.base.name} | `{_cell(mutation.where)}` | {_cell(mutation.what)} | {said} |")
    return "\n".join(lines) + "\n"


def _valid(verdicts: Sequence[Verdict]) -> str:
    lines = ["| kind | place | how often | why nothing is said |", "|---|---|--:|---|"]
    counted = Counter((verdict.mutation.kind, verdict.mutation.place) for verdict in verdicts)
    for (kind, place), count in sorted(counted.items(), key=lambda item: (item[0][0], item[0][1])):
        lines.append(f"| {kind} | `{_cell(place)}` | {count} | {reason(kind, place)} |")
    return "\n".join(lines) + "\n"


def _another(verdicts: Iterable[Verdict]) -> str:
    lines = ["| kind | place | what | told by |", "|---|---|---|---|"]
    rows = {(v.mutation.kind, v.mutation.place, v.mutation.what, ", ".join(v.rules)) for v in verdicts}
    lines += [f"| {kind} | `{_cell(place)}` | {_cell(what)} | {rules} |" for kind, place, what, rules in sorted(rows)]
    return "\n".join(lines) + "\n"


def _rules(verdicts: Iterable[Verdict]) -> str:
    counted = Counter(rule for verdict in verdicts for rule in verdict.rules)
    lines = ["| rule | mutations |", "|---|--:|"]
    lines += [f"| `{rule}` | {count} |" for rule, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())[:200]
