"""From a name to a configuration, over real sockets."""

import pytest

from app.model.image import ImageConfig
from app.ports.failures import NotFound, Refused, Unavailable
from app.ports.images import Architecture
from app.registry import manifests
from app.registry.conversation import CONFIG_BYTES
from app.registry.images import RegistryImages
from tests.registry.fakes import SCHEMA_1, FakeRegistry, a_config, an_entry, an_error, sha256


async def test_the_configuration_says_how_the_process_starts(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    content = a_config(
        Entrypoint=["/tini", "--"], Cmd=["serve"], User="app:1000", WorkingDir="/srv", Env=["A=b=c", "B="]
    )
    digest = registry.push("team/app:1", content=content)
    assert await images.config(registry.image("team/app:1"), architecture="amd64") == ImageConfig(
        digest=digest,
        entry_point=("/tini", "--"),
        command=("serve",),
        user="app:1000",
        working_directory="/srv",
        environment={"A": "b=c", "B": ""},
        architecture="amd64",
        os="linux",
    )


async def test_an_image_without_a_tag_is_the_latest(registry: FakeRegistry, images: RegistryImages) -> None:
    digest = registry.push("app:latest")
    found = await images.config(registry.image("app"), architecture="amd64")
    assert found.digest == digest


async def test_a_digest_outranks_the_tag_beside_it(registry: FakeRegistry, images: RegistryImages) -> None:
    old = registry.push("app:1", content=a_config(Entrypoint=["/old"]))
    registry.push("app:1", content=a_config(Entrypoint=["/new"]))
    found = await images.config(registry.image(f"app:1@{old}"), architecture="amd64")
    assert found.entry_point == ("/old",)


@pytest.mark.parametrize(
    ("architecture", "entry_point"),
    [
        pytest.param("amd64", "/intel", id="amd64"),
        pytest.param("arm64", "/arm", id="arm64"),
    ],
)
async def test_an_index_leads_to_the_platform(
    registry: FakeRegistry, images: RegistryImages, architecture: Architecture, entry_point: str
) -> None:
    intel = registry.push("app:intel", content=a_config(Entrypoint=["/intel"]))
    arm = registry.push("app:arm", content={**a_config(Entrypoint=["/arm"]), "architecture": "arm64"})
    index = registry.push_index(
        "app:1",
        an_entry(intel),
        an_entry(arm, platform="linux/arm64/v8"),
        an_entry(intel, platform="windows/amd64"),
    )
    found = await images.config(registry.image("app:1"), architecture=architecture)
    assert (found.digest, found.entry_point) == (index, (entry_point,))


async def test_an_index_within_an_index_is_followed(registry: FakeRegistry, images: RegistryImages) -> None:
    inner = registry.push_index("app:inner", an_entry(registry.push("app:intel")))
    registry.push_index("app:1", an_entry(inner, mediaType=manifests.OCI_INDEX))
    found = await images.config(registry.image("app:1"), architecture="amd64")
    assert found.entry_point == ("/app",)


async def test_indexes_without_an_end_are_refused(registry: FakeRegistry, images: RegistryImages) -> None:
    first = registry.push_index("app:a", an_entry(registry.push("app:intel")))
    second = registry.push_index("app:b", an_entry(first, mediaType=manifests.OCI_INDEX))
    third = registry.push_index("app:c", an_entry(second, mediaType=manifests.OCI_INDEX))
    registry.push_index("app:1", an_entry(third, mediaType=manifests.OCI_INDEX))
    with pytest.raises(Refused, match="nested"):
        await images.config(registry.image("app:1"), architecture="amd64")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("app:other", id="no such tag"),
        pytest.param("other:1", id="no such repository"),
        pytest.param(f"app@{sha256(b'')}", id="no such digest"),
    ],
)
async def test_what_is_not_there_is_not_found(
    registry: FakeRegistry, images: RegistryImages, name: str
) -> None:
    registry.push("app:1")
    with pytest.raises(NotFound, match="404 manifest unknown"):
        await images.config(registry.image(name), architecture="amd64")


