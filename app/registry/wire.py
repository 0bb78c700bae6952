"""JSON that strangers wrote: a value, or one error for all that can be wrong with it."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


class WireError(ValueError):
    """The bytes are no JSON, or not of that kind."""


def read(body: bytes, kind: type[T]) -> T:
    """The value in the body.

    Raises:
        WireError: there is none; the message says where it is wrong, and repeats nothing of it.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
    except RecursionError as error:
        raise WireError("it is nested too deep") from error
