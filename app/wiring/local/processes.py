"""The programs of a local stack as processes: started, watched over, killed, and ended."""

import asyncio

from app.local.http_client import HttpClient, loopback_tls
from app.local.processes import Child
from app.ports.clock import Clock
from app.wiring.local import programs
from app.wiring.local.options import LocalStackError
from app.wiring.local.places import Places
from app.wiring.local.readiness import Patience, is_ready


class Processes:
    """Each program at most once, with the same flags whenever it starts.

    Attributes:
        running: by the program's name; what is taken out is no longer expected to run.
    """

    def __init__(self, places: Places, *, log_level: str, ca_pem: bytes, clock: Clock) -> None:
        self.running: dict[str, Child] = {}
        self._places = places
        self._log_level = log_level
        self._ca_pem = ca_pem
        self._clock = clock

    async def start(self, name: str) -> None:
        """Start a program (again)."""
        self.running[name] = await Child.start(
            name,
            programs.commands(self._places, log_level=self._log_level)[name],
            directory=self._places.directory,
            environment=programs.environment(self._places),
        )

    async def until_ready(self, name: str, patience: Patience) -> None:
        """Wait until a program answers that it is; raises as `Patience.until` does."""
        urls = {
            "webhook": self._places.webhook_url,
            "extender": self._places.extender_url,
            "bridge": self._places.bridge_url,
        }
        client = HttpClient(urls[name], tls=loopback_tls(self._ca_pem), timeout=2.0)
        try:
            await patience.until(f"{name} to be ready", lambda: is_ready(client))
        finally:
            await client.close()

    def check(self) -> None:
        """Raise LocalStackError with the end of its log where a program has ended by itself."""
        for child in self.running.values():
            if child.exit_code is not None:
                raise LocalStackError(child.obituary())

    async def stop(self) -> None:
        """End them all."""
        await asyncio.gather(*(child.stop(clock=self._clock) for child in self.running.values()))
