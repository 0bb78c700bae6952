"""What is asked for of exec and attach, by their queries, checked as the kubelet does. Pure.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#connect-get-connect-requests-to-exec-of-pod
names the options; the API server passes them on under the kubelet's own names (`input`, `output`, `error`).
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

import msgspec

from app.kubelet.messages import Answer

NO_STREAM: Final = Answer(
    status=HTTPStatus.BAD_REQUEST, text="you must specify at least 1 of stdin, stdout, stderr"
)
NO_COMMAND: Final = Answer(
    status=HTTPStatus.BAD_REQUEST, text="you must specify at least one command for the container"
)
BAD_WORD: Final = Answer(
    status=HTTPStatus.BAD_REQUEST, text="a word of the command has a NUL in it, which no program can be given"
)


class SessionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A command and the streams that are wanted; `command` is empty for attach."""

    command: tuple[bytes, ...] = ()
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False


def exec_options(query: str) -> SessionOptions | Answer:
    """The options of `/exec/…?command=ls&command=-l&output=1`, or the kubelet's answer to bad ones."""
    given = parse_qs(query, keep_blank_values=True, errors="surrogateescape")
    command = tuple(word.encode(errors="surrogateescape") for word in given.get("command", ()))
    if not command:
        return NO_COMMAND
    if any(b"\0" in word for word in command):
        return BAD_WORD
    return _with_streams(given, command)


def attach_options(query: str) -> SessionOptions | Answer:
    """The options of `/attach/…?output=1`, or why there is nothing to attach."""
    return _with_streams(parse_qs(query, keep_blank_values=True), ())


def _with_streams(given: Mapping[str, Sequence[str]], command: tuple[bytes, ...]) -> SessionOptions | Answer:
    def asks(name: str) -> bool:
        return given.get(name, [""])[0] == "1"

    tty = asks("tty")
    # A terminal has one output: the kubelet leaves stderr out without a word.
    stderr = asks("error") and not tty
    options = SessionOptions(
        command=command, stdin=asks("input"), stdout=asks("output"), stderr=stderr, tty=tty
    )
    return options if options.stdin or options.stdout or options.stderr else NO_STREAM
