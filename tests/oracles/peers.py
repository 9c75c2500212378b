"""Real files that are easily got wrong, and what programs make of them."""

from __future__ import annotations

from typing import Final, NamedTuple

OURS: Final = "this suite"
PEERS: Final = ("bfconvert 7.3.1", "ngff-zarr 0.50.0", "bioio-conversion 3.0.0", "EuBI-Bridge 0.3.2")


class Row(NamedTuple):
    """One file: what we make of it, and what each peer does."""

    file: str
    ours: str
    peers: tuple[str, str, str, str]


ROWS: Final = (
    Row(
        "czi/CellDivision_T3_Z5_CH2_X240_Y170.czi",
        "right: time step 60.075 s, units, the dyes' colours, windows from the lowest to the highest value, half-pixel translations of the levels",
        ("right", "cannot read it", "no units, windows 0 to 255 for uint16, white channels", "time scale 1.0, no half-pixel translation"),
    ),
    Row(
        "czi/S3_1Pos_2Mosaic_T1_Z1_CH1.czi", "right: 3 scenes, mosaics fused", ("3 series", "cannot read it", "fails ('h')", "only tile 0 of scene 0")
    ),
    Row(
        "lif/PR2729_frameOrderCombinedScanTypes.lif",
        "right: 4 positions, micrometres",
        ("4 series", "a plate of 4 wells, metres without a unit, not valid NGFF", "fails ('m')", "only tile 0"),
    ),
    Row("lif/LeicaLASX_xz-plane_example.lif", "right: 3 series", ("3 series", "fails (order of axes)", "fails, output left half-written", "fails")),
    Row("nd2/cluster.nd2", "right", ("right", "cannot read it", "right", "right")),
    Row("ims/Minimal_IMS_File.ims", "right: true size, 0.0547 µm", ("fails", "fails", "fails", "right")),
    Row(
        "ometiff/mini-flim-moduloC.ome.tiff",
        "right: 8 lifetimes of each of 2 channels, told by an annotation",
        ("right", "keeps 1 lifetime of 8", "not tried", "not tried"),
    ),
    Row(
        "ometiff/mini-flim-moduloT.ome.tiff",
        "right: 8 lifetimes of each of 2 times, told by an annotation",
        ("right", "keeps 1 lifetime of 8", "not tried", "not tried"),
    ),
    Row(
        "ometiff/gia_multiseries.ome.tiff",
        "right: 6 series, one store",
        ("6 series", "6 stores beside the wanted path, which does not exist", "6 stores", "only series 0"),
    ),
)
"""The rows of the peers' correctness; `test_peers` shows that our column is true."""