async def test_an_index_without_the_platform_names_those_that_it_has(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push_index("app:1", an_entry(registry.push("app:intel")))
    with pytest.raises(NotFound, match="not for linux/arm64, only for linux/amd64"):
        await images.config(registry.image("app:1"), architecture="arm64")


async def test_a_single_image_of_another_platform_is_not_found(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push("app:1")
    with pytest.raises(NotFound, match="for linux/amd64, not for linux/arm64"):
        await images.config(registry.image("app:1"), architecture="arm64")


async def test_a_manifest_of_schema_1_is_refused(registry: FakeRegistry, images: RegistryImages) -> None:
    old = {"schemaVersion": 1, "fsLayers": [], "history": []}
    registry.push_manifest("app:1", old, content_type=SCHEMA_1)
    with pytest.raises(Refused, match="schema 1"):
        await images.config(registry.image("app:1"), architecture="amd64")


async def test_an_artifact_that_is_no_image_is_refused(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    chart = registry.push_blob(b"{}", media_type="application/vnd.cncf.helm.config.v1+json")
    registry.push("chart:1", config=chart)
    with pytest.raises(Refused, match="no container image"):
        await images.config(registry.image("chart:1"), architecture="amd64")


async def test_a_name_that_is_none_is_refused_without_a_request(images: RegistryImages) -> None:
    with pytest.raises(Refused, match="lower case"):
        await images.config("registry.example/App:1", architecture="amd64")


async def test_a_registry_that_is_no_address_is_refused(images: RegistryImages) -> None:
    with pytest.raises(Refused, match="no address"):
        await images.config("registry.example:99999/app:1", architecture="amd64")


async def test_a_registry_that_is_not_there_is_unavailable(images: RegistryImages) -> None:
    with pytest.raises(Unavailable, match=r"no answer from 127\.0\.0\.1"):
        await images.config("127.0.0.1:1/app:1", architecture="amd64")


async def test_a_configuration_that_was_swapped_is_not_believed(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push("app:1")
    registry.corrupt(b'{"config":{"Entrypoint":["/evil"]}}')
    with pytest.raises(Unavailable, match="is not what sha256"):
        await images.config(registry.image("app:1"), architecture="amd64")


async def test_a_manifest_that_was_swapped_is_not_believed(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push("app:1")
    with pytest.raises(Unavailable, match="is not what sha256"):
        await images.config(registry.image(f"app@{swapped(registry)}"), architecture="amd64")


async def test_a_platforms_manifest_that_was_swapped_is_not_believed(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push("app:intel")
    registry.push_index("app:1", an_entry(swapped(registry, "intel")))
    with pytest.raises(Unavailable, match="is not what sha256"):
        await images.config(registry.image("app:1"), architecture="amd64")


async def test_a_configuration_that_says_it_is_huge_is_not_fetched(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    config = registry.push_blob(b"{}")
    registry.push("app:1", config={**config, "size": CONFIG_BYTES + 1})
    with pytest.raises(Refused, match="larger than"):
        await images.config(registry.image("app:1"), architecture="amd64")
    assert registry.paths() == ["/v2/app/manifests/1"]


async def test_a_configuration_that_lies_about_its_size_is_cut_off(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    config = registry.push_blob(b" " * (CONFIG_BYTES + 1))
    registry.push("app:1", config={**config, "size": 100})
    with pytest.raises(Refused, match="too many"):
        await images.config(registry.image("app:1"), architecture="amd64")


async def test_an_answer_of_the_registry_is_repeated_in_its_words(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.fault("/v2/app/manifests/1", an_error(500, "out of\n\x1b[31mdisk"))
    with pytest.raises(Unavailable, match=r"answered 500 out of\[31mdisk$"):
        await images.config(registry.image("app:1"), architecture="amd64")


def swapped(registry: FakeRegistry, tag: str = "1") -> str:
    """A digest under which the registry serves something else."""
    digest = sha256(b"the right one")
    registry._manifests["app", digest] = registry._manifests["app", tag]
    return digest
