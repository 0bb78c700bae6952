"""The sizes that Fargate sells, and the smallest one that covers a request.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from app.model.quantity import GIB, MIB, bytes_text
from app.model.reason import Reason


class Size(msgspec.Struct, frozen=True, order=True):
    """A task's size. `cpu_units` are 1024ths of a vCPU; an order by size is an order by price."""

    cpu_units: int
    memory_mib: int


_MEMORY_MIB: Final[dict[int, Iterable[int]]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
    32768: (61440, 122880, 249856),
}

SIZES: Final = tuple(Size(cpu, memory) for cpu, memories in _MEMORY_MIB.items() for memory in memories)
"""Every Linux size, cheapest first: least vCPU, then least memory."""

DEFAULT_EPHEMERAL_GIB: Final = 20
MOST_EPHEMERAL_GIB: Final = 200


def size_for(cpu_milli: int, memory: int) -> Size | Reason:
    """The cheapest size that has at least this much of both, or why there is none.

    Args:
        cpu_milli: millicores; 1000 are 1024 CPU units.
        memory: bytes.
    """
    for size in SIZES:
        if size.cpu_units * 1000 >= cpu_milli * 1024 and size.memory_mib * MIB >= memory:
            return size
    most = SIZES[-1]
    return Reason(
        "TooLarge",
        f"{_cores(cpu_milli)} vCPU with {bytes_text(memory) if memory else 'no'} memory exceeds Fargate's "
        f"largest size ({most.cpu_units // 1024} vCPU, {most.memory_mib // 1024}Gi); request less",
        "spec.containers",
    )


def ephemeral_gib_for(storage: int) -> int | Reason | None:
    """The `ephemeralStorage.sizeInGiB` that covers so many bytes; None where the default 20 GiB does.

    ECS takes 21 to 200 and refuses the default as a value:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html
    """
    gib = -(-storage // GIB)
    if gib <= DEFAULT_EPHEMERAL_GIB:
        return None
    if gib <= MOST_EPHEMERAL_GIB:
        return gib
    return Reason(
        "TooMuchEphemeralStorage",
        f"{gib} GiB of ephemeral storage exceed Fargate's {MOST_EPHEMERAL_GIB} GiB; request less",
        "spec.containers",
    )


def _cores(cpu_milli: int) -> str:
    return f"{cpu_milli / 1000:g}"
