"""What a pod refers to becomes one value, or what stands in its way."""

import asyncio
from typing import Any

import msgspec
import pytest

from app.bridge.translation.material import Material, Needs, StoredKey, Unready
from app.model.image import ImageConfig
from app.model.objects import CsiSource, PersistentVolume, PersistentVolumeSpec, ServiceAccount
from app.model.reason import Reason
from app.ports.failures import NotFound, Refused, Throttled, Unavailable
from tests.bridge.material.fakes import (
    PASSWORD,
    PREFIX,
    Outskirts,
    a_config_map,
    a_policy,
    a_secret,
    a_service,
    meta,
)
from tests.builders import a_pod
from tests.fakes import FakeWatched, settle

NOTHING = Needs()
SECRETS = Needs(secrets={"db": False})
MAPS = Needs(config_maps={"app": False})


async def gathered(outskirts: Outskirts, needs: Needs = NOTHING, **pod: Any) -> Material:
    found = await outskirts.gatherer.gather(a_pod(**pod), needs, namespace={"team": "a"})
    assert isinstance(found, Material), found
    return found


async def unready(outskirts: Outskirts, needs: Needs, **pod: Any) -> Unready:
    found = await outskirts.gatherer.gather(a_pod(**pod), needs, namespace={})
    assert isinstance(found, Unready), found
    return found


async def test_a_pod_that_refers_to_nothing_gets_its_namespace_and_account(outskirts: Outskirts) -> None:
    found = await gathered(outskirts)

    assert found.namespace == {"team": "a"}
    assert found.account == ServiceAccount(metadata=meta("default"))
    assert outskirts.vault.entries == {}
    assert outskirts.images.asked == []


async def test_a_small_config_map_is_given_as_it_is(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_config_map("app", color="red"))

    found = await gathered(outskirts, MAPS)

    assert found.config_maps["app"].data == {"color": "red"}
    assert found.stored_maps == {}


async def test_a_large_config_map_goes_into_the_vault(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_config_map("app", text="x" * 9000, binary={"blob": b"\xff"}))

    found = await gathered(outskirts, MAPS)

    assert found.config_maps == {}
    assert {key: each.encoded for key, each in found.stored_maps["app"].keys.items()} == {
        "text": False,
        "blob": True,
    }
    assert outskirts.vault.content(f"{PREFIX}uid-of-app_7") == {"text": "x" * 9000, "blob": "/w=="}


async def test_the_values_of_a_secret_go_into_the_vault_and_nowhere_else(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("db", user=b"app", password=PASSWORD.encode(), blob=b"\xff\x00"))

    found = await gathered(outskirts, SECRETS)

    [(kept, content)] = outskirts.vault.entries.values()
    assert kept.name == f"{PREFIX}uid-of-db_7"
    assert content == {"user": "app", "password": PASSWORD, "blob": "/wA="}
    assert found.secrets["db"].keys == {
        "user": StoredKey(f"{kept.arn}:user::"),
        "password": StoredKey(f"{kept.arn}:password::"),
        "blob": StoredKey(f"{kept.arn}:blob::", encoded=True),
    }
    assert PASSWORD not in repr(found)


async def test_a_secret_without_keys_needs_no_entry(outskirts: Outskirts) -> None:
    outskirts.sources.put(msgspec.structs.replace(a_secret("db"), data={}))

    found = await gathered(outskirts, SECRETS)

    assert found.secrets["db"].keys == {}
    assert outskirts.vault.entries == {}


async def test_a_secret_beyond_one_entry_is_spread_over_several(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("db", one=b"1" * 40_000, two=b"2" * 40_000, three=b"3"))

    found = await gathered(outskirts, SECRETS)

    assert list(found.secrets["db"].keys) == ["one", "two", "three"]
    assert {name: list(content) for name, (_, content) in outskirts.vault.entries.items()} == {
        f"{PREFIX}uid-of-db_7": ["one"],
        f"{PREFIX}uid-of-db_7_2": ["two", "three"],
    }


async def test_keys_that_fit_no_entry_refuse_the_pod_with_every_reason(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("db", big=b"1" * 66_000, bigger=b"\xff" * 50_000, small=b"1"))

    found = await outskirts.gatherer.gather(a_pod(), SECRETS, namespace={})

    assert isinstance(found, tuple)
    assert [(each.code, each.message.partition(" does")[0]) for each in found] == [
        ("SecretSize", 'key "big" of Secret "db"'),
        ("SecretSize", 'key "bigger" of Secret "db"'),
    ]
    assert outskirts.vault.entries == {}


async def test_what_can_never_be_is_told_before_what_may_come(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_config_map("app", big="1" * 66_000))

    found = await outskirts.gatherer.gather(
        a_pod(), Needs(config_maps={"app": False, "none": False}), namespace={}
    )

    assert isinstance(found, tuple)
    assert all(isinstance(each, Reason) for each in found)


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        pytest.param(Needs(secrets={"none": False}), 'secret "none" not found', id="secret"),
        pytest.param(Needs(config_maps={"none": False}), 'configmap "none" not found', id="config map"),
    ],
)
async def test_a_missing_object_of_the_environment_is_told_in_kubelets_words(
    outskirts: Outskirts, needs: Needs, message: str
) -> None:
    assert await unready(outskirts, needs) == Unready("CreateContainerConfigError", message)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param({"secret": {"secretName": "none"}}, id="secret"),
        pytest.param({"projected": {"sources": [{"secret": {"name": "none"}}]}}, id="projected"),
    ],
)
async def test_a_missing_object_of_a_volume_is_a_failed_mount(
    outskirts: Outskirts, source: dict[str, Any]
) -> None:
    found = await unready(outskirts, Needs(secrets={"none": False}), volumes=[{"name": "keys", **source}])

    assert found == Unready(
        "ContainerCreating",
        'MountVolume.SetUp failed for volume "keys" : secret "none" not found',
        "FailedMount",
    )


