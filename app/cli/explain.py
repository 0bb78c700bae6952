"""`spillway explain`: whether pods of manifests can run on Fargate, why live ones do or not; the price."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape

from app.bridge.config import TaskSettings
from app.bridge.translation.containers.wrapping import wraps
from app.bridge.translation.injected import brought, containers_of
from app.cli import explain_pod, words
from app.cli.manifests import ManifestError, Planned, planned
from app.extender.cluster.facts import SHIPPED_OFFER
from app.extender.insight.explanation import Explanation
from app.extender.insight.views import Price, price_of
from app.fargate import shares
from app.fargate.eligibility import caveats, refusals, unknown
from app.fargate.pod_rules import scratch
from app.fargate.sizes import DEFAULT_EPHEMERAL_GIB
from app.model import policy
from app.model.names import MAX_WAIT
from app.model.offer import Offer
from app.model.pod import Pod
from app.model.policy import PolicyError
from app.model.quantity import QuantityError
from app.model.reason import Reason
from app.ports.failures import PortFailure
from app.telemetry import logs
from app.wiring.clock import SystemClock
from app.wiring.insight import insight
from app.wiring.stopping import StartError, run_until_stopped

ELIGIBLE: Final = 0
REFUSED: Final = 1
BAD_INPUT: Final = 2
STOPPED: Final = 130
"""Exit codes."""

STANDARD_INPUT: Final = "-"

_NO_HELPER: Final = TaskSettings(
    region="", log_group="", log_mode="", execution_role_arn="", task_role_arn=""
)


class TaskSize(msgspec.Struct, frozen=True):
    """What the task would have, and cost: the smallest size that covers the pod."""

    vcpu: float
    memory_mib: int
    storage_gib: int


class Explained(msgspec.Struct, frozen=True):
    """What is to be said of one pod of a manifest.

    Attributes:
        helper: whether its task may need the in-task helper, whose image the operator sets.
        size: None where its amounts cannot be read, or are too large.
        price: for an hour; None where it has no size, or its capacity means nothing.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags of `spillway explain`, and what to explain: files, and pods by namespace and name."""

    files: tuple[str, ...]
    pods: tuple[tuple[str, str], ...]
    kubeconfig: str
    spillway_namespace: str
    as_json: bool


_NAME: Final = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_POD: Final = re.compile(rf"({_NAME})/({_NAME})")
_FILE_ENDINGS: Final = (".yaml", ".yml", ".json")


def sorted_out(
    targets: Sequence[str], *, namespace: str
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Which of the targets are files, and which are pods.

    With a namespace all are names of pods in it. Without one, what is no file and reads `NAMESPACE/NAME` is
    a pod.
    """
    if namespace:
        return (), tuple((namespace, each.rpartition("/")[2]) for each in targets)
    files, pods = [], []
    for each in targets:
        match = _POD.fullmatch(each)
        if match is None or each.endswith(_FILE_ENDINGS) or Path(each).exists():
            files.append(each)
        else:
            pods.append((match[1], match[3]))
    return tuple(files), tuple(pods)


def run(options: Options) -> int:
    """Print what is to be said of every pod, in files and in the cluster; the exit code."""
    logs.configure(level="error", as_json=False)
    live: list[Explanation] = []
    offers: list[Offer] = []
    if options.pods or options.kubeconfig:
        try:
            if run_until_stopped(_look(options, live, offers)):
                return STOPPED
        except (StartError, PortFailure) as error:
            return _bad_input([words.mended(error)])
    offer = offers[0] if offers else SHIPPED_OFFER
    outcomes = [(file, each) for file in options.files for each in _of_file(file)]
    found = [
        explained(each, source=file, offer=offer) for file, each in outcomes if isinstance(each, Planned)
    ]
    faults = [f"{file}: {each}" for file, each in outcomes if isinstance(each, ManifestError)]
    if not outcomes and not live:
        faults = [f"no pod and nothing with a pod template in {', '.join(options.files)}"]
    _print(found, live, options)
    if faults:
        return _bad_input(faults)
    able = all(each.eligible for each in found)
    return ELIGIBLE if able and not any(each.state in explain_pod.BURSTS_NOT for each in live) else REFUSED


async def _look(options: Options, live: list[Explanation], offers: list[Offer]) -> None:
    async with insight(
        options.kubeconfig, namespace=options.spillway_namespace, clock=SystemClock()
    ) as looking:
        if options.pods:
            live += await looking.explain(options.pods)
        if options.files:
            offer = await looking.offer()
            offers += [offer] if offer is not None else []


def explained(each: Planned, *, source: str, offer: Offer = SHIPPED_OFFER) -> Explained:
    """What is to be said of a pod that a manifest asks for, at the prices of the offer."""
    reasons = (*_waits(each.pod), *unknown(each.spec), *refusals(each.pod))
    return Explained(
        source=source,
        kind=each.kind,
        namespace=each.namespace,
        name=each.name,
        eligible=not reasons,
        reasons=tuple(_in_manifest(reason) for reason in reasons),
        caveats=caveats(each.pod),
        helper=_needs_helper(each.pod),
        size=_size_of(each.pod),
        price=price_of(each.pod, offer),
    )


def _waits(pod: Pod) -> tuple[Reason, ...]:
    """The refusal of a `max-wait` that is no duration, which the webhook and the extender make."""
    try:
        policy.max_wait(pod.metadata.annotations, default=timedelta())
    except PolicyError as error:
        return (Reason("InvalidMaxWait", str(error), f"metadata.annotations[{MAX_WAIT}]"),)
    return ()


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


def _of_file(file: str) -> Iterable[Planned | ManifestError]:
    try:
        return tuple(planned(_read(file)))
    except OSError as error:
        pod = "" if "/" in file or Path(file).suffix else "; a pod is NAMESPACE/NAME, or has -n NAMESPACE"
        return (ManifestError(f"cannot be read: {error.strerror}{pod}"),)
    except UnicodeDecodeError:
        return (ManifestError("not YAML: it is no UTF-8 text"),)


def _read(file: str) -> str:
    if file == STANDARD_INPUT:
        return sys.stdin.read()
    return Path(file).read_text(encoding="utf-8")


def _bad_input(messages: Iterable[str]) -> int:
    console = Console(stderr=True, soft_wrap=True)
    for each in messages:
        console.print(escape(each), style="red")
    return BAD_INPUT


def _print(found: Sequence[Explained], live: Sequence[Explanation], options: Options) -> None:
    if options.as_json:
        print(msgspec.json.encode({"pods": found, "live": live}).decode())
        return
    console = Console(highlight=False, soft_wrap=True)
    for each in found:
        _show(each, console)
    for pod in live:
        explain_pod.show(pod, console)


def _show(each: Explained, console: Console) -> None:
    path = f"{each.namespace}/{each.name}" if each.namespace else each.name
    verdict = "[green]runs on Fargate[/]" if each.eligible else "[red]cannot run on Fargate[/]"
    console.print(f"{escape(f'{each.kind} {path}')}: {verdict}{_shown(each.size)}")
    for reason in each.reasons:
        console.print(f"  [red]refused[/]  {escape(str(reason))}")
    for caveat in each.caveats:
        console.print(f"  [yellow]differs[/]  {escape(str(caveat))}")
    if each.helper:
        console.print("  [yellow]needs[/]    the in-task helper: the operator has to set its image")
    if each.eligible and each.price is not None:
        console.print(f"  [green]costs[/]    {escape(words.price(each.price))}")


def _shown(size: TaskSize | None) -> str:
    return "" if size is None else f" ({words.size(size.vcpu, size.memory_mib, size.storage_gib)})"
