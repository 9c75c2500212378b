"""The fields of OME metadata that are compared with Bio-Formats, where each is found, and what is made of it first.

`FIELDS`, `NORMALISATIONS` and `NOT_COMPARED` are the whole list; docs/metadata-truth.md prints them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

LIGHTS: Final = ("Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource")
NORMALISATIONS: Final = (
    ("text", "White space at both ends is cut off; an empty text is no text."),
    ("word", "A word of one of OME's lists. 'Other' and 'Unknown' are no information: Bio-Formats writes them wherever it must write something."),
    ("number", "Equal to 9 digits."),
    ("whole", "A whole number."),
    ("bits", "A whole number. As many bits as the pixel type has are the default, not information."),
    ("length", "In micrometres, equal to 9 digits or 10⁻⁶ µm. Reference frames and pixels are units of their own and equal to no length."),
    ("position", "A length. Without a unit it is in a reference frame, as the schema has it."),
    ("wavelength", "In nanometres, equal to 9 digits."),
    ("time", "In seconds, equal to 9 digits or 1.1 ms: Bio-Formats reads times of several formats as milliseconds."),
    ("power", "In milliwatts, equal to 9 digits."),
    ("volts", "In volts, equal to 9 digits."),
    ("degrees", "In degrees Celsius."),
    ("millibars", "In millibar."),
    ("date", "To the second and without a zone: Bio-Formats drops zones, and of some formats the fractions."),
    ("colour", "As signed RGBA. White (−1) is the default of OME-XML and of Bio-Formats, not information (decision of science 10)."),
)
"""What is made of a value before it is compared, by the kind of its field."""
Kind = Literal[
    "text",
    "word",
    "number",
    "whole",
    "bits",
    "length",
    "position",
    "wavelength",
    "time",
    "power",
    "volts",
    "degrees",
    "millibars",
    "date",
    "colour",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name for people, where its elements are, and its place in OME-XML.

    `each` says that values belong to their places (channels, planes, the one objective); otherwise they are those of all parts of an
    instrument in any order.
    """

    name: str
    scope: str
    path: str
    kind: Kind = "text"

    @property
    def each(self) -> bool:
        """Whether values are compared place by place."""
        return not self.scope.startswith("all ")


def _rows(scope: str, element: str, prefix: str, *attributes: str) -> Iterator[Field]:
    """Fields of one element, each given as ``Attribute kind name``."""
    for text in attributes:
        attribute, kind, name = text.split(maxsplit=2)
        yield Field(f"{prefix}{name}", scope, f"{element}/{attribute}", kind)  # type: ignore[arg-type]


_MADE: Final = ("@Manufacturer text manufacturer", "@Model text model", "@SerialNumber text serial number", "@LotNumber text lot number")
_DETECTOR: Final = (
    *_MADE,
    "@Type word type",
    "@Gain number gain",
    "@AmplificationGain number amplification",
    "@Offset number offset",
    "@Voltage volts voltage",
    "@Zoom number zoom",
)
_LIGHT: Final = (
    *_MADE,
    "@Type word type",
    "@LaserMedium word medium",
    "@Wavelength wavelength wavelength",
    "@Power power power",
    "@Pulse word pulse",
    "@PockelCell text Pockels cell",
    "@Tuneable text tuneable",
    "@FrequencyMultiplication number frequency multiplication",
    "@RepetitionRate number repetition rate",
)
_FILTER: Final = (*_MADE, "@Type word type", "@FilterWheel text wheel")
_BAND: Final = (
    "@CutIn wavelength cut-in",
    "@CutOut wavelength cut-out",
    "@CutInTolerance wavelength cut-in tolerance",
    "@CutOutTolerance wavelength cut-out tolerance",
    "@Transmittance number transmittance",
)
_PIXELS: Final = "Image/Pixels"
_CHANNEL: Final = "Image/Pixels/Channel"

