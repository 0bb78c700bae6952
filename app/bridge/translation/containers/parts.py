"""The pod's containers, each with all that its definition and its override are made of."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation.answers import Refusal, refusal_of, refused
from app.bridge.translation.containers import helper
from app.bridge.translation.containers.security import Rights, rights_of
from app.bridge.translation.containers.wrapping import edits_resolution, must_wrap, run_on_together
from app.bridge.translation.environment import resolution
from app.bridge.translation.environment.expansion import escape
from app.bridge.translation.environment.resolved import Resolved, resolve
from app.bridge.translation.material import Material, Unready
from app.fargate.rights import ROOT, all_containers
from app.model.container import Container, is_sidecar
from app.model.image import ImageConfig
from app.model.image_reference import ImageNameError, parsed
from app.model.pod import Pod
from app.model.reason import Reason

Role = Literal["init", "sidecar", "main"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One container, resolved.

    Attributes:
        image: what ECS pulls: by its digest where its entry point was read from the registry.
        command: every word that runs, the entry point first; empty leaves it to the image. Of a wrapped
            container these are the words behind the helper's.
        run: the text of SPILLWAY_RUN; None where the helper does not go before the command.
    """

    container: Container
    role: Role
    image: str
    words: Resolved
    rights: Rights
    command: tuple[str, ...]
    run: str | None = None

    @property
    def name(self) -> str:
        """The container's name."""
        return self.container.name


class _Task(msgspec.Struct, frozen=True):
    pod: Pod
    places: Mapping[str, tuple[str, ...]]
    material: Material
    settings: TaskSettings


def parts_of(
    pod: Pod, *, places: Mapping[str, tuple[str, ...]], material: Material, settings: TaskSettings
) -> list[Part] | Refusal:
    """Every container of the pod in its order, init containers first.

    Args:
        pod: the pod.
        places: the helper's `place` lines of each container that mounts single files.
        material: what was found.
        settings: the bridge's.
    """
    task = _Task(pod, places, material, settings)
    answers = [_part(container, task=task, field=field) for field, container in all_containers(pod)]
    return refused(answers) or [each for each in answers if isinstance(each, Part)]


def _part(container: Container, *, task: _Task, field: str) -> Part | Refusal:
    image = task.material.images.get(container.image)
    words = resolve(container, pod=task.pod, material=task.material, settings=task.settings, field=field)
    unread = task.material.unread_images.get(container.image, "")
    rights = rights_of(container, pod=task.pod, image=image, unread=unread, field=field)
    if isinstance(words, Unready | tuple) or isinstance(rights, Unready | tuple):
        return refusal_of((words, rights))
    plain = Part(
        container=container,
        role=_role(container, pod=task.pod),
        image=container.image,
        words=_with_resolver(words, task=task),
        rights=rights,
        command=(*words.command, *words.args),
    )
    return _wrapped(plain, task=task, image=image, field=field) if _is_wrapped(plain, task=task) else plain


def _role(container: Container, *, pod: Pod) -> Role:
    if container in pod.spec.containers:
        return "main"
    return "sidecar" if is_sidecar(container) else "init"


def _with_resolver(words: Resolved, *, task: _Task) -> Resolved:
    """The words with the resolver's variables, unless the container sets them itself."""
    wanted = resolution.resolver(task.pod, settings=task.settings)
    ours = resolution.resolver_variables(wanted)
    missing = {name: value for name, value in ours.items() if name not in words.secrets}
    return msgspec.structs.replace(words, environment={**missing, **words.environment})


def _is_wrapped(part: Part, *, task: _Task) -> bool:
    """Whether the helper goes before the command: where it must, and where it spares the others a restart."""
    if part.words.run or part.rights.run or task.places.get(part.name):
        return True
    if must_wrap(part.container, pod=task.pod):
        return True
    return part.role == "main" and run_on_together(task.pod) and _can_wrap_all(task)


def _can_wrap_all(task: _Task) -> bool:
    known = task.material.images
    return bool(task.settings.helper_image) and all(
        each.command or each.image in known for each in task.pod.spec.containers
    )


def _wrapped(part: Part, *, task: _Task, image: ImageConfig | None, field: str) -> Part | Refusal:
    reasons = tuple(_obstacles(part, task=task, image=image, field=field))
    if reasons:
        return reasons
    lines = (
        *part.words.run,
        *task.places.get(part.name, ()),
        *_resolution_lines(part, task=task),
        *part.rights.run,
        *helper.life_lines(part.container, pod=task.pod, image=image),
    )
    return msgspec.structs.replace(
        part,
        image=_pinned(part.image, image) if image is not None and not part.container.command else part.image,
        command=_command(part, image=image),
        run="\n".join(lines),
    )


def _obstacles(part: Part, *, task: _Task, image: ImageConfig | None, field: str) -> Iterable[Reason]:
    if image is None and not part.container.command:
        yield _unknown(part, why=task.material.unread_images.get(part.image, ""), field=field)
    elif not _command(part, image=image):
        yield Reason("NoCommand", f"{part.image} names no command; name one", f"{field}.command")
    if task.places.get(part.name) and part.rights.uid != ROOT:
        yield Reason(
            "SubPathFile",
            "a single file is copied in, which only a container that runs as root can do; mount the whole "
            "volume at a folder of its own instead",
            f"{field}.volumeMounts",
        )
    if edits_resolution(task.pod) and not part.rights.edits_files:
        yield Reason(
            "NotRoot",
            "hostAliases and nameservers are written into /etc at the container's start, by root into a "
            "writable root file system; remove them",
            field,
        )


def _unknown(part: Part, *, why: str, field: str) -> Reason:
    told = f", which its registry does not tell ({why})" if why else ""
    return Reason(
        "ImageUnknown",
        f"the in-task helper has to know what {part.image} starts{told}; "
        "name its command, or let the bridge read the registry",
        f"{field}.command",
    )


def _command(part: Part, *, image: ImageConfig | None) -> tuple[str, ...]:
    """Every word that the container runs, the image's where the pod leaves them to it.

    https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
    """
    if part.container.command or image is None:
        return part.command
    # The helper expands every word if any; what the image says is never expanded.
    literal = "words" in part.words.run
    own = (*image.entry_point, *(() if part.words.args else image.command))
    return (*(escape(each) if literal else each for each in own), *part.words.args)


def _resolution_lines(part: Part, *, task: _Task) -> tuple[str, ...]:
    if not part.rights.edits_files:
        return ()
    wanted = resolution.resolver(task.pod, settings=task.settings)
    return (*resolution.host_lines(task.pod.spec.host_aliases), *resolution.resolver_lines(wanted))


def _pinned(name: str, image: ImageConfig) -> str:
    """The image by its digest, so that the entry point is surely that of what is pulled."""
    try:
        return f"{parsed(name).name}@{image.digest}" if image.digest else name
    except ImageNameError:
        return name
