"""A tiny admission webhook over HTTPS whose answer the test decides."""

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from app.tls.authority import Authority
from tests.conformance.servers import Json, Space, WallClock, a_pod, unique

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
Answer = Callable[[Json], Json]


@dataclass(slots=True)
class Webhook:
    """A server that counts the reviews it gets and answers each by `answer`."""

    answer: Answer
    url: str = ""
    authority: bytes = b""
    requests: list[Json] = field(default_factory=list)

    def configuration(self, space: Space, **more: Any) -> Json:
        rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
        name = unique("conformance")
        webhook = {
            "name": f"{name}.example.com",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "rules": [rule],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space.name}},
            "clientConfig": {"url": self.url, "caBundle": base64.b64encode(self.authority).decode()},
            **more,
        }
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [webhook],
        }


def allowed(request: Json, patch: Any = None, **more: Any) -> Json:
    """An AdmissionReview that lets the request pass."""
    response = {"uid": request["uid"], "allowed": True, **more}
    if patch is not None:
        encoded = base64.b64encode(json.dumps(patch).encode()).decode()
        response |= {"patchType": "JSONPatch", "patch": encoded}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


@contextmanager
def webhook(answer: Answer, folder: Path) -> Iterator[Webhook]:
    """Serve a webhook on loopback."""
    served = Webhook(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.requests.append(review["request"])
            content = json.dumps(served.answer(review["request"])).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it so)
            """Tests print nothing."""

    with secured(Handler, folder) as (port, authority):
        served.url, served.authority = f"https://127.0.0.1:{port}/mutate", authority
        yield served


@contextmanager
def secured(handler: type[BaseHTTPRequestHandler], folder: Path) -> Iterator[tuple[int, bytes]]:
    """An HTTPS server on a free port of loopback, and the authority that signed its certificate."""
    now = WallClock().now()
    authority = Authority.create("webhook", now=now)
    leaf = authority.issue("webhook", now=now, ips=("127.0.0.1",), server=True)
    path = folder / f"{unique('leaf')}.pem"
    path.write_bytes(leaf.cert_pem + leaf.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="webhook", daemon=True)
    thread.start()
    try:
        yield server.server_address[1], authority.cert_pem
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def configured(
    space: Space, configuration: Json, called: Callable[[], bool], *, probe: Json | None = None
) -> Iterator[None]:
    """The configuration in force: an API server takes a moment to see it; `probe` is a pod it is for."""
    answer = space.api.post(CONFIGURATIONS, configuration)
    assert answer.status_code == 201, answer.text
    try:
        ends = monotonic() + 60
        while not called() and monotonic() < ends:
            space.api.post(space.pods, probe or a_pod("probe"), dryRun="All")
            sleep(0.05)
        yield
    finally:
        space.api.delete(f"{CONFIGURATIONS}/{configuration['metadata']['name']}")
