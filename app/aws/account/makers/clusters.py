"""ECS clusters. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html."""

from collections.abc import Collection, Mapping
from typing import Final

from app.aws.account.calls import Calls, parts
from app.aws.account.makers.maker import Maker, owner_in, tag_list
from app.aws.account.names import Names
from app.aws.account.plan import Found
from app.aws.account.wanted import INSIGHTS, PROVIDERS, SESSION_KEY, Key, Resource
from app.model.wire import Json
from app.ports.failures import NotFound

_INCLUDE: Final = ["CONFIGURATIONS", "SETTINGS", "TAGS"]
_GONE: Final = frozenset({"INACTIVE", "DEPROVISIONING"})
_DESCRIBED_AT_ONCE: Final = 100
_TAG: Final = {"key": "key", "value": "value"}


class Clusters(Maker):
    """The cluster that runs the tasks."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls = calls
        self._names = names

    async def find(self, key: Key) -> Found | None:
        """As the port; ECS tells of deleted clusters, as INACTIVE, for a while; they can be made anew."""
        cluster = await self._described(key.name)
        if cluster is None:
            return None
        return Found(
            key=key,
            identifier=str(cluster["clusterArn"]),
            owner=owner_in(cluster.get("tags", ()), **_TAG),
            aspects={
                PROVIDERS: sorted(cluster.get("capacityProviders", ())),
                INSIGHTS: _insights(cluster),
                SESSION_KEY: _execute(cluster).get("kmsKeyId") or "",
            },
        )

    async def _described(self, name: str) -> Mapping[str, Json] | None:
        answer = await self._calls.ask("ecs", "describe_clusters", clusters=[name], include=_INCLUDE)
        return next(iter(_active(answer)), None)

    async def owners(self) -> set[str]:
        """Whose the region's clusters are by their tags; empty for those without. Raises PortFailure."""
        tokens = ("nextToken", "nextToken")
        arns = await self._calls.pages("ecs", "list_clusters", "clusterArns", tokens=tokens)
        owners: set[str] = set()
        for part in parts(arns, _DESCRIBED_AT_ONCE):
            answer = await self._calls.ask("ecs", "describe_clusters", clusters=part, include=["TAGS"])
            owners |= {owner_in(each.get("tags", ()), **_TAG) for each in _active(answer)}
        return owners

    async def create(self, resource: Resource) -> Collection[str]:
        """As the port."""
        tags = tag_list(self._names, **_TAG)
        await self._calls.ask(
            "ecs", "create_cluster", settling=True, clusterName=resource.key.name, tags=tags
        )
        return [PROVIDERS, INSIGHTS, *([SESSION_KEY] if resource.aspects[SESSION_KEY] else [])]

    async def change(self, resource: Resource, aspects: Collection[str]) -> None:
        """As the port; where sessions are logged is not ours to change."""
        name, wanted = resource.key.name, resource.aspects
        if PROVIDERS in aspects:
            await self._calls.ask(
                "ecs",
                "put_cluster_capacity_providers",
                settling=True,
                cluster=name,
                capacityProviders=wanted[PROVIDERS],
                defaultCapacityProviderStrategy=[],
            )
        changes: dict[str, Json] = {}
        if INSIGHTS in aspects:
            changes["settings"] = [{"name": "containerInsights", "value": wanted[INSIGHTS]}]
        if SESSION_KEY in aspects:
            changes["configuration"] = _with_key(await self._described(name) or {}, wanted[SESSION_KEY])
        if changes:
            await self._calls.ask("ecs", "update_cluster", settling=True, cluster=name, **changes)

    async def delete(self, found: Found) -> None:
        """As the port."""
        try:
            await self._calls.ask("ecs", "delete_cluster", settling=True, cluster=found.key.name)
        except NotFound:
            return


def _active(answer: Mapping[str, Json]) -> list[Json]:
    return [each for each in answer.get("clusters", ()) if each.get("status") not in _GONE]


def _insights(cluster: Mapping[str, Json]) -> str:
    for each in cluster.get("settings") or ():
        if each.get("name") == "containerInsights":
            return str(each.get("value"))
    return "disabled"


def _execute(cluster: Mapping[str, Json]) -> Mapping[str, Json]:
    return (cluster.get("configuration") or {}).get("executeCommandConfiguration") or {}


def _with_key(cluster: Mapping[str, Json], key: str) -> Json:
    """The cluster's configuration with another key for sessions, or with none."""
    kept = {name: value for name, value in _execute(cluster).items() if name != "kmsKeyId"}
    execute = {"logging": "DEFAULT", **kept, **({"kmsKeyId": key} if key else {})}
    return {**(cluster.get("configuration") or {}), "executeCommandConfiguration": execute}
