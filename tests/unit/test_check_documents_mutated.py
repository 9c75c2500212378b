"""A sound document, one thing broken at a time: every break that a rule is meant for is found, and none makes a rule stop.

The breaks are drawn by a seed, so that they are the same each time; what may break unseen is listed with its reason.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.test_data import documents

from .document_checks import LIBRARY, LIST, PROCESSED, STUDY, Json, report_of, submission

BREAKS = 300
PARSED = re.compile(r"^(?:Study|Screen|Comment|Term Source|Library|Processed)")
MANDATORY = (
    "Study Title",
    "Study Description",
    "Study Type",
    "Study Publication Title",
    "Study Author List",
    "Study Public Release Date",
    "Screen Description",
    "Screen Sample Type",
    "Screen Imaging Method",
    "Screen Number",
    "Screen Type",
)
LIST_NAME = "bia_list.tsv"


def lines() -> list[str]:
    return documents.STUDY.splitlines()


def keys() -> list[int]:
    return [number for number, line in enumerate(lines()) if PARSED.match(line)]


def mandatory(draw: random.Random) -> tuple[list[str], int]:
    text = lines()
    return text, draw.choice([number for number in keys() if text[number].split("\t")[0] in MANDATORY])


def any_key(draw: random.Random) -> tuple[list[str], int]:
    return lines(), draw.choice(keys())


def swapped_letters(draw: random.Random) -> str:
    text, number = any_key(draw)
    key, tab, value = text[number].partition("\t")
    places = [place for place in range(len(key) - 1) if key[place].isalpha() and key[place + 1].isalpha() and key[place] != key[place + 1]]
    place = draw.choice(places)
    text[number] = key[:place] + key[place + 1] + key[place] + key[place + 2 :] + tab + value
    return "\n".join(text)


def other_case(draw: random.Random) -> str:
    text, number = any_key(draw)
    key, tab, value = text[number].partition("\t")
    text[number] = draw.choice([key.lower(), key.upper()]) + tab + value
    return "\n".join(text)


def blank_in_key(draw: random.Random) -> str:
    text, number = any_key(draw)
    key, tab, value = text[number].partition("\t")
    text[number] = draw.choice([f"{key} ", f" {key}", key.replace(" ", "  ", 1)]) + tab + value
    return "\n".join(text)


def no_tab(draw: random.Random) -> str:
    text, number = any_key(draw)
    text[number] = text[number].replace("\t", " ")
    return "\n".join(text)


def line_lost(draw: random.Random) -> str:
    text, number = mandatory(draw)
    del text[number]
    return "\n".join(text)


def line_twice(draw: random.Random) -> str:
    text, number = any_key(draw)
    while not re.match("Study|Screen (?:Des|Sam|Type\t|Num)|Comment|Term", text[number]):
        text, number = any_key(draw)
    text.insert(number + 1, text[number])
    return "\n".join(text)


def value_lost(draw: random.Random) -> str:
    text, number = mandatory(draw)
    text[number] = text[number].partition("\t")[0] + "\t"
    return "\n".join(text)


def hint_left(draw: random.Random) -> str:
    text, number = any_key(draw)
    text[number] = text[number].partition("\t")[0] + "\t# fill in"
    return "\n".join(text)


def wrong_value(draw: random.Random) -> str:
    text = documents.STUDY
    old, new = draw.choice(
        [
            ("EFO_0007550", "EFO_007550"),
            ("FBbi_00000251", "FBbi_0000251"),
            ("NCBITaxon_9606", "human"),
            ("0000-0002-1825-0097", f"0000-0002-1825-00{draw.choice([number for number in range(10, 100) if number != 97])}"),
            ("PMC1234567", str(draw.randrange(10**6))),
            ("12345678", "in press"),
            ("10.1234/drawn", "drawn"),
            ("2027-03-01", f"2027-{draw.randrange(13, 99)}-01"),
            ("ola@example.org", "ola.example.org"),
            ("Number\t1", f"Number\t{draw.randrange(2, 9)}"),
            ("idr0000-nordmann", f"idr000{draw.randrange(1, 9)}-nordmann"),
            ("drawing/screenA", "drawing"),
            ("CC BY 4.0", draw.choice(["CC BY-NC 4.0", "MIT", "CC BY-ND 4.0"])),
            ("Nordmann O, Hansen K", "Nordmann O\tHansen K"),
            ("Study Organism\t", "Screen Number\t2\nScreen Organism\t"),
            ("screenA-library", "screenB-library"),
            ("screenA-processed", "screenA-library"),
            ("Accession]\tidr0000", f"Accession]\tidr{draw.randrange(1000)}"),
        ]
    )
    assert old in text
    return text.replace(old, new)


STUDY_BREAKS: list[Callable[[random.Random], str]] = [
    swapped_letters,
    other_case,
    blank_in_key,
    no_tab,
    line_lost,
    line_twice,
    value_lost,
    hint_left,
    wrong_value,
]


@pytest.mark.parametrize("block", range(6))
def test_whatever_breaks_in_a_study_file_is_found(tmp_path: Path, block: int) -> None:
    missed = []
    for seed in range(block, BREAKS, 6):
        draw = random.Random(seed)  # noqa: S311 - breaks are to be repeatable, and need not be secret
        change = STUDY_BREAKS[seed % len(STUDY_BREAKS)]
        text = change(draw)
        assert text != documents.STUDY
        report = report_of(tmp_path, {STUDY: text, LIBRARY: documents.LIBRARY, PROCESSED: documents.PROCESSED}, "idr")
        assert not [finding for finding in report.findings if "an error of its own" in finding.message]
        if not report.findings:
            missed.append((seed, change.__name__))
    assert missed == []


def parts_of(document: Json) -> list[Json]:
    found = [document["section"]]
    for section in found:
        found += section.get("subsections", [])
    return found


FIELDS = {
    "Study": {"Title", "Description", "License"},
    "Author": {"Name", "E-mail", "affiliation"},
    "organisation": {"Name"},
    "Biosample": {"Title", "Organism", "Biological entity"},
    "Specimen": {"Title", "Sample preparation protocol"},
    "Image acquisition": {"Title", "Imaging instrument", "Image acquisition parameters", "Imaging method"},
    "Image correlation": {"Title", "Spatial and temporal alignment"},
    "Image analysis": {"Title", "Image analysis overview"},
    "Study Component": {"Name", "Description", "File List"},
    "Associations": {"Biosample", "Specimen", "Image acquisition", "Image correlation", "Image analysis"},
}
"""What the template requires, and associations, each of which is the only one to a section."""


def required(document: Json, draw: random.Random) -> tuple[Json, Json]:
    section = draw.choice([each for each in parts_of(document) if each["type"] in FIELDS])
    return section, draw.choice([each for each in section["attributes"] if each["name"] in FIELDS[section["type"]]])


def attribute_lost(document: Json, draw: random.Random) -> None:
    section, attribute = required(document, draw)
    section["attributes"].remove(attribute)


def attribute_emptied(document: Json, draw: random.Random) -> None:
    _, attribute = required(document, draw)
    attribute["value"] = draw.choice(["", "  ", None, "null"])


def attribute_renamed(document: Json, draw: random.Random) -> None:
    _, attribute = required(document, draw)
    attribute["name"] = attribute["name"][:-1]


def attribute_nameless(document: Json, draw: random.Random) -> None:
    section = draw.choice(parts_of(document))
    draw.choice(section["attributes"])["name"] = draw.choice([None, "", 3, ["x"]])


def attribute_of_another_type(document: Json, draw: random.Random) -> None:
    section = draw.choice(parts_of(document))
    number = draw.randrange(len(section["attributes"]))
    section["attributes"][number] = draw.choice(["x", 3, None])


def value_of_another_type(document: Json, draw: random.Random) -> None:
    _, attribute = required(document, draw)
    attribute["value"] = draw.choice([["a"], {"a": "b"}])


def attributes_of_another_type(document: Json, draw: random.Random) -> None:
    draw.choice(parts_of(document))["attributes"] = draw.choice(["x", 3, {"name": "Title"}])


def section_typeless(document: Json, draw: random.Random) -> None:
    draw.choice(parts_of(document)[1:])["type"] = draw.choice([None, "", 3])


def section_misspelled(document: Json, draw: random.Random) -> None:
    section = draw.choice(parts_of(document))
    section["type"] = section["type"][:-2] + "x"


def section_lost(document: Json, draw: random.Random) -> None:
    above = document["section"]
    below = draw.choice([each for each in above["subsections"] if each["type"] not in ("Publication", "Funding")])
    above["subsections"].remove(below)


def accession_taken(document: Json, draw: random.Random) -> None:
    one, other = draw.sample([each for each in parts_of(document) if each["accno"] != "o1"], 2)
    one["accno"] = other["accno"]


def title_changed(document: Json, draw: random.Random) -> None:
    kinds = ("Biosample", "Specimen", "Image acquisition", "Image correlation", "Image analysis")
    section = draw.choice([each for each in parts_of(document) if each["type"] in kinds])
    attribute = section["attributes"][0]
    attribute["value"] = draw.choice([attribute["value"] + " ", attribute["value"].upper() + "X", attribute["value"] + " 2"])


def value_wrong(document: Json, draw: random.Random) -> None:
    wrong: dict[str, Any] = {
        "E-mail": ["ola@example", "Ola <ola@example.org>", "ola example.org", "ola@example.org@example.org", "ola@example.org\u200b"],
        "ORCID": ["0000-0002-1825-0079", "0000000218250097", "ola"],
        "affiliation": ["o2", "University of Nowhere", "o1, o2"],
        "DOI": ["TBD", "doi: 10.1234/x", "10.1234/x.", "0.1234/x", "2312.01234", "https://example.org"],
        "Pubmed ID": ["pending", "PMID1", "in revision"],
        "Year": ["soon", "26"],
        "License": ["CC BY-NC 4.0", "MIT", "CC BY 4.0", "cc0"],
        "ReleaseDate": ["2026-11-22", "2029-01-01", "01.03.2027", "2027-3-1"],
        "File List": ["list.csv", "lists/", "liste_å.tsv", "other.tsv"],
        "Role": ["boss"],
    }
    section = draw.choice([each for each in parts_of(document) if any(attribute["name"] in wrong for attribute in each["attributes"])])
    attribute = draw.choice([attribute for attribute in section["attributes"] if attribute["name"] in wrong])
    attribute["value"] = draw.choice(wrong[attribute["name"]])


def term_wrong(document: Json, draw: random.Random) -> None:
    section = draw.choice([each for each in parts_of(document) if each["type"] in ("Biosample", "Image acquisition")])
    attribute = next(each for each in section["attributes"] if "valqual" in each)
    draw.choice([lambda: attribute.pop("valqual"), lambda: attribute["valqual"].pop(1), lambda: attribute["valqual"][1].update(value="x")])()


def reference_unmarked(document: Json, draw: random.Random) -> None:
    attribute = next(each for section in parts_of(document) for each in section["attributes"] if each.get("reference"))
    attribute["reference"] = draw.choice([False, None, "yes"])


def submission_wrong(document: Json, draw: random.Random) -> None:
    draw.choice(
        [
            lambda: document.pop("type"),
            lambda: document["attributes"].pop(0),
            lambda: document["attributes"].pop(1),
            lambda: document.update(attributes=[]),
            lambda: document.update(section=[]),
            lambda: document["attributes"][2].update(value="2027-04-01"),
        ]
    )()


SUBMISSION_BREAKS: list[Callable[[Json, random.Random], None]] = [
    attribute_lost,
    attribute_emptied,
    attribute_renamed,
    attribute_nameless,
    attribute_of_another_type,
    value_of_another_type,
    attributes_of_another_type,
    section_typeless,
    section_misspelled,
    section_lost,
    accession_taken,
    title_changed,
    value_wrong,
    term_wrong,
    reference_unmarked,
    submission_wrong,
]
SOUND = {"bia.direct-upload"}
"""What is told of the sound submission too."""


@pytest.mark.parametrize("block", range(6))
def test_whatever_breaks_in_a_submission_is_found(tmp_path: Path, block: int) -> None:
    missed = []
    for seed in range(block, BREAKS, 6):
        draw = random.Random(seed)  # noqa: S311 - breaks are to be repeatable, and need not be secret
        change = SUBMISSION_BREAKS[seed % len(SUBMISSION_BREAKS)]
        document = submission(lambda sound, change=change, draw=draw: change(sound, draw))
        assert document != documents.submission()
        report = report_of(tmp_path, {"submission.json": document, LIST_NAME: LIST}, "bia")
        assert not [finding for finding in report.findings if "an error of its own" in finding.message]
        if not {finding.rule for finding in report.findings} - SOUND:
            missed.append((seed, change.__name__))
    assert missed == []


def test_whatever_line_is_lost_from_a_table_is_found(tmp_path: Path) -> None:
    """An empty line between two blocks, or the first line of a block: the blocks run into each other."""
    text = documents.as_table(submission()).rstrip("\n").split("\n")
    missed = []
    for number, line in enumerate(text):
        if line and text[number - 1]:
            continue
        changed = "\n".join(text[:number] + text[number + 1 :])
        report = report_of(tmp_path, {"submission.tsv": changed, LIST_NAME: LIST}, "bia")
        assert not [finding for finding in report.findings if "an error of its own" in finding.message]
        if not report.findings:
            missed.append((number, line))
    assert missed == []
