"""The labels and annotations that Spillway reads, on pods, namespaces and service accounts."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.model import names
from app.model.reason import Reason
from app.model.setting import named

CAPACITIES: Final = ("on-demand", "spot", "spot-first")

_SHOWN: Final = 24
"""Characters of a wrong text that a message repeats."""


class Word(msgspec.Struct, frozen=True):
    """One key: where it stands, what it may say, and what that does."""

    where: str
    key: str
    values: str
    meaning: str


WORDS: Final[tuple[Word, ...]] = (
    Word(
        "namespace label",
        names.OVERFLOW,
        f"`{names.ENABLED}`, `{names.PERMITTED}`",
        "its pods may overflow, unless they say otherwise; or only those that say so",
    ),
    Word(
        "pod label",
        names.OVERFLOW,
        f"`{names.ENABLED}`, `{names.DISABLED}`, `{names.REQUIRED}`",
        "counts where the namespace has the label, too; required: on Fargate only",
    ),
    Word("pod annotation", names.MAX_WAIT, "`90s`, `2m`, `1h30m`", "waits so long for a real node first"),
    Word(
        "pod annotation",
        names.EARLY,
        f"`{names.EARLY_ALLOWED}`",
        f"may burst before real nodes are full, where the extender has `{named('extender', 'early_burst')}`",
    ),
    Word(
        "pod annotation",
        names.CAPACITY,
        ", ".join(f"`{each}`" for each in CAPACITIES),
        "what the task runs on; spot-first falls back to on-demand",
    ),
    Word(
        "pod annotation",
        names.KUBE2IAM_ROLE,
        "a role's name or ARN",
        "the task's role (kube2iam's annotation)",
    ),
    Word(
        "pod annotation",
        names.ATTEMPT,
        "the bridge's own",
        "with `attempted-at`, `attempted-on`, `log-group`, `attempt-of`, `task-arn`: which launch and "
        "task are the pod's",
    ),
    Word(
        "pod annotation", names.DELETION_COST, "a number", "left alone; a pod on Fargate without one gets one"
    ),
    Word(
        "service account annotation", names.IRSA_ROLE, "a role's ARN", "the task's role (IRSA's annotation)"
    ),
    Word(
        "namespace annotation",
        names.ALLOWED_ROLES,
        "patterns of ARNs, with commas",
        "which roles its pods may have; any other refuses the pod (`RoleNotAllowed`)",
    ),
    Word(
        "namespace annotation",
        names.SECURITY_GROUPS,
        "up to five, with commas",
        "its tasks' security groups, in place of the bridge's own",
    ),
    Word(
        "namespace annotation",
        names.MAX_PODS,
        "`20`",
        "the most overflow pods that it may have at once; no number means none (`InvalidBudget`)",
    ),
    Word("namespace annotation", names.MAX_VCPU, "`16`, `2.5`", "the most Fargate vCPUs of them"),
    Word("namespace annotation", names.MAX_HOURLY_COST, "`12.5`", "the most US dollars an hour for them"),
    Word(
        "virtual node annotation",
        names.GATE,
        "`auto`, `closed`, `open`, `observe`",
        f"how its gate is run, in place of `{named('extender', 'gate')}`; any other word closes it "
        "(`InvalidGate`)",
    ),
    Word(
        "namespace annotation",
        names.NETWORK_POLICIES,
        "`ignored`",
        "lets pods overflow that a NetworkPolicy selects, which does not bind tasks (else `NetworkPolicy`)",
    ),
)


def refusals_in(annotations: Mapping[str, str]) -> Iterable[Reason]:
    """The pod's annotations whose words mean nothing; `max-wait` is the extender's and the webhook's."""
    text = annotations.get(names.CAPACITY)
    if text is not None and text not in CAPACITIES:
        message = f'"{text[:_SHOWN]}" is unknown; write on-demand, spot or spot-first'
        yield Reason("InvalidCapacity", message, f"metadata.annotations[{names.CAPACITY}]")
