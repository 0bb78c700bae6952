import pytest

from app import settings
from app.model.setting import ELSEWHERE, Program, named
from scripts.lib import chart_pages, chart_settings
from tests.model.sentences import Call, calls, mentions, values_named

VALUES = {each.path for each in chart_pages.documented()}


@pytest.mark.parametrize(
    ("program", "fields", "expected"),
    [
        pytest.param("extender", ("max_pods",), "--max-pods (extender.settings.maxPods)", id="settings"),
        pytest.param("bridge", ("nodes_file",), "--nodes-file (bridge.nodes)", id="elsewhere"),
        pytest.param("issuer", ("ca_secret",), "--ca-secret", id="none"),
        pytest.param(
            "bridge",
            ("kubelet_cert", "kubelet_key"),
            "--kubelet-cert and --kubelet-key (bridge.kubeletTls.existingSecret)",
            id="one value",
        ),
        pytest.param(
            "extender",
            ("max_pods", "max_vcpu"),
            "--max-pods and --max-vcpu (extender.settings.maxPods and extender.settings.maxVcpu)",
            id="two values",
        ),
    ],
)
def test_a_setting_is_named_by_its_flag_and_its_value(
    program: Program, fields: tuple[str, ...], expected: str
) -> None:
    assert named(program, *fields) == expected


@pytest.mark.parametrize("program", settings.PROGRAMS)
def test_a_setting_whose_value_lies_elsewhere_is_one_that_the_chart_sees_to(program: str) -> None:
    elsewhere = ELSEWHERE.keys() & settings.PROGRAMS[program].model_fields.keys()
    assert elsewhere == chart_settings.MANAGED[program].keys()


@pytest.mark.parametrize("path", sorted(set(ELSEWHERE.values()) - {""}))
def test_the_values_that_lie_elsewhere_are_values_of_the_chart(path: str) -> None:
    assert [each for each in VALUES if each == path or each.startswith(f"{path}.")]


@pytest.mark.parametrize(
    "call", [pytest.param(each, id="-".join([each.program, *each.fields])) for each in sorted(set(calls()))]
)
def test_what_sentences_name_are_settings_of_the_program(call: Call) -> None:
    assert set(call.fields) <= settings.PROGRAMS[call.program].model_fields.keys()


def test_sentences_name_settings() -> None:
    assert Call("extender", ("gate",)) in set(calls())


def test_no_sentence_names_a_flag_or_variable_of_a_program_without_its_value() -> None:
    assert list(mentions()) == []


def test_the_values_that_sentences_write_out_are_the_charts() -> None:
    assert set(values_named()) - VALUES == set()
