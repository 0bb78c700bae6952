"""Plans that are not right end the helper before it does anything."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helper.fakes import Stage, b64

A = b64("a")
ROOT = b64("/a")

MALFORMED_FILES = [
    "unknown",
    "file",
    f"file config {A} 0644 - -",
    f"file config {A} 0644 - - text:{A} more",
    f"file config  {A} 0644 - - text:{A}",
    f" file config {A} 0644 - - text:{A}",
    f"file config {A} 0644 - - text:{A} ",
    f"FILE config {A} 0644 - - text:{A}",
    f"file - {A} 0644 - - text:{A}",
    f"file .. {A} 0644 - - text:{A}",
    f"file a/b {A} 0644 - - text:{A}",
    f"file config a 0644 - - text:{A}",
    f"file config {A} 0849 - - text:{A}",
    f"file config {A} rw - - text:{A}",
    f"file config {A} 10000 - - text:{A}",
    f"file config {A} 000644 - - text:{A}",
    f"file config {A} - - - text:{A}",
    f"file config {A} 0644 -1 - text:{A}",
    f"file config {A} 0644 +1 - text:{A}",
    f"file config {A} 0644 01 - text:{A}",
    f"file config {A} 0644 1.5 - text:{A}",
    f"file config {A} 0644 4294967295 - text:{A}",
    f"file config {A} 0644 99999999999999999999 - text:{A}",
    f"file config {A} 0644 - - {A}",
    f"file config {A} 0644 - - http:{A}",
    f"file config {A} 0644 - - text:YQ",
    f"file config {A} 0644 - - text:YR==",
    f"file config {A} 0644 - - text:Y===",
    f"file config {A} 0644 - - text:YQ==YQ==",
    f"file config {A} 0644 - - text:Y-_=",
    f"file config {A} 0644 - - env:",
    "mode config",
    "mode config 888",
    "mode a/b 0777",
    "group config",
    "group config -",
    "group config staff",
    "group config 1 2",
    "\ngroup config 1",
    "group config 1\n\n",
    "group config 1\r",
]

MALFORMED_RUNS = [
    "unknown",
    "nonroot yes",
    "nonroot\nnonroot",
    "words words",
    "words\nwords",
    "known",
    "known A=B",
    "fact A",
    "fact A hostIP",
    "fact A=B podIP",
    "env A",
    f"env A {A} {A}",
    f"env A=B {A}",
    "env A YQ",
    f"env A {b64('a' + chr(0) + 'b')}",
    f"place {ROOT} {ROOT}",
    f"place {A} {ROOT} -",
    f"place {ROOT} {A} -",
    f"place {ROOT} {b64('/a/../b')} -",
    f"place {ROOT} {b64('/')} -",
    f"place {ROOT} {ROOT} 9",
    "host 10.0.0.1",
    "host 10.0.0 a",
    "host example.org a",
    "host 10.0.0.1 a#b",
    "resolve 10.0.0.2 a",
    "resolve dns a -",
    "resolve 10.0.0.2,,10.0.0.3 a -",
    "resolve 10.0.0.2 a$b -",
    "resolve 10.0.0.2 a ndots=5",
    "resolve - - -\nresolve - - -",
    "user 1000 1000",
    "user 4294967295 - -",
    "user 1000 01 -",
    "user 1000 - 1,,2",
    "user 1000 - 1,+",
    "user a:b - -",
    "user 1000 - -\nuser 1000 - -",
    "drop",
    "drop CAP_CHOWN",
    "drop chown",
    "drop NOTHING",
    "drop CHOWN,",
    "drop CHOWN\ndrop KILL",
    "nonewprivileges 1",
    f"workdir {A}",
    "workdir -",
    f"workdir {ROOT}\nworkdir {ROOT}",
    "start",
    "start exec",
    "start http",
    "start sleep x",
    f"start exec {A} a",
    "stop sleep -1",
    "stop sleep 1 2",
    "stop sleep 1\nstop sleep 2",
    "grace",
    "grace 1.5",
    "grace 99999999999",
    "signal 0",
    "signal 9",
    "signal 17",
    "signal 19",
    "signal 65",
    "signal TERM",
    f"message {ROOT} File",
    f"message {ROOT} Logs 10",
    f"message {A} File 10",
    f"message {ROOT} File 65537",
    "restart",
    "restart always",
    "restart Always now",
]


@pytest.mark.parametrize("plan", MALFORMED_FILES)
def test_install_refuses_the_line(plan: str, stage: Stage) -> None:
    result = stage.install(plan)
    assert result.returncode == 78
    assert result.stderr.startswith("spillway-helper: SPILLWAY_PLAN, line ")
    assert result.stderr.count("\n") == 1
    assert not (stage.root / "bin").exists()


@pytest.mark.parametrize("plan", MALFORMED_RUNS)
def test_run_refuses_the_line(plan: str, stage: Stage) -> None:
    result = stage.run(plan, command=["echo", "ran"])
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.startswith("spillway-helper: SPILLWAY_RUN, line ")
    assert result.stderr.count("\n") == 1


def test_names_the_line_and_the_variable_that_it_stands_in(stage: Stage) -> None:
    result = stage.run("words", SPILLWAY_RUN_OWN="grace 1\nsignal x")
    assert (
        result.stderr
        == "spillway-helper: SPILLWAY_RUN_OWN, line 2 (signal): NUMBER is not a number from 0 to 64\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="nothing"),
        pytest.param(["dance"], id="an unknown command"),
        pytest.param(["install", "more"], id="install with a word"),
        pytest.param(["run"], id="run of nothing"),
        pytest.param(["run", "main"], id="run without a command"),
        pytest.param(["run", "main", "--"], id="run of no words"),
        pytest.param(["run", "main", "true"], id="run without dashes"),
        pytest.param(["run", "../main", "--", "true"], id="a name that is a path"),
        pytest.param(["run", "", "--", "true"], id="no name"),
        pytest.param(["run", "a" * 64, "--", "true"], id="a name too long"),
        pytest.param(["keep", "a/b"], id="keep of a path"),
    ],
)
def test_refuses_a_call_that_is_not_right(words: list[str], stage: Stage) -> None:
    result = stage.call(*words)
    assert result.returncode == 78
    assert result.stderr.startswith("spillway-helper: usage: ")


def test_refuses_a_second_that_is_none(stage: Stage) -> None:
    assert stage.run(SPILLWAY_RUN_SECOND="0").returncode == 78


NAMES = [
    "file",
    "group",
    "nonroot",
    "known",
    "fact",
    "env",
    "words",
    "host",
    "resolve",
    "grace",
    "start",
    "stop",
]
FIELDS = st.one_of(
    st.sampled_from(
        ["-", "a", A, ROOT, "0644", "1", "text:YQ==", "sealed:YQ==", "podIP", "exec", "sleep", "ALL"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0\n "), max_size=8),
)
LINES = st.builds(
    lambda name, fields: " ".join([name, *fields]), st.sampled_from(NAMES), st.lists(FIELDS, max_size=7)
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(plan=st.lists(LINES, min_size=1, max_size=4), command=st.sampled_from(["install", "run"]))
def test_any_plan_is_carried_out_or_refused_in_one_line(plan: list[str], command: str, stage: Stage) -> None:
    text = "\n".join(plan)
    words = {"install": ["install"], "run": ["run", "main", "--", "true"]}[command]
    result = stage.call(
        *words, more={"SPILLWAY_PLAN": text, "SPILLWAY_RUN": text, "SPILLWAY_RUN_SECOND": "1"}
    )
    assert result.returncode in {0, 74, 78, 126, 143}
    assert result.stderr.count("\n") == (result.returncode in {74, 78, 126})
