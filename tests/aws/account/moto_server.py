"""moto on loopback, behind a front that counts what is asked, and answers what moto cannot.

Where moto is no judge of AWS: it validates next to nothing, has no policy simulator, no Pod Identity and no
default quotas, and is never late. The front answers SimulatePrincipalPolicy by `evaluator`, makes the
service-linked role under its own name, and answers what a test scripts.
"""

import asyncio
import contextlib
import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import boto3  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pytest
from botocore.config import Config
from moto.backends import get_backend
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer

from tests.aws.account.evaluator import decision

ACCOUNT = "123456789012"
REGION = "eu-west-1"
_TAGS = re.compile(rb"[Tt]ags\b|TagSpecification|Tag\.")


class Reply(msgspec.Struct, frozen=True):
    """An answer in moto's place."""

    body: str
    status: int = 200
    headers: dict[str, str] = {}


def json_error(code: str, message: str = "", *, status: int = 400) -> Reply:
    """An error as awsJson writes it."""
    return Reply(json.dumps({"__type": code, "message": message}), status, {"x-amzn-ErrorType": code})


def query_error(code: str, message: str = "", *, status: int = 400) -> Reply:
    """An error as IAM writes it."""
    told = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return Reply(f"<ErrorResponse>{told}<RequestId>r</RequestId></ErrorResponse>", status)


class Front:
    """Stands before moto."""

    def __init__(self, host: str, port: int) -> None:
        self.asked: list[str] = []
        self.signed: set[tuple[str, str, bool]] = set()
        self._clients: dict[tuple[str, str], Any] = {}
        self.scripts: dict[str, list[Reply]] = {}
        self.moto = (host, port)
        self.holding = ""
        self.may_go_on = threading.Event()
        front = self

        class Handler(_Handler):
            owner: ClassVar[Front] = front

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def script(self, operation: str, *replies: Reply) -> None:
        """What the next requests for an operation are answered; after them, moto answers again."""
        self.scripts[operation] = list(replies)

    def always(self, operation: str, reply: Reply) -> None:
        """What every request for an operation is answered."""
        self.scripts[operation] = [reply] * 1000

    def hold(self, operation: str) -> None:
        """Answer the first request for an operation only after `release`."""
        self.may_go_on.clear()
        self.holding = operation

    async def held(self, operation: str) -> None:
        """Wait until a request for it is held."""
        while operation not in self.asked:  # noqa: ASYNC110  (a thread of the server appends)
            await asyncio.sleep(0.05)

    def release(self) -> None:
        """Hold nothing any more."""
        self.holding = ""
        self.may_go_on.set()

    @property
    def changes(self) -> list[str]:
        """The operations asked for that change something."""
        reads = ("Get", "List", "Describe", "Simulate", "GET ")
        return [each for each in self.asked if not each.startswith(reads)]

    def client(self, service: str, *, region: str = REGION) -> Any:
        """boto3, as a person would use it beside us; not counted."""
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service,
                region_name=region,
                endpoint_url="http://{}:{}".format(*self.moto),
                aws_access_key_id="AKIDEXAMPLE",
                aws_secret_access_key="made-up",
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[key]

    def forget(self) -> None:
        """Begin anew: moto is empty, nothing is scripted, nothing was asked."""
        moto_api_backend.reset()
        self.scripts.clear()
        self.asked.clear()
        self.signed.clear()
        self.release()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: the second waits for no acknowledgement
    owner: ClassVar[Front]

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def do_GET(self) -> None:
        self._serve(b"")

    def _serve(self, body: bytes) -> None:
        operation = self._operation(body)
        self.owner.asked.append(operation)
        self.owner.signed.add((self._service(), operation, bool(_TAGS.search(body))))
        if operation == self.owner.holding:
            self.owner.may_go_on.wait()
        script = self.owner.scripts.get(operation)
        if script:
            self._send(script.pop(0))
        elif operation == "SimulatePrincipalPolicy":
            self._send(_simulated(parse_qs(body.decode())))
        else:
            self._forward(body)

    def _operation(self, body: bytes) -> str:
        target = str(self.headers.get("X-Amz-Target") or "")
        if target:
            return target.rpartition(".")[2]
        action = parse_qs(body.decode()).get("Action")
        return action[0] if action else f"{self.command} {self.path.partition('?')[0]}"

    def _service(self) -> str:
        """For which service the request is signed: what its permissions begin with."""
        scope = str(self.headers.get("Authorization") or "").partition("Credential=")[2].split(",")[0]
        return scope.split("/")[3] if scope else ""

    def _forward(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(*self.owner.moto, timeout=20)
        try:
            connection.request(self.command, self.path, body=body, headers=dict(self.headers))
            answer = connection.getresponse()
            dropped = {"transfer-encoding", "content-length", "connection"}
            kept = {key: value for key, value in answer.getheaders() if key.lower() not in dropped}
            self._send(Reply(answer.read().decode(), answer.status, kept))
        finally:
            connection.close()

    def _send(self, reply: Reply) -> None:
        payload = reply.body.encode()
        self.send_response(reply.status)
        for key, value in reply.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the one who asked was killed
            self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class names it so)
        """Say nothing: a test reads `asked`."""


def _simulated(asked: dict[str, list[str]]) -> Reply:
    """The policy simulator, over the inline policies that moto keeps."""
    role = asked["PolicySourceArn"][0].rpartition("/")[2]
    kept = iam_backend().get_role(role).policies.values()
    policies = [json.loads(each) if isinstance(each, str) else each for each in kept]
    resource = _listed(asked, "ResourceArns.member.{}")[0]
    context = dict(
        zip(
            _listed(asked, "ContextEntries.member.{}.ContextKeyName"),
            _listed(asked, "ContextEntries.member.{}.ContextKeyValues.member.1"),
            strict=True,
        )
    )
    decisions = {
        action: decision(policies, action, resource, context)
        for action in _listed(asked, "ActionNames.member.{}")
    }
    members = "".join(
        f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decided}</EvalDecision></member>"
        for action, decided in decisions.items()
    )
    result = f"<SimulatePrincipalPolicyResult><EvaluationResults>{members}</EvaluationResults>"
    return Reply(
        f"<SimulatePrincipalPolicyResponse>{result}<IsTruncated>false</IsTruncated>"
        "</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )


def _listed(asked: dict[str, list[str]], name: str) -> list[str]:
    return [asked[name.format(index)][0] for index in range(1, 200) if name.format(index) in asked]


def iam_backend() -> Any:
    """Moto's own IAM."""
    return get_backend("iam")[ACCOUNT]["aws"]


def environment(front: Front) -> dict[str, str]:
    """What leads boto3 to the front."""
    return {
        "AWS_ENDPOINT_URL": front.url,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_REGION": REGION,
    }


@contextmanager
def running() -> Iterator[Front]:
    """moto, and a front before it; `forget` between two tests."""
    with pytest.MonkeyPatch.context() as patched:
        # Hundreds of machine images, read anew after each `forget`: we start no machine.
        patched.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        front = Front(*server.get_host_and_port())
        try:
            yield front
        finally:
            front.close()
            server.stop()
