"""What each program must be allowed in the cluster, as data.

The chart grants it, `spillway doctor` asks for it, and tests compare both with the requests that the
adapters really make. Written as https://kubernetes.io/docs/reference/access-authn-authz/authorization/ has
it; what a program may do besides is not said here.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from app.model.names import GATE_LEASE

Program = Literal["extender", "bridge", "issuer"]
"""The webhook asks nobody."""

Place = Literal["cluster", "own", "overflow", "kube-system", "kube-node-lease"]
"""Everywhere, Spillway's namespace, the namespaces whose pods may overflow, or the one of that name."""

When = Literal["always", "toleration", "return-home", "handover", "signer", "approval", "insight"]
"""Which settings make it needed; `insight`: people run `spillway status` and `explain` in its pod."""

NODE: Final = "{node}"
PRIORITY_CLASS: Final = "{priority-class}"
SIGNER: Final = "{signer}"
TLS_SECRET: Final = "{tls-secret}"  # noqa: S105  (a placeholder for a name)
CA_SECRET: Final = "{ca-secret}"  # noqa: S105  (the same)
WEBHOOK: Final = "{webhook}"
"""Names that an installation chooses."""


class Right(msgspec.Struct, frozen=True):
    """Verbs on one resource.

    Attributes:
        program: who needs it.
        group: the API group; empty for the core.
        resource: with a subresource behind it, as `pods/status`.
        verbs: what is done.
        place: where.
        name: the object's; empty for any.
        when: which settings make it needed.
    """

    program: Program
    group: str
    resource: str
    verbs: tuple[str, ...]
    place: Place = "cluster"
    name: str = ""
    when: When = "always"


_WATCH: Final = ("list", "watch")
_READ: Final = ("get", "list", "watch")
_COORDINATION: Final = "coordination.k8s.io"
_CERTIFICATES: Final = "certificates.k8s.io"
_SCHEDULING: Final = "scheduling.k8s.io"

