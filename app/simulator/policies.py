"""The four ways to run a workload that are compared."""

from typing import Final

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Which parts of the scene a way of running has.

    Attributes:
        name: as users write it.
        title: as people read it.
        nodes: whether real nodes stand.
        autoscaler: whether nodes are added.
        overflow: whether Spillway's gate lets pods onto Fargate; without nodes all that may overflow go there
            at once.
    """

    name: str
    title: str
    nodes: bool = True
    autoscaler: bool = False
    overflow: bool = False


NODES: Final = Policy(name="nodes", title="nodes only")
AUTOSCALER: Final = Policy(name="autoscaler", title="nodes, autoscaler", autoscaler=True)
FARGATE: Final = Policy(name="fargate", title="Fargate only", nodes=False)
SPILLWAY: Final = Policy(name="spillway", title="Spillway", autoscaler=True, overflow=True)

POLICIES: Final = (NODES, AUTOSCALER, FARGATE, SPILLWAY)
BY_NAME: Final = {policy.name: policy for policy in POLICIES}
