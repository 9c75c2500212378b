"""REMBI sheets for `cells.ome.tiff` and `stack.czi`, as a person would leave them: one filled in, one with mistakes."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

STUDY = (
    ("Title *", "Nuclei and cytoplasm of drawn cells, with and without treatment"),
    ("Study description *", "Cells drawn by a program, to show what a filled in sheet looks like.\nNothing was acquired on a microscope."),
    ("Keywords *", "nuclei; example"),
    ("Licence *", "CC0"),
    ("Release date *", date(2099, 1, 31)),
    ("Author: first name *", "Ola", "Kari"),
    ("Author: last name *", "Nordmann", "Hansen"),
    ("Author: organisation *", "University of Oslo", "University of Bergen"),
    ("Author: e-mail *", "ola@example.org"),
    ("Author: ORCID", "0000-0002-1825-0097"),
)
TABLES: dict[str, tuple[tuple[str | float, ...], ...]] = {
    "study_component": (("Name *", "Study component description *"), ("Drawn cells", "Two images of drawn cells")),
    "biosample": (
        ("Identity *", "Organism *", "Biological entity *"),
        ("Cells", "Homo sapiens (NCBITaxon:9606)", "HeLa cells"),
    ),
    "specimen": (("Name *", "Biosample *", "Preparation method *"), ("Slide", "Cells", "Drawn with a program")),
    "acquisition": (
        ("Name *", "Imaging method *", "Instrument attributes *", "Image acquisition parameters *"),
        ("Drawing", "fluorescence microscopy (FBbi:00000246)", "None: drawn by a program", "None"),
    ),
    "image": (
        ("Image *", "Series", "Study component *", "Specimen *", "Acquisition *", "Channel names", "Pixel size x (µm)", "Pixel size y (µm)"),
        ("cells.ome.tiff", 0, "Drawn cells", "Slide", "Drawing", "DAPI; GFP", 0.325, 0.325),
        ("stack.czi", 0, "Drawn cells", "Slide", "Drawing", "DAPI; EGFP", 0.11, 0.11),
    ),
}


def filled() -> bytes:
    """A workbook as spreadsheet programs save it: texts in a table of their own, the release date as a date."""
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    page = book.add_worksheet("study")
    for line, (title, *values) in enumerate(STUDY):
        page.write_string(line, 0, title)
        for column, value in enumerate(values, 1):
            if isinstance(value, date):
                page.write_datetime(line, column, value, day)
            else:
                page.write_string(line, column, value)
    for table, rows in TABLES.items():
        page = book.add_worksheet(table)
        for line, row in enumerate(rows):
            page.write_row(line, 0, row)
    book.close()
    return buffer.getvalue()


def mistaken() -> bytes:
    """The same as one TSV, with a date in another order, an unknown licence, a misspelt specimen, and one image twice."""
    changed = {"CC0": "free for all", "stack.czi": "cells.ome.tiff"}
    lines = ["[study]"]
    for title, *values in STUDY:
        texts = [value.strftime("%d.%m.%Y") if isinstance(value, date) else value for value in values]
        lines.append("\t".join([title, *(f'"{text}"' if "\n" in text else changed.get(text, text) for text in texts)]))
    for table, rows in TABLES.items():
        lines.append(f"\n[{table}]")
        lines.extend("\t".join(changed.get(str(value), str(value)) for value in row) for row in rows)
    return "\n".join(lines).replace("\tSlide\tDrawing\tDAPI; EGFP", "\tSlid\tDrawing\tDAPI; EGFP").encode() + b"\n"
