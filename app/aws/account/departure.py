"""All that goes when an installation is removed, and why something else stays. Pure."""

from collections.abc import Sequence

import msgspec

from app.aws.account.leftovers import Leftovers
from app.aws.account.plan import Delete, Refuse, Removal
from app.aws.account.wanted import Key, Kind


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """What is removed.

    Attributes:
        steps: for each resource, what stands on others first.
        left: what bridges left.
        kept: what stays, and why; one line each.
    """

    steps: tuple[Removal, ...]
    left: Leftovers
    kept: tuple[str, ...] = ()

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
    if others and (left.definitions or left.secrets):
        kept.append(f"{counted(left)}: the bridges of installation {', '.join(others)} may need them")
        left = msgspec.structs.replace(left, active=(), inactive=(), secrets=())
    return Departure(steps=tuple(steps), left=left, kept=tuple(kept))


def counted(left: Leftovers) -> str:
    """How many definitions and secrets."""
    secrets = f"{len(left.secrets)} secrets of spillway/*"
    return f"{left.definitions} task definitions of families spillway-*, {secrets}"


def _is_log(key: Key) -> bool:
    return key.kind is Kind.LOG_GROUP
