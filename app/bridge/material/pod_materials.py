"""One pod's material: what it needs by its spec, gathered, under its namespace's annotations."""

from app.bridge.config import TaskSettings
from app.bridge.material.gatherer import Gatherer
from app.bridge.translation.material import Material, Unready
from app.bridge.translation.needs import needs_of
from app.model.namespace import Namespace
from app.model.pod import Pod
from app.model.reason import Reason
from app.ports.failures import Unavailable
from app.ports.watched import Watched


class PodMaterials:
    """Finds what pods refer to (`app.bridge.outside.Materials`)."""

    def __init__(self, gatherer: Gatherer, *, namespaces: Watched[Namespace], settings: TaskSettings) -> None:
        """Ask nothing yet; the namespaces are watched already."""
        self._gatherer = gatherer
        self._namespaces = namespaces
        self._settings = settings

    async def gather(self, pod: Pod) -> Material | Unready | tuple[Reason, ...]:
        """All of it, what is missing yet, or why it can never be.

        Raises:
            PortFailure: Kubernetes or AWS did not answer, or the namespace is not known yet.
        """
        name = pod.metadata.namespace
        namespace = self._namespaces.get(name)
        if namespace is None:
            # Its annotations allow roles and refuse policies: without them nothing may be decided.
            raise Unavailable(f'namespace "{name}" is not known yet')
        needs = needs_of(pod, settings=self._settings)
        return await self._gatherer.gather(pod, needs, namespace=namespace.metadata.annotations)
