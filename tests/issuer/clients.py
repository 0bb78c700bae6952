"""Everybody who is served or trusts, each late in its own way; whether anybody does not believe a leaf."""

import functools
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tests.issuer.fakes import CONFIG, TLS, Scene


class Version(NamedTuple):
    """What the cluster held from then on."""

    at: datetime
    leaf: bytes
    published: bytes
    injected: tuple[bytes, ...]


class Clients:
    """Pods whose kubelets are late, an API server, and a kube-scheduler that reads its CA at its start."""

    def __init__(
        self, scene: Scene, *, kubelets_late: tuple[float, ...], scheduler_restarts: float = 0.0
    ) -> None:
        """The scheduler is not looked at where it never restarts."""
        self._scene = scene
        self._kubelets_late = kubelets_late
        self._restarts = scheduler_restarts
        self._history: list[Version] = []
        self._scheduler = b""
        self._started = -scheduler_restarts
        self.leaves: set[bytes] = set()
        self.doubts: list[str] = []

    async def live(self, seconds: float, *, step: float = 5.0) -> None:
        """Let time pass, and look at everybody in each step."""
        ends = self._scene.clock.steady() + seconds
        while self._scene.clock.steady() < ends:
            await self._scene.clock.advance(step)
            self._record()
            self._look()

    def _record(self) -> None:
        secret = self._scene.store.secrets.get(TLS)
        data = secret.data if secret is not None else {}
        now = self._scene.clock.now()
        injected = tuple(self._scene.store.bundles())
        self._history.append(Version(now, data.get("tls.crt", b""), data.get("ca.crt", b""), injected))

    def _look(self) -> None:
        now = self._scene.clock.now()
        if self._restarts and self._scene.clock.steady() - self._started >= self._restarts:
            self._started = self._scene.clock.steady()
            self._scheduler = self._as_of(max(self._kubelets_late)).published
        trusting = {
            "the API server": self._history[-1].injected,
            "the scheduler": (self._scheduler,) if self._restarts else (),
        }
        for late in self._kubelets_late:
            leaf = self._as_of(late).leaf
            self.leaves.add(leaf)
            for who, bundles in trusting.items():
                self._doubt(who, leaf, bundles, now, late)

    def _doubt(self, who: str, leaf: bytes, bundles: tuple[bytes, ...], now: datetime, late: float) -> None:
        for each in bundles:
            if leaf and each and (problem := doubt(leaf, each, now)):
                at = self._scene.clock.steady()
                self.doubts.append(f"at {at:.0f} s {who} does not believe a pod {late:.0f} s late: {problem}")

    def _as_of(self, late: float) -> Version:
        moment = self._scene.clock.now() - timedelta(seconds=late)
        held = [each for each in self._history if each.at <= moment and each.leaf]
        return held[-1] if held else Version(moment, b"", b"", ())


@functools.lru_cache(maxsize=10_000)
def doubt(leaf: bytes, bundle: bytes, now: datetime) -> str:
    """Why a client that trusts this bundle does not believe the leaf; empty where it does."""
    store = Store(x509.load_pem_x509_certificates(bundle))
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(x509.DNSName(CONFIG.dns[0]))
    try:
        verifier.verify(x509.load_pem_x509_certificate(leaf), [])
    except VerificationError as error:
        return str(error)
    return ""
