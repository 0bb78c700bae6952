"""What one look at an installation showed; what could not be read is told apart from what is not there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, TypeVar

import msgspec

from app.doctor.rights import Program, Question, Setup
from app.model.actuator import SCHEDULER, TOLERATION, Actuator
from app.model.installed import Host, Workload
from app.model.lease import LeaseObject
from app.model.names import ENABLED, OVERFLOW, PERMITTED, TOLERANT
from app.model.namespace import SYSTEM, Namespace
from app.model.node import Node, is_virtual
from app.model.objects import ConfigMap, NetworkPolicy, Service
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.webhook_configuration import MutatingWebhookConfiguration
from app.model.wire import Json

ENTRY_SUFFIX: Final = ".overflow.spillway.dev"
"""How the names of our webhook's entries end; before it stands the path: enabled, permitted, tolerant."""

_NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""The label of each namespace that the API server sets."""

MORE_RIGHTS: Final = "have an administrator grant the right that the answer names, or run spillway doctor"

Word = Literal["enabled", "permitted", "tolerant"]
T = TypeVar("T")


class Unread(msgspec.Struct, frozen=True):
    """It could not be read: why, and what helps."""

    why: str
    mend: str = "spillway doctor, once more"


def known(found: tuple[T, ...] | Unread) -> tuple[T, ...]:
    """What was read; nothing where it could not be."""
    return () if isinstance(found, Unread) else found


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A pod that was created for trial: the API server went all the way and kept nothing.

    Attributes:
        namespace: where.
        word: which of the webhook's entries it was to go through.
        pod: what would have been stored.
    """

    namespace: str
    word: Word
    pod: Pod | Unread


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that somebody shows, and by what callers judge it.

    Attributes:
        what: whose it is, as `webhook`.
        where: at which address, or in which Secret, it was seen.
        host: the name or address that callers want to find in it.
        trusted: the PEM of whom they trust; empty where that cannot be known.
        chain: the PEM that is shown.
        is_verified: whether callers judge it unless they are told not to.
    """

    what: str
    where: str
    host: str
    trusted: bytes
    chain: bytes | Unread
    is_verified: bool = True


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the leader published of its settings, as far as it matters here."""

    actuator: Actuator = SCHEDULER
    early_burst: bool = False
    return_home: bool = True
    handover: bool = False


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """How `spillway status` judges it.

    Attributes:
        holder: who leads; empty where nobody does.
        troubles: what is wrong with gate and nodes, each with the mend.
        notes: what keeps it from bursting because somebody said so.
        unread: what we may not read, each with the mend.
    """

    holder: str = ""
    troubles: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()
    unread: tuple[str, ...] = ()


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One look.

    Attributes:
        now: when.
        server: the API server's version, as `v1.36.2`.
        own: this command's version.
        namespace: Spillway's own.
        policy: what the leader decides by; None where none has published it.
        gate: how gate and pods stand.
        workloads: the Deployments and StatefulSets of our namespace.
        installed: those of all namespaces that bear our label.
        webhooks: every MutatingWebhookConfiguration.
        trials: the pods that were tried.
        certificates: what is served.
        config_maps: of our namespace and of kube-system, by namespace.
        scheduler_leases: Leases that schedulers hold, by their key `namespace/name`.
        nodes: all nodes.
        hosts: the virtual ones, as the API server reaches them.
        healths: what the API server was told by each virtual node's own API.
        services_reached: what it was told by the Services of webhook and extender, by `namespace/name`.
        setup: what the programs' rights depend on.
        answers: whether each may.
        namespaces: all of them.
        services: those of kube-system.
        policies: all NetworkPolicies.
        karpenter: whether the API server knows its kinds.
        waiting: pods without a node that the labels of a virtual node would let onto it.
    """

    now: datetime
    server: str
    own: str
    namespace: str = "spillway"
    policy: Policy | None = Policy()
    gate: Gate | Unread = Gate()
    workloads: tuple[Workload, ...] | Unread = ()
    installed: tuple[Workload, ...] | Unread = ()
    webhooks: tuple[MutatingWebhookConfiguration, ...] | Unread = ()
    trials: tuple[Trial, ...] = ()
    certificates: tuple[Served, ...] = ()
    config_maps: Mapping[str, tuple[ConfigMap, ...] | Unread] = {}
    scheduler_leases: Mapping[str, LeaseObject | Unread | None] = {}
    nodes: tuple[Node, ...] | Unread = ()
    hosts: tuple[Host, ...] | Unread = ()
    healths: Mapping[str, str | Unread] = {}
    services_reached: Mapping[str, str | Unread] = {}
    setup: Setup
    answers: Mapping[tuple[Program, Question], bool] | Unread = {}
    namespaces: tuple[Namespace, ...] | Unread = ()
    services: tuple[Service, ...] | Unread = ()
    policies: tuple[NetworkPolicy, ...] | Unread = ()
    karpenter: bool | Unread = False
    waiting: tuple[Pod, ...] | Unread = ()

    @property
    def virtual(self) -> tuple[Node, ...]:
        """The virtual nodes; none where nodes cannot be read."""
        return tuple(node for node in known(self.nodes) if is_virtual(node))

    @property
    def opted_in(self) -> tuple[Namespace, ...]:
        """The namespaces whose pods may overflow; none where namespaces cannot be read."""
        return opted_in(known(self.namespaces))

    @property
    def actuator(self) -> Actuator:
        """How granted pods come onto the virtual node; by the entries of the webhook where nobody says."""
        if self.policy is not None:
            return self.policy.actuator
        found = ours(known(self.webhooks))
        paths = {entry.name.removesuffix(ENTRY_SUFFIX) for each in found for entry in each.webhooks}
        return TOLERATION if paths and TOLERANT not in paths else SCHEDULER


def ours(webhooks: tuple[MutatingWebhookConfiguration, ...]) -> tuple[MutatingWebhookConfiguration, ...]:
    """The configurations that call our webhook, whatever the release is named."""
    return tuple(
        each for each in webhooks if any(entry.name.endswith(ENTRY_SUFFIX) for entry in each.webhooks)
    )


def left_out(webhooks: tuple[MutatingWebhookConfiguration, ...] | Unread, *, own: str) -> frozenset[str]:
    """The namespaces whose pods our webhook is not asked about, whatever their labels.

    Args:
        webhooks: every configuration.
        own: Spillway's namespace.
    """
    found = ours(known(webhooks))
    named = [
        _named_otherwise(entry.namespace_selector)
        for each in found
        for entry in each.webhooks
        if entry.name.removesuffix(ENTRY_SUFFIX) in {ENABLED, PERMITTED}
    ]
    by_all = frozenset[str].intersection(*named) if named else frozenset[str]()
    return by_all | {SYSTEM, own}


def _named_otherwise(selector: Json) -> frozenset[str]:
    """The names that a namespace may not have."""
    expressions = (selector or {}).get("matchExpressions") or ()
    return frozenset(
        value
        for each in expressions
        if each.get("key") == _NAMESPACE_NAME and each.get("operator") == "NotIn"
        for value in each.get("values") or ()
    )


def component(workload: Workload) -> str:
    """Which of our programs a workload runs; empty where none."""
    labels = workload.metadata.labels
    is_ours = labels.get("app.kubernetes.io/part-of") == "spillway"
    return labels.get("app.kubernetes.io/component", "") if is_ours else ""


def homes(workloads: tuple[Workload, ...] | Unread, *, program: str = "") -> tuple[str, ...]:
    """The namespaces in which our programs are, or this one; none where that cannot be read."""
    found = (
        each.metadata.namespace
        for each in known(workloads)
        if component(each) and program in {"", component(each)}
    )
    return tuple(sorted(set(found)))


def opted_in(namespaces: tuple[Namespace, ...]) -> tuple[Namespace, ...]:
    """Those whose pods may overflow."""
    return tuple(each for each in namespaces if each.metadata.labels.get(OVERFLOW) in {ENABLED, PERMITTED})
