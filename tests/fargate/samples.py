"""A pod with an API server's defaults, and short ways to ask."""

from typing import Any, Final

from app.fargate.eligibility import refusals
from app.model.pod import Pod
from tests.builders import a_container, a_pod

TOKEN_MOUNT: Final = {
    "name": "kube-api-access-x7k2p",
    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    "readOnly": True,
}
TOKEN_VOLUME: Final = {
    "name": "kube-api-access-x7k2p",
    "projected": {
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        ],
    },
}


def as_the_api_server_sends_it() -> Pod:
    """A plain pod of a Deployment, as a real API server hands it to admission webhooks."""
    return a_pod(
        containers=[
            a_container(
                cpu="500m",
                memory="512Mi",
                imagePullPolicy="Always",
                terminationMessagePath="/dev/termination-log",
                terminationMessagePolicy="File",
                volumeMounts=[TOKEN_MOUNT],
                env=[{"name": "MODE", "value": "fast"}],
            )
        ],
        volumes=[TOKEN_VOLUME],
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        serviceAccountName="default",
        serviceAccount="default",
        securityContext={},
        schedulerName="default-scheduler",
        enableServiceLinks=True,
        preemptionPolicy="PreemptLowerPriority",
        priority=0,
        tolerations=[
            {
                "key": f"node.kubernetes.io/{state}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }
            for state in ("not-ready", "unreachable")
        ],
    )


def found(pod: Pod) -> list[tuple[str, str]]:
    """The codes and fields of the pod's refusals."""
    return [(reason.code, reason.field) for reason in refusals(pod)]


def with_container(**fields: Any) -> Pod:
    """A pod with one container of these fields."""
    return a_pod(containers=[a_container(**fields)])
