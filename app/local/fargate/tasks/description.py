"""A task as DescribeTasks shows it. Pure."""

import hashlib

from app.local.fargate.protocol.wire import Json
from app.local.fargate.tasks import disks, foreign_container, managed_agents
from app.local.fargate.tasks.health import task_health
from app.local.fargate.tasks.record import ContainerRecord, TaskRecord


def described(task: TaskRecord, *, tags: bool = False) -> Json:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html."""
    params = task.params
    view: Json = {
        "attachments": [
            _attachment(task),
            *disks.attachments(params, task=task.id, attached=task.interface_status),
        ],
        "attributes": [{"name": "ecs.cpu-architecture", "value": _architecture(task)}],
        "availabilityZone": task.zone,
        "clusterArn": task.cluster_arn,
        "containers": [
            *(_container(task, each) for each in task.containers.values()),
            *(foreign_container.described(name, task=task.arn, status=task.status) for name in task.foreign),
        ],
        "cpu": str(task.definition.cpu),
        "desiredStatus": task.desired,
        "enableExecuteCommand": params.get("enableExecuteCommand", False),
        "ephemeralStorage": {"sizeInGiB": _storage(task)},
        "fargateEphemeralStorage": {"sizeInGiB": _storage(task)},
        "group": params.get("group", f"family:{task.definition.family}"),
        "healthStatus": task_health(
            [
                each.health
                for each in task.containers.values()
                if each.spec.essential and each.spec.health_check
            ]
        ),
        "lastStatus": task.status,
        "launchType": "FARGATE",
        "memory": str(task.definition.memory),
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": []}
        | params.get("overrides", {}),
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "tags": task.tags if tags else [],
        "taskArn": task.arn,
        "taskDefinitionArn": task.definition.arn,
        "version": task.version,
        **task.times,
    }
    if "launchType" not in params:
        view["capacityProviderName"] = task.capacity
    if "startedBy" in params:
        view["startedBy"] = params["startedBy"]
    if task.desired == "STOPPED":
        view |= {"stopCode": task.stop_code, "stoppedReason": task.stopped_reason}
    return view


def _attachment(task: TaskRecord) -> Json:
    details = [{"name": "subnetId", "value": task.subnet}]
    if task.interface is not None:
        details += [
            {"name": "networkInterfaceId", "value": task.interface.id},
            {"name": "macAddress", "value": task.interface.mac},
            {"name": "privateDnsName", "value": task.interface.private_dns},
            {"name": "privateIPv4Address", "value": task.interface.ip},
        ]
    return {
        "id": task.attachment,
        "type": "ElasticNetworkInterface",
        "status": task.interface_status,
        "details": details,
    }


def _container(task: TaskRecord, container: ContainerRecord) -> Json:
    spec = container.spec
    view: Json = {
        "containerArn": container.arn,
        "taskArn": task.arn,
        "name": spec.name,
        "image": spec.image,
        "lastStatus": container.status,
        "networkInterfaces": [],
        "healthStatus": container.health,
        "cpu": str(spec.cpu),
    }
    if task.interface is not None:
        view["networkInterfaces"] = [
            {"attachmentId": task.attachment, "privateIpv4Address": task.interface.ip}
        ]
    if container.started is not None:
        view["runtimeId"] = container.runtime_id
        view["networkBindings"] = []
    if "pullStoppedAt" in task.times:
        view["imageDigest"] = "sha256:" + hashlib.sha256(spec.image.encode()).hexdigest()
    if spec.memory is not None:
        view["memory"] = str(spec.memory)
    if spec.memory_reservation is not None:
        view["memoryReservation"] = str(spec.memory_reservation)
    if container.agent is not None:
        view["managedAgents"] = [managed_agents.described(container.agent, container=container.status)]
    return view | _end(container)


def _end(container: ContainerRecord) -> Json:
    code = {"exitCode": container.exit_code} if container.exit_code is not None else {}
    return code | ({"reason": container.reason} if container.reason else {})


def _architecture(task: TaskRecord) -> str:
    platform = task.definition.body.get("runtimePlatform", {})
    return "arm64" if platform.get("cpuArchitecture") == "ARM64" else "x86_64"


def _storage(task: TaskRecord) -> int:
    default = task.definition.body.get("ephemeralStorage", {"sizeInGiB": 20})
    size: int = task.params.get("overrides", {}).get("ephemeralStorage", default)["sizeInGiB"]
    return size
