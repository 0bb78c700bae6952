"""Asks ECS itself which tasks of ours are not over: billed ones run, come up, or are being stopped."""

from app.drain.config import DrainConfig
from app.drain.outside import Outside
from app.drain.standing import is_ours
from app.model.task import Task
from app.ports.failures import PortFailure


class Prover:
    """Reads the whole ECS cluster, and remembers which tasks are over: nothing about them changes."""

    def __init__(self, outside: Outside, *, config: DrainConfig) -> None:
        self._outside = outside
        self._config = config
        self._over: set[str] = set()

    async def tasks(self) -> tuple[tuple[Task, ...] | None, str]:
        """Our tasks that are not stopped; or None, and why that is not known.

        A task that is to be stopped, but still runs, stands in ECS's listing of stopped ones.
        """
        aws = self._outside.aws
        if aws is None:
            return None, self._outside.no_aws
        try:
            listed = (*await aws.tasks.arns("RUNNING"), *await aws.tasks.arns("STOPPED"))
            described = await aws.tasks.describe([arn for arn in listed if arn not in self._over])
        except PortFailure as failure:
            return None, str(failure)
        self._over |= {task.arn for task in described.tasks if task.is_stopped}
        live = (task for task in described.tasks if not task.is_stopped)
        return tuple(task for task in live if is_ours(task, self._config)), ""
