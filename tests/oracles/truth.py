"""The table of metadata against Bio-Formats, field by field: how it is found, and docs/metadata-truth.md made of it.

``python -m tests.oracles.truth`` writes the document anew; `test_metadata_truth` fails where it differs from what is found.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..conftest import ROOT
from .bioformats import Seen
from .explained import Difference, Facts, Row, explained
from .ome_fields import FIELDS, NORMALISATIONS, NOT_COMPARED
from .ome_values import Document, Verdict, said, verdict
from .peers import OURS, PEERS, ROWS
from .real import EVERYTHING, FILES, STORES, look_at, named
from .workshop import Made, make

DOCUMENT: Final = ROOT / "docs" / "metadata-truth.md"
_SHOWN: Final = 44
DECISIONS: Final = {
    9: "A time increment is given where the times of a series are regular within 1 %; the times of the planes are kept in any case.",
    10: "White as the colour of a channel is what programs write where nobody chose one, and is not taken for information.",
}
_WORDS: Final = {"more": "better", "missing": "different", "different": "different"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What the comparison of one field of one file gave."""

    field: str
    verdict: Verdict
    theirs: list[tuple[Any, ...]]
    ours: list[tuple[Any, ...]]
    row: Row | None


def original_ome(path: Path, seen: Mapping[Path, Seen]) -> bytes | None:
    """What Bio-Formats says of a file; of a store what it said when it made it, if it did. None where it says nothing."""
    if path in STORES:
        kept = path / "OME" / "METADATA.ome.xml"
        return kept.read_bytes() if kept.is_file() else None
    return seen[path.resolve()].ome or None


def copied_ome(made: Made) -> list[bytes]:
    """The OME-XML in the OME-TIFFs made of a file, one for each series."""
    import tifffile

    return [tifffile.tiffcomment(path).encode() for path in made.whole().series]


def compare(path: Path, form: str, theirs: bytes, copies: Iterable[bytes]) -> list[Finding]:
    """Compare every field of a file of a format, as Bio-Formats calls it, with what is in its copies."""
    before, after = Document.parse(theirs), [Document.parse(copy) for copy in copies]
    assert len(before.images) == len(after)
    told = said(before), said(*after)
    facts: Facts = {field.name: (told[0][field.name], told[1][field.name]) for field in FIELDS}
    found = []
    for field in FIELDS:
        other, mine = facts[field.name]
        judged = verdict(other, mine, field)
        row = explained(Difference(path.name, form, field.name, facts), more=judged == "more") if judged in _WORDS else None
        found.append(Finding(field.name, judged, other, mine, row))
    return found


# The document


def document(findings: Mapping[Path, list[Finding]]) -> str:
    """The whole of docs/metadata-truth.md."""
    return "\n".join([*_introduction(), *_summary(findings), *_reading(), *_fields(), *_peers(), *_files(findings)]) + "\n"


def documented() -> list[str]:
    """The files that the document speaks of."""
    return [line.removeprefix("### ") for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("### ")]


def _introduction() -> list[str]:
    return [
        "# Metadata, field by field, against Bio-Formats",
        "",
        "Does a copy made by this suite say all that Bio-Formats finds in the original? Of each real file the OME-XML that Bio-Formats 7.3.1",
        "makes of the original is compared with the OME-XML in the OME-TIFFs that this suite makes of it. A field is a place in OME-XML, such as",
        "the pixel size in x; it counts once for each file, whatever the number of series, channels and planes, and only if either says it.",
        "",
    ]


def _reading() -> list[str]:
    return [
        "How to read it: look for a file in the table, then under its name below. The fields that are the same are listed in one line; each of the",
        "others is a row with what Bio-Formats says, what this suite says, and the reason. Long values are cut short.",
        "",
        "| verdict | meaning |",
        "|---|---|",
        "| same | Both say the same. |",
        "| better | The copy says all that Bio-Formats says and more, or Bio-Formats is wrong. |",
        "| different | Bio-Formats says something that the copy does not say, or says otherwise. |",
        "",
        "A *decision of science* is a choice where files leave room, made once and kept for all formats, so that tools agree. Those named below:",
        "",
        *(f"- **{number}.** {text}" for number, text in DECISIONS.items()),
        "",
        "Made by `python -m tests.oracles.truth` from real files, which are not part of this repository; where they are,",
        "`tests/oracles/test_metadata_truth.py` fails if this text differs from what is found, and if Bio-Formats finds anything in",
        "any real file, listed here or not, that is neither in its copy nor explained. Pixels (shape, type and the CRC of every plane) are",
        "compared by `tests/oracles/test_real_files.py`, without any accepted difference in these files.",
        "Where Bio-Formats opens nothing, pixels are compared with those of another program: h5py for HDF5 of superblock 3",
        "(`ims/Minimal_IMS_File.ims`) and of no known program (`hdf5/sample_ovule.h5`), zarr-python for OME-Zarr.",
        "",
    ]


