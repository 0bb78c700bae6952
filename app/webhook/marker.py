"""The marker: an extended resource of quantity 0, by which kube-scheduler knows whom to ask about.

With `managedResources` in its configuration it asks about those pods alone of which a container names the
resource, whatever the quantity. One of 0 is skipped by everybody who fits pods onto nodes.

https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/#kubescheduler-config-k8s-io-v1-ExtenderManagedResource
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from app.model.container import ResourceRequirements
from app.model.names import MARKER
from app.model.wire import Json

_NONE_OF_IT: Final = "0"


def written(resources: ResourceRequirements) -> dict[str, Json]:
    """What a container asks for, as JSON, without what is empty."""
    whole: dict[str, Json] = msgspec.to_builtins(resources)
    return {name: value for name, value in whole.items() if value}


def marked(resources: Mapping[str, Json]) -> dict[str, Json]:
    """The same with the marker: in limits, as extended resources must be, and alike in requests."""
    added = {group: {**resources.get(group, {}), MARKER: _NONE_OF_IT} for group in ("limits", "requests")}
    return {**resources, **added}
