"""`spillway explain`: whether Fargate can run the pods of manifests, and if not, every reason."""

import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape

from app.bridge.config import TaskSettings
from app.bridge.translation import shares
from app.bridge.translation.containers.wrapping import wraps
from app.bridge.translation.injected import brought, containers_of
from app.cli.manifests import ManifestError, Planned, planned
from app.fargate.eligibility import caveats, refusals, unknown
from app.fargate.pod_rules import scratch
from app.fargate.sizes import DEFAULT_EPHEMERAL_GIB
from app.model import policy
from app.model.names import MAX_WAIT
from app.model.pod import Pod
from app.model.policy import PolicyError
from app.model.quantity import QuantityError
from app.model.reason import Reason

ELIGIBLE: Final = 0
REFUSED: Final = 1
BAD_INPUT: Final = 2
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
    """What is to be said of one pod.

    Attributes:
        helper: whether its task may need the in-task helper, whose image the operator sets.
        size: None where its amounts cannot be read, or are too large.
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


def run(files: Sequence[str], *, as_json: bool) -> int:
    """Print what is to be said of every pod in the files; the exit code."""
    outcomes = [(file, each) for file in files for each in _of_file(file)]
    found = [explained(each, source=file) for file, each in outcomes if isinstance(each, Planned)]
    faults = [f"{file}: {each}" for file, each in outcomes if isinstance(each, ManifestError)]
    if not outcomes:
        faults = [f"no pod and nothing with a pod template in {', '.join(files)}"]
    if as_json:
        print(msgspec.json.encode({"pods": found}).decode())
    else:
        _print(found)
    if faults:
        return _bad_input(faults)
    return ELIGIBLE if all(each.eligible for each in found) else REFUSED


def explained(each: Planned, *, source: str) -> Explained:
    """What is to be said of a pod that a manifest asks for."""
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
        return (ManifestError(f"cannot be read: {error.strerror}"),)
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


def _print(found: Iterable[Explained]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for each in found:
        path = f"{each.namespace}/{each.name}" if each.namespace else each.name
        verdict = "[green]runs on Fargate[/]" if each.eligible else "[red]cannot run on Fargate[/]"
        console.print(f"{escape(f'{each.kind} {path}')}: {verdict}{_shown(each.size)}")
        for reason in each.reasons:
            console.print(f"  [red]refused[/]  {escape(str(reason))}")
        for caveat in each.caveats:
            console.print(f"  [yellow]differs[/]  {escape(str(caveat))}")
        if each.helper:
            console.print("  [yellow]needs[/]    the in-task helper: the operator has to set its image")


def _shown(size: TaskSize | None) -> str:
    if size is None:
        return ""
    return f" ({size.vcpu:g} vCPU, {size.memory_mib / 1024:g} GiB, {size.storage_gib} GiB of storage)"
