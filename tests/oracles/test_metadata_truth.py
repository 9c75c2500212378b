"""Every field of OME metadata that Bio-Formats finds in a real file is in its copies, or the difference is explained.

What is compared, and after which normalisations, is in `ome_fields`; what is explained, in `explained`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ..conftest import ROOT
from ..unit.czi_files import czi_bytes
from ..unit.hdf5_files import noise, write_bdv, write_ims
from ..unit.lif_files import write_lif
from ..unit.ome_examples import SCREEN
from . import stores, test_czi, test_lif, test_nd2, truth
from .bioformats import Seen
from .conftest import VERSIONS
from .explained import BETTER, DIFFERENT, Row
from .ome_fields import FIELDS, NORMALISATIONS, NOT_COMPARED, Field
from .ome_values import Document, normal, said, verdict
from .real import EVERYTHING, Expected, decided, each, look_at, named, refused_by_all
from .truth import Finding, compare, copied_ome, document, documented, findings_of, original_ome
from .workshop import Made, files_in, make, open_image

DATA = [path for path in files_in(ROOT / "test-data") if path.name not in {"truncated.tif"}]


def nearly_everything(path: Path) -> Path:
    """An OME-TIFF of two images with most of what OME-XML can say."""
    planes = "".join(f'<TiffData IFD="{2 * t + c}" FirstC="{c}" FirstT="{t}" PlaneCount="1"/>' for t in range(2) for c in range(2))
    described = re.sub("<TiffData.*?</TiffData>", planes, SCREEN).replace("<MetadataOnly/>", '<TiffData IFD="4" PlaneCount="1"/>')
    with tifffile.TiffWriter(path) as file:
        for number in range(4):
            # Bio-Formats takes a description for OME-XML only if it ends with its closing tag.
            file.write(np.full((16, 32), number, "u2"), description=described.strip().encode() if number == 0 else None, metadata=None)
        file.write(np.ones((8, 8), "f4"), metadata=None)
    return path


def layouts(folder: Path) -> dict[Path, str]:
    """Files of the layouts that the tests of each vendor's format make, with their names."""
    paths = {}
    for number, (name, make_czi) in enumerate(test_czi.MADE.items()):
        made = make_czi()
        paths[folder / f"{number}.czi"] = f"CZI, {name}"
        (folder / f"{number}.czi").write_bytes(made if isinstance(made, bytes) else czi_bytes(made))
    lif = {**test_lif.MADE, **{name: [made] for name, (made, _) in test_lif.DIFFERENT.items()}}
    paths |= {write_lif(folder / f"{number}.lif", *made): f"LIF, {name}" for number, (name, made) in enumerate(lif.items())}
    paths |= {nd2.write(folder / f"{number}.nd2"): f"ND2, {name}" for number, (name, nd2) in enumerate(test_nd2.arrangements().items())}
    paths[nearly_everything(folder / "screen.ome.tiff")] = "OME-TIFF, nearly everything that the schema has"
    values = noise(1, 2, 5, 37, 50)
    paths[write_ims(folder / "unnamed.ims", values, libver="earliest")] = "Imaris, channels without names"
    paths[write_bdv(folder / "view.h5", values, libver="earliest")] = "BigDataViewer"
    return paths


@dataclass(frozen=True, slots=True)
class Generated:
    """Files made here or in test-data: what Bio-Formats sees in them, and the comparison of each."""

    names: Mapping[Path, str]
    seen: Mapping[Path, Seen]
    findings: Mapping[Path, list[Finding]]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """The files of test-data, and files of every layout."""
    folder = tmp_path_factory.mktemp("data")
    names = {path: path.name for path in DATA} | layouts(folder)
    seen = look_at(names)
    return Generated(names, seen, findings_of(names, seen, make(names, tmp_path_factory.mktemp("copies"), "ome-tiff")))


@pytest.fixture(scope="module")
def findings(real_seen: Mapping[Path, Seen], real_tiffs: Mapping[Path, Made]) -> Mapping[Path, list[Finding]]:
    """The comparison of every file of which Bio-Formats says something."""
    return findings_of(EVERYTHING, real_seen, real_tiffs)


