"""Which ports a client asks for. Pure.

https://github.com/kubernetes/kubernetes/tree/v1.36.0/staging/src/k8s.io/cri-streaming/pkg/streaming/portforward
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from app.kubelet.messages import Answer

MOST_PORTS: Final = 127
"""Each takes two of the 255 channels."""

_LARGEST: Final = 0xFFFF
_LONGEST: Final = 5


def port_of(text: str) -> int | None:
    """The port that a text names; None where it names none."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        return None
    return int(text) if 0 < int(text) <= _LARGEST else None


def ports_of(query: str) -> tuple[int, ...] | Answer:
    """The ports in `port=80,81&port=82`, or 400 and the reason."""
    texts = [text for name, value in parse_qsl(query, keep_blank_values=True) for text in _texts(name, value)]
    if not texts:
        return _bad('query parameter "port" is required')
    if len(texts) > MOST_PORTS:
        return _bad(f"{len(texts)} ports are more than {MOST_PORTS}; forward them by several commands")
    found: list[int] = []
    for text in texts:
        port = port_of(text)
        if port is None:
            return _bad(f'unable to parse "{text[:20]}" as a port from 1 to {_LARGEST}')
        found.append(port)
    return tuple(found)


def _texts(name: str, value: str) -> list[str]:
    return value.split(",") if name == "port" else []


def _bad(text: str) -> Answer:
    return Answer(status=HTTPStatus.BAD_REQUEST, text=text)
