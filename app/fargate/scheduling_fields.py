"""Rows of PodSpec that have done their work once the pod is bound, or that other programs act on."""

from typing import Final

from app.fargate import platform
from app.fargate.support import Row, Section

_pod = Section("PodSpec")
_os = Section("PodOS")
_SCHEDULER: Final = "The scheduler's: it has done its work once the pod is bound."

ROWS: Final[tuple[Row, ...]] = (
    _pod.native(
        "affinity",
        _SCHEDULER,
        refuses=platform.affinity,
        unless="required node affinity that admits neither linux/amd64 nor linux/arm64 (`Platform`)",
    ),
    _pod.native(
        "nodeName", "The virtual node's name once the pod is bound; the webhook leaves such pods alone."
    ),
    _pod.native(
        "nodeSelector",
        _SCHEDULER,
        refuses=platform.selector,
        unless="labels of another platform than linux/amd64 and linux/arm64 (`Platform`)",
    ),
    _pod.native("tolerations", f"{_SCHEDULER} The webhook adds the one for the virtual node's taint."),
    _pod.native("topologySpreadConstraints", f"{_SCHEDULER} The virtual node has one zone and no hostname."),
    _pod.native(
        "schedulerName", "The webhook names the scheduler that asks the extender, where it is the default."
    ),
    _pod.native("schedulingGates", _SCHEDULER),
    _pod.refused(
        "schedulingGroup", "SchedulingGroup", "a gang cannot burst pod by pod; remove schedulingGroup"
    ),
    _pod.native("priority", _SCHEDULER),
    _pod.native("priorityClassName", "Admission's: it becomes `priority`."),
    _pod.native("preemptionPolicy", f"{_SCHEDULER} Pods on Fargate are never preempted."),
    _pod.native("readinessGates", "Honoured: Ready waits for the conditions that other programs write."),
    _pod.native(
        "evictionResponders", "Other programs act on it: eviction asks them, not the kubelet.", since="1.37"
    ),
    _pod.refused("resourceClaims", "ResourceClaims", "Fargate has no devices to claim; remove the claims"),
    _pod.refused("runtimeClassName", "RuntimeClass", "Fargate has one runtime; remove runtimeClassName"),
    _pod.native("overhead", "Counts into the task's size."),
    _pod.native("os", "Tasks run Linux.", of="PodOS", refuses=platform.system),
    _os.native("name", "`linux`.", unless="any other operating system (`Platform`)"),
)