async def test_volumes_are_told_of_before_containers_as_kubelet_does(outskirts: Outskirts) -> None:
    found = await unready(
        outskirts,
        Needs(config_maps={"of-env": False}, secrets={"of-volume": False}),
        volumes=[{"name": "keys", "secret": {"secretName": "of-volume"}}],
    )

    assert found.event == "FailedMount"


async def test_images_are_told_of_before_environments_as_kubelet_does(outskirts: Outskirts) -> None:
    outskirts.images.fails["app:1"] = NotFound("no such tag")

    found = await unready(outskirts, Needs(secrets={"none": False}, images=frozenset({"app:1"})))

    assert found.reason == "ErrImagePull"


async def test_what_the_pod_can_do_without_is_left_out(outskirts: Outskirts) -> None:
    found = await gathered(outskirts, Needs(config_maps={"none": True}, secrets={"none": True}))

    assert (found.config_maps, found.secrets) == ({}, {})


@pytest.mark.parametrize("optional", [pytest.param(True, id="optional"), pytest.param(False, id="mandatory")])
async def test_a_secret_that_we_may_not_read_is_told_with_the_mend(
    outskirts: Outskirts, *, optional: bool
) -> None:
    outskirts.sources.fails["secret/db"] = Refused('403 secrets "db" is forbidden')

    found = await unready(outskirts, Needs(secrets={"db": optional}))

    assert found.reason == "CreateContainerConfigError"
    assert 'secrets "db" is forbidden; give the bridge\'s RBAC role get on secrets in namespace "shop"' in (
        found.message
    )


async def test_a_vault_that_refuses_is_told_with_the_mend(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("db"))
    outskirts.vault.fails["keep"] = Refused("CreateSecret: AccessDeniedException")

    found = await unready(outskirts, SECRETS)

    assert "AccessDeniedException" in found.message
    assert "secretsmanager:CreateSecret" in found.message
    assert PASSWORD not in found.message


@pytest.mark.parametrize(
    "failure", [pytest.param(Unavailable("down"), id="down"), pytest.param(Throttled("slow"), id="throttled")]
)
async def test_an_outside_that_does_not_answer_is_a_failure_and_no_verdict(
    outskirts: Outskirts, failure: Exception
) -> None:
    outskirts.sources.put(a_secret("db"))
    outskirts.sources.fails["secret/db"] = failure  # type: ignore[assignment]  # both are PortFailures

    with pytest.raises(type(failure)):
        await outskirts.gatherer.gather(a_pod(), SECRETS, namespace={})

    del outskirts.sources.fails["secret/db"]
    assert "db" in (await gathered(outskirts, SECRETS)).secrets


async def test_a_thousand_replicas_cost_one_read_and_one_entry(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("db"), a_config_map("app", color="red"))
    needs = Needs(secrets={"db": False}, config_maps={"app": False})

    found = await asyncio.gather(*(gathered(outskirts, needs, name=f"web-{n}") for n in range(1000)))

    assert len({each.secrets["db"].keys["password"] for each in found}) == 1
    assert outskirts.sources.asked == {"account/default": 1, "secret/db": 1, "configmap/app": 1}
    assert outskirts.vault.asked == {"keep": 1}
    assert outskirts.roles.asked == {"shop/default": 1}


async def test_a_thousand_replicas_that_wait_for_a_secret_ask_once_in_a_while(outskirts: Outskirts) -> None:
    needs = Needs(secrets={"none": False})
    await asyncio.gather(*(unready(outskirts, needs, name=f"web-{n}") for n in range(1000)))

    assert outskirts.sources.asked["secret/none"] == 1


async def test_a_vault_that_does_not_answer_is_asked_once_for_all_who_wait(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("db"))
    outskirts.vault.fails["keep"] = Unavailable("down")

    found = await asyncio.gather(
        *(gathered(outskirts, SECRETS, name=f"web-{n}") for n in range(100)), return_exceptions=True
    )

    assert {type(each) for each in found} == {Unavailable}
    assert outskirts.vault.asked == {"keep": 1}


async def test_a_pod_that_goes_while_its_secret_is_stored_takes_it_from_nobody(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("db"))
    outskirts.vault.keeping = asyncio.Event()
    first, second = (asyncio.ensure_future(gathered(outskirts, SECRETS, name=name)) for name in ("a", "b"))
    await settle()
    first.cancel()
    await settle()
    outskirts.vault.keeping.set()

    assert "db" in (await second).secrets


async def test_a_changed_secret_is_seen_within_seconds_and_gets_an_entry_of_its_own(
    outskirts: Outskirts,
) -> None:
    outskirts.sources.put(a_secret("db", version="7"))
    before = await gathered(outskirts, SECRETS)
    outskirts.sources.put(a_secret("db", version="8", password=b"new"))
    await outskirts.clock.advance(5)

    after = await gathered(outskirts, SECRETS)

    assert after.secrets != before.secrets
    assert outskirts.vault.names == {f"{PREFIX}uid-of-db_7", f"{PREFIX}uid-of-db_8"}


async def test_two_processes_give_replicas_the_same_entry(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("db"))
    first = await gathered(outskirts, SECRETS)
    outskirts.gatherer = outskirts.start()

    assert (await gathered(outskirts, SECRETS)).secrets == first.secrets
    assert len(outskirts.vault.entries) == 1


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
