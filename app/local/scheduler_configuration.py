"""kube-scheduler's configuration with Spillway's extender in it, as a value.

https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from app.model.names import MARKER
from app.model.wire import Json


def scheduler_configuration(
    *,
    kubeconfig_path: str,
    extender_url: str = "",
    ca_data: bytes = b"",
    prioritize: bool = False,
    marked_only: bool = False,
) -> dict[str, Json]:
    """KubeSchedulerConfiguration v1; without `extender_url` a plain scheduler.

    Args:
        kubeconfig_path: where the scheduler finds the cluster.
        extender_url: the URL prefix; the verbs are appended to it.
        ca_data: the PEM of the authority behind an https URL. Without it kube-scheduler would not verify.
        prioritize: whether to configure the verb for early bursts: one more round trip for each pod.
        marked_only: whether to ask about the pods alone that the webhook marked, rather than about all. It
            takes the webhook's entry for tolerant pods, or those land on virtual nodes unasked.

    Raises:
        ValueError: an https extender without `ca_data`.
    """
    configuration: dict[str, Json] = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig_path, "qps": 300, "burst": 600},
        "leaderElection": {"leaderElect": False},
        "profiles": [{"schedulerName": "default-scheduler"}],
    }
    if extender_url:
        extender: dict[str, Json] = {
            "urlPrefix": extender_url,
            "filterVerb": "filter",
            "preemptVerb": "preempt",
            "nodeCacheCapable": True,
            "ignorable": True,
            "httpTimeout": "2s",
            "weight": WEIGHT,
            **_tls(extender_url, ca_data),
        }
        configuration["extenders"] = [
            extender
            | ({"prioritizeVerb": "prioritize"} if prioritize else {})
            | ({"managedResources": [MANAGED]} if marked_only else {})
        ]
    return configuration


MANAGED: Final[Mapping[str, Json]] = {"name": MARKER, "ignoredByScheduler": False}
"""What makes the scheduler ask about a pod, whatever the quantity.

Its own filter skips a quantity of 0 anyway. To have the resource ignored besides would replace the
`ignoredResources` that somebody gave the plugin NodeResourcesFit.
"""

WEIGHT: Final = 16
"""Score 0..10 times weight times 10: from 16 on it outweighs every default plugin together (at most 1500)."""


def _tls(url: str, ca_data: bytes) -> dict[str, Json]:
    if not url.startswith("https://"):
        return {}
    if not ca_data:
        raise ValueError("an https extender needs the PEM of its authority; pass ca_data")
    return {"enableHTTPS": True, "tlsConfig": {"caData": b64encode(ca_data).decode()}}
