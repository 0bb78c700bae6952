"""How the outside can fail, by what the caller does about it. Vendor errors never pass an adapter.

PortFailure
├── NotFound      it is not there (any more): usually as good as done
├── Conflict      somebody else was first, or the precondition no longer holds: look again
├── NoCapacity    Fargate has none now: back off, or go elsewhere
├── Throttled     too fast: the limiter learns, the caller tries again later
├── DisruptionBudget  an eviction would break a PodDisruptionBudget: leave the workload alone for a while
├── Refused       a definite no that repeating will not change: tell the user
└── Unavailable   no answer, or an unknown outcome: repeat with the *same* parameters
"""


class PortFailure(Exception):
    """Base: a sentence for people; the vendor's error is its `__cause__`."""


class NotFound(PortFailure):
    """The thing is not there."""


class Conflict(PortFailure):
    """Somebody else was first, or a precondition no longer holds.

    Attributes:
        existing: names of what is there instead (task ARNs for a reused client token), where known.
    """

    def __init__(self, message: str, *, existing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.existing = existing


class NoCapacity(PortFailure):
    """Fargate has no capacity, or the account's vCPU quota is reached."""


class Throttled(PortFailure):
    """The far side asked to slow down."""


class DisruptionBudget(PortFailure):
    """A PodDisruptionBudget does not allow the eviction now."""


class Refused(PortFailure):
    """A definite no: wrong parameters, missing permission, unknown cluster."""


class Unavailable(PortFailure):
    """No answer, or one that says nothing about what happened."""
