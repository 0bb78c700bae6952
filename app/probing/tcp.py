"""A TCP probe: a connection that stands is well.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-a-tcp-liveness-probe
"""

import asyncio
import contextlib
import os

from app.ports.probes import Answer


async def connect(host: str, port: int) -> Answer:
    """One probe; the caller bounds its time."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        return Answer(ok=False, output=f"dial tcp {address(host, port)}: connect: {said(error)}")
    writer.close()
    with contextlib.suppress(OSError):  # it stood, which is all that was asked
        await writer.wait_closed()
    return Answer(ok=True)


def late(host: str, port: int) -> Answer:
    """The probe took too long."""
    return Answer(ok=False, output=f"dial tcp {address(host, port)}: i/o timeout")


def address(host: str, port: int) -> str:
    """As Go writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def said(error: OSError) -> str:
    """The system's words, in lower case as Go has them; asyncio puts its own in their place."""
    return os.strerror(error.errno).lower() if error.errno else str(error)
