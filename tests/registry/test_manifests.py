import json
from typing import Any

import pytest

from app.registry import manifests
from app.registry.manifests import Index, Manifest, ManifestError, NoPlatformError, chosen, decoded
from tests.registry.fakes import OCI_CONFIG, SCHEMA_1, an_entry, sha256

DIGEST = sha256(b"content")
CONFIG = {"mediaType": OCI_CONFIG, "digest": DIGEST, "size": 7}
DOCKER_CONFIG = {**CONFIG, "mediaType": "application/vnd.docker.container.image.v1+json"}


def body(**document: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, **document}).encode()


@pytest.mark.parametrize(
    ("document", "content_type"),
    [
        pytest.param({"mediaType": manifests.OCI_MANIFEST, "config": CONFIG}, "", id="OCI, by its own type"),
        pytest.param({"config": CONFIG}, manifests.OCI_MANIFEST, id="OCI, by the header"),
        pytest.param({"config": DOCKER_CONFIG, "layers": []}, manifests.DOCKER_MANIFEST, id="Docker"),
        pytest.param({"config": CONFIG}, "application/json; charset=utf-8", id="by its shape"),
        pytest.param(
            {"config": {**CONFIG, "mediaType": "application/octet-stream"}},
            manifests.DOCKER_MANIFEST,
            id="old client",
        ),
    ],
)
def test_a_manifest_leads_to_its_configuration(document: dict[str, Any], content_type: str) -> None:
    match decoded(body(**document), content_type=content_type):
        case Manifest(config=config):
            assert config.digest == DIGEST
        case Index():
            pytest.fail("not an index")


@pytest.mark.parametrize(
    "kind", [pytest.param(manifests.OCI_INDEX, id="OCI"), pytest.param(manifests.DOCKER_LIST, id="Docker")]
)
def test_an_index_has_entries(kind: str) -> None:
    found = decoded(body(mediaType=kind, manifests=[an_entry(DIGEST)]), content_type="")
    assert isinstance(found, Index)
    assert [each.digest for each in found.manifests] == [DIGEST]


@pytest.mark.parametrize(
    ("document", "content_type", "reason"),
    [
        pytest.param(b"<html>", "text/html", "no image manifest", id="a page"),
        pytest.param(b"\xff", "", "no image manifest", id="bytes"),
        pytest.param(b"[]", "", "no image manifest", id="a list"),
        pytest.param(b'{"x":' + b"[" * 100_000, "", "nested too deep", id="a well"),
        pytest.param(b"{}", manifests.OCI_MANIFEST, "neither", id="nothing"),
        pytest.param(body(config=CONFIG), SCHEMA_1, "schema 1", id="schema 1 by its type"),
        pytest.param(b'{"schemaVersion": 1, "fsLayers": []}', "", "schema 1", id="schema 1 by its shape"),
        pytest.param(
            body(config=CONFIG, manifests=[an_entry(DIGEST)]),
            manifests.OCI_MANIFEST,
            "neither",
            id="both at once",
        ),
        pytest.param(
            body(manifests=[an_entry(DIGEST)], layers=[]),
            manifests.OCI_INDEX,
            "neither",
            id="an index with layers",
        ),
        pytest.param(
            body(mediaType=manifests.OCI_INDEX, config=CONFIG), "", "neither", id="a manifest called index"
        ),
        pytest.param(
            body(mediaType=manifests.OCI_MANIFEST, manifests=[]), "", "neither", id="an index called manifest"
        ),
        pytest.param(
            body(config={**CONFIG, "mediaType": "application/vnd.oci.empty.v1+json"}),
            "",
            "no container image",
            id="an artifact",
        ),
        pytest.param(
            body(config={**CONFIG, "digest": "../../token"}),
            "",
            "where a digest belongs",
            id="a path for a digest",
        ),
        pytest.param(
            body(manifests=[an_entry("sha256:abc")]), "", "where a digest belongs", id="a short digest"
        ),
    ],
)
def test_what_is_no_image_is_refused(document: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        decoded(document, content_type=content_type)


ONE, TWO, THREE = (sha256(name) for name in (b"one", b"two", b"three"))


@pytest.mark.parametrize(
    ("architecture", "entries", "digest"),
    [
        pytest.param(
            "amd64", [an_entry(ONE, platform="linux/arm64"), an_entry(TWO)], TWO, id="by the architecture"
        ),
        pytest.param(
            "amd64", [an_entry(ONE, platform="windows/amd64"), an_entry(TWO)], TWO, id="by the system"
        ),
        pytest.param("amd64", [an_entry(ONE), an_entry(TWO)], ONE, id="the first of two"),
        pytest.param("amd64", [an_entry(ONE, platform="Linux/x86_64")], ONE, id="in other words"),
        pytest.param(
            "amd64",
            [an_entry(ONE, platform="linux/amd64/v3"), an_entry(TWO)],
            TWO,
            id="not the newer processor's",
        ),
        pytest.param(
            "arm64",
            [an_entry(ONE, platform="linux/arm/v7"), an_entry(TWO, platform="linux/arm64/v8")],
            TWO,
            id="64 bits",
        ),
        pytest.param("arm64", [an_entry(ONE, platform="linux/aarch64")], ONE, id="arm64 without a variant"),
        pytest.param(
            "amd64", [an_entry(ONE, platform="unknown/unknown"), an_entry(TWO)], TWO, id="not an attestation"
        ),
        pytest.param(
            "amd64",
            [an_entry(ONE, mediaType="application/wasm"), an_entry(TWO)],
            TWO,
            id="not something else",
        ),
        pytest.param(
            "amd64", [an_entry(ONE, platform=None), an_entry(TWO)], TWO, id="rather one that says so"
        ),
        pytest.param(
            "amd64",
            [an_entry(ONE, platform="linux/arm64"), an_entry(THREE, platform=None)],
            THREE,
            id="one that is silent",
        ),
    ],
)
def test_an_index_is_chosen_from(architecture: str, entries: list[dict[str, Any]], digest: str) -> None:
    index = decoded(body(manifests=entries), content_type=manifests.OCI_INDEX)
    assert isinstance(index, Index)
    assert chosen(index, architecture=architecture).digest == digest


def test_an_index_without_the_platform_tells_what_it_has() -> None:
    entries = [an_entry(ONE, platform="linux/arm/v7"), an_entry(TWO, platform="windows/amd64")]
    index = decoded(body(manifests=entries), content_type=manifests.OCI_INDEX)
    assert isinstance(index, Index)
    with pytest.raises(NoPlatformError, match="not for linux/amd64, only for linux/arm/v7, windows/amd64"):
        chosen(index, architecture="amd64")


def test_an_empty_index_has_no_platform() -> None:
    with pytest.raises(NoPlatformError, match="only for no platform"):
        chosen(Index(()), architecture="amd64")
