"""Where a pod's ConfigMaps and Secrets are found, and a kubelet's words where they are not."""

from collections.abc import Mapping
from typing import Literal

from app.bridge.translation.material import Material, StoredKey, Unready

Kind = Literal["configmap", "secret"]

Value = str | bytes | StoredKey
"""A key's value, or where it is kept."""

_TITLES: dict[Kind, str] = {"configmap": "ConfigMap", "secret": "Secret"}


def entries(kind: Kind, name: str, *, material: Material) -> Mapping[str, Value] | None:
    """Every key of the object; None where there is no such object."""
    if kind == "secret":
        secret = material.secrets.get(name)
        return None if secret is None else secret.keys
    found = material.config_maps.get(name)
    if found is not None:
        return {**found.binary_data, **found.data}
    stored = material.stored_maps.get(name)
    return None if stored is None else stored.keys


def variables(kind: Kind, name: str, *, material: Material) -> Mapping[str, Value] | None:
    """Those that environment variables can take: a ConfigMap's binary keys are not among them."""
    found = entries(kind, name, material=material)
    if found is None or kind == "secret":
        return found
    return {key: value for key, value in found.items() if not _is_binary(value)}


def _is_binary(value: Value) -> bool:
    return isinstance(value, bytes) or (isinstance(value, StoredKey) and value.encoded)


def not_found(kind: Kind, name: str) -> str:
    """Kubelet's words for a missing object."""
    return f'{kind} "{name}" not found'


def no_key(kind: Kind, name: str, *, key: str, namespace: str) -> str:
    """Kubelet's words for a variable's missing key."""
    return f"couldn't find key {key} in {_TITLES[kind]} {namespace}/{name}"


def no_key_for_file(kind: Kind, key: str) -> str:
    """Kubelet's words for a file's missing key."""
    if kind == "secret":
        return f"references non-existent secret key: {key}"
    return f"configmap references non-existent config key: {key}"


def unset(message: str) -> Unready:
    """A container cannot be made yet."""
    return Unready("CreateContainerConfigError", message)


def unmounted(volume: str, message: str) -> Unready:
    """A volume cannot be filled yet."""
    return Unready(
        "ContainerCreating", f'MountVolume.SetUp failed for volume "{volume}" : {message}', "FailedMount"
    )
