"""How much may run on Fargate at once, and how much does: pods, vCPU and US dollars for an hour."""

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from app.fargate.prices import Cost
from app.model.names import MAX_HOURLY_COST, MAX_PODS, MAX_VCPU
from app.model.offer import Purchase
from app.model.reason import Reason
from app.model.setting import named


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most of each; None where there is no limit. `hourly` is US dollars."""

    pods: int | None = None
    vcpu: float | None = None
    hourly: float | None = None


NO_LIMITS: Final = Limits()


class Amount(msgspec.Struct, frozen=True):
    """What is spent, in whole numbers, so that a sum is exact whatever its order.

    Units: pods, thousandths of a vCPU, billionths of a US dollar for an hour.
    """

    pods: int = 0
    milli_vcpu: int = 0
    nanodollars: int = 0

    @property
    def vcpu(self) -> float:
        """In vCPUs."""
        return self.milli_vcpu / _MILLI

    @property
    def hourly(self) -> float:
        """In US dollars for an hour."""
        return self.nanodollars / _NANO


def amount_of(cost: Cost | None) -> Amount:
    """What one pod takes; without a price it still is a pod.

    Dollars count as on demand: a task's capacity is what the pod's annotation says when it starts, again
    after each crash, and its owner may edit that at any time.
    """
    if cost is None:
        return Amount(pods=1)
    return Amount(1, round(cost.vcpu * _MILLI), round(cost.on_demand * _NANO))


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Whose budget: the cluster's, a namespace's, or the account's quota in a region; `name` says which."""

    kind: Literal["cluster", "namespace", "quota"]
    name: str = ""
    purchase: Purchase | Literal[""] = ""


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What is spent of one budget."""

    scope: Scope
    spent: Amount
    limits: Limits


class Account:
    """One budget while a plan is made: changed in place as places are given.

    Args:
        scope: whose it is.
        limits: the most of it.
    """

    def __init__(self, scope: Scope, limits: Limits) -> None:
        self._scope = scope
        self._limits = limits
        self._most = _most(limits)
        self._spent = (0, 0, 0)
        self.is_limited = limits != NO_LIMITS
        self.wants_prices = limits.vcpu is not None or limits.hourly is not None

    @property
    def pods(self) -> int:
        """The pods in it."""
        return self._spent[0]

    @property
    def balance(self) -> Balance:
        """How it stands."""
        return Balance(scope=self._scope, spent=Amount(*self._spent), limits=self._limits)

    def charge(self, amount: Amount) -> None:
        """Spend so much, whether or not it is within the limits: what runs, runs."""
        pods, milli_vcpu, nanodollars = self._spent
        self._spent = (
            pods + amount.pods,
            milli_vcpu + amount.milli_vcpu,
            nanodollars + amount.nanodollars,
        )

    def excess(self, amount: Amount) -> tuple[Reason, ...]:
        """A reason for each limit that so much more would exceed, in words that only the limit changes."""
        if not self.is_limited:
            return ()
        found = []
        for dimension, spent, asked, most in zip(
            _DIMENSIONS, self._spent, figures(amount), self._most, strict=True
        ):
            if most is not None and asked and spent + asked > most:
                found.append(_reason(self._scope, dimension, most=most, asked=asked))
        return tuple(found)


class _Dimension(msgspec.Struct, frozen=True):
    """One of the things that are counted: in which unit people write it, and where they limit it."""

    code: str
    key: str
    unit: int
    words: str


_MILLI: Final = 1000
_NANO: Final = 1_000_000_000
_DIMENSIONS: Final = (
    _Dimension("BudgetPods", MAX_PODS, 1, "{} pods"),
    _Dimension("BudgetVcpu", MAX_VCPU, _MILLI, "{} vCPU"),
    _Dimension("BudgetCost", MAX_HOURLY_COST, _NANO, "${} an hour"),
)
_QUOTA_CODES: Final[Mapping[str, str]] = {"on-demand": "L-3032A538", "spot": "L-36FBB829"}
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""


def figures(amount: Amount) -> tuple[int, int, int]:
    """Pods, milli-vCPUs and nanodollars an hour, in the order of `_DIMENSIONS`."""
    return (amount.pods, amount.milli_vcpu, amount.nanodollars)


def _most(limits: Limits) -> tuple[int | None, ...]:
    stated = (limits.pods, limits.vcpu, limits.hourly)
    return tuple(
        None if most is None else round(most * each.unit)
        for most, each in zip(stated, _DIMENSIONS, strict=True)
    )


def _reason(scope: Scope, dimension: _Dimension, *, most: int, asked: int) -> Reason:
    limit = dimension.words.format(_text(most, dimension))
    whose, mend = _words(scope, dimension)
    code = "QuotaVcpu" if scope.kind == "quota" else dimension.code
    if most == 0:
        return Reason(code, f"{whose} is {limit}; {mend}")
    if asked > most:
        alone = dimension.words.format(_text(asked, dimension))
        return Reason(code, f"the pod takes {alone}, more than all of {whose}, {limit}; {mend}")
    return Reason(code, f"{whose}, {limit}, is spent; wait until overflow pods end, or {mend}")


def _words(scope: Scope, dimension: _Dimension) -> tuple[str, str]:
    """Whose budget it is, and where it is raised."""
    match scope.kind:
        case "cluster":
            return "the cluster's budget for overflow", f"raise {named('extender', _field(dimension))}"
        case "namespace":
            whose = f"the budget of namespace {scope.name} for overflow"
            return whose, f"raise the namespace's annotation {dimension.key}"
        case "quota":
            where = f" in {scope.name}" if scope.name else ""
            whose = f"the account's quota of Fargate {scope.purchase} vCPUs{where}"
            return whose, f"have AWS raise it (Service Quotas, {_QUOTA_CODES[scope.purchase]})"


def _field(dimension: _Dimension) -> str:
    return dimension.key.rpartition("/")[2].replace("-", "_")


def _text(figure: int, dimension: _Dimension) -> str:
    return f"{figure / dimension.unit:.6g}"


def limits_of(annotations: Mapping[str, str]) -> tuple[Limits, tuple[Reason, ...]]:
    """A namespace's budget, and what is wrong with its words; a word that means nothing allows nothing."""
    faults: list[Reason] = []
    found: dict[str, float | None] = {}
    for dimension in _DIMENSIONS:
        text = annotations.get(dimension.key)
        value = None if text is None else _number(text.strip(), whole=dimension.key == MAX_PODS)
        found[dimension.key] = 0 if text is not None and value is None else value
        if text is not None and value is None:
            faults.append(_fault(text, dimension))
    pods = found[MAX_PODS]
    limits = Limits(
        pods=None if pods is None else int(pods), vcpu=found[MAX_VCPU], hourly=found[MAX_HOURLY_COST]
    )
    return limits, tuple(faults)


_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def _number(text: str, *, whole: bool) -> float | None:
    return float(text) if (_WHOLE if whole else _DECIMAL).fullmatch(text) else None


def _fault(text: str, dimension: _Dimension) -> Reason:
    example = "20" if dimension.key == MAX_PODS else "12.5"
    message = (
        f'the namespace\'s annotation {dimension.key} is "{text[:24]}", which is no number; write for '
        f"instance {example}, or remove it"
    )
    return Reason("InvalidBudget", message)


def has_budget(annotations: Mapping[str, str]) -> bool:
    """Whether a namespace limits its overflow at all."""
    return any(each.key in annotations for each in _DIMENSIONS)
