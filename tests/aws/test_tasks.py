import asyncio
import itertools

import msgspec
import pytest

from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.tasks import EcsTasks, TaskPlacement
from app.model.names import TaskArn
from app.model.task import Launch
from app.ports.failures import Conflict, NoCapacity, NotFound, PortFailure, Refused, Throttled, Unavailable
from app.ports.tasks import Described
from tests.aws.fakes import HANG_UP, Answer, AwsStub, an_error
from tests.aws.test_translate import ARN, IDENTITY, LAUNCH, wire_task
from tests.fakes import VirtualClock

CLUSTER_TASKS = ARN.rsplit("/", 1)[0]
OTHER = TaskArn(f"{CLUSTER_TASKS}/{'f' * 32}")
DEFINITION = "arn:aws:ecs:eu-west-3:123456789012:task-definition/spillway-1:1"
LAUNCHED = Answer({"tasks": [wire_task(lastStatus="PROVISIONING")], "failures": []})


@pytest.fixture
def tasks(connection: Connection, limiter: Limiter) -> EcsTasks:
    placement = TaskPlacement(cluster="spillway", subnets=("subnet-1",), security_groups=("sg-1",))
    return EcsTasks(connection, limiter=limiter, placement=placement)


def test_nothing_is_asked_while_clients_are_built(aws: AwsStub, connection: Connection) -> None:
    assert aws.requests == []


async def test_a_launch_says_everything_that_fargate_needs(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("RunTask", LAUNCHED)
    task = await tasks.run(LAUNCH, definition_arn=DEFINITION)
    assert (task.arn, task.identity) == (ARN, IDENTITY)
    [request] = aws.asked("RunTask")
    tags = request.pop("tags")
    assert request == {
        "cluster": "spillway",
        "taskDefinition": DEFINITION,
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "count": 1,
        "clientToken": "token-1",
        "startedBy": "spillway/uid-1",
        "overrides": LAUNCH.overrides,
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-1"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "DISABLED",
            }
        },
        "enableECSManagedTags": True,
    }
    assert {"key": "spillway:pod", "value": "web-1"} in tags


