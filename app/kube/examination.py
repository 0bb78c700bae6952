"""One read-only look at an installation: its workloads, whom the API server calls, and what accounts may do.

Nothing here is optional: what may not be read, or is not there, raises; whoever asks says what it means.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.kube import paths
from app.kube.answers import decoded
from app.kube.listing import complete
from app.kube.transport import Query, Transport
from app.kube.watch_events import W
from app.model.installed import Host, Workload
from app.model.objects import ConfigMap, NetworkPolicy, Secret, Service
from app.model.pod import Pod
from app.model.webhook_configuration import MutatingWebhookConfiguration, ServiceReference
from app.model.wire import Json, Wire
from app.ports.failures import NotFound, Unavailable

_TIMEOUT: Final = 10.0


class _Verdict(Wire, frozen=True):
    allowed: bool = False


class _AccessReview(Wire, frozen=True):
    status: _Verdict


class Examination:
    """Reads once. Everything raises `app.ports.failures`."""

    def __init__(self, connection: Transport) -> None:
        self._connection = connection

    async def workloads(self, namespace: str) -> tuple[Workload, ...]:
        """The Deployments and StatefulSets of a namespace."""
        root = f"/apis/apps/v1/namespaces/{namespace}"
        deployments = await self._all(f"{root}/deployments", Workload)
        try:
            return (*deployments, *await self._all(f"{root}/statefulsets", Workload))
        except NotFound:  # an API server without that kind
            return deployments

    async def installed(self) -> tuple[Workload, ...]:
        """The Deployments and StatefulSets of all namespaces that a chart of Spillway made."""
        query: Query = {"labelSelector": "app.kubernetes.io/part-of=spillway"}
        deployments = await self._all("/apis/apps/v1/deployments", Workload, query=query)
        try:
            return (*deployments, *await self._all("/apis/apps/v1/statefulsets", Workload, query=query))
        except NotFound:  # an API server without that kind
            return deployments

    async def webhooks(self) -> tuple[MutatingWebhookConfiguration, ...]:
        """Every MutatingWebhookConfiguration."""
        return await self._all(paths.MUTATING_WEBHOOK_CONFIGURATIONS, MutatingWebhookConfiguration)

    async def config_maps(self, namespace: str) -> tuple[ConfigMap, ...]:
        """The ConfigMaps of a namespace."""
        return await self._all(paths.config_maps(namespace), ConfigMap)

    async def services(self, namespace: str) -> tuple[Service, ...]:
        """The Services of a namespace."""
        return await self._all(f"{paths.namespace(namespace)}/services", Service)

    async def network_policies(self) -> tuple[NetworkPolicy, ...]:
        """All NetworkPolicies."""
        return await self._all(paths.NETWORK_POLICIES, NetworkPolicy)

    async def host(self, node: str) -> Host:
        """A node as the API server reaches it."""
        path = paths.node(node)
        return decoded(await self._connection.request("GET", path), Host, asked=f"GET {path}")

    async def health(self, node: str) -> str:
        """What the node's own API says of itself, asked through the API server.

        https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
        """
        path = f"{paths.node(node)}/proxy/healthz"
        answer = await self._connection.request("GET", path, timeout=_TIMEOUT)
        return answer.decode(errors="replace").strip()

    async def readiness(self, service: ServiceReference) -> str:
        """What a Service's program says of itself, asked by the API server, which verifies no certificate.

        https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/
        """
        where = f"https:{service.name}:{service.port}"
        path = f"{paths.namespace(service.namespace)}/services/{where}/proxy/readyz"
        answer = await self._connection.request("GET", path, timeout=_TIMEOUT)
        return answer.decode(errors="replace").strip()

    async def certificate(self, namespace: str, name: str) -> bytes:
        """`tls.crt` of a Secret; nothing else of it is kept."""
        path = paths.secret(namespace, name)
        data = await self._connection.request("GET", path)
        try:
            return msgspec.json.decode(data, type=Secret).data.get("tls.crt", b"")
        except msgspec.MsgspecError as error:
            # Not chained to what holds the answer: that is confidential.
            raise Unavailable(f"GET {path}: the answer is no Secret ({type(error).__name__})") from None

    async def may(self, user: str, groups: tuple[str, ...], attributes: Mapping[str, str]) -> bool:
        """Whether somebody may do something; the attributes are Kubernetes' ResourceAttributes.

        https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
        """
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": list(groups), "resourceAttributes": dict(attributes)},
        }
        path = paths.SUBJECT_ACCESS_REVIEWS
        data = await self._connection.request("POST", path, body=body, timeout=_TIMEOUT)
        return decoded(data, _AccessReview, asked=f"POST {path}").status.allowed

    async def trial(self, namespace: str, pod: Json) -> Pod:
        """The pod as it would be stored; nothing is.

        https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
        """
        path = paths.pods(namespace)
        data = await self._connection.request("POST", path, query={"dryRun": "All"}, body=pod)
        return decoded(data, Pod, asked=f"POST {path}")

    async def waiting(self) -> tuple[Pod, ...]:
        """The pods of all namespaces that have no node."""
        return await self._all(paths.PODS, Pod, query={"fieldSelector": "spec.nodeName="})

    async def has_karpenter(self) -> bool:
        """Whether the API server knows Karpenter's kinds."""
        try:
            await self._connection.request("GET", paths.KARPENTER)
        except NotFound:
            return False
        return True

    async def _all(self, path: str, kind: type[W], *, query: Query | None = None) -> tuple[W, ...]:
        return (await complete(self._connection, path, query=query or {}, kind=kind)).values
