"""The agents of containers in which sessions can be opened, as DescribeTasks shows them. Pure."""

from typing import Final

from app.local.fargate.protocol.wire import Json
from app.local.fargate.tasks.record import ManagedAgent

_NAME: Final = "ExecuteCommandAgent"


def described(agent: ManagedAgent, *, container: str) -> Json:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ManagedAgent.html.

    `container` is the status of the container; no agent outlives it.
    """
    view: Json = {"name": _NAME, "lastStatus": "STOPPED" if container == "STOPPED" else agent.status}
    if agent.reason:
        view["reason"] = agent.reason
    if agent.started is not None:
        view["lastStartedAt"] = agent.started
    return view
