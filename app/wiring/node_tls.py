"""The certificates on both sides of one virtual node's HTTPS API, as its settings say."""

import asyncio
import random
import ssl
from typing import Final

from app.model.setting import named
from app.ports.access import ClientAuthorities
from app.ports.certificates import CertificateRequests
from app.ports.clock import Clock
from app.ports.failures import PortFailure, Refused
from app.settings import BridgeSettings
from app.telemetry import logs
from app.tls.authority import Authority, Leaf
from app.tls.expiry import Loaded, unheard
from app.tls.keeping import FileAuthorities, Trust, keep_presenting
from app.tls.serving_context import ServingContext, pair_of
from app.tls.signed import SignedCertificate, SignedConfig
from app.wiring.stopping import StartError

log = logs.get(__name__)

_DAYS: Final = 365
_PAIR: Final = named("bridge", "kubelet_cert", "kubelet_key")
_CLIENT_CA: Final = named("bridge", "kubelet_client_ca")


class NodeTls:
    """Keeps a serving context current.

    Attributes:
        context: what the API is served with.
    """

    def __init__(
        self,
        settings: BridgeSettings,
        authorities: ClientAuthorities,
        requests: CertificateRequests,
        *,
        clock: Clock,
        loaded: Loaded = unheard,
    ) -> None:
        """Read and ask nothing yet.

        Args:
            settings: the node's own.
            authorities: the cluster's, where the settings name no file.
            requests: where certificates are signed, if the settings name a signer.
            clock: time.
            loaded: hears of each certificate that is taken into service.
        """
        self.context = ServingContext(loaded=loaded)
        self._settings = settings
        self._requests = requests
        self._clock = clock
        file = settings.kubelet_client_ca
        self._trust = Trust(self.context, FileAuthorities(file) if file else authorities, clock=clock)

    async def start(self) -> None:
        """A first certificate, and whose clients count, where that can be had already.

        Raises:
            StartError: one of them cannot be used, or may not be read; the message names the mend.
        """
        cert, key = self._settings.kubelet_cert, self._settings.kubelet_key
        try:
            self.context.present(self._first_pair())
        except OSError as error:
            raise StartError(f"{_PAIR}: {cert} and {key} cannot be used: {error}") from error
        await self._first_trust()

    async def run(self) -> None:
        """Keep both, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._trust.run())
            tasks.create_task(self._keep_certificate())

    def _first_pair(self) -> Leaf:
        """The files', or until the cluster signs one, our own, which serves API servers that verify none."""
        cert, key = self._settings.kubelet_cert, self._settings.kubelet_key
        if cert is None or key is None:
            return _self_signed(self._settings, self._clock)
        return pair_of(cert, key)

    async def _first_trust(self) -> None:
        file = self._settings.kubelet_client_ca
        where = f"{_CLIENT_CA}: {file}" if file else "kube-system/extension-apiserver-authentication"
        try:
            await self._trust.look()
        except ssl.SSLError as error:
            raise StartError(f"{where} holds no certificate in PEM form: {error}") from error
        except Refused as error:
            raise StartError(f"whose client certificates count cannot be read: {error}") from error
        except PortFailure as error:
            log.warning("no client certificate counts yet: who signs them is not known", error=str(error))

    async def _keep_certificate(self) -> None:
        settings, clock = self._settings, self._clock
        if settings.kubelet_cert_signer:
            config = SignedConfig(
                node=settings.node_name,
                ips=(settings.internal_ip,),
                signer=settings.kubelet_cert_signer,
                approve=settings.kubelet_cert_approve,
            )
            await SignedCertificate(
                self.context, self._requests, clock=clock, config=config, jitter=random.random
            ).run()
        elif settings.kubelet_cert is not None and settings.kubelet_key is not None:
            cert, key = settings.kubelet_cert, settings.kubelet_key
            await keep_presenting(self.context, cert=cert, key=key, clock=clock)


def _self_signed(settings: BridgeSettings, clock: Clock) -> Leaf:
    now = clock.now()
    return Authority.create(f"{settings.node_name}-ca", now=now, days=_DAYS).issue(
        f"system:node:{settings.node_name}",
        now=now,
        organizations=("system:nodes",),
        dns=(settings.node_name,),
        ips=(settings.internal_ip,),
        server=True,
        days=_DAYS,
    )
