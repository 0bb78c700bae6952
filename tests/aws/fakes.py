"""A server on loopback that speaks awsJson and restJson, and answers as the test says."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """One scripted answer; status 0 hangs up without a word."""

    body: dict[str, Any]
    status: int = 200


def an_error(code: str, message: str = "", *, status: int = 400, **fields: Any) -> Answer:
    """An error as awsJson writes it."""
    return Answer({"__type": code, "message": message, **fields}, status=status)


HANG_UP = Answer({}, status=0)


class AwsStub:
    """Answers each operation from its script, the last answer for ever; remembers every request."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._guard = threading.Lock()
        stub = self

        class Handler(_Handler):
            owner: ClassVar[AwsStub] = stub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def script(self, operation: str, *answers: Answer) -> None:
        """What the operation answers, in order."""
        self.scripts[operation] = list(answers)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The requests for one operation, in order of arrival."""
        return [body for name, body in self.requests if name == operation]

    def answer(self, operation: str, body: dict[str, Any]) -> Answer:
        with self._guard:
            self.requests.append((operation, body))
            script = self.scripts[operation]
            return script.pop(0) if len(script) > 1 else script[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: ClassVar[AwsStub]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self._send(self.owner.answer(operation, json.loads(body)))

    def do_GET(self) -> None:
        """An operation of restJson is called `GET /path`; its body is the query."""
        url = urlsplit(self.path)
        self._send(self.owner.answer(f"GET {url.path}", dict(parse_qsl(url.query))))

    def _send(self, answer: Answer) -> None:
        if answer.status == 0:
            self.close_connection = True
            return
        payload = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        if "__type" in answer.body:
            self.send_header("x-amzn-ErrorType", answer.body["__type"])
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it so)
        """Say nothing: a test reads `requests`."""
