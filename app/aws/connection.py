"""boto3 clients, each behind its own bounded pool of threads.

Credentials, profile and endpoints come from boto3's own chain (`AWS_PROFILE`, `AWS_ENDPOINT_URL*`, …), and so
does the region (`AWS_REGION`) unless the configuration names it:
https://docs.aws.amazon.com/boto3/latest/guide/configuration.html
"""

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]  # it ships no types; what comes of it stays in this module
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from app.aws import errors
from app.model.address import is_loopback
from app.model.wire import Json
from app.ports.failures import Refused, Unavailable


class ConnectionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach AWS.

    Attributes:
        region: as `eu-central-1`; empty means the chain's.
        threads: calls at once, to ECS without launches, and to CloudWatch Logs each.
        launch_threads: RunTask calls at once; 20 a second that take a second and a half each fill 30.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds until an answer must begin.
    """

    region: str = ""
    threads: int = 16
    launch_threads: int = 32
    connect_timeout: float = 3.0
    read_timeout: float = 15.0


class Channel:
    """One client and the threads that its calls run in."""

    def __init__(self, client: Any, *, threads: int, name: str) -> None:
        self._client = client
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"aws-{name}")
        self._closed = False

    async def call(self, operation: str, **parameters: Json) -> dict[str, Json]:
        """One request (`operation` as boto3 spells it: `run_task`) and its answer; never repeated here.

        Cancelling the caller does not take back a request that is on its way.

        Raises:
            PortFailure: the request failed, in the words of `app.ports.failures`.
        """
        if self._closed:
            raise Unavailable("the connection to AWS is closed: the program is stopping")
        request = functools.partial(getattr(self._client, operation), **parameters)
        try:
            answer: dict[str, Json] = await asyncio.get_running_loop().run_in_executor(self._threads, request)
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise errors.failure_of(error) from error
        return answer

    def close(self) -> None:
        """Take no more calls; those on their way run out in their threads."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()


class Connection:
    """Clients for launches, for the rest of ECS, and for logs; clients of other services as they are needed.

    Launches have threads of their own, so that a slow burst of RunTask never keeps a stop or a describe
    waiting.
    """

    def __init__(
        self,
        *,
        launches: Channel,
        control: Channel,
        logs: Channel,
        region: str,
        build: Callable[[str, str], Channel],
    ) -> None:
        self.launches = launches
        self.control = control
        self.logs = logs
        self.region = region
        self._build = build
        self._others: dict[tuple[str, str], Channel] = {}
        self._building = asyncio.Lock()

    async def channel(self, service: str, *, region: str = "") -> Channel:
        """The client of another service (as boto3 names it), built when it is first asked for.

        Each costs megabytes, and most bridges need few of them. `region` is ours where it is empty.

        Raises:
            Refused: boto3 knows no such service or region.
        """
        key = (service, region or self.region)
        async with self._building:
            if key not in self._others:
                self._others[key] = await asyncio.to_thread(self._build, *key)
        return self._others[key]

    @contextlib.asynccontextmanager
    async def borrowed(self, service: str, *, region: str = "") -> AsyncIterator[Channel]:
        """The client of a service that is asked rarely; it is closed at the end, and its memory given back.

        Raises:
            Refused: boto3 knows no such service or region.
        """
        channel = await asyncio.to_thread(self._build, service, region or self.region)
        try:
            yield channel
        finally:
            channel.close()

    @classmethod
    async def open(cls, config: ConnectionConfig) -> Self:
        """Build the clients; nothing is sent to ECS or CloudWatch Logs yet.

        Raises:
            Refused: there is no region, no such profile, or no credentials; the message names the mend.
        """
        return await asyncio.to_thread(cls._built, config)

    @classmethod
    def _built(cls, config: ConnectionConfig) -> Self:
        try:
            # boto3 reads AWS_DEFAULT_REGION alone; AWS_REGION is what EKS and all other SDKs set.
            region = config.region or os.environ.get("AWS_REGION", "")
            session = boto3.Session(region_name=region or None)
            region = _checked_region(session)
            return cls(
                launches=_channel(session, config, service="ecs", threads=config.launch_threads),
                control=_channel(session, config, service="ecs", threads=config.threads),
                logs=_channel(session, config, service="logs", threads=config.threads),
                region=region,
                build=functools.partial(_other, session, config),
            )
        except BotoCoreError as error:
            raise errors.failure_of(error) from error

    def close(self) -> None:
        """Close all clients."""
        for channel in (self.launches, self.control, self.logs, *self._others.values()):
            channel.close()


def _other(session: Any, config: ConnectionConfig, service: str, region: str) -> Channel:
    try:
        return _channel(session, config, service=service, threads=_OTHER_THREADS, region=region)
    except BotoCoreError as error:
        raise errors.failure_of(error) from error


def _checked_region(session: Any) -> str:
    if not session.region_name:
        raise Refused("no AWS region is set: set AWS_REGION, or region in the profile that AWS_PROFILE names")
    if session.get_credentials() is None:
        raise Refused(errors.NO_CREDENTIALS)
    return str(session.region_name)


_ONE_ATTEMPT: Final = {"mode": "standard", "total_max_attempts": 1}
"""botocore repeats nothing: its retries would pass the limiter by, hide throttling from it, and multiply
with our own. Reads are repeated in `app.aws.paced`, launches by the bridge with the same client token."""


_OTHER_THREADS: Final = 4


def _channel(
    session: Any, config: ConnectionConfig, *, service: str, threads: int, region: str = ""
) -> Channel:
    options = Config(
        retries=_ONE_ATTEMPT,
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        max_pool_connections=threads,
        tcp_keepalive=True,
        user_agent_extra="spillway",
    )
    client = session.client(service, config=options, region_name=region or None)
    if is_loopback(urlsplit(client.meta.endpoint_url).hostname or ""):
        # A proxy that the environment names cannot reach this machine's own loopback.
        direct = options.merge(Config(proxies={}))
        client = session.client(service, config=direct, region_name=region or None)
    return Channel(client, threads=threads, name=service)
