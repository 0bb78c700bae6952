"""ECS clusters: names, and the operations on them."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from app.local.fargate.config import FargateConfig
from app.local.fargate.errors import AwsError
from app.local.fargate.record import TaskRecord
from app.local.fargate.wire import Json

_DEFAULT: Final = "default"


class Clusters:
    """The clusters of one account and region; `tasks` are all tasks by their ids."""

    def __init__(self, config: FargateConfig, *, tasks: Mapping[str, TaskRecord]) -> None:
        self._config = config
        self._tasks = tasks
        self._names = list(config.clusters)

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part of ECS answers."""
        return {"CreateCluster": self.create, "DescribeClusters": self.describe}

    def create(self, params: Json) -> Json:
        """Create a cluster; one that exists is answered as it is."""
        name = params.get("clusterName", _DEFAULT)
        if name not in self._names:
            self._names.append(name)
        return {"cluster": self._view(name)}

    def describe(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html."""
        wanted = params.get("clusters") or [_DEFAULT]
        found = {each: self._short(each) for each in wanted}
        missing = [each for each, name in found.items() if name not in self._names]
        return {
            "clusters": [self._view(name) for each, name in found.items() if each not in missing],
            "failures": [{"arn": self._arn(self._short(each)), "reason": "MISSING"} for each in missing],
        }

    def arn_of(self, params: Json) -> str:
        """The ARN of the cluster that a request names, or of the default one.

        Raises:
            AwsError: there is no such cluster.
        """
        name = self._short(params.get("cluster", _DEFAULT))
        if name not in self._names:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return self._arn(name)

    def _short(self, name: str) -> str:
        return name.removeprefix(self._config.arn("cluster/"))

    def _arn(self, name: str) -> str:
        return self._config.arn(f"cluster/{name}")

    def _view(self, name: str) -> Json:
        arn = self._arn(name)
        states = Counter(each.status for each in self._tasks.values() if each.cluster_arn == arn)
        return {
            "clusterArn": arn,
            "clusterName": name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": states["RUNNING"],
            "pendingTasksCount": states["PROVISIONING"] + states["PENDING"] + states["ACTIVATING"],
            "activeServicesCount": 0,
            "statistics": [],
            "tags": [],
            "settings": [],
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [],
        }
