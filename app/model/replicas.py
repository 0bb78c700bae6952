"""How the replicas of a controller stand, as far as it matters to taking one of them away."""

import msgspec


class Replicas(msgspec.Struct, frozen=True, kw_only=True):
    """The replicas of a ReplicaSet, StatefulSet, ReplicationController or Job.

    Attributes:
        wanted: how many there are to be; of a Job, how many run or are about to.
        ready: how many are Ready, wherever they are.
        forgives: whether losing one to an eviction is no failure; false for a Job whose podFailurePolicy
            does not ignore the condition DisruptionTarget before anything else.
        steady: whether all of them stay for now; false for a StatefulSet that counts pods as Ready which are
            being deleted, or that is in the middle of a rollout.
    """

    wanted: int
    ready: int
    forgives: bool = True
    steady: bool = True
