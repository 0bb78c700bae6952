"""One run of `spillway drain`: what it does, what it tells, and how it ends."""

from collections.abc import Iterable
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from app.cli import ending, words
from app.cli.pipes import quiet_pipe
from app.drain.drain import Drained
from app.drain.facts import Left
from app.drain.removal import Removed
from app.ports.failures import PortFailure
from app.telemetry import logs
from app.wiring.drain import Leaving, Wish, leaving
from app.wiring.stopping import StartError, run_until_stopped

NOTHING_LEFT: Final = 0
SOMETHING_LEFT: Final = 1
NO_CLUSTER: Final = 2
"""Exit codes; `ending` has that of Ctrl-C."""

_MOST: Final = 50
"""Lines about what is left."""

_NEEDS: Final = "get on namespaces, list and patch on nodes, list on pods, and create on pods/eviction"
_TO_REMOVE: Final = (
    "delete on nodes and pods, and list, create, patch and delete on leases.coordination.k8s.io of "
    "kube-node-lease"
)
_GIVEN: Final = "the chart's ClusterRole and Roles of the drain have all that it takes"


class Ended(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How it ended, as `--json` prints it.

    Attributes:
        proven: whether ECS itself showed no task of ours, in look after look; false where it was not
            asked, and on a dry run, which looks once.
        unproven: why ECS could not be asked, with the mend.
    """

    dry_run: bool
    nothing_left: bool
    proven: bool
    unproven: str
    nodes: tuple[str, ...]
    evicted: int
    stopped_tasks: int
    left: tuple[Left, ...]
    removed: Removed | None


class Leave:
    """One run of the command."""

    def __init__(self, wish: Wish, *, delete_nodes: bool, dry_run: bool, as_json: bool) -> None:
        self._wish = wish
        self._delete_nodes = delete_nodes
        self._dry_run = dry_run
        self._as_json = as_json
        self._console = Console(highlight=False, soft_wrap=True, stderr=as_json)
        self._drained = Drained()
        self._removed: Removed | None = None
        self._started: Leaving | None = None
        self._removable: tuple[Left, ...] = ()

    def run(self) -> int:
        """Do it; the exit code."""
        logs.configure(level="error", as_json=False)
        try:
            if run_until_stopped(self._run()):
                return self._failed(self._stopped(), code=ending.INTERRUPTED)
        except (StartError, PortFailure) as error:
            return self._failed(words.mended(error, needs=self._needs()), code=NO_CLUSTER)
        return self._told()

    def _failed(self, message: str, *, code: int) -> int:
        code = ending.fail(message, code=code, as_json=self._as_json)
        if not self._dry_run:
            self._say_how_to_undo()
        return code

    def _needs(self) -> str:
        several = (_NEEDS, _TO_REMOVE) if self._delete_nodes else (_NEEDS,)
        return f"{', '.join(several)}; {_GIVEN}"

    def _stopped(self) -> str:
        if self._dry_run or self._started is None or not self._started.drain.closed:
            return ending.STOPPED
        return "stopped: the gate stays closed. Go on: run the same command again."

    async def _run(self) -> None:
        async with leaving(self._wish, tell=self._say) as started:
            self._started = started
            if self._dry_run:
                self._drained = await started.drain.look()
                self._removable = await started.removal.look() if self._delete_nodes else ()
                return
            self._drained = await started.drain.run()
            if self._delete_nodes:
                await self._remove(started)

    async def _remove(self, started: Leaving) -> None:
        if self._is_clear():
            self._removed = await started.removal.run()
        else:
            self._say("no object is removed while something is left, or it is not known whether")

    def _is_clear(self) -> bool:
        return not self._drained.left and not self._drained.unproven

    def _told(self) -> int:
        removed = self._removed
        left = (*self._drained.left, *self._removable, *(removed.left if removed is not None else ()))
        clear = not left and not self._drained.unproven
        ended = Ended(
            dry_run=self._dry_run,
            nothing_left=clear,
            proven=self._wish.config.asks_aws and clear and not self._dry_run,
            unproven=self._drained.unproven,
            nodes=self._drained.nodes,
            evicted=self._drained.evicted,
            stopped_tasks=self._drained.stopped,
            left=left,
            removed=removed,
        )
        if self._as_json:
            ending.tell(msgspec.json.encode(ended).decode())
        else:
            self._show(ended)
        return NOTHING_LEFT if clear else SOMETHING_LEFT

    def _show(self, ended: Ended) -> None:
        for each in ended.left[:_MOST]:
            self._say(f"left      {each.kind} {each.name}: {each.message}")
        if len(ended.left) > _MOST:
            self._say(f"left      and {len(ended.left) - _MOST} more; --json has all")
        if ended.unproven:
            self._say(f"unproven  whether tasks are left: {ended.unproven}")
        if self._dry_run:
            self._say(_what_a_dry_run_means(ended))
        elif ended.nothing_left:
            asked = "ECS shows none of our tasks" if ended.proven else "ECS was not asked (--skip-aws)"
            self._say(f"nothing is left: no overflow pod, and {asked}")
        if not self._dry_run and not self._delete_nodes:
            self._say_how_to_undo()
        if ended.removed is not None and not ended.removed.leases:
            self._say_of_leases(ended.removed.nodes)

    def _say_of_leases(self, nodes: Iterable[str]) -> None:
        for name in nodes:
            self._say(
                f"the Lease kube-node-lease/{name} stays for an hour, or bridges that still run would make "
                "the node anew; once they are gone: spillway drain --delete-nodes --after-uninstall"
            )

    def _say_how_to_undo(self) -> None:
        for name in self._started.drain.closed if self._started is not None else ():
            self._say(f"to undo: kubectl annotate node {name} spillway.dev/gate- && kubectl uncordon {name}")

    def _say(self, line: str) -> None:
        with quiet_pipe():
            self._console.print(Text(line))


def _what_a_dry_run_means(ended: Ended) -> str:
    if ended.nothing_left:
        return "a dry run: nothing is left to drain"
    return f"a dry run: nothing was done; {words.count(len(ended.left), 'thing')} would be seen to"