FIELDS: Final[tuple[Field, ...]] = (
    *_rows("image", "Image", "", "@Name text image name", "AcquisitionDate date acquisition date", "Description text description"),
    *(Field(f"pixel size {axis.lower()}", "pixels", f"{_PIXELS}/@PhysicalSize{axis}", "length") for axis in "XYZ"),
    *_rows("pixels", _PIXELS, "", "@TimeIncrement time time increment", "@SignificantBits bits significant bits"),
    *_rows("plane", f"{_PIXELS}/Plane", "plane ", "@DeltaT time times", "@ExposureTime time exposures"),
    *(Field(f"plane positions {axis.lower()}", "plane", f"{_PIXELS}/Plane/@Position{axis}", "position") for axis in "XYZ"),
    *_rows(
        "channel",
        _CHANNEL,
        "channel ",
        "@Name text name",
        "@Fluor text fluorophore",
        "@ExcitationWavelength wavelength excitation",
        "@EmissionWavelength wavelength emission",
        "@Color colour colour",
        "@ContrastMethod word contrast method",
        "@AcquisitionMode word acquisition mode",
        "@IlluminationType word illumination",
        "@PinholeSize length pinhole",
        "@NDFilter number neutral density",
        "@PockelCellSetting whole Pockels cell",
    ),
    *_rows(
        "channel",
        f"{_CHANNEL}/DetectorSettings",
        "channel's detector ",
        "@Binning text binning",
        "@Gain number gain set",
        "@Offset number offset set",
        "@Voltage volts voltage set",
        "@Zoom number zoom set",
        "@ReadOutRate number read-out rate",
        "@Integration whole integration",
    ),
    *_rows("channel's detector", "Instrument/Detector", "channel's detector ", *_DETECTOR),
    *_rows(
        "channel",
        f"{_CHANNEL}/LightSourceSettings",
        "channel's light ",
        "@Attenuation number attenuation",
        "@Wavelength wavelength wavelength set",
    ),
    *_rows("channel's light", "Instrument/LightSource", "channel's light ", *_LIGHT),
    *(
        Field(f"channel's {role} {word}", f"channel's {role}", f"Instrument/{place}", kind)
        for role in ("excitation filter", "emission filter", "dichroic")
        for word, place, kind in (
            ("model", "Dichroic/@Model" if role == "dichroic" else "Filter/@Model", "text"),
            *(() if role == "dichroic" else (("cut-in", "Filter/TransmittanceRange/@CutIn", "wavelength"),)),
            *(() if role == "dichroic" else (("cut-out", "Filter/TransmittanceRange/@CutOut", "wavelength"),)),
        )
    ),
    *_rows(
        "image",
        "Image/ObjectiveSettings",
        "objective ",
        "@Medium word medium set",
        "@RefractiveIndex number refractive index",
        "@CorrectionCollar number correction collar",
    ),
    *_rows(
        "objective",
        "Instrument/Objective",
        "objective ",
        *_MADE,
        "@NominalMagnification number magnification",
        "@CalibratedMagnification number calibrated magnification",
        "@LensNA number numerical aperture",
        "@Immersion word immersion",
        "@Correction word correction",
        "@WorkingDistance length working distance",
        "@Iris text iris",
    ),
    *_rows("microscope", "Instrument/Microscope", "microscope ", *_MADE, "@Type word type"),
    *_rows("all detectors", "Instrument/Detector", "detectors: ", *_DETECTOR),
    *_rows("all lights", "Instrument/LightSource", "light sources: ", *_LIGHT),
    *_rows("all filters", "Instrument/Filter", "filters: ", *_FILTER),
    *_rows("all filters", "Instrument/Filter/TransmittanceRange", "filters: ", *_BAND),
    *_rows("all dichroics", "Instrument/Dichroic", "dichroics: ", *_MADE),
    *_rows("all filter sets", "Instrument/FilterSet", "filter sets: ", *_MADE),
    *_rows(
        "image",
        "Image/ImagingEnvironment",
        "environment ",
        "@Temperature degrees temperature",
        "@AirPressure millibars air pressure",
        "@Humidity number humidity",
        "@CO2Percent number CO₂",
    ),
    Field("stage label", "image", "Image/StageLabel/@Name"),
    *(Field(f"stage label {axis.lower()}", "image", f"Image/StageLabel/@{axis}", "position") for axis in "XYZ"),
    *_rows(
        "experimenter",
        "Experimenter",
        "experimenter ",
        "@UserName text user name",
        "@FirstName text first name",
        "@MiddleName text middle name",
        "@LastName text last name",
        "@Email text e-mail",
        "@Institution text institution",
    ),
    *_rows(
        "plate",
        "Plate",
        "plate ",
        "@Name text name",
        "Description text description",
        "@Rows whole rows",
        "@Columns whole columns",
        "@ExternalIdentifier text identifier",
    ),
    *_rows("well", "Plate/Well", "well ", "@Row whole row", "@Column whole column", "@ExternalDescription text description", "@Type text type"),
    *(Field(f"well sample {axis.lower()}", "well sample", f"Plate/Well/WellSample/@Position{axis}", "position") for axis in "XY"),
    Field("regions of interest", "all shapes", "ROI"),
    Field("folded dimensions", "all modulo", "StructuredAnnotations/XMLAnnotation/Modulo"),
    Field("annotations", "all annotations", "StructuredAnnotations"),
    Field("anything else", "all of the document", "*"),
)
"""Every field, in the order of the tables."""

NOT_COMPARED: Final = (
    ("*/@ID", "Names that each file makes up anew; what they refer to is followed."),
    ("Image/Pixels/@Size*", "Shapes, types and planes are compared with the pixels."),
    ("Image/Pixels/@Type", "Shapes, types and planes are compared with the pixels."),
    ("Image/Pixels/Channel/@SamplesPerPixel", "Shapes, types and planes are compared with the pixels."),
    ("Image/Pixels/@BigEndian", "How the bytes lie in the file."),
    ("Image/Pixels/@Interleaved", "How the bytes lie in the file."),
    ("Image/Pixels/@DimensionOrder", "In which order the planes lie in the file."),
    ("Image/Pixels/TiffData/*", "Where the planes lie in the file."),
    ("Image/Pixels/Plane/@The*", "Places of planes, by which they are compared."),
    ("*/@*Unit", "Units go with their values."),
    ("Plate/Well/WellSample/@Index", "A number among the fields of the file."),
    ("Plate/@*NamingConvention", "How rows and columns are called."),
)
"""What is not compared, with the reason. Anything that is in neither list is compared, place and text, as 'anything else'."""
