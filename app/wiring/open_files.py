"""How many files and connections this process may have open."""

import resource
from typing import Final

ENOUGH: Final = 65536
"""A connection takes one; the API server of a large cluster holds some thousands."""


def allow_many() -> None:
    """Raise the soft limit, which is 1,024 in many containers, as far as the hard one allows.

    https://man7.org/linux/man-pages/man2/getrlimit.2.html
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
