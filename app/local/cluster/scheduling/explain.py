"""Why a pod fits nowhere, in the sentence that kube-scheduler 1.36 writes into `PodScheduled` and events."""

from collections import Counter
from collections.abc import Iterable, Mapping

from app.local.cluster.scheduling.preemption import DryRun
from app.local.cluster.scheduling.snapshot import Rejection

NO_NODES = "no nodes available to schedule pods"
_UNHELPFUL = Rejection(plugin="DefaultPreemption", reasons=("Preemption is not helpful for scheduling",))
_EVENT_LIMIT = 1024


def fit_error(
    nodes: int, rejected: Mapping[str, Rejection], *, absent: Rejection | None = None, preemption: str = ""
) -> str:
    """`0/3 nodes are available: 1 Too many pods, 2 Insufficient cpu. …`, and what preemption found.

    Args:
        nodes: how many there are.
        rejected: each node's reasons.
        absent: the reason of all nodes that `rejected` does not name.
        preemption: `unhelpful` or `failed`; empty where preemption succeeded.
    """
    counts = Counter(reason for why in rejected.values() for reason in why.reasons)
    if absent is not None and nodes > len(rejected):
        counts.update(dict.fromkeys(absent.reasons, nodes - len(rejected)))
    text = f"0/{nodes} nodes are available:"
    if counts:
        text += f" {', '.join(sorted(f'{count} {reason}' for reason, count in counts.items()))}."
    return f"{text} {preemption}" if preemption else text


def unhelpful(why: str) -> str:
    """Why preemption changes nothing, after the words of the plugin for resource claims before it."""
    return f"no new claims to deallocate, preemption: {why}"


def failed(why: str) -> str:
    """Why preemption could not be tried to its end; an error takes the place of all other plugins' words."""
    return f"preemption: {why}"


def no_victims(nodes: int, run: DryRun) -> str:
    """Why a dry run without candidates does not help, in the same form."""
    if run.idle:
        return failed(_expected_a_victim(run.idle))
    return unhelpful(fit_error(nodes, run.failures, absent=_UNHELPFUL))


def _expected_a_victim(names: Iterable[str]) -> str:
    """What kube-scheduler says of a node that an extender rejects although the pod fits there."""
    sentences = [f'expected at least one victim pod on node "{name}"' for name in sorted(names)]
    return sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]"


def shortened(message: str) -> str:
    """The message cut to what an Event's note may hold."""
    return message if len(message) <= _EVENT_LIMIT else f"{message[: _EVENT_LIMIT - 4]} ..."
