"""`spillway aws` as a person runs it: one whole life, and what a signal ends, in processes of their own."""

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import msgspec
import pytest
import yaml
from moto.core.model_instances import model_data
from typer.testing import CliRunner

from app.aws.account.account import Account
from app.aws.account.calls import Calls
from app.aws.account.options import Options
from app.aws.account.plan import Keep
from app.cli.aws import app
from tests.aws.account.fakes import HastyClock
from tests.aws.account.moto_server import Front, environment, query_error
from tests.aws.account.test_init import applied
from tests.chart.rendering import CHART, helm, helm_path

NETWORK = ("--pod-cidr", "10.20.0.0/16", "--eks-cluster", "prod")


class Ended(msgspec.Struct, frozen=True):
    """How a command ended, and what it asked AWS for."""

    code: int
    output: str
    errors: str
    changes: tuple[str, ...]
    state: str

    @property
    def told(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.output)


class Killed(BaseException):
    """The process is no more."""


class MortalCalls(Calls):
    """Calls of a process that is killed before it has asked for one change too many."""

    def __init__(self, calls: Calls, front: Front, writes: int) -> None:
        super().__init__(calls._connection, clock=HastyClock())
        self._front = front
        self._writes = writes

    async def _pace(self, service: str, operation: str) -> None:
        if len(self._front.changes) == self._writes and not operation.startswith(
            ("get_", "list_", "describe_")
        ):
            raise Killed
        await super()._pace(service, operation)


def unheard(step: object) -> None:
    """A step that nobody hears of."""


MODELS: Any = model_data


def looked(front: Front) -> str:
    """The state after a look at everything: moto makes what AWS gives by itself only then."""
    front.client("ecs").list_clusters()
    front.client("events").list_rules()
    front.client("iam").list_roles()
    front.client("logs").describe_log_groups()
    front.client("secretsmanager").list_secrets()
    front.client("sqs").list_queues()
    return state()


def state() -> str:
    """All that moto keeps of what an installation is made of, but AWS's own policies and answers of no."""
    kept = [
        (service, name, repr(vars(each)))
        for service in ("ec2", "ecs", "events", "iam", "logs", "secretsmanager", "sqs")
        for name, model in sorted(MODELS[service].items())
        if "Policy" not in name and name != "ClusterFailure"
        for each in model.instances_tracked
    ]
    return hashlib.sha256(repr(kept).encode()).hexdigest()


def begun(front: Front, *words: str) -> Popen[str]:
    """A command, running in a process of its own."""
    front.asked.clear()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return Popen(
        [sys.executable, "-m", "app", "aws", *words],
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        text=True,
        env={**inherited, **environment(front)},
    )


def heard(process: Popen[str], word: str) -> None:
    """Wait until it says so on standard error."""
    assert process.stderr is not None
    assert any(word in line for line in process.stderr)


def ended(front: Front, process: Popen[str]) -> Ended:
    """A command, at its end."""
    output, errors = process.communicate()
    return Ended(
        code=process.returncode, output=output, errors=errors, changes=tuple(front.changes), state=""
    )


def ran(front: Front, *words: str, env: Mapping[str, str] | None = None) -> Ended:
    """A command, from its beginning to its end, in this process: a new one takes seconds to begin."""
    front.asked.clear()
    absent = {name: None for name in os.environ if name.startswith("AWS_")}
    known = {**absent, **environment(front), **(env or {})}
    done = CliRunner().invoke(app, list(words), env=known)
    return Ended(
        code=done.exit_code, output=done.stdout, errors=done.stderr, changes=tuple(front.changes), state=""
    )


def recorded(done: Ended) -> Ended:
    """The same, with the account's state at its end."""
    return msgspec.structs.replace(done, state=state())


def lived(front: Front, *words: str) -> Ended:
    """A command in a process of its own, from its beginning to its end, and the account's state then."""
    return recorded(ended(front, begun(front, *words)))


@pytest.mark.timeout(600)
def test_a_life_from_the_first_init_to_the_last_destroy(front: Front, vpc: str) -> None:
    flags = ("--vpc", vpc, *NETWORK)
    empty = looked(front)

    dry = recorded(ran(front, "init", "--dry-run", *flags))
    first = lived(front, "init", *flags)
    second = lived(front, "init", "--json", *flags)
    check = lived(front, "check", "--json", *flags)
    kept = recorded(ran(front, "destroy", "--dry-run"))
    gone = lived(front, "destroy", "--yes")
    again = recorded(ran(front, "destroy", "--json"))

    assert [each.code for each in (dry, first, second, kept, gone, again)] == [0] * 6
    assert (dry.changes, dry.state) == ((), empty)
    assert len(first.changes) == 21
    assert (second.changes, second.state) == ((), first.state)
    assert {each["action"] for each in second.told["steps"]} == {"keep"}
    assert (check.changes, check.state) == ((), first.state)
    assert "FAIL" not in {
        each["level"] for each in check.told["findings"] if each["subject"] != "Pod Identity"
    }
    assert (kept.changes, kept.state) == ((), first.state)
    assert "nothing of it is left" in gone.output
    assert (again.changes, again.state) == ((), gone.state)
    assert {each["action"] for each in again.told["steps"]} == {"gone"}


