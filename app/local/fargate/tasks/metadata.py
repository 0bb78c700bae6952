"""The task metadata endpoint, version 4: what a container may read about itself and its task.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html
"""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.local.fargate.config import Subnet
from app.local.fargate.protocol.wire import Json
from app.local.fargate.tasks.network import Interface
from app.local.fargate.tasks.record import ContainerRecord, TaskRecord
from app.local.fargate.tasks.task_statistics import StatisticsOfTasks

_UNITS_PER_VCPU: Final = 1024
_DNS_OFFSET: Final = 2
"""The resolver's address in a VPC, counted from its start."""


class Tasks(Protocol):
    """The tasks that there are."""

    def values(self) -> Iterable[TaskRecord]:
        """Every one of them."""
        ...


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Answers containers of all tasks; a container's path says which it is."""

    tasks: Tasks
    subnets: tuple[Subnet, ...]
    statistics: StatisticsOfTasks

    def routes(self) -> tuple[Route, ...]:
        """The paths below the server's."""
        return (
            Route("/v4/{id}", self.answer_container),
            Route("/v4/{id}/task", self.answer_task),
            Route("/v4/{id}/stats", self.answer_statistics),
            Route("/v4/{id}/task/stats", self.answer_task_statistics),
        )

    async def answer_container(self, request: Request) -> JSONResponse:
        """The container that asks."""
        found = self._find(request.path_params["id"])
        return JSONResponse(self._container(*found)) if found is not None else _unknown()

    async def answer_statistics(self, request: Request) -> JSONResponse:
        """What the container that asks takes."""
        found = self._find(request.path_params["id"])
        if found is None:
            return _unknown()
        task, container = found
        return JSONResponse(self.statistics.of(task)[container.runtime_id])

    async def answer_task_statistics(self, request: Request) -> JSONResponse:
        """What each container of its task takes; null for one that does not run."""
        found = self._find(request.path_params["id"])
        return JSONResponse(self.statistics.of(found[0])) if found is not None else _unknown()

    async def answer_task(self, request: Request) -> JSONResponse:
        """Its task, with every container that was started."""
        found = self._find(request.path_params["id"])
        return JSONResponse(self._task(found[0])) if found is not None else _unknown()

    def _find(self, runtime_id: str) -> tuple[TaskRecord, ContainerRecord] | None:
        for task in self.tasks.values():
            for container in task.containers.values():
                if container.runtime_id == runtime_id and container.started is not None:
                    return task, container
        return None

    def _task(self, task: TaskRecord) -> Json:
        family, revision = task.definition.short.rsplit(":", 1)
        started = [each for each in task.containers.values() if each.started is not None]
        return {
            "Cluster": task.cluster_arn,
            "TaskARN": task.arn,
            "Family": family,
            "Revision": revision,
            "DesiredStatus": task.desired,
            "KnownStatus": task.status,
            "Limits": {
                "CPU": task.definition.cpu / _UNITS_PER_VCPU,
                "Memory": task.definition.memory,
            },
            **_dates(task.times, pullStartedAt="PullStartedAt", pullStoppedAt="PullStoppedAt"),
            "AvailabilityZone": task.zone,
            "LaunchType": "FARGATE",
            "Containers": [self._container(task, each) for each in started],
            "ClockDrift": {"ClockErrorBound": 0.5, "ClockSynchronizationStatus": "SYNCHRONIZED"},
        }

    def _container(self, task: TaskRecord, container: ContainerRecord) -> Json:
        spec = container.spec
        family, revision = task.definition.short.rsplit(":", 1)
        view: Json = {
            "DockerId": container.runtime_id,
            "Name": spec.name,
            "DockerName": spec.name,
            "Image": spec.image,
            "ImageID": "sha256:" + hashlib.sha256(spec.image.encode()).hexdigest(),
            "Labels": {
                "com.amazonaws.ecs.cluster": task.cluster_arn,
                "com.amazonaws.ecs.container-name": spec.name,
                "com.amazonaws.ecs.task-arn": task.arn,
                "com.amazonaws.ecs.task-definition-family": family,
                "com.amazonaws.ecs.task-definition-version": revision,
            },
            "DesiredStatus": task.desired,
            "KnownStatus": container.status,
            "Limits": _limits(container),
            "CreatedAt": _text(container.times["StartedAt"]),
            **_dates(container.times, StartedAt="StartedAt", FinishedAt="FinishedAt"),
            "Type": "NORMAL",
            "ContainerARN": container.arn,
            "Networks": [self._network(task.interface)] if task.interface is not None else [],
            "Snapshotter": "overlayfs",
        }
        if container.exit_code is not None:
            view["ExitCode"] = container.exit_code
        if container.log is not None and spec.log_configuration is not None:
            options = {**spec.log_configuration.options, "awslogs-stream": container.log.stream}
            view |= {"LogDriver": spec.log_configuration.log_driver, "LogOptions": options}
        return view

    def _network(self, interface: Interface) -> Json:
        cidr = next(each.cidr for each in self.subnets if each.id == interface.subnet)
        block = ipaddress.ip_network(cidr)
        return {
            "NetworkMode": "awsvpc",
            "IPv4Addresses": [interface.ip],
            "IPv4SubnetCIDRBlock": cidr,
            "AttachmentIndex": 0,
            "MACAddress": interface.mac,
            "DomainNameServers": [str(block[_DNS_OFFSET])],
            "DomainNameSearchList": [interface.private_dns.partition(".")[2]],
            "PrivateDNSName": interface.private_dns,
            "SubnetGatewayIpv4Address": f"{block[1]}/{block.prefixlen}",
        }


def _limits(container: ContainerRecord) -> Json:
    limits: Json = {"CPU": container.spec.cpu or 2}
    if container.spec.memory is not None:
        limits["Memory"] = container.spec.memory
    return limits


def _dates(times: dict[str, float], **names: str) -> Json:
    return {theirs: _text(times[ours]) for ours, theirs in names.items() if ours in times}


def _text(seconds: float) -> str:
    """RFC 3339, as Go writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unknown() -> JSONResponse:
    return JSONResponse({"message": "There is no such container."}, status_code=404)
