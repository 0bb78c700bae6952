"""As whom a container runs and with which rights: what ECS takes, and what the helper does for the rest.

https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from app.bridge.translation.containers.wrapping import group_of, groups_of
from app.bridge.translation.material import Unready
from app.fargate.rights import ROOT, forbids_root, has_read_only_root, user_of
from app.fargate.security_fields import DEFAULT_CAPABILITIES, capability, dotted_sysctl
from app.model.container import Capabilities, Container, SecurityContext
from app.model.image import ImageConfig
from app.model.pod import Pod, PodSecurityContext
from app.model.reason import Reason
from app.model.wire import Json

_TO_CHANGE_USER: Final = frozenset({"SETGID", "SETPCAP", "SETUID"})
"""What the helper needs to become another user; it gives them up itself."""

_ALL: Final = "ALL"


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """A container's rights in ECS's words, and the helper's lines for the rest.

    Attributes:
        user: the definition's `user`; empty leaves it to the image.
        uid: as whom the command runs in the end; None where the image names a user that only it knows.
        capabilities: `linuxParameters.capabilities`.
        read_only: whether the container's own file system is.
        controls: the definition's `systemControls`.
        run: lines of SPILLWAY_RUN.
    """

    user: str = ""
    uid: int | None = None
    capabilities: dict[str, list[str]] = {}
    read_only: bool = False
    controls: tuple[Json, ...] = ()
    run: tuple[str, ...] = ()

    @property
    def edits_files(self) -> bool:
        """Whether the helper can write the container's own files before it becomes the command."""
        return self.uid == ROOT and not self.read_only


class _Person(msgspec.Struct, frozen=True):
    """As whom the command runs: user and group as the helper takes them, by number or by a name of the image.

    An empty user is not known, an empty group is the user's own.
    """

    user: str
    group: str

    @property
    def uid(self) -> int | None:
        """The user's number; None where only the image knows it."""
        return _number(self.user)

    @property
    def gid(self) -> int | None:
        """The group's number; None where only the image knows it."""
        return _number(self.group)


def rights_of(
    container: Container, *, pod: Pod, image: ImageConfig | None, unread: str = "", field: str
) -> Rights | Unready | tuple[Reason, ...]:
    """The container's rights; or kubelet's words where it must not be root and is; or why ECS cannot do it.

    Args:
        container: one of the pod's.
        pod: whose security context holds where the container's says nothing.
        image: the image's configuration, where it is known.
        unread: why it is not.
        field: the container's path in the pod.
    """
    person = _person(container, pod=pod, image=image)
    if forbids_root(container, pod) and person.uid == ROOT:
        return _root_after_all(container, pod=pod)
    missing = tuple(each for each in groups_of(pod) if each != person.gid)
    if missing and not person.user:
        return (_unknown_user(field, "fsGroup and supplementalGroups", unread=unread),)
    user = _ecs_user(container, pod=pod, image=image)
    if user is None:
        return (_unknown_user(field, "runAsGroup", unread=unread),)
    changes = bool(missing) and person.uid != ROOT
    dropped, added = _capabilities(_context(container).capabilities or Capabilities())
    kept = _kept_to_change(changes=changes, groups=bool(missing)) & dropped
    return Rights(
        user="0" if changes else user,
        uid=person.uid,
        capabilities=_kernel_capabilities(dropped - kept, added),
        read_only=has_read_only_root(container),
        controls=_controls(pod),
        run=(
            *(("nonroot",) if forbids_root(container, pod) and person.uid is None else ()),
            *_user_lines(person, groups=missing),
            *((f"drop {','.join(sorted(kept))}",) if kept else ()),
            *(("nonewprivileges",) if _context(container).allow_privilege_escalation is False else ()),
        ),
    )


def _person(container: Container, *, pod: Pod, image: ImageConfig | None) -> _Person:
    asked, group = user_of(container, pod), group_of(container, pod=pod)
    wanted = "" if group is None else str(group)
    if asked is not None:
        return _Person(str(asked), wanted)
    if image is None:
        return _Person("", wanted)
    named, _, theirs = image.user.partition(":")
    return _Person(named or str(ROOT), wanted or theirs)


def _number(word: str) -> int | None:
    """The number that the word stands for in every image."""
    if word == "root":
        return ROOT
    return int(word) if word.isdecimal() else None


def _ecs_user(container: Container, *, pod: Pod, image: ImageConfig | None) -> str | None:
    """ECS's `user`; None where a group is asked for and nothing tells whose user it goes with."""
    asked, group = user_of(container, pod), group_of(container, pod=pod)
    if asked is not None:
        return str(asked) if group is None else f"{asked}:{group}"
    if group is None:
        return ""
    return f"{image.user.partition(':')[0] or ROOT}:{group}" if image is not None else None


def _user_lines(person: _Person, *, groups: tuple[int, ...]) -> Iterable[str]:
    """The helper's `user` line, where groups are missing; `+` are those that the image gives the user."""
    if not groups:
        return ()
    return (f"user {person.user} {person.group or '-'} {','.join(('+', *map(str, groups)))}",)


def _kept_to_change(*, changes: bool, groups: bool) -> frozenset[str]:
    if changes:
        return _TO_CHANGE_USER
    return frozenset({"SETGID", "SETPCAP"}) if groups else frozenset()


def _capabilities(asked: Capabilities) -> tuple[frozenset[str], frozenset[str]]:
    """What is taken from the default set, and what is added to it.

    A runtime takes ALL first, then adds, then drops one by one.
    """
    drop, add = frozenset(map(capability, asked.drop)), frozenset(map(capability, asked.add))
    start = frozenset() if _ALL in drop else DEFAULT_CAPABILITIES
    result = (start | add) - drop
    return DEFAULT_CAPABILITIES - result, result - DEFAULT_CAPABILITIES


def _kernel_capabilities(dropped: frozenset[str], added: frozenset[str]) -> dict[str, list[str]]:
    drop = [_ALL] if dropped == DEFAULT_CAPABILITIES else sorted(dropped)
    wanted = {"drop": drop, "add": sorted(added)}
    return {key: names for key, names in wanted.items() if names}


def _controls(pod: Pod) -> tuple[Json, ...]:
    """The pod's sysctls. All containers share the network's; the rest belongs to each container."""
    sysctls = (pod.spec.security_context or PodSecurityContext()).sysctls
    return tuple({"namespace": dotted_sysctl(each.name), "value": each.value or ""} for each in sysctls)


def _context(container: Container) -> SecurityContext:
    return container.security_context or SecurityContext()


def _root_after_all(container: Container, *, pod: Pod) -> Unready:
    """Kubelet's refusal, in its words (pkg/kubelet/kuberuntime/security_context_others.go)."""
    who = f'(pod: "{pod.metadata.name}_{pod.metadata.namespace}({pod.uid})", container: {container.name})'
    if user_of(container, pod) is not None:
        return Unready("CreateContainerConfigError", f"container's runAsUser breaks non-root policy {who}")
    message = f"container has runAsNonRoot and image will run as root {who}"
    return Unready("CreateContainerConfigError", message)


def _unknown_user(field: str, wanted: str, *, unread: str) -> Reason:
    told = f" ({unread})" if unread else ""
    return Reason(
        "ImageUser",
        f"{wanted} goes with the image's user, which is not known{told}; set runAsUser",
        f"{field}.securityContext",
    )
