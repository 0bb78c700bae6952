"""Base of the values that mirror Kubernetes' JSON."""

from typing import Any

import msgspec

Json = Any
"""A value of JSON that is passed on or refused, never looked into by type."""

IntOrString = int | str
"""A port by number or by name, as Kubernetes' IntOrString."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """Base of all values that mirror Kubernetes' own JSON.

    The garbage collector leaves them out. Frozen trees have no cycles, and with those of 150,000 pods each of
    its full rounds would hold every answer up for a third of a second.
    """
