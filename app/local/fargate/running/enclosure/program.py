"""From a plan and a command to the container's first process."""

import os
import sys
from typing import NoReturn

from app.local.fargate.running.enclosure import becoming, namespace, root
from app.local.fargate.running.enclosure.plan import NOT_STARTED, Impossible, Plan, plan_from
from app.local.fargate.running.enclosure.user import User, user_from


def main() -> NoReturn:
    """Become the command `sys.argv[2:]` by the plan `sys.argv[1]`, or say why not and exit."""
    plan, argv = plan_from(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(plan.report, False)  # noqa: FBT003  (it takes no keyword)
    given = becoming.environment()
    try:
        user = user_from(plan.user)
        _prepare(plan, user)
    except (OSError, Impossible) as cause:
        becoming.fail(str(cause), report=plan.report, code=NOT_STARTED)
    becoming.execute(argv, {b"HOME": os.fsencode(user.home)} | given, report=plan.report)


def _prepare(plan: Plan, user: User) -> None:
    real = namespace.enter(user)
    root.enter(plan, real=real)
    becoming.give_up_capabilities(plan.capabilities)
    if real:
        _become(user)
    os.chdir(plan.directory or "/")
    becoming.follow(plan.parent)


def _become(user: User) -> None:
    for output in (sys.stdout, sys.stderr):
        os.fchown(output.fileno(), user.uid, -1)  # else it could not open /dev/stdout
    os.setgroups(user.groups)
    os.setgid(user.gid)
    os.setuid(user.uid)
