from app.extender.controllers import Controllers
from app.extender.homing.config import ReturnConfig
from app.model.meta import OwnerReference
from app.model.pod import Pod
from app.model.replicas import Replicas
from app.ports.failures import NotFound
from tests.builders import a_pod, owned_by
from tests.extender.homing.returns import WHOLE
from tests.fakes import VirtualClock


class OneNamespace:
    """Controllers that live in namespace shop alone."""

    async def evict(self, pod: Pod) -> None:
        raise NotImplementedError

    async def replicas(self, namespace: str, controller: OwnerReference) -> Replicas:
        if namespace != "shop":
            raise NotFound(f"{namespace}/{controller.name}")
        return WHOLE


def claiming(namespace: str) -> Pod:
    return a_pod("web-1", namespace=namespace, metadata=owned_by("ReplicaSet", "web"))


async def test_who_claims_a_controller_of_another_namespace_is_stuck_and_that_one_is_not() -> None:
    controllers = Controllers(OneNamespace(), config=ReturnConfig(), clock=VirtualClock())
    assert await controllers.stuck([claiming("shop"), claiming("other")]) == {"other/uid-web"}
    assert await controllers.stuck([claiming("other")]) == {"other/uid-web"}
