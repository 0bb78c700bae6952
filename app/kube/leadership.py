"""Leader election over a Lease.

The loop is our own, not the official client's, because that one cannot be made sound from outside. It
measures a rival's lease by the wall clock, so a clock that steps forward steals a live lease; its renewal may
hang in one request for five minutes while the work goes on; and it writes local time as UTC. Here every
write carries the resource version that was read, time is steady, and a renewal that comes too late stops the
work before anybody else may start it.

https://kubernetes.io/docs/concepts/architecture/leases/#leader-election
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final, assert_never

import msgspec

from app.kube import election, paths
from app.kube.answers import decoded
from app.kube.lease_wire import WireLease
from app.kube.transport import Transport
from app.model.times import rfc3339_micro
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.telemetry import logs
from app.timing import backoff
from app.timing.waiting import cancelled, within

_log = logs.get(__name__)

_RELEASE_SECONDS: Final = 3.0
_STEADY_WORK_SECONDS: Final = 60.0
"""Work that ran so long before it failed starts its backoff anew."""


class Leadership:
    """One candidate for one Lease. Identities must differ between running processes."""

    def __init__(  # noqa: PLR0913  (a Lease, a candidate and three times, each by name)
        self,
        connection: Transport,
        *,
        namespace: str,
        name: str,
        identity: str,
        clock: Clock,
        lease_seconds: float = 15.0,
        renew_deadline: float = 10.0,
        retry_period: float = 2.0,
    ) -> None:
        """Nothing is asked before `lead`.

        Args:
            connection: the API server.
            namespace: the Lease's namespace.
            name: the Lease's name.
            identity: this process, as its pod's name and something random.
            clock: time; only its steady side decides anything.
            lease_seconds: how long others wait for a silent leader; whole seconds on the wire, rounded up.
            renew_deadline: how long after its last renewal a leader stops its work. The rest of the lease is
                the time that the work has to end.
            retry_period: seconds between two tries.

        Raises:
            ValueError: the times do not leave room for one another.
        """
        if not 0 < retry_period < renew_deadline < lease_seconds:
            raise ValueError(
                f"retry period ({retry_period}), renew deadline ({renew_deadline}), lease ({lease_seconds}): "
                "each must be longer than the one before, in seconds"
            )
        self._connection = connection
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._clock = clock
        self._seconds = math.ceil(lease_seconds)
        self._renew_deadline = renew_deadline
        self._retry_period = retry_period
        self._held: dict[str, Json] | None = None
        self._sighting: election.Sighting | None = None
        self._renewed_at = -math.inf
        self._leading = False

    def is_leader(self) -> bool:
        """Whether `work` runs here now, and the Lease is surely ours."""
        return self._leading and self._left() > 0

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` whenever this process leads; returns only when `work` returns by itself.

        The Lease lost: `work` is cancelled, and this process is a candidate again. `work` raised: the Lease
        is released, so that another replica may try, and this one waits a while. Cancelled: `work` is
        cancelled and waited for, then the Lease is released.
        """
        failures = 0
        while True:
            await self._acquire()
            began = self._clock.steady()
            try:
                if await self._hold(work):
                    return
            except Exception as error:  # noqa: BLE001  (whatever the work raises, leading must go on)
                failures = 1 if self._clock.steady() - began > _STEADY_WORK_SECONDS else failures + 1
                _log.error("work failed, lease released", lease=self._name, exc_info=error)
            else:
                failures = 0
            await self._clock.sleep(backoff.delay(failures, first=1.0, longest=60.0, jitter=1.0))

    async def _acquire(self) -> None:
        while True:
            try:
                if await self._attempt_in_time(self._renew_deadline / 2):
                    _log.info("leading", lease=self._name, identity=self._identity)
                    return
            except PortFailure as error:
                _log.warning("lease not acquired", lease=self._name, error=str(error))
            await self._clock.sleep(self._retry_period)

    async def _hold(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Whether `work` ended by itself, without an error."""
        self._leading = True
        working = asyncio.ensure_future(_run(work))
        renewing = asyncio.ensure_future(self._renew())
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                _log.warning("lease lost, stopping the work", lease=self._name, identity=self._identity)
                return False
            working.result()
            return True
        finally:
            self._leading = False
            try:
                await self._stop(working)
            finally:
                await cancelled(renewing)
            await self._release()

    async def _stop(self, working: "asyncio.Future[None]") -> None:
        """The Lease is still renewed meanwhile, where it is ours: nobody starts before the work has ended."""
        if working.done():
            return
        await cancelled(working)
        if not working.cancelled() and (error := working.exception()) is not None:
            _log.error("work failed while it was stopped", lease=self._name, exc_info=error)

    async def _renew(self) -> None:
        """Return once the Lease is lost: to somebody else, or because it was not renewed in time."""
        while True:
            await self._clock.sleep(min(self._retry_period, self._left()))
            if self._left() <= 0:
                return
            try:
                if not await self._attempt_in_time(min(self._left(), self._renew_deadline / 2)):
                    return
            except PortFailure as error:
                _log.warning("lease not renewed", lease=self._name, error=str(error))

    def _left(self) -> float:
        return self._renewed_at + self._renew_deadline - self._clock.steady()

    async def _attempt_in_time(self, seconds: float) -> bool:
        return await within(self._clock, seconds, self._attempt())

    async def _attempt(self) -> bool:
        """Whether the Lease is ours, by a write that the server accepted just now."""
        started = self._clock.steady()
        before = self._held or await self._read()
        lease = None if before is None else msgspec.convert(before, WireLease)
        move = election.move(
            lease,
            identity=self._identity,
            sighting=self._sighting,
            now=self._clock.steady(),
            seconds=self._seconds,
        )
        match move:
            case election.Follow(sighting):
                self._sighting = sighting
                return False
            case election.Create() | election.Claim():
                spec = election.claimed(
                    None if lease is None else lease.spec,
                    identity=self._identity,
                    seconds=self._seconds,
                    now=rfc3339_micro(self._clock.now()),
                )
                await self._write(before, spec)
                self._renewed_at = started
                return True
            case _:
                assert_never(move)

    async def _read(self) -> dict[str, Json] | None:
        path = paths.lease(self._namespace, self._name)
        try:
            data = await self._connection.request("GET", path, timeout=self._renew_deadline)
        except NotFound:
            return None
        return _lease_json(data, asked=f"GET {path}")

    async def _write(self, before: dict[str, Json] | None, spec: dict[str, Json]) -> None:
        """Raises Conflict where somebody wrote since `before` was read; then the next try reads first."""
        self._held = None
        body = election.document(before, namespace=self._namespace, name=self._name, spec=spec)
        method, path = "PUT", paths.lease(self._namespace, self._name)
        if before is None:
            method, path = "POST", paths.leases(self._namespace)
        data = await self._connection.request(method, path, body=body, timeout=self._renew_deadline)
        self._held = _lease_json(data, asked=f"{method} {path}")

    async def _release(self) -> None:
        """Let another replica lead at once; where that fails, the Lease expires by itself."""
        try:
            await within(self._clock, _RELEASE_SECONDS, self._give_up())
        except PortFailure as error:
            _log.warning("lease not released, it will expire", lease=self._name, error=str(error))
        finally:
            self._held = None
            self._renewed_at = -math.inf

    async def _give_up(self) -> None:
        before = await self._read()
        if before is not None and before.get("spec", {}).get("holderIdentity") == self._identity:
            await self._write(before, election.released(now=rfc3339_micro(self._clock.now())))


def _lease_json(data: bytes, *, asked: str) -> dict[str, Json]:
    """The whole Lease, unknown fields included, once it is known to be one."""
    decoded(data, WireLease, asked=asked)
    return decoded(data, dict, asked=asked)


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise RuntimeError("the work was cancelled from inside") from None
