"""`spillway doctor` on API servers that answer in part, or go away meanwhile."""

from typing import Any

import pytest

from app.doctor.finding import Level
from app.ports.failures import Unavailable
from app.wiring.doctor import Examiner
from tests.fakes import VirtualClock

LISTED = ("/api/v1/nodes", "/api/v1/namespaces")


class Server:
    """Lists no nodes and no namespaces, and nothing else; `alive` is how often it tells its version."""

    def __init__(self, *, alive: int) -> None:
        self._alive = alive

    async def server_version(self) -> str:
        self._alive -= 1
        if self._alive < 0:
            raise Unavailable("GET /version: no answer")
        return "v1.36.2"

    async def request(self, method: str, path: str, **_: Any) -> bytes:
        if path in LISTED:
            return b'{"metadata": {}, "items": []}'
        raise Unavailable(f"{method} {path}: 503")


def examining(server: Any) -> Examiner:
    return Examiner(server, clock=VirtualClock(), namespace="")


async def test_what_does_not_answer_by_itself_is_skipped() -> None:
    found = await examining(Server(alive=1000)).diagnosis()
    assert found.levels[Level.SKIP] > 5


async def test_an_api_server_that_goes_away_meanwhile_is_no_finding() -> None:
    with pytest.raises(Unavailable, match="GET /version"):
        await examining(Server(alive=1)).diagnosis()
