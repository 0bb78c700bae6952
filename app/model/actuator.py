"""How a granted pod comes onto a virtual node: through the scheduler's extender, or by a toleration.

The decision is the same for both; what differs is who keeps everybody else off. Where the scheduler asks the
extender, its answers do. Where no scheduler can be told to ask (a managed one), opted-in pods lack the
toleration until the gate's leader adds it, and a node without a grant offers no pod slot.
"""

from collections.abc import Mapping
from typing import Final, Literal

from app.model.names import MARKER, TAINT_EFFECT, TAINT_KEY, TAINT_VALUE
from app.model.pod import Pod, tolerates
from app.model.wire import Json

Actuator = Literal["scheduler", "toleration"]

SCHEDULER: Final = "scheduler"
TOLERATION: Final = "toleration"

OUR_TOLERATION: Final[Mapping[str, Json]] = {
    "key": TAINT_KEY,
    "operator": "Equal",
    "value": TAINT_VALUE,
    "effect": TAINT_EFFECT,
}
"""What bears the virtual node's taint, as core/v1 writes it."""


def is_marked(pod: Pod) -> bool:
    """Whether a container names the marker, in requests or limits: then kube-scheduler asks the extender.

    That is kube-scheduler's own rule for the `managedResources` of its configuration, whatever the quantity.
    """
    return any(
        MARKER in each.resources.requests or MARKER in each.resources.limits
        for each in (*pod.spec.containers, *pod.spec.init_containers)
    )


def tolerates_virtual_nodes(pod: Pod) -> bool:
    """Whether the pod bears the virtual nodes' own taint, by whatever toleration."""
    return tolerates(pod, key=TAINT_KEY, value=TAINT_VALUE, effect=TAINT_EFFECT)
