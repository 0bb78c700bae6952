"""`spillway doctor` on API servers that answer or allow little, or go away meanwhile."""

from typing import Any

import pytest

from app.doctor.finding import Level
from app.ports.failures import NotFound, PortFailure, Refused, Throttled, Unavailable
from app.wiring.doctor import Examiner
from tests.fakes import VirtualClock


class Server:
    """Answers nothing but its version, and that as often as `alive` says."""

    def __init__(self, *, alive: int = 1000, failure: PortFailure | None = None) -> None:
        self._alive = alive
        self._failure = failure or Unavailable("GET /x: 503")

    async def server_version(self) -> str:
        self._alive -= 1
        if self._alive < 0:
            raise Unavailable("GET /version: no answer")
        return "v1.36.2"

    async def request(self, method: str, path: str, **_: Any) -> bytes:
        raise self._failure


def examining(server: Any) -> Examiner:
    return Examiner(server, clock=VirtualClock(), namespace="")


SUBJECTS = {
    "programs",
    "rbac",
    "webhook",
    "trial",
    "service",
    "certificate",
    "scheduler",
    "marker",
    "gate",
    "node",
    "kubelet",
    "namespaces",
    "dns",
    "policies",
    "quota",
    "autoscalers",
}


@pytest.mark.parametrize(
    ("failure", "mend"),
    [
        pytest.param(Refused('GET /x: 403 cannot list "x"'), "have an administrator grant", id="no rights"),
        pytest.param(NotFound("GET /x: 404"), "kubectl api-resources", id="nothing of the kind"),
        pytest.param(Unavailable("GET /x: 503"), "kubectl get --raw /readyz", id="no answer"),
        pytest.param(Throttled("GET /x: 429"), "spillway doctor, once more", id="too busy"),
    ],
)
async def test_whatever_may_not_be_read_is_skipped_line_by_line_with_what_helps(
    failure: PortFailure, mend: str
) -> None:
    found = (await examining(Server(failure=failure)).diagnosis()).findings
    skipped = [each for each in found if each.level == Level.SKIP]
    assert {each.subject for each in skipped} == SUBJECTS
    said = [each for each in skipped if str(failure) in each.seen and each.subject != "trial"]
    assert [each.subject for each in said if mend not in each.mend] == []


async def test_an_api_server_that_goes_away_meanwhile_is_no_finding() -> None:
    with pytest.raises(Unavailable, match="GET /version"):
        await examining(Server(alive=1)).diagnosis()
