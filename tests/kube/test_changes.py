from app.kube.changes import changes, key_of, listing_changes
from app.model.names import PodUid
from tests.builders import a_node, a_pod
from tests.kube.fakes import at_version


def test_a_new_key_is_an_addition() -> None:
    pod = a_pod()
    assert changes(None, pod) == ((None, pod),)


def test_a_missing_key_is_a_deletion() -> None:
    pod = a_pod()
    assert changes(pod, None) == ((pod, None),)


def test_a_key_that_never_was_is_no_change() -> None:
    assert changes(None, None) == ()


def test_the_same_version_twice_is_no_change() -> None:
    pod = a_pod()
    assert changes(pod, at_version(pod, pod.metadata.resource_version)) == ()


def test_another_version_is_a_change() -> None:
    pod = a_pod()
    later = at_version(pod, "2")
    assert changes(pod, later) == ((pod, later),)


def test_equal_objects_without_versions_are_no_change() -> None:
    assert changes(a_node(), a_node()) == ()


def test_unequal_objects_without_versions_are_a_change() -> None:
    ready, broken = a_node(), a_node(ready=False)
    assert changes(ready, broken) == ((ready, broken),)


def test_a_name_used_again_is_an_end_and_a_beginning() -> None:
    old = a_pod()
    new = at_version(old, "2", uid=PodUid("other"))
    assert changes(old, new) == ((old, None), (None, new))


def test_a_listing_tells_the_ends_first() -> None:
    gone, kept, new = a_pod("gone"), a_pod("kept"), a_pod("new")
    before = {"shop/gone": gone, "shop/kept": kept}
    after = {"shop/new": new, "shop/kept": kept}
    assert listing_changes(before, after) == ((gone, None), (None, new))


def test_keys_carry_the_namespace_where_there_is_one() -> None:
    assert (key_of(a_pod()), key_of(a_node())) == ("shop/web-1", "ec2-0")
