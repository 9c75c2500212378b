"""Documents that describe images: a submission to the BioImage Archive, and the files of a study for the IDR.

Every person, organisation, sample and result in them is invented. The ORCID iD is the one that ORCID itself uses for examples.
"""

from __future__ import annotations

import json
from typing import Any

ORCID = "0000-0002-1825-0097"
RELEASE = "2027-03-01"
Json = dict[str, Any]


def attribute(name: str, value: str, **more: Any) -> Json:
    """One attribute of PageTab."""
    return {"name": name, "value": value, **more}


def term(name: str, value: str, ontology: str, identifier: str) -> Json:
    """One attribute that is a term."""
    return attribute(name, value, valqual=[{"name": "Ontology", "value": ontology}, {"name": "TermId", "value": identifier}])


def section(kind: str, accno: str, *attributes: Json, **more: Any) -> Json:
    """One section of PageTab."""
    return {"type": kind, "accno": accno, "attributes": list(attributes), **more}


def submission() -> Json:
    """Compose a submission in which nothing is wrong and nothing is missing."""
    author = section(
        "Author",
        "author-1",
        attribute("Name", "Ola Nordmann"),
        attribute("E-mail", "ola@example.org"),
        attribute("Role", "corresponding author"),
        attribute("ORCID", ORCID),
        attribute("affiliation", "o1", reference=True),
    )
    publication = section(
        "Publication",
        "publication-1",
        attribute("Title", "Cells that were drawn"),
        attribute("Authors", "Nordmann O"),
        attribute("DOI", "10.1234/drawn.2026"),
        attribute("Year", "2026"),
        attribute("Pubmed ID", "12345678"),
    )
    biosample = section(
        "Biosample",
        "biosample-1",
        attribute("Title", "HeLa"),
        term("Organism", "Homo sapiens", "NCBITaxon", "NCBITaxon_9606"),
        attribute("Biological entity", "HeLa cells"),
        attribute("Description", "Cells in a dish"),
        attribute("Experimental variable", "drug"),
        attribute("Extrinsic variable", "nocodazole"),
        attribute("Intrinsic variable", "none"),
    )
    specimen = section(
        "Specimen",
        "specimen-1",
        attribute("Title", "Fixed cells"),
        attribute("Sample preparation protocol", "Fixed with formaldehyde, stained with DAPI"),
        attribute("Growth protocol", "DMEM, 37 °C"),
    )
    acquisition = section(
        "Image acquisition",
        "acquisition-1",
        attribute("Title", "Confocal"),
        attribute("Imaging instrument", "A confocal microscope"),
        attribute("Image acquisition parameters", "63x, NA 1.4"),
        term("Imaging method", "confocal microscopy", "FBbi", "FBbi_00000251"),
    )
    correlation = section(
        "Image correlation",
        "correlation-1",
        attribute("Title", "None"),
        attribute("Spatial and temporal alignment", "manual"),
        attribute("Fiducials used", "beads"),
        attribute("Transformation matrix", "identity"),
    )
    analysis = section("Image analysis", "analysis-1", attribute("Title", "Counting"), attribute("Image analysis overview", "Nuclei were counted"))
    associations = section(
        "Associations",
        "associations-1",
        attribute("Biosample", "HeLa"),
        attribute("Specimen", "Fixed cells"),
        attribute("Image acquisition", "Confocal"),
        attribute("Image correlation", "None"),
        attribute("Image analysis", "Counting"),
    )
    component = section(
        "Study Component",
        "component-1",
        attribute("Name", "Experiment A"),
        attribute("Description", "Cells with and without drug"),
        attribute("File List", "bia_list.tsv"),
        subsections=[associations],
    )
    study = section(
        "Study",
        "section0",
        attribute("Title", "Cells that were drawn by a program, for tests"),
        attribute("ReleaseDate", RELEASE),
        attribute("Description", "Nothing was acquired on a microscope."),
        attribute("Keywords", "mitosis"),
        attribute("Keywords", "confocal"),
        attribute("Acknowledgements", "Nobody"),
        attribute("Funding statement", "Nothing was paid"),
        attribute("License", "CC0", valqual=[{"name": "URL", "value": "https://creativecommons.org/publicdomain/zero/1.0/legalcode"}]),
        links=[{"url": "https://example.org/drawn", "attributes": [attribute("Description", "A page")]}],
        subsections=[
            author,
            section("organisation", "o1", attribute("Name", "University of Nowhere")),
            publication,
            section("Funding", "funding-1", attribute("Agency", "A council"), attribute("grant_id", "1")),
            biosample,
            specimen,
            acquisition,
            correlation,
            analysis,
            component,
        ],
    )
    attributes = [attribute("Template", "BioImages.v5"), attribute("AttachTo", "BioImages"), attribute("ReleaseDate", RELEASE)]
    return {"type": "submission", "attributes": attributes, "section": study}


FILE_LIST = "Files\tDrug\ncells.ome.tiff\tnone\nplain.tif\tnocodazole\n"
"""A list of two files, as the archive reads it."""


def as_table(document: Json) -> str:
    """Write PageTab as a table of text."""
    lines = [f"Submission\t{document.get('accno', '')}".rstrip("\t"), *_attributes(document), ""]
    lines += _section(document["section"], "")
    return "\n".join(lines)


def _section(value: Json, parent: str) -> list[str]:
    lines = ["\t".join([value["type"], value["accno"], parent]).rstrip("\t"), *_attributes(value), ""]
    for link in value.get("links", []):
        lines += [f"Link\t{link['url']}", *_attributes(link), ""]
    for below in value.get("subsections", []):
        lines += _section(below, value["accno"])
    return lines


