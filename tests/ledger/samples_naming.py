"""Proofs of the rows of PodSpec about the pod's name for itself, and how it resolves others."""

from typing import Any, Final

from tests.bridge.translation.builders import IMAGE, a_material, an_image, settings
from tests.builders import a_container, a_pod
from tests.ledger.proofs import Samples, holds, lacks, refused, refused_at_launch, shows


def nameserved(**rights: Any) -> Any:
    container = a_container(securityContext=rights)
    config = {"nameservers": ["10.0.0.2"], "searches": ["corp"], "options": [{"name": "ndots", "value": "2"}]}
    return a_pod(containers=[container], dnsPolicy="None", dnsConfig=config)


NOT_ROOT: Final = a_material(images={IMAGE: an_image(user="7")})
ALIASES: Final = [{"ip": "10.0.0.9", "hostnames": ["db", "db.shop"]}]
INDEXED: Final = a_pod(hostname="work-3", subdomain="work", setHostnameAsFQDN=True)

SAMPLES: Final[Samples] = {
    "PodSpec.hostname": (
        shows(a_pod(hostname="work-3"), "main", "environment", "HOSTNAME", is_="work-3"),
        holds(a_pod(hostname="work-3"), "caveats", has="HostnameVariable"),
    ),
    "PodSpec.hostnameOverride": (
        shows(a_pod(hostnameOverride="it.example"), "main", "environment", "HOSTNAME", is_="it.example"),
    ),
    "PodSpec.setHostnameAsFQDN": (
        shows(INDEXED, "main", "environment", "HOSTNAME", is_="work-3.work.shop.svc.cluster.local"),
        refused_at_launch(a_pod(subdomain="w" * 60, setHostnameAsFQDN=True), "HostnameTooLong"),
    ),
    "PodSpec.subdomain": (
        shows(
            INDEXED,
            "main",
            "environment",
            "HOSTNAME",
            is_="work-3.work.shop.svc.c.example",
            config=settings(cluster_domain="c.example"),
        ),
    ),
    "PodSpec.hostAliases": (
        holds(a_pod(hostAliases=ALIASES), "main", "run", has="host 10.0.0.9 db db.shop"),
        refused(
            a_pod(hostAliases=ALIASES, securityContext={"runAsUser": 7}), "HostAliases", "spec.hostAliases"
        ),
        refused_at_launch(a_pod(hostAliases=ALIASES), "NotRoot", material=NOT_ROOT),
    ),
    "HostAlias.ip": (holds(a_pod(hostAliases=ALIASES), "main", "run", has="host 10.0.0.9 db db.shop"),),
    "HostAlias.hostnames": (
        holds(a_pod(hostAliases=ALIASES), "main", "run", has="host 10.0.0.9 db db.shop"),
    ),
    "PodSpec.dnsPolicy": (
        shows(
            a_pod(dnsPolicy="ClusterFirst"),
            "main",
            "environment",
            "LOCALDOMAIN",
            is_="shop.svc.c.example svc.c.example c.example",
            config=settings(cluster_domain="c.example"),
        ),
        lacks(
            a_pod(dnsPolicy="Default"),
            "main",
            "environment",
            "LOCALDOMAIN",
            config=settings(cluster_domain="c.example"),
        ),
        refused(a_pod(dnsPolicy="Mine"), "DNSPolicy", "spec.dnsPolicy"),
    ),
    "PodSpec.dnsConfig": (holds(nameserved(), "main", "run", has="resolve 10.0.0.2 corp ndots:2"),),
    "PodDNSConfig.nameservers": (
        holds(nameserved(), "main", "run", has="resolve 10.0.0.2 corp ndots:2"),
        refused(nameserved(readOnlyRootFilesystem=True), "DNSConfig", "spec.dnsConfig.nameservers"),
        refused_at_launch(nameserved(), "NotRoot", material=NOT_ROOT),
    ),
    "PodDNSConfig.searches": (
        shows(
            a_pod(dnsConfig={"searches": ["corp", "example"]}),
            "main",
            "environment",
            "LOCALDOMAIN",
            is_="corp example",
        ),
    ),
    "PodDNSConfig.options": (
        shows(
            a_pod(dnsConfig={"options": [{"name": "ndots", "value": "2"}, {"name": "rotate"}]}),
            "main",
            "environment",
            "RES_OPTIONS",
            is_="ndots:2 rotate",
        ),
    ),
    "PodDNSConfigOption.name": (
        shows(
            a_pod(dnsConfig={"options": [{"name": "rotate"}]}),
            "main",
            "environment",
            "RES_OPTIONS",
            is_="rotate",
        ),
    ),
    "PodDNSConfigOption.value": (
        shows(
            a_pod(dnsConfig={"options": [{"name": "timeout", "value": "3"}]}),
            "main",
            "environment",
            "RES_OPTIONS",
            is_="timeout:3",
        ),
    ),
}
