"""Whether the parts of a local stack are up."""

from app.local.http_client import HttpClient, HttpError
from app.model import node
from app.model.names import GATE_LEASE
from app.ports.failures import NotFound
from app.wiring.kubernetes import Parts


async def is_ready(client: HttpClient) -> bool:
    """Whether the program that the client speaks to says so."""
    try:
        return (await client.request("GET", "/readyz")).status == 200  # noqa: PLR2004
    except HttpError:
        return False


async def is_led(parts: Parts, *, namespace: str) -> bool:
    """Whether some extender holds the gate's Lease."""
    try:
        return bool((await parts.leases.read(namespace, GATE_LEASE)).holder)
    except NotFound:
        return False


async def node_is_ready(parts: Parts, name: str) -> bool:
    """Whether the node is there, ready, and no longer tainted as new nodes are."""
    try:
        found = await parts.nodes.get(name)
    except NotFound:
        return False
    return node.is_ready(found) and not any(
        taint.key == "node.kubernetes.io/not-ready" for taint in found.spec.taints
    )
