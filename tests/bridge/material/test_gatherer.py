"""What a pod refers to becomes one value, or what stands in its way."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from app.bridge.translation.material import Material, Needs, Unready
from app.model.image import ImageConfig
from app.model.objects import CsiSource, PersistentVolume, PersistentVolumeSpec, ServiceAccount
from app.ports.failures import NotFound, Refused, Unavailable
from tests.bridge.material.asking import NOTHING, gathered, unready
from tests.bridge.material.fakes import (
    Outskirts,
    a_policy,
    a_service,
    meta,
)
from tests.builders import a_pod
from tests.fakes import FakeWatched


async def test_a_pod_that_refers_to_nothing_gets_its_namespace_and_account(outskirts: Outskirts) -> None:
    found = await gathered(outskirts)

    assert found.namespace == {"team": "a"}
    assert found.account == ServiceAccount(metadata=meta("default"))
    assert outskirts.vault.entries == {}
    assert outskirts.images.asked == []


async def test_a_field_that_is_newer_than_this_program_is_refused_though_the_webhook_never_saw_it(
    outskirts: Outskirts,
) -> None:
    container = {"name": "main", "image": "app:1", "quantumMode": True}
    outskirts.sources.specs["web-1"] = {"containers": [container], "teleport": {"to": "mars"}}

    found = await outskirts.gatherer.gather(a_pod("web-1"), Needs(), namespace={})

    assert isinstance(found, tuple)
    assert [(each.code, each.field) for each in found] == [
        ("UnknownField", "spec.containers[0].quantumMode"),
        ("UnknownField", "spec.teleport"),
    ]


async def test_a_waiting_pod_is_read_once_for_each_generation_of_its_spec(outskirts: Outskirts) -> None:
    first, second = (replace(a_pod(), metadata=replace(a_pod().metadata, generation=n)) for n in (1, 2))
    for pod in (first, first, second):
        await outskirts.gatherer.gather(pod, NOTHING, namespace={})

    assert outskirts.sources.asked["pod"] == 2


async def test_where_generations_are_not_numbered_the_pod_is_read_each_time(outskirts: Outskirts) -> None:
    for _ in range(2):
        await gathered(outskirts)

    assert outskirts.sources.asked["pod"] == 2


async def test_who_may_not_read_a_pod_asks_again(outskirts: Outskirts) -> None:
    pod = replace(a_pod(), metadata=replace(a_pod().metadata, generation=1))
    outskirts.sources.fails["pod"] = Refused("pods is forbidden")
    await outskirts.gatherer.gather(pod, NOTHING, namespace={})
    del outskirts.sources.fails["pod"]

    assert isinstance(await outskirts.gatherer.gather(pod, NOTHING, namespace={}), Material)


async def test_a_pod_that_we_may_not_read_waits_with_the_mend(outskirts: Outskirts) -> None:
    outskirts.sources.fails["pod"] = Refused("pods is forbidden")

    found = await unready(outskirts, Needs())

    assert "give the bridge's RBAC role get on pods" in found.message


async def test_a_pod_that_is_gone_is_gone(outskirts: Outskirts) -> None:
    outskirts.sources.fails["pod"] = NotFound("GET pod: 404")

    with pytest.raises(NotFound):
        await gathered(outskirts)


async def test_images_are_told_of_before_environments_as_kubelet_does(outskirts: Outskirts) -> None:
    outskirts.images.fails["app:1"] = NotFound("no such tag")

    found = await unready(outskirts, Needs(secrets={"none": False}, images=frozenset({"app:1"})))

    assert found.reason == "ErrImagePull"


async def test_services_are_those_of_the_namespace_and_kubernetes(outskirts: Outskirts) -> None:
    outskirts.services = FakeWatched(
        [
            a_service("web"),
            a_service("api"),
            a_service("other", namespace="else"),
            a_service("kubernetes", namespace="default"),
            a_service("more", namespace="default"),
        ]
    )
    outskirts.gatherer = outskirts.start()

    all_of_them = await gathered(outskirts, Needs(services=True))
    none = await gathered(outskirts, Needs(services=False))

    assert [each.metadata.name for each in all_of_them.services] == ["api", "web", "kubernetes"]
    assert [each.metadata.name for each in none.services] == ["kubernetes"]


async def test_in_the_namespace_default_kubernetes_comes_once(outskirts: Outskirts) -> None:
    found = await gathered(outskirts, Needs(services=True), namespace="default")

    assert [each.metadata.name for each in found.services] == ["kubernetes"]


async def test_policies_are_those_of_the_namespace_as_they_are_now(outskirts: Outskirts) -> None:
    outskirts.policies.put(a_policy("deny"))
    outskirts.policies.put(a_policy("far", namespace="else"))
    before = await gathered(outskirts)
    outskirts.policies.drop("shop/deny")

    after = await gathered(outskirts)

    assert [each.metadata.name for each in before.policies] == ["deny"]
    assert after.policies == ()


class Unsynced(FakeWatched[Any]):
    """A collection whose first listing never comes."""

    async def synced(self) -> None:
        await asyncio.Event().wait()


async def test_nothing_is_gathered_before_the_policies_are_listed(outskirts: Outskirts) -> None:
    outskirts.policies = Unsynced()
    outskirts.gatherer = outskirts.start()
    asking = asyncio.ensure_future(outskirts.gatherer.gather(a_pod(), Needs(), namespace={}))
    await outskirts.clock.advance(10)

    with pytest.raises(Unavailable, match="list and watch on networkpolicies"):
        await asking


async def test_an_account_that_is_not_there_is_none(outskirts: Outskirts) -> None:
    found = await gathered(outskirts, serviceAccountName="gone")

    assert found.account is None
    assert found.pod_identity_role == ""


async def test_an_account_that_we_may_not_read_is_told_with_the_mend(outskirts: Outskirts) -> None:
    outskirts.sources.fails["account/default"] = Refused("403 forbidden")

    assert "get on serviceaccounts" in (await unready(outskirts, Needs())).message


async def test_the_role_of_pod_identity_is_found_by_the_account(outskirts: Outskirts) -> None:
    outskirts.roles.roles["shop/default"] = "arn:aws:iam::1:role/shop"

    assert (await gathered(outskirts)).pod_identity_role == "arn:aws:iam::1:role/shop"


async def test_pod_identity_is_not_asked_where_an_annotation_names_the_role(outskirts: Outskirts) -> None:
    annotated = meta("default", annotations={"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/irsa"})
    outskirts.sources.put(ServiceAccount(metadata=annotated))

    await gathered(outskirts)
    await gathered(outskirts, annotations={"iam.amazonaws.com/role": "kube2iam"})

    assert outskirts.roles.asked == {}


async def test_a_role_that_cannot_be_learned_holds_the_pod_back(outskirts: Outskirts) -> None:
    outskirts.roles.failure = Refused("AccessDeniedException")

    assert "eks:ListPodIdentityAssociations" in (await unready(outskirts, Needs())).message


async def test_a_claim_gives_its_volume(outskirts: Outskirts) -> None:
    volume = PersistentVolume(spec=PersistentVolumeSpec(csi=CsiSource(driver="efs.csi.aws.com")))
    outskirts.sources.objects["claim/data"] = volume

    assert (await gathered(outskirts, Needs(claims=frozenset({"data"})))).claims == {"data": volume}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("unbound", "PVC is not bound", id="unbound"),
        pytest.param(
            "none",
            'failed to fetch PVC from API server: persistentvolumeclaims "none" not found',
            id="missing",
        ),
    ],
)
async def test_a_claim_without_a_volume_holds_the_pod_back(outskirts: Outskirts, name: str, why: str) -> None:
    outskirts.sources.objects["claim/unbound"] = None

    found = await unready(outskirts, Needs(claims=frozenset({name})))

    assert found == Unready("ContainerCreating", f"error processing PVC shop/{name}: {why}", "FailedMount")


async def test_images_are_looked_up_for_the_nodes_architecture(outskirts: Outskirts) -> None:
    config = ImageConfig(digest="sha256:1", entry_point=("/app",))
    outskirts.images.configs["app:1"] = config

    assert (await gathered(outskirts, Needs(images=frozenset({"app:1"})))).images == {"app:1": config}
    assert outskirts.images.asked == [("app:1", "amd64", ())]


async def test_an_image_that_is_not_there_is_told_as_kubelet_tells_of_a_failed_pull(
    outskirts: Outskirts,
) -> None:
    outskirts.images.fails["app:1"] = NotFound("no such tag")

    found = await unready(outskirts, Needs(images=frozenset({"app:1"})))

    assert found == Unready("ErrImagePull", 'Failed to pull image "app:1": no such tag')


async def test_an_image_that_its_registry_does_not_show_us_leaves_the_verdict_to_the_translation(
    outskirts: Outskirts,
) -> None:
    outskirts.images.fails["app:1"] = Refused("the registry wants a login")

    found = await gathered(outskirts, Needs(images=frozenset({"app:1"})))

    assert (found.images, found.unread_images) == ({}, {"app:1": "the registry wants a login"})
