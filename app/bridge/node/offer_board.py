"""Puts Fargate's prices and the account's quotas on the virtual node, where the gate reads them.

An annotation with a field manager of its own: the extender needs no rights at AWS, and the node's other
writers leave it alone. What AWS does not tell is left to the table that ships; bursts never wait for it.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from app.model.names import OFFER, OFFER_MANAGER
from app.model.offer import TABLE, Offer, Rates, VcpuQuota, written_offer
from app.model.policy import Capacity
from app.ports.clock import Clock
from app.ports.failures import PortFailure, Refused
from app.ports.kubernetes import Nodes
from app.ports.offers import Offers
from app.telemetry import logs

log = logs.get(__name__)

UNKNOWN_QUOTA: Final = VcpuQuota()


class BoardConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Whose offer, and how often it is looked at.

    Attributes:
        node: the virtual node's name.
        region: AWS's, whose quotas hold; the prices of the table that ships stand in for its own.
        capacity: what its pods run on where they do not say.
        period: seconds from one look at AWS to the next.
        retry: seconds until the next try while AWS or Kubernetes does not answer.
        standby: seconds between two looks whether the node has become ours.
    """

    node: str
    region: str
    capacity: Capacity
    period: float = 6 * 3600.0
    retry: float = 60.0
    standby: float = 5.0


class OfferBoard:
    """One virtual node's offer.

    Args:
        nodes: where it is written.
        offers: AWS.
        clock: time.
        config: whose offer.
        is_ours: whether this bridge keeps the node at this moment.
    """

    def __init__(
        self,
        nodes: Nodes,
        offers: Offers,
        *,
        clock: Clock,
        config: BoardConfig,
        is_ours: Callable[[], Awaitable[bool]],
    ) -> None:
        self._nodes = nodes
        self._offers = offers
        self._clock = clock
        self._config = config
        self._is_ours = is_ours
        self._rates: Rates = TABLE
        self._quota = UNKNOWN_QUOTA
        self._complained: set[str] = set()

    async def run(self) -> None:
        """Keep the offer current until cancelled."""
        while True:
            await self._clock.sleep(await self._post())

    async def _post(self) -> float:
        """Ask and write once, if the node is ours; the seconds until it is time again."""
        try:
            if not await self._is_ours():
                return self._config.standby
            told = await self._ask()
            await self._write()
        except PortFailure as failure:
            log.warning("the offer is not on the node yet", node=self._config.node, error=str(failure))
            return self._config.retry
        return self._config.period if told else self._config.retry

    async def _ask(self) -> bool:
        """What AWS does not tell stays as it was last known."""
        told = True
        try:
            self._rates = await self._offers.rates()
        except PortFailure as failure:
            told = self._complain("prices: the table that ships stands in", failure)
        try:
            self._quota = await self._offers.quota()
        except PortFailure as failure:
            told &= self._complain("vCPU quotas: none is taken to hold", failure)
        return told

    def _complain(self, what: str, failure: PortFailure) -> bool:
        """Say each thing once; whether it is a definite no, so that there is no hurry to ask again."""
        if what not in self._complained:
            self._complained.add(what)
            log.warning("AWS does not tell", what=what, node=self._config.node, error=str(failure))
        return isinstance(failure, Refused)

    async def _write(self) -> None:
        offer = Offer(
            rates=msgspec.structs.replace(self._rates, region=self._config.region),
            quota=self._quota,
            capacity=self._config.capacity,
            at=self._clock.now(),
        )
        await self._nodes.apply_status(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": self._config.node, "annotations": {OFFER: written_offer(offer)}},
            },
            manager=OFFER_MANAGER,
        )
