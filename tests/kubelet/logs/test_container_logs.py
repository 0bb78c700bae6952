import asyncio
from datetime import timedelta

import pytest

from app.kubelet.logs.container_logs import ContainerLogs, LogConfig
from app.kubelet.messages import Answer, StreamedAnswer
from app.kubelet.routing import ContainerLogsRoute, ContainerPath
from app.model.log import WHOLE_STREAM, LogPage, LogSource, LogStream, LogWindow
from app.ports.failures import Refused, Throttled, Unavailable
from tests.builders import NOON
from tests.fakes import VirtualClock, settle
from tests.kubelet.fakes import FakeDirectory, FakeLogStreams, a_stream

STREAM = "pod/main/1"


class Served:
    """The part under test with what stands around it."""

    def __init__(self, streams: FakeLogStreams | None = None, *, page_lines: int = 10_000) -> None:
        self.directory = FakeDirectory()
        self.streams = streams or FakeLogStreams(page_lines=page_lines)
        self.clock = VirtualClock()
        self.logs = ContainerLogs(self.directory, self.streams, clock=self.clock, config=LogConfig())

    async def answer(self, query: str = "", container: str = "main", pod: str = "web-1") -> object:
        path = ContainerPath(namespace="shop", pod=pod, container=container)
        return await self.logs.answer(ContainerLogsRoute(path, query))

    async def text(self, query: str = "") -> str:
        """The whole body of an answer that ends by itself."""
        answer = await self.answer(query)
        assert isinstance(answer, StreamedAnswer)
        return b"".join([piece async for piece in answer.body]).decode()

    async def follower(self, query: str = "follow=true") -> "Follower":
        answer = await self.answer(query)
        assert isinstance(answer, StreamedAnswer)
        return Follower(answer)


class Follower:
    """Reads a followed log in the background."""

    def __init__(self, answer: StreamedAnswer) -> None:
        self.text = ""
        self._answer = answer
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for piece in self._answer.body:
            self.text += piece.decode()

    @property
    def ended(self) -> bool:
        return self.task.done()

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self._answer.body.aclose()


@pytest.fixture
def served() -> Served:
    return Served()


async def test_a_whole_log_is_read_page_by_page() -> None:
    served = Served(page_lines=3)
    served.directory.put(finished=True)
    served.streams.write(STREAM, *"abcdefgh")
    assert await served.text() == "a\nb\nc\nd\ne\nf\ng\nh\n"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param("tailLines=2", "c\nd\n", id="tail"),
        pytest.param("tailLines=0", "", id="no line"),
        pytest.param("tailLines=99", "a\nb\nc\nd\n", id="longer than the log"),
        pytest.param("limitBytes=5", "a\nb\nc", id="limit"),
        pytest.param("sinceTime=2026-01-01T12:00:02Z", "c\nd\n", id="since"),
        pytest.param("sinceTime=2026-01-01T12:00:02Z&tailLines=1", "d\n", id="since and tail"),
        pytest.param("tailLines=1&timestamps=true", "2026-01-01T12:00:03.000000000Z d\n", id="timestamps"),
    ],
)
async def test_options_choose_from_the_log(served: Served, query: str, text: str) -> None:
    served.directory.put()
    served.streams.write(STREAM, *"abcd")
    assert await served.text(query) == text


@pytest.mark.parametrize(
    ("pod", "container", "text"),
    [
        pytest.param("web-9", "main", 'pod "web-9" does not exist', id="pod"),
        pytest.param("web-1", "side", 'container "side" not found in pod "web-1"', id="container"),
    ],
)
async def test_what_is_not_here_is_answered_in_the_directorys_words(
    served: Served, pod: str, container: str, text: str
) -> None:
    assert await served.answer(container=container, pod=pod) == Answer(status=404, text=text)


async def test_a_container_without_a_task_is_waiting_to_start(served: Served) -> None:
    served.directory.sources["main"] = None
    waiting = Answer(
        status=400, text='container "main" in pod "web-1" is waiting to start: ContainerCreating'
    )
    assert await served.answer() == waiting
    served.directory.put()
    assert await served.answer("tailLines=5") == waiting


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        pytest.param("CreateContainerConfigError", "CreateContainerConfigError", id="any"),
        pytest.param("PodInitializing", "PodInitializing", id="init"),
        pytest.param("ErrImagePull", "image can't be pulled", id="image"),
        pytest.param("ImagePullBackOff", "trying and failing to pull image", id="image again"),
    ],
)
async def test_why_a_container_waits_is_told_as_its_status_has_it(
    served: Served, reason: str, words: str
) -> None:
    served.directory.sources["main"] = None
    served.directory.reason = reason
    waiting = f'container "main" in pod "web-1" is waiting to start: {words}'
    assert await served.answer() == Answer(status=400, text=waiting)