async def test_a_launch_on_spot_names_the_provider_and_no_launch_type(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("RunTask", LAUNCHED)
    await tasks.run(msgspec.structs.replace(LAUNCH, capacity="spot"), definition_arn=DEFINITION)
    [request] = aws.asked("RunTask")
    assert request["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert "launchType" not in request


async def test_a_launch_may_bring_security_groups_and_volumes(aws: AwsStub, tasks: EcsTasks) -> None:
    volume = {"name": "scratch", "managedEBSVolume": {"roleArn": "arn:ebs", "sizeInGiB": 5}}
    aws.script("RunTask", LAUNCHED)
    launch = msgspec.structs.replace(LAUNCH, security_groups=("sg-7",), volumes=(volume,))
    await tasks.run(launch, definition_arn=DEFINITION)
    [request] = aws.asked("RunTask")
    assert request["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"] == ["sg-7"]
    assert request["volumeConfigurations"] == [volume]


async def test_a_launch_asks_for_sessions_only_where_they_are_wanted(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("RunTask", LAUNCHED)
    await tasks.run(LAUNCH, definition_arn=DEFINITION)
    await tasks.run(msgspec.structs.replace(LAUNCH, execute_command=True), definition_arn=DEFINITION)
    without, asked = aws.asked("RunTask")
    assert ("enableExecuteCommand" in without, asked["enableExecuteCommand"]) == (False, True)


@pytest.mark.parametrize(
    ("turn", "subnets"),
    [
        pytest.param(0, ["a", "b", "c"], id="at-first-all"),
        pytest.param(1, ["a"], id="then-one"),
        pytest.param(2, ["b"], id="then-another"),
        pytest.param(3, ["c"], id="each-of-them"),
        pytest.param(4, ["a", "b", "c"], id="and-all-again"),
        pytest.param(5, ["a"], id="and-round-again"),
    ],
)
async def test_later_attempts_try_one_subnet_after_another(
    aws: AwsStub, connection: Connection, limiter: Limiter, turn: int, subnets: list[str]
) -> None:
    placement = TaskPlacement(cluster="spillway", subnets=("a", "b", "c"))
    aws.script("RunTask", LAUNCHED)
    tasks = EcsTasks(connection, limiter=limiter, placement=placement)
    await tasks.run(msgspec.structs.replace(LAUNCH, turn=turn), definition_arn=DEFINITION)
    [request] = aws.asked("RunTask")
    assert request["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == subnets


async def test_the_same_launch_makes_the_same_request(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("RunTask", LAUNCHED)
    await tasks.run(LAUNCH, definition_arn=DEFINITION)
    await tasks.run(LAUNCH, definition_arn=DEFINITION)
    first, second = aws.asked("RunTask")
    assert first == second


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(
            Answer({"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time."}]}),
            NoCapacity,
            id="capacity",
        ),
        pytest.param(an_error("ThrottlingException", "Rate exceeded"), Throttled, id="throttled"),
        pytest.param(an_error("AccessDeniedException", "iam:PassRole"), Refused, id="denied"),
        pytest.param(an_error("ServerException", status=500), Unavailable, id="server's fault"),
        pytest.param(HANG_UP, Unavailable, id="no answer"),
        pytest.param(Answer({}), Unavailable, id="empty answer"),
        pytest.param(Answer({"tasks": [{"taskArn": {}}]}), Unavailable, id="nonsense"),
    ],
)
async def test_a_failed_launch_is_asked_for_once(
    aws: AwsStub, tasks: EcsTasks, answer: Answer, kind: type[PortFailure]
) -> None:
    aws.script("RunTask", answer)
    with pytest.raises(kind):
        await tasks.run(LAUNCH, definition_arn=DEFINITION)
    assert len(aws.asked("RunTask")) == 1


async def test_a_token_used_otherwise_names_the_task_that_exists(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("RunTask", an_error("ConflictException", "used", resourceIds=[ARN]))
    with pytest.raises(Conflict) as conflict:
        await tasks.run(LAUNCH, definition_arn=DEFINITION)
    assert conflict.value.existing == (ARN,)


async def test_a_request_that_botocore_refuses_is_never_sent(aws: AwsStub, tasks: EcsTasks) -> None:
    broken = Launch(definition=LAUNCH.definition, overrides={"cpu": 7}, started_by="", client_token="t")
    with pytest.raises(Refused, match="cpu"):
        await tasks.run(broken, definition_arn=DEFINITION)
    assert aws.requests == []


async def test_a_throttled_launch_slows_the_next_ones(
    aws: AwsStub, tasks: EcsTasks, limiter: Limiter, clock: VirtualClock
) -> None:
    aws.script("RunTask", an_error("ThrottlingException"))
    with pytest.raises(Throttled):
        await tasks.run(LAUNCH, definition_arn=DEFINITION)
    waiting = asyncio.create_task(limiter.grant(Lane.LAUNCH))
    await clock.advance(0.09)
    assert not waiting.done()
    await clock.advance(0.02)
    await waiting


async def test_stopping_repeats_until_it_is_answered(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("StopTask", HANG_UP, an_error("ServerException", status=500), Answer({"task": wire_task()}))
    await tasks.stop(TaskArn(ARN), reason="r" * 300)
    requests = aws.asked("StopTask")
    assert requests == [{"cluster": "spillway", "task": ARN, "reason": "r" * 255}] * 3


async def test_stopping_a_forgotten_task_says_that_it_is_not_there(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("StopTask", an_error("InvalidParameterException", "The referenced task was not found."))
    with pytest.raises(NotFound):
        await tasks.stop(TaskArn(ARN), reason="orphan")


async def test_tasks_are_described_by_the_hundred(aws: AwsStub, tasks: EcsTasks) -> None:
    ids = [f"{each:032x}" for each in range(250)]
    arns = [TaskArn(f"{CLUSTER_TASKS}/{each}") for each in ids]
    aws.script("DescribeTasks", Answer({"failures": [{"arn": arn, "reason": "MISSING"} for arn in arns]}))
    described = await tasks.describe([*arns, arns[0]])
    asked = [request["tasks"] for request in aws.asked("DescribeTasks")]
    assert sorted(len(chunk) for chunk in asked) == [50, 100, 100]
    assert sorted(itertools.chain.from_iterable(asked)) == ids
    assert set(described.missing) == set(arns)


async def test_describing_nothing_asks_nothing(aws: AwsStub, tasks: EcsTasks) -> None:
    assert (await tasks.describe([])).tasks == ()
    assert aws.requests == []


async def test_a_description_that_leaves_a_task_out_is_no_answer(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("DescribeTasks", Answer({"tasks": [wire_task()], "failures": []}))
    with pytest.raises(Unavailable, match="left out 1 of 2"):
        await tasks.describe([TaskArn(ARN), OTHER])


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param("banana", id="no-arn"),
        pytest.param(f"{CLUSTER_TASKS}/../../x", id="no-id"),
        pytest.param(f"{CLUSTER_TASKS}/{'A' * 32}", id="capitals"),
        pytest.param(f"{CLUSTER_TASKS}/{'a' * 33}", id="too-long"),
    ],
)
async def test_an_arn_that_ecs_would_refuse_is_missing_without_asking(
    aws: AwsStub, tasks: EcsTasks, forged: str
) -> None:
    aws.script("DescribeTasks", Answer({"tasks": [wire_task()], "failures": []}))
    described = await tasks.describe([TaskArn(ARN), TaskArn(forged)])
    assert ([task.arn for task in described.tasks], described.missing) == ([ARN], (forged,))
    assert [request["tasks"] for request in aws.asked("DescribeTasks")] == [[ARN.rsplit("/", 1)[-1]]]


async def test_an_arn_of_another_cluster_with_an_id_of_ours_is_missing(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("DescribeTasks", Answer({"tasks": [wire_task()], "failures": []}))
    forged = TaskArn(ARN.replace("/spillway/", "/payroll/").replace("123456789012", "999999999999"))
    assert await tasks.describe([forged]) == Described((), (forged,))
    assert (await tasks.describe([TaskArn(ARN), forged])).missing == (forged,)


async def test_listing_reads_every_page(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script(
        "ListTasks",
        Answer({"taskArns": ["arn:1"], "nextToken": "more"}),
        Answer({"taskArns": [], "nextToken": "last"}),
        Answer({"taskArns": ["arn:2"]}),
    )
    assert await tasks.arns("STOPPED") == ("arn:1", "arn:2")
    asked = aws.asked("ListTasks")
    assert [request.get("nextToken") for request in asked] == [None, "more", "last"]
    assert {request["desiredStatus"] for request in asked} == {"STOPPED"}


async def test_a_listing_that_breaks_off_is_no_listing(aws: AwsStub, tasks: EcsTasks) -> None:
    aws.script("ListTasks", Answer({"taskArns": ["arn:1"], "nextToken": "more"}), HANG_UP)
    with pytest.raises(Unavailable):
        await tasks.arns("RUNNING")


async def test_a_throttled_page_is_asked_for_again(
    aws: AwsStub, tasks: EcsTasks, clock: VirtualClock
) -> None:
    aws.script("ListTasks", an_error("ThrottlingException"), Answer({"taskArns": ["arn:1"]}))
    listing = asyncio.create_task(tasks.arns("RUNNING"))
    while not listing.done():
        await asyncio.sleep(0.005)
        await clock.advance(1)
    assert listing.result() == ("arn:1",)


async def test_a_closed_connection_answers_that_the_program_is_stopping(
    connection: Connection, tasks: EcsTasks
) -> None:
    connection.close()
    with pytest.raises(Unavailable, match="stopping"):
        await tasks.stop(TaskArn(ARN), reason="late")
