"""What answers in a row come to, as kubelet's prober counts them. Pure.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
"""

from collections.abc import Mapping

import msgspec

from app.bridge.status.observed import Health
from app.model.container import Container, Probe, ProbeKind, probes_of
from app.model.task import TaskContainer


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How one probe stands.

    Attributes:
        verdict: what holds now: None before the first verdict of a startup probe.
        last: the newest answer; None before the first.
        row: how often it came in a row.
    """

    verdict: bool | None
    last: bool | None = None
    row: int = 0


def begun(kind: ProbeKind, *, ready_before: bool = False) -> Count:
    """Before the first answer: alive, not ready, not started.

    Args:
        kind: the probe's.
        ready_before: whether this very container was ready when it was last asked, by us or by the bridge
            before us; a bridge that starts takes nobody's traffic away.
    """
    match kind:
        case "startup":
            return Count(verdict=True if ready_before else None)
        case "readiness":
            return Count(verdict=ready_before)
        case "liveness":
            return Count(verdict=True)


def counted(count: Count, ok: bool, probe: Probe) -> Count:
    """The count after one more answer; the verdict turns when a threshold is reached."""
    row = count.row + 1 if count.last is ok else 1
    needed = probe.success_threshold if ok else probe.failure_threshold
    return Count(verdict=ok if row >= needed else count.verdict, last=ok, row=row)


def is_asked_by_us(probe: Probe) -> bool:
    """Whether the bridge makes the probe; a command is run by ECS, as the container's health check."""
    return probe.exec is None


def health_of(
    container: Container,
    counts: Mapping[ProbeKind, Count],
    seen: TaskContainer,
    *,
    started: bool = False,
    patient: bool = False,
) -> Health:
    """What the probes say together.

    Args:
        container: as in the pod's spec.
        counts: of the probes that the bridge makes.
        seen: the container as ECS shows it, with the outcome of its health check.
        started: whether this very life has started before: no startup probe is asked after its success, but
            ECS goes on with its one health check.
        patient: whether an exec startup probe still has time, which ECS counts up to 300 s only.
    """
    probes = probes_of(container)
    verdicts = {kind: _verdict(kind, probes[kind], counts.get(kind), seen) for kind in probes}
    has_started = started or verdicts.get("startup", True) is True
    decisive: ProbeKind = "liveness" if has_started else "startup"
    is_early = decisive == "startup" and patient and not is_asked_by_us(probes["startup"])
    failed = decisive if verdicts.get(decisive, True) is False and not is_early else ""
    return Health(
        started=has_started,
        ready=has_started and verdicts.get("readiness", True) is True,
        failed=f"Container {container.name} failed {failed} probe, will be restarted" if failed else "",
    )


def _verdict(kind: ProbeKind, probe: Probe, count: Count | None, seen: TaskContainer) -> bool | None:
    if is_asked_by_us(probe):
        return (count or begun(kind)).verdict
    if kind == "liveness":
        return seen.health != "UNHEALTHY"
    if kind == "readiness":
        return seen.health == "HEALTHY"
    return {"HEALTHY": True, "UNHEALTHY": False}.get(seen.health)
