"""The next step of a Deployment's rollout, and what it says about itself: pure functions.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from app.local.cluster.controllers.objects import Deployment, ReplicaSet, RollingUpdate, share
from app.model.wire import Json

HASH_LABEL: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"
_SAFE: Final = "bcdfghjklmnpqrstvwxz2456789"
_HASH_LENGTH: Final = 10


class Limits(msgspec.Struct, frozen=True):
    """How many pods may be over, and how many may be unavailable, during a rollout."""

    surge: int
    unavailable: int


def limits(deployment: Deployment) -> Limits:
    """Per cent become pods: surge rounded up, unavailable down; both zero could never move."""
    if deployment.spec.strategy.type == "Recreate":
        return Limits(0, 0)
    rolling = deployment.spec.strategy.rolling_update or RollingUpdate()
    wanted = deployment.spec.replicas
    surge = share(rolling.max_surge, wanted, round_up=True)
    unavailable = min(wanted, share(rolling.max_unavailable, wanted, round_up=False))
    return Limits(surge, unavailable) if surge or unavailable else Limits(0, 1)


def template_hash(template: Mapping[str, Json]) -> str:
    """A short name for the template's content, in letters that spell no words."""
    digest = hashlib.sha256(json.dumps(_plain(template), sort_keys=True).encode()).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:_HASH_LENGTH])


def current(deployment: Deployment, owned: Sequence[ReplicaSet]) -> ReplicaSet | None:
    """The ReplicaSet with the Deployment's template, the oldest of several."""
    wanted = _plain(deployment.spec.template)
    same = [each for each in owned if _plain(each.spec.template) == wanted]
    return min(same, key=_age, default=None)


def scaled(
    deployment: Deployment, new: ReplicaSet | None, old: Sequence[ReplicaSet], *, old_pods: bool
) -> dict[str, int]:
    """The next `spec.replicas` of every ReplicaSet that should change, by name.

    Args:
        deployment: as it is now.
        new: the ReplicaSet of its template, if there is one.
        old: its other ReplicaSets.
        old_pods: whether any of their pods is not over yet, those on their way out included.
    """
    if deployment.spec.paused or new is None:
        return _scaled_paused(deployment, [*old, *([new] if new else [])])
    if deployment.spec.strategy.type == "Recreate":
        return _scaled_recreating(deployment, new, old, old_pods=old_pods)
    return _scaled_rolling(deployment, new, old)


def next_revision(owned: Sequence[ReplicaSet]) -> int:
    """One more than the highest revision so far."""
    return max((revision(each) for each in owned), default=0) + 1


def revision(replica_set: ReplicaSet) -> int:
    """The rollout that made it; 0 where the annotation is missing."""
    text = replica_set.metadata.annotations.get(REVISION, "")
    return int(text) if text.isdecimal() else 0


def outdated(deployment: Deployment, old: Sequence[ReplicaSet]) -> list[ReplicaSet]:
    """Empty ReplicaSets beyond `revisionHistoryLimit`, the oldest revisions."""
    empty = [
        each
        for each in old
        if each.spec.replicas == 0
        and each.status.replicas == 0
        and each.status.observed_generation >= each.metadata.generation
        and each.metadata.deletion_timestamp is None
    ]
    excess = len(old) - deployment.spec.revision_history_limit
    return sorted(empty, key=revision)[: max(0, excess)]


def _scaled_paused(deployment: Deployment, owned: Sequence[ReplicaSet]) -> dict[str, int]:
    """No step of the rollout, but a changed number of replicas still reaches a lone ReplicaSet."""
    running = [each for each in owned if each.spec.replicas > 0] or list(owned[-1:])
    if len(running) != 1 or running[0].spec.replicas == deployment.spec.replicas:
        return {}
    return {running[0].metadata.name: deployment.spec.replicas}


def _scaled_recreating(
    deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet], *, old_pods: bool
) -> dict[str, int]:
    """Everything old goes first; the new one grows when its pods are really gone."""
    if old_pods or any(each.spec.replicas for each in old):
        return {each.metadata.name: 0 for each in old if each.spec.replicas}
    return _changed({new.metadata.name: deployment.spec.replicas}, [new])


def _scaled_rolling(deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet]) -> dict[str, int]:
    wanted, allowed = deployment.spec.replicas, limits(deployment)
    total = new.spec.replicas + sum(each.spec.replicas for each in old)
    if new.spec.replicas >= wanted:
        grown = wanted
    else:
        room = max(0, wanted + allowed.surge - total)
        grown = new.spec.replicas + min(room, wanted - new.spec.replicas)
    if grown != new.spec.replicas:
        return {new.metadata.name: grown}
    return _changed(_shrunk(deployment, new, old, total=total), old)


def _shrunk(
    deployment: Deployment, new: ReplicaSet, old: Sequence[ReplicaSet], *, total: int
) -> dict[str, int]:
    """Old pods that are not available go first; then as many as availability allows, oldest first."""
    least = deployment.spec.replicas - limits(deployment).unavailable
    unavailable_new = new.spec.replicas - new.status.available_replicas
    budget = max(0, total - least - unavailable_new)
    sizes = {each.metadata.name: each.spec.replicas for each in sorted(old, key=_age)}
    for each in sorted(old, key=_age):
        broken = max(0, each.spec.replicas - each.status.available_replicas)
        drop = min(budget, broken)
        sizes[each.metadata.name] -= drop
        budget -= drop
    available = new.status.available_replicas + sum(each.status.available_replicas for each in old)
    spare = min(budget, max(0, available - least))
    for name, size in sizes.items():
        drop = min(spare, size)
        sizes[name] = size - drop
        spare -= drop
    return sizes


def _changed(sizes: Mapping[str, int], owned: Sequence[ReplicaSet]) -> dict[str, int]:
    now = {each.metadata.name: each.spec.replicas for each in owned}
    return {name: size for name, size in sizes.items() if now[name] != size}


def _plain(template: Mapping[str, Json]) -> dict[str, Json]:
    """The template without the label that the controller adds, and without what decoders leave empty."""
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH_LABEL}
    metadata.pop("creationTimestamp", None)
    return {**template, "metadata": {**metadata, "labels": labels}}


def _age(replica_set: ReplicaSet) -> tuple[str, str]:
    created = replica_set.metadata.creation_timestamp
    return (created.isoformat() if created else "", replica_set.metadata.name)
