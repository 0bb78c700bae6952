"""kube-scheduler's configuration with Spillway's extender in it, as a value.

https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
"""

from base64 import b64encode
from collections.abc import Sequence

from app.model.pod import Json


def scheduler_configuration(  # noqa: PLR0913  (one keyword for each field that a cluster's owner chooses)
    *,
    kubeconfig_path: str,
    extender_url: str = "",
    ca_data: bytes = b"",
    profiles: Sequence[str] = ("default-scheduler",),
    leader_elect: bool = False,
    prioritize: bool = False,
    ignorable: bool = True,
    http_timeout: str = "2s",
) -> dict[str, Json]:
    """KubeSchedulerConfiguration v1; without `extender_url` a plain scheduler.

    Args:
        kubeconfig_path: where the scheduler finds the cluster.
        extender_url: the URL prefix; the verbs are appended to it.
        ca_data: the PEM of the authority behind an https URL. Without it kube-scheduler would not verify.
        profiles: the scheduler names that this process serves; the extender sees the pods of all.
        leader_elect: whether to hold the Lease `kube-scheduler` while running.
        prioritize: whether to configure the verb for early bursts: one more round trip for each pod.
        ignorable: whether scheduling goes on without the extender (the closed gate still holds).
        http_timeout: how long one call may take, as a Go duration.

    Raises:
        ValueError: an https extender without `ca_data`.
    """
    configuration: dict[str, Json] = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig_path, "qps": 300, "burst": 600},
        "leaderElection": {"leaderElect": leader_elect},
        "profiles": [{"schedulerName": name} for name in profiles],
    }
    if extender_url:
        extender: dict[str, Json] = {
            "urlPrefix": extender_url,
            "filterVerb": "filter",
            "preemptVerb": "preempt",
            "nodeCacheCapable": True,
            "ignorable": ignorable,
            "httpTimeout": http_timeout,
            "weight": WEIGHT,
            **_tls(extender_url, ca_data),
        }
        configuration["extenders"] = [extender | ({"prioritizeVerb": "prioritize"} if prioritize else {})]
    return configuration


WEIGHT = 16
"""Score 0..10 times weight times 10: from 16 on it outweighs every default plugin together (at most 1500)."""


def _tls(url: str, ca_data: bytes) -> dict[str, Json]:
    if not url.startswith("https://"):
        return {}
    if not ca_data:
        raise ValueError("an https extender needs the PEM of its authority; pass ca_data")
    return {"enableHTTPS": True, "tlsConfig": {"caData": b64encode(ca_data).decode()}}
