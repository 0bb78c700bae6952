"""Base of the values that mirror Kubernetes' JSON."""

from typing import Any

import msgspec

Json = Any
"""A value of JSON that is passed on or refused, never looked into by type."""

IntOrString = int | str
"""A port by number or by name, as Kubernetes' IntOrString."""


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all values that mirror Kubernetes' own JSON."""
