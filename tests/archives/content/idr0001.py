"""idr0001-graml-sysgro/screenA (CC BY 4.0): plate 2551, whole, and one of which three wells were imaged.

Sizes, plate number, counts and licence are the study's own (IDR/idr-metadata: idr0001-study.txt; IDR/ome-ngff-samples: table.csv).
"""

from __future__ import annotations

from .catalogue import Catalogue
from .idr0062 import BLUE, GREEN
from .model import BULK, MAPR, STUDY_INFO, Acquisition, Channel, Fileset, Image, Length, Map, Plate, Sample, Screen, Well

SCREEN = 3
PLATE = 2551
FIELDS = 6
ROWS, COLUMNS = 8, 12
F6 = 1230059  # the image of well F6, field 0, from which the others' numbers are counted
SPARSE_PLATE = 2559
SPARSE = {(0, 0): 2, (2, 2): 1, (7, 9): 3}  # row, column: fields
H10_WELL, H10_IMAGE = 592362, 1239777
MEASURED = 1_343_731_272_000  # 2012-07-31 10:41:12 UTC, which is the time in the folder's name
FLEX = "idr/filesets/idr0001-graml-sysgro/20151116-verified/JL_120731_S6A/Meas_01(2012-07-31_10-41-12)/"
TITLE = "A genomic Multiprocess survey of machineries that control and link cell shape, microtubule organization, and cell-cycle progression."
DESCRIPTION = (
    "Primary screen of fission yeast knock out mutants looking for genes controlling cell shape, microtubules, and cell-cycle progression. "
    "262 genes controlling specific aspects of those processes are identifed, validated, and functionally annotated."
)
INFO = (
    ("Sample Type", "cell"),
    ("Organism", "Schizosaccharomyces pombe"),
    ("Study Title", TITLE),
    ("Study Type", "high content screen"),
    ("Screen Type", "primary screen"),
    ("Screen Technology Type", "gene deletion screen"),
    ("Imaging Method", "spinning disk confocal microscopy"),
    ("Publication Title", TITLE),
    (
        "Publication Authors",
        "Graml V, Studera X, Lawson JLD, Chessel A, Geymonat M, Bortfeld-Miller M, Walter T, Wagstaff L, Piddini E, Carazo Salas RE",
    ),
    ("PubMed ID", "25373780 https://www.ncbi.nlm.nih.gov/pubmed/25373780"),
    ("PMC ID", "PMC4648281 https://www.ncbi.nlm.nih.gov/pmc/articles/PMC4648281"),
    ("Publication DOI", "10.1016/j.devcel.2014.09.005 https://doi.org/10.1016/j.devcel.2014.09.005"),
    ("Release Date", "2016-04-27"),
    ("External URL", "www.sysgro.org"),
    ("License", "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/"),
    ("Copyright", "Graml et al"),
    (
        "Annotation File",
        "idr0001-screenA-annotation.csv https://github.com/IDR/idr0001-graml-sysgro/blob/HEAD/screenA/idr0001-screenA-annotation.csv",
    ),
)
CHANNELS = (Channel("GFP", GREEN), Channel("Cascade blue", BLUE))


def image_id(row: int, column: int, field: int) -> int:
    """Return the number of a field's image on plate 2551."""
    return F6 + ((row - 5) * COLUMNS + column - 5) * FIELDS + field


def add(catalogue: Catalogue) -> None:
    """Add the screen with its two plates."""
    info = Map(36_900_000 + SCREEN, STUDY_INFO, INFO)
    text = f"Publication Title\n{TITLE}\n\nScreen Description\n{DESCRIPTION}"
    plates = (_whole(), _sparse())
    paths = tuple(f"{FLEX}{row:03d}{column:03d}001.flex" for row in range(1, ROWS + 1) for column in range(1, COLUMNS + 1))
    catalogue.add_filesets([Fileset(20_001, paths), Fileset(20_002, tuple(path.replace("JL_120731_S6A", "JL_120809_S14B") for path in paths[:3]))])
    catalogue.add_screen(Screen(SCREEN, "idr0001-graml-sysgro/screenA", plates, text, (info,)))


def _image(number: int, plate: str, well: str, field: int, series: int, fileset: int) -> Image:
    size = Length(0.1077)
    name = f"{plate} [Well {well}, Field {field + 1}]"
    organism = Map(39_000_000 + number, MAPR + "organism", (("Organism", "Schizosaccharomyces pombe"),))
    bulk = Map(41_000_000 + number, BULK, (("Channels", "GFP: microtubules; Cascade blue: cytosol"), ("Plate", plate), ("Well", well)))
    return Image(
        number,
        name,
        1376,
        1040,
        16,
        2,
        1,
        significant_bits=12,
        size_x=size,
        size_y=size,
        channels=CHANNELS,
        series=series,
        acquired=MEASURED,
        fileset=fileset,
        annotations=(organism, bulk),
    )


def _whole() -> Plate:
    runs = tuple(Acquisition(3000 + number, f"Meas_0{number + 1}", FIELDS, MEASURED, MEASURED + 3_600_000) for number in range(FIELDS))
    wells = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            position = row * COLUMNS + column
            samples = []
            for field in range(FIELDS):
                series = position * FIELDS + field
                name = f"{chr(65 + row)}{column + 1}"
                image = _image(image_id(row, column, field), "JL_120731_S6A", name, field, series, 20_001)
                samples.append(Sample(700_000 + series, image, runs[field], (0.1 * field, -0.1 * field)))
            wells.append(Well(590_000 + position, row, column, tuple(samples)))
    return Plate(PLATE, "JL_120731_S6A", tuple(wells), ROWS, COLUMNS, runs)


def _sparse() -> Plate:
    """Return a plate of which the server knows neither rows nor columns, and few wells were imaged."""
    run = Acquisition(3050, None, 3)
    wells, series = [], 0
    for (row, column), fields in SPARSE.items():
        samples = []
        for field in range(fields):
            number = H10_IMAGE + field if (row, column) == (7, 9) else H10_IMAGE - 200 + series
            image = _image(number, "JL_120809_S14B", f"{chr(65 + row)}{column + 1}", field, series, 20_002)
            samples.append(Sample(710_000 + series, image, run))
            series += 1
        wells.append(Well(H10_WELL if (row, column) == (7, 9) else 592_200 + series, row, column, tuple(samples)))
    return Plate(SPARSE_PLATE, "JL_120809_S14B", tuple(wells), None, None, (run,))
