"""A refusal is a value: why something cannot be, in words that name the mend."""

from collections.abc import Iterable

import msgspec


class Reason(msgspec.Struct, frozen=True):
    """One reason.

    Attributes:
        code: a constant in CamelCase, for metrics, tests and machines (`HostNetwork`).
        message: one sentence for people, which names the field and the mend.
        field: the path in the pod, as `spec.containers[0].env[2].valueFrom`, or empty.
    """

    code: str
    message: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


def joined(reasons: Iterable[Reason]) -> str:
    """Every reason in one line, for an Event, a warning or a log."""
    return "; ".join(str(reason) for reason in reasons)
