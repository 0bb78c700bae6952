"""The phase that a pod's containers make, by kubelet's `getPhase`.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase
"""

from collections.abc import Mapping, Sequence

from app.model.container import Container, is_sidecar
from app.model.pod import TERMINAL_PHASES, PodSpec
from app.model.wire import Json

Statuses = Sequence[Mapping[str, Json]]


def living_phase(inits: Statuses, mains: Statuses, spec: PodSpec) -> str:
    """The phase while the task is not over: why it ends is only known then, so no end is told before."""
    phase = phase_of(inits, mains, spec)
    return "Running" if phase in TERMINAL_PHASES else phase


def phase_of(inits: Statuses, mains: Statuses, spec: PodSpec) -> str:
    """The phase.

    An init container that has not succeeded, and a container that waits and has never run, keep the pod
    Pending; one that waits to run again counts as stopped.
    """
    running = [each for each in mains if "running" in each["state"]]
    stopped = [each for each in mains if _last_end(each) and each not in running]
    begun = bool(running) or any("terminated" in each["state"] for each in mains)
    if not begun and any(map(_is_pending, inits, spec.init_containers)):
        return "Pending"
    if len(running) + len(stopped) < len(mains) or not mains:
        return "Pending"
    if running or spec.restart_policy == "Always":
        return "Running"
    if all(_last_end(each).get("exitCode") == 0 for each in stopped):
        return "Succeeded"
    return "Running" if spec.restart_policy == "OnFailure" else "Failed"


def _is_pending(status: Mapping[str, Json], init: Container) -> bool:
    """Whether an init container still has to do its work; a sidecar's is to have started."""
    if is_sidecar(init):
        return not status["started"] and not _last_end(status)
    return bool(_last_end(status).get("exitCode", 1) != 0)


def _last_end(status: Mapping[str, Json]) -> Mapping[str, Json]:
    """How the container last ended; empty where it never did."""
    ended: Mapping[str, Json] | None = status["state"].get("terminated")
    return ended or (status.get("lastState") or {}).get("terminated") or {}
