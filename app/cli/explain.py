"""`spillway explain`: whether Fargate can run the pods of manifests, and if not, every reason."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape

from app.bridge.translation import shares
from app.cli.manifests import ManifestError, Planned, planned
from app.fargate.eligibility import caveats, refusals, unknown
from app.fargate.pod_rules import scratch
from app.fargate.sizes import DEFAULT_EPHEMERAL_GIB
from app.model.pod import Pod
from app.model.quantity import QuantityError
from app.model.reason import Reason

ELIGIBLE: Final = 0
REFUSED: Final = 1
BAD_INPUT: Final = 2
"""Exit codes."""

STANDARD_INPUT: Final = "-"


class TaskSize(msgspec.Struct, frozen=True):
    """What the task would have, and cost: the smallest size that covers the pod."""

    vcpu: float
    memory_mib: int
    storage_gib: int


class Explained(msgspec.Struct, frozen=True):
    """What is to be said of one pod; `size` is None where its amounts cannot be read, or are too large."""

    source: str
    kind: str
    namespace: str
    name: str
    eligible: bool
    reasons: tuple[Reason, ...]
    caveats: tuple[Reason, ...]
    size: TaskSize | None


def run(files: Sequence[str], *, as_json: bool) -> int:
    """Print what is to be said of every pod in the files; the exit code."""
    try:
        found = [explained(each, source=file) for file in files for each in planned(_read(file))]
    except (ManifestError, OSError, UnicodeDecodeError) as error:
        return _bad_input(str(error))
    if not found:
        return _bad_input(f"no pod and nothing with a pod template in {', '.join(files)}")
    if as_json:
        print(msgspec.json.encode({"pods": found}).decode())
    else:
        _print(found)
    return ELIGIBLE if all(each.eligible for each in found) else REFUSED


def explained(each: Planned, *, source: str) -> Explained:
    """What is to be said of a pod that a manifest asks for."""
    reasons = (*unknown(each.spec), *refusals(each.pod))
    return Explained(
        source=source,
        kind=each.kind,
        namespace=each.namespace,
        name=each.name,
        eligible=not reasons,
        reasons=reasons,
        caveats=caveats(each.pod),
        size=_size_of(each.pod),
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


def _bad_input(message: str) -> int:
    Console(stderr=True).print(escape(message), style="red")
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


def _shown(size: TaskSize | None) -> str:
    if size is None:
        return ""
    return f" ({size.vcpu:g} vCPU, {size.memory_mib / 1024:g} GiB, {size.storage_gib} GiB of storage)"
