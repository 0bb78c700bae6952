"""Image pull secrets become entries that ECS pulls with."""

import base64
import json
from typing import Any

import pytest

from app.bridge.translation.material import Material, Needs, Unready
from app.model.image import ImageConfig
from app.model.objects import Secret
from app.model.registry_login import RegistryLogin
from app.ports.failures import Refused, Unavailable
from tests.bridge.material.fakes import PASSWORD, PREFIX, Outskirts, a_secret, meta
from tests.builders import a_container, a_pod

IMAGE = "registry.example/app:1"
CONFIG_JSON = "kubernetes.io/dockerconfigjson"


def a_pull_secret(name: str = "pull", **auths: Any) -> Secret:
    """Logins by registry; `_` in a keyword stands for the dot that it cannot have."""
    entries = {registry.replace("_", "."): entry for registry, entry in auths.items()}
    data = {".dockerconfigjson": json.dumps({"auths": entries}).encode()}
    return Secret(metadata=meta(name), type=CONFIG_JSON, data=data)


def a_login(username: str = "robot", password: str = PASSWORD) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


async def gathered(outskirts: Outskirts, needs: Needs = Needs(), *secrets: str, **pod: Any) -> Any:  # noqa: B008  (a frozen value)
    spec = {"imagePullSecrets": [{"name": name} for name in secrets or ("pull",)], **pod}
    return await outskirts.gatherer.gather(a_pod(**spec), needs, namespace={})


async def test_an_image_is_pulled_with_the_login_for_its_registry(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_pull_secret(other_example=a_login("x", "y"), registry_example=a_login()))

    found = await gathered(outskirts)

    [(kept, content)] = outskirts.vault.entries.values()
    assert kept.name == f"{PREFIX}uid-of-pull_7_pull_1"
    assert content == {"username": "robot", "password": PASSWORD}
    assert found.pulls == {IMAGE: kept.arn}
    assert PASSWORD not in repr(found)


async def test_images_of_one_registry_share_an_entry_and_others_get_none(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_pull_secret(registry_example=a_login()))
    others = [a_container("side", image="registry.example/side:2"), a_container("web", image="nginx")]

    found = await gathered(outskirts, containers=[a_container()], initContainers=others)

    assert set(found.pulls) == {IMAGE, "registry.example/side:2"}
    assert len(set(found.pulls.values())) == 1


async def test_the_old_form_of_pull_secrets_counts_too(outskirts: Outskirts) -> None:
    data = {".dockercfg": json.dumps({"registry.example": a_login()}).encode()}
    outskirts.sources.put(Secret(metadata=meta("pull"), type="kubernetes.io/dockercfg", data=data))

    assert set((await gathered(outskirts)).pulls) == {IMAGE}


async def test_a_secret_of_another_type_counts_for_nothing(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_secret("pull"))

    assert (await gathered(outskirts)).pulls == {}


async def test_a_pull_secret_that_is_not_there_holds_nothing_back(outskirts: Outskirts) -> None:
    found = await gathered(outskirts)

    assert isinstance(found, Material)
    assert found.pulls == {}
    assert found.missing_pulls == ("pull",)


async def test_a_pull_secret_that_does_not_answer_is_a_failure(outskirts: Outskirts) -> None:
    outskirts.sources.fails["secret/pull"] = Unavailable("down")

    with pytest.raises(Unavailable):
        await gathered(outskirts)


async def test_a_pull_secret_that_is_no_configuration_is_told_without_its_content(
    outskirts: Outskirts,
) -> None:
    data = {".dockerconfigjson": PASSWORD.encode()}
    outskirts.sources.put(Secret(metadata=meta("pull"), type=CONFIG_JSON, data=data))

    found = await gathered(outskirts)

    assert found.reason == "ErrImagePull"
    assert 'image pull secret "pull": the secret holds no docker configuration' in found.message
    assert PASSWORD not in found.message


async def test_a_pull_secret_that_we_may_not_read_is_told_with_the_mend(outskirts: Outskirts) -> None:
    outskirts.sources.fails["secret/pull"] = Refused("403 forbidden")

    assert "get on secrets" in (await gathered(outskirts)).message


async def test_an_identity_token_is_refused_since_ecs_takes_passwords_only(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_pull_secret(registry_example={"identitytoken": "t0ken"}))

    [reason] = await gathered(outskirts)

    assert (reason.code, reason.field) == ("PullSecret", "spec.imagePullSecrets")
    assert "t0ken" not in str(reason)


async def test_a_password_goes_before_an_identity_token(outskirts: Outskirts) -> None:
    outskirts.sources.put(
        a_pull_secret("one", registry_example={"identitytoken": "t0ken"}),
        a_pull_secret("two", registry_example=a_login()),
    )

    assert set((await gathered(outskirts, Needs(), "one", "two")).pulls) == {IMAGE}
    assert outskirts.vault.names == {f"{PREFIX}uid-of-two_7_pull_0"}


async def test_an_image_without_a_name_is_told_of(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_pull_secret(registry_example=a_login()))

    found = await gathered(outskirts, containers=[a_container(image="No Image")])

    assert isinstance(found, Unready)
    assert (found.reason, found.event) == ("InvalidImageName", "InspectFailed")


async def test_registries_are_asked_with_all_logins_of_the_pod(outskirts: Outskirts) -> None:
    outskirts.images.configs[IMAGE] = ImageConfig(digest="sha256:1")
    outskirts.sources.put(
        a_pull_secret("one", registry_example=a_login("first")),
        a_pull_secret("two", registry_example=a_login("second")),
    )

    await gathered(outskirts, Needs(images=frozenset({IMAGE})), "one", "two")

    assert outskirts.images.asked == [
        (
            IMAGE,
            "amd64",
            (
                RegistryLogin("registry.example", "first", PASSWORD),
                RegistryLogin("registry.example", "second", PASSWORD),
            ),
        )
    ]


async def test_a_vault_that_refuses_a_login_is_told_with_the_mend(outskirts: Outskirts) -> None:
    outskirts.sources.put(a_pull_secret(registry_example=a_login()))
    outskirts.vault.fails["keep"] = Refused("AccessDeniedException")

    found = await gathered(outskirts)

    assert found.reason == "ErrImagePull"
    assert "secretsmanager:CreateSecret" in found.message
