"""Which protocol a connection goes on in. Pure.

The kubelet's own words, so that clients fall back as they do with it:
https://pkg.go.dev/k8s.io/apimachinery/pkg/util/httpstream#Handshake
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import msgspec

from app.kubelet.messages import Answer, Request
from app.streaming import websocket

SPDY: Final = "SPDY/3.1"
_VERSION: Final = "x-stream-protocol-version"
_ACCEPTED: Final = "X-Accepted-Stream-Protocol-Versions"


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """A protocol that both sides speak.

    Attributes:
        over_websocket: over WebSocket; over SPDY else.
        protocol: what is spoken in it, as `v4.channel.k8s.io`.
        headers: of the answer, 101.
    """

    over_websocket: bool
    protocol: str
    headers: tuple[tuple[str, str], ...]


def agree(request: Request, *, spdy: Sequence[str], websockets: Sequence[str]) -> Agreed | Answer:
    """The first protocol of the client's that is also ours, or 400 or 403 and why there is none."""
    if not _wants_upgrade(request):
        text = "unable to upgrade: the request has no header Connection: Upgrade"
        return Answer(status=HTTPStatus.BAD_REQUEST, text=text)
    if request.header("upgrade").lower() == "websocket":
        return _over_websocket(request, websockets)
    return _over_spdy(request, spdy)


def _wants_upgrade(request: Request) -> bool:
    return any(name == "connection" and "upgrade" in value.lower() for name, value in request.headers)


def _over_websocket(request: Request, ours: Sequence[str]) -> Agreed | Answer:
    theirs = websocket.offered(request.headers)
    chosen = next((each for each in theirs if each in ours), None)
    if chosen is None:
        text = f"requested protocol(s) are not supported: [{' '.join(theirs)}]; supports [{' '.join(ours)}]"
        return Answer(status=HTTPStatus.FORBIDDEN, text=text)
    handshake = websocket.accept(request.method, request.target, request.headers, subprotocol=chosen)
    if handshake.status != HTTPStatus.SWITCHING_PROTOCOLS:
        return Answer(status=handshake.status, text=handshake.text)
    return Agreed(over_websocket=True, protocol=chosen, headers=handshake.headers)


def _over_spdy(request: Request, ours: Sequence[str]) -> Agreed | Answer:
    if SPDY.lower() not in request.header("upgrade").lower():
        text = f"unable to upgrade: the request has no header Upgrade: websocket or {SPDY}"
        return Answer(status=HTTPStatus.BAD_REQUEST, text=text)
    values = [value for name, value in request.headers if name == _VERSION]
    theirs = [each.strip() for value in values for each in value.split(",") if each.strip()]
    if not theirs:
        text = "unable to upgrade: header X-Stream-Protocol-Version names no protocol"
        return Answer(status=HTTPStatus.BAD_REQUEST, text=text)
    chosen = next((each for each in theirs if each in ours), None)
    if chosen is None:
        text = (
            f"unable to upgrade: unable to negotiate protocol: client supports [{' '.join(theirs)}], "
            f"server accepts [{' '.join(ours)}]"
        )
        return Answer(
            status=HTTPStatus.FORBIDDEN, text=text, headers=tuple((_ACCEPTED, each) for each in ours)
        )
    headers = (("Connection", "Upgrade"), ("Upgrade", SPDY), ("X-Stream-Protocol-Version", chosen))
    return Agreed(over_websocket=False, protocol=chosen, headers=headers)
