"""Where webhook, extender and bridges serve, and by what their callers judge them."""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.doctor.configurations import Configuration, Held, is_ours
from app.doctor.seen import Unread, known, ours
from app.model.installed import Host
from app.model.webhook_configuration import MutatingWebhookConfiguration, ServiceReference

_HTTPS: Final = 443


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody serves TLS.

    Attributes:
        what: whose it is.
        host: where it listens.
        port: likewise.
        name: what callers want to find in its certificate.
        trusted: the PEM of whom they trust; empty where that cannot be known.
        in_secret: whether it serves from the Secret of the installation.
        is_verified: whether callers judge it unless they are told not to.
    """

    what: str
    host: str
    port: int
    name: str
    trusted: bytes = b""
    in_secret: bool = False
    is_verified: bool = True


def endpoints(
    webhooks: tuple[MutatingWebhookConfiguration, ...] | Unread,
    configurations: Iterable[Held],
    hosts: tuple[Host, ...] | Unread,
    *,
    namespace: str,
) -> tuple[Endpoint, ...]:
    """Every place where a certificate of ours is judged, once each; as far as these can be read."""
    found = (
        *_of_webhooks(known(webhooks)),
        *_of_extenders(configurations, namespace),
        *_of_nodes(known(hosts)),
    )
    return tuple(dict.fromkeys(found))


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
    """API servers verify these only where they are told to (--kubelet-certificate-authority)."""
    for each in hosts:
        address = next((one.address for one in each.status.addresses if one.type == "InternalIP"), "")
        port = each.status.daemon_endpoints.kubelet_endpoint.port
        if address and port:
            what = f"the node's API of {each.metadata.name}, its certificate"
            yield Endpoint(what=what, host=address, port=port, name=address, is_verified=False)
