"""Fields taken out of a plate still say which plate, well and field they are, whatever they are written as."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from ome_zarr_models.v04.bioformats2raw import BioFormats2Raw as Layout04
from ome_zarr_models.v04.hcs import HCS as HCS04
from ome_zarr_models.v04.image import Image as Image04
from ome_zarr_models.v05.hcs import HCS as HCS05

from lightmicroscopy import readers
from lightmicroscopy.convert import Conversion, Format, Request, convert
from lightmicroscopy.image import Acquisition, Dataset, Image, Location, Plate, Well, WellField
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.metadata.ome_schema import schema_errors
from lightmicroscopy.metadata.ome_write import build_ome
from lightmicroscopy.selection import Selection
from lightmicroscopy.writers.ome_zarr import write_ome_zarr
from lightmicroscopy.writers.options import WriteOptions

from .memory_image import memory_image
from .zarr_stores import edited, folder, group, image_store, opened, pixels_of, plate_store, waves

FOUR_WELLS = Plate(
    "screen",
    2,
    2,
    tuple(Well(row, column, (WellField(4 * row + 2 * column, 0), WellField(4 * row + 2 * column + 1, 0))) for row in (0, 1) for column in (0, 1)),
    (Acquisition(0, "run"),),
)
Place = tuple[str, int, int, int | None]


def to(wanted: Format, path: Path, output: Path, series: str = "all", **options: Any) -> list[Path]:
    conversion: Conversion = convert(Location(path), output, Request(wanted, Selection(series=series), options=WriteOptions(**options)))
    conversion.dataset.close()
    return sorted(conversion.paths)


def places(path: Path) -> list[Place]:
    """Plate, row, column and number of every field a file refers to."""
    with readers.open(Location(path)) as dataset:
        return [(plate.name, well.row, well.column, field.index) for plate in dataset.plates for well in plate.wells for field in well.fields]


def groups(store: Path) -> list[str]:
    """Paths of the image groups of a store of NGFF 0.4."""
    return sorted(path.parent.relative_to(store).as_posix() for path in store.rglob(".zattrs") if b"multiscales" in path.read_bytes())


def plate_tiff(path: Path, plate: Plate = FOUR_WELLS, edit: Any = None) -> Path:
    """One OME-TIFF of all fields of a plate, each with its own number as pixels."""
    count = sum(len(well.fields) for well in plate.wells)
    pixels = [np.full((1, 1, 1, 20, 24, 1), number, "uint16") for number in range(count)]
    images = [memory_image(array, series=number, name=f"field {number}") for number, array in enumerate(pixels)]
    # The writer counts planes through the file, as it does for a single image.
    xml = build_ome(images, storage="ome-tiff", source=None, plates=(plate,))
    stack = np.concatenate([array[0, 0, ..., 0] for array in pixels])
    tifffile.imwrite(path, stack, description=edit(xml) if edit else xml, metadata=None, photometric="minisblack")
    return path


def hcs(path: Path) -> Path:
    """Write the same as an OME-Zarr."""
    return to("ome-zarr", plate_tiff(path / "screen.ome.tiff"), path / "hcs")[0]


@pytest.mark.parametrize("source", [plate_tiff, hcs])
def test_one_field_as_ome_zarr_is_an_image_that_names_its_well(tmp_path: Path, source: Any) -> None:
    (tmp_path / "in").mkdir()
    path = source(tmp_path / "in") if source is hcs else source(tmp_path / "in" / "screen.ome.tiff")
    (store,) = to("ome-zarr", path, tmp_path, "7")
    assert groups(store) == ["."]
    Image04.from_zarr(zarr.open_group(store, mode="r"))
    xml = (store / "OME" / "METADATA.ome.xml").read_bytes()
    assert schema_errors(xml) == []
    assert b'<Plate ID="Plate:0" Name="screen"' in xml
    assert (xml.count(b"<Well "), xml.count(b"<WellSample ")) == (1, 1)
    assert places(store) == [("screen", 1, 1, 1)]
    with opened(store) as dataset:
        assert not dataset.plate_layout
        assert int(pixels_of(dataset.images[0]).max()) == 7


@pytest.mark.parametrize("source", [plate_tiff, hcs])
def test_one_field_as_ome_tiff_names_its_well(tmp_path: Path, source: Any) -> None:
    (tmp_path / "in").mkdir()
    path = source(tmp_path / "in") if source is hcs else source(tmp_path / "in" / "screen.ome.tiff")
    (file,) = to("ome-tiff", path, tmp_path, "3")
    assert places(file) == [("screen", 0, 1, 1)]
    with tifffile.TiffFile(file) as tiff:
        assert re.findall('<WellSample [^>]*Index="([0-9]+)"', tiff.ome_metadata or "") == ["1"]


def test_the_reference_survives_every_further_conversion(tmp_path: Path) -> None:
    (store,) = to("ome-zarr", hcs(tmp_path), tmp_path / "1", "7")
    (again,) = to("ome-zarr", store, tmp_path / "2", ngff_version="0.5")
    (file,) = to("ome-tiff", again, tmp_path / "3")
    (last,) = to("ome-zarr", file, tmp_path / "4")
    assert [places(path) for path in (store, again, file, last)] == [[("screen", 1, 1, 1)]] * 4
    assert groups(last) == ["."]


def test_a_store_of_several_series_is_not_made_a_plate_because_its_xml_names_one(tmp_path: Path) -> None:
    images = [memory_image(np.full((1, 1, 1, 20, 24, 1), number, "uint16"), series=number, name=f"field {number}") for number in range(2)]
    plate = Plate("screen", 1, 1, (Well(0, 0, (WellField(0), WellField(1))),))
    written = write_ome_zarr(
        Dataset(Location(Path("cells")), "memory", tuple(images), plates=(plate,), plate_layout=False), tmp_path / "a.ome.zarr", WriteOptions()
    )
    assert groups(written.path) == ["0", "1"]
    (again,) = to("ome-zarr", written.path, tmp_path / "again")
    assert groups(again) == ["0", "1"]
    Layout04.from_zarr(zarr.open_group(again, mode="r"))
    assert places(again) == [("screen", 0, 0, 0), ("screen", 0, 0, 1)]


def test_fields_of_a_series_that_is_not_there_are_not_referred_to(tmp_path: Path) -> None:
    images = [memory_image(np.full((1, 1, 1, 20, 24, 1), number, "uint16"), series=number, name=f"field {number}") for number in range(2)]
    plate = Plate("screen", 1, 2, (Well(0, 0, (WellField(0),)), Well(0, 1, (WellField(1),))))
    dataset = Dataset(Location(Path("cells")), "memory", tuple(images), plates=(plate,), plate_layout=False)
    path = write_ome_zarr(dataset, tmp_path / "a.ome.zarr", WriteOptions()).path
    (path / "0").rename(tmp_path / "gone")
    with opened(path) as dataset:
        assert [image.name for image in dataset.images] == ["field 1"]
        assert [(well.column, [field.series for field in well.fields]) for well in dataset.plates[0].wells] == [(0, []), (1, [1])]
    assert places(to("ome-zarr", path, tmp_path / "out")[0]) == [("screen", 0, 1, 0)]


def test_an_image_of_no_plate_has_none(tmp_path: Path) -> None:
    (store,) = to("ome-zarr", plate_tiff(tmp_path / "cells.ome.tiff", Plate("", 1, 1, (Well(0, 0, (WellField(9),)),))), tmp_path)
    with opened(store) as dataset:
        assert dataset.plates == ()
        assert dataset.plate_layout
    assert b"<Plate" not in (store / "OME" / "METADATA.ome.xml").read_bytes()


@pytest.mark.parametrize("chosen", ["0,1,5,7", "5,7"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_fields_keep_their_numbers_where_others_are_left_out(tmp_path: Path, version: Any, chosen: str) -> None:
    (store,) = to("ome-zarr", hcs(tmp_path), tmp_path, chosen, ngff_version=version)
    paths = {"0": "A/1/0", "1": "A/1/1", "5": "B/1/1", "7": "B/2/1"}
    with opened(store) as dataset:
        assert [image.path for image in dataset.images] == [paths[number] for number in chosen.split(",")]
        assert [int(pixels_of(image).max()) for image in dataset.images] == [int(number) for number in chosen.split(",")]
    model = HCS04 if version == "0.4" else HCS05
    model.from_zarr(zarr.open_group(store, mode="r"))
    xml = (store / "OME" / "METADATA.ome.xml").read_bytes()
    assert schema_errors(xml) == []
    assert [field.index for plate in read_ome(xml, "").plates for well in plate.wells for field in well.fields] == [
        int(paths[number][-1]) for number in chosen.split(",")
    ]
    indexes = re.findall(rb'<WellSample [^>]*Index="([0-9]+)"', xml)
    assert len(set(indexes)) == len(indexes)


def test_a_number_goes_from_zarr_over_ome_tiff_back_to_zarr(tmp_path: Path) -> None:
    (store,) = to("ome-zarr", hcs(tmp_path), tmp_path / "1", "5,7")
    files = to("ome-tiff", store, tmp_path / "2")
    assert [places(file) for file in files] == [[("screen", 1, 0, 1)], [("screen", 1, 1, 1)]]
    back = [to("ome-zarr", file, tmp_path / "3")[0] for file in files]
    assert [places(path) for path in back] == [[("screen", 1, 0, 1)], [("screen", 1, 1, 1)]]


def index_edit(*indexes: int) -> Any:
    """Give the well samples those indexes, and ids that say nothing."""

    def edit(xml: bytes) -> bytes:
        numbers = iter(enumerate(indexes))

        def sample(_: re.Match[bytes]) -> bytes:
            number, index = next(numbers)
            return b'<WellSample ID="WellSample:%d" Index="%d"' % (number, index)

        return re.sub(b"<WellSampleRef[^>]*>", b"", re.sub(b'<WellSample ID="[^"]*" Index="[^"]*"', sample, xml))

    return edit


@pytest.mark.parametrize(
    ("indexes", "numbers"),
    [
        ((0, 1, 2, 3), (0, 1, 0, 1)),  # through the plate, as Bio-Formats counts
        ((0, 1, 0, 1), (0, 1, 0, 1)),  # in each well
        ((1, 4, 1, 4), (1, 4, 1, 4)),  # in each well, with gaps
        ((4, 5, 10, 11), (0, 1, 0, 1)),  # through a plate of which wells are missing
        ((0, 3, 5, 6), (None, None, None, None)),  # in no way that tells
        ((0, 0, 1, 1), (None, None, None, None)),  # wrong
    ],
)
def test_indexes_of_other_software_are_understood_only_where_they_tell(
    tmp_path: Path, indexes: tuple[int, ...], numbers: tuple[int | None, ...]
) -> None:
    plate = Plate("p", 1, 2, (Well(0, 0, (WellField(0), WellField(1))), Well(0, 1, (WellField(2), WellField(3)))))
    path = plate_tiff(tmp_path / "p.ome.tiff", plate, index_edit(*indexes))
    assert [place[3] for place in places(path)] == list(numbers)
    (store,) = to("ome-zarr", path, tmp_path)
    shown = (0, 1, 0, 1) if None in numbers else numbers
    assert groups(store) == sorted(f"A/{1 + position // 2}/{number}" for position, number in enumerate(shown))


def test_missing_fields_of_a_plate_counted_through_are_seen(tmp_path: Path) -> None:
    plate = Plate("p", 1, 2, (Well(0, 0, (WellField(0), WellField(1))), Well(0, 1, (WellField(2),))))
    assert [place[3] for place in places(plate_tiff(tmp_path / "p.ome.tiff", plate, index_edit(0, 1, 3)))] == [0, 1, 1]


@pytest.mark.parametrize("name", ["first", "007", "1000000", "1e3"])
def test_a_path_that_is_no_number_is_given_one(tmp_path: Path, name: str) -> None:
    files = {path.replace("B/7/0/", f"B/7/{name}/"): data for path, data in plate_store("0.4").items()}
    files = edited(files, "B/7/.zattrs", lambda value: value["well"]["images"][0].update(path=name))
    path = folder(files, tmp_path / "plate.ome.zarr")
    assert [place[3] for place in places(path)] == [None, 1, 0]
    assert groups(to("ome-zarr", path, tmp_path / "out")[0]) == ["A/12/0", "B/7/0", "B/7/1"]


def test_two_fields_of_one_number_lie_apart() -> None:
    assert Well(0, 0, (WellField(0, index=1), WellField(1, index=1), WellField(2), WellField(3, index=0))).numbers == (1, 2, 3, 0)


def test_wells_in_one_place_do_not_share_ids() -> None:
    plate = Plate("p", 1, 1, (Well(0, 0, (WellField(0),)), Well(0, 0, (WellField(1),))))
    images: list[Image] = [memory_image(np.zeros((1, 1, 1, 4, 4, 1), "uint8"), series=number) for number in range(2)]
    xml = build_ome(images, storage="ome-zarr", source=None, plates=(plate,))
    identifiers = re.findall(rb'<WellSample ID="([^"]*)"', xml)
    assert len(set(identifiers)) == len(identifiers) == 2


def test_several_multiscales_are_counted_and_named(tmp_path: Path) -> None:
    files = image_store(waves((1, 1, 1, 20, 20)), "0.4")
    more = edited(files, ".zattrs", lambda value: value["multiscales"].extend([{"name": "raw"}, {}]))
    with opened(folder(more, tmp_path / "three")) as dataset:
        assert len(dataset.images) == 1
        (warning,) = [sentence for sentence in dataset.images[0].warnings if "multiscales" in sentence]
        assert "3 multiscales; the first ('cells') is read and 2 are left out ('raw', one without a name)" in warning
    (outcome,) = convert(Location(tmp_path / "three"), tmp_path / "out", Request("ome-zarr")).outcomes
    assert warning in outcome.warnings
    with opened(folder(files, tmp_path / "one")) as dataset:
        assert not any("multiscales" in sentence for sentence in dataset.images[0].warnings)


def test_positions_in_the_well_follow_the_order_of_the_xml(tmp_path: Path) -> None:
    """The series that OME lists may be in another order than the wells."""
    files = plate_store("0.4") | group("OME", {"series": ["A/12/0", "B/7/0", "B/7/1"]}, "0.4")
    samples = "".join(
        f'<Well ID="Well:{n}" Row="{row}" Column="{column}"><WellSample ID="WellSample:{n}" Index="{n}" PositionX="{n}.5" PositionXUnit="µm">'
        f'<ImageRef ID="Image:{n}"/></WellSample></Well>'
        for n, (row, column) in enumerate([(0, 11), (1, 6)])
    )
    image = (
        '<Image ID="Image:{0}"><Pixels ID="Pixels:{0}" DimensionOrder="XYZCT" Type="uint16" SizeX="20" SizeY="20" SizeZ="1" SizeC="1" SizeT="1">'
        "<MetadataOnly/></Pixels></Image>"
    )
    xml = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Plate ID="Plate:0">{samples}</Plate>'
    xml += "".join(image.format(number) for number in range(3)) + "</OME>"
    with opened(folder(files | {"OME/METADATA.ome.xml": xml.encode()}, tmp_path)) as dataset:
        shown = {dataset.images[field.series].path: field.position_x for well in dataset.plates[0].wells for field in well.fields}
    assert {path: None if position is None else position.value for path, position in shown.items()} == {"A/12/0": 0.5, "B/7/0": 1.5, "B/7/1": None}
