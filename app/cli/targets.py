"""What `spillway explain` is asked about: manifests, pods, and controllers for all their pods."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

STANDARD_INPUT: Final = "-"
_NAME: Final = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_PATH: Final = re.compile(rf"({_NAME})/({_NAME})")
_FILE_ENDINGS: Final = (".yaml", ".yml", ".json")
_PODS: Final = frozenset({"po", "pod", "pods"})
_KINDS: Final[Mapping[str, str]] = {
    "deploy": "Deployment",
    "rs": "ReplicaSet",
    "sts": "StatefulSet",
    "ds": "DaemonSet",
    "job": "Job",
    "deployment": "Deployment",
    "replicaset": "ReplicaSet",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
}
"""Kinds as kubectl takes them, besides their plurals and groups."""


class Owner(msgspec.Struct, frozen=True):
    """A controller whose pods are asked about."""

    kind: str
    namespace: str
    name: str


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments sorted out; `faults` are those that say nothing, each with its mend."""

    files: tuple[str, ...] = ()
    pods: tuple[tuple[str, str], ...] = ()
    owners: tuple[Owner, ...] = ()
    faults: tuple[str, ...] = ()


_Target = str | tuple[str, str] | Owner | ValueError


def sorted_out(targets: Sequence[str], *, namespace: str) -> Targets:
    """Which of the targets are files, which are pods, and which are controllers.

    With a namespace all are in it: `NAME`, or `KIND/NAME` as kubectl takes it. Without one, what is no file
    and reads `NAMESPACE/NAME` is a pod.
    """
    found = [_within(each, namespace) if namespace else _anywhere(each) for each in targets]
    return Targets(
        files=tuple(each for each in found if isinstance(each, str)),
        pods=tuple(each for each in found if isinstance(each, tuple)),
        owners=tuple(each for each in found if isinstance(each, Owner)),
        faults=tuple(str(each) for each in found if isinstance(each, ValueError)),
    )


def _within(target: str, namespace: str) -> _Target:
    if target == STANDARD_INPUT or target.endswith(_FILE_ENDINGS):
        return ValueError(
            f"{target} is a manifest, and with -n all are pods of {namespace}: leave -n out for it"
        )
    kind, _, name = target.rpartition("/")
    if not kind or kind in _PODS or kind == namespace:
        return (namespace, name)
    known = _kind(kind)
    if known is None:
        return ValueError(
            f"{target}: pods are asked for, as NAME; of controllers deployment, replicaset, statefulset, "
            f"daemonset and job are known; `kubectl get pods -n {namespace}` shows the pods"
        )
    return Owner(known, namespace, name)


def _anywhere(target: str) -> _Target:
    match = _PATH.fullmatch(target)
    if match is None or target.endswith(_FILE_ENDINGS) or Path(target).exists():
        return target
    first, name = match[1], match[3]
    if first in _PODS or _kind(first) is not None:
        return ValueError(
            f"{target} needs its namespace: {target} -n NAMESPACE (a pod of {first}: {name} -n {first})"
        )
    return (first, name)


def _kind(word: str) -> str | None:
    """The kind that a word is kubectl's for, as `deployments.apps`."""
    singular = word.lower().partition(".")[0]
    return _KINDS.get(singular) or _KINDS.get(singular.removesuffix("s"))
