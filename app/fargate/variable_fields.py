"""Rows of environment variables and of what their values come from."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from app.fargate.rights import all_containers
from app.fargate.support import Row, Section
from app.model.container import EnvVarSource, FieldRef, ResourceFieldRef
from app.model.names import (
    ATTEMPT_VARIABLE,
    IDENTITY_VARIABLE,
    OWN_PLAN_VARIABLE,
    PLAN_VARIABLE,
    RUN_VARIABLE,
    SEAL_KEY_VARIABLE,
)
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.volume import DownwardFile, Volume

RESERVED: Final = frozenset(
    {
        IDENTITY_VARIABLE,
        ATTEMPT_VARIABLE,
        PLAN_VARIABLE,
        OWN_PLAN_VARIABLE,
        RUN_VARIABLE,
        SEAL_KEY_VARIABLE,
    }
)
"""Variables that tell whose task it is and what the helper does; no pod may set them."""

_FIELDS: Final = frozenset(
    {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    }
)
_FILE_FIELDS: Final = frozenset(
    {"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations"}
)
_KEYED: Final = re.compile(r"metadata\.(?:labels|annotations)\['[^']+'\]")

_variable = Section("EnvVar")
_source = Section("EnvVarSource")
_field = Section("ObjectFieldSelector")
_resource = Section("ResourceFieldSelector")
_map_key = Section("ConfigMapKeySelector")
_secret_key = Section("SecretKeySelector")
_from = Section("EnvFromSource")
_map = Section("ConfigMapEnvSource")
_secret = Section("SecretEnvSource")

_MISSING: Final = "Without it, a missing one keeps the pod waiting with CreateContainerConfigError."


def is_reserved(name: str) -> bool:
    """Whether the variable is Spillway's own; the helper takes every SPILLWAY_RUN… out, too."""
    return name in RESERVED or name.startswith(RUN_VARIABLE)


def is_known_field(field_path: str) -> bool:
    """Whether a variable may take this field of the pod, as Kubernetes has it."""
    return field_path in _FIELDS or _KEYED.fullmatch(field_path) is not None


def is_known_file_field(field_path: str) -> bool:
    """Whether a file of a volume may take this field of the pod, as Kubernetes has it."""
    return field_path in _FILE_FIELDS or _KEYED.fullmatch(field_path) is not None


def _reserved(name: str, path: str) -> Iterable[Reason]:
    if is_reserved(name):
        yield Reason("ReservedVariable", f"{name} is Spillway's own; use another name", path)


def _sources(source: EnvVarSource | None, path: str) -> Iterable[Reason]:
    known = () if source is None else tuple(getattr(source, name) for name in source.__struct_fields__)
    if source is not None and not any(each is not None for each in known):
        yield Reason("VariableSource", "this source is not known; write a plain value", path)


def _field_of_variable(selector: FieldRef | None, path: str) -> Iterable[Reason]:
    if selector is not None and not is_known_field(selector.field_path):
        message = f'no variable can hold "{selector.field_path}"; remove it'
        yield Reason("VariableField", message, path)


def field_of_file(selector: FieldRef | None, path: str) -> Iterable[Reason]:
    """The refusal of a file that takes a field which no file can hold."""
    if selector is not None and not is_known_file_field(selector.field_path):
        message = f'no file can hold "{selector.field_path}"; remove it'
        yield Reason("DownwardField", message, path)


def _unknown_containers(pod: Pod) -> Iterable[Reason]:
    names = {container.name for _, container in all_containers(pod)}
    for selector, path in _resource_selectors(pod):
        if selector.container_name and selector.container_name not in names:
            message = f'no container "{selector.container_name}"; name one'
            yield Reason("UnknownResource", message, f"{path}.resourceFieldRef")


