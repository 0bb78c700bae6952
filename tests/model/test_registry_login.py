"""Pull secrets, by the cases of kubelet's own keyring (pkg/credentialprovider)."""

import base64
import json
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from app.model.image_reference import parsed
from app.model.registry_login import (
    IDENTITY_TOKEN,
    DockerConfigError,
    RegistryLogin,
    from_docker_cfg,
    from_docker_config_json,
    matching,
)


def auth_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def logins_of(**entries: Any) -> tuple[RegistryLogin, ...]:
    return from_docker_cfg(json.dumps(entries).encode())


def keys(image: str, *registries: str) -> list[str]:
    """The registries of the logins that match, in order."""
    found = matching(parsed(image), [RegistryLogin(each, "ann", "hush") for each in registries])
    return [each.registry for each in found]


@pytest.mark.parametrize(
    ("entry", "login"),
    [
        pytest.param({"username": "ann", "password": "hush"}, ("ann", "hush"), id="in plain"),
        pytest.param({"auth": auth_of("ann:hush")}, ("ann", "hush"), id="packed"),
        pytest.param({"auth": auth_of("ann:hush").rstrip("=")}, ("ann", "hush"), id="packed without padding"),
        pytest.param({"auth": auth_of("ann:hush") + "\n"}, ("ann", "hush"), id="packed, with a line end"),
        pytest.param({"auth": auth_of("ann:a:b")}, ("ann", "a:b"), id="a password with a colon"),
        pytest.param({"auth": auth_of("ann:")}, ("ann", ""), id="no password"),
        pytest.param(
            {"username": "bob", "password": "old", "auth": auth_of("ann:hush")},
            ("ann", "hush"),
            id="packed counts",
        ),
        pytest.param(
            {"auth": auth_of("00000000:"), "identitytoken": "long-lived"},
            (IDENTITY_TOKEN, "long-lived"),
            id="an identity token",
        ),
        pytest.param(
            {"auth": auth_of("ann:hush"), "identitytoken": "x"},
            ("ann", "hush"),
            id="a password before a token",
        ),
        pytest.param(
            {"auth": auth_of("ann:hush"), "email": "ann@example"}, ("ann", "hush"), id="with an email"
        ),
    ],
)
def test_an_entry_is_a_login(entry: dict[str, str], login: tuple[str, str]) -> None:
    assert logins_of(**{"registry.example": entry}) == (RegistryLogin("registry.example", *login),)


@pytest.mark.parametrize(
    ("location", "registry"),
    [
        pytest.param("registry.example", "registry.example", id="a host"),
        pytest.param("https://registry.example", "registry.example", id="HTTPS"),
        pytest.param("http://registry.example:5000", "registry.example:5000", id="HTTP and a port"),
        pytest.param("https://registry.example/", "registry.example", id="a slash"),
        pytest.param("https://index.docker.io/v1/", "index.docker.io", id="version 1"),
        pytest.param("registry.example/v2/", "registry.example", id="version 2"),
        pytest.param("registry.example/v2/team", "registry.example/team", id="a path below a version"),
        pytest.param("registry.example/team/app", "registry.example/team/app", id="a path"),
        pytest.param("registry.example/v2", "registry.example/v2", id="a path that looks like a version"),
        pytest.param("*.example:5000/team", "*.example:5000/team", id="a wildcard"),
    ],
)
def test_a_location_is_where_the_login_counts(location: str, registry: str) -> None:
    (login,) = logins_of(**{location: {"username": "ann", "password": "hush"}})
    assert login.registry == registry


@pytest.mark.parametrize(
    ("location", "entry"),
    [
        pytest.param("registry.example", {}, id="kept by a credential helper"),
        pytest.param("registry.example", None, id="null"),
        pytest.param("https://[::1", {"username": "ann", "password": "hush"}, id="no address"),
        pytest.param("", {"username": "ann", "password": "hush"}, id="no host"),
    ],
)
def test_an_entry_that_proves_nothing_is_left_out(location: str, entry: Any) -> None:
    assert logins_of(**{location: entry}) == ()


def test_the_newer_format_has_its_logins_under_auths() -> None:
    config = {"auths": {"a.example": {"auth": auth_of("ann:hush")}}, "HttpHeaders": {"X": "y"}}
    assert from_docker_config_json(json.dumps(config).encode()) == (
        RegistryLogin("a.example", "ann", "hush"),
    )


