"""An extender over real HTTP that answers as the test says and remembers what it was asked."""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
import msgspec

Answer = Callable[[dict[str, Any]], Any]


def passing(arguments: dict[str, Any]) -> dict[str, Any]:
    """Lets every node pass."""
    return {"NodeNames": arguments["NodeNames"]}


def holding(*names: str) -> Answer:
    """Takes these nodes away, for good as far as eviction is concerned."""

    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        left = [name for name in arguments["NodeNames"] if name not in names]
        held = {name: "held by the test" for name in arguments["NodeNames"] if name in names}
        return {"NodeNames": left, "FailedAndUnresolvableNodes": held}

    return answer


def vetoing(*names: str) -> Answer:
    """Takes these nodes away from the candidates of preemption."""

    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        victims = arguments["NodeNameToMetaVictims"]
        return {"NodeNameToMetaVictims": {name: each for name, each in victims.items() if name not in names}}

    return answer


class StubExtender:
    """Listens on loopback; `answers` by verb, `calls` as (verb, arguments)."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/extender"

    def reset(self) -> None:
        self.answers = {"filter": passing, "preempt": vetoing(), "prioritize": lambda _: []}
        self.calls.clear()
        self.status = 200

    def asked(self, verb: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == verb]

    async def start(self) -> None:
        self.reset()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Close every connection, as a server does with idle ones."""
        for writer in self._open:
            writer.close()
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        protocol = h11.Connection(h11.SERVER)
        path, body = "", b""
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65536)
                protocol.receive_data(data)
            elif isinstance(event, h11.Request):
                path, body = event.target.decode(), b""
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                writer.write(self._answer(protocol, path, body))
                protocol.start_next_cycle()
            else:
                writer.close()
                return

    def _answer(self, protocol: h11.Connection, path: str, body: bytes) -> bytes:
        verb = path.rsplit("/", 1)[-1]
        arguments = msgspec.json.decode(body)
        self.calls.append((verb, arguments))
        text = msgspec.json.encode(self.answers[verb](arguments))
        headers = [("Content-Length", str(len(text))), ("Content-Type", "application/json")]
        events = (
            h11.Response(status_code=self.status, headers=headers),
            h11.Data(data=text),
            h11.EndOfMessage(),
        )
        return b"".join(protocol.send(event) or b"" for event in events)
