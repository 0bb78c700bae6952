"""A client on a real data channel, and an embedded Fargate with a container to open sessions in."""

import asyncio
from typing import Any, Final
from uuid import uuid4

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from app.local.fargate.journal import SessionChange
from tests.local.fargate.clients import Far
from tests.local.fargate.enclosed import AT_ONCE
from tests.local.fargate.fakes import CLUSTER, a_definition, a_launch
from tests.local.fargate.session_manager.far_side import Got, acknowledging, packed, response, unpacked

PACE: Final = msgspec.structs.replace(AT_ONCE, agent=0.0, handshake=0.0)
ROLE: Final = "arn:aws:iam::123456789012:role/task"


class Shell:
    """Speaks the protocol over one connection, and keeps what the terminal shows."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.shown = b""
        self.next = 0
        self.expected = 0
        self.farewell: str | None = None

    async def open(self, token: str) -> None:
        """Say whose session it is."""
        body = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(uuid4()),
            "TokenValue": token,
            "ClientId": str(uuid4()),
            "ClientVersion": "1.2.0.0",
        }
        await self._socket.send(msgspec.json.encode(body).decode())

    async def shake(self) -> None:
        """Go through the handshake."""
        assert (await self.take()).payload_type == 5
        await self._socket.send(response())
        self.next = 1
        while (await self.take()).payload_type != 7:
            continue

    async def send(self, payload: bytes, *, payload_type: int = 1) -> None:
        """The next message."""
        data = packed("input_stream_data", payload, sequence=self.next, payload_type=payload_type)
        self.next += 1
        await self._socket.send(data)

    async def take(self) -> Got:
        """The next message; output is acknowledged and, when it is its turn, kept."""
        data = await self._socket.recv()
        assert isinstance(data, bytes)
        got = unpacked(data)
        if got.kind == "output_stream_data":
            await self._socket.send(acknowledging(got))
            if got.sequence == self.expected:
                self.expected += 1
                self.shown += got.payload if got.payload_type == 1 else b""
        elif got.kind == "channel_closed":
            self.farewell = got.json["Output"]
        return got

    async def sees(self, text: bytes) -> bytes:
        """What is shown up to this text, which is then forgotten."""
        async with asyncio.timeout(20):
            while text not in self.shown:
                await self.take()
        before, _, self.shown = self.shown.partition(text)
        return before

    async def ends(self) -> bytes:
        """Everything that is shown to the end."""
        async with asyncio.timeout(20):
            while self.farewell is None:
                await self.take()
        return self.shown

    def close(self) -> None:
        """Break off."""
        self._socket.transport.abort()


class Host(Far):
    """An embedded Fargate that runs what this host can execute."""

    def __init__(self, **config: Any) -> None:
        super().__init__(can_execute=lambda _: True, **{"pace": PACE, **config})
        self.shells: list[Shell] = []

    async def enter(self, *containers: dict[str, Any], **fields: Any) -> str:
        """A task whose containers can all be entered."""
        definition = a_definition(containerDefinitions=list(containers), taskRoleArn=ROLE, **fields)
        await self.ask("ecs", "register_task_definition", **definition)
        answer = await self.ask("ecs", "run_task", **a_launch(enableExecuteCommand=True))
        arn: str = answer["tasks"][0]["taskArn"]
        async with asyncio.timeout(20):
            while not all(agent == "RUNNING" for agent in await self.agents(arn)):
                await self.clock.advance(0.1)
                await asyncio.sleep(0.01)
        return arn

    async def agents(self, arn: str) -> list[str]:
        """The states of the agents, by container."""
        containers = (await self.task(arn))["containers"]
        return [agent["lastStatus"] for each in containers for agent in each["managedAgents"]]

    async def session(self, arn: str, command: str, **params: Any) -> Any:
        """ExecuteCommand's session."""
        request = {"cluster": CLUSTER, "task": arn, "command": command, "interactive": True, **params}
        return (await self.ask("ecs", "execute_command", **request))["session"]

    async def connected(self, session: Any, token: str = "") -> Shell:
        """A connection to a session, as far as its first message."""
        shell = Shell(await connect(session["streamUrl"], compression=None))
        self.shells.append(shell)
        await shell.open(token or session["tokenValue"])
        return shell

    async def shell(self, arn: str, command: str, **params: Any) -> Shell:
        """A session whose command has been started."""
        shell = await self.connected(await self.session(arn, command, **params))
        await shell.shake()
        return shell

    async def stop(self) -> None:
        for shell in self.shells:
            shell.close()
        await super().stop()

    def sessions(self) -> list[tuple[str, str]]:
        """What the journal says of sessions."""
        entries = self.fargate.journal.since()
        return [(each.status, each.reason) for each in entries if isinstance(each, SessionChange)]
