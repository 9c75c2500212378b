"""What the settings of a Leica image say, in OME's terms, whichever software wrote them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final, TypeVar

from ..image import Channel, Instrument, Objective

LEICA: Final = "Leica Microsystems"
CONFOCAL: Final = "LaserScanningConfocalMicroscopy"
_METRE: Final = 1e6
_Part = TypeVar("_Part", Channel, Instrument, Objective)


def micrometres(metres: float) -> float:
    """Metres, which Leica's files are written in, in micrometres, without the noise of the last digits."""
    return float(f"{metres * _METRE:.15g}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the settings say."""

    instrument: Instrument | None = None
    objective_id: str | None = None
    refractive_index: float | None = None
    channels: tuple[Channel, ...] = ()
    exposures_s: tuple[float | None, ...] = ()
    stage: tuple[float | None, float | None] = (None, None)
    """Position along the stage's own axes."""
    stage_unit: str = "m"
    turned: tuple[bool, bool, bool] = (False, False, False)
    """FlipX, FlipY, SwapXY: how the stage's axes lie to those of the image."""

    def completed(self, other: Settings) -> Settings:
        """These, with what they do not say taken from others."""
        same = len(self.channels) == len(other.channels)
        channels = tuple(_completed(mine, theirs) for mine, theirs in zip(self.channels, other.channels, strict=True)) if same else self.channels
        instrument = self.instrument
        if instrument is not None and other.instrument is not None:
            instrument = _completed(instrument, other.instrument)
            if self.instrument is not None and self.instrument.objectives and other.instrument.objectives:
                instrument = replace(instrument, objectives=(_completed(self.instrument.objectives[0], other.instrument.objectives[0]),))
            # Their channels' parts are known by ids of their own instrument.
            ids = {part.id for part in instrument.detectors} | {part.id for part in instrument.light_sources}
            channels = tuple(
                replace(
                    channel,
                    detector_id=channel.detector_id if channel.detector_id in ids else None,
                    light_source_id=channel.light_source_id if channel.light_source_id in ids else None,
                )
                for channel in channels
            )
        return Settings(
            instrument=instrument or other.instrument,
            objective_id=self.objective_id or other.objective_id,
            refractive_index=self.refractive_index or other.refractive_index,
            channels=channels or other.channels,
            exposures_s=self.exposures_s or other.exposures_s,
            stage=self.stage if self.stage != (None, None) else other.stage,
            stage_unit=self.stage_unit if self.stage != (None, None) else other.stage_unit,
            turned=self.turned,
        )


def _completed(mine: _Part, theirs: _Part) -> _Part:
    missing = {
        each.name: getattr(theirs, each.name)
        for each in fields(mine)
        if getattr(mine, each.name) in (None, ()) and getattr(theirs, each.name) not in (None, ())
    }
    return replace(mine, **missing)
