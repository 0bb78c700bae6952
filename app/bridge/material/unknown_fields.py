"""The fields of pods that this program does not know: decoding has dropped them, so the pod is read again."""

from typing import Final

from app.bridge.material.findings import Refusal, unconfigured, unreadable
from app.bridge.translation.material import Unready
from app.fargate.eligibility import unknown
from app.model.names import PodUid
from app.model.pod import Pod
from app.ports.failures import Refused
from app.ports.kubernetes import PodSpecs

_MOST: Final = 4096
"""Pods that are remembered."""


class UnknownFields:
    """Reads a pod once for each generation of its spec: a pod that waits is gathered for again and again.

    https://kubernetes.io/docs/concepts/workloads/pods/#pod-generation
    """

    def __init__(self, specs: PodSpecs) -> None:
        self._specs = specs
        self._known: dict[tuple[PodUid, int], Refusal] = {}

    async def of(self, pod: Pod) -> Refusal | Unready:
        """Why the pod cannot run, empty where nothing is unknown; Unready where we may not look.

        Our webhook asks the same, but not every pod has passed it.

        Raises:
            NotFound: the pod is gone.
            PortFailure: Kubernetes did not answer.
        """
        key = (pod.uid, pod.metadata.generation)
        if key in self._known:
            return self._known[key]
        try:
            found = unknown(await self._specs.pod_spec(pod))
        except Refused as failure:
            namespace = pod.metadata.namespace
            return unconfigured(unreadable(failure, verb="get", resource="pods", namespace=namespace))
        if pod.metadata.generation:
            self._keep(key, found)
        return found

    def _keep(self, key: tuple[PodUid, int], found: Refusal) -> None:
        """API servers before 1.33 number no generations; there, every answer is asked for."""
        self._known[key] = found
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
