"""What images say of REMBI by themselves, where no sheet describes them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from ..findings import REMBI, Problem, Together, rule
from ..rembi.compare import KNOWABLE
from ..rembi.fields import MODULES, all_fields
from .rembi_sheet import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..rembi.compare import Told
    from ..rembi.fields import Field

_NAMED: Final = 3
_DESCRIBE: Final = (
    "Make a sheet with Describe a dataset (lm_describe IMAGES --write-sheet sheet.xlsx): it holds what the images know, and asks for the rest."
)
_SAID_BY_PEOPLE: Final = ("organism", "cell_line")
"""What images carry only where a person has written it into them."""
_NEVER_LACKING: Final = ("image_name", "description", "type", "size_description", *_SAID_BY_PEOPLE)


def _alone(together: Together) -> bool:
    return not together.of_kind("sheet") and any(item.told for item in together.images)


@rule(
    "rembi.images-give",
    severity="info",
    title="Images say something of REMBI by themselves.",
    why="What the images know need not be typed.",
    fix=_DESCRIBE,
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
    applies=_alone,
)
def _images_give(together: Together) -> Iterator[Problem]:
    told = [one for item in together.images for one in item.told]
    counts = Counter(name for one in told for name in one.known)
    for module in MODULES:
        fields = [one for one in KNOWABLE if one.module == module and counts[_key(one)]]
        if fields:
            titles = (f"{one.title}{'' if counts[_key(one)] == len(told) else f' ({counts[_key(one)]} of {len(told)})'}" for one in fields)
            yield Problem(f"Of the module {module} the images give: {', '.join(titles)}.")


@rule(
    "rembi.images-lack",
    severity="info",
    title="Images say all of REMBI that images can say.",
    why="What is not in the image is soon forgotten: of the acquisition nobody else keeps a record.",
    fix=f"{_DESCRIBE} Values that belong into the images lm_annotate writes there.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
    applies=_alone,
)
def _images_lack(together: Together) -> Iterator[Problem]:
    told = [(item.name, one) for item in together.images for one in item.told]
    for one in KNOWABLE:
        if one.id in _NEVER_LACKING or one.id in ("image", "series"):
            continue
        asked = [(name, each) for name, each in told if _makes_sense(one, each)]
        names = list(dict.fromkeys(name for name, each in asked if _key(one) not in each.known))
        if names:
            lacking = sum(_key(one) not in each.known for _, each in asked)
            many = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
            required = f"; required by {one.required_by}" if one.required_by else ""
            yield Problem(f"{one.title} (module {one.module}) is unknown in {lacking} of {len(asked)} series: {many}{required}.")


@rule(
    "rembi.only-people-know",
    severity="info",
    title="No field of REMBI that is required is left for a person to say.",
    why="No image can know why and from what it was made.",
    fix=_DESCRIBE,
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
    applies=_alone,
)
def _only_people_know(together: Together) -> Iterator[Problem]:
    given = {name for item in together.images for one in item.told for name in one.known}
    for module in MODULES:
        left = [one for one in all_fields() if one.module == module and one.kind != "reference" and _left_to_people(one, given)]
        asked = [one for one in left if one.required_by]
        more = [one.title for one in left if not one.required_by]
        where = ", only where the study has any" if not any(one.marked for one in asked) else ""
        titles = (f"{one.title}{'' if one.required else ' (template only)'}" for one in asked)
        said = [f"Of the module {module} only a person can say{where}: {', '.join(titles)}."] if asked else []
        if more:
            begin = "Recommended besides" if asked else f"Of the module {module} are recommended, and only a person can say"
            said.append(f"{begin}: {', '.join(more)}.")
        if said:
            yield Problem(" ".join(said))


def _left_to_people(one: Field, given: set[str]) -> bool:
    return (not one.known or one.id in _SAID_BY_PEOPLE) and _key(one) not in given and one.id != "name"


def _key(one: Field) -> str:
    return f"{one.sheet}.{one.id}"


def _makes_sense(one: Field, told: Told) -> bool:
    """Whether a series can have that at all: no single plane has a distance between planes."""
    _, _, z, _, t = told.sizes
    if one.id == "name":
        return False
    return not (one.id == "pixel_size_z_um" and z == 1) and not (one.id == "time_increment_s" and t == 1) and one.kind != "reference"
