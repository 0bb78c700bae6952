"""Why a pod is none that may overflow: which label is missing, and where."""

from collections.abc import Mapping

from app.model.names import DISABLED, ENABLED, OVERFLOW, PERMITTED
from app.model.namespace import Namespace
from app.model.pod import Pod
from app.model.reason import Reason


def not_opted_in(pod: Pod, namespaces: Mapping[str, Namespace]) -> Reason:
    """The reason for a pod that `candidates.wish` says may not overflow, with the command that lets it."""
    name = pod.metadata.namespace
    namespace = namespaces.get(name)
    standing = namespace.metadata.labels.get(OVERFLOW, "") if namespace is not None else ""
    if standing in {ENABLED, PERMITTED}:
        return _by_itself(pod, standing)
    has = f'says "{standing[:63]}", which means nothing' if standing else "is missing"
    also = "; the pod's own label counts only then" if OVERFLOW in pod.metadata.labels else ""
    return Reason(
        "NamespaceNotOptedIn",
        f"the label {OVERFLOW} of namespace {name} {has}: "
        f"kubectl label --overwrite namespace {name} {OVERFLOW}={ENABLED}{also}",
    )


def _by_itself(pod: Pod, standing: str) -> Reason:
    if pod.metadata.labels.get(OVERFLOW) == DISABLED:
        return Reason(
            "PodOptedOut",
            f"the pod's own label {OVERFLOW} is {DISABLED}; take it out of the pod template",
            "metadata.labels",
        )
    return Reason(
        "PodNotOptedIn",
        f"namespace {pod.metadata.namespace} lets only those pods overflow that ask for it ({standing}); "
        f"give the pod template the label {OVERFLOW}={ENABLED}",
        "metadata.labels",
    )
