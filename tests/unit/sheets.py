"""Sheets for tests: any there can be, and one that a person has filled in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hypothesis import strategies as st

from lightmicroscopy.metadata.rembi.fields import TABLES, fields_of
from lightmicroscopy.metadata.rembi.sheet import Row, Sheet, clean, row_of, values_of, write_sheet

NASTY = (
    "=1+1",
    '=HYPERLINK("http://example.org","click")',
    "+47 22 85 50 50",
    "-5",
    "-a",
    "@cmd",
    "'quoted",
    "'=1",
    "''",
    '"',
    '"quoted" and not',
    "a\nb\n\nc",
    "\n",
    "line\n",
    "\ta tab\t",
    " blank before and after ",
    "0.10",
    "1e5",
    "007",
    "1,5",
    "2027-06-30",
    "30.06.2027",
    "TRUE",
    "no",
    "null",
    "~",
    "SEPT2",
    "_x000D_",
    "_x005F_",
    "x005F_",
    "[image]",
    "'[study]",
    "# no comment",
    "- item",
    "key: value",
    "{a: b}",
    "*alias",
    "&anchor",
    "!tag",
    "|",
    "> folded",
    "a; b;; c\\; d\\",
    "µm, ×, Ø, 漢字, 🔬, e\u0301",
    "\u00a0\u2028\u0085\ufeff",
    "#N/A",
    "12345678901234567890",
    "0.30000000000000004",
    "What the study says",
)
"""Texts that some program takes for something else."""

texts = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60).map(clean))


@st.composite
def any_sheet(draw: st.DrawFn) -> Sheet:
    """Draw a sheet of any texts in any cells."""
    tables: dict[str, tuple[Row, ...]] = {}
    for table in TABLES:
        names = [one.id for one in fields_of(table)]
        if table != "study":
            rows = draw(st.lists(st.dictionaries(st.sampled_from(names), texts, min_size=1, max_size=6), max_size=3))
            tables[table] = tuple(map(row_of, rows))
            continue
        several = [one.id for one in fields_of(table) if one.group]
        first = draw(st.dictionaries(st.sampled_from(names), texts, max_size=6))
        further = draw(st.lists(st.dictionaries(st.sampled_from(several), texts, max_size=3), max_size=3))
        rows = [first, *further]
        while rows and not rows[-1]:
            rows.pop()
        tables[table] = tuple(map(row_of, rows))
    return Sheet("any", tables)


def texts_of(sheet: Sheet) -> Mapping[str, list[dict[str, str]]]:
    """What a sheet says, whatever place it says it in."""
    return {table: values_of(sheet.rows(table)) for table in TABLES}


FILLED = Sheet(
    "filled",
    {
        "study": (
            row_of(
                {
                    "title": "Chromosome condensation in HeLa cells without condensin II",
                    "description": "Live-cell time series of mitotic cells.\nThree replicates.",
                    "keywords": "mitosis; confocal",
                    "licence": "CC0",
                    "release_date": "2027-06-30",
                    "author_first_name": "Ola",
                    "author_last_name": "Nordmann",
                    "author_organisation": "University of Oslo",
                    "author_organisation_ror": "https://ror.org/01xtthb56",
                    "author_email": "ola@example.org",
                    "author_orcid": "0000-0002-1825-0097",
                }
            ),
            row_of({"author_first_name": "Kari", "author_last_name": "Hansen", "author_organisation": "University of Bergen"}),
        ),
        "study_component": (row_of({"name": "Time series", "description": "Untreated and treated cells"}),),
        "biosample": (
            row_of({"name": "HeLa wild type", "organism": "Homo sapiens (NCBITaxon:9606)", "biological_entity": "HeLa cells"}),
            row_of({"name": "HeLa treated", "organism": "Homo sapiens (NCBITaxon:9606)", "biological_entity": "HeLa cells"}),
        ),
        "specimen": (
            row_of({"name": "Dish 1", "biosample": "HeLa wild type", "preparation_method": "Plated on glass"}),
            row_of({"name": "Dish 2", "biosample": "HeLa treated", "preparation_method": "Plated on glass"}),
        ),
        "acquisition": (
            row_of(
                {
                    "name": "Confocal",
                    "imaging_method": "confocal microscopy (FBbi:00000251)",
                    "instrument": "Example Optics Model 1",
                    "parameters": "DAPI: excitation 405 nm",
                }
            ),
        ),
        "image": (
            row_of(
                {
                    "image": "one.czi",
                    "series": "0",
                    "study_component": "Time series",
                    "specimen": "Dish 1",
                    "acquisition": "Confocal",
                    "pixel_size_x_um": "0.325",
                }
            ),
            row_of({"image": "two.czi", "study_component": "Time series", "specimen": "Dish 2", "acquisition": "Confocal"}),
        ),
    },
)
"""Nothing is wrong or missing in it."""


def changed(table: str, row: int, values: Mapping[str, str]) -> Sheet:
    """Return the filled sheet with other values in one row; a row after the last is new."""
    rows = [{name: cell.text for name, cell in one.cells.items()} for one in FILLED.rows(table)]
    rows.extend({} for _ in range(row + 1 - len(rows)))
    rows[row] |= values
    return Sheet(FILLED.name, {**FILLED.tables, table: tuple(map(row_of, rows))})


def written(sheet: Sheet, path: Path) -> Path:
    """Write a sheet and return where it is."""
    write_sheet(sheet, path)
    return path
