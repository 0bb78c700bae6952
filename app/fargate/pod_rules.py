"""Rules that look at several fields of a pod at once: counts, sizes, lengths, and who may edit files."""

from collections.abc import Iterable
from typing import Final

from app.fargate.rights import all_containers, cannot_be_edited
from app.fargate.sizes import ephemeral_gib_for, size_for
from app.model import quantity
from app.model.container import ResourceRequirements
from app.model.pod import Pod
from app.model.quantity import QuantityError
from app.model.reason import Reason
from app.model.requests import requests_of

MOST_CONTAINERS: Final = 10
"""Containers of a task definition: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""

MOST_WORDS: Final = 64 * 1024 + 8192
"""Characters of a task definition and of RunTask's overrides together:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html and
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html"""

_SHOWN: Final = 24
"""Characters of a wrong text that a message repeats."""

_PLAIN_RESOURCES: Final = frozenset({"cpu", "memory", "ephemeral-storage"})


def containers(pod: Pod) -> Iterable[Reason]:
    """Whether the task can hold as many containers, and all their words."""
    if not pod.spec.containers:
        yield Reason("NoContainers", "the pod has no container; add one", "spec.containers")
    count = len(all_containers(pod))
    if count > MOST_CONTAINERS:
        message = f"a task holds at most {MOST_CONTAINERS} containers, not {count}; remove some"
        yield Reason("TooManyContainers", message, "spec.containers")
    yield from _words(pod)


def _words(pod: Pod) -> Iterable[Reason]:
    """A lower bound: all words must fit into the task definition and RunTask's overrides together."""
    written = sum(
        sum(len(word) + 3 for word in (*each.command[1:], *each.args))
        + sum(len(variable.name) + len(variable.value) + 23 for variable in each.env)
        for _, each in all_containers(pod)
    )
    if written > MOST_WORDS:
        message = f"env, command and args take {written} characters, ECS {MOST_WORDS}; shorten them"
        yield Reason("WordsTooLong", message, "spec.containers")


def size(pod: Pod) -> Iterable[Reason]:
    """Whether Fargate sells a size that covers the pod."""
    try:
        asked = requests_of(pod)
        storage = max(asked.storage, scratch(pod))
    except QuantityError:
        # Nothing is lost: the rule for the field that holds the quantity has refused it by name.
        return ()
    answers = (size_for(asked.cpu_milli, asked.memory), ephemeral_gib_for(storage))
    return tuple(answer for answer in answers if isinstance(answer, Reason))


def scratch(pod: Pod) -> int:
    """Bytes that the pod's emptyDir volumes on disk may hold, as far as they say."""
    limits = (
        volume.empty_dir.size_limit
        for volume in pod.spec.volumes
        if volume.empty_dir is not None and volume.empty_dir.medium != "Memory"
    )
    return sum(quantity.whole(limit) for limit in limits if limit)


def resources(asked: ResourceRequirements | None, path: str) -> Iterable[Reason]:
    """What is asked for that Fargate has not; a limit that repeats its request is said once."""
    if asked is None:
        return
    yield from amounts(asked.requests, f"{path}.requests")
    only_limited = {name: text for name, text in asked.limits.items() if asked.requests.get(name) != text}
    yield from amounts(only_limited, f"{path}.limits")


def amounts(named: dict[str, str], path: str) -> Iterable[Reason]:
    """What is no quantity, below zero, or of a resource that Fargate has not."""
    for name, text in named.items():
        try:
            amount = quantity.exact(text)
        except QuantityError:
            yield Reason(
                "InvalidQuantity", f'"{text[:_SHOWN]}" is no amount; write 500m or 512Mi', f"{path}[{name}]"
            )
            continue
        if amount < 0:
            yield Reason(
                "InvalidQuantity", f'"{text[:_SHOWN]}" is below zero; write 0 or more', f"{path}[{name}]"
            )
        elif amount and name not in _PLAIN_RESOURCES:
            yield Reason("ExtendedResource", "Fargate has none of it; remove it", f"{path}[{name}]")


def first_uneditable(pod: Pod) -> str:
    """The first container whose own files nobody may write for certain; empty where there is none."""
    return next((each.name for _, each in all_containers(pod) if cannot_be_edited(each, pod)), "")
