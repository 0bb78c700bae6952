"""What one process knows, gathered into one value: caches and memories, all of it lost with the process."""

import msgspec

from app.bridge.memories import Memories
from app.bridge.node.lease import NodeLease
from app.bridge.pod_views import PodViews
from app.bridge.records import Records
from app.bridge.task_store import TaskStore


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What launching and applying share.

    Attributes:
        views: pods as last known; our own writes' answers go there.
        tasks: as last described.
        memories: ECS's definite answers about single pods.
        records: what the tasks' helpers have recorded.
        lease: whether the node is ours.
    """

    views: PodViews
    tasks: TaskStore
    memories: Memories
    records: Records
    lease: NodeLease
