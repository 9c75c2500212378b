"""The studies of the BioImage Archive that are in the sample archive."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable

from .bia import CC0, CC_BY, MANY, BiaStudy, Listed, Pair, attribute, licence, person, picture, plane, section, submission, text
from .files import MICROSCOPE_FILE, Original


def _nuclei() -> BiaStudy:
    """Return S-BIAD634: two lists, one of them a table; the description comes as it is."""
    names = [f"otherspecimen_{number}.tif" for number in (3, 4)] + ["Neuroblastoma_1.tif"]
    raw = {f"dataset/rawimages/{name}": plane(number, 763, 1014) for number, name in enumerate(names)}
    truth = {f"dataset/groundtruth/{name}": plane(10 + number, 763, 1014) for number, name in enumerate(names)}
    lists = {
        "rawimages.json": tuple(Listed(path, (("Magnification", "63x" if "other" in path else "20x"),)) for path in raw),
        "groundtruth.tsv": tuple(Listed(path, (("Source image", path.replace("groundtruth", "rawimages")),)) for path in truth),
    }
    samples = ["Tumor sample from ganglioneuroblastoma patient", "Neuroblastoma cell lines "]
    root = section(
        "Study",
        "section0",
        (
            attribute("Title", "An annotated fluorescence image dataset for training nuclear segmentation methods"),
            attribute("Description", "Invented description of the study."),
            attribute("Keywords", "nuclear segmentation"),
            attribute("Keywords", "fluorescence"),
            licence(CC0),
        ),
        links=[{}, {"url": "S-BSST265", "attributes": [attribute("Type", "BioStudies")]}],
        subsections=[
            person(1, "Invented Author"),
            person(2, "Second Author", "author", "0000-0000-0000-0000", "o1, o2"),
            section("organisation", "o1", (attribute("Name", "Invented Institute, Vienna"),)),
            section("Organization", "o2", (attribute("Name", "Second Institute"),)),
            section("Publication", "", (attribute("Title", "Invented paper"), attribute("DOI", "https://doi.org/10.1000/invented.634"))),
            *(
                section(
                    "Biosample", f"Biosample-{number}", (attribute("Title", title), attribute("Biological entity", "nuclei")), subsections=[_human()]
                )
                for number, title in enumerate(samples, 1)
            ),
            section("Specimen", "Specimen-1", (attribute("Title", "Cytospin"), attribute("Sample preparation protocol", "Invented protocol"))),
            section(
                "Image acquisition",
                "Image acquisition-1",
                (
                    attribute("Title", "Fluorescence imaging"),
                    attribute("Imaging instrument", "Invented instrument"),
                    attribute("Image acquisition parameters", "Invented parameters"),
                ),
                subsections=[
                    section(
                        "Imaging Method",
                        "Imaging Method-1",
                        (
                            attribute("Ontology Value", "fluorescence microscopy"),
                            attribute("Ontology Name", "FBbi"),
                            attribute("Ontology Term ID", "FBbi:00000246"),
                        ),
                    )
                ],
            ),
            section(
                "Study Component",
                "Study Component-1",
                (attribute("Name", "Raw images"), attribute("Description", "Nuclei"), attribute("File List", "rawimages.json")),
                subsections=[
                    section(
                        "Associations",
                        "",
                        (
                            attribute("Biosample", "Neuroblastoma cell lines "),
                            attribute("Specimen", "Cytospin"),
                            attribute("Image acquisition", "Fluorescence imaging"),
                        ),
                    )
                ],
            ),
            section(
                "Annotations",
                "Annotations-1",
                (
                    attribute("Title", "Segmentation masks"),
                    attribute("Annotation Overview", "Outlines"),
                    attribute("Annotation Type", "segmentation_mask"),
                    attribute("Annotation Method", "By hand"),
                    attribute("File List", "groundtruth.tsv"),
                ),
            ),
        ],
    )
    sections = {"rawimages.json": "Study_Component-1", "groundtruth.tsv": "Annotations-1"}
    return BiaStudy("S-BIAD634", "S-BIAD/634/S-BIAD634", "pagetab", submission("S-BIAD634", "2023-01-01", root), raw | truth, lists, sections)


def _human() -> Pair:
    return section("Organism", "", (attribute("Common name", "human"), attribute("Scientific name", "Homo sapiens")))


def _puncta() -> BiaStudy:
    """Return S-BIAD1556: blanks in names, template v5; the description comes as text in an object."""
    folder = "Delta_IDR_mutants/Raw_Tiff/110922_delIDR1"
    names = [f"{folder}/110922_ZFTA_RELA_HEK.sld - 110922_delIDR1 - Position {number}.tif" for number in (20, 21)]
    component = "Image analysis of HEK293T Cells with GFP-ZFTA::RELA constructs"
    root = section(
        "Study",
        "section0",
        (
            attribute("Title", "ZFTA_RELA HEK293T Puncta Studies"),
            attribute("Description", "Invented description."),
            attribute("Keywords", "Condensate"),
            attribute("Keywords", "Oncogene"),
            licence(CC0),
        ),
        subsections=[
            # A table of sections is a list within the list.
            [person(number, name) for number, name in enumerate(("Amir Arabzade", "David Baggett", "Hazheen Shirnekhi"), 1)],
            [person(number, name) for number, name in enumerate(("Minjeong Jo", "Stephen Mack", "Richard Kriwacki"), 4)],
            section("organisation", "o1", (attribute("Name", "Invented hospital"),)),
            section(
                "Biosample",
                "bios-1",
                (
                    attribute("Title", "ZFTA_RELA HEK293T Puncta Studies"),
                    attribute("Organism", "Homo sapiens", Ontology="NCBITaxon", TermId="NCBITaxon_9606"),
                    attribute("Biological entity", "HEK293T"),
                ),
            ),
            section(
                "Image acquisition",
                "imag-1",
                (
                    attribute("Title", "ZFTA_RELA HEK293T Puncta Studies"),
                    attribute("Imaging instrument", "Invented instrument"),
                    attribute("Image acquisition parameters", "Invented"),
                    attribute("Imaging method", "confocal microscopy", Ontology="fbbi", TermId="FBbi_00000251"),
                ),
            ),
            section(
                "Study Component",
                "stud-1",
                (attribute("Name", component), attribute("Description", "Invented"), attribute("File List", "lists/puncta.xlsx")),
                subsections=[
                    section(
                        "Associations",
                        "",
                        (attribute("Biosample", "ZFTA_RELA HEK293T Puncta Studies"), attribute("Specimen", "There is none of this title")),
                    )
                ],
            ),
        ],
    )
    files = {name: picture(number) for number, name in enumerate(names)}
    lists = {"lists/puncta.xlsx": tuple(Listed(name) for name in names)}
    document = submission("S-BIAD1556", "2025-01-27", root, "BioImages.v5", attribute("DOI", "true"))
    return BiaStudy("S-BIAD1556", "S-BIAD/556/S-BIAD1556", "link-pagetab", document, files, lists, {"lists/puncta.xlsx": "stud-1"})


def _yap() -> BiaStudy:
    """Return S-BIAD1495: the service sends on to the description; every file in a list of 2,500, for pages."""
    names = [f"YAP/plate{number // 100:02d}/neuron_{number:05d}.txt" for number in range(MANY)]
    root = section(
        "Study",
        "section0",
        (
            attribute("Title", "Immunofluorescence staining images of mouse neuronal precursors with nuclear YAP"),
            attribute("Description", "Invented."),
            attribute("Keywords", "immunofluorescence staining"),
            licence(CC_BY),
        ),
        subsections=[
            person(1, "Reiya Taniguchi", orcid="0000-0003-3862-8349"),
            person(2, "Martin Beck", orcid="0000-0002-7397-1321"),
            section("Biosample", "Biosample-1", (attribute("Title", "mouse neuronal precursors"), attribute("Organism", "Mus musculus (mouse)"))),
            section(
                "Study Component",
                "Study Component-1",
                (attribute("Name", "Analysis of nuclear YAP localization"), attribute("File List", "list.json")),
            ),
        ],
    )
    files = {name: text(f"invented content of {name}\n") for name in names}
    lists = {"list.json": tuple(Listed(name, (("Well", f"{'ABCDEFGH'[number % 8]}{number % 12 + 1:02d}"),)) for number, name in enumerate(names))}
    return BiaStudy(
        "S-BIAD1495",
        "S-BIAD/495/S-BIAD1495",
        "redirect",
        submission("S-BIAD1495", "2025-01-14", root),
        files,
        lists,
        {"list.json": "Study_Component-1"},
    )


def _old() -> BiaStudy:
    """Return S-BIAD24: a folder that nobody could compute from the accession, on the older store; only its address comes."""
    root = section(
        "Study",
        "",
        (attribute("Title", "Invented title of an early study"), attribute("Organism", "Some organism"), attribute("License", "CC-BY 4.0")),
        files=[
            [{"path": "early.czi", "size": 4200, "type": "file", "attributes": [attribute("Type", "raw")]}],
            {"path": "notes/read me.txt", "size": 9, "type": "file"},
        ],
        subsections=[section("author", "", (attribute("Name", "Early Author"), attribute("affiliation", "Some Organisation")))],
    )
    files = {"early.czi": Original(lambda: (MICROSCOPE_FILE * 101)[:4200]), "notes/read me.txt": text("invented\n")}
    document = submission("S-BIAD24", "2020-05-05", root, "Default")
    return BiaStudy("S-BIAD24", "S-BIAD/S-BIAD0-99/S-BIAD24", "link", document, files, store="nfs")


def _direct() -> BiaStudy:
    """Return an S-BSST study: files in the description, titles twice, no licence; only its table of text is on the server."""
    root = section(
        "Study",
        "s-1",
        (attribute("Title", "Invented study of the default template"), attribute("Abstract", "An abstract"), attribute("Study type", "imaging")),
        files=[{"path": "scan.vsi", "size": 30, "type": "file"}, {"path": "_scan_/stack1/frame_t.ets", "size": 60, "type": "file"}],
        subsections=[section("Authors", "", (attribute("First name", "Grace"), attribute("Last name", "Invented")))],
    )
    files = {"scan.vsi": text("v" * 30), "_scan_/stack1/frame_t.ets": text("e" * 60)}
    document = submission("S-BSST990001", "2021-02-03", root, "Default", attribute("Title", "Title of the submission"))
    return BiaStudy("S-BSST990001", "S-BSST/001/S-BSST990001", "link", document, files, tsv_only=True)


def _folders() -> BiaStudy:
    """Return an S-SCDT study: folders, one of which is kept as a zip and one not at all."""
    import zipfile

    def zipped() -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(zipfile.ZipInfo("plate1.zarr/.zgroup"), '{"zarr_format": 2}')
        return out.getvalue()

    lists = {"folders.json": (Listed("plate1.zarr", (), 11, "directory"), Listed("plate2.zarr", (), 12, "directory"))}
    root = section(
        "Study",
        "",
        (
            attribute("Title", "Invented study with zipped folders"),
            attribute("Licence", "Creative Commons Attribution 4.0 International (CC BY 4.0)"),
        ),
        subsections=[section("Study Component", "sc-1", (attribute("Name", "Plates"), attribute("File List", "folders.json")))],
    )
    document = submission("S-SCDT990001", "2022-02-02", root)
    return BiaStudy("S-SCDT990001", "S-SCDT/001/S-SCDT990001", "pagetab", document, {"plate1.zarr.zip": Original(zipped)}, lists, zipped=True)


def _hostile() -> BiaStudy:
    """Return an S-JCBD study whose lists have every path that must not be followed, and sizes that are not true."""
    good = {
        "fine.tif": picture(7),
        "lying.tif": picture(8),
        "Aux.tif": text("aux"),
        "case.TIF": text("one"),
        "CASE.tif": text("two"),
        "a": text("file a"),
        "dup.tif": text("dup"),
    }
    paths = (
        "../../etc/passwd",
        "/etc/shadow",
        "C:\\Windows\\evil.dll",
        "C:/evil.tif",
        "a/../../up.tif",
        "line\nbreak.tif",
        "",
        "x" * 5000,
        "./here.tif",
        "a//b.tif",
    )
    entries = (
        *(Listed(path, (), 5) for path in paths),
        *(Listed(path) for path in ("fine.tif", "Aux.tif", "case.TIF", "CASE.tif", "a", "dup.tif")),
        Listed("lying.tif", (), 12),
        Listed("a/b.tif", (), 3),
        Listed("gone.tif", (), 77),
    )
    root = section(
        "Study",
        "s",
        (attribute("Title", "<script>alert(1)</script> Invented oddities"), attribute("License", "All rights reserved")),
        subsections=[
            section("Study Component", "c1", (attribute("Name", "../Odd / component"), attribute("File List", "odd.json"))),
            section("Study Component", "c2", (attribute("Name", "Second"), attribute("File List", "twice.json"))),
        ],
    )
    lists = {"odd.json": entries, "twice.json": (Listed("dup.tif", (), 4), Listed("fine.tif"))}
    files = {**good, "a/b.tif": text("abc")}
    document = submission("S-JCBD990001", "2019-09-09", root)
    return BiaStudy("S-JCBD990001", "S-JCBD-/S-JCBD-xxx001/S-JCBD990001", "redirect", document, files, lists)


def _broken_lists() -> BiaStudy:
    """Return a study whose file lists cannot be used; the table of its page has the files."""
    root = section(
        "Study",
        "s",
        (attribute("Title", "Invented study with broken file lists"), licence(CC0)),
        subsections=[
            section("Study Component", "Study Component-1", (attribute("Name", "Cut off"), attribute("File List", "cut.json"))),
            section("Study Component", "Study Component-2", (attribute("Name", "Lost"), attribute("File List", "lost.json"))),
        ],
    )
    files = {f"part{number}/im.txt": text(f"part {number}") for number in range(4)}
    lists = {
        "cut.json": (Listed("part0/im.txt", (("Gene", "invented1"),)), Listed("part1/im.txt")),
        "lost.json": (Listed("part2/im.txt"), Listed("part3/im.txt")),
    }
    raw = {
        "cut.json": b'[{"path": "part0/im.txt", "size": 6, "type": "file", "attributes": []}, {"path": "part1',
        "lost.json": b"<html>not here</html>",
    }
    document = submission("S-BIAD990003", "2023-03-03", root)
    return BiaStudy(
        "S-BIAD990003",
        "S-BIAD/003/S-BIAD990003",
        "pagetab",
        document,
        files,
        lists,
        {"cut.json": "Study_Component-1", "lost.json": "Study_Component-2"},
        raw_lists=raw,
    )


def _private() -> BiaStudy:
    root = section("Study", "s", (attribute("Title", "Invented study that is not yet public"),))
    return BiaStudy("S-BIAD990002", "S-BIAD/002/S-BIAD990002", "pagetab", submission("S-BIAD990002", "2030-01-01", root), {}, private=True)


MAKERS: tuple[Callable[[], BiaStudy], ...] = (_nuclei, _puncta, _yap, _old, _direct, _folders, _hostile, _broken_lists, _private)


@functools.cache
def bia_studies() -> dict[str, BiaStudy]:
    """Return every study by its accession."""
    return {study.accession: study for study in (make() for make in MAKERS)}
