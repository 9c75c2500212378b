"""idr0062-blin-nuclearsegmentation/experimentA (CC BY 4.0, doi:10.17867/10000125).

Sizes, ids and names are the study's own (IDR/idr0062-blin-nuclearsegmentation: idr0062-study.txt, experimentA-annotation.csv;
IDR/ome-ngff-samples: table.csv; project number from IDR/idr.openmicroscopy.org: studies.tsv). README.md lists what is not.
"""

from __future__ import annotations

from .catalogue import Catalogue
from .model import BULK, MAPR, STUDY_INFO, Channel, Dataset, External, Fileset, Image, Length, Map, Project

PROJECT = 801
NAME = "idr0062-blin-nuclearsegmentation/experimentA"
FIRST = 6001237
BLUE, YELLOW, GREEN, RED = 0x0000FFFF, 0xFFFF00FF - (1 << 32), 0x00FF00FF, 0xFF0000FF - (1 << 32)

# name, x, y, z, and whether the image was segmented; in the order of the image numbers, which go on without a gap.
DATASETS: dict[str, tuple[tuple[str, int, int, int], ...]] = {
    "Acini": (("E14tg2a_d2.tif", 1024, 1024, 39), ("Tcf15_KO_d2.tif", 1024, 1024, 27), ("Tcf_Het_d2.tif", 1024, 1024, 36)),
    "Blastocysts": (
        ("B1_C1.tif", 271, 275, 236),
        ("B1_C2.tif", 278, 263, 236),
        ("B2_C1.tif", 481, 275, 237),
        ("B2_C2.tif", 212, 218, 237),
        ("B3.tif", 325, 281, 239),
        ("B4_C1.tif", 220, 226, 257),
        ("B4_C2.tif", 281, 284, 257),
        ("B4_C3.tif", 253, 210, 257),
        ("B5_C1.tif", 234, 269, 195),
        ("B5_C2.tif", 246, 241, 195),
        ("B5_C3.tif", 246, 241, 195),
    ),
    "E75": (("E75_Zone_1.tif", 170, 163, 140), ("E75_Zone_2.tif", 170, 163, 297), ("161202_E75.tif", 803, 1024, 297)),
    "E875": (
        ("E875_Zone_1.tif", 393, 354, 51),
        ("E875_Zone_2.tif", 551, 416, 32),
        ("E875_Zone_3.tif", 350, 372, 61),
        ("Fused_E875.ics", 3763, 2860, 145),
    ),
    "Neural": (("130520_Neural_Rosettes.tif", 1282, 838, 36),),
}
CHANNELS = {
    "Acini": (("Oct6", RED), ("LaminB1", GREEN), ("Dapi", BLUE), ("gamma-tubulin", YELLOW)),
    "Blastocysts": (("LaminB1", BLUE), ("Dapi", YELLOW)),
    "E75": (("LaminB1", BLUE), ("Dapi", YELLOW)),
    "E875": (("Dapi", BLUE), ("Tcf15-venus", YELLOW), ("gammaTubulin", RED), ("LaminB1", GREEN)),
    "Neural": (("GammaTubulin", RED), ("LaminB1", GREEN), ("Dapi", BLUE)),
}
CHANNEL_TEXT = {
    "Acini": "Oct6, LaminB1, Dapi, gamma-tubulin",
    "Blastocysts": "LaminB1 / Dapi",
    "E75": "LaminB1 / Dapi",
    "E875": "Dapi / Tcf15-venus / gammaTubulin / LaminB1",
    "Neural": "GammaTubulin / LaminB1 / Dapi",
}
PIXEL = Length(0.3603981534640209), Length(0.3603981534640209), Length(0.5002025531914894)  # of 6001240, as its OME-Zarr says
EXTERNAL = {6001240: External("s3://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0062A/6001240.zarr?anonymous=true")}

