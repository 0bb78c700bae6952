"""Requests for an upgrade, as clients of the kubelet send them."""

from app.kubelet.messages import Request


def over_spdy(*protocols: str, target: str = "/exec/shop/web-1/main") -> Request:
    versions = tuple(("x-stream-protocol-version", each) for each in protocols)
    headers = (("host", "node"), ("connection", "Upgrade"), ("upgrade", "SPDY/3.1"), *versions)
    return Request(method="POST", target=target, headers=headers)


def over_websocket(*protocols: str, target: str = "/exec/shop/web-1/main", key: str = "") -> Request:
    headers = (
        ("host", "node"),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-key", key or "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", ",".join(protocols)),
    )
    return Request(method="GET", target=target, headers=headers)
