"""Pods as the API server shows them, and what the oracle says of them."""

from typing import Any

from app.local.fargate.oracle.truthfulness import untruthful
from tests.local.fargate.fakes import PACE, Aws, a_container, overrides_for

PULLED = PACE.provisioning + PACE.pending
RUNNING = {"running": {"startedAt": "2026-01-01T12:00:21Z"}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}
BACKING_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}
UNKNOWN = {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}
TARGET: dict[str, Any] = {"conditions": [{"type": "DisruptionTarget", "status": "True"}]}
SPOT: dict[str, Any] = {
    "launchType": None,
    "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
}


def ended(code: int, reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason}}


def a_pod(phase: str, *states: dict[str, Any], policy: str = "Always", **status: Any) -> dict[str, Any]:
    """Pod uid-1 with containers `main`, `second`, … in these states."""
    names = ("main", "second")[: len(states) or 1]
    count = status.pop("restarts", 0)
    last = status.pop("last", {})
    containers = [
        {"name": name, "restartCount": count, "state": state, "lastState": last}
        for name, state in zip(names, states, strict=False)
    ]
    return {
        "metadata": {"namespace": "shop", "name": "web", "uid": "uid-1", **status.pop("metadata", {})},
        "spec": {
            "restartPolicy": policy,
            "containers": [{"name": name} for name in names],
            **status.pop("spec", {}),
        },
        "status": {"phase": phase, "containerStatuses": containers, **status},
    }


async def launched(aws: Aws, *containers: dict[str, Any], attempt: int = 1, **changes: Any) -> str:
    """A task of pod uid-1."""
    await aws.register(containerDefinitions=list(containers) or [a_container()])
    return await aws.run(overrides=overrides_for("uid-1", attempt=attempt), **changes)


def about(aws: Aws, pod: dict[str, Any]) -> list[str]:
    """What the pod's untruths are about."""
    return [each.about for each in untruthful([pod], aws.journal.since())]


def exits(code: int, **script: Any) -> dict[str, Any]:
    return a_container(script={"run_seconds": 1, "exit_code": code, **script})
