"""ND2's own metadata as pairs of key and value, to be kept beside what OME has words for."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ..errors import SuiteError
from ..readers.nd2_variant import decode_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..readers.nd2_chunks import Chunks

_NAMES: Final = (
    b"ImageAttributesLV!",
    b"ImageAttributes!",
    b"ImageTextInfoLV!",
    b"ImageTextInfo!",
    b"ImageMetadataLV!",
    b"ImageMetadata!",
    b"ImageMetadataSeqLV|0!",
    b"ImageMetadataSeq|0!",
    b"ImageCalibrationLV|0!",
    b"ImageCalibration|0!",
    b"CustomDataVar|AppInfo_V1_0!",
    b"CustomData|AuthenticationV01!",
    b"CustomDataVar|LUTDataV1_0!",
    b"CustomDataVar|GrabberCameraSettingsV1_0!",
)
"""Chunks whose trees are kept. Copies of the same settings, and settings of the program's windows, are not."""
TEXTS: Final = {
    "TextInfoItem_0": "Image ID",
    "TextInfoItem_1": "Type",
    "TextInfoItem_2": "Group",
    "TextInfoItem_3": "Sample ID",
    "TextInfoItem_4": "Author",
    "TextInfoItem_5": "Description",
    "TextInfoItem_6": "Capturing",
    "TextInfoItem_7": "Sampling",
    "TextInfoItem_8": "Location",
    "TextInfoItem_9": "Date",
    "TextInfoItem_10": "Conclusion",
    "TextInfoItem_11": "Info 1",
    "TextInfoItem_12": "Info 2",
    "TextInfoItem_13": "Optics",
    "TextInfoItem_14": "Application version",
}
"""What NIS-Elements calls the numbered texts (names as in the nd2 package): a scrub knows persons and samples by them."""
_SIGNED: Final = "</CLxAuthentication>".encode("utf-16-le")
_MOST: Final = 20_000
_LONGEST: Final = 1 << 16


def original_pairs(chunks: Chunks) -> tuple[tuple[str, str], ...]:
    """Every value of the kept trees, under its path."""
    return tuple(islice(_pairs(chunks), _MOST))


def _pairs(chunks: Chunks) -> Iterator[tuple[str, str]]:
    for name in _NAMES:
        try:
            data = chunks.read(name) or b""
            # Behind this XML there is a signature, which is none.
            whole = data[: data.find(_SIGNED) + len(_SIGNED)] if _SIGNED in data else data
            tree = decode_tree(whole, chunks.file.name) if whole else {}
        except SuiteError:
            continue
        yield from _walk(tree, "")


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{path} {TEXTS.get(key, key)}".strip())
    elif isinstance(value, list) and any(isinstance(inner, (dict, list)) for inner in value):
        for index, inner in enumerate(value):
            yield from _walk(inner, f"{path} {index}")
    elif isinstance(value, list):
        yield from _pair(path, " ".join(map(str, value)))
    elif not isinstance(value, bytes):
        yield from _pair(path, str(value))


def _pair(path: str, text: str) -> Iterator[tuple[str, str]]:
    if text.strip():
        yield path, text[:_LONGEST]
