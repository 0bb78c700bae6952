"""What an installed Spillway writes into a cluster so that the API server calls its webhook."""

import base64
from typing import Final

from app.model.names import ENABLED, OVERFLOW, PERMITTED
from app.model.wire import Json

NAME: Final = "spillway"


def webhook_configuration(*, url: str, ca_pem: bytes) -> dict[str, Json]:
    """The MutatingWebhookConfiguration with one entry per namespace label value.

    AdmissionReview carries no namespace labels, so the path tells the webhook which word the namespace gave.
    A webhook that is down must not stop pods from being created: failurePolicy Ignore.

    https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/

    Args:
        url: the webhook's base, as `https://127.0.0.1:8443`.
        ca_pem: the authority that signed its certificate.
    """
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": [_entry(word, url=url, ca_pem=ca_pem) for word in (ENABLED, PERMITTED)],
    }


def _entry(word: str, *, url: str, ca_pem: bytes) -> dict[str, Json]:
    return {
        "name": f"{word}.overflow.spillway.dev",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "IfNeeded",
        "matchPolicy": "Equivalent",
        "timeoutSeconds": 5,
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["pods"],
                "scope": "Namespaced",
            }
        ],
        "namespaceSelector": {
            "matchLabels": {OVERFLOW: word},
            "matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}
            ],
        },
        "clientConfig": {"url": f"{url}/mutate/{word}", "caBundle": base64.b64encode(ca_pem).decode()},
    }
