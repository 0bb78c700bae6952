"""How long the parts of an exec may take."""

import msgspec

from app.kubelet.lifetime import LAST_WORDS_SECONDS


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How commands are run in sessions.

    Attributes:
        open_seconds: until a session must have opened, and its far side be ready.
        drain_seconds: after a command's end, for how long nothing may be said before it is over: what it left
            running may hold its output open for ever.
        awake_seconds: between signs of life typed into a session, which Session Manager ends after 20 idle
            minutes.
        silence_seconds: without any sign of life, until the helper takes the bridge for gone and ends the
            command.
        last_words_seconds: for what a container that is known to be over has still to say.
    """

    open_seconds: float = 60.0
    drain_seconds: float = 2.0
    awake_seconds: float = 60.0
    silence_seconds: float = 600.0
    last_words_seconds: float = LAST_WORDS_SECONDS