EXTENDER: Final[tuple[Right, ...]] = (
    Right("extender", "", "pods", _WATCH),
    Right("extender", "", "nodes", _READ),
    Right("extender", "", "namespaces", _WATCH),
    Right("extender", "karpenter.sh", "nodeclaims", _WATCH),
    Right("extender", "", "configmaps", _WATCH, "kube-system", "cluster-autoscaler-status"),
    Right("extender", "", "nodes/status", ("patch",), name=NODE),
    Right("extender", "", "events", ("create", "patch")),
    Right("extender", _COORDINATION, "leases", ("create",), "own"),
    Right("extender", _COORDINATION, "leases", ("get", "update"), "own", GATE_LEASE),
    Right("extender", "", "pods", ("patch",), when="toleration"),
    Right("extender", "", "pods/eviction", ("create",), when="return-home"),
    Right("extender", "apps", "replicasets", ("get",), when="return-home"),
    Right("extender", "apps", "statefulsets", ("get",), when="return-home"),
    Right("extender", "", "replicationcontrollers", ("get",), when="return-home"),
    Right("extender", "batch", "jobs", ("get",), when="return-home"),
    Right("extender", "", "pods", ("create", "delete"), "own", when="handover"),
    Right("extender", _SCHEDULING, "priorityclasses", ("create",), when="handover"),
    Right("extender", _SCHEDULING, "priorityclasses", ("get",), name=PRIORITY_CLASS, when="handover"),
    Right("extender", _COORDINATION, "leases", ("get",), "kube-node-lease", NODE, when="insight"),
    Right("extender", "", "pods", ("get",), when="insight"),
    Right("extender", "", "events", ("list",), when="insight"),
)
BRIDGE: Final[tuple[Right, ...]] = (
    Right("bridge", "", "nodes", ("create",)),
    Right("bridge", "", "nodes", ("get", "patch"), name=NODE),
    Right("bridge", "", "nodes/status", ("patch",), name=NODE),
    Right("bridge", _COORDINATION, "leases", ("create",), "kube-node-lease"),
    Right("bridge", _COORDINATION, "leases", ("get", "patch"), "kube-node-lease", NODE),
    Right("bridge", _COORDINATION, "leases", ("get",), "own", GATE_LEASE),
    Right("bridge", "", "pods", ("get", "list", "watch", "patch", "delete")),
    Right("bridge", "", "pods/status", ("patch",)),
    Right("bridge", "", "events", ("create", "patch")),
    Right("bridge", "", "namespaces", ("get",), name="kube-system"),
    Right("bridge", "", "namespaces", _WATCH),
    Right("bridge", "", "services", _WATCH),
    Right("bridge", "networking.k8s.io", "networkpolicies", _WATCH),
    Right("bridge", "", "persistentvolumes", ("get",)),
    Right("bridge", "", "configmaps", ("get",), "overflow"),
    Right("bridge", "", "secrets", ("get",), "overflow"),
    Right("bridge", "", "serviceaccounts", ("get",), "overflow"),
    Right("bridge", "", "serviceaccounts/token", ("create",), "overflow"),
    Right("bridge", "", "persistentvolumeclaims", ("get",), "overflow"),
    Right("bridge", "", "configmaps", ("get",), "kube-system", "extension-apiserver-authentication"),
    Right("bridge", "authentication.k8s.io", "tokenreviews", ("create",)),
    Right("bridge", "authorization.k8s.io", "subjectaccessreviews", ("create",)),
    Right("bridge", _CERTIFICATES, "certificatesigningrequests", ("create", "get"), when="signer"),
    Right("bridge", _CERTIFICATES, "certificatesigningrequests/approval", ("update",), when="approval"),
    Right("bridge", _CERTIFICATES, "signers", ("approve",), name=SIGNER, when="approval"),
)
ISSUER: Final[tuple[Right, ...]] = (
    Right("issuer", "", "secrets", ("create",), "own"),
    Right("issuer", "", "secrets", ("get", "patch"), "own", TLS_SECRET),
    Right("issuer", "", "secrets", ("get", "patch"), "own", CA_SECRET),
    Right(
        "issuer",
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        ("get", "patch"),
        name=WEBHOOK,
    ),
)
RIGHTS: Final = (*EXTENDER, *BRIDGE, *ISSUER)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a SubjectAccessReview; an empty namespace means all of them, or none."""

    user: str
    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """Kubernetes' ResourceAttributes."""
        resource, _, subresource = self.resource.partition("/")
        return {
            "verb": self.verb,
            "group": self.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": self.namespace,
            "name": self.name,
        }

    def __str__(self) -> str:
        qualified = f"{self.resource}.{self.group}" if self.group else self.resource
        which = f" {self.name}" if self.name else ""
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {qualified}{which}{where}"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation chose.

    Attributes:
        namespace: Spillway's own.
        accounts: the programs' service accounts in it.
        when: which settings are on.
        overflow: the namespaces whose pods may overflow.
        nodes: the virtual nodes.
        names: what stands for the placeholders of names that are no node's.
    """

    namespace: str
    accounts: dict[Program, str]
    when: frozenset[When]
    overflow: tuple[str, ...]
    nodes: tuple[str, ...]
    names: dict[str, str]


def user_of(namespace: str, account: str) -> str:
    """The user name of a service account."""
    return f"system:serviceaccount:{namespace}:{account}"


def groups_of(namespace: str) -> tuple[str, ...]:
    """The groups that every service account of a namespace belongs to."""
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")


def questions(setup: Setup, *, rights: Iterable[Right] = RIGHTS) -> Iterator[tuple[Program, Question]]:
    """What has to be asked to know whether every program may do its work."""
    for right in rights:
        account = setup.accounts.get(right.program)
        if account is None or right.when not in setup.when | {"always"}:
            continue
        for namespace in _places(right.place, setup):
            for name in _names(right.name, setup):
                for verb in right.verbs:
                    yield (
                        right.program,
                        Question(
                            user=user_of(setup.namespace, account),
                            verb=verb,
                            group=right.group,
                            resource=right.resource,
                            namespace=namespace,
                            name=name,
                        ),
                    )


def _places(place: Place, setup: Setup) -> tuple[str, ...]:
    match place:
        case "cluster":
            return ("",)
        case "own":
            return (setup.namespace,)
        case "overflow":
            return setup.overflow
        case _:
            return (place,)


def _names(name: str, setup: Setup) -> tuple[str, ...]:
    """A name that nobody knows is not asked for."""
    if name == NODE:
        return setup.nodes
    if not name.startswith("{"):
        return (name,)
    known = setup.names.get(name, "")
    return (known,) if known else ()