def _resource_selectors(pod: Pod) -> Iterator[tuple[ResourceFieldRef, str]]:
    """Every resource that a variable or a file takes, with the path of what takes it."""
    for path, container in all_containers(pod):
        for index, variable in enumerate(container.env):
            if variable.value_from and variable.value_from.resource_field_ref:
                yield variable.value_from.resource_field_ref, f"{path}.env[{index}].valueFrom"
    for index, volume in enumerate(pod.spec.volumes):
        for items, path in _downward_items(volume, f"spec.volumes[{index}]"):
            for place, item in enumerate(items):
                if item.resource_field_ref:
                    yield item.resource_field_ref, f"{path}.items[{place}]"


def _downward_items(volume: Volume, path: str) -> Iterator[tuple[tuple[DownwardFile, ...], str]]:
    if volume.downward_api is not None:
        yield volume.downward_api.items, f"{path}.downwardAPI"
    for index, source in enumerate(volume.projected.sources if volume.projected is not None else ()):
        if source.downward_api is not None:
            yield source.downward_api.items, f"{path}.projected.sources[{index}].downwardAPI"


ROWS: Final[tuple[Row, ...]] = (
    _variable.native(
        "name",
        "The variable's name.",
        refuses=_reserved,
        unless="Spillway's own: SPILLWAY_POD, SPILLWAY_ATTEMPT and those of the helper (`ReservedVariable`)",
    ),
    _variable.native(
        "value", "With `$(VAR)` expanded as a kubelet does; by the helper, where VAR holds a Secret's value."
    ),
    _variable.native(
        "valueFrom",
        "See EnvVarSource.",
        of="EnvVarSource",
        refuses=_sources,
        unless="a source that we do not know (`VariableSource`)",
    ),
    _source.emulated(
        "fieldRef",
        "Known before launch and written out, but for the pod's own addresses, which the helper asks of the "
        "task. status.hostIP is the virtual node's.",
        of="ObjectFieldSelector",
        refuses=_field_of_variable,
        unless="fields that no kubelet gives to variables either (`VariableField`)",
    ),
    _field.native("apiVersion", "v1, the only one there is."),
    _field.native(
        "fieldPath",
        "The field.",
        unless="what Kubernetes does not offer there (`VariableField`, `DownwardField`)",
    ),
    _source.emulated(
        "resourceFieldRef",
        "Written out; a limit that is not set is the task's size, as a kubelet gives the node's.",
        of="ResourceFieldSelector",
    ),
    _resource.emulated("resource", "Requests and limits of cpu, memory and ephemeral-storage."),
    _resource.emulated(
        "containerName",
        "Another container of the pod; the same one where it is empty.",
        rule=_unknown_containers,
        unless="one that the pod has not (`UnknownResource`)",
    ),
    _resource.emulated("divisor", "The amount is divided by it and rounded up."),
    _source.emulated("configMapKeyRef", "Read before launch and written out.", of="ConfigMapKeySelector"),
    _map_key.emulated("name", "The ConfigMap's name."),
    _map_key.emulated("key", "The key."),
    _map_key.emulated("optional", f"Leaves the variable out. {_MISSING}"),
    _source.emulated(
        "secretKeyRef",
        "The value goes from Kubernetes into Secrets Manager, and from there into the container as an ECS "
        "secret; it stands in no task definition, override, log or event.",
        of="SecretKeySelector",
    ),
    _secret_key.emulated("name", "The Secret's name; in Secrets Manager its uid and resourceVersion."),
    _secret_key.emulated("key", "The key."),
    _secret_key.emulated("optional", f"Leaves the variable out. {_MISSING}"),
    _source.refused("fileKeyRef", "VariableSource", "no file is read before launch; use a value"),
    _from.emulated("prefix", "Goes before each key."),
    _from.emulated("configMapRef", "See ConfigMapEnvSource.", of="ConfigMapEnvSource"),
    _from.emulated("secretRef", "See SecretEnvSource.", of="SecretEnvSource"),
    _map.emulated("name", "The ConfigMap's name."),
    _map.emulated("optional", f"Does without it. {_MISSING}"),
    _secret.emulated("name", "The Secret's name; in Secrets Manager its uid and resourceVersion."),
    _secret.emulated("optional", f"Does without it. {_MISSING}"),
)
