"""The chart on a real control plane: released by helm or kubectl, its pods run on this machine."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
import yaml

from app.local.controlplane import find_assets
from app.local.fargate.config import FAST, FargateConfig
from app.local.kubelets import FakeNode
from app.local.loopback import LOOPBACK, held_block
from app.timing.waiting import cancelled
from app.wiring import kubernetes
from app.wiring.clock import SystemClock
from app.wiring.local import helper, programs
from app.wiring.local.options import LocalOptions
from app.wiring.local.stack import LocalStack
from tests.chart.rendering import CHART, Json, helm, merged, objects
from tests.system.actors import Actors
from tests.system.machine.cluster import Cluster
from tests.system.machine.container import Place
from tests.system.machine.node import LABEL, TAINT, Machine
from tests.system.machine.services import Services

NAMESPACE: Final = programs.NAMESPACE
NAME: Final = "spillway"
_HERE: Final[Json] = {
    "nodeSelector": LABEL,
    "tolerations": [{"key": TAINT["key"], "operator": "Exists", "effect": TAINT["effect"]}],
}
_OWN_ADDRESS: Final[Json] = {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}


class Release:
    """Installs, upgrades and takes away."""

    def __init__(self, actors: Actors, machine: Machine, *, chart: Path) -> None:
        self.actors = actors
        self.machine = machine
        self.chart = chart

    async def helm(self, verb: str, *arguments: str | Path, values: Json | None = None) -> str:
        """Helm 4 on the release; what it prints."""
        place = (f"--kubeconfig={self.actors.stack.kubeconfig}", f"--namespace={NAMESPACE}")
        outcome = await asyncio.to_thread(helm, 4, verb, NAME, *arguments, *place, values=values)
        assert outcome.code == 0, f"{outcome.errors}\n{outcome.output}\n{self.logs()}"
        return outcome.output

    async def rendered(self, values: Json) -> tuple[Json, ...]:
        """What helm makes of the chart, without the hooks."""
        version = f"--kube-version={self.actors.stack.kubernetes}"
        return objects(await self.helm("template", self.chart, "--no-hooks", version, values=values))

    async def kubectl(self, verb: str, *flags: str, values: Json) -> str:
        """`helm template … | kubectl VERB -f -`; what it complained of."""
        path = self.actors.stack.options.directory / "release.yaml"
        path.write_text(yaml.safe_dump_all(await self.rendered(values)))
        code, _, complaints = await self.actors.kubectl(verb, *flags, "-f", str(path))
        assert code == 0, complaints
        return complaints

    def another_version(self) -> None:
        """From now on it is another version of the chart, with programs of another version."""
        chart = self.actors.stack.options.directory / "another" / "spillway"
        shutil.copytree(CHART, chart)
        about = yaml.safe_load((chart / "Chart.yaml").read_text())
        about |= {"version": "0.1.1", "appVersion": "0.1.1"}
        (chart / "Chart.yaml").write_text(yaml.safe_dump(about))
        self.chart = chart

    async def until_rolled_out(self) -> None:
        """Wait for all its pods, as `kubectl rollout status` tells of them."""
        for kind in ("deployments", "statefulsets"):
            found = await self.actors.request("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/{kind}")
            for name in (each["metadata"]["name"] for each in found["items"]):
                place = ("-n", NAMESPACE, "--timeout=90s")
                code, _, complaints = await self.actors.kubectl(
                    "rollout", "status", f"{kind.removesuffix('s')}/{name}", *place
                )
                assert code == 0, f"{complaints}\n{self.logs()}"

    async def until_images(self, wanted: set[str]) -> None:
        """Wait until its pods have these images, those that end among them."""

        async def look() -> bool:
            pods = await self.actors.request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods")
            return {pod["spec"]["containers"][0]["image"] for pod in pods["items"]} == wanted

        await self.actors.until_so(f"pods of {wanted} alone", look)

    def logs(self) -> str:
        """The end of what each program has printed."""
        names = ("webhook", "extender", "bridge", "issuer", "scheduler", "drain")
        return "\n".join(f"--- {name}\n{self.machine.log(f'{NAME}-{name}')[-2000:]}" for name in names)

    def values(self, more: Json) -> Json:
        """What an installation says here: an account of the embedded Fargate, and pods of this machine."""
        stack = self.actors.stack
        account = f"arn:aws:iam::{stack.options.fargate.account}:role"
        aws = {
            key: value for key, value in programs.environment(stack.places).items() if key.startswith("AWS_")
        }
        own = {
            "webhook": _listening("host"),
            "extender": merged(_listening("host"), {"settings": {"leaseDuration": "3s"}}),
            "issuer": _listening("probeHost"),
            "bridge": merged(
                _listening("kubeletHost", "probeHost"),
                {
                    "settings": {
                        "zone": stack.options.nodes[0].zone,
                        "region": stack.options.fargate.region,
                        "subnets": [stack.options.fargate.subnets[0].id],
                        "executionRole": f"{account}/spillway-execution",
                        "helperImage": helper.IMAGE,
                        "kubernetesHost": LOOPBACK,
                        "kubernetesPort": stack.places.api_port,
                        "kubeletCertApprove": True,
                        "leaseDuration": "5s",
                    }
                },
            ),
            "drain": _HERE,
            "scheduler": {
                **_HERE,
                "extraArgs": ["--bind-address=$(POD_IP)"],
                "env": [{"name": "POD_IP", **_OWN_ADDRESS}],
            },
        }
        own["bridge"]["env"] += [{"name": name, "value": value} for name, value in sorted(aws.items())]
        return merged(own, more)


def _listening(*settings: str) -> Json:
    """Values of a program that listens on its pod's own address: here all pods share a network."""
    names = {each: "SPILLWAY_" + each.replace("Host", "_host").upper() for each in settings}
    return {
        **_HERE,
        "settings": dict.fromkeys(settings, ""),
        "env": [{"name": name, **_OWN_ADDRESS} for name in names.values()],
    }


