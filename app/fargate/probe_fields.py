"""Rows of probes and hooks."""

from collections.abc import Iterable
from typing import Final

from app.fargate.check import Refusal
from app.fargate.rights import all_containers
from app.fargate.support import Row, Section
from app.model.container import probes_of
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.signals import asks_to_end, number_of

_container = Section("Container")
_probe = Section("Probe")
_exec = Section("ExecAction")
_http = Section("HTTPGetAction")
_header = Section("HTTPHeader")
_tcp = Section("TCPSocketAction")
_grpc = Section("GRPCAction")
_lifecycle = Section("Lifecycle")
_handler = Section("LifecycleHandler")
_sleep = Section("SleepAction")

_CLOCK: Final = "As a kubelet counts; of an exec probe, within ECS's bounds"


def _exec_probes(pod: Pod) -> Iterable[Reason]:
    """A container has one health check in ECS, so its exec probes must be the same command."""
    for path, container in all_containers(pod):
        commands = [(kind, probe.exec.command) for kind, probe in probes_of(container).items() if probe.exec]
        for kind, command in commands[1:]:
            if command != commands[0][1]:
                message = "ECS has one health check; use one command or httpGet"
                yield Reason("Probe", message, f"{path}.{kind}Probe.exec")


def _asks_nobody(signal: str | None) -> bool:
    number = number_of(signal) if signal else None
    return bool(signal) and (number is None or not asks_to_end(number))


OF_CONTAINER: Final[tuple[Row, ...]] = (
    _container.emulated(
        "startupProbe",
        "Until it succeeds, the others wait; its failure restarts the task, with all containers of the pod.",
        of="Probe",
    ),
    _container.emulated(
        "livenessProbe", "Its failure restarts the task, with all containers of the pod.", of="Probe"
    ),
    _container.emulated(
        "readinessProbe", "Ready follows it, and with it Services and rolling updates.", of="Probe"
    ),
)
"""Rows of Container."""

ROWS: Final[tuple[Row, ...]] = (
    _probe.emulated(
        "httpGet", "The bridge asks the task's address, as a kubelet asks the pod's.", of="HTTPGetAction"
    ),
    _probe.emulated("tcpSocket", "The bridge connects to the task's address.", of="TCPSocketAction"),
    _probe.emulated("grpc", "The bridge calls the health service at the task's address.", of="GRPCAction"),
    _probe.emulated(
        "exec",
        "ECS's healthCheck of the container. It runs as root, where the helper changes the command's groups "
        "(an Event, `ProbeAsRoot`, says so).",
        of="ExecAction",
        rule=_exec_probes,
        unless="a second command in one container (`Probe`)",
    ),
    _probe.emulated("initialDelaySeconds", f"{_CLOCK} (0 to 300)."),
    _probe.emulated("periodSeconds", f"{_CLOCK} (5 to 300)."),
    _probe.emulated("timeoutSeconds", f"{_CLOCK} (2 to 60)."),
    _probe.emulated("failureThreshold", f"{_CLOCK} (1 to 10; a startup probe may have more)."),
    _probe.emulated("successThreshold", "As a kubelet counts; ECS counts one success of an exec probe."),
    _probe.emulated("terminationGracePeriodSeconds", "ECS has one grace a container: the pod's is used."),
    _exec.emulated("command", "The words, without a shell."),
    _http.emulated("path", "The request's path."),
    _http.emulated("port", "By number or by the name of a container's port."),
    _http.emulated("scheme", "HTTP, or HTTPS without a look at the certificate."),
    _http.emulated("httpHeaders", "Sent as they are.", of="HTTPHeader"),
    _header.emulated("name", "The header's name."),
    _header.emulated("value", "The header's value."),
    _http.refused("host", "Probe", "probes ask the task; remove host"),
    _tcp.emulated("port", "By number or by the name of a container's port."),
    _tcp.refused("host", "Probe", "probes ask the task; remove host"),
    _grpc.emulated("port", "The port's number."),
    _grpc.emulated("service", "The service that is asked about."),
    _lifecycle.emulated("postStart", "The helper runs it beside the command.", of="LifecycleHandler"),
    _lifecycle.emulated(
        "preStop",
        "The helper runs it on SIGTERM, before the command gets it; the rest of the grace is the command's.",
        of="LifecycleHandler",
    ),
    _lifecycle.emulated(
        "stopSignal",
        "The helper sends it in place of the image's STOPSIGNAL, which ECS sends.",
        refuses=Refusal("Lifecycle", "nobody can be asked to end by this signal; use SIGTERM", _asks_nobody),
        unless="SIGKILL, SIGSTOP and SIGCHLD (`Lifecycle`)",
    ),
    _handler.emulated("exec", "Run in the container by the helper.", of="ExecAction"),
    _handler.emulated("sleep", "By the helper.", of="SleepAction"),
    _handler.refused("httpGet", "Lifecycle", "hooks run in the task; use exec with an HTTP client"),
    _handler.refused("tcpSocket", "Lifecycle", "no kubelet runs such a hook either; use exec"),
    _sleep.emulated("seconds", "As it stands."),
)