def _fields() -> list[str]:
    kinds = [f"| {kind} | {text} |" for kind, text in NORMALISATIONS]
    fields = [f"| {field.name} | `{field.path}` | {field.kind} | {field.scope} |" for field in FIELDS]
    left = [f"| `{pattern}` | {reason} |" for pattern, reason in NOT_COMPARED]
    return [
        "## Fields and normalisations",
        "",
        "References are followed, so that ids do not matter. Values of channels and planes are compared place by place (planes z fastest,",
        "then c, then t); values of *all* parts of an instrument in any order.",
        "",
        "| kind | what is made of a value before it is compared |",
        "|---|---|",
        *kinds,
        "",
        f"The {len(FIELDS)} fields:",
        "",
        "| field | place in OME-XML 2016-06 | kind | of |",
        "|---|---|---|---|",
        *fields,
        "",
        "Not compared; anything else that Bio-Formats writes and that is in neither table fails the test:",
        "",
        "| place | reason |",
        "|---|---|",
        *left,
        "",
    ]


def _peers() -> list[str]:
    return [
        "## Peers on real files",
        "",
        "What each program makes of a file that is easily got wrong. Our column is asserted by `tests/oracles/test_peers.py`; those of the others",
        "were seen on 2026-11-22 with the versions named, each with its defaults.",
        "",
        f"| file | {OURS} | {' | '.join(PEERS)} |",
        f"|---|---|{'---|' * len(PEERS)}",
        *(f"| {row.file} | {row.ours} | {' | '.join(row.peers)} |" for row in ROWS),
        "",
    ]


def _summary(findings: Mapping[Path, list[Finding]]) -> list[str]:
    counts = {path: Counter(_word(one) for one in found if one.verdict) for path, found in findings.items()}
    total: Counter[str] = sum(counts.values(), Counter())
    words = ("same", "better", "different")
    return [
        "## Summary",
        "",
        f"{len(findings)} files, {sum(total.values())} fields said by either: {', '.join(f'{total[word]} {word}' for word in words)}.",
        "",
        "| file | same | better | different |",
        "|---|---|---|---|",
        *(f"| {named(path)} | {count['same']} | {count['better']} | {count['different']} |" for path, count in counts.items()),
        "",
    ]


def _word(finding: Finding) -> str:
    if finding.verdict in ("missing", "different") and finding.row is not None:
        return "better" if finding.row.better else "different"
    return _WORDS.get(finding.verdict, finding.verdict)


def _files(findings: Mapping[Path, list[Finding]]) -> list[str]:
    lines = ["## Files", ""]
    for path, found in findings.items():
        same = [one.field for one in found if one.verdict == "same"]
        lines += [f"### {named(path)}", "", f"Same: {', '.join(same) or 'nothing'}.", ""]
        others = [one for one in found if one.verdict in _WORDS]
        if others:
            lines += ["| field | Bio-Formats | this suite | verdict | reason |", "|---|---|---|---|---|"]
            lines += [f"| {one.field} | {_cell(one.theirs)} | {_cell(one.ours)} | {_word(one)} | {_reason(one)} |" for one in others]
            lines += [""]
    return lines[:-1]


def _reason(finding: Finding) -> str:
    return finding.row.reason if finding.row is not None else "**not explained**"


def _cell(said: list[tuple[Any, ...]]) -> str:
    """Different values in their order, shortened."""
    texts = list(dict.fromkeys(f"{value:.6g}" if isinstance(value, float) else str(value) for one in said for value in one if value is not None))
    text = ", ".join(texts).replace("|", "\\|")
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1].rstrip()}…"


def findings_of(paths: Iterable[Path], seen: Mapping[Path, Seen], made: Mapping[Path, Made]) -> dict[Path, list[Finding]]:
    """Findings of all files of which Bio-Formats says something, and of which there is a copy."""
    found = {path: ome for path in paths if (ome := original_ome(path, seen)) is not None and made[path].error is None}
    forms = {path: "OME-Zarr" if path in STORES else seen[path.resolve()].format for path in found}
    return {path: compare(path, forms[path], ome, copied_ome(made[path])) for path, ome in found.items()}


def main() -> None:
    """Write the document."""
    seen = look_at(FILES)
    with tempfile.TemporaryDirectory() as folder:
        DOCUMENT.write_text(document(findings_of(EVERYTHING, seen, make(EVERYTHING, Path(folder), "ome-tiff"))), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT.name} written\n")


if __name__ == "__main__":
    main()
