"""From a pod's spec to its material."""

import pytest

from app.bridge.config import TaskSettings
from app.bridge.material.pod_materials import PodMaterials
from app.bridge.translation.material import Material
from app.model.meta import ObjectMeta
from app.model.namespace import Namespace
from app.ports.failures import Unavailable
from tests.bridge.material.fakes import Outskirts, a_secret
from tests.builders import a_container, a_pod
from tests.fakes import FakeWatched

SETTINGS = TaskSettings(
    region="eu-west-3", log_group="pods", log_mode="blocking", execution_role_arn="", task_role_arn=""
)
SHOP = Namespace(metadata=ObjectMeta(name="shop", annotations={"spillway.dev/allowed-roles": "*"}))


def materials(outskirts: Outskirts, *namespaces: Namespace) -> PodMaterials:
    return PodMaterials(outskirts.gatherer, namespaces=FakeWatched(namespaces), settings=SETTINGS)


async def test_what_the_spec_names_is_gathered_under_the_namespaces_annotations(
    outskirts: Outskirts,
) -> None:
    outskirts.sources.put(a_secret("db"))
    pod = a_pod(containers=[a_container(envFrom=[{"secretRef": {"name": "db"}}])])

    found = await materials(outskirts, SHOP).gather(pod)

    assert isinstance(found, Material)
    assert set(found.secrets) == {"db"}
    assert found.namespace == {"spillway.dev/allowed-roles": "*"}


async def test_a_namespace_that_is_not_known_yet_is_waited_for(outskirts: Outskirts) -> None:
    with pytest.raises(Unavailable, match="shop"):
        await materials(outskirts).gather(a_pod())
