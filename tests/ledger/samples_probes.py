"""Proofs of the rows of probes and hooks."""

from typing import Any, Final

import msgspec

from app.bridge.probing.target import GrpcTarget, HttpTarget, TcpTarget, target_of
from app.bridge.probing.verdicts import begun, counted, health_of
from app.bridge.status.observed import Health
from app.model.container import Container, Probe
from app.model.pod import Pod
from app.model.task import TaskContainer
from tests.ledger.proofs import Samples, decides, holds, main, refused, shows

AT: Final = "spec.containers[0]"
RUNNING: Final = TaskContainer(name="main", last_status="RUNNING")
FAILED: Final = "Container main failed {} probe, will be restarted"


def asked(**probe: Any) -> object:
    """Where the probe goes, for a container whose port 8080 is called `web`."""
    container = msgspec.convert(
        {"name": "main", "ports": [{"containerPort": 8080, "name": "web"}]}, Container
    )
    return target_of(msgspec.convert(probe, Probe), container, ip="10.0.1.9")


def http(**action: Any) -> HttpTarget:
    target = asked(httpGet={"port": 80, **action})
    assert isinstance(target, HttpTarget)
    return target


def health(field: str, *answers: str, probe: dict[str, Any] | None = None) -> Health:
    """What the container's probe says after these answers in a row, each `ok` or `bad`."""
    terms = {"tcpSocket": {"port": 80}, **(probe or {})}
    container = msgspec.convert({"name": "main", field: terms}, Container)
    kind: Any = field.removesuffix("Probe")
    count = begun(kind)
    for answer in answers:
        count = counted(count, answer == "ok", msgspec.convert(terms, Probe))
    return health_of(container, {kind: count}, RUNNING)


def executed(field: str = "livenessProbe", **terms: Any) -> Pod:
    return main(**{field: {"exec": {"command": ["check", "-q"]}, **terms}})


def checked(claim: str, is_: int, **terms: Any) -> Any:
    """What ECS's health check has for the terms of an exec probe."""
    return shows(executed(**terms), "main", "healthCheck", claim, is_=is_)


def hooked(**lifecycle: Any) -> Pod:
    return main(lifecycle=lifecycle)


SLEEP: Final = {"sleep": {"seconds": 5}}
WARM: Final = {"exec": {"command": ["warm", "up"]}}

