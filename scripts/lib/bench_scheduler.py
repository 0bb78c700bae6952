"""How many pods kube-scheduler binds in a second with the extender configured, and how many without any.

On a real control plane only: the embedded scheduler is our own and says nothing about kube-scheduler. It is
set up to ask about marked pods alone (`managedResources`). There are four kinds of rounds: `without` any
extender; `with` ours and pods that did not opt in, so that all there is to see is what it costs those who
have nothing from it; `asked`, the same with marked pods, each of which it is asked about; `floor`, marked
pods and an extender that does nothing but echo: what any extender costs on this machine, in its share of
the cores and in the scheduler's own work. The kinds take turns; in each round the pods are there before the
scheduler starts.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from app.kube.connection import connect
from app.local.controlplane import ControlPlane, find_assets, missing_assets
from app.local.controlplane_flags import Ports, scheduler
from app.local.kubelet_objects import FakeNode, node_manifest, status_manifest
from app.local.leaves import write_leaf, write_private
from app.local.loopback import LOOPBACK
from app.local.processes import Child
from app.local.scheduler_configuration import scheduler_configuration
from app.model.names import MARKER
from app.model.pod import Pod
from app.ports.clock import Clock
from app.telemetry import logs
from app.tls.authority import Authority
from app.wiring import kubernetes
from app.wiring.clock import SystemClock
from scripts.lib.asked_extenders import Extenders

KINDS: Final = ("without", "with", "asked", "floor")
MARKED: Final = frozenset({"asked", "floor"})
"""The kinds of rounds whose pods are marked."""

PODS: Final = "/api/v1/namespaces/default/pods"
WITHIN: Final = 60.0
"""Seconds that a round may take."""

QPS: Final = 5000
"""The client's own limit would hide the extender: at 300 binds a second there is time for ten of it."""

_AT_ONCE: Final = 20
_LOOK: Final = 0.1


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What the benchmark prints; rates are medians of the rounds, in pods a second.

    `ratio` is the median of the rounds' own ratios to those without an extender: what else the machine
    does weighs on neighbours alike. It tells of pods that are not asked about, `asked_ratio` of those
    that are, and `floor_ratio` of those that the echo is asked about. `cpu_us`, `asked_cpu_us` and
    `floor_cpu_us` are the CPU time that the extender took for one pod: medians, in microseconds.
    """

    kubernetes: str
    pods: int
    nodes: int
    rounds: int
    without_per_second: float
    with_per_second: float
    asked_per_second: float
    ratio: float
    asked_ratio: float
    floor_ratio: float
    cpu_us: float
    asked_cpu_us: float
    floor_cpu_us: float
    without_rounds: tuple[float, ...]
    with_rounds: tuple[float, ...]
    asked_rounds: tuple[float, ...]
    floor_rounds: tuple[float, ...]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one round showed: pods bound in a second, and the extender's CPU time for each."""

    rate: float
    cpu_us: float


