"""What tasks find of the cluster's network: its DNS, and NetworkPolicies, which do not bind them."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, ok, skip, unread, warn
from app.doctor.seen import Seen, Unread, component, known
from app.model.names import NETWORK_POLICIES
from app.model.setting import named

DNS: Final = "dns"
POLICIES: Final = "policies"
_SERVICES: Final = ("kube-dns", "coredns")
_IGNORED: Final = "ignored"
_DOMAIN: Final = "SPILLWAY_CLUSTER_DOMAIN"


def check(seen: Seen) -> Iterator[Finding]:
    """DNS, then NetworkPolicies."""
    yield _dns(seen)
    yield from _policies(seen)


def _dns(seen: Seen) -> Finding:
    if isinstance(seen.services, Unread):
        return unread(DNS, "which Services are in kube-system", seen.services)
    found = [each for each in seen.services if each.metadata.name in _SERVICES]
    domain = _domain(seen)
    told = (
        f"tasks resolve names of Services under {domain}, where the VPC's resolver forwards that domain"
        if domain
        else "tasks resolve by the VPC's resolver, and no name of a Service: "
        f"{named('bridge', 'cluster_domain')} is not set"
    )
    if not found:
        return skip(
            DNS,
            f"no Service {' or '.join(_SERVICES)} is in kube-system; {told}",
            "kubectl run with nslookup, where this cluster has its DNS elsewhere",
        )
    address = found[0].spec.cluster_ip
    return ok(DNS, f"the cluster's DNS is {found[0].metadata.name} at {address}; {told}")


def _domain(seen: Seen) -> str:
    """What the bridge was told; empty where nothing, or where that cannot be seen."""
    return next(
        (
            variable.value
            for each in known(seen.workloads)
            if component(each) == "bridge"
            for container in each.spec.template.spec.containers
            for variable in container.env
            if variable.name == _DOMAIN
        ),
        "",
    )


def _policies(seen: Seen) -> Iterator[Finding]:
    if isinstance(seen.policies, Unread):
        yield unread(POLICIES, "which NetworkPolicies there are", seen.policies)
        return
    if isinstance(seen.namespaces, Unread):
        yield unread(POLICIES, "which namespaces' pods may overflow", seen.namespaces)
        return
    by_namespace: dict[str, list[str]] = defaultdict(list)
    for each in seen.policies:
        by_namespace[each.metadata.namespace].append(each.metadata.name)
    found = [each for each in seen.opted_in if each.name in by_namespace]
    for namespace in found:
        names = ", ".join(sorted(by_namespace[namespace.name]))
        if namespace.metadata.annotations.get(NETWORK_POLICIES) == _IGNORED:
            yield warn(
                POLICIES,
                f"{namespace.name} lets its pods overflow though NetworkPolicy {names} does not bind tasks",
                "see that their security groups say the same",
            )
        else:
            yield warn(
                POLICIES,
                f"{namespace.name} has NetworkPolicy {names}: pods that one selects are refused on Fargate, "
                "where it would not bind them",
                "say the same by security groups, then kubectl annotate namespace "
                f"{namespace.name} {NETWORK_POLICIES}={_IGNORED}",
            )
    if not found:
        yield ok(POLICIES, "no NetworkPolicy stands in a namespace whose pods may overflow")
