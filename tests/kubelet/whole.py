"""A whole node of fakes, for those who test what stands around its parts."""

from app.kubelet.forwarding.port_forward import PortForward
from app.kubelet.logs.container_logs import ContainerLogs, LogConfig
from app.kubelet.resources import Resources
from app.kubelet.sessions.attach import Attach
from app.kubelet.sessions.exec import Exec
from app.kubelet.sessions.limits import SessionConfig
from app.model.pod import Pod
from app.model.usage import NodeUsage, PodUsage
from app.ports.clock import Clock
from app.ports.containers import Containers, Running
from app.ports.failures import NotFound, Refused
from app.ports.logs import LogDirectory, LogStreams
from app.ports.sessions import Session, Sessions
from app.ports.usage import Usage
from tests.builders import NOON


class FakeContainers(Containers):
    """Pods of which none can be entered, in words of their own."""

    def __init__(self) -> None:
        self.known: list[Pod] = []
        self.addresses: list[str] = []

    def running(self, namespace: str, pod: str, container: str) -> Running:
        raise NotFound(f'pod "{pod}" cannot be entered')

    def over(self, namespace: str, pod: str, where: Running) -> str:
        return ""

    def address(self, namespace: str, pod: str) -> str:
        if not self.addresses:
            raise NotFound(f'pod "{pod}" has no address')
        return self.addresses[0]

    def moved(self, namespace: str, pod: str, address: str) -> str:
        return ""

    def pods(self) -> list[Pod]:
        return self.known


class FakeUsage(Usage):
    """A node on which nothing runs."""

    def node(self) -> NodeUsage:
        return NodeUsage(name="fargate", started=NOON, at=NOON)

    def pods(self) -> tuple[PodUsage, ...]:
        return ()


class NoSessions(Sessions):
    """Opens none."""

    async def open(self, where: Running, command: str) -> Session:
        raise Refused("no sessions here")


def resources(
    directory: LogDirectory, streams: LogStreams, containers: Containers, *, clock: Clock
) -> Resources:
    """All parts of a node."""
    logs = ContainerLogs(directory, streams, clock=clock, config=LogConfig())
    return Resources(
        logs=logs,
        exec=Exec(containers, NoSessions(), clock=clock, config=SessionConfig()),
        attach=Attach(logs, containers, clock=clock),
        forward=PortForward(containers, clock=clock),
        pods=containers.pods,
        usage=FakeUsage(),
    )
