"""A tiny API server of a large cluster: as much of Kubernetes as `spillway extender` asks for, and no more.

It runs as a process of its own, so that what it costs is nobody else's time: `python -m scripts.lib.large_api
PORT NODES PODS PENDING`. Objects are written when they are asked for, so that none of them stays in memory.
`POST /bench/steady?rate=N` has so many watch events a second flow from then on, `POST /bench/burst?events=N`
sends that many at once and answers when they are on their way.
"""

import asyncio
import itertools
import sys
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from app.local.loopback import LOOPBACK
from app.serving.server import Listen, serve
from app.wiring.clock import SystemClock
from scripts.lib import large_objects as objects
from scripts.lib import large_pods

VIRTUAL: Final = ("fargate-1", "fargate-2")
_TICK: Final = 0.005
_STEP: Final = 7919
"""Events walk over the pods in steps of a prime, so that neighbours on the wire are strangers."""

_Scope = dict[str, Any]


class LargeCluster:
    """The objects, by number, and who watches them."""

    def __init__(self, *, nodes: int, pods: int, pending: int) -> None:
        self.nodes = nodes
        self.pods = pods
        self.virtual = {name: objects.virtual_node(name) for name in VIRTUAL}
        self.pending = dict.fromkeys(range(pending), 1)
        self.leases: dict[str, dict[str, Any]] = {}
        self.version = 1
        self._watches: dict[str, set[asyncio.Queue[bytes]]] = {"pods": set(), "nodes": set()}
        self._serials = itertools.count(pending)
        self._picks = (index * _STEP % pods for index in itertools.count())

    def count(self, kind: str) -> int:
        """How many objects of the kind there are."""
        counts = {
            "pods": self.pods + len(self.pending),
            "nodes": self.nodes + len(self.virtual),
            "namespaces": objects.NAMESPACES,
        }
        return counts[kind]

    def listed(self, kind: str, *, begin: int, end: int) -> Iterator[bytes]:
        """The objects of the kind from one place of the list up to another, each made when it is taken."""
        match kind:
            case "pods":
                first = [large_pods.pending_pod(each, version=at) for each, at in self.pending.items()]
                make = self._bound_pod
            case "nodes":
                first, make = [msgspec.json.encode(each) for each in self.virtual.values()], objects.node
            case _:
                first, make = [], objects.namespace
        behind = range(max(begin - len(first), 0), max(end - len(first), 0))
        return itertools.chain(first[begin:end], map(make, behind))

    def watch(self, kind: str) -> "asyncio.Queue[bytes]":
        """A queue of the lines of a watch; of kinds that never change it stays empty."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._watches.setdefault(kind, set()).add(queue)
        return queue

    def unwatch(self, kind: str, queue: "asyncio.Queue[bytes]") -> None:
        """The watcher hung up."""
        self._watches[kind].discard(queue)

    def apply_status(self, name: str, manifest: dict[str, Any]) -> dict[str, Any]:
        """What the gate writes to a virtual node; the watch tells of it."""
        node = self.virtual[name]
        node["metadata"]["annotations"] |= manifest["metadata"].get("annotations", {})
        node["status"]["allocatable"] = manifest["status"]["allocatable"]
        node["metadata"]["resourceVersion"] = str(self._next())
        self._tell("nodes", "MODIFIED", msgspec.json.encode(node))
        return node

    def bound_pod_changes(self) -> None:
        """A kubelet reports on one of its pods."""
        pod = large_pods.bound_pod(next(self._picks), nodes=self.nodes, version=self._next())
        self._tell("pods", "MODIFIED", pod)

    def node_changes(self) -> None:
        """A kubelet reports on itself."""
        index = next(self._picks) % self.nodes
        self._tell("nodes", "MODIFIED", objects.node(index, version=self._next()))

    def pending_pod_turns(self) -> None:
        """The oldest pending pod goes, and a new one takes its place: their number stays."""
        serial = min(self.pending)
        gone = large_pods.pending_pod(serial, version=self._next())
        del self.pending[serial]
        self._tell("pods", "DELETED", gone)
        fresh = next(self._serials)
        self.pending[fresh] = self._next()
        self._tell("pods", "ADDED", large_pods.pending_pod(fresh, version=self.version))

    async def settle(self) -> None:
        """Return once every line has been taken by its watch."""
        await asyncio.gather(*(queue.join() for queue in itertools.chain(*self._watches.values())))

    def _bound_pod(self, index: int) -> bytes:
        return large_pods.bound_pod(index, nodes=self.nodes)

    def _next(self) -> int:
        self.version += 1
        return self.version

    def _tell(self, kind: str, event: str, value: bytes) -> None:
        line = b'{"type":"' + event.encode() + b'","object":' + value + b"}\n"
        for queue in self._watches[kind]:
            queue.put_nowait(line)


class LargeApi:
    """The ASGI application over a cluster."""

    def __init__(self, cluster: LargeCluster) -> None:
        self._cluster = cluster
        self._flow: asyncio.Task[None] | None = None

    async def __call__(self, scope: _Scope, receive: Any, send: Any) -> None:
        """Answer one request; the lifespan is nobody's business here."""
        if scope["type"] != "http":
            return
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
        parts = scope["path"].strip("/").split("/")
        if query.get("watch") in {"True", "true", "1"}:
            await self._send_watch(parts[-1], send)
            return
        body = await _body(receive)
        status, answer = await self._answer(scope["method"], parts, query=query, body=body)
        await _start(send, status)
        await send({"type": "http.response.body", "body": answer})

    async def _answer(  # noqa: PLR0911  (one row for each request that is understood)
        self, method: str, parts: list[str], *, query: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        match method, parts:
            case "POST", ["bench", order]:
                return 200, await self._ordered(order, query)
            case "GET", ["api", "v1", ("pods" | "nodes" | "namespaces") as kind]:
                return 200, self._page(kind, query)
            case "GET", ["api", "v1", "nodes", name] if name in self._cluster.virtual:
                return 200, msgspec.json.encode(self._cluster.virtual[name])
            case "PATCH", ["api", "v1", "nodes", name, "status"]:
                node = self._cluster.apply_status(name, msgspec.json.decode(body))
                return 200, msgspec.json.encode(node)
            case _, [*_, "leases"] | [*_, "leases", _]:
                return self._lease(method, body)
            case "POST", [*_, "events"]:
                return 201, body
            case _:
                return 404, b'{"kind":"Status","code":404,"reason":"NotFound","message":"not in this bench"}'

    def _page(self, kind: str, query: dict[str, str]) -> bytes:
        count = self._cluster.count(kind)
        begin = int(query.get("continue", "0"))
        end = min(begin + int(query.get("limit", count)), count)
        token = str(end) if end < count else ""
        meta = {"resourceVersion": str(self._cluster.version), "continue": token}
        items = b",".join(self._cluster.listed(kind, begin=begin, end=end))
        return b'{"kind":"List","metadata":' + msgspec.json.encode(meta) + b',"items":[' + items + b"]}"

    def _lease(self, method: str, body: bytes) -> tuple[int, bytes]:
        if method == "GET":
            held = self._cluster.leases.get("gate")
            return (200, msgspec.json.encode(held)) if held else (404, b"{}")
        lease = msgspec.json.decode(body)
        lease["metadata"] |= {"resourceVersion": str(self._cluster.version), "uid": "lease"}
        self._cluster.leases["gate"] = lease
        return 200, msgspec.json.encode(lease)

    async def _ordered(self, order: str, query: dict[str, str]) -> bytes:
        if order == "steady":
            if self._flow is not None:
                self._flow.cancel()
            self._flow = asyncio.create_task(self._steady(float(query["rate"])))
        else:
            for _ in range(int(query["events"])):
                self._cluster.bound_pod_changes()
            await self._cluster.settle()
        return b"{}"

    async def _steady(self, rate: float) -> None:
        """Of twenty events, eighteen are of bound pods, one of a node, and one turns a pending pod over."""
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while rate:
            while sent < (loop.time() - began) * rate:
                self._one(sent % 20)
                sent += 1
            await asyncio.sleep(_TICK)

    def _one(self, kind: int) -> None:
        match kind:
            case 0:
                self._cluster.node_changes()
            case 10:
                self._cluster.pending_pod_turns()
            case _:
                self._cluster.bound_pod_changes()

    async def _send_watch(self, kind: str, send: Any) -> None:
        lines = self._cluster.watch(kind)
        try:
            await _start(send, 200)
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            while True:
                await send({"type": "http.response.body", "body": await lines.get(), "more_body": True})
                lines.task_done()
        finally:
            self._cluster.unwatch(kind, lines)


async def _start(send: Any, status: int) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _body(receive: Any) -> bytes:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


def main() -> None:
    """Serve until the parent ends this process."""
    port, nodes, pods, pending = map(int, sys.argv[1:5])
    cluster = LargeCluster(nodes=nodes, pods=pods, pending=pending)
    asyncio.run(serve(LargeApi(cluster), Listen(host=LOOPBACK, port=port), clock=SystemClock()))


if __name__ == "__main__":
    main()
