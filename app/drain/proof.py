"""Asks ECS itself which tasks of ours are not over: billed ones run, come up, or are being stopped."""

from typing import Final

from app.drain.config import DrainConfig
from app.drain.facts import Proof
from app.drain.outside import Outside
from app.drain.standing import is_ours
from app.model.task import Task
from app.ports.failures import PortFailure, Refused, Throttled

_AGAIN: Final = "run the command again"
_CREDENTIALS: Final = "give credentials and --region, or say --skip-aws"


class Prover:
    """Reads the whole ECS cluster, and remembers which tasks need no second look.

    Those are tasks that are over, and others' tasks: of neither that ever changes, and ECS throttles whoever
    describes a large cluster again and again.
    """

    def __init__(self, outside: Outside, *, config: DrainConfig) -> None:
        self._outside = outside
        self._config = config
        self._settled: set[str] = set()

    async def tasks(self) -> Proof:
        """Our tasks that are not stopped, or why that is not known.

        A task that is to be stopped, but still runs, stands in ECS's listing of stopped ones. One that has
        been over for an hour may be listed, and described no longer; one that runs may not.

        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
        """
        aws = self._outside.aws
        if aws is None:
            return Proof(unproven=self._outside.no_aws, mend=_CREDENTIALS)
        try:
            running, stopped = await aws.tasks.arns("RUNNING"), await aws.tasks.arns("STOPPED")
            asked = [arn for arn in dict.fromkeys((*running, *stopped)) if arn not in self._settled]
            described = await aws.tasks.describe(asked)
        except PortFailure as failure:
            return Proof(
                unproven=str(failure), mend=_mend(failure), is_throttled=isinstance(failure, Throttled)
            )
        unknown = set(running) & set(described.missing)
        if unknown:
            words = f"ECS says nothing of {len(unknown)} of the tasks that it lists as running"
            return Proof(unproven=words, mend=_AGAIN)
        live = tuple(task for task in described.tasks if self._is_live(task))
        self._settled |= {task.arn for task in described.tasks} - {task.arn for task in live}
        return Proof(tasks=live)

    def _is_live(self, task: Task) -> bool:
        return not task.is_stopped and is_ours(task, self._config)


def _mend(failure: PortFailure) -> str:
    if isinstance(failure, Refused):
        return (
            "give credentials that may list and describe the cluster's tasks, --region and --ecs-cluster, or "
            "say --skip-aws"
        )
    return _AGAIN
