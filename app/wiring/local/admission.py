"""The webhook's registration in a local stack's cluster."""

from app.kube.connection import Connection
from app.local.registration import webhook_configuration
from app.model.actuator import SCHEDULER
from app.wiring.local.places import Places

_PATH = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


async def register_webhook(
    connection: Connection, places: Places, *, ca_pem: bytes, conditions: bool
) -> None:
    """Have the API server call the webhook.

    Args:
        connection: a cluster admin's.
        places: where the webhook listens.
        ca_pem: whom the API server is to trust there.
        conditions: whether it knows CEL, so that it sends no more pods than it must.
    """
    body = webhook_configuration(
        url=places.webhook_url,
        ca_pem=ca_pem,
        tolerant=places.actuator == SCHEDULER,
        conditions=conditions,
    )
    await connection.request("POST", _PATH, body=body)