@pytest.mark.parametrize("path", each(EVERYTHING))
def test_nothing_that_bio_formats_finds_in_a_real_file_is_missing_or_unexplained(
    path: Path, findings: Mapping[Path, list[Finding]], real_seen: Mapping[Path, Seen], real_tiffs: Mapping[Path, Made]
) -> None:
    assert real_tiffs[path].error is None or original_ome(path, real_seen) is None, real_tiffs[path].error
    unexplained = [one for one in findings.get(path, []) if one.verdict in ("missing", "different") and one.row is None]
    assert {one.field: (one.theirs, one.ours) for one in unexplained} == {}


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.name)
def test_everything_that_bio_formats_finds_in_a_file_of_test_data_is_in_its_copy_and_what_is_more_is_explained(
    path: Path, generated: Generated
) -> None:
    unexplained = [one for one in generated.findings.get(path, []) if one.verdict in ("more", "missing", "different") and one.row is None]
    assert {one.field: (one.theirs, one.ours) for one in unexplained} == {}


def test_nothing_that_bio_formats_finds_in_a_file_of_any_layout_is_missing_or_unexplained(generated: Generated) -> None:
    compared = {path: found for path, found in generated.findings.items() if path not in DATA}
    assert len(compared) == len(generated.names) - len(DATA) > 60
    unexplained = [
        (generated.names[path], one.field, one.theirs, one.ours)
        for path, found in compared.items()
        for one in found
        if one.verdict in ("missing", "different") and one.row is None
    ]
    assert unexplained == []


def test_the_planes_of_a_file_of_any_layout_are_those_of_bio_formats_or_differ_as_decided(generated: Generated) -> None:
    different = []
    for path, name in generated.names.items():
        found = generated.seen[path.resolve()]
        if path not in DATA and found.error is None:
            with open_image(path) as dataset:
                pairs = zip(dataset.images, map(Expected.of_seen, found.series), strict=True)
                different += [(name, image.series) for image, other in pairs if decided(path, image, other).first != Expected.of_ours(image).first]
    assert different == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", each(EVERYTHING))
def test_the_ome_xml_in_a_store_says_what_that_in_the_ome_tiffs_says(
    path: Path,
    version: str,
    real_seen: Mapping[Path, Seen],
    real_tiffs: Mapping[Path, Made],
    real_zarrs: Mapping[str, Mapping[Path, Made]],
) -> None:
    if refused_by_all(path, real_seen):
        return
    (store,) = real_zarrs[version][path].whole().paths
    whole = Document.parse(stores.read_bytes(store, "OME/METADATA.ome.xml"))
    copies = [Document.parse(copy) for copy in copied_ome(real_tiffs[path])]
    before, after = said(*copies), said(whole)
    # NGFF has no axis for samples: they are channels there, each with what the one channel has.
    coloured = [len(one) for one in before["channel name"]] != [len(one) for one in after["channel name"]]
    fields = [field for field in FIELDS if not (coloured and field.scope.startswith(("channel", "plane")))]
    differ = [field.name for field in fields if verdict(before[field.name], after[field.name], field) not in ("", "same")]
    assert {name: (before[name], after[name]) for name in differ} == {}


@pytest.mark.parametrize("row", [*DIFFERENT, *BETTER], ids=lambda row: f"{row.format} {row.fields}: {row.reason}"[:60])
def test_a_difference_that_is_explained_is_really_there(
    row: Row, findings: Mapping[Path, list[Finding]], generated: Generated, known_files: Path
) -> None:
    everything = [one for found in (*generated.findings.values(), *findings.values()) for one in found]
    assert any(one.row is row for one in everything), f"no file in test-data or {known_files.name} differs so"


def test_the_document_is_what_is_found(findings: Mapping[Path, list[Finding]], known_files: Path) -> None:
    listed = documented()
    found = {path: one for path, one in findings.items() if named(path) in listed}
    assert len(found) == len(listed) > 30, f"files of the document are not in {known_files.name}"
    assert document(found) == truth.DOCUMENT.read_text(encoding="utf-8"), "run: python -m tests.oracles.truth"
    assert "**not explained**" not in document(found)


def test_the_document_states_the_fields_and_the_normalisations_first() -> None:
    text = truth.DOCUMENT.read_text(encoding="utf-8")
    places = [text.index("## Fields and normalisations"), text.index("## Peers on real files"), text.index("## Files")]
    assert places == sorted(places)
    stated = text[places[0] : places[1]]
    assert [field.name for field in FIELDS if f"| {field.name} | `{field.path}` |" not in stated] == []
    assert [row for row in (*NORMALISATIONS, *NOT_COMPARED) if row[1] not in stated] == []


