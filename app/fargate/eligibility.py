"""Which pods Fargate can run, as every reason against it, and what runs differently there.

The webhook says the reasons at admission, the extender before it bursts, the bridge on the pod, `spillway
explain` to whoever asks. Certain from the pod alone; what depends on settings or on found objects is the
translation's to refuse.
"""

from typing import Final

from app.fargate import caveat_rules, words
from app.fargate.ledger import ROWS, refusals_in, unknown_fields
from app.model.pod import Pod, is_of_daemon_set
from app.model.reason import Reason
from app.model.wire import Json

_MIRROR: Final = "kubernetes.io/config.mirror"
_RULES: Final = tuple(row.rule for row in ROWS if row.rule is not None)


def refusals(pod: Pod) -> tuple[Reason, ...]:
    """Every reason why Fargate cannot run the pod, in a stable order; empty where it can."""
    found = [
        *machine_bound(pod),
        *words.refusals_in(pod.metadata.annotations),
        *refusals_in(pod.spec, "PodSpec", "spec"),
        *(reason for rule in _RULES for reason in rule(pod)),
    ]
    return tuple(dict.fromkeys(found))


def unknown(spec: Json) -> tuple[Reason, ...]:
    """The fields of a pod's spec, as JSON, that no row of the ledger knows: none may be dropped silently."""
    message = "misspelt, or newer than Spillway; mend or upgrade"
    return tuple(Reason("UnknownField", message, path) for path in unknown_fields(spec))


def caveats(pod: Pod) -> tuple[Reason, ...]:
    """What will run, and otherwise than on a node of the cluster; empty where nothing does.

    Where an Event says the same, its reason is the caveat's code.
    """
    return tuple(dict.fromkeys(reason for rule in caveat_rules.RULES for reason in rule(pod)))


def machine_bound(pod: Pod) -> tuple[Reason, ...]:
    """Why the pod belongs to one machine and was never meant to move: a DaemonSet's, or a static one.

    https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
    """
    found = []
    if is_of_daemon_set(pod):
        message = "Fargate has no machine for a DaemonSet's pod; exclude the virtual node"
        found.append(Reason("DaemonSet", message, "metadata.ownerReferences"))
    if _MIRROR in pod.metadata.annotations:
        message = "a static pod belongs to the kubelet that made it; use a Deployment"
        found.append(Reason("StaticPod", message, "metadata.annotations"))
    return tuple(found)
