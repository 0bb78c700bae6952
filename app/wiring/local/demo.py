"""The main job, played on a local stack: fill the nodes, overflow, read a log, scale down, leave nothing."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from app.local.fargate.oracle.tally import tally
from app.model.pod import Pod, is_terminal
from app.ports.clock import Clock
from app.ports.failures import PortFailure
from app.wiring.local.programs import NODE
from app.wiring.local.stack import LocalStack

_APP: Final = Path(__file__).resolve().parents[2]
EXAMPLES: Final = (_APP / "examples" / "workers.yaml", _APP.parent / "examples" / "workers.yaml")
"""Where the manifest is: beside the code of an installed wheel, or in the checkout."""
_LINES: Final = 3
_LOOK: Final = 0.1
_WITHIN: Final = 60.0


class DemoError(RuntimeError):
    """The main job did not come to its end; the message says what was awaited."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to see at one moment."""

    step: str
    on_nodes: int = 0
    on_fargate: int = 0
    pending: int = 0
    log: tuple[str, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the demonstration showed; the task figures are counted from the embedded Fargate's journal."""

    kubernetes: str
    pods_on_nodes: int
    pods_on_fargate: int
    log_lines: int
    log_reader: str
    pods_kept: int
    tasks_launched: int
    duplicate_tasks: int
    tasks_left: int
    seconds: float


class Demo:
    """Plays the job once. `show` is called with each new scene."""

    def __init__(
        self, stack: LocalStack, *, clock: Clock, show: Callable[[Scene], None], manifest: Path | None = None
    ) -> None:
        self._stack = stack
        self._clock = clock
        self._show = show
        self._documents: list[dict[str, Any]] = list(yaml.safe_load_all((manifest or _example()).read_text()))
        self._step = ""
        self._log: tuple[str, ...] = ()

    async def play(self) -> Summary:
        """Play it.

        Raises:
            DemoError: a step did not come to its end within a minute.
            LocalStackError: a part of the stack ended.
        """
        started = self._clock.steady()
        replicas = int(self._deployment["spec"]["replicas"])
        await self._apply()
        peak = await self._until(f"{replicas} pods run", lambda pods: _running(pods) == replicas)
        overflow = [pod for pod in peak if pod.spec.node_name == NODE]
        reader = await self._read_log(overflow)
        kept = len(peak) - len(overflow)
        await self._scale(kept)
        left = await self._until("the overflow is gone", lambda pods: not _on_fargate(pods))
        await self._no_task_left()
        counts = tally(self._stack.fargate.journal.since())
        return Summary(
            kubernetes=self._stack.kubernetes,
            pods_on_nodes=kept,
            pods_on_fargate=len(overflow),
            log_lines=len(self._log),
            log_reader=reader,
            pods_kept=_running(left),
            tasks_launched=counts.launches,
            duplicate_tasks=counts.duplicates,
            tasks_left=counts.left,
            seconds=round(self._clock.steady() - started, 1),
        )

    @property
    def _deployment(self) -> dict[str, Any]:
        return next(each for each in self._documents if each["kind"] == "Deployment")

    @property
    def _collection(self) -> str:
        return f"/namespaces/{self._deployment['metadata']['namespace']}"

    async def _apply(self) -> None:
        self._begin("applying the Deployment")
        for document in self._documents:
            await self._stack.connection.request("POST", self._path_of(document), body=document)

    def _path_of(self, document: dict[str, Any]) -> str:
        if document["kind"] == "Namespace":
            return "/api/v1/namespaces"
        return f"/apis/apps/v1{self._collection}/deployments"

    async def _scale(self, replicas: int) -> None:
        self._begin(f"scaling down to {replicas}: Fargate goes first")
        path = f"/apis/apps/v1{self._collection}/deployments/{self._deployment['metadata']['name']}"
        await self._stack.connection.request(
            "PATCH",
            path,
            body={"spec": {"replicas": replicas}},
            content_type="application/merge-patch+json",
        )

    async def _read_log(self, overflow: Sequence[Pod]) -> str:
        if not overflow:
            raise DemoError("no pod overflowed: the nodes hold all of them; give fewer --nodes or less --cpu")
        pod = overflow[0]
        kubectl = shutil.which("kubectl")
        reader = "kubectl" if kubectl else "the log subresource"
        self._begin(f"following the log of {pod.metadata.name} on Fargate through {reader}")
        lines = self._kubectl_lines(kubectl, pod) if kubectl else self._streamed_lines(pod)
        try:
            async with asyncio.timeout(_WITHIN), contextlib.aclosing(lines):
                async for line in lines:
                    self._log = (*self._log, line.decode(errors="replace"))
                    await self._look()
                    if len(self._log) >= _LINES:
                        break
        except TimeoutError as error:
            raise DemoError(f"waited {_WITHIN:.0f} s for {_LINES} lines of {pod.key}") from error
        if len(self._log) < _LINES:
            raise DemoError(
                f"the log of {pod.key} ended after {len(self._log)} lines; does python3 run here?"
            )
        return reader

    def _streamed_lines(self, pod: Pod) -> AsyncGenerator[bytes, None]:
        path = f"/api/v1{self._collection}/pods/{pod.metadata.name}/log"
        return self._stack.connection.stream(path, query={"follow": "true"})

    async def _kubectl_lines(self, kubectl: str, pod: Pod) -> AsyncGenerator[bytes, None]:
        arguments = ["--kubeconfig", str(self._stack.kubeconfig), "logs", "-f", "-n", pod.metadata.namespace]
        process = await asyncio.create_subprocess_exec(
            kubectl,
            *arguments,
            pod.metadata.name,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        if process.stdout is None or process.stderr is None:
            raise DemoError("kubectl was started without pipes")
        try:
            while line := await process.stdout.readline():
                yield line.rstrip(b"\n")
            said = (await process.stderr.read()).decode(errors="replace").strip()
            raise DemoError(f"kubectl logs -f ended early: {said or 'no reason given'}")
        finally:
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
                process.kill()
            await process.wait()

    async def _no_task_left(self) -> None:
        self._begin("waiting until no task is left")

        async def none_left() -> bool:
            await self._look()
            return tally(self._stack.fargate.journal.since()).left == 0

        await self._stack.until("the last task to stop", none_left)

    async def _until(self, what: str, holds: Callable[[Sequence[Pod]], bool]) -> Sequence[Pod]:
        self._begin(f"waiting until {what}")
        seen: Sequence[Pod] = ()

        async def look() -> bool:
            nonlocal seen
            seen = await self._look()
            return holds(seen)

        await self._stack.until(what, look)
        return seen

    async def _look(self) -> Sequence[Pod]:
        try:
            data = await self._stack.connection.request("GET", f"/api/v1{self._collection}/pods")
        except PortFailure as error:
            raise DemoError(f"the API server does not answer: {error}") from error
        pods = [pod for pod in msgspec.json.decode(data, type=_PodList).items if not is_terminal(pod)]
        bound = [pod for pod in pods if pod.spec.node_name]
        fargate = _on_fargate(pods)
        self._show(
            Scene(
                step=self._step,
                on_nodes=_running([pod for pod in bound if pod.spec.node_name != NODE]),
                on_fargate=_running(fargate),
                pending=len(pods) - _running(pods),
                log=self._log,
            )
        )
        return pods

    def _begin(self, step: str) -> None:
        self._step = step
        self._show(Scene(step=step, log=self._log))


def _example() -> Path:
    found = next((path for path in EXAMPLES if path.is_file()), None)
    if found is None:
        raise DemoError(f"{EXAMPLES[-1]} is missing; run this from a checkout or an installed wheel")
    return found


class _PodList(msgspec.Struct, frozen=True):
    items: tuple[Pod, ...]


def _running(pods: Sequence[Pod]) -> int:
    return sum(1 for pod in pods if pod.status.phase == "Running" and pod.metadata.deletion_timestamp is None)


def _on_fargate(pods: Sequence[Pod]) -> list[Pod]:
    return [pod for pod in pods if pod.spec.node_name == NODE]
