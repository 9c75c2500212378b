"""LIF and LOF files made byte by byte, and the projects that refer to such files."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

from scripts.test_data.lif_parts import LENGTHS, START, Made, block, header, lif, lof, stamps, text_part, write_lif

__all__ = ["LENGTHS", "START", "Made", "block", "header", "lif", "lof", "stamps", "text_part", "write_lif", "write_project"]


def write_project(folder: Path, *images: Made, kind: str = "lof") -> Path:
    """Write an XLEF, an XLIF in ``Metadata`` for each image, and the files of their pixels; gives the XLEF."""
    import tifffile

    (folder / "Metadata").mkdir(parents=True, exist_ok=True)
    references = ""
    for image in images:
        if kind == "lof":
            (folder / f"{image.name}.lof").write_bytes(lof(image))
            frames = f'<Block File="..\\{image.name}.lof" Offset="0" Size="{image.strides()[2]}" UUID="u"/>'
        else:
            height, width = image.dims[1][1], image.dims[0][1]
            planes = image.values().view(image.dtype).reshape(-1, height, width, *([image.samples] if image.samples > 1 else []))
            size, frames = planes[0].nbytes, ""
            for number in _listed(image, len(planes)):
                name = f"{image.name}_{number:03d}.tif"
                tifffile.imwrite(folder / name, planes[number], photometric="rgb" if image.samples > 1 else "minisblack")
                frames += f'<Frame File="..\\{name}" Offset="{number * size}" Size="{size}" UUID="u"/>'
        memory = f'<Memory Size="{image.strides()[2]}" MemoryBlockID={quoteattr(image.memory_id)}>{frames}</Memory>'
        xml = image.xml().replace(f'<Memory Size="{image.strides()[2]}" MemoryBlockID={quoteattr(image.memory_id)}/>', memory)
        (folder / "Metadata" / f"{image.name}.xlif").write_text(
            f'<LMSDataContainerHeader Version="2">{xml}</LMSDataContainerHeader>', encoding="utf-8"
        )
        references += f'<Reference File="Metadata\\{image.name}.xlif" UUID="u"/>'
    path = folder / "Project.xlef"
    path.write_text(
        f'<LMSDataContainerHeader Version="2"><Element Name="Project.xlef"><Data><Experiment/></Data><Memory Size="0" MemoryBlockID="m"/>'
        f"<Children>{references}</Children></Element></LMSDataContainerHeader>",
        encoding="utf-8",
    )
    return path


def _listed(image: Made, count: int) -> list[int]:
    """Frames in the order Bio-Formats takes for granted: by channel, and within it as they lie in memory."""
    channels = len(image.luts) // image.samples
    return [number for channel in range(channels) for number in range(channel, count, channels)]
