"""Tokens of service accounts: the token subresource, and who such a token stands for.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
The claims are the real server's; the signature is an HMAC, since nobody but this server checks it.
"""

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.store import Store
from app.model.times import rfc3339
from app.ports.clock import Clock

AUDIENCE: Final = "https://kubernetes.default.svc.cluster.local"
"""The API server's own: what a token is for that names no audience."""

_KIND: Final = "TokenRequest.authentication.k8s.io"
_DEFAULT: Final = 3600
_SHORTEST: Final = 600
_LONGEST: Final = 1 << 32
_EXTENDED: Final = 3607
"""What admission asks for; such tokens are good for a year, and only warned of after their time."""

_YEAR: Final = 365 * 86_400
_BOUND_PLURALS: Final = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


class Bearer(NamedTuple):
    """Whom a token stands for, as TokenReview shows it, and with which of the audiences asked for."""

    user: Object
    audiences: tuple[str, ...]


class Users(Protocol):
    """Who a bearer token stands for."""

    def get(self, token: str, audiences: Collection[str] = (AUDIENCE,), /) -> Bearer | None:
        """The bearer; None where the token is nobody's, or is for none of the audiences."""
        ...


class ServiceTokens:
    """Issues tokens, and knows its own again while their account and pod are there."""

    def __init__(self, store: Store, *, clock: Clock, key: bytes) -> None:
        self._store = store
        self._clock = clock
        self._key = key

    def issue(self, namespace: str, name: str, body: Any) -> Object:
        """The answer to a TokenRequest. Raises ApiError 400, 404, 409, 422."""
        account = self._find("serviceaccounts", namespace, name)
        spec = _spec_of(body)
        bound = self._bound(namespace, name, spec.get("boundObjectRef"))
        now = self._clock.now()
        seconds = spec["expirationSeconds"]
        metadata = {"name": name, "namespace": namespace, "uid": account["metadata"]["uid"]}
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": metadata | {"creationTimestamp": rfc3339(now)},
            "spec": spec,
            "status": {
                "token": self._signed(self._claims(account, bound, spec)),
                "expirationTimestamp": rfc3339(now + timedelta(seconds=seconds)),
            },
        }

    def get(self, token: str, audiences: Collection[str] = (AUDIENCE,), /) -> Bearer | None:
        """The account that the token stands for with an audience; None where it is not (any more) good."""
        claims = self._opened(token)
        if claims is None or claims["exp"] <= self._clock.now().timestamp():
            return None
        meant = tuple(each for each in audiences if each in claims["aud"])
        if not meant:
            return None
        private = claims["kubernetes.io"]
        namespace = private["namespace"]
        for kind, plural in (("serviceaccount", "serviceaccounts"), ("pod", "pods")):
            if kind in private and not self._is_there(plural, namespace, private[kind]):
                return None
        account = private["serviceaccount"]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
        return Bearer({"username": claims["sub"], "uid": account["uid"], "groups": groups}, meant)

    def _bound(self, namespace: str, account: str, reference: Any) -> Object:
        """The claim about the object that the token is bound to; empty where there is none."""
        if not reference:
            return {}
        kind, name = reference.get("kind", ""), reference.get("name", "")
        plural = _BOUND_PLURALS.get(kind)
        if plural is None or reference.get("apiVersion", "v1") != "v1":
            what = f"{reference.get('apiVersion', '')}, Kind={kind}"
            raise errors.bad_request(f"cannot bind token to object of type {what}")
        found = self._find(plural, "" if plural == "nodes" else namespace, name)
        if plural == "pods" and found["spec"].get("serviceAccountName") != account:
            raise errors.bad_request(
                f'cannot bind token for serviceaccount "{account}" to pod running with different '
                "serviceaccount name."
            )
        uid, real = reference.get("uid", ""), found["metadata"]["uid"]
        if uid not in {"", real}:
            why = (
                f"the UID in the bound object reference ({uid}) does not match the UID in record. The object "
                "might have been deleted and then recreated"
            )
            raise errors.conflict(_KIND, name, why)
        return {kind.lower(): {"name": name, "uid": real}}

    def _claims(self, account: Object, bound: Object, spec: Object) -> Object:
        metadata = account["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        seconds = spec["expirationSeconds"]
        is_extended = "pod" in bound and seconds == _EXTENDED and spec["audiences"] == [AUDIENCE]
        begin = int(self._clock.now().timestamp())
        private = {
            "namespace": namespace,
            "serviceaccount": {"name": name, "uid": metadata["uid"]},
            **bound,
            **({"warnafter": begin + seconds} if is_extended else {}),
        }
        return {
            "aud": spec["audiences"],
            "exp": begin + (_YEAR if is_extended else seconds),
            "iat": begin,
            "iss": AUDIENCE,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": private,
            "nbf": begin,
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }

    def _signed(self, claims: Object) -> str:
        head = _packed(msgspec.json.encode({"alg": "HS256", "typ": "JWT"}))
        text = f"{head}.{_packed(msgspec.json.encode(claims))}"
        return f"{text}.{self._signature(text)}"

    def _opened(self, token: str) -> Object | None:
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(text).encode(), signature.encode()):
            return None
        claims: Object = msgspec.json.decode(_unpacked(text.rpartition(".")[2]))
        return claims

    def _signature(self, text: str) -> str:
        return _packed(hmac.digest(self._key, text.encode(), hashlib.sha256))

    def _find(self, plural: str, namespace: str, name: str) -> Object:
        found = self._store.get(plural, (namespace, name))
        if found is None:
            raise errors.not_found(plural, name)
        return found

    def _is_there(self, plural: str, namespace: str, claim: Object) -> bool:
        found = self._store.get(plural, (namespace, claim["name"]))
        return found is not None and found["metadata"]["uid"] == claim["uid"]


class Everybody:
    """The users of fixed tokens, and those of service accounts."""

    def __init__(self, fixed: Mapping[str, Object], accounts: Users) -> None:
        self._fixed = fixed
        self._accounts = accounts

    def get(self, token: str, audiences: Collection[str] = (AUDIENCE,), /) -> Bearer | None:
        """The bearer, whoever issued the token; the fixed ones are the API server's own alone."""
        user = self._fixed.get(token)
        if user is None:
            return self._accounts.get(token, audiences)
        return Bearer(user, (AUDIENCE,)) if AUDIENCE in audiences else None


def _spec_of(body: Any) -> Object:
    """The request's spec with its defaults. Raises ApiError 400, 422."""
    spec = body.get("spec") or {} if isinstance(body, dict) else None
    if not isinstance(spec, dict):
        raise errors.bad_request("the body must be a TokenRequest")
    seconds = spec.get("expirationSeconds")
    if seconds is None:
        seconds = _DEFAULT
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise errors.bad_request("spec.expirationSeconds must be a whole number")
    why = (
        "may not specify a duration less than 10 minutes"
        if seconds < _SHORTEST
        else "may not specify a duration larger than 2^32 seconds"
        if seconds > _LONGEST
        else ""
    )
    if why:
        raise errors.invalid(_KIND, "", [errors.invalid_value("spec.expirationSeconds", str(seconds), why)])
    return {
        "audiences": spec.get("audiences") or [AUDIENCE],
        "expirationSeconds": seconds,
        "boundObjectRef": spec.get("boundObjectRef") or None,
    }


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpacked(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("a token that we signed is not base64") from error