@pytest.mark.parametrize("text", [pytest.param("{}", id="empty"), pytest.param('{"auths":null}', id="null")])
def test_the_newer_format_may_be_empty(text: str) -> None:
    assert from_docker_config_json(text.encode()) == ()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"hush-hush", id="no JSON"),
        pytest.param(b'{"auths":["hush-hush"]}', id="a list"),
        pytest.param(b'{"auths":{"a.example":{"password":["hush-hush"]}}}', id="a password that is none"),
        pytest.param(b'{"auths":{"a.example":{"auth":"hush-hush"}}}', id="no base64"),
        pytest.param(
            b'{"auths":{"a.example":{"auth":"%s"}}}' % base64.b64encode(b"hush-hush"), id="base64 of no pair"
        ),
        pytest.param(b'{"auths":{"a.example":{"auth":"/////w=="}}}', id="base64 of no text"),
        pytest.param(b'{"auths":' + b'{"a":' * 100_000, id="a well"),
    ],
)
def test_what_is_no_docker_configuration_is_refused_without_its_content(data: bytes) -> None:
    with pytest.raises(DockerConfigError, match="kubectl create secret docker-registry") as refusal:
        from_docker_config_json(data)
    assert "hush" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_the_older_format_is_refused_in_the_same_words() -> None:
    with pytest.raises(DockerConfigError, match="kubectl create secret docker-registry"):
        from_docker_cfg(b'{"a.example": 1}')


@pytest.mark.parametrize(
    ("image", "key"),
    [
        pytest.param("prefix.kubernetes.io/app", "*.kubernetes.io", id="the first label"),
        pytest.param("prefix.kubernetes.io/app", "prefix.*.io", id="a label between"),
        pytest.param("prefix.kubernetes.io/app", "prefix.kubernetes.*", id="the last label"),
        pytest.param("prefix-good.kubernetes.io/app", "*-good.kubernetes.io", id="a part of a label"),
        pytest.param("prefix.kubernetes.io/blah", "*.kubernetes.io/blah", id="and the path"),
        pytest.param("prefix.kubernetes.io/foo/bar", "prefix.*.io/foo", id="and the path's beginning"),
        pytest.param("prefix.kubernetes.io:1111/foo/bar", "prefix.*.io:1111/foo", id="and the port"),
        pytest.param("a.b.c.kubernetes.io/app", "*.*.*.kubernetes.io", id="three labels"),
        pytest.param("a1.kubernetes.io/app", "a[0-9].kubernetes.io", id="a range"),
        pytest.param("ab.kubernetes.io/app", "a[^0-9].kubernetes.io", id="all but a range"),
        pytest.param("bar.example.com/pongz", "bar.example.com/pong", id="a path's beginning is any text's"),
        pytest.param("[fc00::1]:5000/app", "[fc00::1]:5000", id="IPv6"),
        pytest.param("docker.io/library/busybox", "docker.io", id="Docker Hub by name"),
        pytest.param("busybox", "docker.io/library", id="Docker Hub's official images"),
    ],
)
def test_a_login_is_for_the_image(image: str, key: str) -> None:
    assert keys(image, key) == [key]


@pytest.mark.parametrize(
    ("image", "key"),
    [
        pytest.param("kubernetes.io/app", "*.kubernetes.io", id="a label is missing"),
        pytest.param("prefix.kubernetes.io/app", "*.*.kubernetes.io", id="a label is missing before"),
        pytest.param("a.kubernetes.io/app", "*kubernetes.io", id="a wildcard crosses no dot"),
        pytest.param("kubernetes.com/app", "kubernetes.io", id="another host"),
        pytest.param("quay.io/app", "k*.io", id="another label"),
        pytest.param("prefix.kubernetes.io:1111/blah", "*.kubernetes.io:1234/blah", id="another port"),
        pytest.param("prefix.kubernetes.io:1111/foo", "prefix.*.io/foo", id="no port"),
        pytest.param("bar.example.com/ping", "bar.example.com/pong", id="another path"),
        pytest.param("registry.example/app", "index.docker.io", id="not Docker Hub's"),
        pytest.param("registry.example/app", "", id="nowhere"),
    ],
)
def test_a_login_is_not_for_the_image(image: str, key: str) -> None:
    assert keys(image, key) == []


def test_longer_paths_are_tried_first() -> None:
    found = keys("bar.example.com/pong/pang", "bar.example.com", "bar.example.com/pong", "*.example.com")
    assert found == ["bar.example.com/pong", "bar.example.com", "*.example.com"]


def test_docker_hubs_own_entry_counts_where_nothing_else_does() -> None:
    assert keys("busybox", "index.docker.io", "quay.io") == ["index.docker.io"]
    assert keys("busybox", "index.docker.io", "docker.io") == ["docker.io"]


def test_logins_of_one_registry_keep_their_order() -> None:
    logins = [RegistryLogin("a.example", name, "hush") for name in ("new", "old")]
    assert matching(parsed("a.example/app"), logins) == tuple(logins)


def test_a_password_is_never_shown() -> None:
    login = RegistryLogin("a.example", "ann", "hush-hush")
    shown = StringIO()
    Console(file=shown).print(login)
    assert "hush" not in f"{login} {login!r} {[login]} {shown.getvalue()}"
    assert "ann" in shown.getvalue()


@given(st.binary(max_size=200))
def test_no_secret_is_too_odd_to_read(data: bytes) -> None:
    try:
        logins = from_docker_config_json(data)
    except DockerConfigError:
        return
    assert all(login.username or login.password for login in logins)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_key_is_too_odd_to_match(location: str, label: str) -> None:
    logins = logins_of(**{location: {"username": "ann"}, label: {"username": "bob"}})
    assert set(matching(parsed("a.example/app"), logins)) <= set(logins)
