"""The resources that the embedded API server serves, as `kubectl api-resources` lists them."""

from typing import Final

import msgspec

OBJECT_VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One resource. `type` names its schema; `storage` the plural its objects are kept under."""

    plural: str
    kind: str
    group: str
    type: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    spec_generation: bool = False
    review: bool = False

    @property
    def api_version(self) -> str:
        """ApiVersion of its objects. Everything we serve is v1."""
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def storage(self) -> str:
        """Events of both groups are the same objects; every other plural is its own."""
        return self.plural

    @property
    def qualified(self) -> str:
        """The plural as error messages have it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """The kind as error messages have it: `Deployment.apps`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def prefix(self) -> str:
        """Where its paths begin: `/api/v1` or `/apis/apps/v1`."""
        return f"/apis/{self.group}/v1" if self.group else "/api/v1"

    @property
    def verbs(self) -> tuple[str, ...]:
        """What may be done with it."""
        return ("create",) if self.review else OBJECT_VERBS


def _core(plural: str, kind: str, *short: str, **more: object) -> Resource:
    return msgspec.convert(
        {"plural": plural, "kind": kind, "group": "", "type": f"core.{kind}", "short": short, **more},
        Resource,
    )


def _named(group: str, plural: str, kind: str, *short: str, **more: object) -> Resource:
    package = group.split(".", maxsplit=1)[0]
    return msgspec.convert(
        {"plural": plural, "kind": kind, "group": group, "type": f"{package}.{kind}", "short": short, **more},
        Resource,
    )


STREAMED: Final = ("exec", "attach", "portforward")
"""Subresources of pods that begin with an upgrade of the connection."""

_ALL: Final = ("all",)
_STATUS: Final = ("status",)
_SCALED: Final = ("status", "scale")
RESOURCES: Final = (
    _core("configmaps", "ConfigMap", "cm"),
    _core("endpoints", "Endpoints", "ep"),
    _core("events", "Event", "ev"),
    _core("namespaces", "Namespace", "ns", namespaced=False, subresources=("status", "finalize")),
    _core("nodes", "Node", "no", namespaced=False, subresources=_STATUS),
    _core("persistentvolumes", "PersistentVolume", "pv", namespaced=False, subresources=_STATUS),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", subresources=_STATUS),
    _core(
        "pods",
        "Pod",
        "po",
        categories=_ALL,
        subresources=("status", "log", "binding", "eviction", *STREAMED),
        spec_generation=True,
    ),
    _core("secrets", "Secret"),
    _core("serviceaccounts", "ServiceAccount", "sa", subresources=("token",)),
    _core("services", "Service", "svc", categories=_ALL, subresources=_STATUS),
    _named(
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        namespaced=False,
        categories=("api-extensions",),
        spec_generation=True,
    ),
    _named(
        "apps", "daemonsets", "DaemonSet", "ds", categories=_ALL, subresources=_STATUS, spec_generation=True
    ),
    _named(
        "apps",
        "deployments",
        "Deployment",
        "deploy",
        categories=_ALL,
        subresources=_SCALED,
        spec_generation=True,
    ),
    _named(
        "apps", "replicasets", "ReplicaSet", "rs", categories=_ALL, subresources=_SCALED, spec_generation=True
    ),
    _named("authentication.k8s.io", "tokenreviews", "TokenReview", namespaced=False, review=True),
    _named(
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        namespaced=False,
        review=True,
    ),
    _named(
        "authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview", namespaced=False, review=True
    ),
    _named("batch", "jobs", "Job", categories=_ALL, subresources=_STATUS, spec_generation=True),
    _named(
        "certificates.k8s.io",
        "certificatesigningrequests",
        "CertificateSigningRequest",
        "csr",
        namespaced=False,
        subresources=("status", "approval"),
    ),
    _named("coordination.k8s.io", "leases", "Lease"),
    _named("discovery.k8s.io", "endpointslices", "EndpointSlice", spec_generation=True),
    _named("events.k8s.io", "events", "Event", "ev"),
    _named("networking.k8s.io", "networkpolicies", "NetworkPolicy", "netpol", spec_generation=True),
    _named(
        "policy",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        "pdb",
        subresources=_STATUS,
        spec_generation=True,
    ),
    _named(
        "scheduling.k8s.io", "priorityclasses", "PriorityClass", "pc", namespaced=False, spec_generation=True
    ),
)
BY_PATH: Final = {(each.group, each.plural): each for each in RESOURCES}
BY_PLURAL: Final = {each.plural: each for each in reversed(RESOURCES)}
BY_KIND: Final = {(each.group, each.kind): each for each in RESOURCES}
GROUPS: Final = tuple(dict.fromkeys(each.group for each in RESOURCES if each.group))