def _attributes(value: Json) -> list[str]:
    lines = []
    for each in value["attributes"]:
        name = f"<{each['name']}>" if each.get("reference") else each["name"]
        lines.append(f"{name}\t{each['value']}")
        lines += [f"[{qualifier['name']}]\t{qualifier['value']}" for qualifier in each.get("valqual", [])]
    return lines


STUDY = """# A study that was invented for tests

Comment[IDR Study Accession]\tidr0000
Study Title\tCells that were drawn by a program
Study Type\thigh content screen
Study Type Term Source REF\tEFO
Study Type Term Accession\tEFO_0007550
Study Description\tNothing was acquired on a microscope.
Study Key Words\tmitosis\tdrawing
Study Organism\tHomo sapiens
Study Organism Term Source REF\tNCBITaxon
Study Organism Term Accession\tNCBITaxon_9606
Study Screens Number\t1
Study External URL\thttps://example.org/drawn
Study Public Release Date\t2027-03-01

# Publication
Study PubMed ID\t12345678
Study Publication Title\tCells that were drawn
Study Author List\tNordmann O, Hansen K
Study PMC ID\tPMC1234567
Study DOI\thttps://doi.org/10.1234/drawn.2026

# Contacts
Study Person Last Name\tNordmann\tHansen
Study Person First Name\tOla\tKari
Study Person Email\tola@example.org\tkari@example.org
Study Person Address\tUniversity of Nowhere\tUniversity of Nowhere
Study Person ORCID\t0000-0002-1825-0097
Study Person Roles\tsubmitter\tauthor

Study License\tCC BY 4.0
Study License URL\thttps://creativecommons.org/licenses/by/4.0/
Study Copyright\tNordmann et al
Study Data Publisher\tUniversity of Nowhere
Study Data DOI\thttps://doi.org/10.1234/10000000

Term Source Name\tNCBITaxon\tEFO\tFBbi
Term Source URI\thttp://purl.obolibrary.org/obo/\thttp://www.ebi.ac.uk/efo/\thttp://purl.obolibrary.org/obo/

# Screen
Screen Number\t1
Comment[IDR Screen Name]\tidr0000-nordmann-drawing/screenA
Screen Sample Type\tcell
Screen Description\tA screen of four wells
Screen Imaging Method\tconfocal microscopy
Screen Imaging Method Term Source REF\tFBbi
Screen Imaging Method Term Accession\tFBbi_00000251
Screen Technology Type\tcompound screen
Screen Technology Type Term Source REF\tEFO
Screen Technology Type Term Accession\tEFO_0007553
Screen Type\tprimary screen
Screen Type Term Source REF\tEFO
Screen Type Term Accession\tEFO_0007556

Library File Name\tidr0000-screenA-library.txt
Processed Data File Name\tidr0000-screenA-processed.txt
"""
"""A study file in which nothing is wrong."""
_LIBRARY_HEAD = (
    "Plate\tWell\tWell Number\tCharacteristics [Organism]\tTerm Source 1 REF\tTerm Source 1 Accession\tCompound Name\tControl Type\tChannels"
)
LIBRARY = "\n".join(
    [
        _LIBRARY_HEAD,
        *(
            f"drawn\t{well}\t{number}\tHomo sapiens\tNCBITaxon\tNCBITaxon_9606\t{compound}\t{control}\tDAPI:DNA;GFP:tubulin"
            for well, number, compound, control in (
                ("A1", 1, "DMSO", "negative control"),
                ("A2", 2, "nocodazole", ""),
                ("B1", 13, "taxol", ""),
                ("B2", 14, "colchicine", ""),
            )
        ),
        "",
    ]
)
PROCESSED = "\n".join(
    [
        "Plate\tWell\tCompound Name\tScore\tHas Phenotype\tPhenotype Annotation Level\tPhenotype 1",
        "drawn\tA1\tDMSO\t0.1\t\t\t",
        "drawn\tA2\tnocodazole\t2.5\tyes\twell\trounded cells",
        "",
    ]
)
ASSAYS = "\n".join(
    [
        "Source Name\tCharacteristics [Organism]\tTerm Source 1 REF\tTerm Source 1 Accession\tProtocol REF\tProtocol REF\tAssay Name"
        "\tExperimental Condition [drug]\tDataset Name\tImage File\tComment [Image File Path]\tChannels",
        *(
            f"cells {number}\tHomo sapiens\tNCBITaxon\tNCBITaxon_9606\tgrowth protocol\ttreatment protocol\tassay {number}\t{drug}\tset {number}"
            f"\t{image}\t/drawn/{image}\tDAPI:DNA"
            for number, drug, image in ((1, "none", "cells_04.ome.zarr.zip"), (2, "nocodazole", "cells_05.ome.zarr.zip"))
        ),
        "",
    ]
)


def every_file() -> dict[str, bytes]:
    """Documents with a mistake or two that people make, for the wrapper's tests."""
    document = submission()
    document["section"]["subsections"][0]["attributes"][3]["value"] = ORCID[:-1] + "8"
    library = LIBRARY.splitlines()
    return {
        "bia_submission.json": (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode(),
        "bia_list.tsv": FILE_LIST.encode(),
        "idr0000-study.txt": STUDY.replace("Screen Sample Type\tcell\n", "").encode(),
        "idr0000-screenA-library.txt": "\n".join([*library[:3], library[2], *library[3:], ""]).encode(),
    }
