"""How overflow is brought to an end, as a frozen value."""

import msgspec


class DrainConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What people chose; all times in seconds.

    Attributes:
        nodes: the virtual nodes; none means all of them.
        cluster: uid of the namespace kube-system, which every task of ours names.
        at_once: how many pods may be on their way at a time.
        timeout: how long pods may take to leave in the gentle way.
        force: afterwards pods are deleted whoever objects, and tasks that no pod has are stopped.
        bare: evict pods, too, that no controller makes anew.
        asks_aws: whether ECS is to be asked what is left.
        successor: how long a controller's next pod is waited for.
        again: between two tries to evict a pod that a budget holds.
        kill: how long pods that were deleted by force have until they are deleted without their node.
        settled: for so long nothing may be left, in look after look.
        unproven: for so long ECS is asked again where it does not answer; until the end where it throttles.
        look: between two looks.
    """

    nodes: frozenset[str] = frozenset()
    cluster: str
    at_once: int = 5
    timeout: float = 600.0
    force: bool = False
    bare: bool = False
    asks_aws: bool = True
    successor: float = 60.0
    again: float = 5.0
    kill: float = 60.0
    settled: float = 5.0
    unproven: float = 20.0
    look: float = 2.0

    @property
    def end(self) -> float:
        """When at the latest the drain is over, seconds after its beginning."""
        return self.timeout + (2 * self.kill if self.force else 0.0)
