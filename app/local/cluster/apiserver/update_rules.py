"""What may change in an object that exists already, and what each subresource may write.

https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement
"""

import json
from collections.abc import Callable
from typing import Any, Final

from app.local.cluster.apiserver import signing_requests, stored_data
from app.local.cluster.apiserver.errors import Cause, forbidden, invalid_value
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import Resource

_KEPT_METADATA: Final = ("name", "namespace", "creationTimestamp", "generation", "generateName", "selfLink")
_DELETION: Final = ("deletionTimestamp", "deletionGracePeriodSeconds")
_POD_RULE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)
_TOLERATION_RULE: Final = "existing toleration can not be modified except its tolerationSeconds"


def confined(resource: Resource, before: Object, after: Object, subresource: str) -> Object:
    """`after` with everything taken from `before` that this path may not write."""
    metadata = after["metadata"] | {
        name: before["metadata"][name] for name in (*_KEPT_METADATA, *_DELETION) if name in before["metadata"]
    }
    metadata = {
        key: value
        for key, value in metadata.items()
        if key in before["metadata"] or key not in {*_KEPT_METADATA, *_DELETION}
    }
    own = subresource in {"status", signing_requests.APPROVAL}
    kept = ("spec",) if own else ("status",) if "status" in resource.subresources else ()
    result = {key: value for key, value in after.items() if key not in kept}
    result |= {key: before[key] for key in kept if key in before}
    if subresource == "status" and resource.plural == "deployments":
        metadata = _with(metadata, "labels", before["metadata"].get("labels"))
    if subresource == "status" and resource.plural == "pods":
        metadata = _with(metadata, "ownerReferences", before["metadata"].get("ownerReferences"))
    return result | {"metadata": metadata}


def bumped(resource: Resource, before: Object, after: Object) -> Object:
    """`after` with the generation raised where the desired state changed."""
    if not resource.spec_generation:
        return after
    desired = [
        {key: value for key, value in each.items() if key not in {"metadata", "status"}}
        for each in (before, after)
    ]
    if desired[0] == desired[1]:
        return after
    generation = before["metadata"].get("generation", 0) + 1
    return after | {"metadata": after["metadata"] | {"generation": generation}}


def causes(resource: Resource, before: Object, after: Object, subresource: str) -> list[Cause]:
    """Why the change is refused; empty where it is allowed."""
    found = _metadata(before["metadata"], after["metadata"])
    if resource.plural == signing_requests.PLURAL:
        return found + signing_requests.change_causes(before, after, subresource)
    if subresource == "status":
        return found + (_pod_status(before, after) if resource.plural == "pods" else [])
    check = _CHECKS.get(resource.plural)
    return found + check(before, after) if check is not None else found


def _metadata(before: Object, after: Object) -> list[Cause]:
    uid = after.get("uid", before["uid"])
    if uid == before["uid"]:
        return []
    return [invalid_value("metadata.uid", json.dumps(uid), "field is immutable")]


def _pod_status(before: Object, after: Object) -> list[Cause]:
    old, new = before.get("status", {}), after.get("status", {})
    found: list[Cause] = []
    qos = new.get("qosClass", "")
    if qos != old.get("qosClass", ""):
        found.append(invalid_value("status.qosClass", json.dumps(qos), "field is immutable"))
    found += [cause for several in ("hostIPs", "podIPs") for cause in _addresses(new, several)]
    policy = before["spec"].get("restartPolicy")
    if policy == "Always":
        return found
    exits = {each["name"]: each["state"].get("terminated") for each in old.get("containerStatuses", ())}
    for index, status in enumerate(new.get("containerStatuses", ())):
        exited = exits.get(status.get("name"))
        if exited is None or "terminated" in status["state"]:
            continue
        if policy == "Never" or exited.get("exitCode") == 0:
            field = f"status.containerStatuses[{index}].state"
            found.append(forbidden(field, "may not be transitioned to non-terminated state"))
    return found


def _addresses(status: Object, several: str) -> list[Cause]:
    """One of each family at most; a strategic merge keeps the old address beside a new one."""
    addresses = [each["ip"] for each in status.get(several, ())]
    if len({":" in each for each in addresses}) == len(addresses):
        return []
    value = json.dumps([{"IP": each} for each in addresses], separators=(",", ":"))
    return [invalid_value(f"status.{several}", value, "may specify no more than one IP for each IP family")]


def _pod(before: Object, after: Object) -> list[Cause]:
    old, new = before["spec"], after["spec"]
    if old == new:
        return []
    found = _tolerations(old.get("tolerations", []), new.get("tolerations", []))
    found += _gates(old.get("schedulingGates", []), new.get("schedulingGates", []))
    found += _deadline(old.get("activeDeadlineSeconds"), new.get("activeDeadlineSeconds"))
    if found:
        return found
    gated = bool(old.get("schedulingGates"))
    rest_before, rest_after = _fixed(old, gated=gated), _fixed(new, gated=gated)
    if rest_before == rest_after:
        return []
    changed = sorted(
        key for key in rest_before.keys() | rest_after.keys() if rest_before.get(key) != rest_after.get(key)
    )
    lines = [
        f'{sign} "{key}": {json.dumps(rest.get(key))}\n'
        for key in changed
        for sign, rest in (("-", rest_before), ("+", rest_after))
    ]
    return [forbidden("spec", _POD_RULE + "".join(lines))]


def _fixed(spec: Object, *, gated: bool) -> Object:
    """The part of a pod's spec that no update may change."""
    free = {"tolerations", "schedulingGates", "activeDeadlineSeconds"}
    if gated:
        free |= {"nodeSelector", "affinity"}
    rest = {key: value for key, value in spec.items() if key not in free}
    for group in ("containers", "initContainers"):
        if group in rest:
            rest[group] = [
                {key: value for key, value in each.items() if key != "image"} for each in rest[group]
            ]
    return rest


def _tolerations(old: list[Object], new: list[Object]) -> list[Cause]:
    """Additions and other tolerationSeconds (of NoExecute ones) are allowed."""
    kept = [_timeless(each) for each in new]
    if all(_timeless(each) in kept for each in old):
        return []
    return [forbidden("spec.tolerations", _TOLERATION_RULE)]


def _timeless(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _gates(old: list[Object], new: list[Object]) -> list[Cause]:
    names = {each.get("name") for each in old}
    return [
        forbidden(
            f"spec.schedulingGates[{index}].name",
            f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'",
        )
        for index, gate in enumerate(new)
        if gate.get("name") not in names
    ]


def _deadline(old: int | None, new: int | None) -> list[Cause]:
    field = "spec.activeDeadlineSeconds"
    if old is None or (new is not None and new <= old):
        return []
    if new is None:
        return [invalid_value(field, "null", "must not update from a positive integer to nil value")]
    return [invalid_value(field, str(new), f"must be less than or equal to previous value {old}")]


def _selector(before: Object, after: Object) -> list[Cause]:
    old, new = before["spec"].get("selector"), after["spec"].get("selector")
    if old == new:
        return []
    text = json.dumps(new, separators=(",", ":"))
    return [invalid_value("spec.selector", text, "field is immutable")]


def _with(metadata: Object, name: str, value: Any) -> Object:
    rest = {key: each for key, each in metadata.items() if key != name}
    return rest if value is None else rest | {name: value}


_CHECKS: Final[dict[str, Callable[[Object, Object], list[Cause]]]] = {
    "pods": _pod,
    "deployments": _selector,
    "replicasets": _selector,
    "daemonsets": _selector,
    "secrets": stored_data.change_causes,
    "configmaps": stored_data.change_causes,
}
