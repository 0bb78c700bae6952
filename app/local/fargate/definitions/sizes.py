"""The sizes that Fargate offers, by AWS's own table (Linux).

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

import re
from typing import Final

_GB: Final = 1024

MEMORY_OF: Final[dict[int, tuple[int, ...]]] = {
    256: (512, _GB, 2 * _GB),
    512: tuple(range(_GB, 4 * _GB + 1, _GB)),
    1024: tuple(range(2 * _GB, 8 * _GB + 1, _GB)),
    2048: tuple(range(4 * _GB, 16 * _GB + 1, _GB)),
    4096: tuple(range(8 * _GB, 30 * _GB + 1, _GB)),
    8192: tuple(range(16 * _GB, 60 * _GB + 1, 4 * _GB)),
    16384: tuple(range(32 * _GB, 120 * _GB + 1, 8 * _GB)),
    32768: (60 * _GB, 120 * _GB, 244 * _GB),
}
"""CPU units to the MiB of memory that may go with them."""

_CPU_TEXT: Final = re.compile(r"(\d*\.?\d+)\s*vcpu", re.IGNORECASE)
_MEMORY_TEXT: Final = re.compile(r"(\d*\.?\d+)\s*gb", re.IGNORECASE)


def cpu_units(text: str) -> int | None:
    """CPU units of `256` or `.25 vCPU`; None where it is neither."""
    return _parsed(text, _CPU_TEXT)


def memory_mib(text: str) -> int | None:
    """MiB of `512` or `1 GB`; None where it is neither."""
    return _parsed(text, _MEMORY_TEXT)


def _parsed(text: str, with_unit: re.Pattern[str]) -> int | None:
    if text.strip().isdecimal():
        return int(text)
    found = with_unit.fullmatch(text.strip())
    return round(float(found[1]) * 1024) if found else None


def is_offered(cpu: int, memory: int) -> bool:
    """Whether Fargate has a task of so many CPU units and MiB."""
    return memory in MEMORY_OF.get(cpu, ())
