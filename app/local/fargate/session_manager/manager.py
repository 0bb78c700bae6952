"""All sessions: opening, finding, resuming and terminating them."""

import secrets
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from app.local.fargate.protocol.errors import AwsError
from app.local.fargate.protocol.wire import Json
from app.local.fargate.running.workload import Workload
from app.local.fargate.session_manager.means import Means, Purpose
from app.local.fargate.session_manager.session import Session
from app.local.fargate.session_manager.violation import Violation

PATH: Final = "/v1/data-channel"
ROLE: Final = "publish_subscribe"


class _Open(msgspec.Struct):
    session: Session
    token: str


class SessionManager:
    """The sessions that are not over.

    Attributes:
        endpoint: the `ws://` URL that data channels are below, once there is one.
    """

    def __init__(self, means: Means) -> None:
        self._means = means
        self._open: dict[str, _Open] = {}
        self.endpoint = ""

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that Session Manager answers."""
        return {"TerminateSession": self.terminate, "ResumeSession": self.resume}

    def open(self, *, task: str, workload: Workload, argv: tuple[str, ...]) -> Json:
        """Open a session in a container of the task with this ARN.

        Its command starts once a client is connected.
        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Session.html
        """
        name = f"ecs-execute-command-{self._means.ids().replace('-', '')[-17:]}"
        purpose = Purpose(session=name, task=task, workload=workload, argv=argv)
        session = Session(purpose, self._means, on_end=self._forget)
        self._open[name] = _Open(session, "")
        return {
            "sessionId": name,
            "streamUrl": self._url(name),
            "tokenValue": self._new_token(name),
        }

    def connect(self, name: str, token: str) -> Session:
        """The session that a client connects to; a token is good for one connection.

        Raises:
            Violation: there is no such session, or the token is not, or no longer, its own.
        """
        found = self._open.get(name)
        if found is None:
            raise Violation("there is no such session")
        if not found.token or not secrets.compare_digest(found.token.encode(), token.encode()):
            raise Violation(
                "TokenValue is not the session's latest, or was used before: ResumeSession gives another"
            )
        found.token = ""
        return found.session

    def resume(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ResumeSession.html."""
        name = params["SessionId"]
        if name not in self._open:
            raise AwsError("DoesNotExistException", f"Session {name} does not exist or is over.")
        return {"SessionId": name, "TokenValue": self._new_token(name), "StreamUrl": self._url(name)}

    def terminate(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_TerminateSession.html.

        One that is over already is answered alike.
        """
        name = params["SessionId"]
        if name in self._open:
            self._open[name].session.terminate("TerminateSession was called")
        return {"SessionId": name}

    def close(self) -> None:
        """End every session."""
        for each in tuple(self._open.values()):
            each.session.terminate("Session Manager stops")

    def _forget(self, name: str) -> None:
        self._open.pop(name, None)

    def _new_token(self, name: str) -> str:
        token = secrets.token_urlsafe(48)
        self._open[name].token = token
        return token

    def _url(self, name: str) -> str:
        return f"{self.endpoint}{PATH}/{name}?role={ROLE}"
