"""What stands at one moment, and what was done before it, as frozen values."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from app.model.names import PodUid, TaskArn
from app.model.node import Node
from app.model.pod import Pod
from app.model.replicas import Replicas
from app.model.task import Task


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What ECS says.

    Attributes:
        tasks: our tasks that are not stopped; None where ECS was not asked, or did not answer.
        unproven: why it did not; empty where it did, or was not asked.
        mend: what helps where it does not answer until the end.
        is_throttled: whether it will answer when it is asked less.
    """

    tasks: tuple[Task, ...] | None = None
    unproven: str = ""
    mend: str = ""
    is_throttled: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One look.

    Attributes:
        elapsed: seconds from the drain's beginning to the look's.
        took: how long the look itself took; an ECS that does not answer holds it up for a minute and more.
        nodes: the virtual nodes that are there.
        pods: what is bound to them; read after the tasks.
        replicas: of the controllers whose next pod is waited for, by uid; what is gone is left out.
        proof: what ECS says.
    """

    elapsed: float
    took: float = 0.0
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    replicas: Mapping[str, Replicas] = MappingProxyType({})
    proof: Proof = Proof()

    @property
    def tasks(self) -> tuple[Task, ...] | None:
        """Our tasks that are not stopped; None where that is not known."""
        return self.proof.tasks


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A controller that was made to lose a pod, and whose next one is waited for.

    Attributes:
        uid: of the pod that leaves.
        since: when it was gone; None while it is there.
    """

    uid: PodUid
    since: float | None = None


class Hold(msgspec.Struct, frozen=True):
    """Why a pod was not evicted, in the server's words, when that was said, and whether by a budget."""

    words: str
    at: float
    by_budget: bool = True


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What one decision hands to the next; a drain that begins anew has an empty one.

    Attributes:
        gaps: by the controller's uid.
        alone: controllers whose next pod did not become Ready in time: it is not waited for again.
        holds: by the pod's uid.
        orphans: tasks without a pod, and in how many looks they were seen.
        clear_since: since when nothing is left; None while something is.
        shown_since: since when ECS itself shows nothing, in look after look; None where it did not answer.
        forced_since: since when pods are deleted by force.
        killed_since: since when they are deleted without their node.
        met: pods that were there when all nodes were found closed; None while one is open.
        reopened: nodes that somebody opened after they were closed, and what was seen of it.
    """

    gaps: Mapping[str, Gap] = MappingProxyType({})
    alone: frozenset[str] = frozenset()
    holds: Mapping[PodUid, Hold] = MappingProxyType({})
    orphans: Mapping[TaskArn, int] = MappingProxyType({})
    clear_since: float | None = None
    shown_since: float | None = None
    forced_since: float | None = None
    killed_since: float | None = None
    met: frozenset[PodUid] | None = None
    reopened: Mapping[str, str] = MappingProxyType({})


class Left(msgspec.Struct, frozen=True):
    """Something that still stands.

    Attributes:
        kind: what it is.
        name: its name: of a pod `namespace/name`, of a task its ARN.
        reason: what keeps it, for programs.
        message: the same for people, with the mend.
    """

    kind: Literal["pod", "task", "node", "lease", "placeholder", "entry"]
    name: str
    reason: str
    message: str
