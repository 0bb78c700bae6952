"""`spillway explain`: whether pods of manifests can run on Fargate, why live ones do or not; the price."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape

from app.cli import ending, explain_manifest, explain_pod, words
from app.cli.explain_manifest import Explained
from app.cli.manifests import ManifestError
from app.cli.pipes import quiet_pipe
from app.cli.targets import Owner, Targets
from app.extender.cluster.facts import SHIPPED_OFFER
from app.extender.insight.explanation import Explanation
from app.model.offer import Offer
from app.ports.failures import NotFound, PortFailure
from app.telemetry import logs
from app.wiring.clock import SystemClock
from app.wiring.insight import Insight, insight
from app.wiring.stopping import StartError, run_until_stopped

ELIGIBLE: Final = 0
REFUSED: Final = 1
BAD_INPUT: Final = 2
STOPPED: Final = 130
"""Exit codes; of a live pod's states `explain_pod.CODES` says which are which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags of `spillway explain`, and what to explain."""

    targets: Targets
    kubeconfig: str
    spillway_namespace: str
    as_json: bool


@dataclass(slots=True, kw_only=True)
class _Looked:
    """What was learned of the cluster, as far as anything was."""

    live: list[Explanation] = field(default_factory=list)
    offer: Offer = SHIPPED_OFFER
    faults: list[str] = field(default_factory=list)


def run(options: Options) -> int:
    """Print what is to be said of every pod, in files and in the cluster; the exit code."""
    logs.configure(level="error", as_json=False)
    targets, looked = options.targets, _Looked()
    looked.faults += targets.faults
    if targets.pods or targets.owners or (targets.files and options.kubeconfig):
        try:
            if run_until_stopped(_look(options, looked)):
                return ending.fail(ending.STOPPED, code=STOPPED, as_json=options.as_json)
        except (StartError, PortFailure) as error:
            looked.faults.append(words.mended(error))
    found = list(_of_files(targets.files, looked))
    if not found and not looked.live and not looked.faults:
        looked.faults.append(f"no pod and nothing with a pod template in {', '.join(targets.files)}")
    _print(found, looked, options)
    if looked.faults:
        return _bad_input(looked.faults)
    codes = [explain_pod.CODES[each.state] for each in looked.live]
    return max([ELIGIBLE, *codes, *(ELIGIBLE if each.eligible else REFUSED for each in found)])


def _of_files(files: Iterable[str], looked: _Looked) -> Iterable[Explained]:
    for file in files:
        outcomes = list(explain_manifest.of_file(file, offer=looked.offer))
        faults = [each for each in outcomes if isinstance(each, ManifestError)]
        looked.faults += [f"{file}: {each}" for each in faults]
        yield from (each for each in outcomes if isinstance(each, Explained))


async def _look(options: Options, looked: _Looked) -> None:
    targets = options.targets
    async with insight(
        options.kubeconfig, namespace=options.spillway_namespace, clock=SystemClock()
    ) as looking:
        pods = [*targets.pods]
        for owner in targets.owners:
            pods += await _pods_of(owner, looking, looked)
        for found in await looking.explain(list(dict.fromkeys(pods))):
            if isinstance(found, NotFound):
                looked.faults.append(words.mended(found))
            else:
                looked.live.append(found)
        if targets.files:
            looked.offer = await looking.offer() or looked.offer


async def _pods_of(owner: Owner, looking: Insight, looked: _Looked) -> list[tuple[str, str]]:
    found = await looking.pods_of(owner.kind, owner.namespace, owner.name)
    if not found:
        looked.faults.append(
            f"{owner.kind} {owner.namespace}/{owner.name} has no pods; `kubectl get pods -n "
            f"{owner.namespace}` shows those that there are"
        )
    return found


def _bad_input(messages: Iterable[str]) -> int:
    console = Console(stderr=True, soft_wrap=True)
    for each in messages:
        console.print(escape(each), style="red")
    return BAD_INPUT


def _print(found: Sequence[Explained], looked: _Looked, options: Options) -> None:
    live = looked.live
    if options.as_json:
        error = {"error": "; ".join(looked.faults)} if looked.faults else {}
        ending.tell(msgspec.json.encode({"pods": found, "live": live, **error}).decode())
        return
    console = Console(highlight=False, soft_wrap=True)
    with quiet_pipe():
        for each in found:
            explain_manifest.show(each, console)
        for pod in live:
            explain_pod.show(pod, console)
