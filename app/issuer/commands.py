"""All that the issuer does to the cluster: each command is one write to one object. Pure."""

from datetime import datetime

import msgspec

from app.issuer.certificates import Ca


class MakeCa(msgspec.Struct, frozen=True, kw_only=True):
    """A new CA that signs from now on. `previous` are trusted on, for a while."""

    previous: tuple[Ca, ...]
    why: str


class MakeNext(msgspec.Struct, frozen=True, kw_only=True):
    """A successor to the CA, which goes into the bundle now, and signs from then on."""

    signs: datetime
    why: str


class DropNext(msgspec.Struct, frozen=True, kw_only=True):
    """Take out what stands in the successor's place and is none."""

    why: str


class Promote(msgspec.Struct, frozen=True, kw_only=True):
    """The successor signs from now on. `previous` are trusted on, for a while."""

    previous: tuple[Ca, ...]
    why: str


class KeepPrevious(msgspec.Struct, frozen=True, kw_only=True):
    """Which CAs are trusted for a while, though they sign no more."""

    previous: tuple[Ca, ...]
    why: str


class IssueLeaf(msgspec.Struct, frozen=True, kw_only=True):
    """A new serving certificate, and the bundle beside it, which is held `since`."""

    until: datetime
    bundle: bytes
    since: datetime
    why: str


class Publish(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle beside the serving certificate, which is held `since`."""

    bundle: bytes
    since: datetime
    why: str


class Inject(msgspec.Struct, frozen=True, kw_only=True):
    """The bundle into every entry of the webhook configuration."""

    bundle: bytes
    why: str


class Tidy(msgspec.Struct, frozen=True, kw_only=True):
    """Take out of a Secret what nobody asked for."""

    secret: str
    why: str


CaCommand = MakeCa | MakeNext | DropNext | Promote | KeepPrevious
"""Those about the CA's Secret alone."""

SecretCommand = CaCommand | IssueLeaf | Publish | Tidy
Command = SecretCommand | Inject
"""All there are."""
