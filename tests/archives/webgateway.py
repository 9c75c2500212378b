"""OMERO.webgateway (ome/omero-web: omeroweb/webgateway/{urls,views,marshal,plategrid}.py)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from .content import Catalogue
from .content.model import Image, Length, Plate, Well
from .tables import TableViews
from .wire import Request, Response, json_response, redirect

RANGES = {"uint8": (0, 255), "int8": (-128, 127), "uint16": (0, 65535), "int16": (-32768, 32767)}
IN_MICROMETERS = {"NANOMETER": 1e-3, "MICROMETER": 1.0, "MILLIMETER": 1e3}
EXPORTABLE = 1 << 24  # pixels of a plane above which render_ome_tiff leaves an image out; the number is invented


class Webgateway:
    """The views of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        n = r"(\d+)"
        bulk = TableViews(catalogue)
        table: dict[str, Callable[..., Response]] = {
            f"imgData/{n}/": self._img_data,
            f"imgData/{n}/(\\w+)/": self._img_data,
            f"plate/{n}/": self._plate,
            f"plate/{n}/{n}/": self._plate,
            f"original_file_paths/{n}/": self._paths,
            f"get_rois_json/{n}/": self._rois,
            f"render_(?:image|image_region|thumbnail)/{n}/.*": self._rendered,
            f"render_(?:image|image_region|thumbnail)/{n}": self._rendered,
            f"render_ome_tiff/i/{n}/": self._ome_tiff,
        }
        by_name: dict[str, Callable[..., Response]] = {
            f"annotations/([\\w.]+)/{n}/": bulk.annotations,
            f"table/{n}/query/": bulk.query,
            f"table/([\\w.]*[A-Za-z][\\w.]*)/{n}/query/": bulk.object_query,
        }
        self._by_name = [(re.compile("/webgateway/" + pattern), view) for pattern, view in by_name.items()]
        self._table = [(re.compile("/webgateway/" + pattern), view) for pattern, view in table.items()]

    def known(self, path: str) -> bool:
        """Whether a path leads anywhere."""
        return any(pattern.fullmatch(path) for pattern, _ in (*self._table, *self._by_name))

    def __call__(self, request: Request) -> Response:
        """Answer one view."""
        for pattern, view in self._table:
            if match := pattern.fullmatch(request.path):
                return view(request, int(match[1]), *match.groups()[1:])
        for pattern, view in self._by_name:
            if match := pattern.fullmatch(request.path):
                return view(request, *match.groups())
        return Response(404, b"<h1>Page not found</h1>", {"Content-Type": "text/html; charset=utf-8"})

    def _img_data(self, request: Request, number: int, key: str | None = None) -> Response:
        image = self.catalogue.images.get(number)
        if image is None:
            return Response(403, b"", {"Content-Type": "application/json"})
        if image.viewable == "pyramid":
            return json_response({"ConcurrencyException": {"backOff": 30000}})
        if image.viewable == "broken":
            return json_response({"Exception": "Failed to get pixels: omero.ResourceError"})
        data = self._marshal(image)
        return json_response(data if key is None else data.get(key))

    def _marshal(self, image: Image) -> dict[str, Any]:
        above = self.catalogue.paths[image.id]
        well = next((one.id for one in above if isinstance(one, Well)), None)
        alone = well is not None or len(above) < 2
        project: Any = None if alone else above[0]
        dataset: Any = None if alone else above[1]
        low, high = RANGES.get(image.dtype, (0, 1))
        tiled = image.x * image.y > 3192 * 3192
        data: dict[str, Any] = {
            "id": image.id,
            "meta": {
                "imageName": image.name or "",
                "imageDescription": image.description or "",
                "imageAuthor": "Public data",
                "projectName": project.name if project else "Multiple",
                "projectId": project.id if project else None,
                "projectDescription": (getattr(project, "description", None) or "") if project else "",
                "datasetName": dataset.name if dataset else "Multiple",
                "datasetId": dataset.id if dataset else None,
                "datasetDescription": "",
                "wellSampleId": "",
                "wellId": well if well is not None else "",
                "imageTimestamp": None if image.acquired is None else image.acquired / 1000,
                "imageId": image.id,
                "pixelsType": image.dtype,
                "imageArchived": False,
            },
            "perms": dict.fromkeys(("canAnnotate", "canEdit", "canDelete", "canLink"), False),
            "tiles": tiled,
            "interpolate": True,
            "size": {"width": image.x, "height": image.y, "z": image.z, "t": image.t, "c": image.c},
            "pixel_size": {axis: micrometers(getattr(image, f"size_{axis}")) for axis in "xyz"},
            "init_zoom": 0,
            "pixel_range": [low, high],
            "channels": [self._channel(image, index) for index in range(image.c)],
            "rdefs": {"model": "color", "projection": "normal", "defaultZ": image.z // 2, "defaultT": 0, "invertAxis": False},
        }
        if tiled:
            zooms = {str(level): 1 / 2**level for level in range(5)}
            data |= {"tile_size": {"width": 1024, "height": 1024}, "levels": 5, "zoomLevelScaling": zooms}
        return data

    @staticmethod
    def _channel(image: Image, index: int) -> dict[str, Any]:
        channel = image.channels[index] if index < len(image.channels) else None
        label = (channel and channel.name) or (channel and channel.emission and str(int(channel.emission))) or str(index)
        color = f"{(channel.color & 0xFFFFFFFF) >> 8:06X}" if channel and channel.color is not None else "FFFFFF"
        window = {"min": 0.0, "max": 65535.0, "start": 0.0, "end": 1500.0}
        return {
            "emissionWave": channel.emission if channel else None,
            "label": label,
            "color": color,
            "inverted": False,
            "reverseIntensity": False,
            "family": "linear",
            "coefficient": 1.0,
            "window": window,
            "active": True,
        }

    def _plate(self, request: Request, number: int, field: str = "0") -> Response:
        plate = self.catalogue.plates.get(number)
        if plate is None:
            return json_response({"message": f"Plate {number} not found", "stacktrace": "Traceback (most recent call last):"}, 500)
        return json_response(self._grid(plate, int(field)))

    @staticmethod
    def _grid(plate: Plate, field: int) -> dict[str, Any]:
        """Return the grid of one field, row by row, at least 8 by 12 (layout "expand")."""
        rows = max([8, plate.rows or 0, *(well.row + 1 for well in plate.wells)])
        columns = max([12, plate.columns or 0, *(well.column + 1 for well in plate.wells)])
        grid: list[list[Any]] = [[None] * columns for _ in range(rows)]
        sizes = []
        for well in plate.wells:
            if field >= len(well.samples):
                continue
            image = well.samples[field].image
            grid[well.row][well.column] = {
                "type": "Image",
                "id": image.id,
                "name": image.name,
                "description": "",
                "author": "Public data",
                "date": (image.acquired or 0) // 1000,
                "wellId": well.id,
                "field": field,
                "thumb_url": f"/webgateway/render_thumbnail/{image.id}/",
            }
            sizes.append({"x": image.x, "y": image.y, "image_id": image.id})
        letters = [row_label(row) for row in range(rows)]
        return {"grid": grid, "collabels": list(range(1, columns + 1)), "rowlabels": letters, "image_sizes": sizes}

    def _paths(self, request: Request, number: int) -> Response:
        image = self.catalogue.images.get(number)
        if image is None:
            return Response(404, b"<h1>Not Found</h1>", {"Content-Type": "text/html; charset=utf-8"})
        fileset = self.catalogue.fileset_of(image)
        if fileset is None:
            return json_response({})
        return json_response({"repo": list(fileset.repo), "client": list(fileset.client), "fileset": {"id": fileset.id}})

    def _rois(self, request: Request, number: int) -> Response:
        image = self.catalogue.images.get(number)
        if image is None:
            return json_response({"message": f"Image {number} not found", "stacktrace": "Traceback (most recent call last):"}, 404)
        return json_response([{"id": roi.id, "shapes": [_gateway_shape(roi.id, shape) for shape in roi.shapes]} for roi in image.rois])

    def _rendered(self, request: Request, number: int) -> Response:
        """Give a contrast-stretched 8-bit JPEG, which is never data."""
        from PIL import Image as Picture

        if number not in self.catalogue.images:
            return Response(404, b"", {"Content-Type": "text/html; charset=utf-8"})
        out = io.BytesIO()
        Picture.linear_gradient("L").resize((96, 96)).save(out, "JPEG")
        return Response(200, out.getvalue(), {"Content-Type": "image/jpeg", "Cache-Control": "max-age=86400"})

    def _ome_tiff(self, request: Request, number: int) -> Response:
        """Send the client on to a file in a cache, unless the image is missing or needs a pyramid."""
        image = self.catalogue.images.get(number)
        if image is None or image.x * image.y > EXPORTABLE:
            return Response(404, b"", {"Content-Type": "text/html; charset=utf-8"})
        if request.first("dryrun") == "true":
            return Response(200, b"1", {"Content-Type": "text/plain"})
        return redirect(f"/static/webgateway/tfiles/{number}/image.ome.tiff")


def _gateway_shape(number: int, shape: dict[str, Any]) -> dict[str, Any]:
    """Return a shape in webgateway's own words, which are not those of the JSON API."""
    kind = str(shape["@type"]).rpartition("#")[2]
    rest = {name[0].lower() + name[1:]: value for name, value in shape.items() if name != "@type"}
    return {"id": number * 10, "type": kind, **rest}


def micrometers(length: Length | None) -> float | None:
    """Return a length as webgateway shows it."""
    if length is None or length.unit not in IN_MICROMETERS:
        return None
    return length.value * IN_MICROMETERS[length.unit]


def row_label(row: int) -> str:
    """Return the letters of a row counted from 0."""
    return (chr(64 + row // 26) if row >= 26 else "") + chr(65 + row % 26)
