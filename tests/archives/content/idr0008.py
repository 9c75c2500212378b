"""idr0008-rohn-actinome/screenB: one well of plate 340, with genes, an siRNA and many phenotypes.

Numbers, names, sizes and annotations are those that IDR/idr-notebooks (IDR_API_example_script.ipynb) printed; the rest of the plate is not there.
"""

from __future__ import annotations

from .catalogue import Catalogue
from .model import BULK, MAPR, STUDY_INFO, Acquisition, Channel, Fileset, Image, Length, Map, Pair, Plate, Sample, Screen, Well

SCREEN, PLATE, WELL, IMAGE = 206, 340, 45217, 122770
NAME = "Plate8_Actinome1"
PHENOTYPES = (
    ("increased actin over nucleus", "increased actin localised to the nucleus", "CMPO_0000294"),
    ("increased number of multinucleate cells", "more multinucleate cells", "CMPO_0000300"),
    ("increased number of zigzag actin stress fibres", "increased amount of zig-zag stress fibers", "CMPO_0000299"),
    ("increased DNA area", "increased nucleus size phenotype", "CMPO_0000140"),
    ("increased cell size", "increased cell size phenotype", "CMPO_0000128"),
    ("decreased cell number", "decreased cell numbers", "CMPO_0000052"),
)


def add(catalogue: Catalogue) -> None:
    """Add the screen with that well."""
    size = Length(1.25195005)
    phenotypes: list[Pair] = []
    for name, term, accession in PHENOTYPES:
        phenotypes += [("Phenotype", name), ("Phenotype Term Name", term), ("Phenotype Term Accession", accession)]
        phenotypes.append(("Phenotype Term Accession URL", f"http://www.ebi.ac.uk/cmpo/{accession}"))
    gene = (
        ("Gene Identifier", "NM_018098"),
        ("Gene Identifier URL", "http://www.ncbi.nlm.nih.gov/nuccore/NM_018098"),
        ("Gene Symbol", "ECT2"),
    )
    annotations = (
        Map(8_368_940, MAPR + "cell_line", (("Cell Line", "HeLa"),)),
        Map(8_368_946, MAPR + "gene", gene),
        Map(8_368_947, MAPR + "organism", (("Organism", "Homo sapiens"),)),
        Map(8_368_948, MAPR + "phenotype", tuple(phenotypes)),
        Map(8_368_949, MAPR + "sirna", (("siRNA Identifier", "ECT2-02"), ("siRNA Pool Identifier", "ECT2"))),
        Map(8_368_950, BULK, (("Channels", "DAPI:DNA;FITC-FilterWheel:alpha-tubulin;TIRTC-FilterWheel:phallodin/F-actin"),)),
    )
    image = Image(
        IMAGE,
        f"{NAME} [Well O02 Field #1]",
        696,
        520,
        1,
        3,
        1,
        size_x=size,
        size_y=size,
        channels=(Channel("DAPI"), Channel("FITC-FilterWheel"), Channel("TIRTC-FilterWheel")),
        acquired=1_194_540_393_000,
        fileset=340_001,
        annotations=annotations,
    )
    run = Acquisition(3340, None, 1)
    well = Well(WELL, 14, 1, (Sample(730_000, image, run),))
    catalogue.add_filesets([Fileset(340_001, (f"idr/filesets/idr0008-rohn-actinome/invented/{NAME}.tif",))])
    info = Map(36_900_000 + SCREEN, STUDY_INFO, (("Sample Type", "cell"), ("Organism", "Homo sapiens")))
    plate = Plate(PLATE, NAME, (well,), 16, 24, (run,))
    catalogue.add_screen(Screen(SCREEN, "idr0008-rohn-actinome/screenB", (plate,), None, (info,)))
