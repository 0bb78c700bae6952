"""All that goes when an installation is removed, and why something else stays. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from app.aws.account.plan import Absent, Delete, Refuse, Removal
from app.aws.account.wanted import Key, Kind

HELD: Final = "rules of groups that are not ours name our security group; take them away first"


class Leftovers(msgspec.Struct, frozen=True, kw_only=True):
    """What bridges left.

    Attributes:
        tasks: ARNs of tasks of the ECS cluster that run or begin to.
        active: ARNs of task definitions that may be run.
        inactive: ARNs of those that are deregistered and not deleted.
        secrets: ARNs.
        performance_log: whether Container Insights has written a log.
    """

    tasks: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    performance_log: bool = False

    @property
    def definitions(self) -> int:
        """How many task definitions."""
        return len(self.active) + len(self.inactive)


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """What is removed.

    Attributes:
        steps: for each resource, what stands on others first.
        left: what bridges left.
        kept: what stays, and why; one line each.
        first: commands that have to come before, where others' rules name what is to go.
    """

    steps: tuple[Removal, ...]
    left: Leftovers
    kept: tuple[str, ...] = ()
    first: tuple[str, ...] = ()

    @property
    def has_cluster(self) -> bool:
        """Whether the ECS cluster goes."""
        return any(isinstance(each, Delete) and each.found.key.kind is Kind.CLUSTER for each in self.steps)

    @property
    def own(self) -> tuple[Removal, ...]:
        """Steps that nobody else can be in the way of."""
        return tuple(each for each in self.steps if _key(each).kind is not Kind.SECURITY_GROUP)

    @property
    def shared(self) -> tuple[Removal, ...]:
        """Steps that somebody else's rules or interfaces can forbid: EC2 keeps a group that they name."""
        return tuple(each for each in self.steps if _key(each).kind is Kind.SECURITY_GROUP)

    @property
    def is_nothing(self) -> bool:
        """Whether all is gone already."""
        return self.left == Leftovers() and not any(isinstance(each, Delete) for each in self.steps)


def owns_cluster(steps: Sequence[Removal]) -> bool:
    """Whether the ECS cluster is ours, or gone: only then its tasks are our business."""
    return not any(isinstance(each, Refuse) and each.found.key.kind is Kind.CLUSTER for each in steps)


def departure(
    steps: Sequence[Removal], left: Leftovers, *, others: Sequence[str], keep_logs: bool
) -> Departure:
    """What goes and what stays.

    Args:
        steps: the plan of the removal.
        left: what bridges left, of whichever installation.
        others: names of the region's other installations: definitions and secrets may be theirs.
        keep_logs: whether logs are to stay.
    """
    kept = [f"{each.found.key}: {each.reason}" for each in steps if isinstance(each, Refuse)]
    if keep_logs:
        logs = [each for each in steps if isinstance(each, Delete) and _is_log(each.found.key)]
        kept += [f"{each.found.key}: --keep-logs says so" for each in logs]
        steps = [each for each in steps if each not in logs]
    if keep_logs or not owns_cluster(steps):
        left = msgspec.structs.replace(left, performance_log=False)
    whose = _users(steps, others)
    if whose and (left.definitions or left.secrets):
        kept.append(f"{counted(left)}: {whose} may need them")
        left = msgspec.structs.replace(left, active=(), inactive=(), secrets=())
    return Departure(steps=tuple(steps), left=left, kept=tuple(kept))


def _users(steps: Sequence[Removal], others: Sequence[str]) -> str:
    """Whose bridges may need what bridges left; empty where there are none but ours."""
    if others:
        return f"the bridges of installation {', '.join(others)}"
    return "" if owns_cluster(steps) else "the bridge of the ECS cluster, which is not ours,"


def counted(left: Leftovers) -> str:
    """How many definitions and secrets."""
    secrets = f"{len(left.secrets)} secrets of spillway/*"
    return f"{left.definitions} task definitions of families spillway-*, {secrets}"


def _key(step: Removal) -> Key:
    return step.key if isinstance(step, Absent) else step.found.key


def _is_log(key: Key) -> bool:
    return key.kind is Kind.LOG_GROUP