TITLE = "NesSys: a novel method for accurate nuclear segmentation in 3D"
DESCRIPTION = (
    "We provide a user-friendly 3D editing tool to rapidly correct segmentation errors. We test our method alongside other "
    "previously-published user-friendly methods, with focus on mid-gestation embryos, 3D cultures of pluripotent stem cells and "
    "pluripotent stem cell-derived neural rosettes."
)
ANNOTATION_CSV = "idr0062-experimentA-annotation.csv"
INFO = (
    ("Sample Type", "cell"),
    ("Organism", "Mus musculus"),
    ("Study Title", "NesSys: a new set of tools for the automated detection of nuclei within intact tissues and dense 3D cultures"),
    ("Study Type", "image segmentation"),
    ("Imaging Method", "confocal microscopy"),
    ("Publication Title", TITLE),
    ("Publication Authors", "Blin G, Sadurska D, Migueles RP, Chen N, Watson JA, Lowell S"),
    ("PubMed ID", "31398189 https://www.ncbi.nlm.nih.gov/pubmed/31398189"),
    ("PMC ID", "PMC6703695 https://www.ncbi.nlm.nih.gov/pmc/articles/PMC6703695"),
    ("Publication DOI", "10.1371/journal.pbio.3000388 https://doi.org/10.1371/journal.pbio.3000388"),
    ("Release Date", "2019-06-17"),
    ("External URL", "https://framagit.org/pickcellslab/nessys"),
    ("License", "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/"),
    ("Copyright", "Blin et al."),
    ("Data Publisher", "University of Dundee"),
    ("Data DOI", "10.17867/10000125 https://doi.org/10.17867/10000125"),
    ("Annotation File", f"{ANNOTATION_CSV} https://github.com/IDR/idr0062-blin-nuclearsegmentation/blob/HEAD/experimentA/{ANNOTATION_CSV}"),
)


def client_path(dataset: str, name: str) -> str:
    """Return the path of a file on the submitter's side."""
    return f"uod/idr/filesets/idr0062-blin-nuclearsegmentation/20190429-ftp/{dataset}/{name}"


def add(catalogue: Catalogue) -> None:
    """Add the study."""
    number, datasets = FIRST, []
    for index, (dataset, images) in enumerate(DATASETS.items()):
        made = []
        for name, *size in images:
            made.append(_image(number, dataset, name, (size[0], size[1], size[2])))
            catalogue.add_filesets([Fileset(900_000 + number, (client_path(dataset, name),), (f"demo_2/2019-06/18/{number}/{name}",))])
            number += 1
        datasets.append(Dataset(11_620 + index, dataset, tuple(made)))
    info = Map(36_900_001, STUDY_INFO, INFO)
    text = f"Publication Title\n{TITLE}\n\nExperiment Description\n{DESCRIPTION}"
    catalogue.add_project(Project(PROJECT, NAME, tuple(datasets), text, (info,)))


def _image(number: int, dataset: str, name: str, size: tuple[int, int, int]) -> Image:
    colored = tuple(Channel(channel, color) for channel, color in CHANNELS[dataset])
    known = dataset in ("Blastocysts", "E75")
    x, y, z = PIXEL if known else (None, None, None)
    return Image(
        number,
        name,
        *size,
        len(colored),
        1,
        significant_bits=16,
        size_x=x,
        size_y=y,
        size_z=z,
        channels=colored,
        external=EXTERNAL.get(number),
        fileset=900_000 + number,
        annotations=_annotations(number, dataset, name),
    )


def _annotations(number: int, dataset: str, name: str) -> tuple[Map, ...]:
    base = 37_000_000 + (number - FIRST) * 10
    bulk = [("Channels", CHANNEL_TEXT[dataset]), ("Segmented Image", name), ("Segmented Channel", "LaminB1")]
    bulk.append(("Segmentation Method", "Manual (Nessys Editor)"))
    bulk.append(("Experiment Comment", "Images are used for benchmarking segmentation methods."))
    if dataset in ("Blastocysts", "E75"):
        bulk += [("Genotype", "Wild-type"), ("Genotype Comment", "Outbred MF1 mice")]
    if dataset == "Blastocysts":
        bulk.append(("Image File Type Comment", "Derived (cropped image)"))
    maps = [Map(base, BULK, tuple(bulk)), Map(base + 1, MAPR + "organism", (("Organism", "Mus musculus"),))]
    if name.startswith("Tcf"):
        gene = "ENSMUSG00000068079"
        pairs = (("Gene Identifier", gene), ("Gene Identifier URL", f"http://www.ensembl.org/id/{gene}"), ("Gene Symbol", "Tcf15"))
        maps.append(Map(base + 2, MAPR + "gene", pairs))
    return tuple(maps)
