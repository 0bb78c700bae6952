"""The least that an extender can be: decodes the names that kube-scheduler sends, and sends them back.

What it costs kube-scheduler no extender can save, as long as it is served by the same machinery as ours.

    python -m scripts.lib.echo_extender PORT CERTIFICATE KEY
"""

import asyncio
import sys
from typing import Any, Final

import msgspec
import uvicorn
import uvloop

from app.local.loopback import LOOPBACK

_HEADERS: Final = [(b"content-type", b"application/json")]


class _Names(msgspec.Struct, rename="pascal"):
    node_names: tuple[str, ...] = ()


_DECODER: Final = msgspec.json.Decoder(_Names)
_ENCODER: Final = msgspec.json.Encoder()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application: `/filter` lets every node pass; anything else is answered alike."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    answer = _ENCODER.encode(_DECODER.decode(body or b"{}"))
    headers = [*_HEADERS, (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def main() -> None:
    """Serve until a signal."""
    port, certificate, key = sys.argv[1:]
    config = uvicorn.Config(
        echo,
        host=LOOPBACK,
        port=int(port),
        ssl_certfile=certificate,
        ssl_keyfile=key,
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=120,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
