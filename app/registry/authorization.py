"""Who we are to a registry: from its challenge and a login to an Authorization header.

https://distribution.github.io/distribution/spec/auth/token/
https://distribution.github.io/distribution/spec/auth/oauth/
"""

import base64
from http import HTTPStatus
from typing import Final

import msgspec
from yarl import URL

from app.model.image import RegistryLogin
from app.model.image_reference import ImageReference
from app.model.registry_login import IDENTITY_TOKEN
from app.ports.failures import PortFailure, Refused, Unavailable
from app.registry.answers import Answer, failure, said
from app.registry.challenge import Basic, Bearer, challenge_in
from app.registry.transport import Transport
from app.registry.wire import WireError, read

_TOKEN_BYTES: Final = 65_536
_CLIENT: Final = "spillway"
_REFUSALS: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class _Token(msgspec.Struct, frozen=True):
    token: str | None = None
    access_token: str | None = None


async def authorization(
    challenged: Answer,
    *,
    transport: Transport,
    base: URL,
    reference: ImageReference,
    login: RegistryLogin | None,
) -> str:
    """The header that meets the challenge of a 401.

    Args:
        challenged: the 401.
        transport: asks for tokens.
        base: the registry's URL.
        reference: the image; only pulling it is asked for.
        login: whose; None for nobody, which public images are content with.

    Raises:
        Refused: the login is not accepted, or one is needed.
        Throttled: too many tokens were asked for.
        Unavailable: the token server does not answer, or not with a token.
    """
    match challenge_in(challenged.challenges):
        case Bearer() as bearer:
            asked = _TokenQuestion(bearer, base, reference, login)
            return f"Bearer {await _token(asked, transport)}"
        case Basic() if login is not None and login.username != IDENTITY_TOKEN:
            return _basic(login)
        case _:
            raise denied(reference, login, challenged)


def denied(reference: ImageReference, login: RegistryLogin | None, answer: Answer) -> Refused:
    """The refusal where a registry does not let the login, or nobody, at the image."""
    answered = f"{reference.name}: the registry answered {answer.status} {said(answer)}"
    if login is None:
        return Refused(
            f"{answered}; it wants a login, or has no such image: give the pod an imagePullSecret for it"
        )
    return Refused(
        f"{answered} to the login of {login.username!r}; renew the imagePullSecret, "
        "or let the user (in Amazon ECR our role) pull from the repository"
    )


class _TokenQuestion(msgspec.Struct, frozen=True):
    bearer: Bearer
    base: URL
    reference: ImageReference
    login: RegistryLogin | None

    @property
    def scope(self) -> str:
        return self.bearer.scope or f"repository:{self.reference.repository}:pull"


async def _token(asked: _TokenQuestion, transport: Transport) -> str:
    answer = await _token_answer(asked, transport)
    if answer.status in _REFUSALS:
        raise denied(asked.reference, asked.login, answer)
    if answer.status != HTTPStatus.OK:
        raise _token_failure(answer, asked)
    try:
        found = read(answer.body, _Token)
    except WireError:
        found = _Token()
    token = found.token or found.access_token or ""
    if not token or not (token.isascii() and token.isprintable()):
        raise Unavailable(f"{asked.reference.name}: the registry's token server answers without a token")
    return token


def _token_failure(answer: Answer, asked: _TokenQuestion) -> PortFailure:
    """A token server that is not there says nothing about the image: a 404 of it is not ours."""
    if answer.status == HTTPStatus.NOT_FOUND:
        return Refused(f"{asked.reference.name}: the registry's token server does not serve this login")
    return failure(answer, asked=f"a token for {asked.reference.name}")


async def _token_answer(asked: _TokenQuestion, transport: Transport) -> Answer:
    """An identity token is exchanged by POST; all else is a GET, with user and password if there are."""
    login, service, realm = asked.login, asked.bearer.service, _realm(asked)
    headers = {"Accept": "application/json"}
    if login is not None and login.username == IDENTITY_TOKEN:
        form = {
            "grant_type": "refresh_token",
            "service": service,
            "client_id": _CLIENT,
            "scope": asked.scope,
            "refresh_token": login.password,
        }
        return await transport.ask(
            "POST", realm, base=asked.base, headers=headers, most=_TOKEN_BYTES, form=form
        )
    if login is not None:
        headers["Authorization"] = _basic(login)
    query = {"service": service, "scope": asked.scope} if service else {"scope": asked.scope}
    url = realm.update_query(query)
    return await transport.ask("GET", url, base=asked.base, headers=headers, most=_TOKEN_BYTES)


def _realm(asked: _TokenQuestion) -> URL:
    try:
        return asked.base.join(URL(asked.bearer.realm))
    except ValueError as error:
        raise Refused(f"{asked.reference.name}: the registry's token server is no URL") from error


def _basic(login: RegistryLogin) -> str:
    pair = f"{login.username}:{login.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
