"""The API server's time, as its answers tell it: where our own clock is wrong, its clock counts."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from app.ports.clock import Clock
from app.telemetry import logs

TOLERATED: Final = timedelta(minutes=1)
"""Clocks differ a little, and so may each keep its own; the header counts whole seconds."""

_log = logs.get(__name__)


class ServerTime:
    """Our clock, corrected by as much as it is wrong (`app.ports.clock.Clock`).

    Certificates that the API server judges are made, and judged here, by its time: with a clock that is a
    year ahead, one that is good would be replaced by another that is not valid for a year.
    """

    def __init__(self, clock: Clock) -> None:
        """Our own time, until an answer is heard."""
        self._clock = clock
        self._wrong = timedelta()

    def heard(self, date: str) -> None:
        """Take note of an answer's Date header (RFC 9110, 6.6.1); what is none is let be."""
        try:
            told = parsedate_to_datetime(date)
        except (ValueError, OverflowError):  # the latter for a year that no computer counts to
            return
        wrong = told.replace(tzinfo=told.tzinfo or UTC) - self._clock.now()
        # At the border it does not go to and fro.
        if abs(wrong) < (TOLERATED / 2 if self._wrong else TOLERATED):
            wrong = timedelta()
        self._tell(wrong)
        self._wrong = wrong

    def now(self) -> datetime:
        """The time by the API server's clock."""
        return self._clock.now() + self._wrong

    def steady(self) -> float:
        """Our own, which never jumps."""
        return self._clock.steady()

    async def sleep(self, seconds: float) -> None:
        """As the clock does it."""
        await self._clock.sleep(seconds)

    def _tell(self, wrong: timedelta) -> None:
        if wrong and abs(wrong - self._wrong) > TOLERATED:
            _log.warning(
                "our clock is not the API server's, which counts; set this machine's clock",
                behind_seconds=round(wrong.total_seconds()),
            )
        elif self._wrong and not wrong:
            _log.info("our clock is the API server's again")
