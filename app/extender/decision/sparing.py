"""Whether nobody is to be evicted for a pod: it waits for room, or bursts, as its priority class says."""

from collections.abc import Iterable, Mapping

from app.extender.decision.candidates import candidate_of, takes_pods_now, wish
from app.extender.decision.hindrance import GateConfig, Refusals, unfit
from app.extender.decision.mode import GIVES_GRANTS, mode_of
from app.extender.decision.preference import Preference
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.pod import Pod, is_of_daemon_set
from app.model.policy import Overflow


def evicts_nobody(
    pod: Pod,
    *,
    virtual: Iterable[Node],
    namespaces: Mapping[str, Namespace],
    config: GateConfig,
    refusals: Refusals,
) -> bool:
    """Whether the scheduler must not preempt for the pod.

    Only opted-in pods are ours to speak for. Of the class `burst`, those preempt as ever that could not
    burst instead: Fargate cannot run them, no virtual node takes them, or people have closed the gate. One
    that a budget holds up is not among them: its turn comes.

    Args:
        pod: as the scheduler has it.
        virtual: the virtual nodes.
        namespaces: by name.
        config: the priority classes and the gate.
        refusals: what Fargate can run.
    """
    if is_of_daemon_set(pod) or wish(pod, namespaces) is not Overflow.ALLOWED:
        return False
    match config.preferences.of(pod):
        case Preference.WAIT:
            return True
        case Preference.BURST:
            return _could_burst(pod, virtual=virtual, namespaces=namespaces, config=config, refusals=refusals)
        case Preference.PREEMPT | Preference.PREEMPT_FIRST:
            return False


def _could_burst(
    pod: Pod,
    *,
    virtual: Iterable[Node],
    namespaces: Mapping[str, Namespace],
    config: GateConfig,
    refusals: Refusals,
) -> bool:
    giving = tuple(node for node in virtual if mode_of(node, default=config.gate) in GIVES_GRANTS)
    candidate = candidate_of(pod, virtual=giving, namespaces=namespaces, actuator=config.actuator)
    if candidate is None or unfit(candidate, config=config, refusals=refusals):
        return False
    return any(takes_pods_now(node, pod) for node in candidate.nodes)
