"""One image, asked for with one login: from its name to its configuration, every step verified."""

from http import HTTPStatus
from typing import Final

from yarl import URL

from app.model.image import ImageConfig, RegistryLogin
from app.model.image_reference import ImageReference
from app.ports.failures import NotFound, Refused, Unavailable
from app.registry import image_config, manifests
from app.registry.answers import Answer, failure
from app.registry.authorization import authorization, denied
from app.registry.destinations import base_of
from app.registry.digests import digest_of, verifies
from app.registry.manifests import Descriptor, Index, Manifest, ManifestError, NoPlatformError
from app.registry.transport import Transport

MANIFEST_BYTES: Final = 4 * 1024 * 1024
"""What registries accept at most, by the distribution specification."""

CONFIG_BYTES: Final = 1024 * 1024

_MOST_INDEXES: Final = 3
_DENIALS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class Conversation:
    """The requests for one image; a token lives no longer than this.

    Raises Refused where the reference's registry is no address.
    """

    def __init__(
        self, reference: ImageReference, *, transport: Transport, login: RegistryLogin | None
    ) -> None:
        self._reference = reference
        self._transport = transport
        self._login = login
        self._base = _base(reference)
        self._authorization = ""

    async def current_digest(self) -> str:
        """The digest that the tag stands for now; empty where the registry does not say so cheaply.

        Docker Hub counts GETs of manifests as pulls, but not HEADs. Raises as `config`.
        """
        path = self._manifest_path(self._reference.pointer)
        try:
            return (await self._ask("HEAD", path, manifests.ACCEPT, 0)).digest
        except Refused:
            return ""

    async def manifest(self) -> tuple[str, Answer]:
        """The digest that the image is pulled by, and its manifest or index. Raises as `config`."""
        answer = await self._ask_manifest(self._reference.pointer)
        digest = self._reference.digest or digest_of(answer.body)
        self._verify(answer.body, digest)
        return digest, answer

    async def config(self, digest: str, answer: Answer, *, architecture: str) -> ImageConfig:
        """The configuration that a manifest leads to.

        Args:
            digest: of the manifest or index, as `manifest` gave it.
            answer: the same.
            architecture: as `amd64`.

        Raises:
            NotFound: there is no such content, or no image for the platform.
            Refused: no access, or it is no container image.
            Throttled: too many requests.
            Unavailable: no answer, or a broken one.
        """
        try:
            manifest = await self._platform_manifest(answer, architecture)
            body = await self._config_body(manifest.config)
            return image_config.decoded(body, digest=digest, architecture=architecture)
        except ManifestError as error:
            raise Refused(f"{self._reference.text}: {error}") from error
        except NoPlatformError as error:
            raise NotFound(f"{self._reference.text}: {error}") from error

    async def _platform_manifest(self, answer: Answer, architecture: str) -> Manifest:
        for _ in range(_MOST_INDEXES):
            match manifests.decoded(answer.body, content_type=answer.content_type):
                case Manifest() as manifest:
                    return manifest
                case Index() as index:
                    entry = manifests.chosen(index, architecture=architecture)
                    answer = await self._ask_manifest(entry.digest)
                    self._verify(answer.body, entry.digest)
        raise ManifestError(f"its indexes are nested more than {_MOST_INDEXES - 1} deep")

    async def _config_body(self, config: Descriptor) -> bytes:
        if config.size > CONFIG_BYTES:
            raise ManifestError(f"its configuration is larger than {CONFIG_BYTES} bytes")
        path = f"/v2/{self._reference.repository}/blobs/{config.digest}"
        answer = await self._ask("GET", path, "*/*", CONFIG_BYTES)
        self._verify(answer.body, config.digest)
        return answer.body

    async def _ask_manifest(self, pointer: str) -> Answer:
        return await self._ask("GET", self._manifest_path(pointer), manifests.ACCEPT, MANIFEST_BYTES)

    def _manifest_path(self, pointer: str) -> str:
        return f"/v2/{self._reference.repository}/manifests/{pointer}"

    async def _ask(self, method: str, path: str, accept: str, most: int) -> Answer:
        """One request, repeated once with what the registry's challenge asks for."""
        answer = await self._once(method, path, accept, most)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._authorization = await authorization(
                answer,
                transport=self._transport,
                base=self._base,
                reference=self._reference,
                login=self._login,
            )
            answer = await self._once(method, path, accept, most)
        if answer.status in _DENIALS:
            raise denied(self._reference, self._login, answer)
        if answer.status != HTTPStatus.OK:
            raise failure(answer, asked=self._reference.text)
        return answer

    async def _once(self, method: str, path: str, accept: str, most: int) -> Answer:
        headers = {"Accept": accept}
        if self._authorization:
            headers["Authorization"] = self._authorization
        url = self._base.join(URL(path))
        return await self._transport.ask(method, url, base=self._base, headers=headers, most=most)

    def _verify(self, body: bytes, digest: str) -> None:
        if not verifies(body, digest):
            raise Unavailable(
                f"{self._reference.text}: the registry's answer is not what {digest} names; "
                "a cache or proxy on the way may be broken"
            )


def _base(reference: ImageReference) -> URL:
    try:
        return base_of(reference.registry)
    except ValueError as error:
        raise Refused(f"{reference.text}: {reference.registry} is no address of a registry") from error
