"""Evicting pods, and asking their controllers first (`app.ports.kubernetes.Evictions`).

https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from typing import Final

from app.kube import paths
from app.kube.answers import decoded
from app.kube.transport import Transport
from app.model.meta import ObjectMeta, OwnerReference
from app.model.pod import Pod
from app.model.replicas import Replicas
from app.model.wire import Json, Wire
from app.ports.failures import DisruptionBudget, NotFound, Refused, Unavailable

_PLURALS: Final = {
    ("apps/v1", "ReplicaSet"): "replicasets",
    ("apps/v1", "StatefulSet"): "statefulsets",
    ("v1", "ReplicationController"): "replicationcontrollers",
    ("batch/v1", "Job"): "jobs",
}
_JOB: Final = "Job"
_STATEFUL_SET: Final = "StatefulSet"
_IGNORE: Final = "Ignore"
_SEVERAL: Final = "more than one PodDisruptionBudget"


class _OnCondition(Wire, frozen=True):
    type: str = ""
    status: str = "True"


class _Rule(Wire, frozen=True):
    action: str = ""
    on_pod_conditions: tuple[_OnCondition, ...] = ()


class _FailurePolicy(Wire, frozen=True):
    rules: tuple[_Rule, ...] = ()


class _Spec(Wire, frozen=True):
    replicas: int = 1
    pod_failure_policy: _FailurePolicy | None = None


class _Status(Wire, frozen=True):
    ready_replicas: int = 0
    ready: int = 0
    active: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""


class _Controller(Wire, frozen=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: _Spec = _Spec()
    status: _Status = _Status()


class Evictions:
    """Posts to the eviction subresource, and reads controllers of the built-in kinds."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection

    async def evict(self, pod: Pod) -> None:
        """Evict the pod with this uid. Raises DisruptionBudget, NotFound, Conflict."""
        body: dict[str, Json] = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.metadata.name, "namespace": pod.metadata.namespace},
            "deleteOptions": {"preconditions": {"uid": pod.uid}},
        }
        path = paths.eviction(pod.metadata.namespace, pod.metadata.name)
        try:
            await self._connection.request("POST", path, body=body)
        except Unavailable as error:
            # The API server answers 500 here, as if it were its own fault; asking again changes nothing.
            if _SEVERAL in str(error):
                raise DisruptionBudget(f"{error}; leave one of them") from error
            raise

    async def replicas(self, namespace: str, controller: OwnerReference) -> Replicas:
        """How the controller's replicas stand. Raises NotFound; Refused for a kind that is not built in."""
        plural = _PLURALS.get((controller.api_version, controller.kind))
        if plural is None:
            raise Refused(f"no way to ask a {controller.kind} ({controller.api_version}) for its replicas")
        path = paths.controller(controller.api_version, plural, namespace, controller.name)
        found = decoded(await self._connection.request("GET", path), _Controller, asked=f"GET {path}")
        if found.metadata.uid != controller.uid:
            raise NotFound(f"GET {path}: it is another {controller.kind} of that name now")
        if controller.kind == _JOB:
            return _of_job(found)
        steady = controller.kind != _STATEFUL_SET or _is_steady(found.status)
        return Replicas(wanted=found.spec.replicas, ready=found.status.ready_replicas, steady=steady)


def _is_steady(status: _Status) -> bool:
    """Whether a StatefulSet's pods are all of one revision, and none is being deleted.

    Its `replicas` and `readyReplicas` count pods that are being deleted, its `updatedReplicas` does not.
    """
    return status.current_revision == status.update_revision and status.updated_replicas == status.replicas


def _of_job(found: _Controller) -> Replicas:
    policy = found.spec.pod_failure_policy
    forgives = policy is not None and _forgives(policy.rules)
    return Replicas(wanted=found.status.active, ready=found.status.ready, forgives=forgives)


def _forgives(rules: tuple[_Rule, ...]) -> bool:
    """Whether an evicted pod is surely ignored: the first rule that matches decides.

    With what exit code, and what conditions, the pod will end cannot be known. So every rule that would count
    it, or fail something for it, is taken to match.
    """
    deciding = (rule for rule in rules if rule.action != _IGNORE or _ignores_disruption(rule))
    first = next(deciding, None)
    return first is not None and first.action == _IGNORE


def _ignores_disruption(rule: _Rule) -> bool:
    """https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy."""
    return rule.action == _IGNORE and any(
        each.type == "DisruptionTarget" and each.status == "True" for each in rule.on_pod_conditions
    )
