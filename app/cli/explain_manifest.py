"""`spillway explain` of manifests: whether pods that a file asks for can run on Fargate, and for how much."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape

from app.bridge.config import TaskSettings
from app.bridge.translation.containers.wrapping import wraps
from app.bridge.translation.injected import brought, containers_of
from app.cli import opting, words
from app.cli.manifests import ManifestError, Planned, declared, planned
from app.cli.targets import STANDARD_INPUT
from app.extender.cluster.facts import SHIPPED_OFFER
from app.extender.insight.views import Price, price_of
from app.fargate import shares
from app.fargate.eligibility import caveats, refusals, unknown
from app.fargate.pod_rules import scratch
from app.fargate.sizes import DEFAULT_EPHEMERAL_GIB
from app.model.meta import ObjectMeta
from app.model.offer import Offer
from app.model.pod import Pod
from app.model.quantity import QuantityError
from app.model.reason import Reason
from app.model.setting import named

_HELPER: Final = named("bridge", "helper_image")
_NO_HELPER: Final = TaskSettings(
    region="", log_group="", log_mode="", execution_role_arn="", task_role_arn=""
)


class TaskSize(msgspec.Struct, frozen=True, rename="camel"):
    """What the task would have, and cost: the smallest size that covers the pod."""

    vcpu: float
    memory_mib: int
    storage_gib: int


class Explained(msgspec.Struct, frozen=True, rename="camel"):
    """What is to be said of one pod of a manifest.

    Attributes:
        eligible: whether it may run on Fargate, and would be let there by its own words.
        helper: whether its task may need the in-task helper, whose image the operator sets.
        size: None where its amounts cannot be read, or are too large.
        price: for an hour; None where it has no size, or its capacity means nothing.
        able: whether Fargate could run it, whatever its labels say.
        ignored: keys of ours on the pod, or its namespace in the file, that nobody reads.
    """

    source: str
    kind: str
    namespace: str
    name: str
    eligible: bool
    reasons: tuple[Reason, ...]
    caveats: tuple[Reason, ...]
    helper: bool
    size: TaskSize | None
    price: Price | None
    able: bool
    ignored: tuple[Reason, ...]


def of_file(file: str, *, offer: Offer = SHIPPED_OFFER) -> Iterator[Explained | ManifestError]:
    """What is to be said of every pod that the file asks for, and what is wrong with the file."""
    try:
        text = _read(file)
    except OSError as error:
        pod = "" if "/" in file or Path(file).suffix else "; a pod is NAMESPACE/NAME, or has -n NAMESPACE"
        yield ManifestError(f"cannot be read: {error.strerror}{pod}")
        return
    except UnicodeDecodeError:
        yield ManifestError("not YAML: it is no UTF-8 text")
        return
    namespaces = declared(text)
    for each in planned(text):
        if isinstance(each, ManifestError):
            yield each
        else:
            space = namespaces.get(each.namespace or each.pod.metadata.namespace)
            yield explained(each, source=file, offer=offer, namespace=space)


def explained(
    each: Planned,
    *,
    source: str,
    offer: Offer = SHIPPED_OFFER,
    namespace: ObjectMeta | None = None,
) -> Explained:
    """What is to be said of a pod that a manifest asks for.

    Args:
        each: the pod.
        source: the file.
        offer: prices.
        namespace: its namespace as the same file has it; None where it does not.
    """
    withheld = opting.withheld(each.pod, namespace=namespace)
    reasons = (*withheld, *unknown(each.spec), *refusals(each.pod))
    return Explained(
        source=source,
        kind=each.kind,
        namespace=each.namespace,
        name=each.name,
        eligible=not reasons,
        reasons=tuple(_in_manifest(reason) for reason in reasons),
        able=len(reasons) == len(withheld),
        caveats=caveats(each.pod),
        ignored=opting.ignored(each.pod, namespace=namespace),
        helper=_needs_helper(each.pod),
        size=_size_of(each.pod),
        price=price_of(each.pod, offer),
    )


def _in_manifest(reason: Reason) -> Reason:
    """A DaemonSet's manifest says by its kind what its pods say by their owner."""
    return Reason(reason.code, reason.message, "kind") if reason.code == "DaemonSet" else reason


def _needs_helper(pod: Pod) -> bool:
    """As far as the pod alone says; its image and Secrets may add to it."""
    wrapped = any(wraps(each, pod=pod, settings=_NO_HELPER) for each in containers_of(pod))
    volumes = (each for _, each in brought(pod, settings=_NO_HELPER))
    return wrapped or any(
        each.config_map or each.secret or each.downward_api or each.projected for each in volumes
    )


def _size_of(pod: Pod) -> TaskSize | None:
    try:
        room = shares.room_of(pod, volumes=scratch(pod))
    except QuantityError:
        return None
    if not isinstance(room, shares.Room):
        return None
    return TaskSize(room.size.cpu_units / 1024, room.size.memory_mib, room.storage or DEFAULT_EPHEMERAL_GIB)


def _read(file: str) -> str:
    if file == STANDARD_INPUT:
        return sys.stdin.read()
    return Path(file).read_text(encoding="utf-8")


def show(each: Explained, console: Console) -> None:
    """Print what is to be said of one pod."""
    path = f"{each.namespace}/{each.name}" if each.namespace else each.name
    verdict = "[green]can run on Fargate[/]" if each.able else "[red]cannot run on Fargate[/]"
    if each.able and not each.eligible:
        verdict = "[red]can run on Fargate, but may not[/]"
    console.print(f"{escape(f'{each.kind} {path}')}: {verdict}{_shown(each.size)}")
    for reason in each.reasons:
        console.print(f"  [red]refused[/]  {escape(str(reason))}")
    for caveat in each.caveats:
        console.print(f"  [yellow]differs[/]  {escape(str(caveat))}")
    for key in each.ignored:
        console.print(f"  [yellow]ignored[/]  {escape(str(key))}")
    if each.helper:
        console.print(f"  [yellow]needs[/]    the in-task helper, whose image {_HELPER} names")
    if each.eligible and each.price is not None:
        console.print(f"  [green]costs[/]    {escape(words.price(each.price))}")


def _shown(size: TaskSize | None) -> str:
    return "" if size is None else f" ({words.size(size.vcpu, size.memory_mib, size.storage_gib)})"
