"""ECS clusters: names, their capacity providers, and the operations on them."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from app.local.fargate.config import ON_DEMAND, SPOT, FargateConfig
from app.local.fargate.ecs import launch_rules
from app.local.fargate.protocol.errors import AwsError, invalid
from app.local.fargate.protocol.wire import Json
from app.local.fargate.tasks.record import TaskRecord

_DEFAULT: Final = "default"
_INSIGHTS: Final = "containerInsights"


class Providers(msgspec.Struct, frozen=True):
    """The capacity providers that a cluster is associated with, and its default strategy."""

    names: tuple[str, ...] = ()
    default: launch_rules.Strategy = ()


class _Cluster(msgspec.Struct, frozen=True):
    providers: Providers
    insights: str = "disabled"


class Clusters:
    """The clusters of one account and region; `tasks` are all tasks by their ids."""

    def __init__(self, config: FargateConfig, *, tasks: Mapping[str, TaskRecord]) -> None:
        self._config = config
        self._tasks = tasks
        insights = "enabled" if config.container_insights else "disabled"
        providers = Providers(config.capacity_providers)
        self._known = {name: _Cluster(providers, insights) for name in config.clusters}

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part of ECS answers."""
        return {
            "CreateCluster": self.create,
            "DescribeClusters": self.describe,
            "PutClusterCapacityProviders": self.put_providers,
            "UpdateClusterSettings": self.update_settings,
        }

    def create(self, params: Json) -> Json:
        """Create a cluster; one that exists is answered as it is.

        It has the capacity providers that the request names, and no others.
        """
        name = params.get("clusterName", _DEFAULT)
        if name not in self._known:
            self._known[name] = _Cluster(_providers(params), _insights(params, default="disabled"))
        return {"cluster": self._view(name)}

    def update_settings(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateClusterSettings.html."""
        name = self.arn_of(params).rsplit("/", 1)[-1]
        known = self._known[name]
        insights = _insights(params, default=known.insights)
        self._known[name] = msgspec.structs.replace(known, insights=insights)
        return {"cluster": self._view(name, settings=True)}

    def has_insights(self, arn: str) -> bool:
        """Whether the cluster with this ARN has Container Insights."""
        known = self._known.get(self._short(arn))
        return known is not None and known.insights != "disabled"

    def put_providers(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PutClusterCapacityProviders.html."""
        name = self.arn_of(params).rsplit("/", 1)[-1]
        self._known[name] = msgspec.structs.replace(self._known[name], providers=_providers(params))
        return {"cluster": self._view(name)}

    def strategy_for(self, params: Json) -> launch_rules.Strategy:
        """The capacity provider strategy that holds for a RunTask request; empty for a launch type.

        Raises:
            AwsError: there is no such cluster, or the strategy is not one for it.
        """
        providers = self._known[self.arn_of(params).rsplit("/", 1)[-1]].providers
        return launch_rules.strategy_of(params, associated=providers.names, default=providers.default)

    def describe(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html."""
        wanted = params.get("clusters") or [_DEFAULT]
        settings = "SETTINGS" in params.get("include", ())
        found = {each: self._short(each) for each in wanted}
        missing = [each for each, name in found.items() if name not in self._known]
        return {
            "clusters": [
                self._view(name, settings=settings) for each, name in found.items() if each not in missing
            ],
            "failures": [{"arn": self._arn(self._short(each)), "reason": "MISSING"} for each in missing],
        }

    def arn_of(self, params: Json) -> str:
        """The ARN of the cluster that a request names, or of the default one.

        Raises:
            AwsError: there is no such cluster.
        """
        name = self._short(params.get("cluster", _DEFAULT))
        if name not in self._known:
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return self._arn(name)

    def _short(self, name: str) -> str:
        return name.removeprefix(self._config.arn("cluster/"))

    def _arn(self, name: str) -> str:
        return self._config.arn(f"cluster/{name}")

    def _view(self, name: str, *, settings: bool = False) -> Json:
        arn, known = self._arn(name), self._known[name]
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
            "settings": [{"name": _INSIGHTS, "value": known.insights}] if settings else [],
            "capacityProviders": list(known.providers.names),
            "defaultCapacityProviderStrategy": list(known.providers.default),
        }


def _insights(params: Json, *, default: str) -> str:
    wanted = [each.get("value", "") for each in params.get("settings", ()) if each.get("name") == _INSIGHTS]
    if any(each not in {"enabled", "enhanced", "disabled"} for each in wanted):
        raise invalid(f"Invalid value for the setting {_INSIGHTS}: enabled, enhanced or disabled.")
    return str(wanted[-1]) if wanted else default


def _providers(params: Json) -> Providers:
    names = tuple(params.get("capacityProviders", ()))
    default = tuple(params.get("defaultCapacityProviderStrategy", ()))
    unknown = next((name for name in names if name not in {ON_DEMAND, SPOT}), None)
    if unknown is not None:
        raise invalid(f"The specified capacity provider '{unknown}' was not found.")
    launch_rules.require_strategy(default, associated=names)
    return Providers(names, default)
