import json
from typing import Any

import pytest

from app.model.image import ImageConfig
from app.registry.image_config import LONGEST, decoded
from app.registry.manifests import ManifestError, NoPlatformError
from tests.registry.fakes import a_config, sha256

DIGEST = sha256(b"manifest")


def config_of(content: Any, *, architecture: str = "amd64") -> ImageConfig:
    return decoded(json.dumps(content).encode(), digest=DIGEST, architecture=architecture)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({}, id="nothing at all"),
        pytest.param({"architecture": "amd64", "os": "linux", "config": None}, id="null"),
        pytest.param({"config": {"Cmd": None, "Entrypoint": None, "Env": None, "User": None}}, id="nulls"),
    ],
)
def test_what_an_image_leaves_out_is_empty(content: dict[str, Any]) -> None:
    assert config_of(content) == ImageConfig(
        digest=DIGEST,
        entry_point=(),
        command=(),
        user="",
        working_directory="",
        environment={},
        stop_signal="",
        architecture="amd64",
        os="linux",
    )


@pytest.mark.parametrize(
    ("lines", "variables"),
    [
        pytest.param(["A=1", "B=x=y"], {"A": "1", "B": "x=y"}, id="the first = counts"),
        pytest.param(["A=1", "A=2"], {"A": "2"}, id="the last of one name counts"),
        pytest.param(["A", "B="], {"B": ""}, id="without = none is set"),
    ],
)
def test_variables_are_read_as_a_shell_sets_them(lines: list[str], variables: dict[str, str]) -> None:
    assert config_of(a_config(Env=lines)).environment == variables


def test_the_stop_signal_is_what_the_image_says() -> None:
    assert config_of(a_config(StopSignal="SIGQUIT")).stop_signal == "SIGQUIT"


def test_the_architecture_may_have_its_other_name() -> None:
    found = config_of({**a_config(), "architecture": "aarch64"}, architecture="arm64")
    assert found.architecture == "arm64"


@pytest.mark.parametrize(
    "platform",
    [
        pytest.param({"architecture": "arm64"}, id="another architecture"),
        pytest.param({"os": "windows"}, id="another system"),
    ],
)
def test_an_image_for_elsewhere_is_no_image_for_here(platform: dict[str, str]) -> None:
    with pytest.raises(NoPlatformError, match="not for linux/amd64"):
        config_of({**a_config(), **platform})


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([], id="a list"),
        pytest.param(a_config(Cmd="serve"), id="a command that is no list"),
        pytest.param(a_config(Env={"A": "1"}), id="variables that are no list"),
    ],
)
def test_a_blob_that_is_no_configuration_is_refused(content: Any) -> None:
    with pytest.raises(ManifestError, match="configuration does not decode"):
        config_of(content)


def test_an_environment_that_is_absurdly_long_is_refused() -> None:
    with pytest.raises(ManifestError, match="exceed"):
        config_of(a_config(Env=["A=" + "x" * LONGEST]))
