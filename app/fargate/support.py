"""A row of the ledger: what becomes of one field of a pod on Fargate, and what refuses it."""

import enum
from collections.abc import Callable
from typing import Any, Final, TypedDict, Unpack

import msgspec

from app.fargate.check import Check, Refusal, Rule, is_set


class Kind(enum.Enum):
    """How a field is honoured."""

    NATIVE = "native"
    EMULATED = "emulated"
    REFUSED = "refused"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one type of core/v1.

    Attributes:
        type: the type's name in core/v1, as `Probe`.
        field: the field's name on the wire, as `httpGet`.
        how: what it becomes or, of a refused one, why; one or two sentences for people.
        of: the type of the field's value, whose rows say more; empty for a plain value, and where this row
            speaks for everything below it, too.
        refuses: finds what is refused in the field's value.
        rule: finds what is refused by looking at the whole pod.
        unless: which values of an honoured field are refused, for people; empty where none is.
        since: the version of Kubernetes that brought the field, where it is newer than the core/v1 we follow.
    """

    type: str
    field: str
    kind: Kind
    how: str
    of: str = ""
    refuses: Check | None = None
    rule: Rule | None = None
    unless: str = ""
    since: str = ""

    @property
    def name(self) -> str:
        """`TYPE.FIELD`, the row's name in tests and documents."""
        return f"{self.type}.{self.field}"


class Terms(TypedDict, total=False):
    """The optional columns of an honoured field, as in `Row`."""

    of: str
    refuses: Check
    rule: Rule
    unless: str
    since: str


class Section:
    """Makes the rows of one type, so that a table names its type once."""

    def __init__(self, kind: str) -> None:
        self._type: Final = kind

    def native(self, field: str, how: str, **terms: Unpack[Terms]) -> Row:
        """ECS, the scheduler or admission does it as it stands."""
        return Row(type=self._type, field=field, kind=Kind.NATIVE, how=how, **terms)

    def emulated(self, field: str, how: str, **terms: Unpack[Terms]) -> Row:
        """The bridge or its in-task helper does what a kubelet would."""
        return Row(type=self._type, field=field, kind=Kind.EMULATED, how=how, **terms)

    def refused(self, field: str, code: str, message: str, *, when: Callable[[Any], bool] = is_set) -> Row:
        """Nothing on Fargate can do it; whoever sets it (by default, to anything) is told."""
        refusal = Refusal(code, message, when)
        return Row(type=self._type, field=field, kind=Kind.REFUSED, how=message, refuses=refusal)
