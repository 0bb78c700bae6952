import pytest

from app.kubelet.messages import Answer, Request
from app.kubelet.streaming.negotiation import Agreed, agree
from tests.kubelet.streaming.requests import over_spdy, over_websocket


def agreed(request: Request) -> Agreed | Answer:
    return agree(request, spdy=("v5", "v4"), websockets=("v5", "v4"))


@pytest.mark.parametrize(
    ("request_", "over_websocket", "protocol"),
    [
        pytest.param(over_spdy("v9", "v4", "v5"), False, "v4", id="SPDY, the client's first"),
        pytest.param(over_spdy("v9, v5 ,v4"), False, "v5", id="SPDY, in one header"),
        pytest.param(over_websocket("v9", "v4", "v5"), True, "v4", id="WebSocket, the client's first"),
    ],
)
def test_the_clients_first_protocol_that_is_ours_is_agreed_on(
    request_: Request, over_websocket: bool, protocol: str
) -> None:
    found = agreed(request_)
    assert isinstance(found, Agreed)
    assert (found.over_websocket, found.protocol) == (over_websocket, protocol)
    assert ("Upgrade", "websocket" if over_websocket else "SPDY/3.1") in found.headers


@pytest.mark.parametrize(
    ("request_", "status", "text"),
    [
        pytest.param(Request(method="POST", target="/"), 400, "Connection: Upgrade", id="no upgrade"),
        pytest.param(
            Request(method="POST", target="/", headers=(("connection", "upgrade"), ("upgrade", "h2c"))),
            400,
            "SPDY/3.1",
            id="another protocol",
        ),
        pytest.param(over_spdy(), 400, "X-Stream-Protocol-Version", id="SPDY, no version"),
        pytest.param(over_spdy("v1", "v2"), 403, "client supports [v1 v2]", id="SPDY, none of ours"),
        pytest.param(
            over_websocket("v1"), 403, "not supported: [v1]; supports [v5 v4]", id="WebSocket, none"
        ),
        pytest.param(over_websocket("v4", key="short"), 400, "Sec-WebSocket-Key", id="WebSocket, bad key"),
    ],
)
def test_what_cannot_be_agreed_on_is_answered_with_its_reason(
    request_: Request, status: int, text: str
) -> None:
    answer = agreed(request_)
    assert isinstance(answer, Answer)
    assert answer.status == status
    assert text in answer.text


def test_a_client_that_speaks_no_version_of_ours_is_told_those() -> None:
    answer = agreed(over_spdy("v1"))
    assert isinstance(answer, Answer)
    assert answer.headers == (
        ("X-Accepted-Stream-Protocol-Versions", "v5"),
        ("X-Accepted-Stream-Protocol-Versions", "v4"),
    )
