"""Structure of NGFF 0.4 and 0.5 metadata by ome-zarr-models, whose errors become sentences."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from .documents.content import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..readers.zarr_store import Store

Part = Literal["image", "label", "labels", "plate", "well", "layout"]
_MODELS: Final[Mapping[Part, tuple[str, str]]] = {
    "image": ("image", "Image"),
    "label": ("image_label", "ImageLabel"),
    "labels": ("labels", "LabelsAttrs"),
    "plate": ("hcs", "HCSAttrs"),
    "well": ("well", "WellAttrs"),
    "layout": ("bioformats2raw", "BioFormats2RawAttrs"),
}
_UNION: Final = re.compile(r"^(tuple|list|dict|union)\[|^(Vector|Path)(Scale|Translation)$|^(Identity|function-)")
_ALTERNATIVES: Final = ("PathScale", "PathTranslation")
_SENTENCES: Final = {"missing": "is missing", "string_pattern_mismatch": "is not of the form it must have"}


class StructureError(NamedTuple):
    """One violation: the group, the key in its attributes, and what is wrong with it."""

    group: str
    key: str
    message: str


def structure_errors(store: Store, version: Literal["0.4", "0.5"], parts: Iterable[tuple[Part, str]]) -> Iterator[StructureError]:
    """Validate groups of a store, each by the model of its part.

    Parameters
    ----------
    store
        An opened store.
    version
        NGFF version to hold it to.
    parts
        (part, path of its group).
    """
    import zarr

    from ..readers.zarr_python import ReadOnlyStore

    with warnings.catch_warnings():
        # What zarr-python and the models merely warn of is no violation.
        warnings.simplefilter("ignore")
        for part, path in parts:
            module, name = _MODELS[part]
            model: Any = getattr(import_module(f"ome_zarr_models.v{version.replace('.', '')}.{module}"), name)
            try:
                group = zarr.open_group(ReadOnlyStore(store), path=path, mode="r", zarr_format=2 if version == "0.4" else 3)
            # zarr-python trusts what .zgroup and zarr.json hold, and stumbles over it in any of these ways.
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
                name = ".zgroup" if version == "0.4" else "zarr.json"
                yield StructureError(path, name, f"is not as Zarr wants it: {shorten(str(error))}")
                continue
            yield from (StructureError(path, key, message) for key, message in _violations(model, group, version))


def _violations(model: Any, group: Any, version: str) -> list[tuple[str, str]]:
    try:
        if hasattr(model, "from_zarr"):
            model.from_zarr(group)
        else:
            attributes = group.attrs.asdict()
            model.model_validate(attributes if version == "0.4" else attributes.get("ome", {}))
    except (ValueError, RuntimeError, TypeError, KeyError, AttributeError, IndexError, OverflowError) as error:
        items = _items(error)
        if items is None:
            said = [item["msg"] for item in _items(error.__cause__) or ()][:1]
            return [("", " ".join([str(error).strip() or type(error).__name__, *said]))]
        found: dict[str, str] = {}
        for item in items:
            if not _is_alternative(item["loc"]):
                key = ".".join(str(step) for step in item["loc"] if not _UNION.match(str(step)))
                found.setdefault(key, _sentence(item["type"], item["msg"]))
        return list(found.items())
    return []


def _items(error: BaseException | None) -> list[dict[str, Any]] | None:
    """The single violations in a model's own error, known by its method `errors`; None for any other error."""
    listed = getattr(error, "errors", None)
    return listed(include_url=False, include_context=False) if callable(listed) else None


def _sentence(kind: str, message: str) -> str:
    known = _SENTENCES.get(kind)
    if known:
        return known
    plain = message.removeprefix("Value error, ").strip()
    return plain.replace("Input should be", "should be", 1) if plain.startswith("Input should be") else f"is wrong: {plain}"


def _is_alternative(location: tuple[int | str, ...]) -> bool:
    """Whether an error only says that the other form, which nobody uses (vectors in a file), was not used either."""
    steps = [str(step) for step in location]
    return any(step in _ALTERNATIVES for step in steps) or any(step.startswith("tuple[") and "Translation" in step for step in steps)