def test_an_init_that_is_killed_in_the_middle_is_continued(front: Front) -> None:
    front.hold("PutRolePolicy")

    process = begun(front, "init")
    asyncio.run(front.held("PutRolePolicy"))
    process.send_signal(signal.SIGKILL)
    killed = ended(front, process)
    front.release()
    second = ran(front, "init", "--yes")
    third = ran(front, "init")

    assert killed.code == -signal.SIGKILL
    assert (second.code, third.code, third.changes) == (0, 0, ())


@pytest.mark.parametrize("writes", range(21))
async def test_an_init_that_ends_after_any_write_is_continued(
    account: Account, options: Options, calls: Calls, front: Front, writes: int
) -> None:
    steps = await account.plan(options)
    with pytest.raises(Killed):
        await Account(MortalCalls(calls, front, writes), account.names).apply(steps, told=unheard)

    assert len(front.changes) == writes
    await applied(Account(calls, account.names), options)
    assert {type(each) for each in await Account(calls, account.names).plan(options)} == {Keep}


def test_ctrl_c_says_how_to_go_on_and_ends_with_130(front: Front) -> None:
    front.hold("CreateCluster")

    process = begun(front, "init", "--json")
    asyncio.run(front.held("CreateCluster"))
    process.send_signal(signal.SIGINT)
    heard(process, "interrupted: ")
    front.release()
    stopped = ended(front, process)

    assert stopped.code == 130
    assert "what is done stays done; run it again" in stopped.told["error"]
    assert "Traceback" not in stopped.errors
    assert ran(front, "init", "--yes").code == 0


NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("words", "env", "code", "said"),
    [
        pytest.param(("init",), {"AWS_PROFILE": "nobody"}, 2, "nobody", id="no such profile"),
        pytest.param(
            ("check",),
            {
                "AWS_ACCESS_KEY_ID": "",
                "AWS_SECRET_ACCESS_KEY": "",
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
                "AWS_CONFIG_FILE": "/nonexistent",
            },
            2,
            "no AWS credentials were found",
            id="no credentials",
        ),
        pytest.param(
            ("destroy",),
            {"AWS_REGION": "", "AWS_CONFIG_FILE": "/nonexistent"},
            2,
            "no AWS region is set: set AWS_REGION",
            id="no region",
        ),
        pytest.param(("init", "--region", "eu_west!"), {}, 2, "set AWS_REGION", id="no region's name"),
        pytest.param(
            ("init",),
            {"AWS_ENDPOINT_URL": NOWHERE},
            2,
            "is there a region eu-west-1, and does this machine reach AWS?",
            id="no answer",
        ),
        pytest.param(("init", "--name", "sg-x"), {}, 2, "do not begin with sg-", id="name"),
        pytest.param(("init", "--name", "a" * 41), {}, 2, "at most 39", id="long name"),
        pytest.param(("init", "--trust", "irsa"), {}, 2, "--oidc-provider", id="flags"),
        pytest.param(("init", "--values"), {}, 1, "--values or --json", id="two outputs"),
    ],
)
def test_what_cannot_begin_is_told_to_people_and_programs(
    front: Front, words: tuple[str, ...], env: dict[str, str], code: int, said: str
) -> None:
    done = ran(front, *words, "--json", env=env)

    assert done.code == code
    assert said in done.told["error"]
    assert said in done.errors
    assert done.changes == ()


def test_credentials_that_have_expired_are_told_of(front: Front) -> None:
    front.always("GetCallerIdentity", query_error("ExpiredToken", "is expired", status=403))

    done = ran(front, "check", "--json")

    assert done.code == 2
    assert "renew the AWS credentials" in done.told["error"]
    assert "is there a region" not in done.told["error"]


@pytest.mark.skipif(not helm_path(4), reason="helm cannot be fetched")
def test_the_printed_values_are_a_file_for_helm(front: Front, vpc: str) -> None:
    flags = ("--vpc", vpc, "--subnets", "subnet-0123456789abcdef0", "--values")

    done = ran(front, "init", *flags)
    values = yaml.safe_load(done.output)
    lint = helm(4, "lint", "--strict", CHART, values=values)
    template = helm(4, "template", "spillway", CHART, "--namespace=spillway", values=values)

    assert done.code == 0
    assert done.output.startswith("# Values of the Helm chart: installation spillway in account 123456789012")
    assert "# next: give the bridge its role: aws eks create-pod-identity-association" in done.output
    assert lint.code == 0, lint.output
    assert template.code == 0, template.errors
    assert ran(front, "init", *flags).output == done.output
