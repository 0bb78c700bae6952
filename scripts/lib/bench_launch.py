"""How fast a burst of pods with one spec launches, against what AWS's published quotas allow.

The bridge runs as its own process, against the embedded API server and the embedded Fargate with the
published throttles (20 RunTask calls at once, then 20 per second). Every figure is counted from Fargate's
journal.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

from app.local.fargate.config import FAST, FargateConfig
from app.local.fargate.oracle.tally import tally
from app.local.processes import Burden
from app.model.names import ENABLED, OVERFLOW
from app.telemetry import logs
from app.wiring.clock import SystemClock
from app.wiring.local.options import LocalOptions
from app.wiring.local.programs import NODE
from app.wiring.local.stack import LocalStack

BURST: Final = 20
RATE: Final = 20.0
NAMESPACE: Final = "bench"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark prints; times in seconds.

    `rss_mib` is the bridge's largest resident size, `cpu_seconds` what it used from the first pod until all
    ran; after `--kill`, of the second bridge alone.
    """

    pods: int
    seconds: float
    limit_seconds: float
    ratio: float
    register_calls: int
    throttled_share: float
    duplicates: int
    left: int
    killed: bool
    rss_mib: float
    cpu_seconds: float
    cpu_share: float


async def bench(pods: int, *, kill: bool, directory: Path) -> Result:
    """Launch `pods` at once; with `kill`, SIGKILL the bridge half way and start it again."""
    clock = SystemClock()
    options = LocalOptions(
        directory=directory,
        nodes=(),
        fargate=FargateConfig(pace=FAST, simulate_all=True),
        embedded=True,
        programs=("bridge",),
        helper=False,
    )
    async with LocalStack(options, clock=clock, progress=print) as stack:
        await stack.connection.request("POST", "/api/v1/namespaces", body=_namespace())
        names = [f"pod-{index}" for index in range(pods)]
        begun, before = clock.steady(), stack.programs["bridge"].burden()
        await asyncio.gather(*(_create(stack, name) for name in names))
        if kill:
            await stack.until("half of the launches", lambda: _launched(stack, pods // 2))
            await stack.kill_program("bridge")
            print("killed the bridge")
            await stack.start_program("bridge")
            begun, before = clock.steady(), Burden()
        await stack.until(f"{pods} launches", lambda: _launched(stack, pods))
        await stack.until(f"{pods} running pods", lambda: _running(stack, pods))
        after_all, took = stack.programs["bridge"].burden(), clock.steady() - begun
        counts = tally(stack.fargate.journal.since())
        await asyncio.gather(*(_delete(stack, name) for name in names))
        await stack.until("no task left", lambda: _none_left(stack))
        after = tally(stack.fargate.journal.since())
    limit = max(0, pods - BURST) / RATE
    return Result(
        pods=pods,
        seconds=round(counts.launch_seconds, 2),
        limit_seconds=limit,
        ratio=round(counts.launch_seconds / limit, 3) if limit else 0.0,
        register_calls=counts.register_calls,
        throttled_share=round(counts.throttled_share, 4),
        duplicates=after.duplicates,
        left=after.left,
        killed=kill,
        rss_mib=round(after_all.peak_mib, 1),
        cpu_seconds=round(after_all.cpu_seconds - before.cpu_seconds, 2),
        cpu_share=round((after_all.cpu_seconds - before.cpu_seconds) / took, 3),
    )


async def _create(stack: LocalStack, name: str) -> None:
    container = {
        "name": "main",
        "image": "simulated/worker:1",
        "command": ["work"],
        "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}},
    }
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"schedulerName": "bench", "containers": [container], "terminationGracePeriodSeconds": 2},
    }
    target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    await stack.connection.request("POST", pods, body=body)
    await stack.connection.request("POST", f"{pods}/{name}/binding", body=binding)


async def _delete(stack: LocalStack, name: str) -> None:
    await stack.connection.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}")


async def _launched(stack: LocalStack, pods: int) -> bool:
    return tally(stack.fargate.journal.since()).launches >= pods


async def _none_left(stack: LocalStack) -> bool:
    return tally(stack.fargate.journal.since()).left == 0


async def _running(stack: LocalStack, pods: int) -> bool:
    data = await stack.connection.request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods")
    phases = [each["status"].get("phase") for each in msgspec.json.decode(data)["items"]]
    return phases.count("Running") == pods


def _namespace() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {OVERFLOW: ENABLED}},
    }


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench launch", description=__doc__)
    parser.add_argument("--pods", type=int, default=200, help="how many pods (default 200)")
    parser.add_argument(
        "--kill", action="store_true", help="kill -9 the bridge half way, then start it again"
    )
    arguments = parser.parse_args()
    logs.configure(level="error", as_json=False)
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as directory:
        result = asyncio.run(bench(arguments.pods, kill=arguments.kill, directory=Path(directory)))
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
