"""A pod's volumes as folders: Secrets, ConfigMaps, tokens and empty ones, kept as the API server has them.

https://kubernetes.io/docs/concepts/storage/volumes/
"""

import itertools
from pathlib import Path

from tests.serving.mounts import swap
from tests.system.machine.cluster import Cluster, Json

Files = dict[str, bytes]


class Volumes:
    """The volumes of one pod."""

    def __init__(self, pod: Json, *, directory: Path, cluster: Cluster) -> None:
        self._pod = pod
        self._directory = directory
        self._cluster = cluster
        self._written: dict[str, Files] = {}
        self._serial = itertools.count(1)

    def mounts(self, container: Json) -> dict[str, Path]:
        """The folder of each path at which the container mounts one."""
        return {
            each["mountPath"]: self._directory / each["name"] for each in container.get("volumeMounts", [])
        }

    async def refreshed(self) -> bool:
        """Write what is new; whether all is there. Until then no container starts, as on any node."""
        complete = True
        for volume in self._pod["spec"].get("volumes", []):
            folder = self._directory / volume["name"]
            folder.mkdir(parents=True, exist_ok=True)
            if "emptyDir" in volume:
                continue
            files = await self._files(volume)
            if files is None:
                complete = False
            elif files != self._written.get(volume["name"]):
                swap(folder, str(next(self._serial)), files)
                self._written[volume["name"]] = files
        return complete

    async def _files(self, volume: Json) -> Files | None:
        if "secret" in volume:
            source = volume["secret"]
            return await self._data("secrets", source["secretName"], source)
        if "configMap" in volume:
            source = volume["configMap"]
            return await self._data("configmaps", source["name"], source)
        files: Files = {}
        for source in volume["projected"]["sources"]:
            some = await self._projected(volume["name"], source)
            if some is None:
                return None
            files |= some
        return files

    async def _projected(self, name: str, source: Json) -> Files | None:
        if "serviceAccountToken" in source:
            wanted = source["serviceAccountToken"]
            before = self._written.get(name, {}).get(wanted["path"])
            return {wanted["path"]: before or await self._cluster.token(self._pod, wanted)}
        if "configMap" in source:
            return await self._data("configmaps", source["configMap"]["name"], source["configMap"])
        items = source["downwardAPI"]["items"]
        return {each["path"]: field(self._pod, each["fieldRef"]["fieldPath"]).encode() for each in items}

    async def _data(self, kind: str, name: str, source: Json) -> Files | None:
        data = await self._cluster.data(kind, self._pod["metadata"]["namespace"], name)
        if data is None or "items" not in source:
            return data
        if any(each["key"] not in data for each in source["items"]):
            return None
        return {each["path"]: data[each["key"]] for each in source["items"]}


def field(pod: Json, path: str) -> str:
    """A field of the pod by its path, as the downward API gives it."""
    value = pod
    for part in path.split("."):
        value = value[part]
    return str(value)
