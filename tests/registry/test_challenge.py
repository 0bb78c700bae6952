import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry.challenge import Basic, Bearer, challenge_in

HUB = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"'


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        pytest.param(
            [HUB],
            Bearer("https://auth.docker.io/token", "registry.docker.io", "repository:a/b:pull"),
            id="a token",
        ),
        pytest.param(['bearer REALM="https://a/t"'], Bearer("https://a/t"), id="in any case"),
        pytest.param(
            ["Bearer realm=https://a/t , service = s"], Bearer("https://a/t", "s"), id="without quotes"
        ),
        pytest.param(
            ['Bearer realm="https://a/t",scope="repository:x:pull,push"'],
            Bearer("https://a/t", "", "repository:x:pull,push"),
            id="a comma in quotes",
        ),
        pytest.param([r'Bearer realm="https://a/\"t"'], Bearer('https://a/"t'), id="an escaped quote"),
        pytest.param(['Basic realm="x, Bearer realm=y"'], Basic(), id="a scheme in quotes is none"),
        pytest.param(['Basic realm="https://1.dkr.ecr.us-east-1.amazonaws.com/"'], Basic(), id="a password"),
        pytest.param(
            ['Basic realm="a", Bearer realm="https://a/t"'], Bearer("https://a/t"), id="two in one header"
        ),
        pytest.param(
            ['Basic realm="a"', 'Bearer realm="https://a/t"'], Bearer("https://a/t"), id="two headers"
        ),
        pytest.param(['Bearer service="s"', "Basic"], Basic(), id="a token from nowhere does not count"),
        pytest.param(["Negotiate"], None, id="a scheme that we lack"),
        pytest.param(["realm=x"], None, id="no scheme"),
        pytest.param([], None, id="none"),
    ],
)
def test_a_challenge_is_read(headers: list[str], challenge: Bearer | Basic | None) -> None:
    assert challenge_in(headers) == challenge


@given(st.lists(st.text()))
def test_no_header_is_too_odd_to_read(headers: list[str]) -> None:
    assert isinstance(challenge_in(headers), Bearer | Basic | None)


@given(st.from_regex(r"[ -~]*", fullmatch=True))
def test_what_is_quoted_is_read_back(realm: str) -> None:
    quoted = realm.replace("\\", r"\\").replace('"', r"\"")
    assert challenge_in([f'Bearer realm="https://{quoted}"']) == Bearer(f"https://{realm}")
