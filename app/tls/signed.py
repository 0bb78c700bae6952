"""A serving certificate that the cluster signs: asked for, waited for, served, and asked for anew in time."""

from collections.abc import Callable
from datetime import datetime
from typing import Final, assert_never

import msgspec
from cryptography import x509

from app.ports.certificates import CertificateRequests, Signing, Wanted
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure, Refused
from app.telemetry import logs
from app.tls.authority import Leaf
from app.tls.reading import CANNOT_READ
from app.tls.renewal import Approve, File, Filed, GiveUp, Life, Look, Present, Rest, renew_at, step
from app.tls.serving_context import ServingContext
from app.tls.signing_request import USAGES, serving_request

RETRY: Final = 10.0
"""Seconds until the next try where the API server does not answer, or refuses."""

_REASON: Final = "Spillway's bridge approves the serving certificates of its own virtual nodes."
_log = logs.get(__name__)


class SignedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        node: the node's name, which stands in the subject and among the names.
        ips: the addresses at which the API server reaches us.
        signer: as `kubernetes.io/kubelet-serving`.
        approve: approve our own requests.
    """

    node: str
    ips: tuple[str, ...]
    signer: str
    approve: bool = False


class SignedCertificate:
    """Keeps one node's serving certificate; its key never leaves this process' memory but for OpenSSL.

    What the context served before is served until there is a signed certificate, and an old one until its
    successor is there, past its end if need be.
    """

    def __init__(
        self,
        context: ServingContext,
        requests: CertificateRequests,
        *,
        clock: Clock,
        config: SignedConfig,
        jitter: Callable[[], float],
    ) -> None:
        """Ask nothing yet.

        Args:
            context: what serves it.
            requests: the cluster's CertificateSigningRequests.
            clock: time.
            config: what is asked for.
            jitter: a number from 0 to 1, anew with each call; spreads renewals.
        """
        self._context = context
        self._requests = requests
        self._clock = clock
        self._config = config
        self._draw = jitter
        self._jitter = jitter()
        self._key = b""
        self._life: Life | None = None
        self._filed: Filed | None = None

    async def run(self) -> None:
        """Keep it, until cancelled."""
        node = self._config.node
        while True:
            try:
                await self._next()
            except Refused as refusal:
                _log.error(
                    "serving certificate refused", node=node, reason=str(refusal), mend=_mend(self._config)
                )
                await self._clock.sleep(RETRY)
            except PortFailure as failure:
                self._missed(failure)
                await self._clock.sleep(RETRY)

    async def _next(self) -> None:
        now = self._clock.now()
        decided = step(self._life, self._filed, now=now, jitter=self._jitter, approve=self._config.approve)
        match decided:
            case Rest():
                await self._clock.sleep((decided.until - now).total_seconds())
            case File():
                await self._file()
            case Approve():
                self._note(await self._requests.approve(decided.name, reason=_REASON))
            case Look():
                await self._look(decided, now)
            case Present():
                self._present(decided.certificate)
            case GiveUp():
                await self._give_up(decided, now)
            case _:
                assert_never(decided)

    async def _file(self) -> None:
        config = self._config
        key, csr = serving_request(config.node, dns=(config.node,), ips=config.ips)
        signing = await self._requests.create(Wanted(csr=csr, signer=config.signer, usages=USAGES))
        self._key, self._filed = key, Filed(name=signing.name, at=self._clock.now())
        self._note(signing)
        _log.info(
            "serving certificate asked for", node=config.node, request=signing.name, signer=config.signer
        )

    async def _look(self, decided: Look, now: datetime) -> None:
        if decided.remind and self._filed is not None:
            self._remind(self._filed)
            self._filed = msgspec.structs.replace(self._filed, reminded=now)
        await self._clock.sleep(decided.after.total_seconds())
        self._note(await self._requests.get(decided.name))

    def _missed(self, failure: PortFailure) -> None:
        """Nobody answered, or the request is gone: the cluster collects old ones, and people delete them."""
        node = self._config.node
        if isinstance(failure, NotFound) and self._filed is not None:
            name, self._filed = self._filed.name, None
            _log.warning(
                "the request for a serving certificate is gone; another follows", node=node, request=name
            )
        else:
            _log.warning("serving certificate: no answer", node=node, reason=str(failure))

    def _remind(self, filed: Filed) -> None:
        config = self._config
        if filed.approved:
            mend = f"is approved and not signed yet; see that a signer for {config.signer} runs"
        else:
            mend = f"waits for approval: kubectl certificate approve {filed.name}"
        _log.warning(f"the request for a serving certificate {mend}", node=config.node, request=filed.name)

    def _present(self, certificate: str) -> None:
        pem = certificate.encode()
        try:
            life = _life(pem)
            self._context.present(Leaf(cert_pem=pem, key_pem=self._key))
        except (OSError, *CANNOT_READ) as error:
            self._disown(f"what was signed is no certificate of our key: {error}")
            return
        self._life, self._jitter = life, self._draw()
        _log.info("serving certificate taken up", node=self._config.node, until=str(life.until))
        if renew_at(life, jitter=self._jitter) <= self._clock.now():
            self._disown(f"what was signed ends too soon, at {life.until}")
        else:
            self._filed = None

    def _disown(self, problem: str) -> None:
        if self._filed is not None:
            self._filed = msgspec.structs.replace(self._filed, certificate="", problem=problem)

    async def _give_up(self, decided: GiveUp, now: datetime) -> None:
        _log.error(
            "the request for a serving certificate came to nothing; another follows",
            node=self._config.node,
            request=decided.name,
            problem=decided.problem,
            mend=f"see what {self._config.signer} wants: kubectl describe csr {decided.name}",
        )
        self._filed = None
        await self._clock.sleep((decided.until - now).total_seconds())

    def _note(self, signing: Signing) -> None:
        if self._filed is not None:
            self._filed = msgspec.structs.replace(
                self._filed,
                approved=signing.approved,
                certificate=signing.certificate,
                problem=signing.problem,
            )


def _mend(config: SignedConfig) -> str:
    rights = "create and get on certificatesigningrequests.certificates.k8s.io"
    if config.approve:
        rights += f", update on their approval, and approve on signers of the name {config.signer}"
    return f"give the bridge's account {rights}"


def _life(pem: bytes) -> Life:
    """The life of the first certificate of a chain. Raises `CANNOT_READ` where there is none."""
    leaf = x509.load_pem_x509_certificates(pem)[0]
    return Life(since=leaf.not_valid_before_utc, until=leaf.not_valid_after_utc)