async def test_a_container_that_ended_without_a_word_has_an_empty_log(served: Served) -> None:
    served.directory.put(finished=True)
    assert await served.text() == ""


@pytest.mark.parametrize("failure", [Throttled("slow down"), Unavailable("gone"), Refused("denied")])
async def test_a_log_that_does_not_answer_is_an_error_with_its_reason(
    served: Served, failure: Exception
) -> None:
    served.directory.put()
    served.streams.failures.append(failure)  # type: ignore[arg-type]  # each is a PortFailure
    answer = await served.answer("follow=true")
    assert isinstance(answer, Answer)
    assert answer.status == 500
    assert str(failure) in answer.text


class Chatty(FakeLogStreams):
    """A container that prints again while each page is on its way."""

    async def page(
        self,
        stream: LogStream,
        *,
        token: str | None = None,
        from_head: bool = True,
        limit: int = 10_000,
        window: LogWindow = WHOLE_STREAM,
    ) -> LogPage:
        page = await super().page(stream, token=token, from_head=from_head, limit=limit, window=window)
        self.write(stream.name, "more")
        return page


async def test_reading_a_log_that_grows_all_the_time_ends() -> None:
    served = Served(Chatty())
    served.directory.put()
    served.streams.write(STREAM, "a", "b")
    await served.clock.advance(1.5)
    assert await served.text() == "a\nb\nmore\n"


async def test_following_a_log_that_grows_all_the_time_keeps_to_the_pace() -> None:
    served = Served(Chatty())
    served.directory.put()
    served.streams.write(STREAM, "a", "b")
    follower = await served.follower()
    await served.clock.advance(10)
    assert len(served.streams.calls) <= 3 + 20
    await follower.leave()


