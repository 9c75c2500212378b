from __future__ import annotations

import pytest

from lightmicroscopy.archives.idr import Annotation
from lightmicroscopy.archives.idr_citation import citation_page, citation_text
from lightmicroscopy.archives.idr_study import NAMESPACE, Place, names_of, study_of
from lightmicroscopy.archives.study import Study

PLACE = Place("idr0002", "idr0002-heriche-condensation/screenA", "screen", 102, "idr0002-heriche-condensation/screenA")


def facts(*pairs: tuple[str, str], namespace: str = NAMESPACE) -> list[Annotation]:
    return [Annotation("screen", 102, namespace, key, value, position) for position, (key, value) in enumerate(pairs)]


def test_a_study_is_what_its_annotation_says() -> None:
    study = study_of(
        PLACE,
        facts(
            ("Study Title", "Focused mitotic chromsome condensaton screen using HeLa cells"),
            ("Publication Title", "Integration of biological data"),
            ("Publication Authors", "Hériché JK, Lees JG"),
            ("Publication DOI", "10.1091/mbc.E13-04-0221 https://doi.org/10.1091/mbc.E13-04-0221"),
            ("Data DOI", "10.17867/10000101 https://doi.org/10.17867/10000101"),
            ("Release Date", "2016-05-26"),
            ("License", "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/"),
            ("Copyright", "Heriche et al"),
        ),
    )
    assert study == Study(
        accession="idr0002",
        component="idr0002-heriche-condensation/screenA",
        url="https://idr.openmicroscopy.org/webclient/?show=screen-102",
        title="Focused mitotic chromsome condensaton screen using HeLa cells",
        authors="Hériché JK, Lees JG",
        publication_title="Integration of biological data",
        publication_doi="10.1091/mbc.E13-04-0221",
        data_doi="10.17867/10000101",
        licence="CC BY 4.0",
        licence_url="https://creativecommons.org/licenses/by/4.0/",
        release_date="2016-05-26",
        copyright="Heriche et al",
    )


def test_a_study_that_names_no_licence_has_none() -> None:
    study = study_of(PLACE, facts(("Study Title", "T")))
    assert (study.licence, study.licence_url, study.authors, study.data_doi) == ("", "", "", "")
    assert "Licence: unknown" in citation_text([study])


def test_other_annotations_of_the_container_say_nothing_on_the_study() -> None:
    assert study_of(PLACE, facts(("License", "CC0"), namespace="openmicroscopy.org/omero/client/mapAnnotation")).licence == ""


@pytest.mark.parametrize(
    ("value", "licence", "url"),
    [
        ("CC BY 4.0", "CC BY 4.0", ""),
        (
            "CC BY-NC-SA 3.0 https://creativecommons.org/licenses/by-nc-sa/3.0/",
            "CC BY-NC-SA 3.0",
            "https://creativecommons.org/licenses/by-nc-sa/3.0/",
        ),
        ("CC0 1.0 (https://creativecommons.org/publicdomain/zero/1.0/)", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        (
            "https://creativecommons.org/licenses/by/4.0/",
            "https://creativecommons.org/licenses/by/4.0/",
            "https://creativecommons.org/licenses/by/4.0/",
        ),
        ("CC BY 4.0 javascript:alert(1)", "CC BY 4.0 javascript:alert(1)", ""),
        (" \t\n", "", ""),
    ],
)
def test_licences_are_split_into_name_and_address(value: str, licence: str, url: str) -> None:
    study = study_of(PLACE, facts(("License", value)))
    assert (study.licence, study.licence_url) == (licence, url)


def test_two_papers_are_both_kept() -> None:
    study = study_of(
        PLACE,
        facts(
            ("Publication DOI", "10.1000/a"),
            ("Publication DOI", "https://doi.org/10.1000/b."),
            ("Publication DOI", "10.1000/a"),
            ("Publication DOI", "in press"),
        ),
    )
    assert study.publication_doi == "10.1000/a; 10.1000/b"


def test_authors_are_one_bounded_line() -> None:
    study = study_of(PLACE, facts(("Publication Authors", "A\tB,\n C\x00" + "x" * 10**6)))
    assert study.authors.startswith("A B, Cx")
    assert len(study.authors) <= 20_000


@pytest.mark.parametrize(
    ("name", "accession", "component"),
    [
        ("idr0062-blin-nuclearsegmentation/experimentA", "idr0062", "idr0062-blin-nuclearsegmentation/experimentA"),
        ("idr0013-neumann-mitocheck", "idr0013", "idr0013-neumann-mitocheck"),
        ("idr0013", "idr0013", ""),
        ("idr00131x-a/b", "", ""),
        ("My project", "", ""),
        ("", "", ""),
        ("idr0062-x/../../etc", "idr0062", ""),
        ("idr0062-x/screen<script>", "idr0062", ""),
    ],
)
def test_accession_and_component_are_read_from_the_containers_name(name: str, accession: str, component: str) -> None:
    assert names_of(name) == (accession, component)


def test_the_citation_names_each_study_once_and_the_archive() -> None:
    first = study_of(
        PLACE,
        facts(
            ("Study Title", "First"),
            ("Publication DOI", "10.1000/p"),
            ("Data DOI", "10.17867/d"),
            ("License", "CC BY 4.0 https://creativecommons.org/licenses/by/4.0/"),
        ),
    )
    second = Study("idr0001", "idr0001-graml-sysgro/screenA", "https://idr.openmicroscopy.org/webclient/?show=screen-3", title="Second")
    text = citation_text([first, second, first])
    assert text.count("## idr0002-heriche-condensation/screenA") == 1
    assert text.index("idr0001") < text.index("idr0002")
    for part in (
        "<https://doi.org/10.1000/p>",
        "<https://doi.org/10.17867/d>",
        "CC BY 4.0 <https://creativecommons.org/licenses/by/4.0/>",
        "<https://doi.org/10.1038/nmeth.4326>",
    ):
        assert part in text
    assert text.endswith("\n")
    page = citation_page([first, second, first])
    assert page.count("<h2>idr0002-heriche-condensation/screenA</h2>") == 1
    for address in ("https://doi.org/10.1000/p", "https://doi.org/10.17867/d", "https://doi.org/10.1038/nmeth.4326"):
        assert f'<a href="{address}" target="_blank" rel="noreferrer">{address}</a>' in page


def test_no_study_is_still_a_text_that_says_so() -> None:
    assert "No study is known" in citation_text([])
    assert "No study is known" in citation_page([])


def test_what_a_study_says_of_itself_cannot_become_markup() -> None:
    hostile = "<script>alert(1)</script> [x](http://evil.org) ![y](http://evil.org/z) `code` # a | b\n\n# Heading"
    study = Study(
        "idr0001",
        "",
        "https://idr.openmicroscopy.org/webclient/?show=screen-3",
        title=hostile,
        publication_doi='10.1/"onclick="x',
        licence=hostile,
        licence_url="javascript:x",
    )
    text = citation_text([study])
    assert "<script" not in text.replace("\\<", "")
    assert "](" not in text.replace("\\]", "")
    assert "\n# Heading" not in text
    assert "javascript" not in text
    page = citation_page([study])
    assert "<script" not in page
    assert "javascript" not in page
    assert 'href="https://doi.org/10.1/&quot;onclick=&quot;x"' in page
