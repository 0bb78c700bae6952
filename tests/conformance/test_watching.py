"""Watching: what a watcher sees, from which version on, and for how long."""

from typing import Any

import pytest

from tests.conformance.servers import MERGE, ApiServer, Space

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def seen(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Types and names of the events about objects."""
    return [
        (each["type"], each["object"]["metadata"]["name"]) for each in events if each["type"] != "BOOKMARK"
    ]


def test_changes_after_a_version_come_in_order(space: Space) -> None:
    space.pod("old")
    version = space.api.version(space.pods)
    space.pod("new")
    space.api.patch(f"{space.pods}/new", {"metadata": {"labels": {"a": "b"}}}, MERGE)
    space.api.delete(f"{space.pods}/new")

    events = space.api.watch(space.pods, resourceVersion=version)

    assert [each["type"] for each in events] == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]
    assert {name for _, name in seen(events)} == {"new"}
    versions = [int(each["object"]["metadata"]["resourceVersion"]) for each in events]
    assert versions == sorted(versions)
    assert versions[0] > int(version)


def test_version_zero_begins_with_what_is_there(space: Space) -> None:
    space.pod("a")
    space.pod("b")
    space.api.until(f"{space.pods}/b?resourceVersion=0")

    events = space.api.watch(space.pods, resourceVersion="0")

    assert sorted(seen(events)) == [("ADDED", "a"), ("ADDED", "b")]


def test_an_object_that_enters_or_leaves_the_selection_is_added_or_deleted(space: Space) -> None:
    space.pod()
    version = space.api.version(space.pods)
    path = f"{space.pods}/web"
    space.api.patch(path, {"metadata": {"labels": {"watched": "yes"}}}, MERGE)
    space.api.patch(path, {"metadata": {"annotations": {"a": "b"}}}, MERGE)
    left = space.api.patch(path, {"metadata": {"labels": {"watched": None}}}, MERGE).json()

    events = space.api.watch(space.pods, resourceVersion=version, labelSelector="watched=yes")

    assert [each["type"] for each in events] == ["ADDED", "MODIFIED", "DELETED"]
    last = events[-1]["object"]["metadata"]
    assert last["labels"] == {"watched": "yes"}
    assert last["resourceVersion"] == left["metadata"]["resourceVersion"]


def test_fields_select_events_too(space: Space) -> None:
    version = space.api.version(space.pods)
    space.pod("here", nodeName="here")
    space.pod("there", nodeName="there")

    events = space.api.watch(space.pods, resourceVersion=version, fieldSelector="spec.nodeName=here")

    assert seen(events) == [("ADDED", "here")]


def test_a_graceful_deletion_is_a_change_before_it_is_a_deletion(space: Space) -> None:
    space.pod(nodeName="somewhere")
    version = space.api.version(space.pods)
    space.api.delete(f"{space.pods}/web")
    space.api.delete(f"{space.pods}/web", {"gracePeriodSeconds": 0})

    events = space.api.watch(space.pods, resourceVersion=version)

    assert [each["type"] for each in events] == ["MODIFIED", "MODIFIED", "DELETED"]
    graces = [each["object"]["metadata"]["deletionGracePeriodSeconds"] for each in events]
    assert graces == [30, 0, 0]


def test_other_namespaces_are_not_seen(space: Space) -> None:
    version = space.api.version(space.pods)
    space.pod()

    assert space.api.watch("/api/v1/namespaces/default/pods", resourceVersion=version) == []


def test_all_namespaces_are_seen_together(space: Space) -> None:
    version = space.api.version("/api/v1/pods")
    space.pod()

    events = space.api.watch("/api/v1/pods", resourceVersion=version)

    assert ("ADDED", "web") in seen(events)


def test_events_carry_their_kind(space: Space) -> None:
    version = space.api.version(space.pods)
    space.pod()

    event = space.api.watch(space.pods, resourceVersion=version)[0]

    assert (event["object"]["kind"], event["object"]["apiVersion"]) == ("Pod", "v1")


def test_a_watch_can_be_one_object(space: Space) -> None:
    version = space.api.version(space.pods)
    space.pod("a")
    space.pod("b")

    events = space.api.watch(space.pods, resourceVersion=version, fieldSelector="metadata.name=b")

    assert seen(events) == [("ADDED", "b")]


def test_a_watch_can_be_a_table_whose_columns_come_once(space: Space) -> None:
    version = space.api.version(space.pods)
    space.pod("a")
    space.pod("b")

    events = space.api.watch(space.pods, accept=TABLE, resourceVersion=version)

    assert [each["object"]["kind"] for each in events] == ["Table", "Table"]
    assert [each["object"]["rows"][0]["cells"][0] for each in events] == ["a", "b"]
    assert [bool(each["object"].get("columnDefinitions")) for each in events] == [True, False]


@pytest.mark.parametrize("resource", ["pods", "configmaps"])
def test_a_quiet_watch_ends_when_its_time_is_up(space: Space, resource: str) -> None:
    path = space.path(resource)

    assert space.api.watch(path, resourceVersion=space.api.version(path), labelSelector="no=one") == []


def test_a_version_of_two_events_is_never_the_same(api: ApiServer, space: Space) -> None:
    """One counter for all resources: an event of another resource raises it as well."""
    first = space.config_map()["metadata"]["resourceVersion"]
    second = space.pod()["metadata"]["resourceVersion"]

    assert int(second) > int(first)
