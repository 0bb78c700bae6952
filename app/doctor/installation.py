"""What an installation chose, by its workloads and what its leader published; and what is tried there."""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.doctor.configurations import Configuration, Held, is_ours
from app.doctor.rights import CA_SECRET, PRIORITY_CLASS, SIGNER, TLS_SECRET, WEBHOOK, Program, Setup, When
from app.doctor.seen import Policy, Word, component, opted_in, ours
from app.model.actuator import OUR_TOLERATION, SCHEDULER, Actuator
from app.model.installed import Host, Workload
from app.model.names import DISABLED, ENABLED, OVERFLOW, PERMITTED, TOLERANT
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.webhook_configuration import MutatingWebhookConfiguration, ServiceReference
from app.model.wire import Json

DEFAULT_SECRET: Final = "spillway-tls"  # noqa: S105  (a name)
_ASKING: Final[tuple[Program, ...]] = ("extender", "bridge", "issuer")
_HTTPS: Final = 443
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


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody serves TLS.

    Attributes:
        what: whose it is.
        host: where it listens.
        port: likewise.
        name: what callers want to find in its certificate.
        trusted: the PEM of whom they trust; empty where that cannot be known.
        in_secret: whether it serves from the Secret of the installation.
    """

    what: str
    host: str
    port: int
    name: str
    trusted: bytes = b""
    in_secret: bool = False


def endpoints(
    webhooks: tuple[MutatingWebhookConfiguration, ...],
    configurations: Iterable[Held],
    hosts: Iterable[Host],
    *,
    namespace: str,
) -> tuple[Endpoint, ...]:
    """Every place where a certificate of ours is judged, once each."""
    return tuple(
        dict.fromkeys((*_of_webhooks(webhooks), *_of_extenders(configurations, namespace), *_of_nodes(hosts)))
    )


def services(asked: Iterable[Endpoint]) -> tuple[ServiceReference, ...]:
    """Those of these places that are Services by their names, once each."""
    named = ((each.host.split("."), each.port) for each in asked)
    return tuple(
        dict.fromkeys(
            ServiceReference(name=parts[0], namespace=parts[1], port=port)
            for parts, port in named
            if parts[2:3] == ["svc"]
        )
    )


def _of_webhooks(webhooks: tuple[MutatingWebhookConfiguration, ...]) -> Iterator[Endpoint]:
    for each in ours(webhooks):
        for entry in each.webhooks:
            config = entry.client_config
            if config.service is not None:
                name = f"{config.service.name}.{config.service.namespace}.svc"
                yield Endpoint(
                    what="the webhook's certificate",
                    host=name,
                    port=config.service.port,
                    name=name,
                    trusted=config.ca_bundle,
                    in_secret=True,
                )
            else:
                yield _at("the webhook's certificate", config.url, trusted=config.ca_bundle)


def _of_extenders(configurations: Iterable[Held], namespace: str) -> Iterator[Endpoint]:
    for each in configurations:
        if not isinstance(each.configuration, Configuration):
            continue
        for extender in each.configuration.extenders:
            if is_ours(extender, namespace=namespace) and extender.url_prefix.startswith("https://"):
                tls = extender.tls_config
                yield _at(
                    "the extender's certificate",
                    extender.url_prefix,
                    name=tls.server_name if tls else "",
                    trusted=tls.ca_data if tls else b"",
                )


def _at(what: str, url: str, *, name: str = "", trusted: bytes) -> Endpoint:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return Endpoint(
        what=what,
        host=host,
        port=parts.port or _HTTPS,
        name=name or host,
        trusted=trusted,
        in_secret=_is_service(host) or _is_service(name),
    )


def _is_service(name: str) -> bool:
    return name.endswith(".svc") or ".svc." in name


def _of_nodes(hosts: Iterable[Host]) -> Iterator[Endpoint]:
    for each in hosts:
        address = next((one.address for one in each.status.addresses if one.type == "InternalIP"), "")
        port = each.status.daemon_endpoints.kubelet_endpoint.port
        if address and port:
            what = f"the node's API of {each.metadata.name}, its certificate"
            yield Endpoint(what=what, host=address, port=port, name=address)
