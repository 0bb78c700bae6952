"""What an image gives to a container: its files, how it starts, what it does where it is simulated. Pure."""

import json
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from app.local.fargate.config import Image
from app.local.fargate.definitions.container_spec import ContainerSpec, Variable

NOTHING_KNOWN: Final = Image()


def completed(spec: ContainerSpec, image: Image) -> ContainerSpec:
    """A container definition with what the image says where the definition is silent, as Docker does it.

    An entry point of the definition puts the image's command out of force.
    """
    given = {each.name for each in spec.environment}
    inherited = [Variable(name, value) for name, value in image.environment.items() if name not in given]
    return msgspec.structs.replace(
        spec,
        entry_point=spec.entry_point or image.entry_point,
        command=spec.command or (() if spec.entry_point else image.command),
        environment=(*inherited, *spec.environment),
        user=spec.user or image.user,
        working_directory=spec.working_directory or image.working_directory,
    )


def is_runnable(
    spec: ContainerSpec,
    argv: tuple[str, ...],
    images: Mapping[str, Image],
    *,
    host_has: Callable[[str], bool],
) -> bool:
    """Whether a container's command can be executed: the host has it, its image, or perhaps a volume."""
    wrappers = frozenset(path for image in images.values() for path in image.wrappers)
    own = images.get(spec.image, NOTHING_KNOWN).files
    mounted = tuple(f"{each.container_path.rstrip('/')}/" for each in spec.mount_points)
    commands = needed_commands(argv, wrappers)
    return bool(commands) and all(
        each in own or each.startswith(mounted) or host_has(each) for each in commands
    )


def simulated_script(spec: ContainerSpec, argv: tuple[str, ...], images: Mapping[str, Image]) -> str | None:
    """The script that a simulated container follows for its image's sake."""
    image = images.get(spec.image, NOTHING_KNOWN)
    for index, word in enumerate(argv, start=1):
        if word in image.simulated:
            return image.simulated[word]
        if word in image.followers:
            return json.dumps({"awaits": argv[index:]})
    return None


def needed_commands(argv: tuple[str, ...], wrappers: frozenset[str]) -> tuple[str, ...]:
    """What has to be executable for a command to run; empty where it names none."""
    if not argv or argv[0] not in wrappers:
        return argv[:1]
    wrapped = argv[argv.index("--") + 1 :] if "--" in argv else ()
    return (argv[0], wrapped[0]) if wrapped else ()
