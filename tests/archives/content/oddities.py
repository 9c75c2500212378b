"""Images that are hard on a client: what is missing, repeated, moved, broken or plain wrong in an archive of this age.

Numbers and paths of idr0002, idr0016, idr0051, idr0170 and idr0173 are the real ones (IDR/idr.openmicroscopy.org: download_urls.tsv);
whatever has a number from 99000000 on is invented.
"""

from __future__ import annotations

from .catalogue import Catalogue
from .model import (
    BULK,
    MAPR,
    STUDY_INFO,
    Acquisition,
    Channel,
    Dataset,
    External,
    File,
    Fileset,
    Image,
    Length,
    Map,
    Pair,
    Plate,
    Project,
    Roi,
    Sample,
    Screen,
    Well,
)

MOVED_IMAGE = "bioimaging-integrator-data/S-BIAD815/b2633930-86b0-489e-a845-d2a7afe6ff15/b2633930-86b0-489e-a845-d2a7afe6ff15.zarr"
MOVED_PLATE = "bioimaging-integrator-data/S-BIAD851/171961d7-6cca-4201-87e4-449ff3880d48/171961d7-6cca-4201-87e4-449ff3880d48.zarr"
GONE = "https://uk1s3.embassy.ebi.ac.uk/"
LICENCE: Pair = ("License", "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/")
NO_PIXELS, BIG, NAMELESS, SLASHED = 99000001, 99000002, 99000003, 99000004
PYRAMID, BROKEN, EVERYTHING, ORPHAN, WRONG_LSID, OTHER_HOST, CROWD = 99000005, 99000006, 99000007, 99000008, 99000009, 99000010, 99000100
CROWD_MAP = Map(99_100_100, MAPR + "organism", (("Organism", "Multitudo inventa"),))
OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06#"
RECTANGLE = {
    "@type": "http://www.openmicroscopy.org/Schemas/OME/2016-06#Rectangle",
    "X": 10.0,
    "Y": 12.0,
    "Width": 30.0,
    "Height": 20.0,
    "TheZ": 0,
    "TheT": 0,
}


PEN = {"@type": "TBD#LengthI", "Unit": "PIXEL", "Symbol": "pixel", "Value": 2.5}
SHAPES: tuple[dict[str, object], ...] = (
    {
        "@type": OME + "Rectangle",
        "X": 10.0,
        "Y": 12.0,
        "Width": 30.0,
        "Height": 20.0,
        "TheZ": 3,
        "TheT": 0,
        "Text": "a\tcell",
        "StrokeColor": -16776961,
    },
    {"@type": OME + "Ellipse", "X": 40.5, "Y": 30.25, "RadiusX": 5.0, "RadiusY": 4.0, "FillColor": 16711807, "StrokeWidth": PEN},
    {"@type": OME + "Polygon", "Points": "100,100 120,100 110,130", "TheC": 1},
    {"@type": OME + "Polyline", "Points": "points[1000,1000 1020,1000] points1[1,2 3,4] points2[1,2] mask[0,0]"},
    {"@type": OME + "Line", "X1": 1.0, "Y1": 2.0, "X2": 30.0, "Y2": 40.0},
    {
        "@type": OME + "Point",
        "X": 7.0,
        "Y": 8.0,
        "Transform": {"@type": OME + "AffineTransform", "A00": 1.0, "A10": 0.0, "A01": 0.0, "A11": 1.0, "A02": 5.0, "A12": 6.0},
    },
    {"@type": OME + "Mask", "X": 0.0, "Y": 0.0, "Width": 64.0, "Height": 64.0, "TheZ": 0},
    {"@type": OME + "Path", "TheZ": 0},
)


def add(catalogue: Catalogue) -> None:
    """Add them all."""
    _tailbud(catalogue)
    _wawer(catalogue)
    _condensation(catalogue)
    _plain_path(catalogue)
    _invented(catalogue)


def _info(number: int, *pairs: Pair) -> tuple[Map, ...]:
    return (Map(36_910_000 + number, STUDY_INFO, (*pairs, LICENCE)),)


def _tailbud(catalogue: Catalogue) -> None:
    """Add idr0051: one image only the samples table knows, one on the host that is gone."""
    first = Image(4007817, "180712_H2B_22ss_Courtney1_20180712-163837_p00_c00_preview", 333, 333, 201, 1, 79, channels=(Channel("Channel 0", -1),))
    moved = Image(4007821, "180712_H2B_22ss_Courtney5", 108, 116, 12, 1, 3, channels=(Channel("Channel 0", -1),), fileset=5_100_001)
    catalogue.add_filesets([Fileset(5_100_001, (f"{GONE}bia-integrator-data/{MOVED_IMAGE.partition('/')[2]}/.zattrs",))])
    dataset = Dataset(5_101, "180712_H2B_22ss", (first, moved))
    name = "idr0051-fulton-tailbudlightsheet/experimentA"
    catalogue.add_project(Project(552, name, (dataset,), None, _info(552, ("Sample Type", "tissue"))))


