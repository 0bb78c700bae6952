"""What makes a new object invalid, in the real API server's words; every cause, not the first.

https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/validation.go
Only what users get wrong is looked at; a cluster that accepts more than the real one would flatter its users,
so each rule of the fields that the project itself writes is here.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from app.local.cluster.apiserver import signing_requests, stored_data
from app.local.cluster.apiserver.errors import Cause, invalid_value, required, unsupported
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import Resource
from app.local.cluster.apiserver.selectors import selects
from app.model.quantity import exact

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE: Final = f"({_QUALIFIED})?"
_BAD_SUBDOMAIN: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_SUBDOMAIN}')"
)
_BAD_LABEL: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{_LABEL}')"
)
_BAD_KEY: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_QUALIFIED}')"
)
_BAD_VALUE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    f"for validation is '{_VALUE}')"
)
_RESTART_POLICIES: Final = ("Always", "OnFailure", "Never")
_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_TAINT_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_LONGEST_LABEL: Final = 63
_NAME_DOTS: Final = 2
_LONGEST_TIMEOUT: Final = 30
_LABEL_NAMED: Final = frozenset({"namespaces", "services"})


def causes(resource: Resource, obj: Object) -> list[Cause]:
    """Why the object is invalid; empty where it is valid."""
    found = _metadata(resource, obj["metadata"])
    check = _CHECKS.get(resource.plural)
    return found + check(obj) if check is not None else found


def _metadata(resource: Resource, metadata: Object) -> list[Cause]:
    name = metadata.get("name", "")
    found: list[Cause] = []
    if not name:
        found.append(required("metadata.name", "name or generateName is required"))
    elif resource.plural in _LABEL_NAMED and not _matches(_LABEL, name, 63):
        found.append(invalid_value("metadata.name", _quoted(name), _BAD_LABEL))
    elif not _matches(_SUBDOMAIN, name, 253):
        found.append(invalid_value("metadata.name", _quoted(name), _BAD_SUBDOMAIN))
    return found + _labels(metadata.get("labels", {}), "metadata.labels") + _annotations(metadata)


def _labels(labels: dict[str, str], field: str) -> list[Cause]:
    found: list[Cause] = []
    for key, value in labels.items():
        if why := _bad_key(key):
            found.append(invalid_value(field, _quoted(key), why))
        if len(value) > _LONGEST_LABEL:
            found.append(invalid_value(field, _quoted(value), "must be no more than 63 bytes"))
        elif not re.fullmatch(_VALUE, value):
            found.append(invalid_value(field, _quoted(value), _BAD_VALUE))
    return found


def _annotations(metadata: Object) -> list[Cause]:
    annotations = metadata.get("annotations", {})
    found = [
        invalid_value("metadata.annotations", _quoted(key), why)
        for key in annotations
        if (why := _bad_key(key.lower()))
    ]
    if sum(len(key) + len(value) for key, value in annotations.items()) > 256 * 1024:
        found.append(
            Cause("FieldValueTooLong", "Too long: may not be more than 262144 bytes", "metadata.annotations")
        )
    return found


def _bad_key(key: str) -> str:
    prefix, slash, name = key.rpartition("/")
    if slash and not _matches(_SUBDOMAIN, prefix, 253):
        return f"prefix part {_BAD_SUBDOMAIN}"
    if len(name) > _LONGEST_LABEL:
        return "name part must be no more than 63 bytes"
    return "" if re.fullmatch(_QUALIFIED, name) else _BAD_KEY


def _pod(obj: Object) -> list[Cause]:
    return _pod_spec(obj.get("spec", {}), "spec")


def _pod_spec(spec: Object, field: str) -> list[Cause]:
    found: list[Cause] = []
    if not spec.get("containers"):
        found.append(required(f"{field}.containers"))
    volumes = {each.get("name") for each in spec.get("volumes", ())}
    names: set[str] = set()
    for group in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(group, ())):
            found += _container(container, f"{field}.{group}[{index}]", names, volumes)
    if spec.get("restartPolicy") not in _RESTART_POLICIES:
        found.append(unsupported(f"{field}.restartPolicy", spec.get("restartPolicy", ""), _RESTART_POLICIES))
    for index, toleration in enumerate(spec.get("tolerations", ())):
        found += _toleration(toleration, f"{field}.tolerations[{index}]")
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        value = spec["terminationGracePeriodSeconds"]
        found.append(
            invalid_value(
                f"{field}.terminationGracePeriodSeconds", str(value), "must be greater than or equal to 0"
            )
        )
    return found


def _container(container: Object, field: str, names: set[str], volumes: set[Any]) -> list[Cause]:
    found: list[Cause] = []
    name = container.get("name", "")
    if not name:
        found.append(required(f"{field}.name"))
    elif not _matches(_LABEL, name, 63):
        found.append(invalid_value(f"{field}.name", _quoted(name), _BAD_LABEL))
    if not container.get("image"):
        found.append(required(f"{field}.image"))
    if name in names:
        found.append(Cause("FieldValueDuplicate", f"Duplicate value: {_quoted(name)}", f"{field}.name"))
    names.add(name)
    if container.get("imagePullPolicy") not in _PULL_POLICIES:
        found.append(
            unsupported(f"{field}.imagePullPolicy", container.get("imagePullPolicy", ""), _PULL_POLICIES)
        )
    for index, mount in enumerate(container.get("volumeMounts", ())):
        if mount.get("name") not in volumes:
            where = f"{field}.volumeMounts[{index}].name"
            found.append(Cause("FieldValueNotFound", f"Not found: {_quoted(mount.get('name', ''))}", where))
    return found + _resources(container.get("resources", {}), f"{field}.resources")


def _resources(resources: Object, field: str) -> list[Cause]:
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    found = [
        invalid_value(f"{field}.{group}[{name}]", _quoted(value), "must be greater than or equal to 0")
        for group, values in (("limits", limits), ("requests", requests))
        for name, value in values.items()
        if exact(value) < 0
    ]
    for name, value in requests.items():
        if name in limits and exact(value) > exact(limits[name]):
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            found.append(invalid_value(f"{field}.requests", _quoted(value), why))
    return found


def _toleration(toleration: Object, field: str) -> list[Cause]:
    operator = toleration.get("operator", "")
    found: list[Cause] = []
    if not toleration.get("key") and operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        found.append(invalid_value(f"{field}.operator", _quoted(operator), why))
    if operator == "Exists" and toleration.get("value"):
        why = "value must be empty when `operator` is 'Exists'"
        found.append(invalid_value(f"{field}.operator", _quoted(toleration["value"]), why))
    if operator not in {"", "Equal", "Exists"}:
        found.append(unsupported(f"{field}.operator", operator, ("Equal", "Exists")))
    if "tolerationSeconds" in toleration and toleration.get("effect") != "NoExecute":
        why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        found.append(invalid_value(f"{field}.effect", _quoted(toleration.get("effect", "")), why))
    if toleration.get("effect", "") not in {"", *_TAINT_EFFECTS}:
        found.append(unsupported(f"{field}.effect", toleration["effect"], _TAINT_EFFECTS))
    return found


def _node(obj: Object) -> list[Cause]:
    found: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(obj.get("spec", {}).get("taints", ())):
        field = f"spec.taints[{index}]"
        if taint.get("effect") not in _TAINT_EFFECTS:
            found.append(
                unsupported(f"{field}.effect", taint["effect"], sorted(_TAINT_EFFECTS))
                if taint.get("effect")
                else required(f"{field}.effect")
            )
        pair = (taint.get("key", ""), taint.get("effect", ""))
        if pair in seen:
            found.append(Cause("FieldValueDuplicate", f"Duplicate value: {json.dumps(taint)}", field))
        seen.add(pair)
    return found


def _workload(obj: Object) -> list[Cause]:
    spec = obj.get("spec", {})
    template = spec.get("template", {})
    found: list[Cause] = []
    if not spec.get("selector"):
        found.append(required("spec.selector"))
    labels = template.get("metadata", {}).get("labels")
    if not spec.get("selector") or not selects(spec["selector"], labels or {}):
        why = "`selector` does not match template `labels`"
        found.append(invalid_value("spec.template.metadata.labels", _compact(labels), why))
    if spec.get("replicas", 0) < 0:
        found.append(
            invalid_value("spec.replicas", str(spec["replicas"]), "must be greater than or equal to 0")
        )
    found += _pod_spec(template.get("spec", {"restartPolicy": "Always"}), "spec.template.spec")
    policy = template.get("spec", {}).get("restartPolicy", "Always")
    if policy in _RESTART_POLICIES and policy != "Always":
        found.append(unsupported("spec.template.spec.restartPolicy", policy, ("Always",)))
    return found


def _lease(obj: Object) -> list[Cause]:
    spec = obj.get("spec", {})
    if spec.get("leaseDurationSeconds", 1) > 0:
        return []
    value = str(spec["leaseDurationSeconds"])
    return [invalid_value("spec.leaseDurationSeconds", value, "must be greater than 0")]


def _webhook_configuration(obj: Object) -> list[Cause]:
    found: list[Cause] = []
    for index, webhook in enumerate(obj.get("webhooks", ())):
        found += _webhook(webhook, f"webhooks[{index}]")
    return found


def _webhook(webhook: Object, field: str) -> list[Cause]:
    found: list[Cause] = []
    name, client = webhook.get("name", ""), webhook.get("clientConfig", {})
    if name.count(".") < _NAME_DOTS:
        why = "should be a domain with at least three segments separated by dots"
        found.append(invalid_value(f"{field}.name", _quoted(name), why))
    if webhook.get("sideEffects") not in {"None", "NoneOnDryRun"}:
        found.append(required(f"{field}.sideEffects", "must specify one of None, NoneOnDryRun"))
    if not 1 <= webhook["timeoutSeconds"] <= _LONGEST_TIMEOUT:
        value = str(webhook["timeoutSeconds"])
        why = "the timeout value must be between 1 and 30 seconds"
        found.append(invalid_value(f"{field}.timeoutSeconds", value, why))
    if ("url" in client) == ("service" in client):
        found.append(required(f"{field}.clientConfig", "exactly one of url or service is required"))
    elif not client.get("url", "https://").startswith("https://"):
        scheme = client["url"].partition(":")[0]
        why = f"'https' is the only allowed URL scheme; desired format: https://host[/path] (not {scheme})"
        found.append(invalid_value(f"{field}.clientConfig.url", _quoted(scheme), why))
    if "v1" not in webhook.get("admissionReviewVersions", ()):
        found.append(required(f"{field}.admissionReviewVersions", "must specify one of v1, v1beta1"))
    if webhook.get("matchConditions"):
        why = (
            "the embedded API server does not evaluate CEL; select with namespaceSelector and objectSelector"
        )
        found.append(invalid_value(f"{field}.matchConditions", "[...]", why))
    return found


def _matches(pattern: str, text: str, longest: int) -> bool:
    return len(text) <= longest and re.fullmatch(pattern, text) is not None


def _quoted(text: str) -> str:
    return json.dumps(text)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


_CHECKS: Final[dict[str, Callable[[Object], list[Cause]]]] = {
    "pods": _pod,
    "nodes": _node,
    "deployments": _workload,
    "replicasets": _workload,
    "daemonsets": _workload,
    "leases": _lease,
    signing_requests.PLURAL: signing_requests.causes,
    "secrets": stored_data.secret_causes,
    "configmaps": stored_data.causes,
    "mutatingwebhookconfigurations": _webhook_configuration,
}
