"""Proofs of the rows of PodSpec that have done their work once the pod is bound, or that others act on."""

from typing import Any, Final

from tests.bridge.translation.builders import settings
from tests.builders import a_pod
from tests.ledger.proofs import Samples, refused, same, shows


def required_affinity(key: str, value: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


SAMPLES: Final[Samples] = {
    "PodSpec.affinity": (
        same(a_pod(affinity=required_affinity("topology.kubernetes.io/zone", "a"))),
        refused(
            a_pod(affinity=required_affinity("kubernetes.io/arch", "s390x")),
            "Platform",
            "spec.affinity.nodeAffinity",
        ),
    ),
    "PodSpec.nodeName": (same(a_pod(node="fargate-1a"), a_pod(node="fargate-1a")),),
    "PodSpec.nodeSelector": (
        same(a_pod(nodeSelector={"kubernetes.io/arch": "arm64", "team": "shop"})),
        shows(
            a_pod(nodeSelector={"kubernetes.io/arch": "arm64"}),
            "task",
            "runtimePlatform",
            "cpuArchitecture",
            is_="ARM64",
            config=settings(architecture="arm64"),
        ),
        refused(
            a_pod(nodeSelector={"kubernetes.io/os": "windows"}),
            "Platform",
            "spec.nodeSelector[kubernetes.io/os]",
        ),
    ),
    "PodSpec.tolerations": (same(a_pod(tolerations=[{"operator": "Exists"}])),),
    "PodSpec.topologySpreadConstraints": (same(a_pod(topologySpreadConstraints=[{"maxSkew": 1}])),),
    "PodSpec.schedulerName": (same(a_pod(schedulerName="overflow")),),
    "PodSpec.schedulingGates": (same(a_pod(schedulingGates=[{"name": "quota"}])),),
    "PodSpec.schedulingGroup": (
        refused(a_pod(schedulingGroup={"podGroupName": "g"}), "SchedulingGroup", "spec.schedulingGroup"),
    ),
    "PodSpec.priority": (same(a_pod(priority=1000)),),
    "PodSpec.priorityClassName": (same(a_pod(priorityClassName="high")),),
    "PodSpec.preemptionPolicy": (same(a_pod(preemptionPolicy="Never")),),
    "PodSpec.evictionResponders": (same(a_pod(evictionResponders=[{"name": "x"}])),),
    "PodSpec.resourceClaims": (
        refused(a_pod(resourceClaims=[{"name": "gpu"}]), "ResourceClaims", "spec.resourceClaims"),
    ),
    "PodSpec.runtimeClassName": (
        refused(a_pod(runtimeClassName="gvisor"), "RuntimeClass", "spec.runtimeClassName"),
    ),
    "PodSpec.overhead": (shows(a_pod(cpu="250m", overhead={"cpu": "250m"}), "task", "cpu", is_="512"),),
    "PodSpec.os": (same(a_pod(os={"name": "linux"})),),
    "PodOS.name": (
        same(a_pod(os={"name": "linux"})),
        refused(a_pod(os={"name": "windows"}), "Platform", "spec.os.name"),
    ),
}
