"""Which containers Fargate refuses: one rule for each field that this release does not carry."""

import re
from collections.abc import Iterable
from typing import Final

from app.fargate.check import Check, examined, is_set, refused, refused_keys
from app.model import quantity
from app.model.container import Container, ContainerPort, EnvVar, EnvVarSource, ResourceRequirements
from app.model.names import ATTEMPT_VARIABLE, IDENTITY_VARIABLE
from app.model.quantity import QuantityError
from app.model.reason import Reason

CARRIED: Final = frozenset(
    {"command", "args", "working_dir", "stdin", "stdin_once", "tty", "resize_policy", "volume_mounts"}
)
"""Fields that need no rule. A mount is as good as its volume, which `app.fargate.eligibility` judges."""

_ECS_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_PLAIN_RESOURCES: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_PORT_PROTOCOLS: Final = frozenset({"", "TCP", "UDP"})
_RESERVED: Final = frozenset({IDENTITY_VARIABLE, ATTEMPT_VARIABLE})
_KNOWN_FIELDS: Final = frozenset(
    {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"}
)
_KNOWN_KEY: Final = re.compile(r"metadata\.(?:labels|annotations)\['[^']+'\]")
_DEFAULT_MESSAGE_PATHS: Final = frozenset({"", "/dev/termination-log"})


def refusals_of(container: Container, path: str) -> Iterable[Reason]:
    """Every reason why Fargate cannot run this container, in the table's order.

    Args:
        container: one of the pod's main containers.
        path: where it stands, as `spec.containers[0]`.
    """
    return examined(container, CHECKS, path)


def _env(variables: tuple[EnvVar, ...], path: str) -> Iterable[Reason]:
    for index, variable in enumerate(variables):
        where = f"{path}[{index}]"
        if variable.name in _RESERVED:
            yield Reason("ReservedVariable", f"{variable.name} is Spillway's own; use another name", where)
        if variable.value_from is not None:
            yield from _source(variable.value_from, f"{where}.valueFrom")


def _source(source: EnvVarSource, path: str) -> Iterable[Reason]:
    if source.field_ref is None:
        message = "only fieldRef works on Fargate yet; write a plain value"
        yield Reason("VariableSource", message, path)
    elif not is_known_field(source.field_ref.field_path):
        message = f"{source.field_ref.field_path} is not known before launch; remove it"
        yield Reason("VariableField", message, f"{path}.fieldRef")


def is_known_field(field_path: str) -> bool:
    """Whether a downward API field has its value before the task is launched."""
    return field_path in _KNOWN_FIELDS or _KNOWN_KEY.fullmatch(field_path) is not None


def _ports(ports: tuple[ContainerPort, ...], path: str) -> Iterable[Reason]:
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        if port.host_port or port.host_ip:
            yield Reason("HostPort", "Fargate has no host to open ports on; remove hostPort", where)
        if port.protocol not in _PORT_PROTOCOLS:
            yield Reason("PortProtocol", f"ECS maps TCP and UDP, not {port.protocol}; change it", where)


def _resources(asked: ResourceRequirements, path: str) -> Iterable[Reason]:
    if asked.claims:
        yield Reason("ResourceClaims", "Fargate has no devices to claim; remove the claims", f"{path}.claims")
    yield from _amounts(asked.requests, f"{path}.requests")
    only_limited = {name: text for name, text in asked.limits.items() if asked.requests.get(name) != text}
    yield from _amounts(only_limited, f"{path}.limits")


def _amounts(amounts: dict[str, str], path: str) -> Iterable[Reason]:
    for name, text in amounts.items():
        try:
            amount = quantity.exact(text)
        except QuantityError as error:
            yield Reason("InvalidQuantity", str(error), f"{path}[{name}]")
            continue
        if amount < 0:
            yield Reason("InvalidQuantity", f'"{text}" is below zero; write 0 or more', f"{path}[{name}]")
        elif amount and name not in _PLAIN_RESOURCES:
            yield Reason("ExtendedResource", "Fargate has none of it; remove it", f"{path}[{name}]")


def _is_no_ecs_name(name: str) -> bool:
    return _ECS_NAME.fullmatch(name) is None


def _is_custom_message_path(path: str) -> bool:
    return path not in _DEFAULT_MESSAGE_PATHS


CHECKS: Final[dict[str, Check]] = {
    "name": refused(
        "ContainerName", "ECS takes 1 to 255 letters, digits, - and _; rename it", when=_is_no_ecs_name
    ),
    "image": refused("NoImage", "no image is named; set image", when=lambda image: not image.strip()),
    "image_pull_policy": refused(
        "ImagePullPolicy", "Fargate always pulls; use IfNotPresent or Always", when=lambda it: it == "Never"
    ),
    "env": _env,
    "env_from": refused("EnvFrom", "envFrom does not work on Fargate yet; write the variables out in env"),
    "ports": _ports,
    "resources": _resources,
    "volume_devices": refused("VolumeDevices", "Fargate has no block devices; remove volumeDevices"),
    "security_context": refused_keys("SecurityContext", "not applied on Fargate yet; remove it"),
    "lifecycle": refused("Lifecycle", "hooks do not run on Fargate yet; remove them"),
    "liveness_probe": refused("Probe", "probes do not run on Fargate yet; remove it"),
    "readiness_probe": refused("Probe", "probes do not run on Fargate yet; remove it"),
    "startup_probe": refused("Probe", "probes do not run on Fargate yet; remove it"),
    "restart_policy": refused("ContainerRestartPolicy", "only the pod's restartPolicy works; remove it"),
    "restart_policy_rules": refused(
        "ContainerRestartPolicy", "only the pod's restartPolicy works; remove the rules"
    ),
    "termination_message_path": refused(
        "TerminationMessagePath", "only /dev/termination-log works; remove it", when=_is_custom_message_path
    ),
    "termination_message_policy": refused(
        "TerminationMessagePolicy",
        "the log is not read back on Fargate; use File",
        when=lambda policy: is_set(policy) and policy != "File",
    ),
}
"""Field of Container → the rule for it."""
