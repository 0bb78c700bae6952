import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry

from app.kubelet.access.access import Access, AccessConfig
from app.kubelet.messages import Answer, Request
from app.kubelet.metrics import KubeletMetrics
from app.ports.access import Caller, NodeAccess
from app.ports.failures import PortFailure, Refused, Throttled, Unavailable
from tests.fakes import VirtualClock, settle
from tests.kubelet.access.fakes import FakeReviews

LOG = "/containerLogs/shop/web-1/main"
TOKEN = "tok-of-metrics-server"
METRICS_SERVER = Caller(
    name="system:serviceaccount:kube-system:metrics-server",
    groups=("system:serviceaccounts",),
    uid="u1",
    extra={"authentication.kubernetes.io/pod-name": ("metrics-server-0",)},
)


@dataclass
class Door:
    access: Access
    reviews: FakeReviews
    clock: VirtualClock
    registry: CollectorRegistry

    def counted(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"spillway_kubelet_{name}_total", labels)

    async def knock(
        self, target: str = LOG, *, method: str = "GET", token: str = "", client: str = "", **more: Any
    ) -> Answer | None:
        headers = (("authorization", f"Bearer {token}"),) if token else ()
        asked = Request(method=method, target=target, client=client, headers=headers, **more)
        return await self.access.refusal(asked)


def a_door(**config: Any) -> Door:
    reviews, clock = FakeReviews(), VirtualClock()
    reviews.tokens[TOKEN] = METRICS_SERVER
    registry = CollectorRegistry()
    access = Access(
        reviews,
        node="fargate-a",
        clock=clock,
        config=AccessConfig(**config),
        metrics=KubeletMetrics(registry),
        pepper=b"pepper",
    )
    return Door(access, reviews, clock, registry)


@pytest.fixture
async def door() -> Door:
    return a_door()


def is_unauthorized(answer: Answer | None) -> bool:
    return answer is not None and (answer.status, answer.text) == (401, "Unauthorized")


async def test_nobody_is_anonymous_and_the_api_server_is_not_asked(door: Door) -> None:
    assert is_unauthorized(await door.knock())
    assert door.reviews.asked == []


async def test_a_certificate_is_its_common_name_with_its_organizations(door: Door) -> None:
    door.reviews.let("alice")
    assert await door.knock(client="alice", organizations=("dev",)) is None
    caller, access = door.reviews.asked[0]
    assert caller == Caller(name="alice", groups=("dev", "system:authenticated"))
    assert access == NodeAccess(node="fargate-a", verb="get", subresource="proxy")


async def test_a_token_is_whom_the_api_server_says_with_everything_it_says(door: Door) -> None:
    door.reviews.let(METRICS_SERVER.name)
    assert await door.knock(token=TOKEN) is None
    caller, _ = door.reviews.asked[0]
    assert (caller.name, caller.uid, caller.extra) == (
        METRICS_SERVER.name,
        METRICS_SERVER.uid,
        METRICS_SERVER.extra,
    )
    assert caller.groups == ("system:serviceaccounts", "system:authenticated")


async def test_a_certificate_comes_before_a_token(door: Door) -> None:
    door.reviews.let("alice")
    assert await door.knock(client="alice", token="nobody's") is None
    assert door.reviews.tokens_asked == []


async def test_a_certificate_that_does_not_count_leaves_the_token() -> None:
    door = a_door(client_names=("kube-apiserver",))
    door.reviews.let(METRICS_SERVER.name)
    assert await door.knock(client="alice", token=TOKEN) is None
    assert is_unauthorized(await door.knock(client="alice"))


async def test_a_token_that_is_nobodys_is_unauthorized(door: Door) -> None:
    assert is_unauthorized(await door.knock(token="guess"))


async def test_who_may_not_is_forbidden_in_the_kubelets_words(door: Door) -> None:
    answer = await door.knock("/pods", method="POST", client="alice")
    assert answer is not None
    assert answer.status == 403
    assert answer.text == "Forbidden (user=alice, verb=create, resource=nodes, subresource(s)=[pods proxy])"


async def test_the_right_to_proxy_covers_pods_as_well(door: Door) -> None:
    door.reviews.let("alice", "get", "proxy")
    assert await door.knock("/pods", client="alice") is None
    assert [access.subresource for _, access in door.reviews.asked] == ["pods", "proxy"]


async def test_the_right_to_pods_covers_nothing_else(door: Door) -> None:
    door.reviews.let("alice", "get", "pods")
    assert await door.knock("/pods", client="alice") is None
    answer = await door.knock(client="alice")
    assert answer is not None
    assert answer.status == 403


FAILURES = [
    pytest.param(Unavailable("no answer"), id="no-answer"),
    pytest.param(Throttled("slow down"), id="too-many"),
    pytest.param(Refused("forbidden: cannot create tokenreviews"), id="no-right-to-ask"),
]


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_token_that_cannot_be_reviewed_lets_nobody_in(door: Door, failure: PortFailure) -> None:
    door.reviews.let("*")
    door.reviews.failure = failure
    assert is_unauthorized(await door.knock(token=TOKEN))
    door.reviews.failure = None
    assert await door.knock(token=TOKEN) is None


