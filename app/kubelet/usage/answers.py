"""What the node's pods use, as answers."""

from http import HTTPStatus

import msgspec

from app.kubelet.messages import Answer
from app.kubelet.usage.resource_metrics import CONTENT_TYPE, resource_metrics
from app.kubelet.usage.summary import summary
from app.ports.usage import Usage


def summed_up(usage: Usage) -> Answer:
    """`/stats/summary`."""
    text = msgspec.json.encode(summary(usage.node(), usage.pods())).decode()
    return Answer(status=HTTPStatus.OK, text=text, headers=(("Content-Type", "application/json"),))


def exposed(usage: Usage) -> Answer:
    """`/metrics/resource`."""
    text = resource_metrics(usage.node(), usage.pods()).removesuffix("\n")
    return Answer(status=HTTPStatus.OK, text=text, headers=(("Content-Type", CONTENT_TYPE),))
