"""A variable that looks like a setting and is none is told of, with the nearest one."""

import pytest

from app.settings import known_variables, unknown_variables


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        pytest.param("SPILLWAY_MAX_POD", "do you mean SPILLWAY_MAX_PODS?", id="a letter short"),
        pytest.param("SPILLWAY_MAXWAIT", "do you mean SPILLWAY_MAX_WAIT?", id="without a line"),
        pytest.param("spillway_max_vcpus", "do you mean SPILLWAY_MAX_VCPU?", id="in lower case"),
        pytest.param("SPILLWAY_COLOUR", "docs/settings.md has all that are", id="unlike any other"),
    ],
)
def test_an_unknown_variable_is_told_with_its_mend(name: str, mend: str) -> None:
    (line,) = unknown_variables({name: "1"})
    assert line == f"{name} is no setting of any program, and is not read; {mend}"


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param(dict.fromkeys(known_variables(), "1"), id="settings of any program"),
        pytest.param({"spillway_max_pods": "1"}, id="a setting in lower case, which is read"),
        pytest.param({"SPILLWAY_MAX_POD": ""}, id="an empty one"),
        pytest.param({"SPILLWAY_PORT_443_TCP_ADDR": "10.0.0.1"}, id="a service link"),
        pytest.param({"SPILLWAY_WEBHOOK_PORT": "tcp://10.0.0.1:443"}, id="another's link"),
        pytest.param({"SPILLWAY_POD": "{}"}, id="what tasks have"),
        pytest.param({"MAX_POD": "1"}, id="not ours"),
    ],
)
def test_what_is_read_or_not_ours_is_not_told(environ: dict[str, str]) -> None:
    assert unknown_variables(environ) == ()
