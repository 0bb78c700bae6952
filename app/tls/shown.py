"""The certificate that a server shows, whoever signed it, for somebody who judges it."""

import asyncio
import contextlib
import ssl

from app.ports.failures import Unavailable


async def shown_certificate(host: str, port: int, *, within: float) -> bytes:
    """The leaf as PEM; nothing is asked of the server, and nothing it shows is trusted.

    Args:
        host: a name or an address; a name is sent along.
        port: where it listens.
        within: seconds.

    Raises:
        Unavailable: nobody shows one there in time.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(within):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise Unavailable(f"{host}:{port}: {str(error) or type(error).__name__}") from error
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
        with contextlib.suppress(OSError):  # we have what we came for
            await writer.wait_closed()
    if shown is None:
        raise Unavailable(f"{host}:{port} shows no certificate")
    return ssl.DER_cert_to_PEM_cert(shown).encode()
