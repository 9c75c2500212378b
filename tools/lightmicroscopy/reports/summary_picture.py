"""The verdict of a check as one PNG, for a workflow's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..metadata.sources import SUMMARY_TITLE
from .findings_html import verdict
from .findings_summary import verdicts
from .preview import FAINT, GAP, INK, PAPER, line_of_text, save_picture
from .words import plural

if TYPE_CHECKING:
    from pathlib import Path

    from ..metadata.check import Report

WIDTH = 1000
LINE = 64
COLOURS = {"error": (179, 38, 30), "warning": (138, 90, 0), "info": (43, 95, 165), "not-run": (103, 96, 111), None: (46, 107, 58)}


def write_summary(report: Report, path: Path) -> None:
    """Write the verdict of each profile, and how many findings there are, as a PNG; all of it is in words too.

    Raises
    ------
    UnwritableError
        If it cannot be written.
    """
    from PIL import Image, ImageDraw

    judged = verdicts(report)
    sheet = Image.new("RGB", (WIDTH, 130 + LINE * len(judged) + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    width = WIDTH - 2 * GAP
    line_of_text(draw, (GAP, GAP), "Microscopy metadata check", INK, 28, width)
    line_of_text(draw, (GAP, GAP + 40), verdict(report), INK, 18, width)
    counts = f"{plural(len(report.checked), 'input')}: {plural(report.count('error'), 'error')}, {plural(report.count('warning'), 'warning')}, "
    counts += f"{plural(report.count('info'), 'note')}, {report.count('not-run')} not checked"
    line_of_text(draw, (GAP, GAP + 70), counts, FAINT, 16, width)
    for number, item in enumerate(judged):
        top = 130 + LINE * number
        draw.rectangle((GAP, top, GAP + 8, top + LINE - 14), fill=COLOURS[item.state])
        line_of_text(draw, (GAP + 22, top), item.name, INK, 18, width - 22)
        line_of_text(draw, (GAP + 22, top + 25), item.words, COLOURS[item.state], 18, width - 22)
    save_picture(sheet, path, SUMMARY_TITLE, f"{verdict(report)} {counts}")
