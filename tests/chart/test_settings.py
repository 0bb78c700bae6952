"""Every setting of the programs is a value, and reaches the program as it was written."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import settings
from app.model.setting import camel, flag
from app.settings.bridge import BridgeSettings
from app.settings.nodes import nodes_of
from scripts.lib import chart_pages, chart_settings
from tests.chart.rendering import CHART, ROOT, Json, environment, one, rendered

WORKLOADS = {
    "webhook": "Deployment/spillway-webhook",
    "extender": "Deployment/spillway-extender",
    "bridge": "StatefulSet/spillway-bridge",
    "issuer": "Deployment/spillway-issuer",
}
PROGRAMS = pytest.mark.parametrize("program", sorted(WORKLOADS))


def test_each_program_that_has_settings_is_in_the_chart() -> None:
    assert settings.PROGRAMS.keys() == WORKLOADS.keys() == chart_settings.MANAGED.keys()


@PROGRAMS
def test_every_setting_is_a_value_or_the_charts_own_concern(program: str) -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())[program]["settings"]
    managed = {camel(name) for name in chart_settings.MANAGED[program]}
    fields = {camel(name) for name in settings.PROGRAMS[program].model_fields}
    assert values.keys() | managed == fields
    assert not values.keys() & managed


def test_the_generated_parts_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.lib.pages", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "charts/" not in done.stderr


def test_every_value_has_a_comment() -> None:
    documented = {each.path for each in chart_pages.documented()}
    leaves = set(paths(yaml.safe_load((CHART / "values.yaml").read_text())))
    assert [path for path in sorted(leaves) if not covered(path, documented)] == []


def paths(tree: Json, above: str = "") -> Any:
    for name, value in tree.items():
        path = f"{above}{name}"
        yield from paths(value, f"{path}.") if isinstance(value, dict) and value else (path,)


def covered(path: str, documented: set[str]) -> bool:
    """Whether the value, or one that holds it, has a comment."""
    parts = path.split(".")
    return any(".".join(parts[:length]) in documented for length in range(1, len(parts) + 1))


@PROGRAMS
def test_comments_name_values_and_no_flags(program: str) -> None:
    flags = {flag(name)[2:] for name in settings.PROGRAMS[program].model_fields if "_" in name}
    words = {word.strip(".,;:()") for each in chart_settings.values(program) for word in each.comment.split()}
    assert words & flags == set()


OTHER: dict[str, Any] = {
    "integer": 7,
    "number": 0.5,
    "boolean": True,
    "array": ["sg-0123", "sg-0456"],
}
SPECIAL: dict[str, Any] = {
    "subnets": ["subnet-0123", "subnet-0456"],
    "executionRole": "arn:aws:iam::123456789012:role/other",
    "taskRole": "arn:aws:iam::123456789012:role/other",
    "ebsRole": "arn:aws:iam::123456789012:role/other",
    "eventsQueue": "https://sqs.us-east-1.amazonaws.com/123456789012/other",
    "priorityClasses": ["batch=wait"],
    "highWatermark": 0.8,
    "kubeletPort": 10251,
    "capacityCpu": "77",
    "capacityMemory": "77Gi",
    "capacityPods": "77",
    "nodeShape": "cpu=3900m,memory=14Gi",
    "leafValidity": "77d",
    "renewBefore": "7d",
    "caValidity": "777d",
    "earlyBurst": True,
    "returnHome": True,
    "extraNames": ["other.example", "10.0.0.1"],
}


def another(value: chart_settings.Value) -> Any:
    """A value of the setting that is not its default."""
    kind = value.schema["type"]
    name = kind[0] if isinstance(kind, list) else kind
    if value.name in SPECIAL:
        return SPECIAL[value.name]
    if "enum" in value.schema:
        return next(each for each in value.schema["enum"] if each != value.default)
    if "pattern" in value.schema and value.schema["pattern"].endswith("s?)?$"):
        return "77m"
    return OTHER.get(name, "other")


def expected(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


@PROGRAMS
def test_every_value_reaches_its_program(program: str) -> None:
    wanted = [(each, another(each)) for each in chart_settings.values(program)]
    values = {
        program: {"settings": {each.name: value for each, value in wanted}},
        "actuator": "scheduler",
    }
    found = environment(one(rendered(values), WORKLOADS[program]))
    assert {each.variable: found.get(each.variable) for each, _ in wanted} == {
        each.variable: expected(value) for each, value in wanted
    }


@PROGRAMS
def test_a_program_gets_no_variable_that_it_has_no_setting_for(
    default: tuple[Json, ...], program: str
) -> None:
    known = {settings.variable(name) for name in settings.PROGRAMS[program].model_fields}
    assert environment(one(default, WORKLOADS[program])).keys() <= known


@pytest.mark.parametrize("program", ["webhook", "extender", "bridge", "issuer"])
def test_the_programs_accept_what_the_chart_says_by_default(
    default: tuple[Json, ...], program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for name, value in environment(one(default, WORKLOADS[program])).items():
        monkeypatch.setenv(name, str(tmp_path / "file") if value.startswith("/tls/") else value)
    assert settings.load(settings.PROGRAMS[program], {}).log_level == "info"


def test_large_numbers_and_shares_are_written_plainly() -> None:
    values = {"extender": {"settings": {"maxPods": 12_000_000, "maxHourlyCost": 12.5, "lowWatermark": 0}}}
    found = environment(one(rendered(values), WORKLOADS["extender"]))
    assert (
        found["SPILLWAY_MAX_PODS"],
        found["SPILLWAY_MAX_HOURLY_COST"],
        found["SPILLWAY_LOW_WATERMARK"],
    ) == ("12000000", "12.5", "0")


def test_the_bridge_understands_the_file_of_nodes(tmp_path: Path) -> None:
    made = rendered(base="several-nodes")
    file = tmp_path / "nodes.yaml"
    file.write_text(one(made, "ConfigMap/spillway-nodes")["data"]["nodes.yaml"])
    common = settings.load(
        BridgeSettings,
        {
            "subnets": "subnet-0abc",
            "kubelet_cert_signer": "kubernetes.io/kubelet-serving",
            "nodes_file": str(file),
        },
    )
    assert [
        (each.node_name, each.kubelet_port, each.architecture, each.capacity) for each in nodes_of(common)
    ] == [
        ("fargate-a", 10250, "amd64", "on-demand"),
        ("fargate-b", 10350, "arm64", "spot-first"),
    ]


def test_the_images_helper_is_in_the_programs_image_unless_another_is_named(
    default: tuple[Json, ...],
) -> None:
    assert environment(one(default, WORKLOADS["bridge"]))["SPILLWAY_HELPER_IMAGE"] == "spillway:0.1.0"


def test_a_helper_image_that_is_named_is_taken() -> None:
    made = rendered({"bridge": {"settings": {"helperImage": "registry.example/helper:1"}}})
    assert environment(one(made, WORKLOADS["bridge"]))["SPILLWAY_HELPER_IMAGE"] == "registry.example/helper:1"
