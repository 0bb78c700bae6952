"""The issuer's shell: looks, decides, writes; every ten seconds, since a look is three small reads.

In between it glances at the webhook configuration alone: a `caBundle` that is taken out is missed by each pod
that is created meanwhile.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from app.issuer.apply import Writer
from app.issuer.commands import Command, MakeCa, MakeNext
from app.issuer.config import IssuerConfig
from app.issuer.decision import Plan, decide
from app.issuer.holdings import CA_CERT, NEXT_CERT, TLS_CERT, Holdings, Objects, held
from app.issuer.metrics import IssuerMetrics
from app.model.webhook_configuration import MutatingWebhookConfiguration
from app.ports.clock import Clock
from app.ports.failures import Conflict, PortFailure, Refused, Unavailable
from app.ports.issuing import TlsSecrets, WebhookBundles
from app.telemetry import logs
from app.timing import backoff
from app.tls.expiry import CertificateExpiry

if TYPE_CHECKING:
    from app.issuer.certificates import Ca

MOST_STEPS: Final = 12
"""Looks in a row, each after a write; an installation from nothing takes three."""

BREATH: Final = 1.0
"""Seconds between two turns at the least, and after a conflict."""

GLANCE: Final = 2.0
"""Seconds between glances at the webhook configuration."""

FRESH: Final = 30.0
"""Seconds. What is decided by an older look is not written."""

LONGEST_PAUSE: Final = 30.0
_RESTART: Final = "there is a new CA; restart kube-schedulers, which read the bundle at their start alone"
_log = logs.get(__name__)


class Issuer:
    """Keeps one installation's certificates.

    Any number of issuers may run at once. The CA's Secret is read last, and each write names the version of
    the one object that it is about: what was decided by something outdated is refused, or does no harm
    (decision 36).
    """

    def __init__(
        self,
        secrets: TlsSecrets,
        bundles: WebhookBundles,
        *,
        clock: Clock,
        config: IssuerConfig,
        metrics: IssuerMetrics,
        expiry: CertificateExpiry,
    ) -> None:
        """Ask nothing yet.

        Args:
            secrets: those of our namespace.
            bundles: the webhook configuration.
            clock: time.
            config: what is kept.
            metrics: counts writes and failures.
            expiry: shows when the CA and the serving certificate end.
        """
        self._secrets = secrets
        self._bundles = bundles
        self._writer = Writer(secrets, bundles, config=config)
        self._clock = clock
        self._config = config
        self._metrics = metrics
        self._expiry = expiry
        self._failures = 0
        self._told: tuple[str, ...] = ()
        self._look_again = clock.now()
        self._hidden = ""
        self._in_order = False
        self._trouble = ""
        self._known: tuple[Ca, ...] = ()
        self._version = ""
        self._writes = 0
        self._quiet = False

    def missing(self) -> str | None:
        """Why the certificates are not in order yet, with the mend; None once they were."""
        return None if self._in_order else f"the certificates have not been seen to yet{self._trouble}"

    async def run(self) -> None:
        """Keep them until cancelled; survives every failure of the far side."""
        while True:
            await self._rest(await self._turn())

    async def once(self) -> None:
        """Do what is to be done now.

        Raises:
            PortFailure: the API server does not answer or refuses, or somebody writes against us.
        """
        for _ in range(MOST_STEPS):
            try:
                plan = await self._step()
            except Conflict as conflict:
                _log.info("somebody else was first", reason=str(conflict))
                await self._clock.sleep(BREATH)
                continue
            if plan.commands:
                continue
            if self._hidden:
                raise Refused(self._hidden)
            return
        raise Unavailable("the certificates do not come to rest; see who else writes them")

    async def _turn(self) -> float:
        """Seconds until the next at the latest."""
        self._quiet = False
        before = self._writes
        try:
            await self.once()
        except PortFailure as failure:
            return self._pause_after(failure)
        self._failures = 0
        self._in_order = True
        self._quiet = self._writes == before
        return max(BREATH, (self._look_again - self._clock.now()).total_seconds())

    async def _rest(self, seconds: float) -> None:
        """Wait; after a turn without a write no longer than until the webhook configuration is another.

        Who writes against us is answered once in a whole rest.
        """
        ends = self._clock.steady() + seconds
        while (left := ends - self._clock.steady()) > 0:
            await self._clock.sleep(min(left, GLANCE))
            if self._quiet and await self._is_another():
                return

    async def _is_another(self) -> bool:
        try:
            return _version(await self._bundles.read()) != self._version
        except PortFailure:
            return False  # the next turn tells

    def _pause_after(self, failure: PortFailure) -> float:
        self._failures += 1
        self._metrics.failures.inc()
        pause = backoff.delay(self._failures, first=BREATH, longest=LONGEST_PAUSE, jitter=1.0)
        self._trouble = f": {failure}"
        if isinstance(failure, Refused):
            self._trouble += f"; {mend(self._config)}"
            _log.error("refused", reason=str(failure), mend=mend(self._config), again_in=pause)
        else:
            _log.warning("the certificates are not seen to", reason=str(failure), again_in=pause)
        return pause

    async def _step(self) -> Plan:
        """One look, and what is to be written after it; an empty plan where all is in order."""
        began = self._clock.steady()
        seen = await self._look()
        now = self._clock.now()
        holdings = held(seen, config=self._config, now=now, known=self._known)
        plan = decide(holdings, config=self._config, now=now)
        if not plan.commands:
            self._known = holdings.authorities()
        self._look_again = plan.look_again
        self._tell(plan, holdings, seen)
        await self._carry_out(plan, seen, now=now, until=began + FRESH)
        return plan

    async def _carry_out(self, plan: Plan, seen: Objects, *, now: datetime, until: float) -> None:
        """Try every command: each is about another object, and who may not write one may mend the next.

        Args:
            plan: the commands.
            seen: the objects that they were decided by.
            now: the time that they were decided at.
            until: on the steady clock, how long the look counts.

        Raises:
            PortFailure: the first, after all were tried.
        """
        failures: list[PortFailure] = []
        for command in plan.commands:
            if self._clock.steady() > until:
                late = f"{FRESH:.0f} s after the look {type(command).__name__} is not carried out any more"
                failures.append(Unavailable(late))
                break
            try:
                where = await self._writer.apply(command, seen, now=now)
            except PortFailure as failure:
                failures.append(failure)
            else:
                self._note(command, where)
        if failures:
            raise failures[0]

    async def _look(self) -> Objects:
        """In this order, so that no write can take back what followed from a newer CA (decision 36)."""
        registration, self._hidden = None, ""
        try:
            registration = await self._bundles.read()
        except Refused as refused:
            self._hidden = str(refused)
        self._version = _version(registration)
        tls = await self._secrets.read(self._config.tls_secret)
        ca = await self._secrets.read(self._config.ca_secret)
        return Objects(ca=ca, tls=tls, registration=registration, hidden=self._hidden)

    def _tell(self, plan: Plan, holdings: Holdings, seen: Objects) -> None:
        self._metrics.flaws.set(len(plan.flaws))
        for flaw in plan.flaws:
            if flaw not in self._told:
                _log.warning("not in order", what=flaw)
        self._told = plan.flaws
        ca = seen.ca.data if seen.ca is not None else {}
        tls = seen.tls.data if seen.tls is not None else {}
        self._expiry.shows("ca", ca.get(CA_CERT, b"") if holdings.current else b"")
        self._expiry.shows("next-ca", ca.get(NEXT_CERT, b"") if holdings.next else b"")
        self._expiry.shows("issued", tls.get(TLS_CERT, b"") if holdings.leaf else b"")

    def _note(self, command: Command, where: str) -> None:
        self._writes += 1
        kind = type(command).__name__
        self._metrics.writes.labels(kind).inc()
        _log.info("written", what=kind, object=where, why=command.why)
        match command:
            case MakeCa() if command.previous:
                _log.warning(_RESTART, within=str(self._config.propagation))
            case MakeNext():
                _log.warning(_RESTART, before=str(command.signs))
            case _:
                return


def _version(registration: MutatingWebhookConfiguration | None) -> str:
    """Tells two states of it apart, one made anew too."""
    return registration.metadata.resource_version if registration is not None else ""


def mend(config: IssuerConfig) -> str:
    """What to do where the API server refuses."""
    return (
        f"give the issuer's account get and patch on the Secrets {config.ca_secret} and "
        f"{config.tls_secret} (create where nobody else makes them) and on the MutatingWebhookConfiguration "
        f"{config.registration}; a Secret that is immutable must be deleted"
    )
