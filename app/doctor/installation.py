"""What an installation chose, by its workloads and what its leader published, and the pods to try there."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from app.doctor.rights import CA_SECRET, PRIORITY_CLASS, SIGNER, TLS_SECRET, WEBHOOK, Program, Setup, When
from app.doctor.seen import Policy, Word, component, opted_in
from app.model.actuator import OUR_TOLERATION, SCHEDULER, Actuator
from app.model.installed import Workload
from app.model.names import DISABLED, ENABLED, OVERFLOW, PERMITTED, TOLERANT
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.wire import Json

DEFAULT_SECRET: Final = "spillway-tls"  # noqa: S105  (a name)
_ASKING: Final[tuple[Program, ...]] = ("extender", "bridge", "issuer")
_VARIABLES: Final = {
    PRIORITY_CLASS: "SPILLWAY_PLACEHOLDER_PRIORITY_CLASS",
    SIGNER: "SPILLWAY_KUBELET_CERT_SIGNER",
    TLS_SECRET: "SPILLWAY_TLS_SECRET",
    CA_SECRET: "SPILLWAY_CA_SECRET",
    WEBHOOK: "SPILLWAY_WEBHOOK_CONFIGURATION",
}


def setup_of(
    workloads: Iterable[Workload],
    *,
    namespace: str,
    policy: Policy,
    nodes: Iterable[Node],
    namespaces: tuple[Namespace, ...],
) -> Setup:
    """What the programs' rights depend on.

    Args:
        workloads: of Spillway's namespace.
        namespace: its name.
        policy: what the leader published.
        nodes: the virtual nodes.
        namespaces: all of the cluster.
    """
    programs = {component(each): each for each in workloads}
    variables = {key: value for each in programs.values() for key, value in _environment(each)}
    return Setup(
        namespace=namespace,
        accounts={
            program: programs[program].spec.template.spec.service_account_name or "default"
            for program in _ASKING
            if program in programs
        },
        when=frozenset(_when(policy, variables)),
        overflow=tuple(each.name for each in opted_in(namespaces)),
        nodes=tuple(each.name for each in nodes),
        names={name: variables.get(variable, "") for name, variable in _VARIABLES.items()},
    )


def _when(policy: Policy, variables: dict[str, str]) -> Iterator[When]:
    if policy.actuator != SCHEDULER:
        yield "toleration"
    if policy.return_home:
        yield "return-home"
    if policy.handover:
        yield "handover"
    if variables.get("SPILLWAY_KUBELET_CERT_SIGNER"):
        yield "signer"
    if variables.get("SPILLWAY_KUBELET_CERT_APPROVE") == "true":
        yield "approval"


def _environment(workload: Workload) -> Iterator[tuple[str, str]]:
    for container in workload.spec.template.spec.containers:
        for each in container.env:
            yield each.name, each.value


def tls_secret(workloads: Iterable[Workload]) -> str:
    """The Secret that webhook and extender serve from."""
    mounted = (
        volume.secret.secret_name
        for each in workloads
        if component(each) in {"webhook", "extender"}
        for volume in each.spec.template.spec.volumes
        if volume.secret is not None
    )
    return next(mounted, DEFAULT_SECRET)


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A pod to try: where, through which entry, and its JSON."""

    namespace: str
    word: Word
    pod: Json


def attempts(
    namespaces: tuple[Namespace, ...], *, unasked: frozenset[str], actuator: Actuator
) -> Iterator[Attempt]:
    """One for each of the webhook's entries that some namespace lets us try.

    Args:
        namespaces: all of the cluster.
        unasked: those that the webhook leaves out.
        actuator: whether tolerant pods are marked.
    """
    words: tuple[Word, ...] = (ENABLED, PERMITTED)
    for word in words:
        for each in opted_in(namespaces):
            is_left_out = each.name in unasked or each.metadata.deletion_timestamp is not None
            if each.metadata.labels[OVERFLOW] == word and not is_left_out:
                yield Attempt(namespace=each.name, word=word, pod=_pod(ENABLED, []))
                break
    if actuator == SCHEDULER:
        yield Attempt(namespace="default", word=TOLERANT, pod=_pod(DISABLED, [dict(OUR_TOLERATION)]))


def _pod(word: str, tolerations: list[Json]) -> Json:
    """As strict as the strictest of Pod Security Standards wants it."""
    container = {
        "name": "main",
        "image": "registry.k8s.io/pause:3.10",
        "resources": {name: {"cpu": "10m", "memory": "16Mi"} for name in ("requests", "limits")},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "spillway-doctor-", "labels": {OVERFLOW: word}},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [container],
            "restartPolicy": "Never",
            "tolerations": tolerations,
        },
    }