# The comparison can say no


def ome(pixels: str = "", rest: str = "", before: str = "", image: str = "") -> bytes:
    """A small OME-XML document of one image."""
    return (
        f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{before}<Image ID="Image:0" Name="a">{image}'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="2" SizeY="2" SizeZ="1" SizeC="1" SizeT="2" {pixels}>'
        f'<Channel ID="Channel:0:0"/>{rest}</Pixels></Image></OME>'
    ).encode()


def judged(theirs: bytes, ours: bytes) -> dict[str, str]:
    """Verdicts of the fields that differ."""
    return {one.field: one.verdict for one in compare(Path("a"), "any", theirs, [ours]) if one.verdict not in ("", "same")}


LENS = '<Instrument ID="Instrument:0"><Objective ID="Objective:{0}" LensNA="{1}"/></Instrument>'
USED = '<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:{0}"/>'


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        (ome('PhysicalSizeX="0.5"'), ome('PhysicalSizeX="500" PhysicalSizeXUnit="nm"'), {}),
        (ome('PhysicalSizeX="0.5"'), ome('PhysicalSizeX="0.50001"'), {"pixel size x": "different"}),
        (ome('PhysicalSizeX="0.5"'), ome('PhysicalSizeX="0.5" PhysicalSizeXUnit="reference frame"'), {"pixel size x": "different"}),
        (ome('PhysicalSizeX="0.5"'), ome(), {"pixel size x": "missing"}),
        (ome(), ome('PhysicalSizeX="0.5"'), {"pixel size x": "more"}),
        (ome('SignificantBits="16"'), ome(), {}),
        (ome('SignificantBits="12"'), ome(), {"significant bits": "missing"}),
        (
            ome(rest='<Plane TheT="1" TheC="0" TheZ="0" DeltaT="1.5"/>'),
            ome(rest='<Plane TheT="0" TheC="0" TheZ="0" DeltaT="1.5"/>'),
            {"plane times": "missing"},
        ),
        (
            ome(rest='<Plane TheT="1" TheC="0" TheZ="0" DeltaT="1500" DeltaTUnit="ms"/>'),
            ome(rest='<Plane TheT="1" TheC="0" TheZ="0" DeltaT="1.5"/>'),
            {},
        ),
        (ome(before=LENS.format("a", 1.2), image=USED.format("a")), ome(before=LENS.format(7, 1.2), image=USED.format(7)), {}),
        (
            ome(before=LENS.format("a", 1.2), image=USED.format("a")),
            ome(before=LENS.format("a", 1.2), image='<InstrumentRef ID="Instrument:0"/>'),
            {"objective numerical aperture": "missing"},
        ),
    ],
)
def test_a_difference_of_one_field_is_seen_and_another_spelling_is_none(theirs: bytes, ours: bytes, expected: dict[str, str]) -> None:
    assert judged(theirs, ours) == expected


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        (ome(image="<Rating>5</Rating>"), ome(), {"anything else": "missing"}),
        (ome(image="<Rating>5</Rating>"), ome(image="<Rating>6</Rating>"), {"anything else": "different"}),
        (ome(image="<Rating>5</Rating>"), ome(image="<Rating> 5.0 </Rating>"), {}),
        (ome(before='<Project Name="a"/>'), ome(), {"anything else": "missing"}),
        (ome('BigEndian="true"', '<TiffData IFD="0"><UUID FileName="a">b</UUID></TiffData>'), ome('BigEndian="false"'), {}),
    ],
)
def test_a_place_that_is_in_no_list_is_compared_all_the_same(theirs: bytes, ours: bytes, expected: dict[str, str]) -> None:
    assert judged(theirs, ours) == expected


@pytest.mark.parametrize(("text", "kind"), [("Other", "word"), ("-1", "colour"), ("  ", "text"), (None, "number")])
def test_words_that_say_nothing_are_nothing(text: str | None, kind: str) -> None:
    field = Field("a", "image", "Image/@Name", kind)  # type: ignore[arg-type]
    assert normal(text, field.kind, None) is None
