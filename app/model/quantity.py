"""Kubernetes quantities ("500m", "1.5Gi", "2e3") as exact integers, and back.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Final

_BINARY: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL: Final = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
}
_SHAPE: Final = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?))$")
MIB: Final = 2**20
GIB: Final = 2**30


class QuantityError(ValueError):
    """The text is not a Kubernetes quantity."""


@lru_cache(maxsize=4096)
def exact(text: str) -> Decimal:
    """The quantity as an exact number of its unit (cores, bytes, pods).

    Raises:
        QuantityError: `text` is not a quantity.
    """
    match = _SHAPE.match(text.strip())
    if match is None:
        raise QuantityError(f'"{text}" is not a quantity; write for instance 500m, 1.5 or 512Mi')
    number, exponent, suffix = match.groups()
    if exponent is not None:
        return Decimal(number + exponent)
    if suffix in _BINARY:
        return Decimal(number) * _BINARY[suffix]
    return Decimal(number) * _DECIMAL[suffix or ""]


def milli(text: str) -> int:
    """The quantity in thousandths, rounded up as Kubernetes' `MilliValue` does: cores become millicores."""
    return int((exact(text) * 1000).to_integral_value(rounding=ROUND_CEILING))


def whole(text: str) -> int:
    """The quantity as an integer, rounded up as Kubernetes' `Value` does: bytes, pods."""
    return int(exact(text).to_integral_value(rounding=ROUND_CEILING))


def milli_text(value: int) -> str:
    """Millicores in Kubernetes' canonical form: 2000 → "2", 1500 → "1500m"."""
    return str(value // 1000) if value % 1000 == 0 else f"{value}m"


def bytes_text(value: int) -> str:
    """Bytes in the largest binary unit that is exact: 1073741824 → "1Gi", 1000 → "1000"."""
    for suffix, size in reversed(_BINARY.items()):
        if value and value % size == 0:
            return f"{value // size}{suffix}"
    return str(value)
