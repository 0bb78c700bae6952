"""Two marks for a level that goes up and down: it is high or low, and stays so for a while."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from app.model.times import later


class WatermarkConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where the marks are.

    Attributes:
        high: from this level on it is high.
        low: at this level and below it is low again; less than `high`. In between it stays what it was.
        dwell: it stays high, or low, at least so long.
    """

    high: float = 0.9
    low: float = 0.75
    dwell: timedelta = timedelta(seconds=60)


class Watermark(msgspec.Struct, frozen=True):
    """What the level was last found to be, and since when."""

    mark: Literal["low", "high"]
    since: datetime


def step(state: Watermark | None, level: float, now: datetime, config: WatermarkConfig) -> Watermark:
    """The state after this level; nobody has looked before where `state` is None.

    Two changes are never closer than the dwell time. Where the clock was set back, that begins anew: it must
    not last until the clock has caught up.
    """
    if state is None:
        return Watermark("high" if level >= config.high else "low", now)
    if now < state.since:
        return Watermark(state.mark, now)
    if now - state.since < config.dwell or not _would_change(state, level, config):
        return state
    return Watermark("high" if state.mark == "low" else "low", now)


def changes_at(state: Watermark, level: float, config: WatermarkConfig) -> datetime | None:
    """When the state changes if the level stays as it is; None where it does not."""
    return later(state.since, config.dwell) if _would_change(state, level, config) else None


def _would_change(state: Watermark, level: float, config: WatermarkConfig) -> bool:
    return level >= config.high if state.mark == "low" else level <= config.low