SAMPLES: Final[Samples] = {
    "Container.startupProbe": (
        decides("not started before it succeeds", lambda: health("startupProbe").started, is_=False),
        decides("started when it has", lambda: health("startupProbe", "ok").started, is_=True),
        decides(
            "its failure restarts",
            lambda: health("startupProbe", "bad", "bad", "bad").failed,
            FAILED.format("startup"),
        ),
    ),
    "Container.livenessProbe": (
        decides("alive at first", lambda: health("livenessProbe").failed, ""),
        decides(
            "its failure restarts",
            lambda: health("livenessProbe", "bad", "bad", "bad").failed,
            FAILED.format("liveness"),
        ),
    ),
    "Container.readinessProbe": (
        decides("not ready at first", lambda: health("readinessProbe").ready, is_=False),
        decides("ready when it succeeds", lambda: health("readinessProbe", "ok").ready, is_=True),
    ),
    "Probe.httpGet": (decides("the task is asked", lambda: http(path="/ok").url, "http://10.0.1.9:80/ok"),),
    "Probe.tcpSocket": (
        decides("the task is asked", lambda: asked(tcpSocket={"port": 80}), TcpTarget("10.0.1.9", 80)),
    ),
    "Probe.grpc": (
        decides("the task is asked", lambda: asked(grpc={"port": 80}), GrpcTarget("10.0.1.9", 80, "")),
    ),
    "Probe.exec": (
        shows(executed(), "main", "healthCheck", "command", is_=["CMD", "check", "-q"]),
        refused(
            main(livenessProbe={"exec": {"command": ["a"]}}, readinessProbe={"exec": {"command": ["b"]}}),
            "Probe",
            f"{AT}.readinessProbe.exec",
        ),
    ),
    "Probe.initialDelaySeconds": (checked("startPeriod", 40, initialDelaySeconds=40),),
    "Probe.periodSeconds": (
        checked("interval", 20, periodSeconds=20),
        holds(executed(periodSeconds=400), "caveats", has="ProbeBounded"),
    ),
    "Probe.timeoutSeconds": (checked("timeout", 7, timeoutSeconds=7),),
    "Probe.failureThreshold": (
        checked("retries", 5, failureThreshold=5),
        decides(
            "one failure of two is none",
            lambda: health("livenessProbe", "bad", probe={"failureThreshold": 2}).failed,
            "",
        ),
        decides(
            "two failures of two restart",
            lambda: health("livenessProbe", "bad", "bad", probe={"failureThreshold": 2}).failed,
            FAILED.format("liveness"),
        ),
    ),
    "Probe.successThreshold": (
        decides(
            "one success of two is none",
            lambda: health("readinessProbe", "ok", probe={"successThreshold": 2}).ready,
            is_=False,
        ),
        decides(
            "two successes of two are one",
            lambda: health("readinessProbe", "ok", "ok", probe={"successThreshold": 2}).ready,
            is_=True,
        ),
    ),
    "Probe.terminationGracePeriodSeconds": (
        shows(executed(terminationGracePeriodSeconds=5), "main", "stopTimeout", is_=30),
        holds(executed(terminationGracePeriodSeconds=5), "caveats", has="ProbeGraceIgnored"),
    ),
    "ExecAction.command": (shows(executed(), "main", "healthCheck", "command", is_=["CMD", "check", "-q"]),),
    "HTTPGetAction.path": (
        decides("the path is asked for", lambda: http(path="/ok?a=b").url, "http://10.0.1.9:80/ok?a=b"),
    ),
    "HTTPGetAction.port": (
        decides("by number", lambda: http(port=81).url, "http://10.0.1.9:81/"),
        decides("by name", lambda: http(port="web").url, "http://10.0.1.9:8080/"),
    ),
    "HTTPGetAction.scheme": (decides("HTTPS", lambda: http(scheme="HTTPS").url, "https://10.0.1.9:80/"),),
    "HTTPGetAction.httpHeaders": (
        decides(
            "sent as they are",
            lambda: http(httpHeaders=[{"name": "Host", "value": "shop"}]).headers[-1],
            ("Host", "shop"),
        ),
    ),
    "HTTPHeader.name": (
        decides("the name", lambda: http(httpHeaders=[{"name": "X", "value": "y"}]).headers[-1][0], "X"),
    ),
    "HTTPHeader.value": (
        decides("the value", lambda: http(httpHeaders=[{"name": "X", "value": "y"}]).headers[-1][1], "y"),
    ),
    "HTTPGetAction.host": (
        refused(
            main(readinessProbe={"httpGet": {"port": 80, "host": "db"}}),
            "Probe",
            f"{AT}.readinessProbe.httpGet.host",
        ),
    ),
    "TCPSocketAction.port": (
        decides("by name", lambda: asked(tcpSocket={"port": "web"}), TcpTarget("10.0.1.9", 8080)),
        decides("a name that no port has", lambda: asked(tcpSocket={"port": "none"}), None),
    ),
    "TCPSocketAction.host": (
        refused(
            main(readinessProbe={"tcpSocket": {"port": 80, "host": "db"}}),
            "Probe",
            f"{AT}.readinessProbe.tcpSocket.host",
        ),
    ),
    "GRPCAction.port": (
        decides("the number", lambda: asked(grpc={"port": 9}), GrpcTarget("10.0.1.9", 9, "")),
    ),
    "GRPCAction.service": (
        decides(
            "the service", lambda: asked(grpc={"port": 9, "service": "s"}), GrpcTarget("10.0.1.9", 9, "s")
        ),
    ),
    "Lifecycle.postStart": (holds(hooked(postStart=WARM), "main", "run", has="start exec d2FybQ== dXA="),),
    "Lifecycle.preStop": (holds(hooked(preStop=SLEEP), "main", "run", has="stop sleep 5"),),
    "Lifecycle.stopSignal": (
        holds(hooked(stopSignal="SIGUSR1"), "main", "run", has="signal 10"),
        refused(hooked(stopSignal="SIGKILL"), "Lifecycle", f"{AT}.lifecycle.stopSignal"),
    ),
    "LifecycleHandler.exec": (holds(hooked(preStop=WARM), "main", "run", has="stop exec d2FybQ== dXA="),),
    "LifecycleHandler.sleep": (holds(hooked(postStart=SLEEP), "main", "run", has="start sleep 5"),),
    "LifecycleHandler.httpGet": (
        refused(hooked(preStop={"httpGet": {"port": 80}}), "Lifecycle", f"{AT}.lifecycle.preStop.httpGet"),
    ),
    "LifecycleHandler.tcpSocket": (
        refused(
            hooked(postStart={"tcpSocket": {"port": 80}}), "Lifecycle", f"{AT}.lifecycle.postStart.tcpSocket"
        ),
    ),
    "SleepAction.seconds": (
        holds(hooked(preStop={"sleep": {"seconds": 9}}), "main", "run", has="stop sleep 9"),
    ),
}
