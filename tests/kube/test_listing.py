import asyncio

import pytest

from app.kube.answers import Expired
from app.kube.listing import BREATH, complete, current_version
from app.kube.paths import PODS
from app.model.pod import Pod
from app.ports.failures import Unavailable
from tests.builders import a_pod
from tests.fakes import settle
from tests.kube.fakes import FakeTransport, a_list

ONE, TWO = a_pod("one"), a_pod("two")
SELECTED = {"fieldSelector": "spec.nodeName=n"}


async def test_pages_are_joined() -> None:
    server = FakeTransport(a_list(ONE, token="more"), a_list(TWO))
    listing = await complete(server, PODS, query=SELECTED, kind=Pod)
    assert (listing.values, listing.version) == ((ONE, TWO), "10")
    assert [each.query for each in server.asked] == [
        {**SELECTED, "limit": 500},
        {**SELECTED, "limit": 500, "continue": "more"},
    ]


async def test_where_the_pages_expire_all_is_read_in_one_piece() -> None:
    server = FakeTransport(a_list(ONE, token="more"), Expired("too old"), a_list(TWO, version="20"))
    listing = await complete(server, PODS, query=SELECTED, kind=Pod)
    assert (listing.values, listing.version) == ((TWO,), "20")
    assert server.asked[-1].query == SELECTED


async def test_a_page_that_fails_fails_the_listing() -> None:
    server = FakeTransport(a_list(ONE, token="more"), Unavailable("down"))
    with pytest.raises(Unavailable):
        await complete(server, PODS, query={}, kind=Pod)


async def test_an_object_that_cannot_be_read_is_named_and_the_others_are_kept() -> None:
    odd = {"metadata": {"name": "odd", "namespace": "shop"}, "spec": {"containers": "none"}}
    server = FakeTransport({**a_list(ONE), "items": [odd, *a_list(ONE)["items"]]})
    listing = await complete(server, PODS, query={}, kind=Pod)
    assert (listing.values, listing.unreadable) == ((ONE,), frozenset({"shop/odd"}))


async def test_no_items_is_an_empty_listing() -> None:
    server = FakeTransport({"metadata": {"resourceVersion": "5"}, "items": None})
    assert (await complete(server, PODS, query={}, kind=Pod)).values == ()


async def test_an_answer_that_is_no_list_is_a_failure() -> None:
    with pytest.raises(Unavailable):
        await complete(FakeTransport(b"<html>"), PODS, query={}, kind=Pod)


async def test_the_current_version_costs_one_object() -> None:
    server = FakeTransport(a_list(ONE, version="42", token="more"))
    assert await current_version(server, PODS, query=SELECTED) == "42"
    assert server.asked[0].query == {**SELECTED, "limit": 1}


async def test_each_object_is_reduced_as_soon_as_it_is_read() -> None:
    server = FakeTransport(a_list(ONE, token="more"), a_list(TWO))
    listing = await complete(server, PODS, query={}, kind=Pod, keep=_named)
    assert listing.values == (_named(ONE), _named(TWO))


async def test_others_have_their_turn_while_a_page_is_read() -> None:
    server = FakeTransport(a_list(*[ONE] * (10 * BREATH)))
    reading = asyncio.create_task(complete(server, PODS, query={}, kind=Pod))
    await settle(5)
    assert not reading.done()
    assert len((await reading).values) == 10 * BREATH


def _named(pod: Pod) -> Pod:
    """As little of a pod as tells it apart."""
    return Pod(metadata=pod.metadata)
