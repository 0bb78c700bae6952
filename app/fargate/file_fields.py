"""Rows of the volumes whose files the helper writes: ConfigMaps, Secrets, fields of the pod, tokens."""

from typing import Final

from app.fargate.support import Row, Section
from app.fargate.variable_fields import field_of_file

_key = Section("KeyToPath")
_map = Section("ConfigMapVolumeSource")
_secret = Section("SecretVolumeSource")
_downward = Section("DownwardAPIVolumeSource")
_file = Section("DownwardAPIVolumeFile")
_projected = Section("ProjectedVolumeSource")
_source = Section("VolumeProjection")
_token = Section("ServiceAccountTokenProjection")

_MODE: Final = "The files' mode, where an item has none of its own."
_ITEMS: Final = "These keys at these paths; all keys, where none is named."
_OPTIONAL: Final = "Does without it. Else the pod waits until it is there, with the Event FailedMount."


def _of_keys(section: Section, *, named: str) -> tuple[Row, ...]:
    """The fields that every source of keys has."""
    return (
        section.emulated(named, "The object's name, in the pod's namespace."),
        section.emulated("items", _ITEMS, of="KeyToPath"),
        section.emulated("optional", _OPTIONAL),
    )


ROWS: Final[tuple[Row, ...]] = (
    *_of_keys(_map, named="name"),
    _map.emulated("defaultMode", _MODE),
    *_of_keys(_secret, named="secretName"),
    _secret.emulated("defaultMode", _MODE),
    _key.emulated("key", "The key; a missing one keeps the pod waiting, unless the source is optional."),
    _key.emulated("path", "The file's path below the volume."),
    _key.emulated("mode", "The file's mode."),
    _downward.emulated("items", "One file each.", of="DownwardAPIVolumeFile"),
    _downward.emulated("defaultMode", _MODE),
    _file.emulated("path", "The file's path below the volume."),
    _file.emulated("mode", "The file's mode."),
    _file.emulated(
        "fieldRef",
        "As it is at launch; later changes of labels and annotations do not reach the file.",
        of="ObjectFieldSelector",
        refuses=field_of_file,
        unless="fields that no kubelet gives to files either (`DownwardField`)",
    ),
    _file.emulated("resourceFieldRef", "As for variables.", of="ResourceFieldSelector"),
    _projected.emulated("sources", "All sources in one folder.", of="VolumeProjection"),
    _projected.emulated("defaultMode", _MODE),
    _source.emulated("configMap", "As a volume of its own.", of="ConfigMapProjection"),
    *_of_keys(Section("ConfigMapProjection"), named="name"),
    _source.emulated("secret", "As a volume of its own.", of="SecretProjection"),
    *_of_keys(Section("SecretProjection"), named="name"),
    _source.emulated("downwardAPI", "As a volume of its own.", of="DownwardAPIProjection"),
    Section("DownwardAPIProjection").emulated("items", "One file each.", of="DownwardAPIVolumeFile"),
    _source.emulated(
        "serviceAccountToken",
        "A token of the pod's service account, bound to the pod, that only the helper can open. It is not "
        "refreshed; an Event says when it expires.",
        of="ServiceAccountTokenProjection",
    ),
    _token.emulated("path", "The file's path below the volume."),
    _token.emulated("audience", "The token's audience; the API server's, where it is empty."),
    _token.emulated("expirationSeconds", "Asked of the API server; the task has no other after it."),
    _source.refused("clusterTrustBundle", "Volume", "no bundle reaches tasks; use a ConfigMap"),
    _source.refused("podCertificate", "Volume", "nobody renews it in a task; use a Secret"),
)