@dataclass(kw_only=True)
class Bench:
    """One run against a control plane that is up."""

    plane: ControlPlane
    parts: kubernetes.Parts
    ca_pem: bytes
    scheduler: Path
    extenders: Extenders
    pods: int
    nodes: int
    clock: Clock
    bound: dict[str, float] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)

    async def run(self, rounds: int) -> Result:
        """Every round, each way; who begins changes from round to round."""
        watched = self.parts.watch_pods()
        watched.on_change(self._see)
        watching = asyncio.create_task(watched.run())
        try:
            await watched.synced()
            await self._make_nodes()
            seen: dict[str, list[Seen]] = {kind: [] for kind in KINDS}
            for number in range(rounds):
                first = number % len(KINDS)
                for kind in KINDS[first:] + KINDS[:first]:
                    seen[kind].append(await self._round(kind))
                    _say(f"round {number + 1}, {kind}: {seen[kind][-1].rate} pods/s")
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        return self._result(seen)

    def _result(self, seen: Mapping[str, Sequence[Seen]]) -> Result:
        rates = {kind: tuple(each.rate for each in seen[kind]) for kind in KINDS}
        each_second = {kind: round(statistics.median(rates[kind]), 1) for kind in KINDS}
        ratios = {kind: _ratio(rates[kind], rates["without"]) for kind in KINDS}
        cpu_us = {kind: statistics.median(each.cpu_us for each in seen[kind]) for kind in KINDS}
        return Result(
            kubernetes=self.plane.version,
            pods=self.pods,
            nodes=self.nodes,
            rounds=len(seen["with"]),
            without_per_second=each_second["without"],
            with_per_second=each_second["with"],
            asked_per_second=each_second["asked"],
            ratio=ratios["with"],
            asked_ratio=ratios["asked"],
            floor_ratio=ratios["floor"],
            cpu_us=cpu_us["with"],
            asked_cpu_us=cpu_us["asked"],
            floor_cpu_us=cpu_us["floor"],
            without_rounds=rates["without"],
            with_rounds=rates["with"],
            asked_rounds=rates["asked"],
            floor_rounds=rates["floor"],
        )

    async def _round(self, kind: str) -> Seen:
        await self._keep_nodes_alive()
        marked = kind in MARKED
        await self._at_once(self._create(index, marked=marked) for index in range(self.pods))
        children: list[Child] = []
        spent = 0.0
        try:
            url = ""
            if kind != "without":
                extender, url = await self.extenders.start(kind)
                children.append(extender)
                spent = -extender.burden().cpu_seconds
            children.append(await self._start_scheduler(url))
            await self._until("all pods to be bound", children, lambda: len(self.bound) == self.pods)
            if kind != "without":
                spent += children[0].burden().cpu_seconds
        finally:
            for child in reversed(children):
                await child.stop(clock=self.clock)
        times = sorted(self.bound.values())
        await self._delete_all()
        return Seen(
            rate=round((len(times) - 1) / (times[-1] - times[0]), 1),
            cpu_us=round(spent / self.pods * 1e6, 1),
        )

    async def _start_scheduler(self, extender_url: str) -> Child:
        config = scheduler_configuration(
            kubeconfig_path=str(self.plane.kubeconfig_path),
            extender_url=extender_url,
            ca_data=self.ca_pem,
            marked_only=True,
        )
        config["clientConnection"] |= {"qps": QPS, "burst": 2 * QPS}
        folder = self.plane.kubeconfig_path.parent
        write_private(folder / "scheduler.json", msgspec.json.encode(config))
        return await Child.start("kube-scheduler", scheduler(self.scheduler, Ports.free()), directory=folder)

    async def _make_nodes(self) -> None:
        for index in range(self.nodes):
            fake = FakeNode(name=f"node-{index}", cpu="16", memory="64Gi")
            await self.parts.nodes.create(node_manifest(fake))
            await self.parts.nodes.apply_status(
                status_manifest(fake, now=self.clock.now()), manager="fake-kubelet"
            )

    async def _keep_nodes_alive(self) -> None:
        """There are no kubelets; without these the nodes would be tainted after 40 s."""
        names = [f"node-{index}" for index in range(self.nodes)]
        renew = self.parts.leases.renew
        await self._at_once(renew("kube-node-lease", name, holder=name, seconds=40) for name in names)

    async def _create(self, index: int, *, marked: bool) -> None:
        marker = {MARKER: "0"} if marked else {}
        resources = {"requests": {"cpu": "100m", "memory": "128Mi", **marker}, "limits": marker}
        container = {"name": "main", "image": "registry.example/app:1", "resources": resources}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"pod-{index}"},
            "spec": {"containers": [container], "automountServiceAccountToken": False},
        }
        await self.parts.connection.request("POST", PODS, body=body)

    async def _delete_all(self) -> None:
        query = {"gracePeriodSeconds": 0}
        await self.parts.connection.request("DELETE", PODS, query=query, timeout=WITHIN)
        await self._until("all pods to be gone", (), lambda: not self.there)
        self.bound.clear()

    async def _at_once(self, calls: Iterable[Any]) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(call: Any) -> None:
            async with gate:
                await call

        await asyncio.gather(*(one(call) for call in calls))

    def _see(self, before: Pod | None, after: Pod | None) -> None:
        if after is None:
            self.there.discard(before.key if before is not None else "")
            return
        self.there.add(after.key)
        if after.spec.node_name:
            self.bound.setdefault(after.key, self.clock.steady())

    async def _until(self, what: str, children: Iterable[Child], holds: Any) -> None:
        deadline = self.clock.steady() + WITHIN
        while not holds():
            for child in children:
                if child.exit_code is not None:
                    raise SystemExit(child.obituary())
            if self.clock.steady() > deadline:
                raise SystemExit(f"waited {WITHIN:.0f} s for {what}; {len(self.bound)} are bound")
            await self.clock.sleep(_LOOK)


async def bench(pods: int, *, nodes: int, rounds: int, directory: Path) -> Result:
    """Start a control plane, measure, and stop it."""
    assets = find_assets(os.environ)
    if assets is None:
        raise SystemExit(
            f"this needs a real control plane; missing: {'; '.join(missing_assets(os.environ))}. "
            "Set KUBEBUILDER_ASSETS to a folder that has them"
        )
    clock = SystemClock()
    authority = Authority.create("spillway-bench", now=clock.now())
    write_leaf(
        directory, "extender", authority.issue("extender", now=clock.now(), ips=(LOOPBACK,), server=True)
    )
    plane = ControlPlane(assets, directory=directory / "controlplane", clock=clock, authority=authority)
    try:
        _say("starting the control plane")
        await plane.start()
        connection = await connect(
            kubeconfig=str(plane.kubeconfig_path), clock=clock, agent="spillway (bench)"
        )
        try:
            parts = kubernetes.parts(connection, clock=clock, component="bench")
            return await Bench(
                plane=plane,
                parts=parts,
                ca_pem=authority.cert_pem,
                scheduler=assets.scheduler,
                extenders=Extenders(
                    directory=directory,
                    ca_pem=authority.cert_pem,
                    kubeconfig=plane.kubeconfig_path,
                    clock=clock,
                ),
                pods=pods,
                nodes=nodes,
                clock=clock,
            ).run(rounds)
        finally:
            await connection.close()
    finally:
        await plane.stop()


def _ratio(rates: Sequence[float], plain: Sequence[float]) -> float:
    return round(statistics.median(one / other for one, other in zip(rates, plain, strict=True)), 3)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench scheduler", description=__doc__)
    parser.add_argument("--pods", type=int, default=1000, help="pods in a round (default 1000)")
    parser.add_argument("--nodes", type=int, default=100, help="nodes (default 100)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each kind (default 5)")
    given = parser.parse_args()
    logs.configure(level="error", as_json=False)
    with tempfile.TemporaryDirectory(prefix="spillway-bench-") as directory:
        result = asyncio.run(
            bench(given.pods, nodes=given.nodes, rounds=given.rounds, directory=Path(directory))
        )
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    main()
