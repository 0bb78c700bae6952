"""The programs' settings as values of the chart: names, defaults, schemas and comments, from app/settings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic.fields import FieldInfo

from app import settings
from app.cli.flags import shown
from app.model.setting import camel, value
from app.model.wire import Json
from app.settings.common import PREFIX, Common

ACCOUNT: Final = "each program has an account of its own in the cluster"
TLS: Final = "`certificates` says where it comes from; it is mounted at /tls"
TOP: Final = "set once for all programs, at the top"
RELEASE: Final = "the release's namespace"

MANAGED: Final[dict[str, dict[str, str]]] = {
    "webhook": {
        "log_level": TOP,
        "log_format": TOP,
        "actuator": TOP,
        "tls_cert": TLS,
        "tls_key": TLS,
    },
    "extender": {
        "log_level": TOP,
        "log_format": TOP,
        "actuator": TOP,
        "kubeconfig": ACCOUNT,
        "namespace": RELEASE,
        "tls_cert": TLS,
        "tls_key": TLS,
        "identity": "the pod's name and a process id, of which no two running replicas share one",
    },
    "bridge": {
        "log_level": TOP,
        "log_format": TOP,
        "kubeconfig": ACCOUNT,
        "namespace": RELEASE,
        "identity": "the pod's name, which a StatefulSet keeps",
        "internal_ip": "the pod's address",
        "kubelet_cert": "`bridge.kubeletTls.existingSecret`",
        "kubelet_key": "`bridge.kubeletTls.existingSecret`",
        "kubelet_client_ca": "`bridge.kubeletClientCa.existingConfigMap`",
        "nodes_file": "`bridge.nodes`",
    },
    "issuer": {
        "log_level": TOP,
        "log_format": TOP,
        "kubeconfig": ACCOUNT,
        "namespace": RELEASE,
        "services": "those of webhook and extender",
        "tls_secret": "`spillway-tls`, by the release's name",
        "ca_secret": "`spillway-ca`, by the release's name",
        "webhook_configuration": "that of the release",
        "once": "the issuer goes on renewing",
    },
}
"""Settings that are no values, since the chart knows better: by program, with where they come from."""

OWN_DEFAULTS: Final[dict[tuple[str, str], tuple[Json, str]]] = {
    ("bridge", "kubelet_cert_signer"): (
        "kubernetes.io/kubelet-serving",
        (
            "Until somebody signs, a self-signed certificate is served, which suffices where the API server "
            "verifies none (kind, kubeadm); EKS verifies. Not used with bridge.kubeletTls.existingSecret."
        ),
    ),
}
"""Where an installation begins with another value than the program does, and what to add to the comment."""

_MOST: Final = 1_000_000_000
"""Of whatever is counted: far more than there can be, and no number that is written with an exponent."""
_DURATION: Final = r"^([0-9]+h)?([0-9]+m)?([0-9]+s?)?$"
_LIFETIME: Final = r"^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s?)?$"
_NAME: Final = {"pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}
_QUANTITY: Final = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?"
_ROOM: Final = rf"(cpu|memory|pods|ephemeral-storage)={_QUANTITY}"
_FLAG: Final = re.compile(r"(?<![\w/.-])[a-z]+(?:-[a-z]+)+(?![\w-])")
"""A flag of several words in a description, without its hyphens in front."""
_ROLE: Final = r"^(arn:aws[a-z-]*:iam::[0-9]{12}:role/.+)?$"
_PATTERNS: Final[dict[str, Json]] = {
    "subnets": {"items": {"type": "string", "pattern": "^subnet-[0-9a-f]+$"}},
    "security_groups": {"items": {"type": "string", "pattern": "^sg-[0-9a-f]+$"}},
    "execution_role": {"pattern": _ROLE},
    "task_role": {"pattern": _ROLE},
    "ebs_role": {"pattern": _ROLE},
    "events_queue": {"pattern": "^(https?://.+)?$"},
    **{f"capacity_{each}": {"pattern": f"^{_QUANTITY}$"} for each in ("cpu", "memory", "pods")},
    "node_shape": {"pattern": f"^({_ROOM}(,{_ROOM})*)?$"},
    "node_name": _NAME,
    "name": _NAME,
    "placeholder_priority_class": _NAME,
    "priority_classes": {
        "items": {"type": "string", "pattern": "^[^=]+=(burst|preempt|preempt-first|wait)$"}
    },
}
"""What a name of AWS or Kubernetes looks like, where a misspelt one would show at the first launch only."""


@dataclass(frozen=True, slots=True)
class Value:
    """One setting as a value of the chart.

    Attributes:
        program: as `bridge`.
        field: the setting's name in app/settings.
        name: the value's name below `settings`.
        default: what stands in values.yaml.
        comment: what it means.
        schema: its part of values.schema.json.
    """

    program: str
    field: str
    name: str
    default: Json
    comment: str
    schema: dict[str, Json]

    @property
    def variable(self) -> str:
        """The variable that the chart sets: `SPILLWAY_NODE_NAME`."""
        return PREFIX + self.field.upper()


def values(program: str) -> Iterator[Value]:
    """Every setting of a program that is a value, in the order of its class."""
    kind = settings.PROGRAMS[program]
    properties = kind.model_json_schema()["properties"]
    for name, field in kind.model_fields.items():
        if name not in MANAGED[program]:
            yield _value(program, name, field, properties[name])


def schema_of(kind: type[Any], name: str) -> dict[str, Json]:
    """The schema of one field of any model of app/settings, in Helm's dialect."""
    return _schema(name, kind.model_fields[name], kind.model_json_schema()["properties"][name])


