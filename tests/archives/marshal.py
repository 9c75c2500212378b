"""Objects as OMERO.web's JSON API writes them (omero-marshal, schema 2016-06): what is null is left out."""

from __future__ import annotations

from typing import Any

from .content.model import Acquisition, Channel, Dataset, External, Image, Length, Plate, Project, Roi, Sample, Screen, Well

OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06#"
PIXEL_TYPES = {"int8": 1, "int16": 2, "int32": 3, "uint8": 4, "uint16": 6, "uint32": 7, "float": 8, "double": 9, "bit": 11, "complex": 10}
RIGHTS = ("canAnnotate", "canDelete", "canEdit", "canLink", "isWorldWrite", "isWorldRead", "isGroupWrite")
Json = dict[str, Any]


def without_nulls(**fields: Any) -> Json:
    """Return a dictionary without what is unknown."""
    return {name: value for name, value in fields.items() if value is not None}


def permissions(perm: str = "rwr---") -> Json:
    """Return the rights of the public user, which are to read."""
    rights = dict.fromkeys(RIGHTS, False)
    rest = {"isGroupRead": perm[2] == "r", "isGroupAnnotate": False, "isUserWrite": perm[1] == "w", "isUserRead": perm[0] == "r"}
    return {"@type": "TBD#Permissions", "perm": perm, **rights, **rest}


def _own(perm: str) -> Json:
    return {"@type": "TBD#Details", "permissions": permissions(perm)}


EXPERIMENTER: Json = {
    "@id": 2,
    "@type": OME + "Experimenter",
    "UserName": "demo",
    "FirstName": "Public",
    "MiddleName": "",
    "LastName": "data",
    "Email": "",
    "omero:details": _own("------"),
}
GROUP: Json = {"@id": 3, "@type": OME + "ExperimenterGroup", "Name": "Public", "omero:details": _own("rwr---")}


def details(external: External | None = None, normalized: bool = False) -> Json:
    """Return whose an object is, and where its pixels lie outside the server."""
    owner, group = ({"@id": 2}, {"@id": 3}) if normalized else (EXPERIMENTER, GROUP)
    found: Json = {"@type": "TBD#Details", "owner": owner, "group": group, "permissions": permissions()}
    if external is not None:
        info = {"EntityType": external.entity_type, "EntityId": external.entity_id, "Lsid": external.lsid}
        found["externalInfo"] = {"@type": "TBD#ExternalInfo", **info, **without_nulls(Uuid=external.uuid)}
    return found


def _object(kind: str, number: int, **fields: Any) -> Json:
    return {"@id": number, "@type": OME + kind, **without_nulls(**fields)}


def _length(length: Length | None) -> Json | None:
    return None if length is None else {"@type": "TBD#LengthI", "Unit": length.unit, "Symbol": length.symbol, "Value": length.value}


def _wave(value: float | None) -> Json | None:
    return None if value is None else {"@type": "TBD#LengthI", "Unit": "NANOMETER", "Symbol": "nm", "Value": value}


def _reference(value: float) -> Json:
    return {"@type": "TBD#LengthI", "Unit": "REFERENCEFRAME", "Symbol": "reference frame", "Value": value}


def pixels(image: Image, channels: bool) -> Json:
    """Return the pixels of an image, with their channels only where one image is asked for."""
    time = None if image.time_increment is None else {"@type": "TBD#TimeI", "Unit": "SECOND", "Symbol": "s", "Value": image.time_increment}
    made = _object(
        "Pixels",
        image.id,
        SizeX=image.x,
        SizeY=image.y,
        SizeZ=image.z,
        SizeC=image.c,
        SizeT=image.t,
        SignificantBits=image.significant_bits,
        PhysicalSizeX=_length(image.size_x),
        PhysicalSizeY=_length(image.size_y),
        PhysicalSizeZ=_length(image.size_z),
        TimeIncrement=time,
        Type={"@id": PIXEL_TYPES[image.dtype], "@type": "TBD#PixelsType", "value": image.dtype, "omero:details": _own("------")},
    )
    made |= {"omero:sha1": "Pending...", "omero:details": details()}
    if channels:
        made["Channels"] = [_channel(image, index, channel) for index, channel in enumerate(image.channels)]
    return made


def _channel(image: Image, index: int, channel: Channel) -> Json:
    number = image.id * 10 + index
    made = _object(
        "Channel",
        number,
        Name=channel.name,
        Color=channel.color,
        EmissionWavelength=_wave(channel.emission),
        ExcitationWavelength=_wave(channel.excitation),
    )
    kind = {"@id": 5, "@type": "TBD#PhotometricInterpretation", "value": "Monochrome", "omero:details": {"@type": "TBD#Details"}}
    return made | {"omero:LogicalChannelId": number, "omero:photometricInterpretation": kind, "omero:details": details()}


def image_json(image: Image, *, with_pixels: bool = True, channels: bool = False, normalized: bool = False) -> Json:
    """Return an image; in wells' lists it comes without pixels."""
    made = _object("Image", image.id, Name=image.name, Description=image.description, AcquisitionDate=image.acquired)
    made |= {"omero:archived": False, "omero:partial": False, "omero:series": image.series}
    made["omero:details"] = details(image.external, normalized)
    if with_pixels:
        made["Pixels"] = pixels(image, channels)
    return made


def container_json(container: Project | Dataset | Screen, *, normalized: bool = False, count: int | None = None) -> Json:
    """Return a project, dataset or screen."""
    made = _object(type(container).__name__, container.id, Name=container.name, Description=getattr(container, "description", None))
    made["omero:details"] = details(normalized=normalized)
    return made if count is None else made | {"omero:childCount": count}


def plate_json(plate: Plate, *, normalized: bool = False) -> Json:
    """Return a plate, whose rows and columns may be unknown."""
    made = _object(
        "Plate",
        plate.id,
        Name=plate.name,
        Rows=plate.rows,
        Columns=plate.columns,
        RowNamingConvention=plate.row_naming,
        ColumnNamingConvention=plate.column_naming,
    )
    return made | {"omero:details": details(normalized=normalized)}


def acquisition_json(run: Acquisition) -> Json:
    """Return a run of a plate."""
    made = _object("PlateAcquisition", run.id, Name=run.name, MaximumFieldCount=run.fields, StartTime=run.start, EndTime=run.end)
    return made | {"omero:details": details()}


def sample_json(sample: Sample, image: Json) -> Json:
    """Return a field of a well around its image."""
    made = _object("WellSample", sample.id)
    if sample.position is not None:
        made |= {"PositionX": _reference(sample.position[0]), "PositionY": _reference(sample.position[1])}
    made |= {"omero:details": details(), "Image": image}
    return made if sample.acquisition is None else made | {"PlateAcquisition": acquisition_json(sample.acquisition)}


def well_json(well: Well, samples: list[Json], normalized: bool = False) -> Json:
    """Return a well with the given fields."""
    made = _object("Well", well.id, Column=well.column, Row=well.row)
    return made | {"omero:details": details(normalized=normalized), "WellSamples": samples}


def roi_json(roi: Roi) -> Json:
    """Return a region of interest."""
    shapes = [{"@id": roi.id * 10 + index, "omero:details": details(), **shape} for index, shape in enumerate(roi.shapes)]
    return _object("ROI", roi.id) | {"omero:details": details(), "shapes": shapes}
