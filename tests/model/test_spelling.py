"""A key of ours that nobody reads is told of, with the one that was meant."""

from collections.abc import Callable

import pytest

from app.fargate.words import WORDS
from app.model import names
from app.model.meta import ObjectMeta
from app.model.reason import Reason
from app.model.spelling import DOMAIN, unread_on_namespace, unread_on_pod


@pytest.mark.parametrize(
    ("annotation", "mend"),
    [
        pytest.param("spillway.dev/maxwait", "do you mean spillway.dev/max-wait?", id="misspelt"),
        pytest.param("spillway.dev/capcity", "do you mean spillway.dev/capacity?", id="a letter short"),
        pytest.param(
            "spillway.dev/max-pods", "it is an annotation of the namespace", id="belongs on the namespace"
        ),
        pytest.param("spillway.dev/overflow", "it is a label of the pod", id="is a label"),
        pytest.param(
            "spillway.dev/max-vcpus",
            "do you mean spillway.dev/max-vcpu (an annotation of the namespace)?",
            id="misspelt and misplaced",
        ),
    ],
)
def test_an_unread_annotation_of_a_pod_is_told_with_its_mend(annotation: str, mend: str) -> None:
    (found,) = unread_on_pod(ObjectMeta(annotations={annotation: "1"}))
    assert found.code == "UnknownKey"
    assert found.message == f"nobody reads the annotation {annotation} of a pod; {mend}"


def test_a_key_unlike_any_other_is_told_with_all_that_are_read() -> None:
    (found,) = unread_on_pod(ObjectMeta(annotations={"spillway.dev/colour": "red"}))
    assert "a pod has spillway.dev/capacity, spillway.dev/early-burst, spillway.dev/max-wait" in found.message


def test_a_misspelt_label_of_a_pod_is_told() -> None:
    (found,) = unread_on_pod(ObjectMeta(labels={"spillway.dev/overflows": "required"}))
    assert found.message.endswith("label spillway.dev/overflows of a pod; do you mean spillway.dev/overflow?")


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(ObjectMeta(labels={"spillway.dev/overflow": "enabled"}), id="the label"),
        pytest.param(
            ObjectMeta(annotations={"spillway.dev/max-wait": "2m", "spillway.dev/capacity": "spot"}),
            id="annotations",
        ),
        pytest.param(
            ObjectMeta(annotations={"spillway.dev/attempt": "1", "spillway.dev/task-arn": "arn"}),
            id="what the bridge wrote on the pod that this is a copy of",
        ),
        pytest.param(
            ObjectMeta(labels={"app": "web"}, annotations={"example.com/max-pod": "1"}), id="others'"
        ),
        pytest.param(
            ObjectMeta(annotations={"local.spillway.dev/run-seconds": "3"}), id="another domain of ours"
        ),
    ],
)
def test_what_is_read_or_not_ours_is_left_alone(metadata: ObjectMeta) -> None:
    assert unread_on_pod(metadata) == ()


def test_a_misspelt_budget_of_a_namespace_is_told() -> None:
    (found,) = unread_on_namespace(ObjectMeta(annotations={"spillway.dev/max-pod": "1"}))
    assert found.message == (
        "nobody reads the annotation spillway.dev/max-pod of a namespace; do you mean spillway.dev/max-pods?"
    )


@pytest.mark.parametrize("value", ["enable", "Enabled", "true", ""])
def test_a_namespace_label_that_means_nothing_is_told(value: str) -> None:
    (found,) = unread_on_namespace(ObjectMeta(labels={"spillway.dev/overflow": value}))
    assert found.code == "InvalidNamespaceLabel"
    assert f'"{value}"' in found.message
    assert "write enabled or permitted" in found.message


def test_a_namespace_may_say_all_that_namespaces_may_say() -> None:
    metadata = ObjectMeta(
        labels={"spillway.dev/overflow": "permitted"},
        annotations={
            "spillway.dev/max-pods": "1",
            "spillway.dev/max-vcpu": "2",
            "spillway.dev/max-hourly-cost": "3",
            "spillway.dev/allowed-roles": "arn:aws:iam::*:role/x",
            "spillway.dev/security-groups": "sg-1",
            "spillway.dev/network-policies": "ignored",
        },
    )
    assert unread_on_namespace(metadata) == ()


def test_a_storm_of_keys_is_told_in_part() -> None:
    annotations = {f"spillway.dev/max-pods{number}": "1" for number in range(100)}
    assert len(unread_on_namespace(ObjectMeta(annotations=annotations))) == 8


def test_an_early_burst_that_means_nothing_is_told() -> None:
    (found,) = unread_on_pod(ObjectMeta(annotations={names.EARLY: "yes"}))
    assert (found.code, 'is "yes"' in found.message) == ("InvalidEarlyBurst", True)
    assert unread_on_pod(ObjectMeta(annotations={names.EARLY: names.EARLY_ALLOWED})) == ()


def keys(where: str) -> dict[str, str]:
    """The keys of ours that the page names there; each with a value that means something everywhere."""
    named = (word.key for word in WORDS if word.where == where)
    return {key: names.EARLY_ALLOWED for key in named if key.startswith(DOMAIN)}


def test_the_page_names_no_key_that_nobody_reads() -> None:
    pod = ObjectMeta(labels=keys("pod label"), annotations=keys("pod annotation"))
    space = ObjectMeta(annotations=keys("namespace annotation"))
    assert (unread_on_pod(pod), unread_on_namespace(space)) == ((), ())


@pytest.mark.parametrize(
    ("judge", "whose"),
    [
        pytest.param(unread_on_pod, "pod", id="pods"),
        pytest.param(unread_on_namespace, "namespace", id="spaces"),
    ],
)
def test_every_key_that_is_read_is_on_the_page(
    judge: Callable[[ObjectMeta], tuple[Reason, ...]], whose: str
) -> None:
    (found,) = judge(ObjectMeta(annotations={f"{DOMAIN}colour": "red"}))
    read = found.message.partition(f"a {whose} has ")[2].split(", ")
    assert set(read) <= {*keys(f"{whose} label"), *keys(f"{whose} annotation")}
