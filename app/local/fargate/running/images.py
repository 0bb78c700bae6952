"""Images that the embedded Fargate knows something about: which files they hold, and how they start. Pure."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from app.local.fargate.definitions.container_spec import ContainerSpec, Variable


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an image.

    Attributes:
        files: absolute path in a container → the host's file that stands there, read-only. The rest of the
            root is the host's.
        entry_point, command, environment, user, working_directory: the image's own, which a container
            definition may replace.
        wrappers: programs that execute what follows `--` in their arguments: a container that starts with
            one is real only where the host has that command too.
        simulated: a word of a command → the script (app.local.fargate.running.simulated) that a simulated container
            of this image then follows.
        followers: words of a command: a simulated container of this image ends once all containers that are
            named behind one are over.
    """

    files: Mapping[str, Path] = {}
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    user: str = ""
    working_directory: str = ""
    wrappers: tuple[str, ...] = ()
    simulated: Mapping[str, str] = {}
    followers: tuple[str, ...] = ()


NOTHING_KNOWN = Image()


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
