from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kubelet.logs.options import LogOptions, log_options
from app.kubelet.messages import Answer
from tests.builders import NOON


@pytest.mark.parametrize(
    ("query", "options"),
    [
        pytest.param("", LogOptions(), id="nothing"),
        pytest.param("follow=true", LogOptions(follow=True), id="follow"),
        pytest.param("follow", LogOptions(follow=True), id="follow without value"),
        pytest.param("follow=False", LogOptions(), id="not following"),
        pytest.param("follow=0&previous=false", LogOptions(), id="zero is false"),
        pytest.param("previous=true", LogOptions(previous=True), id="previous"),
        pytest.param("tailLines=0", LogOptions(tail_lines=0), id="no line"),
        pytest.param("tailLines=5&tailLines=x", LogOptions(tail_lines=5), id="the first counts"),
        pytest.param("tail=7", LogOptions(tail_lines=7), id="older name"),
        pytest.param("tail=all&tailLines=3", LogOptions(), id="all of it"),
        pytest.param("timestamps=true", LogOptions(timestamps=True), id="timestamps"),
        pytest.param("limitBytes=1", LogOptions(limit_bytes=1), id="limit"),
        pytest.param(
            "sinceSeconds=60", LogOptions(since=NOON - timedelta(minutes=1)), id="since a minute ago"
        ),
        pytest.param("sinceSeconds=9223372036854775807", LogOptions(), id="since for ever"),
        pytest.param(
            "sinceTime=2026-01-01T13:00:00.5%2B02:00",
            LogOptions(since=datetime(2026, 1, 1, 11, 0, 0, 500000, tzinfo=UTC)),
            id="since a time",
        ),
        pytest.param("sinceTime=", LogOptions(), id="since nothing"),
        pytest.param("stream=All&insecureSkipTLSVerifyBackend=true", LogOptions(), id="no concern of ours"),
    ],
)
def test_options_are_read_as_kubernetes_reads_them(query: str, options: LogOptions) -> None:
    assert log_options(query, now=NOON) == options


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        pytest.param("tailLines=x", 400, "tailLines", id="no number"),
        pytest.param("tailLines=", 400, "tailLines", id="empty number"),
        pytest.param("tailLines=1_0", 400, "tailLines", id="Python's number"),
        pytest.param("tailLines=%D9%A3", 400, "tailLines", id="Arabic digit"),
        pytest.param("tailLines=9223372036854775808", 400, "tailLines", id="beyond 64 bits"),
        pytest.param("tailLines=-1", 422, "tailLines", id="negative tail"),
        pytest.param("limitBytes=0", 422, "limitBytes", id="no byte"),
        pytest.param("sinceSeconds=0", 422, "sinceSeconds", id="since now"),
        pytest.param("sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z", 422, "at most one", id="since twice"),
        pytest.param("sinceTime=yesterday", 400, "sinceTime", id="no time"),
        pytest.param("sinceTime=2026-01-01T00:00:00", 400, "sinceTime", id="time without zone"),
        pytest.param("sinceTime=2026-13-01T00:00:00Z", 400, "sinceTime", id="no such month"),
        pytest.param("stream=Stderr", 400, "one stream", id="one of two streams"),
        pytest.param("&".join(f"a{n}=1" for n in range(200)), 400, "query", id="too many fields"),
    ],
)
def test_bad_options_are_refused_by_name(query: str, status: int, words: str) -> None:
    answer = log_options(query, now=NOON)
    assert isinstance(answer, Answer)
    assert answer.status == status
    assert words in answer.text


NAMES = st.sampled_from(
    ["follow", "previous", "tailLines", "tail", "sinceSeconds", "sinceTime", "limitBytes"]
)


@given(st.lists(st.tuples(NAMES, st.text(max_size=30)), max_size=6))
def test_every_query_gives_options_or_a_client_error(pairs: list[tuple[str, str]]) -> None:
    answer = log_options("&".join(f"{name}={value}" for name, value in pairs), now=NOON)
    assert isinstance(answer, LogOptions) or answer.status in {400, 422}
