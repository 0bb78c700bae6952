"""Whether a manifest's own words let its pods overflow: the labels, and the keys of `spillway.dev`."""

from collections.abc import Iterator
from datetime import timedelta

from app.model import policy
from app.model.meta import ObjectMeta
from app.model.names import ENABLED, OVERFLOW, PERMITTED
from app.model.pod import Pod
from app.model.policy import Overflow, PolicyError
from app.model.reason import Reason
from app.model.spelling import unread_on_namespace, unread_on_pod


def withheld(pod: Pod, *, namespace: ObjectMeta | None) -> tuple[Reason, ...]:
    """Why the pod would not be let onto Fargate, whatever it needs there.

    Args:
        pod: of a manifest.
        namespace: its namespace as a manifest has it; None where none does. Then one that opts its pods in
            is assumed.
    """
    return (*_labels(pod, namespace), *_annotations(pod))


def ignored(pod: Pod, *, namespace: ObjectMeta | None) -> tuple[Reason, ...]:
    """Words of ours on the pod, or on its namespace, that nobody reads: misspelt, or in the wrong place."""
    spaces = unread_on_namespace(namespace) if namespace is not None else ()
    return (*unread_on_pod(pod.metadata), *(each for each in spaces if each.code == "UnknownKey"))


def _labels(pod: Pod, namespace: ObjectMeta | None) -> Iterator[Reason]:
    if pod.spec.node_name:
        yield Reason(
            "AlreadyBound", "the pod names its node itself, so nobody lets it overflow", "spec.nodeName"
        )
    standing = {OVERFLOW: ENABLED} if namespace is None else namespace.labels
    said = standing.get(OVERFLOW)
    if said not in {ENABLED, PERMITTED}:
        has = f'is "{said}", which means nothing' if said is not None else "is missing"
        words = f"the label {OVERFLOW} of its namespace {has}; write {ENABLED} or {PERMITTED}"
        yield Reason("NamespaceNotOptedIn", words, "metadata.namespace")
        return
    try:
        found = policy.overflow_of(namespace=standing, pod=pod.metadata.labels)
    except PolicyError as error:
        yield Reason("InvalidOverflow", str(error))
        return
    if found is Overflow.NO:
        yield _opted_out(pod)


def _opted_out(pod: Pod) -> Reason:
    own = pod.metadata.labels.get(OVERFLOW)
    if own is not None:
        return Reason(
            "PodOptedOut",
            f"the pod's own label {OVERFLOW} is {own}, so it never overflows",
            "metadata.labels",
        )
    return Reason(
        "PodNotOptedIn",
        f"its namespace is {PERMITTED}: only pods overflow that ask for it; give the pod template the label "
        f"{OVERFLOW}={ENABLED}",
        "metadata.labels",
    )


def _annotations(pod: Pod) -> Iterator[Reason]:
    try:
        policy.max_wait(pod.metadata.annotations, default=timedelta())
    except PolicyError as error:
        yield Reason("InvalidMaxWait", str(error))
