"""Whether Kubernetes is of a version that Spillway is tried on, and all programs of the same one.

Minor versions are compared: https://kubernetes.io/releases/version-skew-policy/
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, fail, ok, skip, unread, warn
from app.doctor.seen import Seen, Unread, component, homes, ours
from app.model.installed import Workload

KUBERNETES: Final = "kubernetes"
PROGRAMS: Final = "programs"
OLDEST: Final = (1, 29)
NEWEST: Final = (1, 37)
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)")
_LABEL: Final = "app.kubernetes.io/version"
NEEDED: Final = frozenset({"webhook", "extender", "bridge"})


def check(seen: Seen) -> Iterator[Finding]:
    """Kubernetes, then our programs."""
    yield _kubernetes(seen)
    if isinstance(seen.workloads, Unread):
        yield unread(PROGRAMS, f"which Deployments are in {seen.namespace}", seen.workloads)
    elif programs := tuple(each for each in seen.workloads if component(each)):
        yield _programs(programs, seen)
        yield from _standing(programs, seen)
    else:
        yield _absent(seen)
    yield from _rivals(seen)


def _absent(seen: Seen) -> Finding:
    """None of our programs is in the namespace that was looked at."""
    elsewhere = homes(seen.installed)
    if elsewhere:
        return fail(
            PROGRAMS,
            f"no Deployment of Spillway is in {seen.namespace}; there are some in {', '.join(elsewhere)}",
            f"spillway doctor --namespace {elsewhere[0]}",
        )
    if _is_nowhere(seen):
        return fail(
            PROGRAMS,
            f"nothing of Spillway is in this cluster: no Deployment in {seen.namespace}, no webhook, and no "
            "virtual node",
            "helm install (docs/install.md), or name another cluster by --kubeconfig",
        )
    return skip(
        PROGRAMS,
        f"no Deployment of Spillway is in {seen.namespace}: where the programs run is unknown",
        "spillway doctor --namespace NAMESPACE, where they run in another one",
    )


def _rivals(seen: Seen) -> Iterator[Finding]:
    """Extenders elect their leader by a Lease of their own namespace."""
    found = homes(seen.installed, program="extender")
    if len(found) > 1:
        yield fail(
            PROGRAMS,
            f"extenders are in several namespaces ({', '.join(found)}): each elects a leader of its own, and "
            "both write the same virtual nodes",
            "helm uninstall all but one of these releases (extender.enabled=false where a bridge is to stay)",
        )


def _is_nowhere(seen: Seen) -> bool:
    """Whether no trace is seen in the whole cluster; what may not be read may be there."""
    if isinstance(seen.nodes, Unread) or isinstance(seen.webhooks, Unread):
        return False
    return not seen.virtual and not ours(seen.webhooks)


def minor(version: str) -> tuple[int, int] | None:
    """Major and minor version; None where it is no version."""
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2])) if found else None


def _kubernetes(seen: Seen) -> Finding:
    version = minor(seen.server)
    if version is None:
        return warn(KUBERNETES, f'"{seen.server}" is no version that can be compared', "kubectl version")
    if version < OLDEST:
        return fail(
            KUBERNETES,
            f"{seen.server} is older than {_text(OLDEST)}, the oldest that Spillway is made for",
            "upgrade the cluster",
        )
    if version > NEWEST:
        return warn(
            KUBERNETES,
            f"{seen.server} is newer than {_text(NEWEST)}, the newest that this Spillway was tried on",
            "helm upgrade to a newer Spillway where there is one",
        )
    return ok(KUBERNETES, seen.server)


def _programs(programs: tuple[Workload, ...], seen: Seen) -> Finding:
    """The scheduler of ours is of the cluster's version, and its label is the chart's like all others."""
    by_version: dict[str, list[str]] = defaultdict(list)
    for each in programs:
        by_version[version_of(each)].append(component(each))
    told = "; ".join(
        f"{version}: {', '.join(sorted(names))}" for version, names in sorted(by_version.items())
    )
    upgrade = f"helm upgrade, and kubectl -n {seen.namespace} rollout status deployment,statefulset"
    if len(by_version) > 1:
        return warn(PROGRAMS, f"the programs are of several versions ({told})", upgrade)
    own = next(iter(by_version))
    if own != seen.own:
        return warn(
            PROGRAMS,
            f"{told}; this command is {seen.own}, and may judge by other rules",
            f"use the spillway command of version {own}",
        )
    # Whether they run elsewhere, or nowhere, is seen by what they do: the checks of webhook and gate.
    elsewhere = NEEDED - {component(each) for each in programs}
    return ok(
        PROGRAMS, f"{told}; not in {seen.namespace}: {', '.join(sorted(elsewhere))}" if elsewhere else told
    )


def version_of(workload: Workload) -> str:
    """By the label of its pods, or else by the tag of its image."""
    template = workload.spec.template
    label = template.metadata.labels.get(_LABEL) or workload.metadata.labels.get(_LABEL)
    if label:
        return label
    image = template.spec.containers[0].image if template.spec.containers else ""
    _, _, tag = image.rpartition("/")[2].partition(":")
    return tag or "unknown"


def _standing(programs: tuple[Workload, ...], seen: Seen) -> Iterator[Finding]:
    for each in programs:
        wanted = 1 if each.spec.replicas is None else each.spec.replicas
        ready = each.status.ready_replicas
        if wanted and not ready:
            yield fail(
                PROGRAMS,
                f"none of the {wanted} pods of {each.metadata.name} is Ready",
                f"kubectl -n {seen.namespace} describe pods -l app.kubernetes.io/component={component(each)}",
            )


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
