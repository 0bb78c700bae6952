"""`spillway`: the three programs, and the local cluster to try them on."""

import enum
import os
from collections.abc import Callable
from typing import Annotated, Any

import typer

from app import settings
from app.cli import aws, doctor, drain, explain, flags, local, simulate, status
from app.cli.targets import sorted_out
from app.lifeline.companion import Parted
from app.model.actuator import Actuator
from app.model.quantity import QuantityError, exact
from app.telemetry import logs
from app.wiring import bridge, extender, issuer, webhook
from app.wiring.kubernetes import own_version
from app.wiring.stopping import StartError, leaves, run_until_stopped

_log = logs.get(__name__)

cli = typer.Typer(
    name="spillway",
    help="Let a Kubernetes cluster overflow onto AWS Fargate.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

_RUN: dict[str, tuple[Callable[[Any], Any], str]] = {
    "webhook": (webhook.run, "Admission: which pods may overflow. Pure and fast; talks to nobody."),
    "extender": (extender.run, "The gate: when a pod bursts, and how far the virtual node stands open."),
    "bridge": (bridge.run, "The virtual node: carries each of its pods out as an ECS task on Fargate."),
    "issuer": (issuer.run, "The installation's certificates: a CA, the leaf it signs, and who trusts it."),
}


def _program(name: str) -> Callable[[settings.Common], None]:
    run, _ = _RUN[name]

    def start(loaded: settings.Common) -> None:
        logs.configure(level=loaded.log_level, as_json=loaded.log_format == "json")
        for line in settings.unknown_variables(os.environ):
            _log.warning(line)
        faults: list[BaseException] = []
        parted: list[Parted] = []
        try:
            run_until_stopped(run(loaded), serves=name in {"webhook", "extender"})
        except* (StartError, OSError) as several:
            faults += leaves(several)
        except* Parted as several:
            parted += leaves(several)
        if faults:
            fail("; ".join(map(str, faults)), code=2)
        if parted:
            fail(str(parted[0]), code=parted[0].code)

    return start


def fail(message: str, *, code: int = 1) -> None:
    """Say what is wrong on standard error and end."""
    typer.secho(message, err=True, fg="red")
    raise typer.Exit(code)


for _name, (_, _doc) in _RUN.items():
    cli.command(name=_name)(flags.command(settings.PROGRAMS[_name], _program(_name), doc=_doc))


class Level(enum.Enum):
    """The levels of the logs."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _quantity(text: str) -> str:
    try:
        amount = exact(text)
    except QuantityError as error:
        raise typer.BadParameter(str(error)) from error
    if amount <= 0:
        raise typer.BadParameter(f"{text} is no room; write for instance 2 or 4Gi")
    return text


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"spillway {own_version()}")
        raise typer.Exit


@cli.callback()
def spillway(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Let a Kubernetes cluster overflow onto AWS Fargate."""


@cli.command(name="local")
def local_command(  # noqa: PLR0913  (one parameter per flag)
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Play the main job, print a summary, and end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="End with one JSON object on the last line of standard output.")
    ] = False,
    embedded: Annotated[
        bool,
        typer.Option("--embedded", help="Use the embedded cluster even where a real control plane is found."),
    ] = False,
    nodes: Annotated[int, typer.Option(min=1, max=100, help="How many real (fake) nodes.")] = 2,
    cpu: Annotated[str, typer.Option(help="The cpu of each, as a quantity.", callback=_quantity)] = "2",
    memory: Annotated[
        str, typer.Option(help="The memory of each, as a quantity.", callback=_quantity)
    ] = "4Gi",
    directory: Annotated[
        str, typer.Option(help="Where kubeconfig, certificates and logs go; by default a temporary folder.")
    ] = "",
    actuator: Annotated[
        Actuator, typer.Option(help="How granted pods come onto the virtual node.")
    ] = "scheduler",
    early_burst: Annotated[
        bool, typer.Option("--early-burst", help="Let pods that allow it burst before the nodes are full.")
    ] = False,
    log_level: Annotated[Level, typer.Option(help="The least severe level logged.")] = Level.INFO,
) -> None:
    """A cluster and a Fargate on this machine, with all of Spillway in it. Ctrl-C ends everything.

    Uses a real control plane where $KUBEBUILDER_ASSETS (or /usr/local/kubebuilder/bin) holds one.
    """
    options = local.Options(
        demo=demo,
        as_json=as_json,
        embedded=embedded,
        nodes=nodes,
        cpu=cpu,
        memory=memory,
        directory=directory,
        actuator=actuator,
        early_burst=early_burst,
        log_level=log_level.value,
    )
    raise typer.Exit(local.run(options))


