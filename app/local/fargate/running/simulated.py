"""Containers without a process: they follow a script, or run until they are stopped."""

import signal
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from app.local.fargate.agenda import Agenda
from app.local.fargate.running.workload import Key, Listener, Workload

SCRIPT_VARIABLE: Final = "SPILLWAY_SIMULATE"
"""Environment variable with the script as JSON; a task with it in any container is simulated."""

OUT_OF_MEMORY: Final = "OutOfMemoryError: Container killed due to memory usage"

_KILLED: Final = 128 + signal.SIGKILL
_TERMINATED: Final = 128 + signal.SIGTERM


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulated container does.

    Attributes:
        run_seconds: how long it runs by itself; None for until it is stopped.
        awaits: containers of its task after whose ends it ends by itself; of a task, one may await others.
        exit_code: how it ends by itself.
        log: lines that it prints, `log_every` seconds apart (0: all at once).
        pull_error: its image cannot be pulled, for this reason; it never starts.
        oom: it ends by itself for want of memory.
        checks: exit codes of its health checks in turn, the last one from then on; None hangs for ever.
        term_seconds: how long it takes to end after SIGTERM; `term_exit_code` is how it ends then.
    """

    run_seconds: float | None = None
    awaits: tuple[str, ...] = ()
    exit_code: int = 0
    log: tuple[str, ...] = ()
    log_every: float = 0.0
    pull_error: str = ""
    oom: bool = False
    checks: tuple[int | None, ...] = (0,)
    term_seconds: float = 0.0
    term_exit_code: int = _TERMINATED


def script_of(text: str | None) -> Script:
    """The script in the variable's value; one that cannot be read fails the container and says why."""
    if text is None:
        return Script()
    try:
        return msgspec.json.decode(text, type=Script)
    except msgspec.MsgspecError as cause:
        return Script(run_seconds=0.0, exit_code=1, log=(f"{SCRIPT_VARIABLE} is not a script: {cause}",))


class SimulatedRunner:
    """Plays scripts on the agenda (`workload.Runner`); thousands cost next to nothing."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._running: dict[Key, _Play] = {}
        self._waiting: dict[str, _Play] = {}

    def start(self, workload: Workload, listener: Listener) -> None:
        """Begin to play the workload's script."""
        script = script_of(workload.environment.get(SCRIPT_VARIABLE))
        play = _Play(workload.key, script, listener)
        self._running[workload.key] = play
        if script.awaits:
            self._waiting[workload.task] = play
        for index, line in enumerate(script.log):
            self._agenda.after(index * script.log_every, partial(self._print, play, line))
        seconds = 0.0 if script.oom and script.run_seconds is None else script.run_seconds
        if seconds is not None:
            self._agenda.after(seconds, partial(self._end, play))

    def terminate(self, key: Key) -> None:
        """End the way the script ends on SIGTERM."""
        play = self._running.get(key)
        if play is not None:
            code = play.script.term_exit_code
            self._agenda.after(play.script.term_seconds, partial(self._exit, play, code))

    def kill(self, key: Key) -> None:
        """End at once."""
        play = self._running.get(key)
        if play is not None:
            self._exit(play, _KILLED)

    def leader(self, key: Key) -> int | None:  # noqa: ARG002  (nothing runs)
        """None: there is no process."""
        return None

    def check(
        self,
        workload: Workload,
        argv: tuple[str, ...],  # noqa: ARG002  (the script says what comes of it)
        done: Callable[[int], None],
    ) -> Callable[[], None]:
        """Answer what the script says next."""
        play = self._running.get(workload.key)
        code = play.next_check() if play is not None else None
        if code is not None:
            self._agenda.after(0.0, partial(done, code))
        return _nothing_runs

    def _print(self, play: "_Play", line: str) -> None:
        if self._running.get(play.key) is play:
            play.listener.printed(play.key, line)

    def _end(self, play: "_Play") -> None:
        if play.script.oom:
            self._exit(play, _KILLED, reason=OUT_OF_MEMORY)
        else:
            self._exit(play, play.script.exit_code)

    def _exit(self, play: "_Play", code: int, *, reason: str = "") -> None:
        if self._running.get(play.key) is play:
            del self._running[play.key]
            play.listener.exited(play.key, code, reason=reason)
            self._note_end(play)

    def _note_end(self, play: "_Play") -> None:
        task, name = play.key
        waiting = self._waiting.get(task)
        if waiting is play:
            del self._waiting[task]
        elif waiting is not None and play.key not in self._running:
            waiting.awaited.discard(name)
            if not waiting.awaited:
                self._agenda.after(0.0, partial(self._end, waiting))


def _nothing_runs() -> None:
    """End a health check that was never more than its answer."""


class _Play:
    """One run of a script; a restarted container is another one."""

    def __init__(self, key: Key, script: Script, listener: Listener) -> None:
        self.key = key
        self.script = script
        self.listener = listener
        self.awaited = set(script.awaits)
        self._checked = 0

    def next_check(self) -> int | None:
        """What the next health check ends with."""
        checks = self.script.checks or (0,)
        code = checks[min(self._checked, len(checks) - 1)]
        self._checked += 1
        return code