def _wawer(catalogue: Catalogue) -> None:
    """Add idr0016's plate on the host that is gone; its second well has the image whose number is known."""
    wells, series = [], 0
    run = Acquisition(3200, "24277", 2)
    for number, (row, column) in enumerate(((0, 0), (1, 6), (15, 23))):
        samples = []
        for field in range(2):
            image = Image(
                3407077 + series,
                f"24277 [Well {chr(65 + row)}{column + 1}, Field {field + 1}]",
                696,
                520,
                1,
                5,
                1,
                significant_bits=16,
                size_x=Length(656.0, "NANOMETER", "nm"),
                size_y=Length(656.0, "NANOMETER", "nm"),
                channels=tuple(Channel(None, None, emission=wave) for wave in (461.0, 520.0, 576.0, 604.0, 668.0)),
                series=series,
                fileset=1_600_001,
                annotations=(
                    Map(39_500_000 + series, BULK, (("Channels", "Hoechst:nuclei;ERSyto:ER;ERSytoBleed:RNA;Ph_golgi:AGP;Mito:mitochondria"),)),
                ),
            )
            samples.append(Sample(720_000 + series, image, run))
            series += 1
        wells.append(
            Well(870_000 + number, row, column, tuple(samples), (Map(39_510_000 + number, MAPR + "compound", (("Compound Name", "DMSO"),)),))
        )
    catalogue.add_filesets([Fileset(1_600_001, (f"{GONE}bia-integrator-data/{MOVED_PLATE.partition('/')[2]}/.zattrs",))])
    plate = Plate(4651, "24277", tuple(wells), 16, 24, (run,))
    name = "idr0016-wawer-bioactivecompoundprofiling/screenA"
    catalogue.add_screen(Screen(1251, name, (plate,), None, _info(1251, ("Sample Type", "cell"))))


def _condensation(catalogue: Catalogue) -> None:
    """Add idr0002's first plate: imported from a file that only points to others, so that nothing can be fetched."""
    channels = (Channel("Cy3", -16776961), Channel("eGFP", 16711935))
    image = Image(179693, "plate1_1_013 [Well A1, Field 1]", 1344, 1024, 1, 2, 329, channels=channels, acquired=1_252_939_626_000, fileset=200_001)
    run = Acquisition(102, None, 1, 1_252_938_959_000, 1_252_939_813_000)
    well = Well(139, 0, 0, (Sample(203, image, run, (0.0, 0.0)),))
    path = "uod/idr/metadata/idr0002-heriche-condensation/screenA/plates/plate1_1_013.screen"
    catalogue.add_filesets([Fileset(200_001, (path,), ("demo_2/2016-05/25/10-11-12.000/plate1_1_013.screen",))])
    empty = Plate(99000492, "an empty plate", (), 8, 12)
    authors = "Hériché JK, Lees JG, Morilla I, Walter T, Petrova B, Roberti MJ, Hossain MJ, Adler P, Fernández JM, Krallinger M, Haering CH, Vilo J"
    pairs = (
        ("Sample Type", "cell"),
        ("Organism", "Homo sapiens"),
        ("Study Title", "Focused mitotic chromsome condensaton screen using HeLa cells"),
        ("Publication Authors", f"{authors}, Valencia A, Ranea JA, Orengo C, Ellenberg J"),
        ("Publication DOI", "10.1091/mbc.E13-04-0221 https://doi.org/10.1091/mbc.E13-04-0221"),
        ("Release Date", "2016-05-26"),
    )
    plates = (Plate(422, "plate1_1_013", (well,), 8, 12, (run,)), empty)
    catalogue.add_screen(Screen(102, "idr0002-heriche-condensation/screenA", plates, None, _info(102, *pairs)))


