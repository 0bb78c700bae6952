"""What a registry asks for when it does not know us yet: the challenges of a 401.

https://datatracker.ietf.org/doc/html/rfc9110#section-11.6.1
https://distribution.github.io/distribution/spec/auth/token/
"""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

_TOKEN: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105  (a grammar's word)
_ITEM: Final = re.compile(
    rf'(?P<key>{_TOKEN})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+))|(?P<scheme>{_TOKEN})'
)


class Bearer(msgspec.Struct, frozen=True):
    """A token from `realm` (a URL) is wanted; `service` and `scope` say for what, and may be empty."""

    realm: str
    service: str = ""
    scope: str = ""


class Basic(msgspec.Struct, frozen=True):
    """User and password are wanted by the registry itself."""


def challenge_in(headers: Iterable[str]) -> Bearer | Basic | None:
    """The challenge to meet, from all WWW-Authenticate headers of an answer; a token before a password.

    None where there is none that we can meet.
    """
    found = dict(_challenges(", ".join(headers)))
    bearer = found.get("bearer")
    if bearer is not None and bearer.get("realm"):
        return Bearer(realm=bearer["realm"], service=bearer.get("service", ""), scope=bearer.get("scope", ""))
    return Basic() if "basic" in found else None


def _challenges(text: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    for item in _ITEM.finditer(text):
        if item["scheme"]:
            found.append((item["scheme"].lower(), {}))
        elif found:
            value = item["plain"] or re.sub(r"\\(.)", r"\1", item["quoted"] or "")
            found[-1][1][item["key"].lower()] = value
    return found
