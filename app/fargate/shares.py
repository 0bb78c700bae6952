"""The task's size, and each container's share of it.

A kubelet runs init containers one after another and counts only the largest of them. ECS adds up what every
container of the definition reserves, so init containers reserve only what the others leave.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.fargate import sizes
from app.fargate.sizes import Size
from app.model.container import Container, is_sidecar
from app.model.pod import Pod
from app.model.quantity import MIB, milli, whole
from app.model.reason import Reason
from app.model.requests import effective_requests, requests_of
from app.model.wire import Json

LEAST_MEMORY_MIB: Final = 6
LEAST_CPU_UNITS: Final = 2


class Room(msgspec.Struct, frozen=True):
    """A task's size, and its `ephemeralStorage.sizeInGiB`; None where the default does."""

    size: Size
    storage: int | None


def size_of(pod: Pod) -> Size | Reason:
    """The cheapest size that covers the pod's requests and what its containers reserve in ECS's units."""
    asked = requests_of(pod)
    reserved = sum(map(_reservation, _lasting(pod))) + sum(map(_foothold, _inits(pod)))
    units = sum(map(_cpu_units, _lasting(pod)))
    # Rounded up: so many millicores that they are no fewer units again.
    millicores = -(-units * 1000 // 1024)
    return sizes.size_for(max(asked.cpu_milli, millicores), max(asked.memory, reserved * MIB))


def room_of(pod: Pod, *, volumes: int) -> Room | tuple[Reason, ...]:
    """The task's room, or why Fargate has none so large.

    Args:
        pod: its request for ephemeral storage counts what it writes to its volumes, too.
        volumes: bytes that its emptyDir volumes may hold.
    """
    size = size_of(pod)
    storage = sizes.ephemeral_gib_for(max(requests_of(pod).storage, volumes))
    if isinstance(size, Reason) or isinstance(storage, Reason):
        return tuple(each for each in (size, storage) if isinstance(each, Reason))
    return Room(size, storage)


def shares_of(pod: Pod, *, size: Size) -> Mapping[str, dict[str, Json]]:
    """`cpu`, `memory` and `memoryReservation` of each container by its name; what is 0 is left out.

    Requests reserve, a memory limit kills; cpu is a share, not a cap. ECS wants `memory` above
    `memoryReservation`, neither above the task, and where only `memory` stands it reserves that.
    """
    shares = {each.name: _share(each, reserved=_reservation(each), size=size) for each in _lasting(pod)}
    inits = _inits(pod)
    left = size.cpu_units - sum(map(_cpu_units, _lasting(pod)))
    each_gets = left // max(len(inits), 1)
    for init in inits:
        units = min(_cpu_units(init), each_gets) if each_gets >= LEAST_CPU_UNITS else 0
        shares[init.name] = {**_share(init, reserved=_foothold(init), size=size), "cpu": units}
    return {name: {key: value for key, value in share.items() if value} for name, share in shares.items()}


def _share(container: Container, *, reserved: int, size: Size) -> dict[str, Json]:
    limit = min(_mib(container.resources.limits.get("memory", "0")), size.memory_mib)
    return {
        "cpu": _cpu_units(container),
        "memory": limit,
        "memoryReservation": reserved if reserved < limit or not limit else 0,
    }


def _lasting(pod: Pod) -> list[Container]:
    """The containers that run side by side: sidecars and main containers."""
    sidecars = [each for each in pod.spec.init_containers if is_sidecar(each)]
    return [*sidecars, *pod.spec.containers]


def _inits(pod: Pod) -> list[Container]:
    return [each for each in pod.spec.init_containers if not is_sidecar(each)]


def _reservation(container: Container) -> int:
    """MiB that the container reserves: its request, and something wherever it has a limit."""
    return _mib(effective_requests(container.resources).get("memory", "0")) or _foothold(container)


def _foothold(container: Container) -> int:
    """The least MiB that keeps ECS from taking a limit for a reservation; 0 where there is no limit."""
    return LEAST_MEMORY_MIB if _mib(container.resources.limits.get("memory", "0")) else 0


def _cpu_units(container: Container) -> int:
    units = milli(effective_requests(container.resources).get("cpu", "0")) * 1024 // 1000
    return max(units, LEAST_CPU_UNITS) if units else 0


def _mib(quantity: str) -> int:
    size = whole(quantity)
    return max(-(-size // MIB), LEAST_MEMORY_MIB) if size else 0
