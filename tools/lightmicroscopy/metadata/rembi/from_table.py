"""Images that are not here, by the table that *Inspect microscopy images* has made of them: what it says fills in a sheet too."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...errors import LimitError, UnreadableError
from ...names import readable
from ...reports.tables import INSPECT
from .fields import number
from .from_images import Known
from .read import lines_of, text_of

MOST_ROWS: Final = 1_000_000
_HEADER: Final = "\t".join(INSPECT)
_SAME: Final[Mapping[str, str]] = {
    "series": "series",
    "series_name": "image_name",
    "pixel_size_x_um": "pixel_size_x_um",
    "pixel_size_y_um": "pixel_size_y_um",
    "time_increment_s": "time_increment_s",
    "channels": "channel_names",
    "acquisition_date": "acquisition_date",
}
"""Column of the table → field of the sheet."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One series of the table: texts of its row by field, and how it was taken."""

    name: str
    series: int
    values: Mapping[str, str]
    known: Known


def is_inspect_table(path: Path) -> bool:
    """Whether a file begins as that table does."""
    try:
        with path.open("rb") as stream:
            head = stream.read(2 * len(_HEADER) + 6)
    except OSError:
        return False
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = head[: len(head) // 2 * 2].decode("utf-16", "replace") if wide else head.decode("utf-8-sig", "replace")
    return lines_of(text)[0] == _HEADER


def listed_in(path: Path) -> Iterator[Listed]:
    """Give every series of a table; inputs that could not be read when it was made are left out.

    Raises
    ------
    UnreadableError
        If a line has other columns, or a series that is no number.
    LimitError
        If it is too long.
    """
    name = readable(path.name)
    lines = lines_of(text_of(path, name))
    if len(lines) > MOST_ROWS:
        raise LimitError(f"{name} has more than {MOST_ROWS:,} lines. Give a part of it.")
    for place, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) != len(INSPECT):
            raise UnreadableError(f"{name}, line {place}, has {len(cells)} columns instead of {len(INSPECT)}. Give the table as lm_inspect wrote it.")
        row = dict(zip(INSPECT, cells, strict=True))
        if not row["series"]:
            continue
        if not row["series"].isdecimal() or len(row["series"]) > 9:
            raise UnreadableError(f"{name}, line {place}: {row['series'][:40]!r} is no number of a series. Give the table as lm_inspect wrote it.")
        yield Listed(row["input"], int(row["series"]), _values(row), _known(row))


def _values(row: Mapping[str, str]) -> dict[str, str]:
    stored = f"{row['compression']}, {'lossy' if row['lossy'] == 'true' else 'lossless'}" if row["compression"] else "uncompressed"
    size_z = row["pixel_size_z_um"]
    texts = {
        "image": row["input"],
        **{field: row[column] for column, field in _SAME.items()},
        "pixel_size_z_um": size_z.removeprefix("-"),
        "type": "label image" if row["kind"] == "label" else "",
        "format_compression": f"{row['format']}, {stored}" if row["format"] else "",
        "dimension_extents": ", ".join(f"{axis} {row[f'size_{axis.lower()}']}" for axis in "XYZCT"),
        "size_description": _size(row),
    }
    return {name: text for name, text in texts.items() if text}


def _size(row: Mapping[str, str]) -> str:
    axes = "xyz" if row["size_z"] not in ("", "1") else "xy"
    lengths = []
    for axis in axes:
        step, count = number(row[f"pixel_size_{axis}_um"]), number(row[f"size_{axis}"])
        lengths.append("?" if step is None or count is None else f"{abs(step) * count:.4g}")
    return "" if set(lengths) == {"?"} else f"{' × '.join(lengths)} µm"


def _known(row: Mapping[str, str]) -> Known:
    told = (row["instrument"], f"objective {row['objective']}" if row["objective"] else "")
    return Known(instrument="; ".join(part for part in told if part))
