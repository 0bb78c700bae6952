"""How long a Lease has gone without a renewal, by our own steady clock."""

from app.ports.clock import Clock
from app.ports.kubernetes import Lease


class LeaseAge:
    """That its record changes matters, not the times in it: those are another machine's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lease: Lease | None = None
        self._changed_at = clock.steady()

    def see(self, lease: Lease | None) -> bool:
        """Take in what was read (None: there is no Lease); whether it is a renewal since the last look."""
        renewed = lease is not None and (self._lease is None or lease.record != self._lease.record)
        if renewed:
            self._changed_at = self._clock.steady()
        self._lease = lease
        return renewed

    def is_stale(self) -> bool:
        """Whether there is no Lease, or its record has not changed for longer than it promises."""
        return self._lease is None or self._clock.steady() - self._changed_at > self._lease.duration
