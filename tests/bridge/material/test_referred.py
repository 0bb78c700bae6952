"""ConfigMaps and Secrets: read, and put where tasks can read them."""

import asyncio
from typing import Any

import msgspec
import pytest

from app.bridge.translation.material import Needs, StoredKey, Unready
from app.model.reason import Reason
from app.ports.failures import Refused, Throttled, Unavailable
from tests.bridge.material.asking import gathered, unready
from tests.bridge.material.fakes import (
    PASSWORD,
    PREFIX,
    Outskirts,
    a_config_map,
    a_secret,
)
from tests.builders import a_pod
from tests.fakes import settle

SECRETS = Needs(secrets={"db": False})
MAPS = Needs(config_maps={"app": False})


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


@pytest.mark.parametrize("used", [pytest.param({"small"}, id="other"), pytest.param({"none"}, id="absent")])
async def test_a_key_that_fits_no_entry_does_not_matter_where_it_is_not_used(
    outskirts: Outskirts, used: set[str]
) -> None:
    outskirts.sources.put(a_secret("db", big=b"1" * 66_000, small=b"1"))
    outskirts.sources.put(a_config_map("app", big="1" * 66_000, small="1"))
    keys = frozenset(used)
    needs = Needs(
        secrets={"db": False},
        secret_keys={"db": keys},
        config_maps={"app": False},
        config_map_keys={"app": keys},
    )

    found = await gathered(outskirts, needs)

    assert list(found.secrets["db"].keys) == ["small"]
    assert list(found.stored_maps["app"].keys) == ["small"]


async def test_a_key_that_fits_no_entry_refuses_the_pod_that_uses_it(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("db", big=b"1" * 66_000, small=b"1"))
    needs = Needs(secrets={"db": False}, secret_keys={"db": frozenset({"big"})})

    found = await outskirts.gatherer.gather(a_pod(), needs, namespace={})

    assert isinstance(found, tuple)
    assert [each.code for each in found] == ["SecretSize"]


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


async def test_a_thousand_replicas_cost_one_read_besides_their_own_and_one_entry(
    outskirts: Outskirts,
) -> None:
    outskirts.sources.put(a_secret("db"), a_config_map("app", color="red"))
    needs = Needs(secrets={"db": False}, config_maps={"app": False})

    found = await asyncio.gather(*(gathered(outskirts, needs, name=f"web-{n}") for n in range(1000)))

    assert len({each.secrets["db"].keys["password"] for each in found}) == 1
    assert outskirts.sources.asked == {"pod": 1000, "account/default": 1, "secret/db": 1, "configmap/app": 1}
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
