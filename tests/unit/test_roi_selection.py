"""Drawings stay on the cells they were drawn on when a part of the image is taken."""

from __future__ import annotations

import pytest

from lightmicroscopy.image import Roi, RoiShape
from lightmicroscopy.roi_selection import Cut, cut_rois

CUT = Cut(channels=(2, 0), z=(1, 3), t=(1, 2), y=(7, 20), x=(5, 25))


def only(shape: RoiShape, cut: Cut = CUT) -> RoiShape | None:
    found = cut_rois([Roi((shape,), name="cell")], cut)
    return found[0].shapes[0] if found else None


def test_a_rectangle_moves_with_the_region_and_its_plane_with_the_span() -> None:
    moved = only(RoiShape("Rectangle", {"X": "10", "Y": "12", "Width": "4", "Height": "3"}, text="A", t=1, c=2, z=1))
    assert moved == RoiShape("Rectangle", {"X": "5", "Y": "5", "Width": "4", "Height": "3"}, text="A", t=0, c=0, z=0)


def test_on_a_smaller_level_everything_shrinks() -> None:
    cut = Cut((0,), (0, 1), (0, 1), (0, 64), (0, 64), (1.0, 2.0, 4.0))
    assert only(RoiShape("Ellipse", {"X": "8", "Y": "8", "RadiusX": "4", "RadiusY": "2"}), cut) == RoiShape(
        "Ellipse", {"X": "2", "Y": "4", "RadiusX": "1", "RadiusY": "1"}
    )
    polygon = only(RoiShape("Polygon", {"Points": "8,8 16.5,8 8,-2e0"}), cut)
    assert polygon is not None
    assert polygon.geometry == {"Points": "2,4 4.125,4 2,-1"}


def test_in_a_projection_a_drawing_belongs_to_no_one_plane() -> None:
    cut = Cut((0,), (0, 5), (0, 1), (0, 64), (0, 64), projected=True)
    moved = only(RoiShape("Point", {"X": "1", "Y": "1"}, z=3), cut)
    assert moved is not None
    assert moved.z is None


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(RoiShape("Point", {"X": "10", "Y": "10"}, c=1), id="on a channel not taken"),
        pytest.param(RoiShape("Point", {"X": "10", "Y": "10"}, z=0), id="on a plane not taken"),
        pytest.param(RoiShape("Point", {"X": "10", "Y": "10"}, t=0), id="at a time not taken"),
        pytest.param(RoiShape("Point", {"X": "4", "Y": "10"}), id="left of the region"),
        pytest.param(RoiShape("Line", {"X1": "30", "Y1": "8", "X2": "40", "Y2": "9"}), id="right of the region"),
        pytest.param(RoiShape("Polyline", {"Points": "6,30 9,31"}), id="below the region"),
    ],
)
def test_what_lies_outside_is_left_out(shape: RoiShape) -> None:
    assert only(shape) is None


def test_a_mask_is_not_scaled_with_its_bits_as_they_are() -> None:
    mask = RoiShape("Mask", {"X": "0", "Y": "0", "Width": "8", "Height": "8", "BinData": "AA=="})
    assert only(mask, Cut((0,), (0, 1), (0, 1), (0, 64), (0, 64), (1.0, 2.0, 2.0))) is None
    assert only(mask, Cut((0,), (0, 1), (0, 1), (0, 64), (0, 64))) == mask


def test_a_shape_without_all_its_numbers_is_kept_as_it_is() -> None:
    assert only(RoiShape("Rectangle", {"X": "ten"})) == RoiShape("Rectangle", {"X": "ten"})


TURNED = {"Transform A00": "0", "Transform A10": "1", "Transform A01": "-1", "Transform A11": "0", "Transform A02": "12", "Transform A12": "10"}
"""A quarter turn, then 12 to the right and 10 down: a box at the origin comes to lie left of (12, 10)."""


def test_a_turned_rectangle_stays_turned_and_lands_where_its_cell_is() -> None:
    box = {"X": "0", "Y": "0", "Width": "4", "Height": "2"}
    moved = only(RoiShape("Rectangle", box | TURNED))
    assert moved is not None
    assert moved.geometry == box | TURNED | {"Transform A02": "7", "Transform A12": "3"}
    smaller = only(RoiShape("Rectangle", box | TURNED), Cut((0,), (0, 1), (0, 1), (0, 64), (0, 64), (1.0, 2.0, 4.0)))
    assert smaller is not None
    assert [float(smaller.geometry[f"Transform {key}"]) for key in ("A00", "A10", "A01", "A11", "A02", "A12")] == [0, 0.5, -0.25, 0, 3, 5]


def test_a_turned_rectangle_is_left_out_by_where_it_lies_and_not_by_where_it_was_drawn() -> None:
    inside_once_turned = RoiShape("Rectangle", {"X": "0", "Y": "0", "Width": "4", "Height": "2"} | TURNED)
    outside_once_turned = RoiShape("Rectangle", {"X": "10", "Y": "12", "Width": "4", "Height": "2"} | TURNED)
    assert (only(inside_once_turned) is None, only(outside_once_turned) is None) == (False, True)
