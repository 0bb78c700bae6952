"""One container as a process: its variables, its sandbox, its probes and its end."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app.local.processes import Child
from app.ports.clock import Clock
from tests.system.machine import sandbox
from tests.system.machine.cluster import Json
from tests.system.machine.volumes import field as field_of

ENTRYPOINT = ("spillway",)
"""Our image's (Dockerfile)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the node gives to its containers.

    Attributes:
        variables: of every container, as the API server's address.
        programs: folders of programs that images carry and this machine has elsewhere.
    """

    variables: dict[str, str] = field(default_factory=dict)
    programs: tuple[Path, ...] = ()


def variables(pod: Json, container: Json, place: Place) -> dict[str, str]:
    """All that the process sees in its environment."""
    found = sandbox.image_variables(*place.programs) | place.variables
    for each in container.get("env", []):
        source = each.get("valueFrom")
        found[each["name"]] = (
            field_of(pod, source["fieldRef"]["fieldPath"]) if source else each.get("value", "")
        )
    return found


def expanded(argument: str, environment: Mapping[str, str]) -> str:
    """`$(NAME)` stands for a variable that is there (k8s.io/api/core/v1, Container.args)."""
    return re.sub(r"\$\((\w+)\)", lambda match: environment.get(match[1], match[0]), argument)


class Container:
    """The process, from its start on."""

    def __init__(self, child: Child, spec: Json, *, address: str, clock: Clock) -> None:
        self._child = child
        self._spec = spec
        self._address = address
        self._clock = clock

    @classmethod
    async def start(
        cls, pod: Json, *, directory: Path, mounts: dict[str, Path], place: Place, clock: Clock
    ) -> "Container":
        """Start the pod's one container in a sandbox; its log is NAME.log in the directory."""
        (spec,) = pod["spec"]["containers"]
        root = directory / "root"
        root.mkdir(exist_ok=True)
        environment = variables(pod, spec, place)
        argv = [
            expanded(each, environment) for each in (*spec.get("command", ENTRYPOINT), *spec.get("args", []))
        ]
        child = await Child.start(
            spec["name"],
            sandbox.command(root, argv, mounts=mounts),
            directory=directory,
            environment=environment,
        )
        return cls(child, spec, address=pod["status"]["podIP"], clock=clock)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.exit_code

    async def answers(self, probe: str) -> bool:
        """Whether the probe (`readinessProbe`) succeeds; one that is not there does."""
        wanted = self._spec.get(probe)
        if wanted is None:
            return True
        call = wanted["httpGet"]
        url = f"{call['scheme'].lower()}://{self._address}:{self._port(call['port'])}{call['path']}"
        try:
            # A kubelet believes any certificate: https://kubernetes.io/docs/tasks/configure-pod-container/
            async with httpx.AsyncClient(verify=False, trust_env=False) as client:  # noqa: S501
                answer = await client.get(url, timeout=wanted["timeoutSeconds"])
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def stop(self, *, grace: float) -> None:
        """The preStop hook, SIGTERM, and SIGKILL when the grace is over."""
        hook = self._spec.get("lifecycle", {}).get("preStop", {})
        pause = hook.get("sleep", {}).get("seconds", 0)
        if self._child.exit_code is None:
            await self._clock.sleep(min(pause, grace))
        await self._child.stop(clock=self._clock, grace=max(grace - pause, 1.0))

    def _port(self, named: int | str) -> int:
        ports = {each.get("name"): each["containerPort"] for each in self._spec.get("ports", [])}
        return int(ports.get(named, named))
