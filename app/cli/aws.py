"""`spillway aws`: the account is prepared, examined and cleared."""

from typing import Annotated

import typer

from app.aws.account.wish import Wish
from app.cli import aws_check, aws_destroy, aws_init
from app.cli.aws_flags import wishing

app = typer.Typer(
    name="aws",
    help="Prepare, examine and clear an AWS account for Spillway.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


Name = Annotated[str, typer.Option("--name", help="The installation; everything is named after it.")]
Region = Annotated[
    str, typer.Option("--region", help="As eu-central-1; empty means the AWS chain's (AWS_REGION, profile).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan; change nothing.")]
Values = Annotated[
    bool,
    typer.Option("--values", help="Print the chart's values alone on standard output, as a file of YAML."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command(name="init")
@wishing
def init(  # noqa: PLR0913  (one parameter per flag)
    *,
    wish: Wish,
    name: Name = "spillway",
    region: Region = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    values: Values = False,
    as_json: AsJson = False,
) -> None:
    """Make what Spillway needs in an AWS account, or make it right again; the second time changes nothing.

    An ECS cluster, a log group, three roles, a security group, and the queue of task events: nothing that
    costs by itself, but Container Insights' log. The flags are the whole wish: what an earlier init was told
    and this one is not is taken back, after a question. What does not carry the tag spillway.dev/name is
    never touched. Prints the values of the Helm chart at its end. Ends with 0 where all is as wanted, with 1
    where it is not, with 2 where AWS cannot be asked.
    """
    options = aws_init.InitOptions(
        name=name, region=region, wish=wish, dry_run=dry_run, yes=yes, values=values, as_json=as_json
    )
    raise typer.Exit(aws_init.run(options))


@app.command(name="check")
@wishing
def check(
    *,
    wish: Wish,
    name: Name = "spillway",
    region: Region = "",
    as_json: AsJson = False,
) -> None:
    """Whether pods can overflow into the account as it is: one line each, with the mend.

    Give it the flags of `init`. It looks at your identity, every resource, the roles' trust and each of their
    permissions (by IAM's policy simulator), the subnets' way to AWS (routes, network ACLs, VPC endpoints) and
    their free addresses, the security groups, and Fargate's quotas; it changes nothing. Ends with 0 where all
    is well, with 1 where something is missing or unknown that pods overflow without, with 2 where they do
    not, or AWS cannot be asked.
    """
    options = aws_check.CheckOptions(name=name, region=region, wish=wish, as_json=as_json)
    raise typer.Exit(aws_check.run(options))


@app.command(name="destroy")
def destroy(  # noqa: PLR0913  (one parameter per flag)
    *,
    name: Name = "spillway",
    region: Region = "",
    stop_tasks: Annotated[bool, typer.Option("--stop-tasks", help="Stop the tasks that still run.")] = False,
    keep_logs: Annotated[bool, typer.Option("--keep-logs", help="Keep the containers' logs.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Remove what `init` made, and the task definitions and secrets that bridges made.

    Refuses while tasks of the ECS cluster run. What does not carry the tag spillway.dev/name stays, and it is
    said why. Ends with 0 where it is done, with 1 where it is not, with 2 where AWS cannot be asked.
    """
    options = aws_destroy.DestroyOptions(
        name=name,
        region=region,
        stop_tasks=stop_tasks,
        keep_logs=keep_logs,
        dry_run=dry_run,
        yes=yes,
        as_json=as_json,
    )
    raise typer.Exit(aws_destroy.run(options))
