"""A task definition as one RunTask call overrides it. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.local.fargate.config import Image
from app.local.fargate.definitions import definition_rules, rights_rules, storage_rules
from app.local.fargate.definitions.container_spec import ContainerSpec
from app.local.fargate.definitions.revisions import TaskDefinition
from app.local.fargate.protocol.errors import AwsError, client_error
from app.local.fargate.protocol.wire import Json
from app.local.fargate.running import images

_NOT_EMBEDDED: Final = ("environmentFiles", "resourceRequirements")


def overridden(definition: TaskDefinition, params: Json, known: Mapping[str, Image]) -> TaskDefinition:
    """The definition with the request's sizes, and with what the images say where it is silent.

    Commands and environments stay the definition's: they are overridden container by container, at the start.

    Raises:
        AwsError: the overrides ask for what Fargate does not offer.
    """
    overrides: Json = params.get("overrides", {})
    if overrides.get("inferenceAcceleratorOverrides"):
        raise client_error("Fargate does not support inference accelerators.")
    storage_rules.require_ephemeral(overrides)
    storage_rules.require_configured(params, definition.body["volumes"])
    by_name = {each.get("name"): each for each in overrides.get("containerOverrides", ())}
    containers = tuple(
        images.completed(
            _container(each, by_name.get(each.name, {})), known.get(each.image, images.NOTHING_KNOWN)
        )
        for each in definition.containers
    )
    size = definition_rules.size_of(
        {"cpu": str(definition.cpu), "memory": str(definition.memory)} | overrides
    )
    definition_rules.require_room(containers, size)
    return msgspec.structs.replace(definition, containers=containers, cpu=size.cpu, memory=size.memory)


def _container(spec: ContainerSpec, override: Json) -> ContainerSpec:
    unsupported = next((each for each in _NOT_EMBEDDED if override.get(each)), None)
    if unsupported is not None:
        raise AwsError(
            "UnsupportedFeatureException", f"The embedded Fargate does not override {unsupported}."
        )
    secret = {each.name for each in spec.secrets} & {
        each.get("name") for each in override.get("environment", ())
    }
    if secret:
        raise rights_rules.shared_name(min(secret))
    return msgspec.structs.replace(
        spec,
        cpu=override.get("cpu", spec.cpu),
        memory=override.get("memory", spec.memory),
        memory_reservation=override.get("memoryReservation", spec.memory_reservation),
    )
