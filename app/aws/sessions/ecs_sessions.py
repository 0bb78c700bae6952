"""Opens sessions: ECS's ExecuteCommand, then Session Manager (`app.ports.sessions.Sessions`)."""

import os
import random
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import uuid4

from app.aws import errors
from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.paced import paced
from app.aws.sessions.channel import Randomness
from app.aws.sessions.management import Opened
from app.aws.sessions.session import TerminalSession
from app.aws.sessions.session_manager import SessionManager
from app.aws.sessions.tools import Tools
from app.aws.sessions.websocket import Socket, dial
from app.aws.sessions.words import exec_failure
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.containers import Running
from app.ports.failures import PortFailure, Unavailable
from app.ports.sessions import Session, Sessions
from app.telemetry import logs

log = logs.get(__name__)

PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before it is tried again: the agent connects a moment after its container has started."""

NOT_CONNECTED: Final = "TargetNotConnectedException"


class EcsSessions(Sessions):
    """ExecuteCommand: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html."""

    def __init__(
        self,
        connection: Connection,
        *,
        limiter: Limiter,
        clock: Clock,
        cluster: str,
        dial: Callable[[str], Awaitable[Socket]] = dial,
    ) -> None:
        """Nothing is asked yet; `cluster` is the ECS cluster's name or ARN, `dial` opens a WebSocket."""
        self._connection = connection
        self._limiter = limiter
        self._cluster = cluster
        self._tools = Tools(
            clock=clock,
            dial=dial,
            randomness=Randomness(lambda: uuid4().bytes, os.urandom),
            jitter=random.random,
        )

    async def open(self, where: Running, command: str) -> Session:
        """As the port; the terminal takes input when it returns."""
        opened = await self._executed(where, command)
        management = SessionManager(self._connection, limiter=self._limiter, opened=opened, where=where)
        session = TerminalSession(opened, management=management, tools=self._tools)
        await session.start()
        log.info("session opened", task=where.task, container=where.container, session=opened.session)
        return session

    async def _executed(self, where: Running, command: str) -> Opened:
        """A call that ECS did not answer is not repeated: the command would run twice."""
        for pause in (*PAUSES, None):
            try:
                return _opened(await self._execute(where, command))
            except PortFailure as failure:
                if pause is None or errors.code_of(failure) != NOT_CONNECTED:
                    raise exec_failure(failure, where) from failure
                await self._tools.clock.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _execute(self, where: Running, command: str) -> dict[str, Json]:
        # A client of its own: however many enter at once, stops and descriptions never wait for a thread.
        return await paced(
            await self._connection.channel("ecs"),
            self._limiter,
            Lane.EXEC,
            "execute_command",
            cluster=self._cluster,
            task=where.task,
            container=where.container,
            command=command,
            interactive=True,
        )


def _opened(answer: dict[str, Json]) -> Opened:
    session = answer.get("session") or {}
    names = ("sessionId", "streamUrl", "tokenValue")
    found = [str(session.get(name) or "") for name in names]
    if not all(found):
        raise Unavailable("ExecuteCommand: no session in the answer")
    return Opened(session=found[0], url=found[1], token=found[2])
