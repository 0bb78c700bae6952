"""Where a container's output goes: `PREFIX/CONTAINER/TASK_ID` in the log group that its launch named.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from app.bridge.config import TaskSettings
from app.bridge.decision.record import recorded_log_group
from app.bridge.pod_views import PodViews
from app.bridge.task_store import key_of
from app.model.log import LogStream
from app.model.pod import Pod, is_terminal
from app.model.task import Task

MOST_OTHER_GROUPS: Final = 2
"""Tenants can write any group on their pods: they must not spend the quota of CloudWatch for all."""


def stream_of(pod: Pod | None, *, container: str, task_id: str, settings: TaskSettings) -> LogStream:
    """The stream of one container of a pod's task; the setting's group where the pod does not say."""
    name = f"{settings.stream_prefix}/{container}/{task_id}"
    return LogStream(group=_group_of(pod, settings), name=name)


def groups_of(pods: Iterable[Pod], *, settings: TaskSettings) -> tuple[str, ...]:
    """The group that the next task will write to, and the few others that most of the running pods' do."""
    counted = Counter(_group_of(pod, settings) for pod in pods if not is_terminal(pod))
    del counted[settings.log_group]
    others = sorted(counted, key=lambda group: (-counted[group], group))
    return (settings.log_group, *others[:MOST_OTHER_GROUPS])


class LogPlaces:
    """Finds the streams of tasks by what is known of their pods."""

    def __init__(self, views: PodViews, *, settings: TaskSettings) -> None:
        self._views = views
        self._settings = settings

    def of(self, task: Task, container: str) -> LogStream:
        """The stream of one container of the task."""
        key = key_of(task)
        pod = self._views.get(key) if key is not None else None
        return stream_of(pod, container=container, task_id=task.task_id, settings=self._settings)


def _group_of(pod: Pod | None, settings: TaskSettings) -> str:
    return (recorded_log_group(pod) if pod is not None else "") or settings.log_group
