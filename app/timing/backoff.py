"""How long to wait after failures in a row."""

from typing import Final

_EXPONENT_CAP: Final = 16


def delay(failures: int, *, first: float, longest: float, jitter: float) -> float:
    """Seconds to wait; none after none. Doubles with every failure, and spreads over its upper half.

    Args:
        failures: how many came in a row, up to now.
        first: the longest wait after one failure.
        longest: the longest wait ever.
        jitter: 0..1, so that many clients do not come back in step; 1 always waits in full.
    """
    if failures <= 0:
        return 0.0
    full = min(longest, first * 2.0 ** min(failures - 1, _EXPONENT_CAP))
    return full * (0.5 + 0.5 * jitter)
