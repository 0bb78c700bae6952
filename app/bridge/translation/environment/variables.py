"""The variables of one container as texts: from envFrom, then env, then Services, as a kubelet has them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from app.bridge.translation.environment import sources
from app.bridge.translation.environment.downward import (
    FACTS,
    SHARED_FIELDS,
    allocatable_of,
    field_value,
    resource_value,
    with_pod_limits,
)
from app.bridge.translation.environment.expansion import Slot, Text, TextTooLongError, expanded, text_of
from app.bridge.translation.environment.service_links import service_variables
from app.bridge.translation.injected import role_variables
from app.bridge.translation.material import StoredKey, Unready
from app.bridge.translation.problems import Problem, judged
from app.bridge.translation.scene import Scene
from app.fargate.variable_fields import is_reserved
from app.model.container import (
    Container,
    EnvFromSource,
    EnvVar,
    EnvVarSource,
    FieldRef,
    KeyRef,
    ResourceFieldRef,
)
from app.model.names import RUN_VARIABLE
from app.model.quantity import QuantityError
from app.model.reason import Reason

VALUE_PREFIX: Final = f"{RUN_VARIABLE}_VALUE_"
"""What begins the names of variables that only carry values to where they are needed.

The helper expands them, and takes them out before the command starts (helper/README.md).
"""

_Lookup = Callable[[str], Text | None]


def variables_of(
    container: Container, *, scene: Scene, field: str
) -> Mapping[str, Text] | Unready | tuple[Reason, ...]:
    """The container's variables in the order in which they are declared; those of Services come last.

    Later ones see earlier ones and those of Services, and the last of two with one name wins.
    https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/

    Args:
        container: one of the pod's.
        scene: the pod and what was found for it.
        field: the container's path in the pod, as `spec.containers[0]`.
    """
    linked = service_variables(scene.pod, services=scene.material.services, settings=scene.settings)
    services = {name: text_of(value) for name, value in linked.items()}
    values: dict[str, Text] = {}
    problems: list[Problem] = []

    def lookup(name: str) -> Text | None:
        return values.get(name, services.get(name))

    for name, answer, where in _declared(container, scene=scene, lookup=lookup, field=field):
        if not isinstance(answer, tuple):
            problems.append(answer)
        elif is_reserved(name):
            problems.append(Reason("ReservedVariable", f"{name} is Spillway's own; use another name", where))
        else:
            values[name] = answer
    untold = {name: text for name, text in services.items() if name not in values}
    return judged(problems) or {**values, **untold}


def _declared(
    container: Container, *, scene: Scene, lookup: _Lookup, field: str
) -> Iterator[tuple[str, Text | Problem, str]]:
    """Name, text and path of each variable in turn; each is made after those before it were looked at."""
    for index, source in enumerate(container.env_from):
        for name, answer in _every_key(source, scene).items():
            yield name, answer, f"{field}.envFrom[{index}]"
    gone = role_variables(container, pod=scene.pod)
    for index, variable in enumerate(container.env):
        where = f"{field}.env[{index}]"
        named = _naming_container(variable, container.name)
        value = None if variable.name in gone else _value_of(named, scene, lookup, where)
        if value is not None:
            yield variable.name, value, where


def _every_key(source: EnvFromSource, scene: Scene) -> Mapping[str, Text | Problem]:
    reference = source.config_map_ref or source.secret_ref
    if reference is None:
        return {}
    kind: sources.Kind = "configmap" if source.config_map_ref is not None else "secret"
    found = sources.variables(kind, reference.name, material=scene.material)
    if found is None:
        missing = sources.unset(sources.not_found(kind, reference.name))
        return {} if reference.optional else {reference.name: missing}
    return {
        f"{source.prefix}{key}": _held(value, key=key, name=reference.name)
        for key, value in sorted(found.items())
    }


def _value_of(variable: EnvVar, scene: Scene, lookup: _Lookup, field: str) -> Text | Problem | None:
    """The variable's text, what is in its way, or None where it is optional and left out."""
    if variable.value or variable.value_from is None:
        try:
            return expanded(variable.value, lookup)
        except TextTooLongError as error:
            return Reason("VariableTooLong", f"{variable.name} {error}; shorten it", f"{field}.value")
    return _from_source(variable.value_from, scene, f"{field}.valueFrom")


def _naming_container(variable: EnvVar, name: str) -> EnvVar:
    """The variable with the container's own resources named where it names nobody's."""
    source = variable.value_from
    if source is None or source.resource_field_ref is None or source.resource_field_ref.container_name:
        return variable
    reference = msgspec.structs.replace(source.resource_field_ref, container_name=name)
    named = msgspec.structs.replace(source, resource_field_ref=reference)
    return msgspec.structs.replace(variable, value_from=named)


def _from_source(source: EnvVarSource, scene: Scene, field: str) -> Text | Problem | None:
    if source.field_ref is not None:
        return _of_field(source.field_ref, scene, f"{field}.fieldRef")
    if source.resource_field_ref is not None:
        return _of_resource(source.resource_field_ref, scene, f"{field}.resourceFieldRef")
    if source.config_map_key_ref is not None:
        return _of_key("configmap", source.config_map_key_ref, scene)
    if source.secret_key_ref is not None:
        return _of_key("secret", source.secret_key_ref, scene)
    return Reason("VariableSource", "this source does not reach Fargate; use a ConfigMap or a Secret", field)


def _of_field(reference: FieldRef, scene: Scene, field: str) -> Text | Reason:
    path = reference.field_path
    if path in FACTS:
        return (Slot("fact", FACTS[path]),)
    value = field_value(scene.pod, path, host_ip=scene.settings.host_ip)
    if value is None:
        message = f"{path} is not known before the task runs; set the variable another way"
        return Reason("VariableField", message, field)
    return text_of(value) if path in SHARED_FIELDS else (Slot("own", path, value),)


def _of_resource(reference: ResourceFieldRef, scene: Scene, field: str) -> Text | Reason:
    try:
        allocatable = with_pod_limits(scene.pod, allocatable_of(scene.pod))
        value = resource_value(reference, pod=scene.pod, allocatable=allocatable)
    except QuantityError as error:
        return Reason("InvalidQuantity", str(error), field)
    if value is not None:
        return text_of(value)
    message = f"container {reference.container_name} has no {reference.resource}; name another resource"
    return Reason("UnknownResource", message, field)


def _of_key(kind: sources.Kind, reference: KeyRef, scene: Scene) -> Text | Problem | None:
    found = sources.variables(kind, reference.name, material=scene.material)
    if found is not None and reference.key in found:
        return _held(found[reference.key], key=reference.key, name=reference.name)
    if reference.optional:
        return None
    if found is None:
        return sources.unset(sources.not_found(kind, reference.name))
    namespace = scene.pod.metadata.namespace
    return sources.unset(sources.no_key(kind, reference.name, key=reference.key, namespace=namespace))


def _held(value: sources.Value, *, key: str, name: str) -> Text | Unready:
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, StoredKey) and not value.encoded:
        return (Slot("secret", value.value_from),)
    message = f'the value of key {key} in secret "{name}" is no text, and a variable can hold nothing else'
    return Unready("CreateContainerError", message)
