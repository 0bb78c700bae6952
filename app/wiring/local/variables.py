"""The user's `SPILLWAY_*` on their way to the programs of a local stack, and whether they can work there."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from app import settings
from app.settings.service_links import is_service_link
from app.wiring.local.options import LocalOptions, LocalStackError

RUN: Final = ("bridge", "extender", "webhook")
"""The programs of a stack."""

_STACKS_OWN: Final = frozenset({"early_burst", "nodes_file"})
"""What the stack itself must know: it has flags of its own for it, or is made for one node."""

_MADE_UP: Final[Mapping[str, Mapping[str, Any]]] = {
    "bridge": {"subnets": "subnet-local", "kubelet_cert_signer": "local.example/kubelet"},
    "extender": {"host": "127.0.0.1"},
}
"""What makes the settings of these programs whole before the stack is there; the webhook's need files."""


def passed_on(
    environ: Mapping[str, str], *, set_here: Mapping[str, Iterable[str]]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The variables that some program reads and the stack leaves to it; and those that the stack sets itself.

    Args:
        environ: the user's.
        set_here: the settings, by program, that the stack gives as flags.
    """
    readers = {program: settings.PROGRAMS[program].model_fields for program in RUN}
    passed, kept = {}, []
    for name, value in environ.items():
        field = name.upper().removeprefix("SPILLWAY_").lower()
        of = [program for program in RUN if field in readers[program]]
        if not of or not value or settings.variable(field) != name.upper() or is_service_link(name, value):
            continue
        if field in _STACKS_OWN or all(field in set_here[program] for program in of):
            kept.append(name)
        else:
            passed[name] = value
    return passed, tuple(sorted(kept))


def require_sound(options: LocalOptions) -> None:
    """That settings agree, before anything is started for them.

    Raises:
        LocalStackError: they do not; every fault, each with its mend.
    """
    own = {"extender": {"actuator": options.actuator}}
    faults = [
        fault
        for program, made_up in _MADE_UP.items()
        for fault in _faults(program, {**made_up, **own.get(program, {}), **_flags(options, program)})
    ]
    if faults:
        raise LocalStackError("\n".join(dict.fromkeys(faults)))


def _flags(options: LocalOptions, program: str) -> dict[str, Any]:
    given = options.program_flags.get(program, {})
    return {name.replace("-", "_"): value for name, value in given.items()}


def _faults(program: str, flags: dict[str, Any]) -> list[str]:
    try:
        settings.load(settings.PROGRAMS[program], flags)
    except settings.SettingsError as error:
        return str(error).splitlines()
    return []