Kubeconfig = Annotated[
    str,
    typer.Option(
        help="A kubeconfig file; empty means $KUBECONFIG, then the in-cluster account, then ~/.kube/config.",
    ),
]
OwnNamespace = Annotated[
    str,
    typer.Option(
        envvar="SPILLWAY_NAMESPACE",
        help="The namespace that holds Spillway's own Leases; empty means the one that its leader published.",
    ),
]


@cli.command(name="explain")
def explain_command(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="POD|FILE...",
            help="Pods, as NAMESPACE/NAME, or as NAME with -n; with -n controllers, too, as KIND/NAME, for "
            "all their pods; or manifests, YAML or JSON; - is standard input.",
        ),
    ],
    *,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="The namespace of the pods; then all names are pods.")
    ] = "",
    kubeconfig: Kubeconfig = "",
    spillway_namespace: OwnNamespace = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Why a pod does or does not burst, or whether Fargate can run the pods of a manifest; and the price.

    A pod is judged as the extender's leader judges it, from one read-only look at the cluster. A manifest is
    judged by itself, without any cluster: images, roles, claims and the operator's settings are judged at
    launch; with --kubeconfig its price is the virtual node's.

    Ends with 0 where every pod has a node, is granted a place on Fargate or due for one, is being deleted or
    has succeeded; a pod of a manifest can run on Fargate, and may.

    Ends with 1 where one waits, is only observed, is refused, not opted in, a DaemonSet's, gated or not
    scheduled yet; or is on Fargate and does not run, was rejected or has failed; one of a manifest cannot, or
    may not.

    Ends with 2 where a file is no manifest, or a pod or the cluster cannot be read; what can be is printed,
    with `--json` beside `error`. Ends with 130 after Ctrl-C.
    """
    options = explain.Options(
        targets=sorted_out(targets, namespace=namespace),
        kubeconfig=kubeconfig,
        spillway_namespace=spillway_namespace,
        as_json=as_json,
    )
    raise typer.Exit(explain.run(options))


@cli.command(name="status")
def status_command(
    *,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again every few seconds, until Ctrl-C.")
    ] = False,
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between two looks of --watch.")] = 5.0,
    kubeconfig: Kubeconfig = "",
    spillway_namespace: OwnNamespace = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; with --watch, one a line for each look.")
    ] = False,
) -> None:
    """What is wrong, if anything; gate, pressure, overflow, spend, who waits and why, and who comes home.

    Reads the cluster, and changes nothing.

    Ends with 0 where Spillway is well. A gate that somebody closed is a note, and an application that fails
    by itself is listed; neither is trouble.

    Ends with 1 where something is wrong, as TROUBLE says: nobody leads, a bridge is silent, no virtual node
    takes pods, pods have no task for more than 5 minutes, or many fail alike.

    Ends with 2 where the cluster cannot be read, and with 130 after Ctrl-C before the first look: `--json`
    prints an object with `error` then.
    """
    options = status.Options(
        kubeconfig=kubeconfig,
        spillway_namespace=spillway_namespace,
        as_json=as_json,
        watch=watch,
        every=every,
    )
    raise typer.Exit(status.run(options))


cli.command(name="simulate")(simulate.command)
cli.command(name="doctor")(doctor.command)
cli.command(name="drain")(drain.command)
cli.add_typer(aws.app)


def main() -> None:
    """The console script."""
    cli()
