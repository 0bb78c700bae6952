"""Variables that look like settings and are none: a misspelt limit is no limit, so each is told of."""

import difflib
from collections.abc import Mapping
from typing import Final

from app.model import names
from app.settings.common import PREFIX
from app.settings.loading import PROGRAMS, variable
from app.settings.service_links import is_service_link

_OTHERS: Final = frozenset(
    {
        names.IDENTITY_VARIABLE,
        names.ATTEMPT_VARIABLE,
        names.PLAN_VARIABLE,
        names.OWN_PLAN_VARIABLE,
        names.RUN_VARIABLE,
        names.SEAL_KEY_VARIABLE,
    }
)
"""What tasks have: a program of ours may run in one."""
_CLOSE: Final = 0.75


def known_variables() -> frozenset[str]:
    """The variables of all programs: one ConfigMap may serve several."""
    return frozenset(variable(name) for kind in PROGRAMS.values() for name in kind.model_fields)


def unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """A line for each variable of ours that no program reads, with the nearest that one does."""
    known = known_variables() | _OTHERS
    upper = {name.upper(): name for name in environ}
    return tuple(
        _line(upper[name], known)
        for name in sorted(upper)
        if name.startswith(PREFIX)
        and name not in known
        and environ[upper[name]]
        and not is_service_link(name, environ[upper[name]])
    )


def _line(name: str, known: frozenset[str]) -> str:
    shorter = {each.removeprefix(PREFIX): each for each in known - _OTHERS}
    near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), shorter, n=1, cutoff=_CLOSE)
    mend = f"do you mean {shorter[near[0]]}?" if near else "docs/settings.md has all that are"
    return f"{name} is no setting of any program, and is not read; {mend}"
