"""What the helper's tests share: plans, a place to run it in, and a task metadata endpoint on loopback."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import msgspec

PATIENCE_SECONDS = 30

WAITS_FOR_A_SIGNAL = (
    sys.executable,
    "-ISc",
    """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
print("ready", flush=True)
print(int(signal.sigwait(signal.valid_signals())), flush=True)
""",
)
"""A command that says when it is ready, prints the number of the first signal it gets, and ends with 0."""


def b64(content: str | bytes) -> str:
    """The field for some text or bytes."""
    raw = content.encode() if isinstance(content, str) else content
    return base64.b64encode(raw).decode() or "-"


def shell(text: str) -> list[str]:
    """The command that runs the text."""
    return ["sh", "-c", text]


def hook(kind: str, text: str) -> str:
    """The line of a hook (`start` or `stop`) that runs the text."""
    return " ".join([kind, "exec", *map(b64, shell(text))])


def eventually(condition: Callable[[], bool], *, what: str) -> None:
    """Wait until it is so; AssertionError when it does not become so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.003)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A helper of its own world: its /spillway, its /etc and nothing else in its environment."""

    binary: Path
    root: Path
    etc: Path

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment of the helper."""
        return {
            "PATH": os.environ["PATH"],
            "SPILLWAY_ROOT": str(self.root),
            "SPILLWAY_RUN_ETC": str(self.etc),
            "SPILLWAY_RUN_SECOND": "10",
            **(more or {}),
        }

    def volume(self, name: str = "config") -> Path:
        """A volume, mounted for `install`."""
        path = self.root / "volumes" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def install(self, *lines: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `install` with the plan to its end."""
        return self.call("install", more={"SPILLWAY_PLAN": "\n".join(lines), **variables})

    def run(
        self, *lines: str, command: Sequence[str] = ("true",), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `run main` with the plan and the command to its end."""
        return self.call("run", "main", "--", *command, more={"SPILLWAY_RUN": "\n".join(lines), **variables})

    def call(self, *words: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the helper to its end."""
        return subprocess.run(
            [self.binary, *words],
            env=self.environment(more),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def start(
        self, *lines: str, command: Sequence[str], before: Sequence[str] = (), **variables: str
    ) -> subprocess.Popen[str]:
        """Start `run main` with the plan; its output comes through pipes."""
        return self.spawn(
            "run", "main", "--", *command, before=before, more={"SPILLWAY_RUN": "\n".join(lines), **variables}
        )

    def spawn(
        self, *words: str, before: Sequence[str] = (), more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start the helper, behind the words of another program where there are some."""
        return subprocess.Popen(
            [*before, str(self.binary), *words],
            env=self.environment(more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def records(self, container: str = "main") -> list[dict[str, Any]]:
        """What is on record of the container."""
        path = self.root / "records" / container
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def ends(self) -> list[dict[str, Any]]:
        """The records of the runs' ends."""
        return [record for record in self.records() if "finished" in record]

    def record(self, container: str, text: str) -> None:
        """Append to a container's records, as its wrapper does."""
        with (self.root / "records" / container).open("a") as file:
            file.write(text)


def said(process: subprocess.Popen[str]) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def ended(process: subprocess.Popen[str], *, by: signal.Signals | None = None) -> int:
    """The code of its end, after the signal where there is one."""
    if by is not None:
        process.send_signal(by)
    try:
        return process.wait(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


class Task(msgspec.Struct):
    """What the endpoint says of the task: its answers, one after the other; the last is repeated.

    `statistics` are those of its containers by DockerId; while `statistics_given` is clear, it keeps who asks
    for them waiting.
    """

    answers: list[tuple[int, bytes]] = msgspec.field(default_factory=list)
    paths: list[str] = msgspec.field(default_factory=list)
    statistics: dict[str, Any] = msgspec.field(default_factory=dict)
    statistics_status: int = 200
    statistics_given: threading.Event = msgspec.field(default_factory=_set_event)

    def says(self, *containers: Mapping[str, Any]) -> None:
        """From now on, answer with these containers."""
        self.answers[:] = [(200, json.dumps({"Cluster": "default", "Containers": containers}).encode())]


def container(
    name: str = "main",
    *,
    status: str = "RUNNING",
    v4: Sequence[str] = (),
    v6: Sequence[str] = (),
    identifier: str = "abc",
) -> dict[str, Any]:
    """A container as the endpoint describes it."""
    network = {"NetworkMode": "awsvpc", "IPv4Addresses": list(v4), "IPv6Addresses": list(v6)}
    labels = {"com.amazonaws.ecs.container-name": 'not "the" \\ name'}
    return {
        "DockerId": identifier,
        "Labels": labels,
        "Name": name,
        "KnownStatus": status,
        "Networks": [network],
    }


@dataclass(kw_only=True)
class MetadataEndpoint:
    """A task metadata endpoint on loopback; use as a context manager."""

    task: Task = field(default_factory=Task)

    def __post_init__(self) -> None:
        task = self.task

        class Handler(BaseHTTPRequestHandler):
            """Gives the next answer."""

            def do_GET(self) -> None:
                """Answer whatever is asked."""
                task.paths.append(self.path)
                status, body = self._answer()
                with contextlib.suppress(ConnectionError):  # who asked may be gone by now
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.end_headers()
                    self.wfile.write(body)

            def _answer(self) -> tuple[int, bytes]:
                if self.path.endswith("/stats"):
                    task.statistics_given.wait(PATIENCE_SECONDS)
                    return task.statistics_status, json.dumps(task.statistics).encode()
                return task.answers.pop(0) if len(task.answers) > 1 else task.answers[0]

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Say nothing: the test asks `task.paths`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def variables(self) -> dict[str, str]:
        """What ECS sets in every container."""
        return {"ECS_CONTAINER_METADATA_URI_V4": f"http://127.0.0.1:{self._server.server_port}/v4/abc"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
