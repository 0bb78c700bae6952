from typing import Any

import pytest

from app.bridge.translation.material import Needs, TokenWish
from app.bridge.translation.needs import needs_of
from tests.bridge.translation.builders import IMAGE, settings
from tests.builders import a_container, a_pod


def needs(
    *, operator: dict[str, Any] | None = None, container: dict[str, Any] | None = None, **spec: Any
) -> Needs:
    spec.setdefault("containers", [a_container(**(container or {}))])
    return needs_of(a_pod(**spec), settings=settings(**(operator or {})))


def variable(kind: str, name: str, *, optional: bool = False) -> dict[str, Any]:
    return {"name": "A", "valueFrom": {kind: {"name": name, "key": "k", "optional": optional}}}


def test_a_plain_pod_needs_the_services_of_its_namespace_only() -> None:
    assert needs() == Needs(services=True)


def test_a_pod_without_service_links_does_not_even_need_those() -> None:
    assert needs(enableServiceLinks=False) == Needs()


def test_every_place_that_names_a_config_map_or_secret_is_looked_at() -> None:
    container = a_container(
        env=[variable("configMapKeyRef", "m1"), variable("secretKeyRef", "s1", optional=True)],
        envFrom=[{"configMapRef": {"name": "m2", "optional": True}}, {"secretRef": {"name": "s2"}}],
    )
    init = a_container("init", env=[variable("configMapKeyRef", "m3")])
    volumes = [
        {"name": "a", "configMap": {"name": "m4"}},
        {"name": "b", "secret": {"secretName": "s3", "optional": True}},
        {"name": "c", "projected": {"sources": [{"configMap": {"name": "m5"}}, {"secret": {"name": "s4"}}]}},
    ]
    found = needs(containers=[container], initContainers=[init], volumes=volumes)
    assert found.config_maps == {"m1": False, "m2": True, "m3": False, "m4": False, "m5": False}
    assert found.secrets == {"s1": True, "s2": False, "s3": True, "s4": False}


def test_one_place_that_cannot_do_without_makes_an_object_mandatory() -> None:
    env = [variable("secretKeyRef", "s", optional=True), variable("secretKeyRef", "s")]
    assert needs(container={"env": env}).secrets == {"s": False}


def test_the_keys_that_are_used_are_named_unless_an_object_is_used_whole() -> None:
    items = [{"key": "x", "path": "x"}, {"key": "y", "path": "y"}]
    volumes = [
        {"name": "a", "configMap": {"name": "m", "items": items}},
        {"name": "b", "secret": {"secretName": "s"}},
    ]
    env = [variable("configMapKeyRef", "m"), variable("secretKeyRef", "s"), variable("secretKeyRef", "t")]
    found = needs(container={"env": env}, volumes=volumes)
    assert found.config_map_keys == {"m": {"k", "x", "y"}}
    assert found.secret_keys == {"t": {"k"}}


def test_claims_and_tokens_are_named() -> None:
    token = {"serviceAccountToken": {"path": "t", "audience": "vault", "expirationSeconds": 600}}
    volumes = [
        {"name": "a", "persistentVolumeClaim": {"claimName": "c"}},
        {"name": "b", "projected": {"sources": [token]}},
    ]
    found = needs(volumes=volumes)
    assert found.claims == {"c"}
    assert found.tokens == {TokenWish("vault", 600)}


INJECTED = {
    "name": "kube-api-access-abcde",
    "projected": {
        "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
            {"configMap": {"name": "kube-root-ca.crt"}},
        ]
    },
}


@pytest.mark.parametrize(
    ("helper_image", "tokens", "maps"),
    [
        pytest.param("helper:1", {TokenWish("", 3607)}, {"kube-root-ca.crt": False}, id="with-a-helper"),
        pytest.param("", set(), {}, id="without-a-helper"),
    ],
)
def test_the_token_that_admission_added_is_needed_where_it_can_be_brought(
    helper_image: str, tokens: set[TokenWish], maps: dict[str, bool]
) -> None:
    found = needs(volumes=[INJECTED], operator={"helper_image": helper_image})
    assert found.tokens == tokens
    assert found.config_maps == maps


@pytest.mark.parametrize("name", ["aws-iam-token", "eks-pod-identity-token"])
def test_a_token_that_brings_a_role_is_not_needed(name: str) -> None:
    volume = {
        "name": name,
        "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "a"}}]},
    }
    assert needs(volumes=[volume]).tokens == frozenset()


@pytest.mark.parametrize(
    ("container", "images"),
    [
        pytest.param({}, set(), id="plain"),
        pytest.param({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}, {IMAGE}, id="wrapped"),
        pytest.param(
            {"command": ["run"], "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}},
            set(),
            id="command-is-named",
        ),
        pytest.param(
            {"env": [variable("configMapKeyRef", "m")], "args": ["$(A)"]},
            {IMAGE},
            id="config-map-that-may-be-large",
        ),
        pytest.param(
            {"env": [variable("configMapKeyRef", "m")], "args": ["$(A)"], "command": ["run"]},
            set(),
            id="config-map-with-a-command",
        ),
    ],
)
def test_an_image_is_asked_where_the_helper_may_go_before_its_entry_point(
    container: dict[str, Any], images: set[str]
) -> None:
    assert needs(container=container).images == images
