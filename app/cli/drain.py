"""`spillway drain`: closes the gate, moves overflow away, and proves that no billed task is left."""

from typing import Annotated

import typer

from app.cli.drain_run import Leave
from app.drain.config import DrainConfig
from app.model.policy import PolicyError, duration
from app.wiring.drain import Wish


def _duration(text: str) -> str:
    try:
        duration(text)
    except PolicyError as error:
        raise typer.BadParameter(str(error)) from error
    return text


def command(  # noqa: PLR0913  (one parameter per flag)
    *,
    node: Annotated[
        list[str] | None,
        typer.Option(help="A virtual node; may be repeated. Without it: all of the cluster.", metavar="NAME"),
    ] = None,
    delete_nodes: Annotated[
        bool,
        typer.Option(
            "--delete-nodes",
            help="Then remove the Nodes, placeholder pods and our entries of AWS Secrets Manager.",
        ),
    ] = False,
    after_uninstall: Annotated[
        bool,
        typer.Option(
            "--after-uninstall",
            help="With --delete-nodes: bridges and extenders are gone, so remove their Leases, too, and the "
            "PriorityClass.",
        ),
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="After --timeout delete what a budget holds, and after --kill-after what no bridge ends; "
            "end bare pods; stop tasks that have no pod.",
        ),
    ] = False,
    stop_bare_pods: Annotated[
        bool, typer.Option("--stop-bare-pods", help="Evict pods, too, that no controller makes anew.")
    ] = False,
    timeout: Annotated[
        str, typer.Option(help="How long pods may take to leave, as 90s or 10m.", callback=_duration)
    ] = "10m",
    kill_after: Annotated[
        str,
        typer.Option(
            help="With --force: so long after --timeout pods are deleted without their node, and tasks "
            "stopped.",
            callback=_duration,
        ),
    ] = "60s",
    at_once: Annotated[int, typer.Option(min=1, help="How many pods may be on their way at a time.")] = 5,
    successor_wait: Annotated[
        str,
        typer.Option(help="How long a controller's next pod is waited for.", callback=_duration),
    ] = "60s",
    skip_aws: Annotated[
        bool, typer.Option("--skip-aws", help="Do not ask ECS what is left; then nothing is proven.")
    ] = False,
    region: Annotated[
        str, typer.Option(envvar="SPILLWAY_REGION", help="The bridge's; empty means the AWS chain's.")
    ] = "",
    ecs_cluster: Annotated[
        str, typer.Option(envvar="SPILLWAY_ECS_CLUSTER", help="The bridge's ECS cluster.")
    ] = "spillway",
    spillway_namespace: Annotated[
        str, typer.Option(envvar="SPILLWAY_NAMESPACE", help="The namespace of Spillway's own objects.")
    ] = "spillway",
    placeholder_priority_class: Annotated[
        str,
        typer.Option(
            envvar="SPILLWAY_PLACEHOLDER_PRIORITY_CLASS",
            help="The extender's; removed --after-uninstall, if an extender made it.",
        ),
    ] = "spillway-placeholder",
    kubeconfig: Annotated[
        str,
        typer.Option(
            envvar="SPILLWAY_KUBECONFIG",
            help="A kubeconfig file; empty means $KUBECONFIG, then the in-cluster account, then "
            "~/.kube/config.",
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what stands and would be seen to; change nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="End with one JSON object on standard output; progress on error.")
    ] = False,
) -> None:
    """Close the gate, move overflow away, and prove by ECS itself that no billed task is left.

    Pods are evicted a few at a time, PodDisruptionBudgets respected; real nodes take them where they have
    room, otherwise they are Pending. May be stopped and begun again at any point: the gate stays closed.

    Ends with 0 where nothing is left, with 1 where something is, or it could not be proven, with 2 where the
    cluster cannot be read or the gate not be closed, with 130 where it was stopped; for those two `--json`
    prints an object with `error`.
    """
    if after_uninstall and not delete_nodes:
        raise typer.BadParameter("--after-uninstall goes with --delete-nodes")
    config = DrainConfig(
        nodes=frozenset(node or ()),
        cluster="",
        at_once=at_once,
        timeout=_seconds(timeout),
        force=force,
        kill=_seconds(kill_after),
        bare=stop_bare_pods,
        asks_aws=not skip_aws,
        successor=_seconds(successor_wait),
    )
    wish = Wish(
        kubeconfig=kubeconfig,
        namespace=spillway_namespace,
        region=region,
        ecs_cluster=ecs_cluster,
        config=config,
        priority_class=placeholder_priority_class,
        bridges_are_gone=after_uninstall,
    )
    leave = Leave(wish, delete_nodes=delete_nodes, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(leave.run())


def _seconds(text: str) -> float:
    return duration(text).total_seconds()
