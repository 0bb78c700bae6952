"""Pods that only make sense together: a gang is left alone, since the gate grants pod by pod."""

from typing import Final

from app.model.pod import Pod
from app.model.reason import Reason

_LABELS: Final = (
    "scheduling.x-k8s.io/pod-group",
    "pod-group.scheduling.sigs.k8s.io",
    "pod-group.scheduling.sigs.k8s.io/name",
    "kueue.x-k8s.io/pod-group-name",
)
"""Labels that name a pod's group: of the coscheduling plugin (and its older forms), and of Kueue.

https://github.com/kubernetes-sigs/scheduler-plugins/tree/master/pkg/coscheduling
https://kueue.sigs.k8s.io/docs/tasks/run/plain_pods/
"""

_ANNOTATIONS: Final = (
    "scheduling.k8s.io/group-name",
    "scheduling.volcano.sh/group-name",
    "kueue.x-k8s.io/pod-group-name",
    "gang.scheduling.koordinator.sh/name",
    "yunikorn.apache.org/task-group-name",
)
"""Annotations that do: Volcano's two, Kueue's (names too long for a label), Koordinator's and YuniKorn's.

https://volcano.sh/en/docs/podgroup/
https://koordinator.sh/docs/designs/gang-scheduling/
https://yunikorn.apache.org/docs/user_guide/gang_scheduling/
"""

_PROVISIONED: Final = (
    "autoscaling.x-k8s.io/consume-provisioning-request",
    "cluster-autoscaler.kubernetes.io/consume-provisioning-request",
)
"""Annotations of pods for which cluster-autoscaler was asked for nodes in one piece; the second is older.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md (ProvisioningRequest)
"""


def gang_of(pod: Pod) -> Reason | None:
    """Why the pod must not be torn from its group; None where it has none.

    A pod with `spec.schedulingGroup` is refused by `app.fargate.eligibility` already.
    """
    for key in _LABELS:
        if pod.metadata.labels.get(key):
            return _in_gang(pod.metadata.labels[key], f"metadata.labels[{key}]")
    for key in _ANNOTATIONS:
        if pod.metadata.annotations.get(key):
            return _in_gang(pod.metadata.annotations[key], f"metadata.annotations[{key}]")
    for key in _PROVISIONED:
        if pod.metadata.annotations.get(key):
            return _provisioned_for(pod.metadata.annotations[key], f"metadata.annotations[{key}]")
    return None


def _in_gang(group: str, field: str) -> Reason:
    return Reason(
        "Gang",
        f'the pod is one of the group "{group}", which must not be split between nodes and Fargate; take it '
        "out of the group, or label every pod of it spillway.dev/overflow=required",
        field,
    )


def _provisioned_for(request: str, field: str) -> Reason:
    return Reason(
        "ProvisioningRequest",
        f'nodes are provisioned for the pod by the ProvisioningRequest "{request}"; it waits for those',
        field,
    )
