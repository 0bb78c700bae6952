import hashlib

import pytest

from app.registry.digests import digest_of, is_digest, verifies

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_content_is_named_by_its_sha256() -> None:
    assert digest_of(b"") == EMPTY


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_content_is_verified_by_any_algorithm_of_the_specification(algorithm: str) -> None:
    digest = f"{algorithm}:{hashlib.new(algorithm, b'x').hexdigest()}"
    assert verifies(b"x", digest)
    assert not verifies(b"y", digest)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(EMPTY.upper(), id="upper case"),
        pytest.param(EMPTY[:-1], id="too short"),
        pytest.param(f"{EMPTY}0", id="too long"),
        pytest.param(f"{EMPTY[:-1]}\n", id="a line end"),
        pytest.param("md5:d41d8cd98f00b204e9800998ecf8427e", id="an algorithm that is broken"),
        pytest.param(EMPTY.partition(":")[2], id="no algorithm"),
    ],
)
def test_what_is_no_digest_verifies_nothing(text: str) -> None:
    assert not is_digest(text)
    assert not verifies(b"", text)
