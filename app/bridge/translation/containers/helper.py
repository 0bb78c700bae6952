"""The in-task helper's part of a task: its two containers, and its lines (helper/README.md)."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.bridge.translation.containers.wrapping import DEFAULT_MESSAGE_PATH, init_policy_of
from app.model import signals
from app.model.container import Container, LifecycleHandler, is_sidecar
from app.model.image import ImageConfig
from app.model.names import HELPER_VOLUME, INSTALL_CONTAINER, KEEPER_CONTAINER
from app.model.pod import Pod
from app.model.wire import Json

FOLDER: Final = "/spillway"
INSTALLED: Final = f"{FOLDER}/bin/helper"
"""Where the helper is in every wrapped container."""

VOLUME: Final[Mapping[str, Json]] = {"name": HELPER_VOLUME}

MOST_MESSAGE: Final = 4096
MOST_MESSAGES: Final = 12 * 1024
"""Bytes of one container's and of all containers' termination messages:
https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/"""

LEAST_STOP_TIMEOUT: Final = 2
MOST_STOP_TIMEOUT: Final = 120
RECORDING: Final = 2
"""Seconds between the helper's SIGKILL of a command and ECS's of the helper, to write down the end."""

_IMAGE_COMMAND: Final = "/spillway-helper"


def mount() -> dict[str, Json]:
    """The mount of the helper's volume."""
    return {"sourceVolume": HELPER_VOLUME, "containerPath": FOLDER, "readOnly": False}


def install(*, image: str, mounts: Iterable[Json]) -> dict[str, Json]:
    """The container that writes files and the helper itself, before all others."""
    return {
        "name": INSTALL_CONTAINER,
        "image": image,
        "essential": False,
        "entryPoint": [_IMAGE_COMMAND],
        "command": ["install"],
        "user": "0",
        "readonlyRootFilesystem": True,
        "mountPoints": [mount(), *mounts],
    }


def keeper(*, image: str, names: Sequence[str]) -> dict[str, Json]:
    """The container that prints the helper's records.

    With names the task lasts until those containers are done, for then the keeper alone is essential.
    """
    return {
        "name": KEEPER_CONTAINER,
        "image": image,
        "essential": bool(names),
        "entryPoint": [_IMAGE_COMMAND],
        "command": ["keep", *names],
        "user": "0",
        "readonlyRootFilesystem": True,
        "mountPoints": [mount()],
        "dependsOn": [{"containerName": INSTALL_CONTAINER, "condition": "SUCCESS"}],
    }


def entry_point() -> list[str]:
    """The entry point of a wrapped container."""
    return [INSTALLED]


def wrapped(container: Container, words: Sequence[str]) -> tuple[str, ...]:
    """The command of a wrapped container: the helper's words, then the command's own."""
    return ("run", container.name, "--", *words)


def goes_before(words: Sequence[str], *, name: str) -> bool:
    """Whether these are the first words of a wrapped container's command, as a launch gave them to it."""
    return tuple(words[:3]) == ("run", name, "--")


def life_lines(container: Container, *, pod: Pod, image: ImageConfig | None = None) -> tuple[str, ...]:
    """Hooks, grace, stop signal, termination message and restarts of a wrapped container."""
    lifecycle = container.lifecycle
    policy = restart_policy(container, pod=pod)
    return (
        *(_hook("start", lifecycle.post_start) if lifecycle and lifecycle.post_start else ()),
        *(_hook("stop", lifecycle.pre_stop) if lifecycle and lifecycle.pre_stop else ()),
        f"grace {stop_timeout(pod, records=True) - RECORDING}",
        *_signal(container, image=image),
        _message(container, pod=pod),
        *((f"restart {policy}",) if policy != "Never" else ()),
    )


def restart_policy(container: Container, *, pod: Pod) -> str:
    """Always, OnFailure or Never: when the container is run again without the rest of the task."""
    if container in pod.spec.init_containers:
        return "Always" if is_sidecar(container) else container.restart_policy or init_policy_of(pod)
    return container.restart_policy or pod.spec.restart_policy


def stop_timeout(pod: Pod, *, records: bool = False) -> int:
    """Seconds from SIGTERM to SIGKILL: the pod's grace period as far as Fargate goes along (2 to 120).

    Args:
        pod: whose `terminationGracePeriodSeconds` are meant.
        records: whether the helper needs a moment more to record the end.
    """
    asked = max(pod.spec.termination_grace_period_seconds, LEAST_STOP_TIMEOUT)
    return min(asked + (RECORDING if records else 0), MOST_STOP_TIMEOUT)


def encoded(word: str) -> str:
    """A field `B64` of the helper's lines; `-` for an empty one."""
    return b64encode(word.encode()).decode() or "-"


def _hook(when: str, handler: LifecycleHandler) -> tuple[str, ...]:
    if handler.exec is not None:
        return (" ".join((when, "exec", *map(encoded, handler.exec.command))),)
    return (f"{when} sleep {handler.sleep.seconds}",) if handler.sleep is not None else ()


def _signal(container: Container, *, image: ImageConfig | None) -> tuple[str, ...]:
    """The signal that the pod asks for, or else the image; without one the helper passes ECS's on.

    https://docs.docker.com/reference/dockerfile/#stopsignal
    """
    asked = container.lifecycle.stop_signal if container.lifecycle is not None else None
    number = signals.number_of(asked or (image.stop_signal if image is not None else ""))
    if number is None or not signals.asks_to_end(number) or (not asked and number == signals.TERM):
        return ()
    return (f"signal {number}",)


def _message(container: Container, *, pod: Pod) -> str:
    path = container.termination_message_path or DEFAULT_MESSAGE_PATH
    count = len(pod.spec.init_containers) + len(pod.spec.containers)
    policy = container.termination_message_policy or "File"
    return f"message {encoded(path)} {policy} {min(MOST_MESSAGE, MOST_MESSAGES // count)}"
