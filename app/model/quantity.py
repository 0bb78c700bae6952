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
_SHAPE: Final = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([eE][+-]?[0-9]{1,5})|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?))"
)
_LONGEST: Final = 64
_MOST: Final = Decimal(2**63 - 1)
MIB: Final = 2**20
GIB: Final = 2**30


class QuantityError(ValueError):
    """The text is not a Kubernetes quantity."""


@lru_cache(maxsize=4096)
def exact(text: str) -> Decimal:
    """The quantity as an exact number of its unit (cores, bytes, pods), at most 2⁶³-1 as in Kubernetes.

    The bounds on length and size keep a hostile "1e99999" from costing time or memory.

    Raises:
        QuantityError: `text` is not a quantity.
    """
    match = _SHAPE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise QuantityError(f'"{text[:_LONGEST]}" is not a quantity; write for instance 500m, 1.5 or 512Mi')
    number, exponent, suffix = match.groups()
    if exponent is not None:
        value = Decimal(number + exponent)
    else:
        value = Decimal(number) * (_BINARY[suffix] if suffix in _BINARY else _DECIMAL[suffix])
    return max(-_MOST, min(value, _MOST))


@lru_cache(maxsize=4096)
def milli(text: str) -> int:
    """The quantity in thousandths, rounded up as Kubernetes' `MilliValue` does: cores become millicores."""
    return int((exact(text) * 1000).to_integral_value(rounding=ROUND_CEILING))


@lru_cache(maxsize=4096)
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
