"""PodLogOptions from a query, decoded and checked as the kubelet does. Pure.

https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#podlogoptions-v1-core; undecodable
options are answered 400, decodable but invalid ones 422.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

import msgspec

from app.kubelet.messages import Answer


class LogOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What of a log is wanted.

    Attributes:
        follow: go on until the container has ended.
        timestamps: put each line's time before it.
        tail_lines: this many lines from the end, then what follows; all where None.
        since: no line older than this.
        limit_bytes: stop after as many bytes.
        previous: of the run before the newest.
    """

    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since: datetime | None = None
    limit_bytes: int | None = None
    previous: bool = False


class _BadOption(Exception):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_MOST_FIELDS: Final = 100
_LONGEST_AGE: Final = 3_000_000_000
"""Seconds, most of a century: nothing is older."""


def log_options(query: str, *, now: datetime) -> LogOptions | Answer:
    """The options, or the answer that says what is wrong with them. Unknown ones are ignored."""
    try:
        first = {name: values[0] for name, values in _fields(query).items()}
        return _checked(first, now=now)
    except _BadOption as bad:
        return Answer(status=bad.status, text=str(bad))


def _fields(query: str) -> Mapping[str, list[str]]:
    try:
        return parse_qs(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise _BadOption(HTTPStatus.BAD_REQUEST, f"unable to decode query: {error}") from error


def _checked(given: Mapping[str, str], *, now: datetime) -> LogOptions:
    if given.get("stream") not in {None, "", "All"}:
        raise _BadOption(
            HTTPStatus.BAD_REQUEST,
            "stdout and stderr are one stream on this node; ask without stream, or with stream=All",
        )
    return LogOptions(
        follow=_flag(given, "follow"),
        timestamps=_flag(given, "timestamps"),
        tail_lines=_tail(given),
        since=_since(given, now=now),
        limit_bytes=_number(given, "limitBytes", least=1),
        previous=_flag(given, "previous"),
    )


def _flag(given: Mapping[str, str], name: str) -> bool:
    # Kubernetes reads every value but these two as true, the empty one too.
    return name in given and given[name].lower() not in {"false", "0"}


def _number(given: Mapping[str, str], name: str, *, least: int) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise _BadOption(
            HTTPStatus.BAD_REQUEST, f'unable to decode query: {name} is "{text}", not a whole number'
        )
    number = int(text)
    if number < least:
        raise _BadOption(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"invalid request: {name} is {number}, less than {least}"
        )
    return number


def _tail(given: Mapping[str, str]) -> int | None:
    # `tail` is the kubelet's older name for it.
    older = given.get("tail")
    if not older:
        return _number(given, "tailLines", least=0)
    return None if older == "all" else _number(given, "tail", least=0)


def _since(given: Mapping[str, str], *, now: datetime) -> datetime | None:
    seconds = _number(given, "sinceSeconds", least=1)
    moment = _moment(given.get("sinceTime", ""))
    if seconds is not None and moment is not None:
        raise _BadOption(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid request: at most one of sinceTime and sinceSeconds may be given",
        )
    if seconds is None:
        return moment
    return now - timedelta(seconds=seconds) if seconds < _LONGEST_AGE else None


def _moment(text: str) -> datetime | None:
    if text in {"", "null"}:
        return None
    bad = _BadOption(
        HTTPStatus.BAD_REQUEST,
        f'unable to decode query: sinceTime is "{text}", not a time as 2026-01-31T12:00:00Z',
    )
    if not _RFC3339.fullmatch(text):
        raise bad
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise bad from error
