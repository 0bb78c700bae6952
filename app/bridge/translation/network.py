"""What a namespace says about its tasks' network: security groups, and policies that do not bind there."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.model.names import NETWORK_POLICIES, SECURITY_GROUPS
from app.model.objects import NetworkPolicy
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.wire import Json, Wire

MOST_GROUPS: Final = 5
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html"""

IGNORED: Final = "ignored"

_GROUP: Final = re.compile(r"sg-[0-9a-f]{8,32}")


class _Requirement(Wire, frozen=True):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class _Selector(Wire, frozen=True):
    match_labels: dict[str, str] = {}
    match_expressions: tuple[_Requirement, ...] = ()


def security_groups(namespace: Mapping[str, str]) -> tuple[str, ...] | Reason:
    """The security groups that the namespace's annotation names, in its order; none where it names none."""
    words = (each.strip() for each in namespace.get(SECURITY_GROUPS, "").split(","))
    groups = tuple(dict.fromkeys(filter(None, words)))
    wrong = [each for each in groups if _GROUP.fullmatch(each) is None]
    if wrong:
        message = f'"{wrong[0]}" is no security group; write sg-…, with commas between'
    elif len(groups) > MOST_GROUPS:
        message = f"{len(groups)} security groups exceed the {MOST_GROUPS} that ECS takes; name fewer"
    else:
        return groups
    return Reason("InvalidSecurityGroups", f"the namespace's annotation {SECURITY_GROUPS}: {message}")


def policy_refusals(
    pod: Pod, *, policies: Iterable[NetworkPolicy], namespace: Mapping[str, str]
) -> tuple[Reason, ...]:
    """Why the pod's NetworkPolicies keep it from Fargate, where nothing would enforce them.

    A network plugin enforces policies on a node; a task's interface knows security groups only. Running
    without the protection that somebody wrote down needs a word from the namespace.
    """
    if namespace.get(NETWORK_POLICIES) == IGNORED:
        return ()
    names = sorted(each.metadata.name for each in policies if selects(each, pod=pod))
    if not names:
        return ()
    return (
        Reason(
            "NetworkPolicy",
            f"NetworkPolicy {', '.join(names)} selects the pod and would not bind its task; use security "
            f"groups ({SECURITY_GROUPS}), and set {NETWORK_POLICIES}={IGNORED} on the namespace",
            "metadata.labels",
        ),
    )


def selects(policy: NetworkPolicy, *, pod: Pod) -> bool:
    """Whether the policy is about the pod; an empty selector is about every pod of the namespace.

    A selector that cannot be read selects: the policy may be about the pod.
    https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements
    """
    if policy.metadata.namespace != pod.metadata.namespace:
        return False
    selector = _selector(policy.spec.pod_selector)
    if selector is None:
        return True
    labels = pod.metadata.labels
    plain = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return plain and all(_meets(each, labels) for each in selector.match_expressions)


def _selector(wire: Json) -> _Selector | None:
    try:
        return msgspec.convert(wire or {}, _Selector)
    except msgspec.ValidationError:
        return None


def _meets(requirement: _Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value in requirement.values
        case "NotIn":
            return value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return True
