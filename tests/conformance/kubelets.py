"""A tiny kubelet API over HTTPS, as far as logs go; what it answers is the test's to say."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.conformance.servers import ApiServer, a_node
from tests.conformance.webhooks import secured

Log = Callable[[str], Iterator[str]]
"""The lines of a log, each sent as soon as it is there, from the path with its query."""


def asked(path: str) -> Iterator[str]:
    """A log that tells how it was asked for."""
    yield f"{path}\n"


@contextmanager
def kubelet(api: ApiServer, node: str, log: Log, folder: Path) -> Iterator[None]:
    """Register a node whose kubelet API is served on loopback, by a certificate of its own making."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            self.send_response(404 if "refused" in self.path else 200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            for line in log(self.path):
                self.wfile.write(line.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it so)
            """Tests print nothing."""

    with secured(Handler, folder) as (port, _):
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        api.post("/api/v1/nodes", a_node(node, status=status))
        yield
