"""How long to wait after failures in a row."""

from typing import Final

_EXPONENT_CAP: Final = 16


def delay(failures: int, *, jitter: float, first: float = 1.0, longest: float = 30.0) -> float:
    """Seconds to wait; none after none. Doubles with every failure, and spreads over its upper half.

    Args:
        failures: how many came in a row, up to now.
        jitter: 0..1, so that many clients do not come back in step.
        first: the longest wait after one failure.
        longest: the longest wait ever.
    """
    if failures <= 0:
        return 0.0
    full = min(longest, first * 2.0 ** min(failures - 1, _EXPONENT_CAP))
    return full * (0.5 + 0.5 * jitter)
