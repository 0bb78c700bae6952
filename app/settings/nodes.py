"""The virtual nodes of one bridge: its flags describe one, a file may describe several."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from app.model.setting import named
from app.settings.bridge import BridgeSettings
from app.settings.common import Names, Port
from app.settings.loading import SettingsError

HIGHEST_PORT: Final = 65_535
_FILE: Final = named("bridge", "nodes_file")


class NodeEntry(BaseModel):
    """One entry of the file; what it leaves out is as the flags say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    zone: str | None = None
    subnets: Names | None = None
    security_groups: Names | None = None
    architecture: Literal["amd64", "arm64"] | None = None
    capacity: Literal["on-demand", "spot", "spot-first"] | None = None
    kubelet_port: Port | None = None

    def settings(self, common: BridgeSettings, *, index: int) -> BridgeSettings:
        """The settings of this node alone; entry by entry, ports count up from the flag's."""
        own: dict[str, Any] = {
            name: value for name, value in self.model_dump(exclude={"name"}).items() if value is not None
        }
        port = common.kubelet_port + index if common.kubelet_port else 0
        return common.model_copy(update={"node_name": self.name, "kubelet_port": port, **own})


_ENTRIES = TypeAdapter(tuple[NodeEntry, ...])


def nodes_of(settings: BridgeSettings) -> tuple[BridgeSettings, ...]:
    """The settings of each virtual node, at least one.

    Raises:
        SettingsError: the file cannot be read, or does not describe nodes of different names and ports.
    """
    path = settings.nodes_file
    if path is None:
        return (settings,)
    entries = _read(path)
    names = [each.name for each in entries]
    if not names or len(set(names)) < len(names):
        raise SettingsError(f"{_FILE} {path}: it must name at least one node, and each once")
    nodes = tuple(each.settings(settings, index=index) for index, each in enumerate(entries))
    fault = _fault_in_ports([each.kubelet_port for each in nodes])
    if fault:
        raise SettingsError(f"{_FILE} {path}: {fault}")
    return nodes


def _fault_in_ports(ports: list[int]) -> str:
    taken = [each for each in ports if each]
    if len(set(taken)) < len(taken):
        return f"each node needs a kubelet_port of its own, and they are {', '.join(map(str, ports))}"
    if max(ports) > HIGHEST_PORT:
        return (
            f"kubelet_port {max(ports)} is above {HIGHEST_PORT}; name a lower one, or a lower "
            f"{named('bridge', 'kubelet_port')}"
        )
    return ""


def _read(path: Path) -> tuple[NodeEntry, ...]:
    try:
        return _ENTRIES.validate_python(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"{_FILE} {path}: {error}") from error
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise SettingsError(f"{_FILE} {path}: {'; '.join(faults)}") from error
