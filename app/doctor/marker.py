"""Whether pods wait that the scheduler asks nobody about, though they may land on a virtual node.

It asks about marked pods alone (`managedResources`), and the webhook marks whoever bears the virtual nodes'
taint. A pod that was made while the webhook was away, or that got its toleration later, lacks the marker: it
may take room that stands open for others. Pods that have a node are never asked about again.
"""

from collections.abc import Iterator
from typing import Final

from app.doctor.configurations import Configuration, held, is_ours
from app.doctor.finding import Finding, ok, unread, warn
from app.doctor.seen import Seen, Unread
from app.model.actuator import SCHEDULER, is_marked, tolerates_virtual_nodes
from app.model.pod import Pod, is_terminal

SUBJECT: Final = "marker"
_SHOWN: Final = 3


def check(seen: Seen) -> Iterator[Finding]:
    """The pods that wait, where there is a node that they could take room on."""
    if seen.actuator != SCHEDULER or _all_are_asked_about(seen):
        return
    if isinstance(seen.nodes, Unread):
        yield unread(SUBJECT, "which node the pods that wait could take room on", seen.nodes)
        return
    if not seen.virtual:
        return
    if isinstance(seen.waiting, Unread):
        yield unread(SUBJECT, "which pods wait", seen.waiting)
        return
    found = sorted((pod for pod in seen.waiting if _is_missed(pod)), key=lambda pod: pod.key)
    if found:
        yield _missed(found)
    else:
        yield ok(SUBJECT, "every pod that waits and bears the virtual nodes' taint is marked")


def _all_are_asked_about(seen: Seen) -> bool:
    """Whether each scheduler that asks us asks about every pod; of one that cannot be seen nobody knows."""
    asking = [
        extender
        for each in held(seen.config_maps)
        if isinstance(each.configuration, Configuration)
        for extender in each.configuration.extenders
        if is_ours(extender, namespace=seen.namespace)
    ]
    is_seen_whole = not any(isinstance(found, Unread) for found in seen.config_maps.values())
    return is_seen_whole and bool(asking) and not any(each.is_marked_only for each in asking)


def _is_missed(pod: Pod) -> bool:
    if is_terminal(pod) or pod.metadata.deletion_timestamp is not None:
        return False
    return tolerates_virtual_nodes(pod) and not is_marked(pod)


def _missed(found: list[Pod]) -> Finding:
    names = ", ".join(pod.key for pod in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    first = found[0].metadata
    who = (
        "1 pod waits that bears the virtual nodes' taint and lacks"
        if len(found) == 1
        else f"{len(found)} pods wait that bear the virtual nodes' taint and lack"
    )
    return warn(
        SUBJECT,
        f"{who} the marker ({names}{more}): the scheduler asks nobody about them, so they may take room on a "
        "virtual node that stands open for others, or evict pods there",
        "they were made while the webhook was away, or got the toleration later: once the lines on webhook "
        f"and trial are well, make them anew (kubectl -n {first.namespace} delete pod {first.name}, where a "
        "controller makes the next)",
    )
