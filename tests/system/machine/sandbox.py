"""What a container sees: this machine's programs, and the volumes of its pod, to which alone it can write.

Done with user and mount namespaces (user_namespaces(7), pivot_root(2)); no container engine is needed.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parents[3]
_USER: Final = "65532"
_ENTER: Final = r"""
set -eu
root=$1 source=$2; shift 2
mount -t tmpfs -o mode=0755 tmpfs "$root"
for each in /*; do
    case $each in /tmp | /var | /run) mkdir "$root$each"; continue ;; esac
    if [ -L "$each" ]; then cp -P "$each" "$root$each"
    elif [ -d "$each" ]; then mkdir "$root$each"; mount --rbind "$each" "$root$each"; fi
done
while [ "$1" != -- ]; do
    mkdir -p "$root$2"; mount --bind "$1" "$root$2"; shift 2
done
shift
[ -d "$root$source" ] || { mkdir -p "$root$source"; mount --bind "$source" "$root$source"; }
mkdir "$root/.outside"
cd "$root"
pivot_root . .outside
umount -l /.outside
rmdir /.outside
mount -o remount,ro /
cd /
exec unshare --user --map-user=USER --map-group=USER -- setpriv --pdeathsig TERM --no-new-privs -- "$@"
""".replace("USER", _USER)


@cache
def why_not() -> str:
    """Why no container can be made here; empty where it can."""
    missing = [name for name in ("unshare", "pivot_root", "setpriv") if not shutil.which(name, path=_PATH)]
    if missing:
        return f"{', '.join(missing)} of util-linux: not found"
    tried = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tried.stderr.strip()


_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def command(root: Path, argv: Sequence[str], *, mounts: Mapping[str, Path]) -> list[str]:
    """The command that runs `argv` in a container of its own, with user and group 65532.

    Args:
        root: an empty folder, where its file system is put together.
        argv: what the container runs; programs are those of this machine.
        mounts: folders by the absolute paths at which the container has them. /tmp, /var and /run are empty
            and cannot be written to but for these.
    """
    pairs = [part for target in sorted(mounts) for part in (str(mounts[target]), target)]
    enter = ["/bin/sh", "-c", _ENTER, "sandbox", str(root), str(SOURCE)]
    return ["unshare", "--user", "--map-root-user", "--mount", "--", *enter, *pairs, "--", *argv]


def image_variables(*folders: Path) -> dict[str, str]:
    """What our image sets (Dockerfile): the programs' folder, and how Python runs."""
    path = ":".join([str(Path(sys.executable).parent), *map(str, folders), _PATH])
    return {"PATH": path, "HOME": "/", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