@contextlib.asynccontextmanager
async def prepared(directory: Path, *, nodes: tuple[FakeNode, ...]) -> AsyncIterator[Release]:
    """A real control plane with nodes and Fargate, and a machine for the release's own pods."""
    services = Services()
    async with contextlib.AsyncExitStack() as undo:
        options = LocalOptions(
            directory=directory,
            nodes=nodes,
            fargate=_fargate(directory, tasks=undo.enter_context(held_block())),
            programs=(),
        )
        proxy = await undo.enter_async_context(services.listening())
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("HTTPS_PROXY", proxy)
            stack = await undo.enter_async_context(LocalStack(options, clock=SystemClock()))
            await stack.start_scheduler()
        machine = _machine(stack, proxy=proxy, block=undo.enter_context(held_block()))
        services.cluster = Cluster(stack.connection)
        running = asyncio.create_task(machine.run())
        undo.push_async_callback(_ended, running)
        yield Release(Actors(stack, clock=SystemClock()), machine, chart=CHART)


async def _ended(running: asyncio.Task[None]) -> None:
    """End it; what it failed with before is told."""
    if running.done():
        running.result()
    await cancelled(running)


def _fargate(directory: Path, *, tasks: str) -> FargateConfig:
    """An account whose subnet has an id as AWS gives them: the chart takes no other."""
    subnets = tuple(
        msgspec.structs.replace(each, id="subnet-0a1b2c3d4e5f60718", cidr=tasks)
        for each in FargateConfig().subnets[:1]
    )
    return FargateConfig(pace=FAST, journal_path=directory / "fargate.jsonl", subnets=subnets)


def _machine(stack: LocalStack, *, proxy: str, block: str) -> Machine:
    assets = find_assets(os.environ)
    assert assets is not None, "NEEDS_REAL marks the tests"
    place = Place(
        variables={
            "KUBERNETES_SERVICE_HOST": LOOPBACK,
            "KUBERNETES_SERVICE_PORT": str(stack.places.api_port),
            "HTTPS_PROXY": proxy,
        },
        programs=(assets.scheduler.parent,),
    )
    return Machine(
        parts=kubernetes.parts(stack.connection, clock=SystemClock(), component="machine"),
        place=place,
        directory=stack.options.directory / "machine",
        block=block,
        clock=SystemClock(),
    )
