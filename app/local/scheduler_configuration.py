"""kube-scheduler's configuration with Spillway's extender in it, as a value.

https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
"""

from base64 import b64encode

from app.model.wire import Json


def scheduler_configuration(
    *,
    kubeconfig_path: str,
    extender_url: str = "",
    ca_data: bytes = b"",
    prioritize: bool = False,
) -> dict[str, Json]:
    """KubeSchedulerConfiguration v1; without `extender_url` a plain scheduler.

    Args:
        kubeconfig_path: where the scheduler finds the cluster.
        extender_url: the URL prefix; the verbs are appended to it.
        ca_data: the PEM of the authority behind an https URL. Without it kube-scheduler would not verify.
        prioritize: whether to configure the verb for early bursts: one more round trip for each pod.

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
