"""Image pull secrets: the logins in them, and the entry that ECS pulls each image with.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html
"""

from collections.abc import Sequence
from typing import NamedTuple

from app.bridge.material import entries
from app.bridge.material.findings import Findings, Refusal, unpulled, unreadable
from app.bridge.material.referred import Referred, unstored
from app.bridge.material.shelf import Shelf
from app.bridge.translation.material import Unready
from app.model.image_reference import ImageNameError, parsed
from app.model.objects import Secret
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.registry_login import (
    IDENTITY_TOKEN,
    DockerConfigError,
    RegistryLogin,
    from_docker_cfg,
    from_docker_config_json,
    matching,
)
from app.ports.failures import NotFound, Refused


class Login(NamedTuple):
    """A login, and the entry that it is kept in."""

    login: RegistryLogin
    name: str


class Logins(NamedTuple):
    """What a pod's pull secrets hold, and the names of those that are not there."""

    found: tuple[Login, ...]
    missing: tuple[str, ...]


class Pulls:
    """Reads pull secrets, and stores a login for each image that one is for."""

    def __init__(self, referred: Referred, shelf: Shelf, *, prefix: str) -> None:
        self._referred = referred
        self._shelf = shelf
        self._prefix = prefix

    async def logins(self, pod: Pod, *, findings: Findings) -> Logins:
        """Every login of the pod's pull secrets. Raises PortFailure.

        A secret that is not there holds nothing back, as with kubelet.
        """
        found: list[Login] = []
        missing: list[str] = []
        for each in pod.spec.image_pull_secrets:
            answer = await self._logins_in(pod, each.name)
            if answer is None:
                missing.append(each.name)
            else:
                found += findings.take(answer) or []
        return Logins(tuple(found), tuple(missing))

    async def stored(
        self, pod: Pod, logins: Sequence[Login], *, findings: Findings, names: set[str]
    ) -> dict[str, str]:
        """The ARN of the login's entry, for each image that one is for. Raises PortFailure."""
        found: dict[str, str] = {}
        for image in images_of(pod) if logins else ():
            arn = findings.take(await self._stored(image, logins, names))
            if arn:
                found[image] = arn
        return found

    async def _logins_in(self, pod: Pod, name: str) -> list[Login] | Unready | None:
        namespace, image = pod.metadata.namespace, pod.spec.containers[0].image
        try:
            secret = await self._referred.secret(namespace, name)
            logins = logins_of(secret)
        except NotFound:
            return None
        except Refused as failure:
            return unpulled(image, unreadable(failure, verb="get", resource="secrets", namespace=namespace))
        except DockerConfigError as error:
            return unpulled(image, f'image pull secret "{name}": {error}')
        return [
            Login(login, entries.entry_name(self._prefix, secret.metadata, "pull", number))
            for number, login in enumerate(logins)
        ]

    async def _stored(self, image: str, logins: Sequence[Login], names: set[str]) -> str | Unready | Refusal:
        try:
            best = _best(image, logins)
        except ImageNameError as error:
            return Unready("InvalidImageName", str(error), "InspectFailed")
        if best is None:
            return ""
        login, name = best
        if login.username == IDENTITY_TOKEN:
            return (_no_password(image, login),)
        try:
            arn = await self._shelf.put(name, {"username": login.username, "password": login.password})
        except Refused as failure:
            return unpulled(image, unstored(f"the login for {login.registry}", failure))
        names.add(name)
        return arn


def images_of(pod: Pod) -> tuple[str, ...]:
    """Every image of the pod, once."""
    return tuple(dict.fromkeys(each.image for each in (*pod.spec.init_containers, *pod.spec.containers)))


def logins_of(secret: Secret) -> tuple[RegistryLogin, ...]:
    """The logins in a pull secret; none where it is of another type, as with kubelet.

    Raises:
        DockerConfigError: the secret holds no docker configuration.
    """
    match secret.type:
        case "kubernetes.io/dockerconfigjson" if secret.data.get(".dockerconfigjson"):
            return from_docker_config_json(secret.data[".dockerconfigjson"])
        case "kubernetes.io/dockercfg" if secret.data.get(".dockercfg"):
            return from_docker_cfg(secret.data[".dockercfg"])
        case _:
            return ()


def _best(image: str, logins: Sequence[Login]) -> Login | None:
    """ECS takes one login for an image, where a kubelet tries all: the first one with a password.

    Raises:
        ImageNameError: the image has no name.
    """
    fitting = matching(parsed(image), [each.login for each in logins])
    ranked = sorted(fitting, key=lambda login: login.username == IDENTITY_TOKEN)
    return next((each for each in logins if ranked and each.login == ranked[0]), None)


def _no_password(image: str, login: RegistryLogin) -> Reason:
    return Reason(
        "PullSecret",
        f'the pull secret for image "{image}" holds an identity token for {login.registry}, and ECS logs in '
        "with a name and a password only; put those into the secret",
        "spec.imagePullSecrets",
    )