def _value(program: str, name: str, field: FieldInfo, property_schema: Json) -> Value:
    default, more = OWN_DEFAULTS.get((program, name), (_default(field.default), ""))
    return Value(
        program=program,
        field=name,
        name=camel(name),
        default=default,
        comment=f"{_with_values(program, field.description or '')} {more}".strip(),
        schema=_schema(name, field, property_schema),
    )


def _with_values(program: str, description: str) -> str:
    """The description with values in place of the flags that it names."""
    fields = settings.PROGRAMS[program].model_fields

    def called(flag: re.Match[str]) -> str:
        field = flag[0].replace("-", "_")
        return (value(program, field) if field in fields else "") or flag[0]

    return _FLAG.sub(called, description)


def _default(default: object) -> Json:
    if isinstance(default, tuple):
        return list(default)
    if default is None or isinstance(default, bool | int | float):
        return default
    return shown(default) if default != "" else ""


def _schema(name: str, field: FieldInfo, found: Json) -> dict[str, Json]:
    """Pydantic's schema without titles and defaults; durations as people write them, null where optional."""
    optional = "anyOf" in found
    found = dict(found["anyOf"][0] if optional else found)
    kept = {
        key: found[key] for key in ("type", "enum", "minimum", "maximum", "exclusiveMinimum") if key in found
    }
    if kept.get("type") == "integer":
        kept = {"maximum": _MOST, **kept}
    if name.endswith("port"):
        kept["minimum"] = 1
    if found.get("format") == "duration":
        validator = next(each.func.__name__ for each in field.metadata if hasattr(each, "func"))
        kept |= {"pattern": _LIFETIME if validator == "_lifetime" else _DURATION, "minLength": 1}
    if found.get("type") == "array":
        kept |= {"items": {"type": "string"}, "uniqueItems": True}
    kept |= _PATTERNS.get(name, {})
    if optional:
        kept["type"] = [found["type"], "null"]
    return kept


def of_all() -> dict[str, tuple[Value, ...]]:
    """The values of each program."""
    return {program: tuple(values(program)) for program in settings.PROGRAMS}


def forgotten(program: str, kind: type[Common]) -> set[str]:
    """What `MANAGED` names and the program does not have (any more)."""
    return MANAGED[program].keys() - kind.model_fields.keys()
