"""What a setting is called: a flag to whoever starts a program, a value to whoever installs the chart."""

from collections.abc import Mapping
from typing import Final, Literal

Program = Literal["webhook", "extender", "bridge", "issuer"]
"""As the chart names them, too."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "actuator": "actuator",
    "log_level": "logLevel",
    "log_format": "logFormat",
    "tls_cert": "certificates",
    "tls_key": "certificates",
    "kubelet_cert": "bridge.kubeletTls.existingSecret",
    "kubelet_key": "bridge.kubeletTls.existingSecret",
    "kubelet_client_ca": "bridge.kubeletClientCa.existingConfigMap",
    "nodes_file": "bridge.nodes",
    "kubeconfig": "",
    "namespace": "",
    "identity": "",
    "internal_ip": "",
    "services": "",
    "tls_secret": "",
    "ca_secret": "",
    "webhook_configuration": "",
    "once": "",
}
"""The values of settings that are not below the program's `settings`; empty where the chart alone knows."""


def flag(field: str) -> str:
    """The flag of a field of `app.settings`: `node_name` → `--node-name`."""
    return "--" + field.replace("_", "-")


def camel(field: str) -> str:
    """The field's name among the chart's values: `node_name` → `nodeName`."""
    first, *others = field.split("_")
    return first + "".join(each.capitalize() for each in others)


def value(program: str, field: str) -> str:
    """The chart's value: `bridge.settings.nodeName`; empty where it has none."""
    return ELSEWHERE.get(field, f"{program}.settings.{camel(field)}")


def named(program: Program, *fields: str) -> str:
    """Flags and values, as mends name them: `--max-pods (extender.settings.maxPods)`.

    Several fields are one thing: `--kubelet-cert and --kubelet-key (bridge.kubeletTls.existingSecret)`.
    """
    flags = " and ".join(flag(each) for each in fields)
    values = dict.fromkeys(value(program, each) for each in fields)
    shown = " and ".join(each for each in values if each)
    return f"{flags} ({shown})" if shown else flags
