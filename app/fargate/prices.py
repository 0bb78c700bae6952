"""What a pod costs on Fargate: the size that it is sold, and US dollars for an hour of it. Pure.

https://aws.amazon.com/fargate/pricing/
"""

from functools import partial

import msgspec

from app.fargate import shares
from app.fargate.pod_rules import scratch
from app.fargate.sizes import DEFAULT_EPHEMERAL_GIB
from app.model.names import ARCH_LABEL
from app.model.offer import Arch, Offer, Purchase, Rates
from app.model.pod import Pod
from app.model.policy import PolicyError, capacity_of
from app.model.quantity import QuantityError

_ARM: Arch = "arm64"
_UNITS_PER_VCPU = 1024
_MIB_PER_GIB = 1024


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one pod's task takes. `hourly` is US dollars; `purchase` is what the price is for.

    A pod that would rather have Spot may end on demand: `spot` stands only where nothing else will do.
    `on_demand` is US dollars for an hour if it does not run on Spot after all: its owner can still say so.
    """

    vcpu: float
    memory_mib: int
    storage_gib: int
    hourly: float
    on_demand: float
    purchase: Purchase


def hourly(
    *, vcpu: float, memory_mib: int, storage_gib: int, arch: Arch, purchase: Purchase, rates: Rates
) -> float:
    """US dollars for an hour of a task."""
    rate = (rates.spot if purchase == "spot" else rates.on_demand)[arch]
    storage = max(0, storage_gib - DEFAULT_EPHEMERAL_GIB) * rates.storage_gib_hour
    return vcpu * rate.vcpu_hour + memory_mib / _MIB_PER_GIB * rate.gib_hour + storage


def cost_of(pod: Pod, offer: Offer) -> Cost | None:
    """What the pod would cost, at the dearest that its wishes allow; None where Fargate has no such size.

    A wish that means nothing counts as on-demand: who wrote it on a running pod pays for it as before.
    """
    try:
        room = shares.room_of(pod, volumes=scratch(pod))
    except QuantityError:
        return None
    if not isinstance(room, shares.Room):
        return None
    vcpu, storage = room.size.cpu_units / _UNITS_PER_VCPU, room.storage or DEFAULT_EPHEMERAL_GIB
    memory_mib, purchase = room.size.memory_mib, _purchase(pod, offer)
    price = partial(
        hourly,
        vcpu=vcpu,
        memory_mib=memory_mib,
        storage_gib=storage,
        arch=arch_of(pod),
        rates=offer.rates,
    )
    return Cost(
        vcpu=vcpu,
        memory_mib=memory_mib,
        storage_gib=storage,
        hourly=price(purchase=purchase),
        on_demand=price(purchase="on-demand"),
        purchase=purchase,
    )


def _purchase(pod: Pod, offer: Offer) -> Purchase:
    try:
        wish = capacity_of(pod.metadata.annotations, default=offer.capacity)
    except PolicyError:
        return "on-demand"
    return "spot" if wish == "spot" else "on-demand"


def arch_of(pod: Pod) -> Arch:
    """The architecture that the pod's nodeSelector names; amd64, the dearer one, where it names none."""
    return _ARM if pod.spec.node_selector.get(ARCH_LABEL) == _ARM else "amd64"
