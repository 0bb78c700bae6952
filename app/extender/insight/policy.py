"""The policy that the leader decides by, as it publishes it on the virtual nodes.

It stands in the extender's flags and environment, where nobody else can read it. Without it `spillway
explain` would explain another gate than the one that runs.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from app.extender.cluster.watermark import WatermarkConfig
from app.extender.decision.hindrance import GateConfig
from app.extender.homing.config import ReturnConfig
from app.model.names import POLICY
from app.model.node import Node


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What decides beside the cluster itself.

    Attributes:
        gate: when pods burst.
        watermarks: when the pressure is high.
        returns: when pods come home; None where they do not.
        handover: whether nodes are asked for where overflow stays.
        namespace: Spillway's own, with its placeholders.
    """

    gate: GateConfig = GateConfig()
    watermarks: WatermarkConfig = WatermarkConfig()
    returns: ReturnConfig | None = ReturnConfig()
    handover: bool = False
    namespace: str = "spillway"


DEFAULTS: Final = Policy()
"""What is assumed where no leader has published anything yet."""


def written_policy(policy: Policy) -> str:
    """The annotation's value; equal policies are equal text."""
    return msgspec.json.encode(policy, enc_hook=_plain, order="deterministic").decode()


def read_policy(annotations: Mapping[str, str]) -> Policy | None:
    """The policy on a node; None where there is none, or none that this version can read."""
    text = annotations.get(POLICY, "")
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Policy)
    except msgspec.MsgspecError:
        return None


def published(nodes: Iterable[Node]) -> Policy | None:
    """The policy on the first of these nodes that has one: one leader writes them all."""
    found = (read_policy(node.metadata.annotations) for node in nodes)
    return next((each for each in found if each is not None), None)


def _plain(value: Any) -> Any:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise NotImplementedError(f"a policy has no {type(value).__name__}")
