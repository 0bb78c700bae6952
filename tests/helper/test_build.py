"""`helper/build`: one static program, or an error that names the mend."""

import shutil
import struct
import subprocess
from pathlib import Path

from tests.helper.conftest import BUILD

INTERPRETER = 3


def kinds_of_segments(elf: bytes) -> list[int]:
    """The types of a 64-bit program's segments, elf(5); a dynamic one names its INTERPRETER."""
    (start,) = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    return [struct.unpack_from("<I", elf, start + index * size)[0] for index in range(count)]


def test_the_program_needs_nothing_of_the_image_it_runs_in(binary: Path) -> None:
    assert INTERPRETER not in kinds_of_segments(binary.read_bytes())


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to(shutil.which("dirname") or "")
    bash = shutil.which("bash") or ""
    result = subprocess.run(
        [bash, BUILD, tmp_path / "out"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "apt-get install musl-tools" in result.stderr
