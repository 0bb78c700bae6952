"""The local stack's command lines: flags that exist, and nothing of the user's own AWS account."""

import dataclasses
from pathlib import Path

import pytest

from app import settings
from app.local.fargate.config import FargateConfig
from app.wiring.local.places import Places
from app.wiring.local.programs import commands, environment

PLACES = Places(
    directory=Path("work"),
    kubeconfig=Path("work/kubeconfig"),
    fargate=FargateConfig(),
    fargate_url="http://127.0.0.1:1",
    webhook_port=2,
    extender_port=3,
    kubelet_port=4,
    probe_port=5,
    zone="us-east-1a",
    api_port=6,
)


@pytest.mark.parametrize("program", ["webhook", "extender", "bridge"])
def test_every_flag_is_a_setting_of_its_program(program: str) -> None:
    known = {settings.flag(name) for name in settings.PROGRAMS[program].model_fields}
    arguments = commands(PLACES, log_level="info")[program][4:]
    assert {each.split("=")[0] for each in arguments} <= known


@pytest.mark.parametrize("program", ["webhook", "extender"])
def test_webhook_and_extender_are_told_of_the_same_actuator(program: str) -> None:
    places = dataclasses.replace(PLACES, actuator="toleration")
    assert "--actuator=toleration" in commands(places, log_level="info")[program]


def test_further_flags_come_last_and_a_switch_has_no_value() -> None:
    places = dataclasses.replace(PLACES, flags={"extender": {"max-wait": "5s", "handover": True}})
    assert commands(places, log_level="info")["extender"][-2:] == ["--max-wait=5s", "--handover"]


def test_the_users_own_aws_account_is_out_of_reach() -> None:
    own = {
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "PATH": "/bin",
        "HTTPS_PROXY": "http://p",
    }
    seen = environment(PLACES, inherited=own)
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY"} & set(seen)
    assert seen["PATH"] == "/bin"
