"""A server's TLS whose certificate, and whose clients' authorities, change while it serves."""

import contextlib
import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.tls.authority import Leaf
from app.tls.expiry import Loaded, unheard


class ServingContext:
    """TLS 1.2 at least; clients may show a certificate, and need not.

    A certificate that is shown must be signed by one of the authorities, or OpenSSL ends the handshake with
    an alert: Python has no way to let it pass unverified. No session is resumed, since that would
    skip the look at a client's certificate after its authority was taken away.

    Attributes:
        listening: what the listener takes. Each handshake is served by what holds then; connections that are
            open keep theirs.
    """

    def __init__(self, *, loaded: Loaded = unheard) -> None:
        """Handshakes fail until there is a certificate; `loaded` hears of each that is taken into service."""
        self.listening = _bare()
        self.listening.sni_callback = self._choose
        self._current = self.listening
        self._pair: Leaf | None = None
        self._authorities = ""
        self._loaded = loaded

    @property
    def pair(self) -> Leaf | None:
        """What is served; None before there is a certificate."""
        return self._pair

    def present(self, pair: Leaf) -> None:
        """Serve this certificate from now on.

        Raises:
            ssl.SSLError: the pair cannot be used; the one before stays in service.
        """
        self._current, self._pair = _context(pair, self._authorities), pair
        self._loaded(pair)

    def trust(self, authorities: str) -> None:
        """Let in the certificates that these authorities (PEM) signed, and no others; none where empty.

        Raises:
            ssl.SSLError: it is no PEM; those before stay in force.
        """
        self._current, self._authorities = _context(self._pair, authorities), authorities

    def _choose(self, handshake: ssl.SSLObject, _name: str | None, _listening: ssl.SSLContext) -> None:
        # Called for clients that name no server, too.
        handshake.context = self._current


def pair_of(cert: Path, key: Path) -> Leaf:
    """A pair out of its files. Raises OSError, also for what is no regular file and could be waited on."""
    for path in (cert, key):
        if path.exists() and not path.is_file():
            raise OSError(f"{path} is no regular file; mount the certificate there")
    return Leaf(cert_pem=cert.read_bytes(), key_pem=key.read_bytes())


def _context(pair: Leaf | None, authorities: str) -> ssl.SSLContext:
    context = _bare()
    if pair is not None:
        load_pair(context, pair)
    if authorities.strip():
        # Comments between the certificates may be in any language; ssl takes ASCII.
        context.load_verify_locations(cadata=authorities.encode("ascii", "replace").decode())
    return context


def _bare() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    # As in Go, an authority need not be a root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context


def load_pair(context: ssl.SSLContext, pair: Leaf) -> None:
    """Serve the pair with this context from now on.

    Raises:
        ssl.SSLError: the pair cannot be used; the context may be without any then.
    """
    with _file(pair.key_pem.rstrip() + b"\n" + pair.cert_pem) as path:
        context.load_cert_chain(path, password=_no_passphrase)


def _no_passphrase() -> bytes:
    # OpenSSL would ask for it on the terminal, and wait.
    raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the key has a passphrase; store it without one")


@contextlib.contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A file, since Python loads certificates from files alone. It is in memory where the system can do that.

    Containers have a root that cannot be written, and a key should be on no disk anyway.
    """
    if sys.platform == "linux":
        with open(os.memfd_create("pair"), "wb") as file:  # noqa: PTH123  (it has no path of its own)
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.NamedTemporaryFile(prefix="spillway-", suffix=".pem") as named:
            named.write(content)
            named.flush()
            yield named.name
