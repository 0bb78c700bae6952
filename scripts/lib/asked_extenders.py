"""The extenders that `bench_scheduler` has kube-scheduler ask: ours, and one that only echoes."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.local.http_client import HttpClient, HttpError, loopback_tls
from app.local.loopback import LOOPBACK, free_ports
from app.local.processes import Child
from app.ports.clock import Clock

ROOT: Final = Path(__file__).resolve().parents[2]
_LOOK: Final = 0.1
_OK: Final = 200
_PAUSE: Final = 1.0
_IDLE: Final = 0.03
"""Seconds of CPU within a pause that are nothing."""


@dataclass(frozen=True, kw_only=True)
class Extenders:
    """Starts them, with `extender.crt` and `extender.key` of the directory."""

    directory: Path
    ca_pem: bytes
    kubeconfig: Path
    clock: Clock

    async def start(self, kind: str) -> tuple[Child, str]:
        """One that is ready and at rest, and its URL; `kind` is `floor` for the echo, anything else ours."""
        (port,) = free_ports(1)
        arguments = self._echo(port) if kind == "floor" else self._ours(port)
        child = await Child.start(
            "extender",
            [sys.executable, "-m", *arguments],
            directory=self.directory,
            environment={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        url = f"https://{LOOPBACK}:{port}"
        client = HttpClient(url, tls=loopback_tls(self.ca_pem))
        while not await _is_ready(client):
            if child.exit_code is not None:
                raise SystemExit(child.obituary())
            await self.clock.sleep(_LOOK)
        await client.close()
        await self._settled(child)
        return child, url

    async def _settled(self, child: Child) -> None:
        """Starting is over: a process that still loads its modules would take from the scheduler."""
        before = -1.0
        while (now := child.burden().cpu_seconds) > before + _IDLE:
            before = now
            await self.clock.sleep(_PAUSE)

    def _ours(self, port: int) -> list[str]:
        flags = {
            "host": LOOPBACK,
            "port": port,
            "tls-cert": self.directory / "extender.crt",
            "tls-key": self.directory / "extender.key",
            "kubeconfig": self.kubeconfig,
            "namespace": "default",
            "log-level": "warning",
        }
        return ["app", "extender", *(f"--{key}={each}" for key, each in flags.items())]

    def _echo(self, port: int) -> list[str]:
        pair = (self.directory / f"extender.{each}" for each in ("crt", "key"))
        return ["scripts.lib.echo_extender", str(port), *map(str, pair)]


async def _is_ready(client: HttpClient) -> bool:
    try:
        return (await client.request("GET", "/readyz")).status == _OK
    except HttpError:
        return False  # not listening yet
