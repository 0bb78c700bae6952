"""What AWS says of what was made or removed a moment ago, and of what goes while it is looked at."""

import msgspec
import pytest

from app.aws import errors
from app.aws.account.account import Account
from app.aws.account.calls import Calls
from app.aws.account.departure import Leftovers
from app.aws.account.leftovers import Sweeper
from app.aws.account.makers.service_roles import has_service_role
from app.aws.account.options import Options
from app.aws.account.plan import Absent, Keep
from app.ports.failures import NotFound, PortFailure
from tests.aws.account.fakes import HastyClock
from tests.aws.account.moto_server import Front, Reply, json_error, query_error
from tests.aws.account.test_destroy import destroyed, everything, not_there, silent
from tests.aws.account.test_init import applied

NO_QUEUE = json_error("AWS.SimpleQueueService.NonExistentQueue")


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        pytest.param(
            "PutClusterCapacityProviders",
            json_error("ClientException", "Cluster was not ACTIVE"),
            id="cluster that is being made",
        ),
        pytest.param(
            "SetQueueAttributes",
            json_error("InvalidParameterValue", "Reason: Dead letter target does not exist."),
            id="queue of dead letters that no other knows",
        ),
    ],
)
async def test_what_others_do_not_know_yet_is_waited_for(
    account: Account, options: Options, front: Front, operation: str, reply: Reply
) -> None:
    front.script(operation, *[reply] * 3)

    await applied(account, options)

    assert {type(each) for each in await account.plan(options)} == {Keep}


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        pytest.param(
            "DeleteRole",
            query_error("DeleteConflict", "Cannot delete entity, must delete policies first.", status=409),
            id="role whose policy was deleted just now",
        ),
        pytest.param(
            "DeleteRule",
            json_error("ValidationException", "Rule can't be deleted since it has targets."),
            id="rule whose target was removed just now",
        ),
    ],
)
async def test_what_was_emptied_just_now_is_waited_for(
    account: Account, sweeper: Sweeper, options: Options, front: Front, operation: str, reply: Reply
) -> None:
    await applied(account, options)
    front.script(operation, *[reply] * 3)

    await destroyed(account, sweeper)

    assert await not_there(account, options) == everything(options)


@pytest.mark.parametrize(
    ("operation", "reply"),
    [
        pytest.param("DeleteCluster", json_error("ClusterNotFoundException"), id="cluster"),
        pytest.param("DeleteRole", query_error("NoSuchEntity", status=404), id="role"),
        pytest.param("DeleteRule", json_error("ResourceNotFoundException"), id="rule"),
        pytest.param("DeleteQueue", NO_QUEUE, id="queue"),
        pytest.param("DeleteLogGroup", json_error("ResourceNotFoundException"), id="log group"),
        pytest.param("DeleteSecurityGroup", query_error("InvalidGroup.NotFound"), id="security group"),
    ],
)
async def test_what_is_gone_already_is_not_waited_for(
    account: Account,
    sweeper: Sweeper,
    options: Options,
    front: Front,
    time: HastyClock,
    operation: str,
    reply: Reply,
) -> None:
    await applied(account, options)
    time.slept.clear()
    front.script(operation, *[reply] * 3)

    await destroyed(account, sweeper)

    assert max(time.slept, default=0.0) < 1.0


async def test_a_definition_that_is_deregistered_already_is_deleted_all_the_same(
    sweeper: Sweeper, front: Front
) -> None:
    front.script("DeregisterTaskDefinition", json_error("ClientException", "TaskDefinition is inactive"))
    front.script("DeleteTaskDefinitions", Reply("{}"))

    await sweeper.remove(Leftovers(active=("arn:x",)), counted=silent)

    assert front.asked[-2:] == ["DeregisterTaskDefinition", "DeleteTaskDefinitions"]


@pytest.mark.parametrize(
    ("operation", "reply", "gone"),
    [
        pytest.param("ListTagsForResource", json_error("ResourceNotFoundException"), "log group", id="tags"),
        pytest.param(
            "ListRolePolicies",
            query_error("NoSuchEntity", status=404),
            "IAM role spillway-execution",
            id="role",
        ),
        pytest.param("GetQueueAttributes", NO_QUEUE, "SQS queue spillway-task-events-dead", id="queue"),
    ],
)
async def test_what_goes_while_it_is_looked_at_is_not_there(
    account: Account, options: Options, front: Front, operation: str, reply: Reply, gone: str
) -> None:
    await applied(account, options)
    front.script(operation, reply)

    [absent] = [each for each in await account.plan_removal() if isinstance(each, Absent)]

    assert str(absent.key).startswith(gone)


async def test_an_empty_page_is_not_the_end_of_the_roles(calls: Calls, front: Front) -> None:
    page = "<ListRolesResult><Roles/><IsTruncated>true</IsTruncated><Marker>0</Marker></ListRolesResult>"
    front.client("iam").create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    front.script("ListRoles", Reply(f"<ListRolesResponse>{page}</ListRolesResponse>"))

    assert await has_service_role(calls)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        pytest.param("ValidationException", PortFailure, id="nothing we know"),
        pytest.param("ClusterNotFoundException", NotFound, id="something we know"),
    ],
)
async def test_a_failure_keeps_awss_own_error(
    calls: Calls, front: Front, code: str, kind: type[PortFailure]
) -> None:
    front.script("DescribeRule", json_error(code, "no"))

    with pytest.raises(kind) as failed:
        await calls.ask("events", "describe_rule", Name="x")

    assert errors.code_of(failed.value) == code


async def test_all_clusters_are_looked_at_with_one_question(account: Account, front: Front) -> None:
    ecs = front.client("ecs")
    for name in ("spillway", "batch", "night"):
        ecs.create_cluster(clusterName=name, tags=[{"key": "spillway.dev/name", "value": name}])
    ecs.create_cluster(clusterName="theirs")

    assert await account.others() == ("batch", "night")
    assert front.asked == ["ListClusters", "DescribeClusters"]


async def test_a_refusal_of_any_length_names_the_permission_first(
    account: Account, options: Options, front: Front
) -> None:
    blob = "You are not authorized. Encoded authorization failure message: " + "x" * 900
    front.script("CreateSecurityGroup", query_error("UnauthorizedOperation", blob, status=403))
    bare = msgspec.structs.replace(options, pod_cidrs=())

    with pytest.raises(PortFailure) as refused:
        await applied(account, bare)

    assert str(refused.value).startswith(
        "security group spillway-tasks: your identity needs the permission ec2:CreateSecurityGroup"
    )
