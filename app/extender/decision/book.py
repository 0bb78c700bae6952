"""The budgets while one plan is made: what every pod takes, from whose budgets, and what is left."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from app.extender.cluster.facts import SHIPPED_OFFER, Facts
from app.extender.decision.budget import (
    NO_LIMITS,
    Account,
    Amount,
    Balance,
    Limits,
    Scope,
    amount_of,
    figures,
    has_budget,
    limits_of,
)
from app.fargate.prices import Cost, cost_of
from app.model.names import OFFER, PodUid
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.offer import Offer, OfferError, Purchase, read_offer
from app.model.pod import Pod, is_terminal
from app.model.reason import Reason
from app.model.virtual_node import is_overflow

Costs = Callable[[Pod, Offer], Cost | None]
"""What a pod costs by an offer (`app.fargate.prices.cost_of`)."""

NO_PRICE: Final = Reason(
    "NoPrice",
    "what it costs is not known, so that no budget of vCPU or dollars can let it pass; `spillway explain` "
    "says what is wrong with its requests",
)


class _Entry(msgspec.Struct, frozen=True):
    """What a pod takes on a node, and from which accounts; asked for more than once in a plan."""

    pod: Pod
    amount: Amount
    accounts: tuple[Account, ...]
    has_price: bool


class Book:
    """An account for the cluster, each namespace and each quota; changed in place as places are given.

    Args:
        limits: the cluster's budget.
        namespaces: by name; their annotations are their budgets.
        nodes: the virtual nodes; their offers say what pods cost, and what quotas there are.
        costs: what a pod costs.
    """

    def __init__(
        self,
        *,
        limits: Limits = NO_LIMITS,
        namespaces: Mapping[str, Namespace],
        nodes: Iterable[Node],
        costs: Costs = cost_of,
    ) -> None:
        self._namespaces = namespaces
        self._offers = {node.name: offer_on(node) for node in nodes}
        self._costs = costs
        self._cluster = Account(Scope(kind="cluster"), limits)
        self._accounts: dict[str, Account] = {}
        self._entries: dict[tuple[PodUid, str], _Entry] = {}
        self._faults: dict[str, tuple[Reason, ...]] = {}
        self._quotas = _quotas(self._offers.values())
        for name, namespace in namespaces.items():
            if has_budget(namespace.metadata.annotations):
                self._account(name)

    def cost(self, pod: Pod, node: str) -> Cost | None:
        """What the pod costs on this virtual node."""
        return self._costs(pod, self._offers.get(node, SHIPPED_OFFER))

    def charge(self, pod: Pod, node: str, *, times: int = 1) -> None:
        """The pod runs there, or may: spend what it takes, whatever the limits; so many times of it."""
        entry = self._entry(pod, node)
        one = entry.amount
        amount = one if times == 1 else Amount(*(times * figure for figure in figures(one)))
        for account in entry.accounts:
            account.charge(amount)

    def excess(self, pod: Pod, node: str) -> tuple[Reason, ...]:
        """A reason for each budget that the pod on this node would exceed; none where it may burst."""
        entry = self._entry(pod, node)
        if not entry.has_price and any(account.wants_prices for account in entry.accounts):
            return (NO_PRICE,)
        return tuple(reason for account in entry.accounts for reason in account.excess(entry.amount))

    def faults(self, namespace: str) -> tuple[Reason, ...]:
        """What is wrong with the words of the namespace's budget."""
        self._account(namespace)
        return self._faults[namespace]

    def pods_of(self, namespace: str) -> int:
        """The namespace's pods that are charged."""
        return self._account(namespace).pods

    def balances(self) -> tuple[Balance, ...]:
        """What is spent of every budget: the cluster's first, then namespaces and quotas by name."""
        namespaces = (self._accounts[name].balance for name in sorted(self._accounts))
        quotas = (self._quotas[key].balance for key in sorted(self._quotas))
        return (self._cluster.balance, *namespaces, *quotas)

    def _entry(self, pod: Pod, node: str) -> _Entry:
        key = (pod.uid, node)
        entry = self._entries.get(key)
        if entry is None or entry.pod is not pod:
            cost = self.cost(pod, node)
            entry = self._entries[key] = _Entry(
                pod, amount_of(cost), self._concerned(pod, node, cost), cost is not None
            )
        return entry

    def _concerned(self, pod: Pod, node: str, cost: Cost | None) -> tuple[Account, ...]:
        account = self._account(pod.metadata.namespace)
        offer = self._offers.get(node, SHIPPED_OFFER)
        quota = self._quotas.get((offer.rates.region, cost.purchase)) if cost is not None else None
        return (self._cluster, account) if quota is None else (self._cluster, account, quota)

    def _account(self, name: str) -> Account:
        account = self._accounts.get(name)
        if account is None:
            namespace = self._namespaces.get(name)
            annotations = namespace.metadata.annotations if namespace else {}
            limits, self._faults[name] = limits_of(annotations)
            account = self._accounts[name] = Account(Scope(kind="namespace", name=name), limits)
        return account


def book_of(facts: Facts, *, limits: Limits, costs: Costs) -> Book:
    """The book with every pod that has a task, or will: bound to a virtual node, and not ended."""
    book = Book(limits=limits, namespaces=facts.namespaces, nodes=facts.virtual, costs=costs)
    for node, pods in (*facts.on_virtual.items(), *facts.adrift.items()):
        for pod in pods:
            if is_overflow(pod) and not is_terminal(pod):
                book.charge(pod, node)
    return book


def offer_on(node: Node) -> Offer:
    """The node's offer; the one that Spillway ships where it has none, or none that can be read."""
    text = node.metadata.annotations.get(OFFER, "")
    return _read(text) if text else SHIPPED_OFFER


@lru_cache(maxsize=64)
def _read(text: str) -> Offer:
    try:
        return read_offer({OFFER: text}) or SHIPPED_OFFER
    except OfferError:
        # Somebody else wrote it; the bridge puts it right, and prices of a table are better than none.
        return SHIPPED_OFFER


def _quotas(offers: Iterable[Offer]) -> dict[tuple[str, Purchase], Account]:
    """An account for each quota that is known: a region's virtual nodes share it, and the least counts."""
    least: dict[tuple[str, Purchase], float] = {}
    for offer in offers:
        known: tuple[tuple[Purchase, float | None], ...] = (
            ("on-demand", offer.quota.on_demand),
            ("spot", offer.quota.spot),
        )
        for purchase, vcpu in known:
            if vcpu is not None:
                key = (offer.rates.region, purchase)
                least[key] = min(vcpu, least.get(key, vcpu))
    return {
        (region, purchase): Account(Scope(kind="quota", name=region, purchase=purchase), Limits(vcpu=vcpu))
        for (region, purchase), vcpu in least.items()
    }
