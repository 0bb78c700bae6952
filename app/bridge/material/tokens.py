"""Service account tokens for a pod's volumes, sealed as soon as they are here."""

from collections.abc import Callable, Iterable

from app.bridge.material.config import MaterialConfig
from app.bridge.material.findings import Findings, unreadable, untokened
from app.bridge.material.recent import Recent
from app.bridge.material.seal import NONCE_BYTES, SealKey, sealed
from app.bridge.translation.material import SealedToken, TokenWish, Unready
from app.model.names import PodUid
from app.model.pod import Pod
from app.model.task import Identity
from app.ports.clock import Clock
from app.ports.failures import NotFound, Refused
from app.ports.kubernetes import Sources

Asked = tuple[PodUid, TokenWish, str]
"""Of which pod, which token, sealed with which key (`SealKey.value_from`)."""


class Tokens:
    """TokenRequest and seal. A pod that is tried again soon gets the same sealed token: the same launch."""

    def __init__(
        self,
        sources: Sources,
        *,
        config: MaterialConfig,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Ask nothing yet; `random_bytes` makes nonces."""
        self._sources = sources
        self._config = config
        self._random_bytes = random_bytes
        self._recent: Recent[Asked, SealedToken] = Recent(clock=clock, seconds=config.tokens_fresh)

    async def sealed(
        self, pod: Pod, wishes: Iterable[TokenWish], *, key: SealKey, findings: Findings
    ) -> dict[TokenWish, SealedToken]:
        """A token for each wish. Raises PortFailure."""
        found: dict[TokenWish, SealedToken] = {}
        for wish in sorted(wishes, key=lambda each: (each.audience, each.seconds)):
            token = findings.take(await self._one(pod, wish, key))
            if token is not None:
                found[wish] = token
        return found

    async def _one(self, pod: Pod, wish: TokenWish, key: SealKey) -> SealedToken | Unready:
        asked = (pod.uid, wish, key.value_from)
        try:
            return await self._recent.of(asked, lambda: self._ask(pod, wish, key))
        except NotFound:
            return untokened(pod, NotFound(f'serviceaccounts "{account_of(pod)}" not found'))
        except Refused as failure:
            namespace = pod.metadata.namespace
            why = unreadable(failure, verb="create", resource="serviceaccounts/token", namespace=namespace)
            return untokened(pod, Refused(why))

    async def _ask(self, pod: Pod, wish: TokenWish, key: SealKey) -> SealedToken:
        token = await self._sources.token(pod, audience=wish.audience, seconds=wish.seconds)
        identity = Identity(
            cluster=self._config.cluster,
            node=self._config.node,
            namespace=pod.metadata.namespace,
            name=pod.metadata.name,
            uid=pod.uid,
        )
        box = sealed(token.text, key, identity=identity.text(), nonce=self._random_bytes(NONCE_BYTES))
        return SealedToken(box, token.expires_at)


def account_of(pod: Pod) -> str:
    """The name of the pod's service account."""
    return pod.spec.service_account_name or "default"
