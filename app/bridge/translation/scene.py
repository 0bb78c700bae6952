"""What every part of a pod's translation looks at."""

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation.material import Material
from app.model.pod import Pod


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A pod, what was found for it, and the operator's settings."""

    pod: Pod
    material: Material
    settings: TaskSettings
