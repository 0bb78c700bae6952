"""Evictions: a deletion that PodDisruptionBudgets may object to.

No controller keeps the budgets' status here, and a real API server evicts nobody whose budget is not up to
date. So a budget that selects a running pod always holds it: none is let go that a real one would keep.

https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from typing import Any, Final

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.deletion import DeleteOptions, Deletion, match_preconditions
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import BY_PLURAL
from app.local.cluster.apiserver.selectors import selects
from app.local.cluster.apiserver.store import Key, Store
from app.model.times import rfc3339
from app.ports.clock import Clock

_PODS: Final = BY_PLURAL["pods"]
_NOT_GUARDED: Final = frozenset({"Pending", "Succeeded", "Failed"})
"""Phases of pods whose loss no budget counts."""


class Evictions:
    """The eviction subresource of one API server."""

    def __init__(self, store: Store, *, deletion: Deletion, clock: Clock) -> None:
        self._store = store
        self._deletion = deletion
        self._clock = clock

    def evict(self, key: Key, body: Any, options: DeleteOptions) -> None:
        """Delete the pod, or begin to.

        Args:
            key: the pod's namespace and name.
            body: the Eviction.
            options: its deleteOptions.

        Raises:
            ApiError: 404; 400 where the Eviction names another pod; 409 where a precondition does not hold;
                429 where a budget holds the pod; 500 where several do.
        """
        given = body.get("metadata") or {} if isinstance(body, dict) else {}
        if given.get("name") != key[1]:
            raise errors.bad_request("name in URL does not match name in Eviction object")
        pod = self._store.get("pods", key)
        if pod is None:
            raise errors.not_found("pods", key[1])
        if _is_guarded(pod):
            self._ask_budgets(pod)
        match_preconditions(_PODS, pod, options)
        if not options.dry_run:
            self._store.put("pods", key, pod | {"status": self._disrupted(pod.get("status", {}))})
        self._deletion.delete(_PODS, key, options)

    def _ask_budgets(self, pod: Object) -> None:
        labels = pod["metadata"].get("labels") or {}
        budgets = [
            each["metadata"]["name"]
            for each in self._store.list("poddisruptionbudgets", pod["metadata"]["namespace"])
            if selects(each["spec"].get("selector"), labels)
        ]
        if len(budgets) > 1:
            what = "This pod has more than one PodDisruptionBudget"
            raise errors.ApiError(500, "", f"{what}, which the eviction subresource does not support.")
        if budgets:
            raise errors.disruption_budget(
                f"The disruption budget {budgets[0]} is still being processed by the server."
            )

    def _disrupted(self, status: Object) -> Object:
        others = [each for each in status.get("conditions", []) if each["type"] != "DisruptionTarget"]
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
            "lastProbeTime": None,
            "lastTransitionTime": rfc3339(self._clock.now()),
        }
        return status | {"conditions": [*others, condition]}


def _is_guarded(pod: Object) -> bool:
    phase = pod.get("status", {}).get("phase")
    return phase not in _NOT_GUARDED and "deletionTimestamp" not in pod["metadata"]
