"""What may be asked of the annotations of images: keys, values, and how they compare."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Literal

from ..errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Operator = Literal["equals", "not_equals", "contains", "not_contains"]

IMAGE: Final = "image"
STUDY_KINDS: Final = ("project", "screen")
LONGEST: Final = 1000
_OPERATORS: Final[Mapping[str, Operator]] = {"=": "equals", "==": "equals", "!=": "not_equals", "~": "contains", "!~": "not_contains"}
_SIGNS: Final = {"equals": "=", "not_equals": "!=", "contains": "~", "not_contains": "!~"}
_CONDITION: Final = re.compile(r"(?P<key>[^=~!]*)(?P<operator>!=|!~|==|=|~)(?P<value>.*)", re.DOTALL)
_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Condition:
    """One key, and what its value must be.

    Attributes
    ----------
    on
        What has the key: ``image``, or ``study`` for keys that only projects and screens have.
    """

    key: str
    operator: Operator
    value: str
    on: Literal["image", "study"] = "image"

    def __str__(self) -> str:
        """Return it as a user writes it."""
        return f"{self.key} {_SIGNS[self.operator]} {self.value}"

    def filter(self, resource: str) -> dict[str, str]:
        """Return it as the search engine wants it."""
        return {"name": self.key, "value": self.value, "operator": self.operator, "resource": resource}


def parse_condition(text: str) -> Condition:
    """Read ``Gene Symbol=AURKB``, ``Organism != Homo sapiens``, ``Phenotype ~ cell size`` or ``Phenotype !~ death``.

    Raises
    ------
    UsageError
        If there is no operator, key or value.
    """
    match = _CONDITION.fullmatch(text.strip())
    if match is None or not match["key"].strip() or not match["value"].strip():
        raise UsageError(
            f"“{text[:_SHOWN]}” is no condition. Write a key, an operator and a value, such as Gene Symbol=AURKB; the operators are = (is), "
            "!= (is not), ~ (contains) and !~ (does not contain)."
        )
    return condition(match["key"], _OPERATORS[match["operator"]], match["value"])


def condition(key: str, operator: Operator, value: str) -> Condition:
    """Make a condition of its parts.

    Raises
    ------
    UsageError
        If key or value is empty or too long.
    """
    key, value = " ".join(key.split()), " ".join(value.split())
    if not key or not value:
        raise UsageError("A condition lacks its key or its value. Write both, such as Gene Symbol and AURKB.")
    if len(key) > LONGEST or len(value) > LONGEST:
        raise UsageError(f"“{key[:_SHOWN]} {value[:_SHOWN]}…” is longer than {LONGEST} characters. Shorten it; ~ finds a part of a value too.")
    return Condition(key, operator, value)


def known_conditions(conditions: Iterable[Condition], keys: Mapping[str, Sequence[str]]) -> list[Condition]:
    """Give conditions with their keys spelt as the search engine spells them.

    Parameters
    ----------
    keys
        Of each resource (``image``, ``project``, ``screen``).

    Raises
    ------
    UsageError
        If it has no such key; the message names near ones.
    """
    images = {key.casefold(): key for key in keys.get(IMAGE, ())}
    studies = {key.casefold(): key for kind in STUDY_KINDS for key in keys.get(kind, ())}
    return [_known(each, images, studies) for each in conditions]


def _known(asked: Condition, images: dict[str, str], studies: dict[str, str]) -> Condition:
    wanted = asked.key.casefold()
    if wanted in images:
        return replace(asked, key=images[wanted])
    if wanted in studies:
        return replace(asked, key=studies[wanted], on="study")
    known = studies | images
    near = [known[key] for key in get_close_matches(wanted, known, 4, 0.6)]
    words = [known[key] for key in sorted(known) if wanted in key or (len(key) > 3 and key in wanted)]
    hints = list(dict.fromkeys((*near, *words)))[:5]
    advice = f"Near ones are {', '.join(hints)}." if hints else f"There are, for instance, {', '.join(sorted(known.values())[:8])}."
    raise UsageError(f"The IDR's search has no key “{asked.key[:_SHOWN]}”. {advice if known else 'It lists none at all now; try again later.'}")
