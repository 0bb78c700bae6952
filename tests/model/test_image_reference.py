"""The cases of github.com/distribution/reference, by which container runtimes read names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.image_reference import ImageNameError, ImageReference, parsed

HEX = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"
SHA256 = f"sha256:{'f' * 64}"
SONG = "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        pytest.param("redis", "docker.io/library/redis:latest", id="a name alone"),
        pytest.param("redis:7", "docker.io/library/redis:7", id="a tag"),
        pytest.param("docker.io/redis", "docker.io/library/redis:latest", id="an official image in full"),
        pytest.param("index.docker.io/redis", "docker.io/library/redis:latest", id="the hub's old name"),
        pytest.param("index.docker.io/ann/app", "docker.io/ann/app:latest", id="the old name, a user's"),
        pytest.param("library/redis", "docker.io/library/redis:latest", id="library"),
        pytest.param("ann/app", "docker.io/ann/app:latest", id="a user's"),
        pytest.param("docker/migrator", "docker.io/docker/migrator:latest", id="a user called docker"),
        pytest.param("library/foo/bar", "docker.io/library/foo/bar:latest", id="below library"),
        pytest.param("store/foo/bar", "docker.io/store/foo/bar:latest", id="three parts"),
        pytest.param("test_com/foo", "docker.io/test_com/foo:latest", id="no host has an underscore"),
        pytest.param("test.com:tag", "docker.io/library/test.com:tag", id="a dot without a slash"),
        pytest.param("test.com:5000", "docker.io/library/test.com:5000", id="a number is a tag"),
        pytest.param("192.168.0.1", "docker.io/library/192.168.0.1:latest", id="an address without a slash"),
        pytest.param("foo/foo_bar.com:8080", "docker.io/foo/foo_bar.com:8080", id="a user, a dot, a tag"),
        pytest.param("test.com/repo:tag", "test.com/repo:tag", id="a host"),
        pytest.param("test:5000/repo", "test:5000/repo:latest", id="a host with a port"),
        pytest.param("test-com:8080/foo", "test-com:8080/foo:latest", id="a host with a dash"),
        pytest.param("localhost/repo", "localhost/repo:latest", id="localhost"),
        pytest.param("Foo/bar", "Foo/bar:latest", id="no user is upper case"),
        pytest.param("FOO/bar", "FOO/bar:latest", id="a host in capitals"),
        pytest.param("127.0.0.1:8000/privatebase", "127.0.0.1:8000/privatebase:latest", id="an address"),
        pytest.param("192.168.1.1/repo", "192.168.1.1/repo:latest", id="an address without a port"),
        pytest.param("[2001:db8::1]/repo", "[2001:db8::1]/repo:latest", id="IPv6"),
        pytest.param("[2001:db8::]:5000/repo:tag", "[2001:db8::]:5000/repo:tag", id="IPv6 with a port"),
        pytest.param("xn--n3h.com/app:xn--n3h.com", "xn--n3h.com/app:xn--n3h.com", id="punycode"),
        pytest.param(
            "b.gcr.io/test.example.com/my-app:test.example.com",
            "b.gcr.io/test.example.com/my-app:test.example.com",
            id="hosts everywhere",
        ),
        pytest.param("lowercase:Uppercase", "docker.io/library/lowercase:Uppercase", id="a tag in capitals"),
        pytest.param(f"redis@{SHA256}", f"docker.io/library/redis@{SHA256}", id="a digest"),
        pytest.param(f"test:5000/repo:tag@{SHA256}", f"test:5000/repo:tag@{SHA256}", id="tag and digest"),
        pytest.param(f"a.b/c@sha512:{'e' * 128}", f"a.b/c@sha512:{'e' * 128}", id="another algorithm"),
        pytest.param(f"docker.io/{HEX}", f"docker.io/library/{HEX}:latest", id="64 digits in full"),
        pytest.param(HEX[1:], f"docker.io/library/{HEX[1:]}:latest", id="63 digits"),
        pytest.param(SONG, f"docker.io/library/{SONG}:latest", id="64 letters"),
        pytest.param(f"sha256:{HEX}", f"docker.io/library/sha256:{HEX}", id="a repository called sha256"),
        pytest.param("docker---rules/docker", "docker.io/docker---rules/docker:latest", id="many dashes"),
        pytest.param("dock__er/docker", "docker.io/dock__er/docker:latest", id="two underscores"),
        pytest.param("d/t", "docker.io/d/t:latest", id="one letter"),
        pytest.param(f"a:{'t' * 128}", f"docker.io/library/a:{'t' * 128}", id="the longest tag"),
        pytest.param(f"a.b/{'r' * 255}", f"a.b/{'r' * 255}:latest", id="the longest repository"),
    ],
)
def test_a_name_is_read_as_runtimes_read_it(text: str, canonical: str) -> None:
    assert parsed(text).text == canonical


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(":justtag", id="a tag alone"),
        pytest.param(f"@{SHA256}", id="a digest alone"),
        pytest.param("repo@sha256:ffffffffffffffffffffffffffffffffff", id="a short digest"),
        pytest.param(f"validname@invaliddigest:{'f' * 64}", id="no algorithm"),
        pytest.param(f"repo@sha256:{'F' * 64}", id="a digest in capitals"),
        pytest.param("Uppercase:tag", id="a repository in capitals"),
        pytest.param("test:5000/Uppercase/lowercase:tag", id="a part in capitals"),
        pytest.param("docker.io/docker/Docker", id="an image in capitals"),
        pytest.param("https://github.com/docker/docker", id="a URL"),
        pytest.param("-docker", id="a leading dash"),
        pytest.param("-docker.io/docker/docker", id="a host with a leading dash"),
        pytest.param("docker-/docker", id="a trailing dash"),
        pytest.param("docker///docker", id="many slashes"),
        pytest.param("docker/", id="a trailing slash"),
        pytest.param("/docker", id="a leading slash"),
        pytest.param("____/____", id="underscores only"),
        pytest.param("dock..er/docker", id="two dots"),
        pytest.param("dock-.er/docker", id="a dash and a dot"),
        pytest.param("aa/asdf$$^/aa", id="odd letters"),
        pytest.param("[fc00::1]", id="IPv6 without a repository"),
        pytest.param("[fc00::1]:5000", id="IPv6 and a port without a repository"),
        pytest.param("fc00::1:5000/debian", id="IPv6 without brackets"),
        pytest.param("[fe80::1%eth0]:5000/debian", id="an IPv6 zone"),
        pytest.param("[2001:db8:3:4::192.0.2.33]:5000/debian", id="a mapped address"),
        pytest.param(HEX, id="an image's id"),
        pytest.param(f"a.b/{'r' * 256}", id="a repository too long"),
        pytest.param(f"a:{'t' * 129}", id="a tag too long"),
        pytest.param("a" * 100_000, id="far too long"),
        pytest.param("redis:7\n", id="a line end"),
        pytest.param(" redis", id="a space"),
        pytest.param("rédis", id="not ASCII"),
        pytest.param("redis:७", id="a digit that is not ASCII"),
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ImageNameError):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        pytest.param("https://a.b/c", "leave out the scheme", id="a URL"),
        pytest.param("a.b/C", "repositories are lower case", id="capitals"),
        pytest.param(HEX, f"write REPOSITORY@sha256:{HEX}", id="an id"),
        pytest.param("a b", r"of the form \[REGISTRY/\]REPOSITORY", id="anything else"),
    ],
)
def test_a_refusal_names_the_mend(text: str, mend: str) -> None:
    with pytest.raises(ImageNameError, match=mend):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        pytest.param("redis", "latest", id="the default"),
        pytest.param("redis:7", "7", id="a tag"),
        pytest.param(f"redis@{SHA256}", SHA256, id="a digest"),
        pytest.param(f"redis:7@{SHA256}", SHA256, id="a digest outranks a tag"),
    ],
)
def test_a_reference_points_to_one_thing(text: str, pointer: str) -> None:
    assert parsed(text).pointer == pointer


LABEL = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,8}[A-Za-z0-9])?", fullmatch=True)
PORT = st.from_regex(r"(:[0-9]{1,5})?", fullmatch=True)
HOST = st.builds(lambda labels, port: ".".join(labels) + port, st.lists(LABEL, min_size=2, max_size=4), PORT)
PART = st.from_regex(r"[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,3}", fullmatch=True)
TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
DIGEST = st.from_regex(r"sha256:[a-f0-9]{64}", fullmatch=True)
POINTER = st.one_of(st.tuples(TAG, st.just("")), st.tuples(st.just(""), DIGEST), st.tuples(TAG, DIGEST))


@given(registry=HOST, parts=st.lists(PART, min_size=1, max_size=4), pointer=POINTER)
def test_a_reference_is_read_back_from_its_text(
    registry: str, parts: list[str], pointer: tuple[str, str]
) -> None:
    reference = ImageReference(
        registry=registry, repository="/".join(parts), tag=pointer[0], digest=pointer[1]
    )
    assert parsed(reference.text) == reference


@given(st.text(max_size=80))
def test_any_text_is_a_name_that_stays_or_none(text: str) -> None:
    try:
        reference = parsed(text)
    except ImageNameError:
        return
    assert parsed(reference.text) == reference
