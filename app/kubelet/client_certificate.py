"""The certificate that a client showed; TLS has verified it."""

import asyncio


def is_certified(writer: asyncio.StreamWriter) -> bool:
    """Whether the client showed one."""
    return bool(writer.get_extra_info("peercert"))


def common_name(writer: asyncio.StreamWriter) -> str:
    """The last common name in the client's certificate, as Go reads it; empty where it showed none."""
    return next(reversed(_subject(writer, "commonName")), "")


def organizations(writer: asyncio.StreamWriter) -> tuple[str, ...]:
    """The organizations in the client's certificate."""
    return _subject(writer, "organizationName")


def _subject(writer: asyncio.StreamWriter, attribute: str) -> tuple[str, ...]:
    certificate = writer.get_extra_info("peercert") or {}
    parts = certificate.get("subject", ())
    return tuple(value for part in parts for key, value in part if key == attribute)