@pytest.mark.parametrize("failure", FAILURES)
async def test_where_nobody_can_say_the_answer_is_an_error_and_no_yes(
    door: Door, failure: PortFailure
) -> None:
    door.reviews.let("alice")
    door.reviews.failure = failure
    answer = await door.knock(client="alice")
    assert answer is not None
    assert (answer.status, answer.text) == (
        500,
        "Authorization error (user=alice, verb=get, resource=nodes, subresource=proxy)",
    )
    door.reviews.failure = None
    assert await door.knock(client="alice") is None


async def test_an_error_about_the_first_of_two_rights_is_not_made_good_by_the_second(door: Door) -> None:
    door.reviews.failure = Unavailable("no answer")
    answer = await door.knock("/pods", client="alice")
    assert answer is not None
    assert "subresource=pods)" in answer.text
    assert len(door.reviews.asked) == 1


async def test_a_token_is_reviewed_again_after_two_minutes(door: Door) -> None:
    door.reviews.let("*")
    await door.knock(token=TOKEN)
    await door.clock.advance(119)
    await door.knock(token=TOKEN)
    assert len(door.reviews.tokens_asked) == 1
    del door.reviews.tokens[TOKEN]
    await door.clock.advance(1)
    assert is_unauthorized(await door.knock(token=TOKEN))


async def test_a_yes_holds_for_five_minutes(door: Door) -> None:
    door.reviews.let("alice")
    assert await door.knock(client="alice") is None
    door.reviews.rights.clear()
    await door.clock.advance(299)
    assert await door.knock(client="alice") is None
    await door.clock.advance(1)
    assert await door.knock(client="alice") is not None


async def test_a_no_holds_for_half_a_minute(door: Door) -> None:
    assert await door.knock(client="alice") is not None
    door.reviews.let("alice")
    await door.clock.advance(29)
    assert await door.knock(client="alice") is not None
    await door.clock.advance(1)
    assert await door.knock(client="alice") is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"method": "GET"}, {"method": "POST"}, id="another-verb"),
        pytest.param({"target": "/stats/summary"}, {"target": "/metrics/resource"}, id="another-part"),
        pytest.param({"client": "alice"}, {"client": "bob"}, id="another-user"),
        pytest.param({"organizations": ("dev",)}, {"organizations": ("ops",)}, id="another-group"),
    ],
)
async def test_a_yes_is_for_what_was_asked_alone(
    door: Door, first: dict[str, Any], second: dict[str, Any]
) -> None:
    door.reviews.let("*")
    await door.knock(**{"client": "alice", **first})
    await door.knock(**{"client": "alice", **second})
    assert len(door.reviews.asked) == 2


async def test_many_requests_with_one_bad_token_are_one_question(door: Door) -> None:
    door.reviews.hold()
    knocking = [asyncio.create_task(door.knock(token="guess")) for _ in range(500)]
    await settle()
    door.reviews.release()
    assert all(is_unauthorized(each) for each in await asyncio.gather(*knocking))
    assert is_unauthorized(await door.knock(token="guess"))
    assert door.reviews.tokens_asked == ["guess"]


async def test_many_different_tokens_wait_for_their_turn() -> None:
    door = a_door(questions=4)
    door.reviews.hold()
    knocking = [asyncio.create_task(door.knock(token=f"guess-{i}")) for i in range(50)]
    await settle()
    door.reviews.release()
    await asyncio.gather(*knocking)
    assert door.reviews.most_at_once == 4


async def test_a_flood_of_tokens_does_not_fill_the_memory() -> None:
    door = a_door(most=10)
    await asyncio.gather(*(door.knock(token=f"guess-{i}") for i in range(100)))
    assert len(door.access._callers) == 10


async def test_no_token_is_logged_or_kept(door: Door) -> None:
    door.reviews.failure = Unavailable("no answer")
    with structlog.testing.capture_logs() as logged:
        await door.knock(token=TOKEN)
        door.reviews.failure = None
        await door.knock(token=TOKEN)
    assert len(logged) == 2
    assert TOKEN not in str(logged)
    assert TOKEN.encode() not in b"".join(door.access._callers._known)


async def test_refusals_are_counted_by_their_reason(door: Door) -> None:
    await door.knock()
    await door.knock(token=TOKEN)
    await door.clock.advance(31)
    door.reviews.failure = Unavailable("no answer")
    await door.knock(token=TOKEN)
    counted = [door.counted("denied", reason=each) for each in ("unauthorized", "forbidden", "undecided")]
    assert counted == [1, 1, 1]


async def test_what_is_remembered_and_what_is_asked_is_counted_apart(door: Door) -> None:
    door.reviews.let(METRICS_SERVER.name)
    for _ in range(3):
        await door.knock(token=TOKEN)
    assert door.counted("reviews", kind="token", outcome="asked") == 1
    assert door.counted("reviews", kind="token", outcome="remembered") == 2
    assert door.counted("reviews", kind="access", outcome="remembered") == 2
