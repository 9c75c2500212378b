"""The loops of an ND2 experiment, and which frame of the file is which position, time and z.

NIS-Elements nests loops; frames are numbered with the innermost loop fastest. Types of loops, with the names Laboratory Imaging
gives them, are those of the nd2 package of T. Lambert and of limnd2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, Literal

from ..errors import UnreadableError
from ..image import Modulo
from .nd2_variant import Tree, branch, entries, number, text, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Kind = Literal["T", "P", "Z", "U"]
_TIME, _POSITIONS, _STACK, _SPECTRAL, _CUSTOM, _PHASES = 1, 2, 4, 6, 7, 8
KINDS: Final[dict[int, Kind]] = {
    _TIME: "T",
    _POSITIONS: "P",
    3: "P",  # discrete positions
    _STACK: "Z",
    5: "U",  # polar
    _CUSTOM: "U",
    _PHASES: "T",
    9: "T",  # time, by hand
    10: "Z",  # accurate stack
}
"""Type of a loop to what it runs over: time, positions, z, or something of the user's own (U). Channels are no loop."""
_OWN: Final[dict[str, Kind]] = {"dZStep": "Z", "dPeriod": "T", "pPeriod": "T", "Points": "P", "dPosX": "P"}
"""Parameters that only loops of one kind have."""
_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Point:
    """A stage position, in micrometres; z only where the loop sets it."""

    x: float | None
    y: float | None
    z: float | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop; `facts` are its parameters as stored."""

    kind: Kind
    count: int
    facts: Tree
    points: tuple[Point, ...] = ()
    phases: int = 1
    """Time loops: how many phases with intervals of their own it has."""
    upwards: bool = True
    """Stacks: whether the first plane is the lowest."""

    @property
    def step_um(self) -> float | None:
        """Distance of neighbouring planes of a stack."""
        step = number(self.facts, "dZStep")
        low, high = number(self.facts, "dZLow"), number(self.facts, "dZHigh")
        if not step and self.count > 1 and low is not None and high is not None:
            step = abs(high - low) / (self.count - 1)
        return abs(step) if step else None

    @property
    def period_s(self) -> float | None:
        """Interval that a time loop was to keep; None where it had none, or several."""
        if self.phases > 1:
            return None
        measured, wanted = number(self.facts, "dAvgPeriodDiff"), number(self.facts, "dPeriod")
        period = measured if measured and measured > 0 else wanted
        return period / 1000 if period and period > 0 else None


def read_loops(experiment: Tree, source: str) -> list[Loop]:
    """Loops, the outermost first.

    Raises
    ------
    UnreadableError
        If a loop is of an unknown type, or they are nested too deep.
    """
    found: list[tuple[int, Loop]] = []
    for level, loop in _walk(_inner(experiment), 0, source):
        if not found or found[-1][0] < level:
            found.append((level, loop))
        elif found[-1][0] == level and found[-1][1].kind == loop.kind and found[-1][1].count < loop.count:
            # Phases of one experiment may each have a loop of their own inside; the frames are numbered by the longest.
            found[-1] = (level, loop)
    return [loop for _, loop in found]


def _inner(level: Any) -> Tree:
    return branch(level, "SLxExperiment") or branch(level)


def _walk(experiment: Tree, level: int, source: str) -> Iterator[tuple[int, Loop]]:
    if level > _DEEPEST:
        raise UnreadableError(f"{source} is damaged: its loops are more than {_DEEPEST} levels deep. Copy or upload it again.")
    facts = experiment.get("uLoopPars")
    if isinstance(facts, list):
        facts = facts[0] if facts else {}
    facts = branch(facts, next(iter(facts))) if isinstance(facts, dict) and list(facts) == ["i0000000000"] else branch(facts)
    kind = whole(experiment, "eType") or 0
    spectral = kind == _SPECTRAL
    if facts and not spectral and kind:
        loop = _loop(kind, facts, experiment.get("pItemValid"), source)
        if loop.count > 0:
            yield level, loop
    for inner in (*entries(experiment.get("ppNextLevelEx")), *_of_phases(facts)):
        yield from _walk(_inner(inner), level if spectral else level + 1, source)


def _of_phases(facts: Tree) -> list[Any]:
    return [inner for phase in entries(facts.get("pSubLoops")) for inner in entries(branch(phase).get("ppNextLevelEx"))]


def _loop(kind: int, facts: Tree, valid: Any, source: str) -> Loop:
    if kind not in KINDS:
        raise UnreadableError(f"{source} has a loop of the unknown type {kind}. Export it as OME-TIFF with NIS-Elements, and please report this.")
    if any(name in facts and KINDS[kind] != own for name, own in _OWN.items()):
        raise UnreadableError(f"{source} is damaged: a loop of type {kind} has parameters of another. Copy or upload it again.")
    count = max(0, whole(facts, "uiCount") or 0)
    if kind == _POSITIONS:
        points = _points(facts, _flags(valid))
        return Loop("P", len(points) or count, facts, points)
    if kind == _PHASES:
        flags = _flags(facts.get("pPeriodValid"))
        phases = [branch(phase) for phase in entries(facts.get("pPeriod"))]
        used = [phase for phase, good in zip(phases, flags or [True] * len(phases), strict=False) if good and (whole(phase, "uiCount") or 0) > 0]
        total = sum(whole(phase, "uiCount") or 0 for phase in used)
        return Loop("T", total, used[0] if len(used) == 1 else facts, phases=max(1, len(used)))
    if KINDS[kind] == "Z":
        return Loop("Z", count, facts, upwards=(whole(facts, "iType") or 0) < 4)
    return Loop(KINDS[kind], count, facts)


def _flags(valid: Any) -> list[bool]:
    return [bool(flag) for flag in valid] if isinstance(valid, bytes) else [bool(flag) for flag in entries(valid)]


def _points(facts: Tree, valid: Sequence[bool]) -> tuple[Point, ...]:
    with_z = bool(facts.get("bUseZ"))
    relative = bool(facts.get("bRelativeXY"))
    at_x, at_y = ((number(facts, name) or 0.0) if relative else 0.0 for name in ("dReferenceX", "dReferenceY"))

    def point(x: float | None, y: float | None, z: float | None, name: str | None) -> Point:
        return Point(None if x is None else at_x + x, None if y is None else at_y + y, z if with_z else None, name)

    stored = entries(facts.get("Points"))
    if stored:
        points = [
            point(number(item, "dPosX"), number(item, "dPosY"), number(item, "dPosZ"), text(item, "dPosName") or text(item, "pPosName"))
            for item in map(branch, stored)
        ]
    else:
        xs, ys, zs = (
            [value if isinstance(value, (int, float)) else None for value in entries(facts.get(name))] for name in ("dPosX", "dPosY", "dPosZ")
        )
        names = [name if isinstance(name, str) else None for name in entries(facts.get("pPosName"))]
        points = [point(x, y, z, name or None) for x, y, z, name in zip_longest(xs, ys, zs, names)]
    return tuple(one for index, one in enumerate(points) if index >= len(valid) or valid[index])


@dataclass(frozen=True, slots=True)
class Order:
    """Which frame of the file is which position, time and z."""

    loops: tuple[Loop, ...]

    def size(self, *kinds: Kind) -> int:
        """Product of the loops of some kinds."""
        return math.prod(loop.count for loop in self.loops if loop.kind in kinds)

    def frame(self, p: int, t: int, z: int) -> int:
        """Number of a frame. Where a kind has several loops, its index counts the innermost fastest."""
        left = {"P": p, "T": t, "U": t, "Z": z}
        at, stride = 0, 1
        for loop in reversed(self.loops):
            index = left[loop.kind]
            at += index % loop.count * stride
            stride *= loop.count
            left[loop.kind] = index // loop.count
            if loop.kind in ("T", "U"):
                left["T"] = left["U"] = left[loop.kind]
        return at

    @property
    def points(self) -> tuple[Point, ...]:
        """What is known of the positions."""
        loops = [loop for loop in self.loops if loop.kind == "P"]
        return loops[0].points if len(loops) == 1 else ()

    def only(self, *kinds: Kind) -> Loop | None:
        """The loop of some kinds, if there is just one."""
        loops = [loop for loop in self.loops if loop.kind in kinds]
        return loops[0] if len(loops) == 1 else None

    @property
    def modulo(self) -> tuple[Modulo, ...]:
        """Loops that had to be folded into T or Z."""
        folded = []
        for along, kinds in (("T", "TU"), ("Z", "Z")):
            loops = [loop for loop in self.loops if loop.kind in kinds]
            inner = loops if loops and loops[0].kind == "U" else loops[1:]
            size = math.prod(loop.count for loop in inner)
            if size > 1:
                named = " and ".join({"T": "time", "U": "custom", "Z": "z"}[loop.kind] for loop in inner)
                folded.append(Modulo(along, "other", 0, size - 1, 1, description=f"{named} loop of NIS-Elements"))  # type: ignore[arg-type]
        return tuple(folded)

    @property
    def folded(self) -> tuple[str, ...]:
        """What the user should know of that."""
        return tuple(
            f"its {modulo.description} (of {round(modulo.end or 0) + 1}) was folded into {modulo.along}, as Bio-Formats does; "
            "a Modulo annotation records it."
            for modulo in self.modulo
        )


def order_frames(loops: Sequence[Loop], frames: int, declared: int | None, source: str) -> tuple[Order, tuple[str, ...]]:
    """Make loops and frames agree: an acquisition may have been stopped early, or have gone on.

    Parameters
    ----------
    frames
        One more than the highest number of a stored frame.
    declared
        How many frames the attributes announce.

    Returns
    -------
    tuple
        The order, and warnings.
    """
    planned = math.prod(loop.count for loop in loops)
    counts = [loop.count for loop in loops]
    if frames < planned:
        for index, count in enumerate(counts):
            counts[index] = min(count, -(-frames // math.prod(counts[index + 1 :])))
            if counts[index] > 1:
                break
        told = f"{source}: {planned:,} frames were planned and {frames:,} are stored; the image has those, and 0 where some are missing."
        return Order(tuple(replace(loop, count=count) for loop, count in zip(loops, counts, strict=True))), (told,)
    if frames == planned:
        return Order(tuple(loops)), ()
    if declared == planned:
        told = f"{source}: {frames - planned:,} frames more are stored than its loops and its attributes announce; they were left out."
        return Order(tuple(loops)), (told,)
    told = f"{source}: its loops make {planned:,} frames but {frames:,} are stored; all were kept, the further ones along time."
    if loops and loops[0].kind == "T":
        longer = replace(loops[0], count=-(-frames // math.prod(counts[1:])))
        return Order((longer, *loops[1:])), (told,)
    return Order((Loop("T", -(-frames // planned), {}), *loops)), (told,)
