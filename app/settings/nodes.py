"""The virtual nodes of one bridge: its flags describe one, a file may describe several."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from app.settings.bridge import BridgeSettings
from app.settings.common import Names
from app.settings.loading import SettingsError


class NodeEntry(BaseModel):
    """One entry of the file; what it leaves out is as the flags say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    zone: str | None = None
    subnets: Names | None = None
    security_groups: Names | None = None
    architecture: Literal["amd64", "arm64"] | None = None
    capacity: Literal["on-demand", "spot", "spot-first"] | None = None

    def settings(self, common: BridgeSettings) -> BridgeSettings:
        """The settings of this node alone."""
        own: dict[str, Any] = {
            name: value for name, value in self.model_dump(exclude={"name"}).items() if value is not None
        }
        return common.model_copy(update={"node_name": self.name, **own})


_ENTRIES = TypeAdapter(tuple[NodeEntry, ...])


def nodes_of(settings: BridgeSettings) -> tuple[BridgeSettings, ...]:
    """The settings of each virtual node, at least one.

    Raises:
        SettingsError: the file cannot be read, or does not describe nodes of different names.
    """
    path = settings.nodes_file
    if path is None:
        return (settings,)
    entries = _read(path)
    names = [each.name for each in entries]
    if not names or len(set(names)) < len(names):
        raise SettingsError(f"--nodes-file {path}: it must name at least one node, and each once")
    return tuple(each.settings(settings) for each in entries)


def _read(path: Path) -> tuple[NodeEntry, ...]:
    try:
        return _ENTRIES.validate_python(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"--nodes-file {path}: {error}") from error
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise SettingsError(f"--nodes-file {path}: {'; '.join(faults)}") from error
