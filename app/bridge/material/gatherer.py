"""Gathers what a pod refers to, from Kubernetes, registries and AWS, into one frozen value."""

from collections.abc import Callable, Mapping, Sequence

from app.bridge.material import entries
from app.bridge.material.by_namespace import ByNamespace
from app.bridge.material.config import MaterialConfig, Suppliers
from app.bridge.material.findings import (
    Findings,
    Refusal,
    unclaimed,
    unconfigured,
    unpulled,
    unreadable,
    untokened,
)
from app.bridge.material.pulls import Login, Pulls
from app.bridge.material.recent import Recent
from app.bridge.material.referred import Name, Referred, unstored
from app.bridge.material.seal import SealKey, SealKeys
from app.bridge.material.shelf import Shelf
from app.bridge.material.tokens import Tokens, account_of
from app.bridge.material.unknown_fields import UnknownFields
from app.bridge.translation.material import Material, Needs, SealedToken, TokenWish, Unready
from app.model.image import ImageConfig
from app.model.names import IRSA_ROLE, KUBE2IAM_ROLE
from app.model.objects import PersistentVolume, Service, ServiceAccount
from app.model.pod import Pod
from app.model.setting import named
from app.ports.failures import NotFound, Refused


class Gatherer:
    """Reads for one pod at a time; what pods have in common is asked for once (`app.bridge.material.recent`).

    Attributes:
        shelf: which entries of the vault are in use, for the keeper.
    """

    def __init__(
        self, suppliers: Suppliers, *, config: MaterialConfig, random_bytes: Callable[[int], bytes]
    ) -> None:
        """Ask nothing yet.

        Args:
            suppliers: the ports.
            config: whose bridge this is.
            random_bytes: so many bytes that nobody can guess; keys and nonces are made of them.
        """
        clock = suppliers.clock
        prefix = entries.prefix_of(cluster=config.cluster, node=config.node)
        self._suppliers = suppliers
        self._config = config
        self.shelf = Shelf(suppliers.vault, clock=clock)
        self._referred = Referred(
            suppliers.sources, self.shelf, prefix=prefix, clock=clock, fresh=config.fresh
        )
        self._pulls = Pulls(self._referred, self.shelf, prefix=prefix)
        seal_name = entries.seal_name(cluster=config.cluster)
        self._seals = SealKeys(suppliers.vault, name=seal_name, clock=clock, random_bytes=random_bytes)
        self._tokens = Tokens(suppliers.sources, config=config, clock=clock, random_bytes=random_bytes)
        self._services = ByNamespace(suppliers.services, plural="services", clock=clock, patience=config.sync)
        self._policies = ByNamespace(
            suppliers.policies, plural="networkpolicies", clock=clock, patience=config.sync
        )
        self._accounts: Recent[Name, ServiceAccount] = Recent(clock=clock, seconds=config.fresh)
        self._volumes: Recent[Name, PersistentVolume | None] = Recent(clock=clock, seconds=config.fresh)
        self._unknown = UnknownFields(suppliers.specs)
        self._roles: Recent[Name, str] = Recent(clock=clock, seconds=config.roles_fresh)

    async def gather(
        self, pod: Pod, needs: Needs, *, namespace: Mapping[str, str]
    ) -> Material | Unready | Refusal:
        """Everything that the pod needs, or what is in its way.

        Args:
            pod: as it is bound; its uid names it in what is sealed.
            needs: what it refers to.
            namespace: the annotations of its namespace.

        Returns:
            Unready where something may come yet, in kubelet's words; reasons, all of them, where the pod can
            never run like this.

        Raises:
            NotFound: the pod is gone.
            PortFailure: the outside did not answer (Unavailable, Throttled); ask again.
        """
        findings, names = Findings(), set[str]()
        findings.take(await self._unknown.of(pod))
        account = await self._account(pod, findings)
        claims = await self._claims(pod, needs, findings)
        maps = await self._referred.config_maps(pod, needs, findings=findings, names=names)
        secrets = await self._referred.secrets(pod, needs, findings=findings, names=names)
        logins = await self._pulls.logins(pod, findings=findings)
        pulls = await self._pulls.stored(pod, logins.found, findings=findings, names=names)
        images, unread = await self._images(needs, logins.found, findings)
        role = await self._role(pod, account, findings)
        seal_key, tokens = await self._sealed(pod, needs, findings)
        material = Material(
            namespace=namespace,
            config_maps=maps.plain,
            stored_maps=maps.stored,
            secrets=secrets,
            services=await self._services_for(pod, needs),
            account=account,
            pod_identity_role=role,
            claims=claims,
            tokens=tokens,
            seal_key=seal_key,
            images=images,
            unread_images=unread,
            pulls=pulls,
            missing_pulls=logins.missing,
            policies=await self._policies.of(pod.metadata.namespace),
        )
        self.shelf.uses(pod.uid, names)
        return findings.outcome() or material

    async def _account(self, pod: Pod, findings: Findings) -> ServiceAccount | None:
        namespace, name = pod.metadata.namespace, account_of(pod)
        sources = self._suppliers.sources
        try:
            return await self._accounts.of((namespace, name), lambda: sources.account(namespace, name))
        except NotFound:
            return None
        except Refused as failure:
            why = unreadable(failure, verb="get", resource="serviceaccounts", namespace=namespace)
            findings.take(unconfigured(why))
            return None

    async def _role(self, pod: Pod, account: ServiceAccount | None, findings: Findings) -> str:
        """The role of EKS Pod Identity; not asked for where an annotation outranks it."""
        annotated = account is not None and IRSA_ROLE in account.metadata.annotations
        if account is None or annotated or KUBE2IAM_ROLE in pod.metadata.annotations:
            return ""
        namespace, name = pod.metadata.namespace, account_of(pod)
        roles = self._suppliers.roles
        try:
            return await self._roles.of((namespace, name), lambda: roles.role_of(namespace, name))
        except (NotFound, Refused) as failure:
            findings.take(
                unconfigured(
                    f"the role that EKS Pod Identity gives the service account cannot be learned: {failure}; "
                    f"check {named('bridge', 'eks_cluster')}, and allow eks:ListPodIdentityAssociations and "
                    "eks:DescribePodIdentityAssociation in the policy of the bridge's role"
                )
            )
            return ""

    async def _claims(self, pod: Pod, needs: Needs, findings: Findings) -> dict[str, PersistentVolume]:
        found: dict[str, PersistentVolume] = {}
        for claim in sorted(needs.claims):
            volume = findings.take(await self._claim(pod, claim))
            if volume is not None:
                found[claim] = volume
        return found

    async def _claim(self, pod: Pod, claim: str) -> PersistentVolume | Unready:
        namespace, sources = pod.metadata.namespace, self._suppliers.sources
        try:
            volume = await self._volumes.of((namespace, claim), lambda: sources.volume(namespace, claim))
        except NotFound:
            why = f'failed to fetch PVC from API server: persistentvolumeclaims "{claim}" not found'
            return unclaimed(pod, claim, why)
        except Refused as failure:
            resources = "persistentvolumeclaims and persistentvolumes"
            why = unreadable(failure, verb="get", resource=resources, namespace=namespace)
            return unclaimed(pod, claim, why)
        return volume if volume is not None else unclaimed(pod, claim, "PVC is not bound")

    async def _sealed(
        self, pod: Pod, needs: Needs, findings: Findings
    ) -> tuple[str, dict[TokenWish, SealedToken]]:
        """Tokens for the volumes, once nothing else is missing: a pod that waits would get many in vain."""
        if not needs.tokens or findings.outcome() is not None:
            return "", {}
        key = findings.take(await self._seal_key(pod))
        if key is None:
            return "", {}
        tokens = await self._tokens.sealed(pod, needs.tokens, key=key, findings=findings)
        return key.value_from, tokens

    async def _seal_key(self, pod: Pod) -> SealKey | Unready:
        try:
            return await self._seals.current()
        except Refused as failure:
            return untokened(pod, Refused(unstored("the key that seals it", failure)))

    async def _services_for(self, pod: Pod, needs: Needs) -> tuple[Service, ...]:
        """The namespace's, where the pod wants to know of them; `kubernetes` always, as with kubelet."""
        own = await self._services.of(pod.metadata.namespace) if needs.services else ()
        common = await self._services.of("default")
        kubernetes = (each for each in common if each.metadata.name == "kubernetes" and each not in own)
        return (*own, *kubernetes)

    async def _images(
        self, needs: Needs, logins: Sequence[Login], findings: Findings
    ) -> tuple[dict[str, ImageConfig], dict[str, str]]:
        """What was found of each image, and why the registry does not show us the others.

        One that is not there may come yet. Of one that we may not read, ECS may well know more than we: only
        the translation can tell whether it has to be known at all.
        """
        credentials = tuple(each.login for each in logins)
        found: dict[str, ImageConfig] = {}
        unread: dict[str, str] = {}
        for image in sorted(needs.images):
            try:
                found[image] = await self._suppliers.images.config(
                    image, architecture=self._config.architecture, credentials=credentials
                )
            except NotFound as failure:
                findings.take(unpulled(image, failure))
            except Refused as failure:
                unread[image] = str(failure)
        return found, unread
