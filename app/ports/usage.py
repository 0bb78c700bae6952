"""Where usage is measured, and who knows it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from app.model.names import TaskArn
from app.model.usage import NodeUsage, PodUsage, Sample


class Usage(Protocol):
    """The node's pods, measured; from memory. The bridge knows them."""

    def node(self) -> NodeUsage:
        """All of them together."""
        ...

    def pods(self) -> Sequence[PodUsage]:
        """Those that are known well enough to be told of."""
        ...


class Insights(Protocol):
    """Where the containers of tasks are measured: by Container Insights, by in-task helpers.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html
    """

    async def samples(self, tasks: Collection[TaskArn], *, since: datetime) -> Sequence[Sample]:
        """What was measured of these tasks' containers since then; none where nobody measures.

        Raises Throttled, Refused, Unavailable.
        """
        ...
