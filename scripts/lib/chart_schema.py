"""values.schema.json of the chart: what is written here by hand, and the programs' settings.

Helm 3 and 4 both read JSON Schema draft 7. Unknown values are refused everywhere, but where Kubernetes' own
types stand: those the API server knows better.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from app.model.wire import Json
from scripts.lib.chart_settings import Value

Schema = dict[str, Json]

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 1000}
_NAME: Final[Schema] = {
    "type": "string",
    "pattern": "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$",
    "maxLength": 253,
}
_PART: Final[Schema] = {"type": "string", "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$", "maxLength": 40}
_TEXTS: Final[Schema] = {"type": "array", "items": {"type": "string"}}
_MAP: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}
_OWN_LABELS: Final = (
    "helm.sh/chart",
    *(
        f"app.kubernetes.io/{name}"
        for name in ("name", "instance", "component", "version", "managed-by", "part-of")
    ),
)
_NEVER: Final[Schema] = {"not": {}}
_LABELS: Final[Schema] = {**_MAP, "properties": dict.fromkeys(_OWN_LABELS, _NEVER)}
_ANY: Final[Schema] = {"type": "object"}
_LIST: Final[Schema] = {"type": "array", "items": {"type": "object"}}
_DIGEST: Final[Schema] = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
_TAG: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9_.-]*$", "not": {"const": "latest"}}
_HOURS: Final[Schema] = {"type": "string", "pattern": "^[0-9]+h([0-9]+m)?$"}
_SECONDS: Final[Schema] = {"type": "string", "pattern": "^[0-9]+(ms|s|m)$"}
_CIDRS: Final[Schema] = {"type": "array", "items": {"type": "string", "pattern": "^[0-9a-fA-F.:]+/[0-9]+$"}}
_NAMESPACES: Final[Schema] = {
    "type": "array",
    "items": {"type": "string", "pattern": "^[a-z0-9-]+$"},
    "uniqueItems": True,
}
_POLICY: Final[Schema] = {"enum": ["Always", "IfNotPresent", "Never"]}


def _object(properties: Mapping[str, Json], **more: Json) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties), **more}


_RESOURCES: Final = _object(
    {"requests": _ANY, "limits": _ANY, "claims": _LIST}, required=["requests", "limits"]
)
_ACCOUNT: Final = _object({"create": _FLAG, "name": _NAME, "annotations": _MAP})
_IMAGE: Final = _object(
    {
        "repository": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:/-]*$"},
        "tag": _TAG,
        "digest": _DIGEST,
        "pullPolicy": _POLICY,
    }
)
_PDB: Final = _object(
    {
        "enabled": _FLAG,
        "maxUnavailable": {"type": ["integer", "string"], "pattern": "^[1-9][0-9]*%$", "minimum": 1},
    }
)
_POD: Final[Mapping[str, Json]] = {
    "podAnnotations": _MAP,
    "podLabels": _LABELS,
    "resources": _RESOURCES,
    "nodeSelector": _MAP,
    "tolerations": _LIST,
}
_PLACED: Final[Mapping[str, Json]] = {
    **_POD,
    "serviceAccount": _ACCOUNT,
    "affinity": _ANY,
    "topologySpreadConstraints": _LIST,
    "podDisruptionBudget": _PDB,
    "replicas": {"type": "integer", "minimum": 1, "maximum": 100},
}
_PROGRAM: Final[Mapping[str, Json]] = {
    **_PLACED,
    "enabled": _FLAG,
    "hostNetwork": _FLAG,
    "env": _LIST,
    "extraVolumes": _LIST,
    "extraVolumeMounts": _LIST,
}


def whole_schema(settings: Mapping[str, Iterable[Value]], *, nodes: Schema) -> Schema:
    """The schema of all values.

    Args:
        settings: the values of each program that are its settings.
        nodes: the schema of one entry of `bridge.nodes`.
    """
    of = {
        program: _object({each.name: each.schema for each in values}) for program, values in settings.items()
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart spillway",
        **_object({**_common(), **_programs(of, nodes), **_around()}),
        "allOf": _combinations(),
    }


def _common() -> Schema:
    return {
        "global": _ANY,
        "nameOverride": _PART,
        "fullnameOverride": {**_PART, "pattern": "^([a-z]([-a-z0-9]*[a-z0-9])?)?$"},
        "commonLabels": _LABELS,
        "commonAnnotations": _MAP,
        "actuator": {"enum": ["scheduler", "toleration"]},
        "logLevel": {"enum": ["debug", "info", "warning", "error"]},
        "logFormat": {"enum": ["json", "text"]},
        "image": _IMAGE,
        "imagePullSecrets": _LIST,
        "nodeSelector": _MAP,
        "tolerations": _LIST,
        "priorityClassName": _NAME,
        "podSecurityContext": _ANY,
        "securityContext": _ANY,
        "revisionHistoryLimit": _COUNT,
        "rbac": _object({"create": _FLAG, "overflowNamespaces": _NAMESPACES}),
        "certificates": _certificates(),
    }


def _certificates() -> Schema:
    issuer = _object({"name": _TEXT, "kind": _TEXT, "group": _TEXT})
    managed = _object({"issuerRef": issuer, "duration": _HOURS, "renewBefore": _HOURS})
    bundle = {
        "type": "string",
        "pattern": "^$|^-----BEGIN CERTIFICATE-----",
        "not": {"pattern": "PRIVATE KEY"},
    }
    provided = _object({"secretName": _NAME, "caBundle": bundle})
    source = {"enum": ["selfSigned", "certManager", "provided"]}
    return _object({"source": source, "certManager": managed, "provided": provided})


def _programs(of: Mapping[str, Schema], nodes: Schema) -> Schema:
    return {
        "webhook": _object(
            {
                **_PROGRAM,
                "settings": of["webhook"],
                "timeoutSeconds": {"type": "integer", "minimum": 1, "maximum": 30},
                "excludedNamespaces": _NAMESPACES,
            }
        ),
        "extender": _object({**_PROGRAM, "settings": of["extender"], "virtualNodes": _TEXTS}),
        "bridge": _object(
            {
                **_PROGRAM,
                "settings": of["bridge"],
                "replicas": {"type": "integer", "minimum": 0, "maximum": 2},
                "nodes": {"type": "array", "items": nodes},
                "helperFromImage": _FLAG,
                "kubeletTls": _object({"existingSecret": _NAME}),
                "kubeletClientCa": _object({"existingConfigMap": _NAME, "key": _TEXT}),
            }
        ),
        "issuer": _object(
            {**_POD, "settings": of["issuer"], "serviceAccount": _ACCOUNT, "affinity": _ANY, "env": _LIST}
        ),
        "scheduler": _object(
            {
                **_PLACED,
                "enabled": _FLAG,
                "name": {**_NAME, "not": {"const": "default-scheduler"}},
                "image": _IMAGE,
                "profile": {**_ANY, "properties": {"schedulerName": _NEVER}},
                "httpTimeout": _SECONDS,
                "qps": {"type": "integer", "minimum": 1, "maximum": 100_000},
                "extraArgs": _TEXTS,
                "env": _LIST,
            }
        ),
    }


def _around() -> Schema:
    """What stands around the programs."""
    return {
        "drainOnUninstall": _FLAG,
        "drain": _object(
            {
                **_POD,
                "timeoutSeconds": {"type": "integer", "minimum": 30, "maximum": 86_400},
                "force": _FLAG,
                "stopBarePods": _FLAG,
                "serviceAccount": _ACCOUNT,
            }
        ),
        "doctor": _object({**_POD, "enabled": _FLAG, "serviceAccount": _ACCOUNT}),
        "networkPolicy": _object(
            {
                "enabled": _FLAG,
                "apiServerCidrs": _CIDRS,
                "monitoringPeers": _LIST,
                "schedulerPeers": _LIST,
                "taskCidrs": _CIDRS,
            }
        ),
        "monitoring": _object(
            {
                "serviceMonitor": _object(
                    {"enabled": _FLAG, "labels": _MAP, "interval": _SECONDS, "scrapeTimeout": _SECONDS}
                ),
                "prometheusRule": _object(
                    {
                        "enabled": _FLAG,
                        "labels": _MAP,
                        "alertLabels": _MAP,
                        "disabled": _TEXTS,
                        "runbookUrl": _TEXT,
                    }
                ),
                "grafanaDashboard": _object({"enabled": _FLAG, "labels": _MAP, "annotations": _MAP}),
            }
        ),
    }


def _combinations() -> list[Json]:
    """What excludes, or takes, something else."""
    by_scheduler = {"actuator": {"const": "scheduler"}}
    given = {"type": "string", "minLength": 1}
    return [
        _if(
            {"scheduler": {"enabled": True}},
            {**by_scheduler, "extender": _with({"enabled": {"const": True}})},
        ),
        _if({"extender": {"settings": {"earlyBurst": True}}}, by_scheduler),
        {
            "if": _with({"webhook": _with({"settings": _with({"schedulerName": given})})}, needed=True),
            "then": _with(by_scheduler),
        },
        _if(
            {"extender": {"settings": {"handover": True}}},
            {"extender": _with({"settings": _with({"returnHome": {"const": True}})})},
        ),
        _if(
            {"certificates": {"source": "provided"}},
            {
                "certificates": _with(
                    {"provided": _with({"secretName": given, "caBundle": given}, needed=True)}, needed=True
                )
            },
        ),
    ]


def _if(condition: Mapping[str, Json], then: Mapping[str, Json]) -> Schema:
    """`condition` names values as they stand in values.yaml; `then` holds schemas."""
    return {"if": _equal(condition), "then": _with(then, needed=True)}


def _equal(wanted: Json) -> Schema:
    if not isinstance(wanted, Mapping):
        return {"const": wanted}
    return _with({name: _equal(value) for name, value in wanted.items()}, needed=True)


def _with(properties: Mapping[str, Json], *, needed: bool = False) -> Schema:
    return {"properties": dict(properties), **({"required": list(properties)} if needed else {})}
