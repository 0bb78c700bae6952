"""The kubelet's answers to those who may not. Pure.

https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/server/server.go (InstallAuthFilter)
"""

from http import HTTPStatus
from typing import Final

from app.kubelet.access.attributes import Attributes
from app.kubelet.messages import Answer

UNAUTHORIZED: Final = Answer(status=HTTPStatus.UNAUTHORIZED, text="Unauthorized")


def forbidden(user: str, asked: Attributes) -> Answer:
    """They are known, and may not."""
    tried = " ".join(asked.subresources)
    text = f"Forbidden (user={user}, verb={asked.verb}, resource=nodes, subresource(s)=[{tried}])"
    return Answer(status=HTTPStatus.FORBIDDEN, text=text)


def undecided(user: str, *, verb: str, subresource: str) -> Answer:
    """Nobody could say whether they may."""
    text = f"Authorization error (user={user}, verb={verb}, resource=nodes, subresource={subresource})"
    return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=text)
