"""Whatever metadata an image has, they are the same when the file is read again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightmicroscopy.image import (
    Channel,
    Detector,
    Filter,
    ImageMetadata,
    Instrument,
    LightSource,
    MapAnnotation,
    Modulo,
    Objective,
    Plane,
    Quantity,
    Roi,
    RoiShape,
    Shape,
    TilePosition,
)

from .ome_copies import again
from .ome_examples import image, images_of

TEXT = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x1F6FF, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cn"]), min_size=1, max_size=8
)
NUMBER = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
POSITIVE = st.floats(min_value=1e-9, max_value=1e9, exclude_min=True)
LENGTH = st.builds(Quantity, NUMBER, st.sampled_from(["µm", "nm", "mm", "Å", "pixel", "reference frame", "in"]))
SIZE = st.builds(Quantity, POSITIVE, st.sampled_from(["µm", "nm", "pixel", "m"]))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


CHANNEL = st.builds(
    Channel,
    name=maybe(TEXT),
    color=maybe(st.integers(-(2**31), 2**31 - 1).filter(lambda color: color != -1)),
    fluor=maybe(TEXT),
    excitation_nm=maybe(POSITIVE),
    emission_nm=maybe(POSITIVE),
    contrast_method=maybe(st.sampled_from(["Phase", "Fluorescence", "Other", "Zernike"])),
    pinhole=maybe(LENGTH),
    nd_filter=maybe(NUMBER),
    detector_id=st.just("Detector:0"),
    detector_gain=maybe(NUMBER),
    detector_voltage=maybe(st.builds(Quantity, NUMBER, st.sampled_from(["V", "mV"]))),
    detector_binning=maybe(st.sampled_from(["2x2", "3x3"])),
    light_source_id=st.just("LightSource:0"),
    light_source_attenuation=maybe(st.floats(0, 1)),
    window=maybe(st.tuples(NUMBER, NUMBER)),
    lut=maybe(st.lists(st.tuples(*[st.integers(0, 65535)] * 3), min_size=1, max_size=4).map(tuple)),
)
INSTRUMENT = st.builds(
    Instrument,
    st.just("Instrument:0"),
    microscope_model=maybe(TEXT),
    objectives=st.builds(
        lambda **fields: (Objective("Objective:0", **fields),), model=maybe(TEXT), numerical_aperture=maybe(NUMBER), working_distance=maybe(LENGTH)
    ),
    detectors=st.builds(lambda **fields: (Detector("Detector:0", **fields),), gain=maybe(NUMBER), type=maybe(st.sampled_from(["CCD", "HyD"]))),
    light_sources=st.builds(lambda **fields: (LightSource("LightSource:0", "Laser", **fields),), wavelength_nm=maybe(POSITIVE), medium=maybe(TEXT)),
    filters=st.builds(lambda **fields: (Filter("Filter:0", **fields),), cut_in_nm=maybe(POSITIVE), cut_out_nm=maybe(POSITIVE)),
)
PLANE = st.builds(
    Plane, st.just(0), st.just(0), st.just(0), delta_t_s=NUMBER, exposure_s=maybe(NUMBER), position_x=maybe(LENGTH), position_z=maybe(LENGTH)
)
ROI = st.builds(
    lambda shapes, name: Roi(tuple(shapes), name),
    st.lists(
        st.builds(
            RoiShape, st.just("Point"), st.fixed_dictionaries({"X": st.just("1.5"), "Y": st.just("2")}), text=maybe(TEXT), z=maybe(st.integers(0, 5))
        ),
        min_size=1,
        max_size=3,
    ),
    maybe(TEXT),
)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=4).map(tuple)
METADATA = st.builds(
    ImageMetadata,
    description=maybe(TEXT),
    acquisition_date=maybe(st.sampled_from(["2020-01-02T03:04:05", "2020-01-02T03:04:05.25Z", "2020-01-02T03:04:05+02:00", "2020"])),
    pixel_size_x=maybe(SIZE),
    pixel_size_y=maybe(SIZE),
    pixel_size_z=maybe(SIZE | SIZE.map(lambda size: Quantity(-size.value, size.unit))),
    time_increment_s=maybe(NUMBER),
    channels=st.tuples(CHANNEL, CHANNEL),
    planes=st.lists(PLANE, max_size=1).map(tuple),
    modulo=st.lists(
        st.builds(Modulo, st.just("T"), TEXT, maybe(NUMBER), maybe(NUMBER), maybe(NUMBER), maybe(TEXT), PAIRS.map(lambda x: tuple(k for k, _ in x))),
        max_size=1,
    ).map(tuple),
    tiles=st.lists(
        st.builds(TilePosition, st.integers(-5, 5), st.integers(0, 5), st.integers(1, 9), st.integers(1, 9), st.integers(0, 9)), max_size=3
    ).map(tuple),
    instrument=INSTRUMENT,
    objective_id=maybe(st.just("Objective:0")),
    immersion_medium=maybe(st.sampled_from(["Oil", "Silicone"])),
    refractive_index=maybe(NUMBER),
    stage_label=maybe(TEXT),
    rois=st.lists(ROI, max_size=2).map(tuple),
    annotations=st.lists(st.builds(MapAnnotation, st.sampled_from(["a.org/b", "c"]), PAIRS), max_size=2, unique=True).map(tuple),
    original=PAIRS,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(METADATA, TEXT)
def test_what_is_written_is_read_again(metadata: ImageMetadata, name: str) -> None:
    made = image(Shape(1, 2, 1, 4, 4), "uint16", metadata, name=name, significant_bits=12)
    copy = again(made)
    assert replace(copy.images[0].metadata, element=None) == metadata
    assert (copy.images[0].name, copy.images[0].significant_bits) == (name, 12)
    twice = again(*images_of(copy))
    assert replace(twice.images[0].metadata, element=None) == metadata
