"""An API server without a socket: answers that the test queues, watches that it feeds, Leases."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any, NamedTuple

import msgspec

from app.kube.transport import JSON, Query
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound, PortFailure

END = object()


class Asked(NamedTuple):
    """One request as the adapter made it."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any
    content_type: str


class FakeWatch:
    """One watch: the test feeds lines, a failure, or its end."""

    def __init__(self) -> None:
        self._feed: asyncio.Queue[object] = asyncio.Queue()
        self.closed = False

    def event(self, kind: str, value: object) -> None:
        self.line(json.dumps({"type": kind, "object": msgspec.to_builtins(value)}).encode())

    def line(self, line: bytes) -> None:
        self._feed.put_nowait(line)

    def end(self) -> None:
        self._feed.put_nowait(END)

    def fail(self, failure: PortFailure) -> None:
        self._feed.put_nowait(failure)

    async def lines(self) -> AsyncGenerator[bytes, None]:
        try:
            while (item := await self._feed.get()) is not END:
                if isinstance(item, PortFailure):
                    raise item
                assert isinstance(item, bytes)
                yield item
        finally:
            self.closed = True


class FakeTransport:
    """Answers requests and streams in the order that the test queued them; hangs when it has none."""

    def __init__(self, *answers: object) -> None:
        self.asked: list[Asked] = []
        self.watches: list[FakeWatch] = []
        self._answers: deque[object] = deque(answers)
        self._watches: deque[FakeWatch | PortFailure] = deque()

    def answer(self, *answers: object) -> None:
        """Queue bodies (JSON values or bytes) or failures."""
        self._answers.extend(answers)

    def watch(self, *failures: PortFailure) -> FakeWatch:
        """Queue failures to open a watch, and then one that opens."""
        watch = FakeWatch()
        self._watches.extend((*failures, watch))
        return watch

    def asks(self, method: str) -> list[Asked]:
        return [each for each in self.asked if each.method == method]

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = JSON,
        timeout: float = 30.0,  # noqa: ASYNC109  (the port's signature)
    ) -> bytes:
        self.asked.append(Asked(method, path, dict(query or {}), msgspec.to_builtins(body), content_type))
        if not self._answers:
            await asyncio.Event().wait()
        answer = self._answers.popleft()
        if isinstance(answer, PortFailure):
            raise answer
        return answer if isinstance(answer, bytes) else msgspec.json.encode(answer)

    async def stream(self, path: str, *, query: Query | None = None) -> AsyncGenerator[bytes, None]:
        self.asked.append(Asked("WATCH", path, dict(query or {}), None, JSON))
        if not self._watches:
            await asyncio.Event().wait()
        watch = self._watches.popleft()
        if isinstance(watch, PortFailure):
            raise watch
        async for line in watch.lines():
            yield line


def a_list(*values: object, version: str = "10", token: str = "") -> dict[str, Any]:
    """A list's JSON."""
    return {
        "kind": "List",
        "metadata": {"resourceVersion": version, "continue": token},
        "items": [msgspec.to_builtins(value) for value in values],
    }


def at_version(value: Any, version: str, **metadata: Any) -> Any:
    """The object with another resource version, and other metadata where given."""
    changed = msgspec.structs.replace(value.metadata, resource_version=version, **metadata)
    return msgspec.structs.replace(value, metadata=changed)


class LeaseStore:
    """The Leases of an API server: every write checks the resource version."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.writes: list[dict[str, Any]] = []
        self._version = 0

    def get(self) -> dict[str, Any]:
        if self.lease is None:
            raise NotFound("no lease")
        return self.lease

    def create(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        if self.lease is not None:
            raise Conflict("lease exists")
        return self._store(lease)

    def update(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        if lease["metadata"]["resourceVersion"] != self.get()["metadata"]["resourceVersion"]:
            raise Conflict("the lease was changed")
        return self._store(lease)

    def holder(self) -> str:
        return str(self.get()["spec"]["holderIdentity"])

    def _store(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        self._version += 1
        metadata = {**lease["metadata"], "resourceVersion": str(self._version)}
        self.lease = {**lease, "metadata": metadata}
        self.writes.append(self.lease)
        return self.lease


class LeaseTransport:
    """One candidate's way to the store; the test takes it down, makes it hang, or loses its answers."""

    def __init__(self, store: LeaseStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.failure: PortFailure | None = None
        self.hangs = False
        self.loses_answers = False
        self.answers_after = 0.0

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = JSON,
        timeout: float = 30.0,  # noqa: ASYNC109  (the port's signature)
    ) -> bytes:
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        if self.hangs:
            await asyncio.Event().wait()
        match method:
            case "GET":
                done = self._store.get()
            case "POST":
                done = self._store.create(body)
            case _:
                done = self._store.update(body)
        if self.loses_answers:
            await asyncio.Event().wait()
        await self._clock.sleep(self.answers_after)
        return msgspec.json.encode(done)

    async def stream(self, path: str, *, query: Query | None = None) -> AsyncGenerator[bytes, None]:
        raise AssertionError("nobody watches a Lease here")
        yield b""
