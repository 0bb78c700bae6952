"""What a container gets besides its definition: values of secrets, volumes, a root, the metadata endpoint."""

from dataclasses import dataclass
from typing import Final

import msgspec

from app.local.fargate.config import FargateConfig
from app.local.fargate.running import root_file_system
from app.local.fargate.running.images import NOTHING_KNOWN, simulated_script
from app.local.fargate.running.root_file_system import RootFileSystem
from app.local.fargate.running.simulated import SCRIPT_VARIABLE
from app.local.fargate.running.volumes import Volumes
from app.local.fargate.running.workload import Workload
from app.local.fargate.tasks.record import ContainerRecord, TaskRecord, workload_of
from app.local.fargate.vault.values import SecretValues, Unreadable

METADATA_VARIABLE: Final = "ECS_CONTAINER_METADATA_URI_V4"


@dataclass(kw_only=True)
class Surroundings:
    """Prepares tasks and their containers.

    Attributes:
        endpoint: the URL that containers find the metadata endpoint below; empty for none.
    """

    config: FargateConfig
    volumes: Volumes
    values: SecretValues
    endpoint: str = ""

    def prepare(self, task: TaskRecord) -> str:
        """Read the secrets of a task, once for all its containers; why one cannot be read, or nothing.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html
        """
        try:
            for container in task.containers.values():
                login = container.spec.repository_credentials
                if login is not None:
                    self.values.require_registry_login(login.credentials_parameter)
                container.secrets = {
                    each.name: self.values.read(each.value_from) for each in container.spec.secrets
                }
        except Unreadable as cause:
            return str(cause)
        return ""

    def workload(self, task: TaskRecord, container: ContainerRecord) -> Workload:
        """What the runner is to run."""
        workload = workload_of(task, container, region=self.config.region)
        script = None if task.real else simulated_script(container.spec, workload.argv, self.config.images)
        metadata = {METADATA_VARIABLE: f"{self.endpoint}/v4/{container.runtime_id}"} if self.endpoint else {}
        return msgspec.structs.replace(
            workload,
            environment={
                **metadata,
                **({SCRIPT_VARIABLE: script} if script is not None else {}),
                **workload.environment,
                **container.secrets,
            },
            root=self._root(task, container) if task.real else None,
        )

    def clear(self, task: TaskRecord) -> None:
        """Forget the values of a task that is over, and remove its volumes."""
        for container in task.containers.values():
            container.secrets = {}
        self.volumes.release(task.id)

    def close(self) -> None:
        """Remove the volumes that are not to be kept."""
        self.volumes.close()

    def _root(self, task: TaskRecord, container: ContainerRecord) -> RootFileSystem | None:
        spec = container.spec
        image = self.config.images.get(spec.image, NOTHING_KNOWN)
        if not root_file_system.is_wanted(spec, image):
            return None
        volumes = {each["name"]: each for each in task.definition.body["volumes"]}
        return root_file_system.root_of(
            spec,
            image,
            siblings=task.specs,
            directory_of=lambda name: self.volumes.directory_of(task.id, volumes[name]),
            hosts=_hosts(task),
        )


def _hosts(task: TaskRecord) -> str:
    lines = ["127.0.0.1 localhost"]
    if task.interface is not None:
        lines.append(f"{task.interface.ip} {task.interface.private_dns}")
    return "".join(f"{line}\n" for line in lines)
