"""A cluster with overflow pods, and what is planned for their return."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.extender.homing.config import ReturnConfig
from app.extender.homing.memory import ReturnMemory
from app.extender.homing.returning import Counted, Returns, plan_returns
from app.extender.homing.trials import Trial
from app.model.meta import OwnerReference
from app.model.names import PodUid
from app.model.node import Node
from app.model.pod import Pod
from app.model.replicas import Replicas
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node, opted_in_toleration, owned_by
from tests.extender.plans import facts_of

MINUTE = timedelta(minutes=1)
LATER = NOON + 10 * MINUTE
"""Long after the pods of these tests were made, and became Ready."""

CONFIG = ReturnConfig()
WHOLE = Replicas(wanted=3, ready=3)


def ready_since(since: datetime = NOON, *, status: str = "True") -> dict[str, Any]:
    """The status of a pod that runs."""
    condition = {"type": "Ready", "status": status, "lastTransitionTime": since.isoformat()}
    return {"conditions": [condition]}


def an_overflow_pod(name: str = "web-1", *, of: str = "web", kind: str = "ReplicaSet", **fields: Any) -> Pod:
    """A pod of a controller that has run on Fargate for a while."""
    created = fields.pop("created", NOON)
    fields.setdefault("status", ready_since())
    fields.setdefault("tolerations", [opted_in_toleration()])
    metadata = {**owned_by(kind, of), "creationTimestamp": created.isoformat(), **fields.pop("metadata", {})}
    return a_pod(
        name, uid=fields.pop("uid", f"uid-{name}"), node=VIRTUAL, phase="Running", metadata=metadata, **fields
    )


def owner(name: str = "web", kind: str = "ReplicaSet") -> OwnerReference:
    return OwnerReference(api_version="apps/v1", kind=kind, name=name, uid=f"uid-{name}", controller=True)


def a_trial(pod: str = "web-0", **fields: Any) -> Trial:
    """An eviction of a pod of ReplicaSet web at noon."""
    values = {
        "owner": owner(),
        "namespace": "shop",
        "pod": PodUid(f"uid-{pod}"),
        "node": VIRTUAL,
        "at": NOON,
        "until": NOON + 10 * MINUTE,
        "ready": 3,
        "newest": NOON - MINUTE,
    }
    return Trial(**{**values, **fields})


def remembering(*trials: Trial, fits_since: Mapping[str, datetime] | None = None) -> ReturnMemory:
    since = {PodUid(uid): moment for uid, moment in (fits_since or {}).items()}
    return ReturnMemory(trials={each.key: each for each in trials}, fits_since=since)


def fitted(*pods: Pod, since: datetime = NOON) -> ReturnMemory:
    """A memory in which these have fitted for long."""
    return ReturnMemory(fits_since={pod.uid: since for pod in pods})


def returns(
    *pods: Pod,
    nodes: Iterable[Node] = (a_node(),),
    memory: ReturnMemory | None = None,
    now: datetime = LATER,
    config: ReturnConfig = CONFIG,
    counted: Counted | None = None,
    urged: Iterable[Pod] = (),
) -> Returns:
    """The plan for these pods, which have fitted for long unless told otherwise."""
    return plan_returns(
        facts_of(pods, nodes=(a_virtual_node(), *nodes)),
        fitted(*pods) if memory is None else memory,
        now=now,
        config=config,
        counted=counted or {},
        urged=frozenset(pod.uid for pod in urged),
    )


def going(planned: Returns) -> list[str]:
    return [each.pod.metadata.name for each in planned.evict]


def why(planned: Returns, pod: Pod) -> str:
    """The code of the reason why the pod stays; empty where it does not."""
    reason = planned.stays.get(pod.uid)
    return reason.code if reason else ""
