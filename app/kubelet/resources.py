"""Which part of the node answers for which route."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import assert_never

from app.kubelet.forwarding.port_forward import PortForward
from app.kubelet.logs.container_logs import ContainerLogs
from app.kubelet.messages import Answer, Request, StreamedAnswer, Upgrade
from app.kubelet.pod_lists import bound_pods, running_pods
from app.kubelet.routing import (
    AttachRoute,
    ContainerLogsRoute,
    ExecRoute,
    HealthzRoute,
    PodsRoute,
    PortForwardRoute,
    ResourceMetricsRoute,
    Route,
    RunningPodsRoute,
    SummaryRoute,
)
from app.kubelet.sessions.attach import Attach
from app.kubelet.sessions.exec import Exec
from app.kubelet.told import as_status
from app.kubelet.usage.answers import exposed, summed_up
from app.model.pod import Pod
from app.ports.usage import Usage


@dataclass(frozen=True, slots=True)
class Resources:
    """All that one node serves to those who may.

    Attributes:
        logs: containers' logs.
        exec: commands inside of containers.
        attach: what containers print from now on.
        forward: connections to pods' ports.
        pods: those that are bound to the node.
        usage: what they use.
    """

    logs: ContainerLogs
    exec: Exec
    attach: Attach
    forward: PortForward
    pods: Callable[[], Iterable[Pod]]
    usage: Usage

    async def answer(self, found: Route, request: Request) -> Answer | StreamedAnswer | Upgrade:
        """The answer of the part whose route it is."""
        match found:
            case HealthzRoute():
                return Answer(status=HTTPStatus.OK, text="ok")
            case PodsRoute() | RunningPodsRoute() | SummaryRoute() | ResourceMetricsRoute():
                return self._of_all(found)
            case ContainerLogsRoute():
                return await self.logs.answer(found)
            case ExecRoute() | AttachRoute() | PortForwardRoute():
                answer = await self._streams(found, request)
                return as_status(answer) if isinstance(answer, Answer) else answer
            case _:
                assert_never(found)

    def _of_all(self, found: PodsRoute | RunningPodsRoute | SummaryRoute | ResourceMetricsRoute) -> Answer:
        """What is told of all pods together."""
        match found:
            case PodsRoute():
                return bound_pods(self.pods())
            case RunningPodsRoute():
                return running_pods(self.pods())
            case SummaryRoute():
                return summed_up(self.usage)
            case ResourceMetricsRoute():
                return exposed(self.usage)
            case _:
                assert_never(found)

    async def _streams(
        self, found: ExecRoute | AttachRoute | PortForwardRoute, request: Request
    ) -> Answer | Upgrade:
        match found:
            case ExecRoute():
                return await self.exec.answer(request, found.path, found.query)
            case AttachRoute():
                return await self.attach.answer(request, found.path, found.query)
            case PortForwardRoute():
                return await self.forward.answer(request, found.namespace, found.pod, found.query)
            case _:
                assert_never(found)
