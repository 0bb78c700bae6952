"""One probe of one container: waits, asks, counts, until it is cancelled."""

from collections.abc import Callable
from typing import Final, assert_never

from app.bridge.probing.target import GrpcTarget, HttpTarget, Target, TcpTarget
from app.bridge.probing.verdicts import Count, begun, counted
from app.model.container import Probe, ProbeKind
from app.ports.clock import Clock
from app.ports.probes import Answer, Probes

_LEAST: Final = 1.0


class ProbeWorker:
    """A probe that the bridge makes.

    Liveness and readiness wait until the startup probe has succeeded; after a failed startup or liveness
    probe nothing is asked any more, since the container is about to be restarted.
    """

    def __init__(
        self,
        kind: ProbeKind,
        probe: Probe,
        target: Target | None,
        *,
        ready_before: bool,
        probes: Probes,
        clock: Clock,
    ) -> None:
        self.kind = kind
        self.count: Count = begun(kind, ready_before=ready_before)
        self._probe = probe
        self._target = target
        self._probes = probes
        self._clock = clock
        self._knows = ready_before

    async def run(
        self,
        *,
        first_in: float,
        may_ask: Callable[[], bool],
        heard: Callable[["ProbeWorker", Answer], None],
    ) -> None:
        """Ask until cancelled, or until the container is lost.

        Args:
            first_in: seconds until the first question; later ones come every `periodSeconds`.
            may_ask: whether the startup probe lets this one go, and this process leads.
            heard: called with every answer, after it is counted.
        """
        await self._clock.sleep(first_in)
        while True:
            if may_ask():
                answer = await self._answer()
                self.count = counted(self.count, answer.ok, self._probe)
                heard(self, answer)
                if self._is_over():
                    return
            await self._clock.sleep(max(float(self._probe.period_seconds), _LEAST))

    def _is_over(self) -> bool:
        match self.kind:
            case "startup":
                return self.count.verdict is not None
            case "liveness":
                return self.count.verdict is False
            case "readiness":
                return False

    async def _answer(self) -> Answer:
        try:
            return await self._ask()
        except Exception as failure:  # noqa: BLE001 - one pod's odd probe must not end everybody's
            return Answer(ok=False, output=f"the probe cannot be made: {failure}")

    async def _ask(self) -> Answer:
        within = max(float(self._probe.timeout_seconds), _LEAST)
        match self._target:
            case None:
                return Answer(ok=False, output="the container has no port of that name")
            case HttpTarget():
                headers = dict(self._target.headers)
                return await self._probes.http(self._target.url, headers=headers, within=within)
            case TcpTarget():
                return await self._probes.tcp(self._target.host, self._target.port, within=within)
            case GrpcTarget():
                service = self._target.service
                return await self._probes.grpc(
                    self._target.host, self._target.port, service=service, within=within
                )
            case _:
                assert_never(self._target)
