"""The volumes of tasks as directories of this host.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_data_volumes.html
"""

import contextlib
import shutil
import tempfile
from pathlib import Path

from app.local.fargate.protocol.wire import Json

_PERMISSIONS = 0o755
"""What a new volume has on Fargate, and root for its owner."""


class Volumes:
    """One directory per volume and task, and one per EFS file system and access point for all tasks.

    Every file system exists that a definition names, and so does every directory of it. Everything lies
    below `directory`; without one, in a new one that `close` removes.
    """

    def __init__(self, directory: Path | None) -> None:
        self._kept = directory
        self._temporary: Path | None = None

    def directory_of(self, task: str, volume: Json) -> Path:
        """The directory of a volume, given as the task definition has it, for a task, given by its id."""
        efs = volume.get("efsVolumeConfiguration")
        path = self._base() / "tasks" / task / volume["name"] if efs is None else self._shared(efs)
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(_PERMISSIONS)
        return path

    def release(self, task: str) -> None:
        """Remove what a task had for itself; errors mean that a process got away and still writes."""
        base = self._kept or self._temporary
        if base is None:
            return
        shutil.rmtree(base / "tasks" / task, ignore_errors=True)
        if self._temporary is not None:
            with contextlib.suppress(OSError):  # it holds something of other tasks
                (base / "tasks").rmdir()
                base.rmdir()
                self._temporary = None

    def close(self) -> None:
        """Remove what is not to be kept."""
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)  # as before
            self._temporary = None

    def _shared(self, efs: Json) -> Path:
        access_point = efs.get("authorizationConfig", {}).get("accessPointId", "root")
        inside = efs.get("rootDirectory", "/").strip("/")
        return self._base().joinpath("efs", efs["fileSystemId"], access_point, inside)

    def _base(self) -> Path:
        if self._kept is not None:
            return self._kept
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="fargate-volumes-"))
        return self._temporary
