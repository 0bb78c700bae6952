"""Session Manager's calls about one session, and KMS's for its key (`management.Management`)."""

from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.paced import paced
from app.aws.sessions.encryption import KEY_BYTES, DataKey
from app.aws.sessions.management import Management, Opened
from app.model.wire import Json
from app.ports.containers import Running
from app.ports.failures import NotFound, Unavailable


class SessionManager(Management):
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ResumeSession.html and its like."""

    def __init__(self, connection: Connection, *, limiter: Limiter, opened: Opened, where: Running) -> None:
        self._connection = connection
        self._limiter = limiter
        self._opened = opened
        self._where = where

    async def resume(self) -> Opened:
        """As the port; a session that is over is answered without a token."""
        answer = await self._ask("ssm", "resume_session", SessionId=self._opened.session)
        token, url = str(answer.get("TokenValue") or ""), str(answer.get("StreamUrl") or "")
        if not token:
            raise NotFound(f"session {self._opened.session} is over")
        return Opened(session=self._opened.session, url=url or self._opened.url, token=token)

    async def terminate(self) -> None:
        """As the port."""
        await self._ask("ssm", "terminate_session", SessionId=self._opened.session)

    async def data_key(self, key_id: str) -> DataKey:
        """As the port."""
        answer = await self._ask(
            "kms",
            "generate_data_key",
            KeyId=key_id,
            NumberOfBytes=KEY_BYTES,
            EncryptionContext={
                "aws:ssm:SessionId": self._opened.session,
                "aws:ssm:TargetId": target_of(self._where),
            },
        )
        plain, sealed = answer.get("Plaintext", b""), answer.get("CiphertextBlob", b"")
        if len(plain) != KEY_BYTES or not sealed:
            raise Unavailable(f"GenerateDataKey: no key of {KEY_BYTES} bytes in the answer")
        return DataKey(plain, sealed)

    async def _ask(self, service: str, operation: str, **parameters: Json) -> dict[str, Json]:
        channel = await self._connection.channel(service)
        return await paced(channel, self._limiter, Lane.SESSIONS, operation, attempts=2, **parameters)


def target_of(where: Running) -> str:
    """A container as Session Manager names it: `ecs:CLUSTER_TASK_RUNTIME`."""
    cluster, task = where.task.rsplit("/", 2)[-2:]
    return f"ecs:{cluster}_{task}_{where.runtime_id}"