async def test_a_follower_sees_what_was_and_what_comes_each_once(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a", "b")
    follower = await served.follower()
    await served.clock.advance(2)
    served.streams.write(STREAM, "c")
    await served.clock.advance(10)
    served.streams.write(STREAM, "d", "e")
    await served.clock.advance(10)
    assert follower.text == "a\nb\nc\nd\ne\n"
    await follower.leave()


async def test_following_from_a_tail_loses_and_doubles_nothing(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, *"abcdef")
    follower = await served.follower("follow=true&tailLines=2")
    served.streams.write(STREAM, "g")
    await served.clock.advance(3)
    served.streams.write(STREAM, "h")
    await served.clock.advance(5)
    assert follower.text == "e\nf\ng\nh\n"
    await follower.leave()


async def test_a_follower_waits_for_the_task_and_for_its_stream(served: Served) -> None:
    served.directory.sources["main"] = None
    follower = await served.follower()
    await served.clock.advance(5)
    served.directory.put()
    await served.clock.advance(5)
    served.streams.write(STREAM, "first")
    await served.clock.advance(6)
    assert follower.text == "first\n"
    await follower.leave()


async def test_a_follower_of_a_pod_that_never_started_ends_with_the_pod(served: Served) -> None:
    served.directory.sources["main"] = None
    follower = await served.follower()
    await served.clock.advance(2)
    served.directory.sources.clear()
    await served.clock.advance(2)
    assert follower.ended


async def test_a_follower_of_an_ended_container_is_let_go_after_the_last_lines(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a")
    follower = await served.follower()
    await served.clock.advance(3)
    served.directory.put(finished=True)
    await served.clock.advance(2)
    served.streams.write(STREAM, "late")
    await served.clock.advance(1)
    assert not follower.ended
    await served.clock.advance(15)
    assert follower.text == "a\nlate\n"
    assert follower.ended


async def test_following_what_ended_long_ago_ends_within_seconds(served: Served) -> None:
    served.directory.put(finished=True)
    served.streams.write(STREAM, "a")
    follower = await served.follower()
    await served.clock.advance(5)
    assert follower.text == "a\n"
    assert follower.ended


async def test_a_restarted_container_ends_the_following_of_its_former_stream(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a")
    follower = await served.follower()
    await served.clock.advance(1)
    served.directory.put(stream="pod/main/2")
    await served.clock.advance(15)
    assert follower.ended


async def test_many_followers_share_one_poller(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a")
    followers = [await served.follower() for _ in range(10)]
    await settle()
    served.streams.calls.clear()
    await served.clock.advance(30)
    assert 5 <= len(served.streams.calls) <= 10
    served.streams.write(STREAM, "b")
    await served.clock.advance(10)
    assert {follower.text for follower in followers} == {"a\nb\n"}
    for follower in followers:
        await follower.leave()


async def test_followers_who_came_at_different_times_come_to_share_one_poll(served: Served) -> None:
    served.directory.put()
    followers = []
    for number in range(10):
        served.streams.write(STREAM, str(number))
        followers.append(await served.follower())
        await served.clock.advance(0.1)
    served.streams.calls.clear()
    for number in range(10, 60):
        served.streams.write(STREAM, str(number))
        await served.clock.advance(0.2)
    assert len(served.streams.calls) <= 10 + 20
    await served.clock.advance(1)
    assert {follower.text for follower in followers} == {"".join(f"{each}\n" for each in range(60))}
    for follower in followers:
        await follower.leave()


async def test_nobody_polls_once_the_last_follower_left(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a")
    stays, leaves = await served.follower(), await served.follower()
    await served.clock.advance(2)
    await leaves.leave()
    served.streams.write(STREAM, "b")
    await served.clock.advance(6)
    assert stays.text == "a\nb\n"
    await stays.leave()
    served.streams.calls.clear()
    await served.clock.advance(60)
    assert served.streams.calls == []


async def test_a_follower_who_comes_as_the_last_one_leaves_is_served(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a")
    first = await served.follower()
    await served.clock.advance(1)
    first.task.cancel()
    second = await served.follower()
    await settle()
    served.streams.write(STREAM, "b")
    await served.clock.advance(6)
    assert second.text == "a\nb\n"
    await second.leave()


async def test_a_silent_log_is_polled_ever_more_rarely_and_a_talking_one_often(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a")
    follower = await served.follower()
    await served.clock.advance(60)
    served.streams.calls.clear()
    await served.clock.advance(50)
    assert len(served.streams.calls) == 10
    served.streams.write(STREAM, "awake")
    await served.clock.advance(5)
    served.streams.calls.clear()
    for each in range(10):
        served.streams.write(STREAM, str(each))
        await served.clock.advance(0.5)
    assert len(served.streams.calls) >= 9
    await follower.leave()


async def test_a_far_side_that_fails_for_a_while_costs_the_follower_nothing(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a")
    follower = await served.follower()
    await served.clock.advance(1)
    served.streams.failures += [Unavailable("gone"), Throttled("slow down"), Unavailable("gone")]
    served.streams.write(STREAM, "b")
    await served.clock.advance(30)
    assert follower.text == "a\nb\n"
    await follower.leave()


async def test_a_log_that_may_no_longer_be_read_breaks_off(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a")
    follower = await served.follower()
    await settle()
    served.streams.failures.append(Refused("denied"))
    await served.clock.advance(2)
    with pytest.raises(Refused):
        await follower.task


async def test_a_followers_limit_ends_it(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, "a", "b")
    follower = await served.follower("follow=true&limitBytes=6")
    await served.clock.advance(1)
    served.streams.write(STREAM, "c", "d")
    await served.clock.advance(6)
    assert follower.text == "a\nb\nc\n"
    assert follower.ended


SECOND_RUN = LogWindow(since=NOON + timedelta(seconds=2))


async def test_the_previous_runs_log_is_served_from_where_it_is(served: Served) -> None:
    served.directory.put(stream="pod/main/2")
    served.directory.previous["main"] = LogSource(stream=a_stream(), finished=True)
    served.streams.write("pod/main/1", "before")
    served.streams.write("pod/main/2", "now")
    assert await served.text("previous=true") == "before\n"


async def test_without_a_previous_run_the_answer_is_the_kubelets(served: Served) -> None:
    served.directory.put()
    answer = await served.answer("previous=true")
    assert answer == Answer(status=400, text='previous terminated container "main" in pod "web-1" not found')


async def test_a_previous_log_that_is_followed_ends_at_its_end(served: Served) -> None:
    served.directory.put(stream="pod/main/2")
    served.directory.previous["main"] = LogSource(stream=a_stream(), finished=True)
    served.streams.write("pod/main/1", "before")
    follower = await served.follower("follow=true&previous=true")
    await served.clock.advance(30)
    assert (follower.text, follower.ended) == ("before\n", True)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param("", "c\nd\n", id="all"),
        pytest.param("tailLines=1", "d\n", id="tail"),
        pytest.param("tailLines=9", "c\nd\n", id="longer than the run"),
    ],
)
async def test_a_run_inside_the_task_shows_its_own_lines_alone(served: Served, query: str, text: str) -> None:
    served.directory.put(finished=True, window=SECOND_RUN)
    served.streams.write(STREAM, *"abcd")
    assert await served.text(query) == text


async def test_a_followed_run_ends_where_the_next_one_in_its_stream_begins(served: Served) -> None:
    served.directory.put()
    served.streams.write(STREAM, *"ab")
    follower = await served.follower()
    await served.clock.advance(5)
    served.directory.put(window=SECOND_RUN)
    served.streams.write(STREAM, *"cd")
    await served.clock.advance(30)
    assert (follower.text, follower.ended) == ("a\nb\n", True)
