"""One pod's life on the machine: volumes, process, probes, status, end.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ says how. Liveness probes are left out: a
program that hangs should fail the test.
"""

import asyncio
from pathlib import Path

from app.model.times import rfc3339
from app.ports.clock import Clock
from tests.system.machine.cluster import Cluster, Json
from tests.system.machine.container import Container, Place
from tests.system.machine.volumes import Volumes

_LOOK = 0.2


class Life:
    """`run` it in a task; cancelled, the process ends as a deleted pod's does."""

    def __init__(
        self, pod: Json, *, address: str, directory: Path, place: Place, cluster: Cluster, clock: Clock
    ) -> None:
        directory.mkdir(parents=True)
        self.restarts = 0
        self._pod = pod
        self._pod["status"] |= {"podIP": address, "startTime": rfc3339(clock.now())}
        self._directory = directory
        self._place = place
        self._cluster = cluster
        self._clock = clock
        self._volumes = Volumes(pod, directory=directory / "volumes", cluster=cluster)
        (self._spec,) = pod["spec"]["containers"]

    @property
    def grace(self) -> float:
        """How long the end may take, in seconds."""
        return float(self._pod["spec"]["terminationGracePeriodSeconds"])

    async def run(self) -> None:
        """From the volumes to the end."""
        while not await self._volumes.refreshed():
            await self._clock.sleep(_LOOK)
        async with asyncio.TaskGroup() as group:
            mounting = group.create_task(self._keep_mounted())
            code = await self._once()
            while self._pod["spec"]["restartPolicy"] == "Always":
                self.restarts += 1
                await self._clock.sleep(1)
                code = await self._once()
            mounting.cancel()
        over = {"exitCode": code, "finishedAt": self._now(), "reason": "Error" if code else "Completed"}
        await self._tell("Failed" if code else "Succeeded", {"terminated": over}, ready=False)

    async def leave(self) -> None:
        """Tell everybody that it goes, before it does."""
        await self._tell("Running", {"running": {}}, ready=False)

    async def _once(self) -> int:
        """One run of the process: its exit code."""
        container = await Container.start(
            self._pod,
            directory=self._directory,
            mounts=self._volumes.mounts(self._spec),
            place=self._place,
            clock=self._clock,
        )
        try:
            return await self._watched(container)
        finally:
            await container.stop(grace=self.grace)

    async def _watched(self, container: Container) -> int:
        ready: bool | None = None
        while container.exit_code is None and not await container.answers("startupProbe"):
            await self._clock.sleep(_LOOK)
        began = self._now()
        while container.exit_code is None:
            now = await container.answers("readinessProbe")
            if now is not ready:
                ready = now
                await self._tell("Running", {"running": {"startedAt": began}}, ready=ready)
            await self._clock.sleep(_LOOK)
        return container.exit_code

    async def _keep_mounted(self) -> None:
        while True:
            await self._clock.sleep(1)
            await self._volumes.refreshed()

    async def _tell(self, phase: str, state: Json, *, ready: bool) -> None:
        """Write the status; the scheduler's condition stays."""
        said = self._pod["status"]
        kept = [each for each in said["conditions"] if each["type"] == "PodScheduled"]
        now = self._now()
        conditions = [
            {"type": kind, "status": str(ready), "lastTransitionTime": now}
            for kind in ("Initialized", "ContainersReady", "Ready")
        ]
        container = {key: self._spec[key] for key in ("name", "image")} | {
            "imageID": self._spec["image"],
            "ready": ready,
            "restartCount": self.restarts,
            "state": state,
        }
        status = {
            "phase": phase,
            "startTime": said["startTime"],
            "podIP": said["podIP"],
            "podIPs": [{"ip": said["podIP"]}],
            "conditions": kept + conditions,
            "containerStatuses": [container],
        }
        await self._cluster.set_status(self._pod, status)

    def _now(self) -> str:
        return rfc3339(self._clock.now())
