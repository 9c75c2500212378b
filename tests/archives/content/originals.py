"""Studies whose pixels are only in original files (rows `not zarr` of IDR/idr.openmicroscopy.org: download_urls.tsv).

Study names, container numbers, image numbers and client paths are the real ones where README.md does not say otherwise; the files'
content is invented, and much smaller than the real one.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import idr0062
from .catalogue import Catalogue
from .files import MICROSCOPE_FILE, Companion, Original, imagej_tiff, ome_tiff, rgb_tiff
from .model import BULK, STUDY_INFO, Channel, Dataset, Fileset, Image, Length, Map, Pair, Project

SKET = "idr0117-croce-marimba/20210812-ftp/SkeT 16c.tif"
MIFISH = Companion(13965882, "Dataset1", (3, 4, 96, 128))
MIFISH_FOLDER = "idr0123-mota-mifish/20211026-ftp/"
HYPERSPECTRAL = "idr0165-duinkerken-hyperspectraledx/Figure1_Multichannel.ome.tif"
MELANOMA = "idr0109-zaritsky-melanoma/20210319-ftp/140605_A375.nd2"
PATTERN = "uod/idr/metadata/idr0100-capar-myelin/pattern/Sample1.pattern"
FILESETS = "uod/idr/filesets/"
LICENCE: Pair = ("License", "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/")


def files() -> Iterator[tuple[str, Original]]:
    """Yield every file of the tree by its path below /pub/databases/IDR/."""
    yield SKET, Original(lambda: rgb_tiff(13441308, 120, 160))
    for name, original in MIFISH.files():
        yield MIFISH_FOLDER + name, original
    sizes = [(3, 1, 96, 128), (2, 3, 64, 80)]
    names = ["Figure1_Multichannel", "Figure1_Multichannel overview"]
    yield HYPERSPECTRAL, Original(lambda: ome_tiff(15160018, sizes, names, ["autofluorescence", "red", "blue"]))
    yield MELANOMA, Original(lambda: MICROSCOPE_FILE * 100)
    zone = idr0062.client_path("E75", "E75_Zone_1.tif").removeprefix(FILESETS)
    _, x, y, z = idr0062.DATASETS["E75"][0]
    yield zone, Original(lambda: imagej_tiff(6001251, 2, z, y, x, idr0062.PIXEL[2].value))


def add(catalogue: Catalogue) -> None:
    """Add the studies."""
    _study(catalogue, 2001, "idr0117-croce-marimba", "invented", [_sket()], 11_720)
    _study(catalogue, 2251, "idr0123-mota-mifish", "Dataset1", [_mifish()], 12_320)
    _study(catalogue, 3102, "idr0165-duinkerken-hyperspectraledx", "Figure 1", list(_hyperspectral()), 16_520)
    _study(catalogue, 1801, "idr0109-zaritsky-melanoma", "A375", [_melanoma()], 10_920)
    _study(catalogue, 1451, "idr0100-capar-myelin", "Sample1", [_myelin()], 10_020)
    catalogue.add_filesets(
        [
            Fileset(1_300_001, (FILESETS + SKET,), ("demo_2/2021-08/12/SkeT 16c.tif",)),
            Fileset(1_300_002, tuple(FILESETS + MIFISH_FOLDER + name for name in MIFISH.names())),
            Fileset(1_300_003, (FILESETS + HYPERSPECTRAL,)),
            Fileset(1_300_004, (FILESETS + MELANOMA,)),
            Fileset(1_300_005, (PATTERN,), ("demo_2/2020-12/01/Sample1.pattern",)),
        ]
    )


def _study(catalogue: Catalogue, number: int, study: str, dataset: str, images: list[Image], dataset_id: int) -> None:
    info = Map(36_900_000 + number, STUDY_INFO, (("Sample Type", "cell"), LICENCE, ("Copyright", "invented et al")))
    catalogue.add_project(Project(number, f"{study}/experimentA", (Dataset(dataset_id, dataset, tuple(images)),), None, (info,)))


def _sket() -> Image:
    """Return an RGB image of which the server knows no pixel size and no channel name."""
    text = Map(37_100_001, BULK, (("Channels", "RGB"),))
    return Image(
        13441308, "SkeT 16c.tif", 160, 120, 1, 3, 1, "uint8", 8, channels=(Channel(), Channel(), Channel()), fileset=1_300_001, annotations=(text,)
    )


def _mifish() -> Image:
    c, z, y, x = MIFISH.sizes
    channels = tuple(Channel(f"channel {number}") for number in range(c))
    size = Length(0.1), Length(0.1), Length(0.3)
    return Image(13965882, "Dataset1", x, y, z, c, 1, "uint16", 16, *size, channels=channels, fileset=1_300_002)


def _hyperspectral() -> Iterator[Image]:
    """Yield two series of one file."""
    size = Length(0.2), Length(0.2), Length(0.5)
    names = ("autofluorescence", "red", "blue")
    first = tuple(Channel(name) for name in names)
    yield Image(
        15160018, "Figure1_Multichannel.ome.tif [Figure1_Multichannel]", 128, 96, 1, 3, 1, "uint16", 16, *size, channels=first, fileset=1_300_003
    )
    name = "Figure1_Multichannel.ome.tif [Figure1_Multichannel overview]"
    yield Image(15160019, name, 80, 64, 3, 2, 1, "uint16", 16, *size, channels=first[:2], series=1, fileset=1_300_003)


def _melanoma() -> Image:
    """Return an image in a format that the suite does not read."""
    return Image(12922361, "140605_A375.nd2", 2560, 2160, 1, 1, 607, "uint16", 16, channels=(Channel("DIC"),), fileset=1_300_004, time_increment=60.0)


def _myelin() -> Image:
    """Return an image made of a pattern file, which only points to others."""
    return Image(11576514, "Sample1.pattern", 512, 512, 20, 1, 1, "uint8", 8, channels=(Channel("myelin"),), fileset=1_300_005)
