"""The store: one counter, and a history that ends."""

import pytest

from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.store import Store


def stored(store: Store, name: str, kind: str = "pods") -> Object:
    return store.put(kind, ("ns", name), {"metadata": {"namespace": "ns", "name": name}})


def versions(store: Store, since: int) -> list[int]:
    log = store.log("pods")
    return [change.version for change in log.read(log.position(since))]


def test_every_write_of_any_resource_raises_the_one_counter() -> None:
    store = Store()
    first = stored(store, "a")
    second = stored(store, "b", kind="nodes")

    assert int(second["metadata"]["resourceVersion"]) == int(first["metadata"]["resourceVersion"]) + 1


def test_a_stored_object_never_changes() -> None:
    store = Store()
    before = stored(store, "a")
    copy = dict(before["metadata"])
    stored(store, "a")

    assert before["metadata"] == copy


def test_the_history_begins_after_a_version() -> None:
    store = Store()
    stored(store, "a")
    since = store.version
    stored(store, "b")
    stored(store, "c")

    assert versions(store, since) == [since + 1, since + 2]


def test_the_version_of_another_resource_is_a_place_in_the_history_too() -> None:
    store = Store()
    stored(store, "a")
    stored(store, "n", kind="nodes")
    since = store.version
    stored(store, "b")

    assert versions(store, since) == [since + 1]


def test_a_version_that_is_no_longer_kept_is_gone() -> None:
    store = Store(keep=2)
    since = store.version
    stored(store, "a")
    stored(store, "b")
    stored(store, "c")

    with pytest.raises(ApiError) as refusal:
        store.log("pods").position(since)
    assert (refusal.value.status_code, refusal.value.reason) == (410, "Expired")


def test_the_oldest_version_that_is_kept_can_still_be_watched() -> None:
    store = Store(keep=2)
    stored(store, "a")
    since = store.version
    stored(store, "b")
    stored(store, "c")

    assert versions(store, since) == [since + 1, since + 2]


def test_a_reader_that_is_too_slow_is_told_so() -> None:
    store = Store(keep=2)
    log = store.log("pods")
    position = log.end
    stored(store, "a")
    stored(store, "b")
    stored(store, "c")

    with pytest.raises(ApiError) as refusal:
        log.read(position)
    assert refusal.value.status_code == 410


def test_lists_are_in_order_of_namespace_and_name() -> None:
    store = Store()
    for namespace, name in (("b", "x"), ("a", "z"), ("a", "y")):
        store.put("pods", (namespace, name), {"metadata": {"namespace": namespace, "name": name}})

    assert [each["metadata"]["name"] for each in store.list("pods")] == ["y", "z", "x"]
    assert [each["metadata"]["name"] for each in store.list("pods", "b")] == ["x"]
