"""Which containers the in-task helper goes before, as far as the pod's spec tells (helper/README.md).

What a container's Secrets and image add to that is known only at translation; here a container counts as
wrapped whenever it may be, which costs a look into its image's registry and nothing else.
"""

from collections.abc import Iterable
from typing import Final

from app.bridge.config import TaskSettings
from app.fargate.rights import forbids_root, user_of
from app.model.container import Container, EnvVar, Lifecycle, VolumeMount, is_sidecar
from app.model.pod import Pod
from app.model.volume import Volume

DEFAULT_MESSAGE_PATH: Final = "/dev/termination-log"

_ADDRESSES: Final = frozenset({"status.podIP", "status.podIPs"})


def wraps(container: Container, *, pod: Pod, settings: TaskSettings) -> bool:
    """Whether the helper may have to go before the container's command."""
    return (
        must_wrap(container, pod=pod)
        or _is_made_at_start(container)
        or _mounts_single_files(container, pod=pod)
        or _is_given_rights(container, pod=pod)
        or restarts_in_place(container, pod=pod, settings=settings)
    )


def must_wrap(container: Container, *, pod: Pod) -> bool:
    """Whether hooks, signal, message, restarts or /etc alone put the helper before the command."""
    return (
        _has_hooks(container.lifecycle)
        or _has_own_message_path(container)
        or edits_resolution(pod)
        or must_restart_in_place(container, pod=pod)
    )


def reads_image(container: Container, *, pod: Pod, settings: TaskSettings) -> bool:
    """Whether the translation has to know the image's configuration: its entry point, or its user.

    The entry point is what the helper starts where the pod names no command. The user decides what
    `runAsNonRoot`, `runAsGroup` and additional groups come to where the pod names no user.
    """
    if wraps(container, pod=pod, settings=settings) and not container.command:
        return True
    return user_of(container, pod) is None and _depends_on_user(container, pod=pod)


def group_of(container: Container, *, pod: Pod) -> int | None:
    """The numeric group that the pod asks for; None leaves it to the image."""
    own, shared = container.security_context, pod.spec.security_context
    if own is not None and own.run_as_group is not None:
        return own.run_as_group
    return shared.run_as_group if shared is not None else None


def groups_of(pod: Pod) -> tuple[int, ...]:
    """The groups that every container's process has besides its own: fsGroup and supplementalGroups."""
    context = pod.spec.security_context
    if context is None:
        return ()
    volumes_group = () if context.fs_group is None else (context.fs_group,)
    return tuple(sorted({*context.supplemental_groups, *volumes_group}))


def edits_resolution(pod: Pod) -> bool:
    """Whether /etc/hosts or the resolver's servers have to be other than the task's."""
    config = pod.spec.dns_config
    return bool(pod.spec.host_aliases) or bool(config is not None and config.nameservers)


def restarts_in_place(container: Container, *, pod: Pod, settings: TaskSettings) -> bool:
    """Whether the container is to be started again without the rest of the task.

    Several containers that always run on are restarted one by one where there is a helper, else together.
    """
    return must_restart_in_place(container, pod=pod) or (
        bool(settings.helper_image) and run_on_together(pod) and container in pod.spec.containers
    )


def must_restart_in_place(container: Container, *, pod: Pod) -> bool:
    """Whether a new task could not stand in for the container's restart.

    It can for a lone main container under the pod's own policy, and for init containers.
    """
    if container in pod.spec.init_containers:
        return not is_sidecar(container) and container.restart_policy not in {None, init_policy_of(pod)}
    policy = container.restart_policy or pod.spec.restart_policy
    return policy != pod.spec.restart_policy or (policy == "OnFailure" and len(pod.spec.containers) > 1)


def run_on_together(pod: Pod) -> bool:
    """Whether the pod has several main containers, none of which ever ends for good."""
    policies = {each.restart_policy or pod.spec.restart_policy for each in pod.spec.containers}
    return len(pod.spec.containers) > 1 and policies == {"Always"}


def init_policy_of(pod: Pod) -> str:
    """When an init container without a policy of its own is run again."""
    return "Never" if pod.spec.restart_policy == "Never" else "OnFailure"


def _has_hooks(lifecycle: Lifecycle | None) -> bool:
    return lifecycle is not None and bool(lifecycle.post_start or lifecycle.pre_stop or lifecycle.stop_signal)


def _has_own_message_path(container: Container) -> bool:
    return container.termination_message_path not in {"", DEFAULT_MESSAGE_PATH}


def _is_made_at_start(container: Container) -> bool:
    """Whether a variable or word is known only in the task: its address, or made of a Secret's value."""
    if any(_field_of(each) in _ADDRESSES for each in container.env):
        return True
    return _has_secrets(container) and any("$(" in text for text in _texts(container))


def _field_of(variable: EnvVar) -> str:
    source = variable.value_from
    return source.field_ref.field_path if source and source.field_ref else ""


def _has_secrets(container: Container) -> bool:
    single = any(each.value_from and each.value_from.secret_key_ref for each in container.env)
    return single or any(each.secret_ref for each in container.env_from)


def _texts(container: Container) -> Iterable[str]:
    return (*container.command, *container.args, *(each.value for each in container.env))


def _mounts_single_files(container: Container, *, pod: Pod) -> bool:
    written = {volume.name for volume in pod.spec.volumes if _is_written_by_us(volume)}
    return any(mount.name in written and _is_part(mount) for mount in container.volume_mounts)


def _is_written_by_us(volume: Volume) -> bool:
    return bool(volume.config_map or volume.secret or volume.downward_api or volume.projected)


def _is_part(mount: VolumeMount) -> bool:
    return bool(mount.sub_path or mount.sub_path_expr)


def _is_given_rights(container: Container, *, pod: Pod) -> bool:
    own = container.security_context
    if own is not None and own.allow_privilege_escalation is False:
        return True
    return bool(set(groups_of(pod)) - {group_of(container, pod=pod)})


def _depends_on_user(container: Container, *, pod: Pod) -> bool:
    return (
        forbids_root(container, pod)
        or group_of(container, pod=pod) is not None
        or bool(groups_of(pod))
        or edits_resolution(pod)
        or _mounts_single_files(container, pod=pod)
    )
