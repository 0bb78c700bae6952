"""What an installed Spillway writes into a cluster so that the API server calls its webhook."""

import base64
from typing import Final

from app.model.names import (
    ENABLED,
    MARKER,
    OVERFLOW,
    PERMITTED,
    TAINT_EFFECT,
    TAINT_KEY,
    TAINT_VALUE,
    TOLERANT,
)
from app.model.wire import Json

NAME: Final = "spillway"

_OUR_EFFECT: Final = f"!has(t.effect) || t.effect in ['', '{TAINT_EFFECT}']"
_ANY_VALUE: Final = f"!has(t.key) || t.key in ['', '{TAINT_KEY}']"
_OUR_VALUE: Final = (
    f"(!has(t.operator) || t.operator in ['', 'Equal']) && has(t.key) && t.key == '{TAINT_KEY}' "
    f"&& has(t.value) && t.value == '{TAINT_VALUE}'"
)

CONDITIONS: Final[tuple[dict[str, Json], ...]] = (
    {
        "name": "tolerant",
        "expression": (
            "has(object.spec.tolerations) && object.spec.tolerations.exists(t, "
            f"({_OUR_EFFECT}) "
            f"&& (has(t.operator) && t.operator == 'Exists' ? ({_ANY_VALUE}) : ({_OUR_VALUE})))"
        ),
    },
    {
        "name": "unmarked",
        "expression": (
            "!object.spec.containers.exists(c, has(c.resources) && has(c.resources.limits) "
            f"&& '{MARKER}' in c.resources.limits)"
        ),
    },
)
"""Which pods the entry for tolerant ones is for, as CEL: the rule of `app.model.actuator`, once for each pod.

Without them every pod of the cluster would be sent to the webhook.
"""


def webhook_configuration(
    *, url: str, ca_pem: bytes, tolerant: bool = True, conditions: bool = True
) -> dict[str, Json]:
    """The MutatingWebhookConfiguration: an entry per namespace label value, and one for tolerant pods.

    AdmissionReview carries no namespace labels, so the path tells the webhook which word the namespace gave.
    Pods of any namespace that bear the virtual nodes' taint by themselves are marked by the last entry, so
    that the scheduler asks about them; without it they land on virtual nodes unasked.
    A webhook that is down must not stop pods from being created: failurePolicy Ignore.

    https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/

    Args:
        url: the webhook's base, as `https://127.0.0.1:8443`.
        ca_pem: the authority that signed its certificate.
        tolerant: whether the scheduler asks about marked pods alone; nobody is marked for anything else.
        conditions: whether the API server evaluates CEL.
    """
    entries = [_of_namespaces(word, url=url, ca_pem=ca_pem) for word in (ENABLED, PERMITTED)]
    if tolerant:
        narrowed = {"matchConditions": [dict(each) for each in CONDITIONS]} if conditions else {}
        entries.append({**_entry(TOLERANT, url=url, ca_pem=ca_pem), **narrowed})
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": entries,
    }


def _of_namespaces(word: str, *, url: str, ca_pem: bytes) -> dict[str, Json]:
    return {
        **_entry(word, url=url, ca_pem=ca_pem),
        "namespaceSelector": {
            "matchLabels": {OVERFLOW: word},
            "matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}
            ],
        },
    }


def _entry(path: str, *, url: str, ca_pem: bytes) -> dict[str, Json]:
    return {
        "name": f"{path}.overflow.spillway.dev",
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
        "clientConfig": {"url": f"{url}/mutate/{path}", "caBundle": base64.b64encode(ca_pem).decode()},
    }
