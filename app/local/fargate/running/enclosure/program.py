"""From a plan and a command to the container's first process."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Final, NoReturn

from app.local.fargate.running.enclosure import kernel, namespace, root
from app.local.fargate.running.enclosure.plan import (
    NOT_EXECUTABLE,
    NOT_FOUND,
    NOT_STARTED,
    Impossible,
    Plan,
    plan_from,
)
from app.local.fargate.running.enclosure.user import User, user_from

_CAPABILITIES: Final = range(64)
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


def main() -> NoReturn:
    """Become the command `sys.argv[2:]` by the plan `sys.argv[1]`, or say why not and exit."""
    plan, argv = plan_from(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(plan.report, False)  # noqa: FBT003  (it takes no keyword)
    given = _environment()
    try:
        user = user_from(plan.user)
        _prepare(plan, user)
    except (OSError, Impossible) as cause:
        _fail(plan, str(cause), code=NOT_STARTED)
    try:
        os.execvpe(argv[0], argv, {b"HOME": os.fsencode(user.home)} | given)  # noqa: S606  (a container's command has no shell)
    except OSError as cause:
        missing = isinstance(cause, FileNotFoundError)
        _fail(plan, f'exec: "{argv[0]}": {cause.strerror}', code=NOT_FOUND if missing else NOT_EXECUTABLE)


def _environment() -> dict[bytes, bytes]:
    """As it was given: Python adds a locale of its own to `os.environ`."""
    given = Path("/proc/self/environ").read_bytes().split(b"\0")
    pairs = (each.partition(b"=") for each in given if b"=" in each)
    return {name: value for name, _, value in pairs}


def _prepare(plan: Plan, user: User) -> None:
    real = namespace.enter(user)
    root.enter(plan, real=real)
    _give_up_capabilities(plan)
    if real:
        _become(user)
    os.chdir(plan.directory or "/")
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    kernel.die_with_parent(signal.SIGKILL)
    if os.getppid() != plan.parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _give_up_capabilities(plan: Plan) -> None:
    for number in _CAPABILITIES:
        if number not in plan.capabilities and not kernel.give_up_capability(number):
            break
    kernel.clear_ambient_capabilities()


def _become(user: User) -> None:
    for output in (sys.stdout, sys.stderr):
        os.fchown(output.fileno(), user.uid, -1)  # else it could not open /dev/stdout
    os.setgroups(user.groups)
    os.setgid(user.gid)
    os.setuid(user.uid)


def _fail(plan: Plan, reason: str, *, code: int) -> NoReturn:
    with contextlib.suppress(BrokenPipeError):  # nobody is left to be told
        os.write(plan.report, reason.encode())
    os._exit(code)