def _plain_path(catalogue: Catalogue) -> None:
    """Add idr0170 and idr0173: what the server says of their pixels leads to nothing."""
    bare = "/bia-idr/S-BIAD1961/experimentA/RPM-TMA/RPM-TMA-1_ROI01_multichannel.zarr/RPM-TMA-1_ROI01_multichannel.zarr"
    path = "data/idr-metadata/idr0170-rose-mibitof/experimentA/../metadata/RPM-TMA-1_ROI01_multichannel.ome.xml"
    mibi = Image(15179941, "RPM-TMA-1_ROI01", 639, 545, 1, 37, 1, "float", 32, channels=(Channel(),) * 37, external=External(bare), fileset=1_700_001)
    zipped = "s3://uk1s3.embassy.ebi.ac.uk/bia-idr-integration/S-BIAD2216/microglia_zipped/HC/caudate/HC10/Patient_ImageStack_0000.ome.zarr/?anonymous=true"
    glia = Image(15190881, "Patient_ImageStack_0000.ome.zarr", 512, 512, 30, 3, 1, channels=(Channel(),) * 3, external=External(zipped))
    catalogue.add_filesets([Fileset(1_700_001, (path,))])
    name = "idr0170-rose-mibitof/experimentA"
    catalogue.add_project(Project(3251, name, (Dataset(17_001, "RPM-TMA", (mibi,)),), None, _info(3251, ("Sample Type", "tissue"))))
    catalogue.add_project(Project(99000173, "idr0173-invented-microglia/experimentA", (Dataset(17_301, "HC10", (glia,)),)))


def _invented(catalogue: Catalogue) -> None:
    """Add a study that never was."""
    place = "s3://livingobjects.ebi.ac.uk/idr/zarr/invented/big.zarr?anonymous=true"
    odd_pairs = (
        ("Phenotype", "increased cell size"),
        ("Phenotype", "decreased cell number"),
        ("Phenotype", "increased cell size"),
        ("Comment", "one\ttwo\nthree\r\nfour"),
        ("", "a value without a key"),
        ("a key without a value", ""),
        ("Gene Symbol", "β-actin <b>&amp;</b> \u2028 =1+1"),
        ("Channels", "DAPI:DNA;FITC:alpha-tubulin"),
    )
    odd = (
        Map(99_100_001, None, odd_pairs),
        Map(99_100_002, MAPR + "gene", (("Gene Symbol", "ACTB"), ("Gene Symbol", "actb")), "a name", "a description"),
        Map(99_100_003, BULK, ()),
        File(99_100_004, "openmicroscopy.org/idr/analysis/original", 99_100_005, "table.csv", b"cell,area\n1,20.5\n"),
    )
    two = (Channel("DAPI", 65535), Channel("FITC", 16711935))
    images = (
        Image(NO_PIXELS, "metadata only", 64, 48, 5, 2, 1, channels=two),
        Image(
            BIG,
            "a big one",
            2048,
            2048,
            64,
            2,
            1,
            "uint16",
            12,
            Length(0.2),
            Length(0.2),
            Length(0.5),
            channels=two,
            external=External(place),
            rois=(Roi(99_200_010, SHAPES[:2]), *(Roi(99_200_011 + index, (shape,)) for index, shape in enumerate(SHAPES[2:]))),
        ),
        Image(NAMELESS, None, 32, 32, 1, 1, 1, "float", channels=(Channel(None, -2147483648),), size_x=Length(1.0, "PIXEL", "pixel")),
        Image(SLASHED, "../../etc/passwd: a/b\\c\x07\u202e \n", 32, 32, 1, 1, 1, "uint8", channels=(Channel("a/b", -1),)),
        Image(PYRAMID, "a pyramid in the making", 20000, 20000, 1, 1, 1, "uint8", channels=(Channel(),), viewable="pyramid"),
        Image(BROKEN, "broken", 10, 10, 1, 1, 1, "uint8", channels=(Channel(),), viewable="broken"),
        Image(EVERYTHING, "annotated", 64, 48, 1, 2, 1, channels=(Channel(), Channel()), annotations=odd, rois=(Roi(99_200_001, (RECTANGLE,)),)),
        Image(WRONG_LSID, "wrong lsid", 32, 32, 1, 1, 1, channels=(Channel(),), external=External("s3://livingobjects.ebi.ac.uk/idr/../../x.zarr")),
        Image(
            OTHER_HOST,
            "another host",
            32,
            32,
            1,
            1,
            1,
            channels=(Channel(),),
            external=External("s3://169.254.169.254/latest/meta-data?anonymous=true"),
        ),
    )
    crowd = tuple(
        Image(CROWD + number, f"crowd {number:04d}", 16, 16, 1, 1, 1, "uint8", channels=(Channel(),), annotations=(CROWD_MAP,))
        for number in range(1200)
    )
    datasets = (Dataset(99_000, "one of each", images), Dataset(99_001, "a crowd", crowd), Dataset(99_002, "empty", ()))
    pairs = (("Study Title", "A study that never was"), ("License", "CC0 1.0 https://creativecommons.org/publicdomain/zero/1.0/"))
    info = Map(99_100_000, STUDY_INFO, pairs)
    catalogue.add_project(Project(99_000_000, "idr9999-invented-oddities/experimentA", datasets, None, (info,)))
    catalogue.add_image(Image(ORPHAN, "in nothing", 32, 32, 1, 1, 1, "uint8", channels=(Channel(),)))
