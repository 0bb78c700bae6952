"""A Secret's files as the kubelet mounts them: in a folder of their own, behind one symbolic link.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#mounted-configmaps-are-updated-automatically
"""

from collections.abc import Mapping
from pathlib import Path

from app.tls.authority import Leaf


def swap(target: Path, name: str, data: Mapping[str, bytes]) -> None:
    """Put these files in place of those before, all at one moment.

    Args:
        target: where it is mounted.
        name: of the new folder; another each time.
        data: the Secret's keys.
    """
    folder = target / f"..{name}"
    folder.mkdir(parents=True)
    for key, value in data.items():
        (folder / key).write_bytes(value)
    (target / "..new").symlink_to(folder.name)
    (target / "..new").replace(target / "..data")
    for key in data:
        if not (target / key).is_symlink():
            (target / key).symlink_to(Path("..data") / key)


def as_data(leaf: Leaf) -> dict[str, bytes]:
    """A leaf as the keys of a Secret."""
    return {"tls.crt": leaf.cert_pem, "tls.key": leaf.key_pem}
