"""`install`: the helper, files and groups, and what it refuses."""

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helper.fakes import Stage, b64

ME = f"{os.getuid()} {os.getgid()}"
KEY = bytes(range(32))
NONCE = bytes(12)
POD = "cluster/default/web-0/uid"
SECRETS = {"SPILLWAY_KEY": KEY.hex(), "SPILLWAY_POD": POD}


def mode_of(path: Path) -> str:
    return stat.filemode(path.lstat().st_mode)


def a_file(path: str, *, mode: str = "0644", owner: str = ME, source: str = "text:aGk=") -> str:
    return f"file config {b64(path)} {mode} {owner} {source}"


def sealed(content: bytes, *, key: bytes = KEY, pod: str = POD) -> str:
    return f"sealed:{b64(NONCE + ChaCha20Poly1305(key).encrypt(NONCE, content, pod.encode()))}"


def test_installs_itself_for_everybody_to_execute(stage: Stage) -> None:
    assert stage.install().returncode == 0
    helper = stage.root / "bin" / "helper"
    assert helper.read_bytes() == stage.binary.read_bytes()
    assert mode_of(helper) == "-r-xr-xr-x"


def test_lets_every_container_write_records_and_none_remove_another_s(stage: Stage) -> None:
    assert stage.install().returncode == 0
    assert mode_of(stage.root / "records") == "drwxrwxrwt"


def test_installs_again_over_what_is_there(stage: Stage) -> None:
    volume = stage.volume()
    stage.install(a_file("a", mode="0400"))
    assert stage.install(a_file("a", source="text:bmV3")).returncode == 0
    assert (volume / "a").read_text() == "new"


@pytest.mark.parametrize(
    ("source", "variables", "content"),
    [
        pytest.param("text:AAECcGxhaW4=", {}, b"\0\1\2plain", id="text"),
        pytest.param("text:-", {}, b"", id="empty text"),
        pytest.param("text:", {}, b"", id="text of nothing"),
        pytest.param("env:TOKEN", {"TOKEN": "a b\nc"}, b"a b\nc", id="a variable"),
        pytest.param("env:TOKEN", {"TOKEN": ""}, b"", id="an empty variable"),
        pytest.param("env64:TOKEN", {"TOKEN": "AAH/"}, b"\x00\x01\xff", id="a variable in base64"),
        pytest.param(sealed(b"secret"), SECRETS, b"secret", id="sealed"),
        pytest.param(sealed(b""), SECRETS, b"", id="sealed nothing"),
    ],
)
def test_writes_the_content_of_its_source(
    source: str, variables: dict[str, str], content: bytes, stage: Stage
) -> None:
    volume = stage.volume()
    result = stage.install(a_file("app/settings.ini", source=source), **variables)
    assert (result.returncode, result.stderr) == (0, "")
    assert (volume / "app/settings.ini").read_bytes() == content


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=700), key=st.binary(min_size=32, max_size=32), pod=st.text("abc/-", min_size=1)
)
def test_opens_whatever_was_sealed(content: bytes, key: bytes, pod: str, stage: Stage) -> None:
    volume = stage.volume()
    source = sealed(content, key=key, pod=pod)
    result = stage.install(a_file("s", source=source), SPILLWAY_KEY=key.hex().upper(), SPILLWAY_POD=pod)
    assert (result.returncode, result.stderr) == (0, "")
    assert (volume / "s").read_bytes() == content


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        pytest.param(sealed(b"x", key=bytes(32)), SECRETS, id="another key"),
        pytest.param(sealed(b"x", pod="cluster/default/web-1/uid"), SECRETS, id="another pod"),
        pytest.param(f"sealed:{b64(bytes(28))}", SECRETS, id="never sealed"),
        pytest.param(f"sealed:{b64(bytes(27))}", SECRETS, id="too short"),
        pytest.param(sealed(b"x"), {"SPILLWAY_POD": POD}, id="no key"),
        pytest.param(sealed(b"x"), {"SPILLWAY_KEY": KEY.hex()}, id="no pod"),
        pytest.param(sealed(b"x"), {**SECRETS, "SPILLWAY_KEY": "12"}, id="a short key"),
        pytest.param(sealed(b"x"), {**SECRETS, "SPILLWAY_KEY": "g" * 64}, id="a key of other letters"),
        pytest.param("env:ABSENT", {}, id="a variable that is not set"),
        pytest.param("env64:TOKEN", {"TOKEN": "a"}, id="a variable that is not base64"),
    ],
)
def test_writes_nothing_where_one_source_cannot_be_had(
    source: str, variables: dict[str, str], stage: Stage
) -> None:
    volume = stage.volume()
    result = stage.install(a_file("before"), a_file("a", source=source), **variables)
    assert result.returncode == 78
    assert "SPILLWAY_PLAN, line 2 (file): " in result.stderr
    assert list(volume.iterdir()) == []


@pytest.mark.parametrize("place", [0, 12, -17, -1], ids=["nonce", "first byte", "last byte", "tag"])
def test_opens_nothing_that_was_tampered_with(place: int, stage: Stage) -> None:
    volume = stage.volume()
    content = bytearray(NONCE + ChaCha20Poly1305(KEY).encrypt(NONCE, b"secret", POD.encode()))
    content[place] ^= 1
    result = stage.install(a_file("s", source=f"sealed:{b64(bytes(content))}"), **SECRETS)
    assert result.returncode == 78
    assert "the seal does not open" in result.stderr
    assert list(volume.iterdir()) == []


def test_a_complaint_never_quotes_a_secret(stage: Stage) -> None:
    stage.volume()
    result = stage.install(f"file config {b64('a')} 0644 {ME} text:c2VjcmV0!")
    assert result.stderr == "spillway-helper: SPILLWAY_PLAN, line 1 (file): SOURCE is not base64\n"


@pytest.mark.parametrize("mode", ["0400", "0644", "0755", "4755", "1777", "00600", "7"])
def test_gives_a_file_its_mode_whatever_the_umask(mode: str, stage: Stage) -> None:
    volume = stage.volume()
    before = os.umask(0o077)
    result = stage.install(a_file("a/b/c", mode=mode))
    os.umask(before)
    assert result.returncode == 0
    assert (volume / "a/b/c").stat().st_mode & 0o7777 == int(mode, 8)
    assert mode_of(volume / "a") == mode_of(volume / "a/b") == "drwxr-xr-x"


@pytest.mark.usefixtures("as_root")
def test_gives_a_file_its_owner_and_0_without_one(stage: Stage) -> None:
    volume = stage.volume()
    assert stage.install(a_file("a", owner="1000 2000"), a_file("b", owner="- -")).returncode == 0
    assert ((volume / "a").stat().st_uid, (volume / "a").stat().st_gid) == (1000, 2000)
    assert ((volume / "b").stat().st_uid, (volume / "b").stat().st_gid) == (0, 0)


def test_carries_out_the_pod_s_own_plan_after_the_template_s(stage: Stage) -> None:
    volume = stage.volume()
    assert (
        stage.install(a_file("a"), SPILLWAY_PLAN_OWN=a_file("a", source="text:b3du") + "\n").returncode == 0
    )
    assert (volume / "a").read_text() == "own"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../a", "a/../b", "a/..", ".", "a/./b", "a//b", "a/", "", "a\0b"]
)
def test_refuses_a_path_that_leaves_the_volume(path: str, stage: Stage) -> None:
    volume = stage.volume()
    assert stage.install(a_file(path)).returncode == 78
    assert list(volume.iterdir()) == []


@pytest.mark.parametrize("path", ["link/a", "folder/link/a"])
def test_follows_no_symbolic_link_out_of_the_volume(path: str, stage: Stage, tmp_path: Path) -> None:
    volume = stage.volume()
    (volume / "folder").mkdir()
    (volume / "link").symlink_to(tmp_path)
    (volume / "folder/link").symlink_to(tmp_path)
    result = stage.install(a_file(path))
    assert result.returncode == 74
    assert not (tmp_path / "a").exists()


def test_replaces_a_symbolic_link_instead_of_writing_through_it(stage: Stage, tmp_path: Path) -> None:
    volume = stage.volume()
    (tmp_path / "outside").write_text("theirs")
    (volume / "a").symlink_to(tmp_path / "outside")
    assert stage.install(a_file("a")).returncode == 0
    assert (tmp_path / "outside").read_text() == "theirs"
    assert (volume / "a").read_text() == "hi"


def test_leaves_nothing_half_written_behind(stage: Stage) -> None:
    volume = stage.volume()
    (volume / ".spillway-partial").write_text("of a helper that was killed")
    (volume / "taken").mkdir()
    assert stage.install(a_file("a"), a_file("taken")).returncode == 74
    assert sorted(path.name for path in volume.iterdir()) == ["a", "taken"]


def test_a_volume_that_is_not_mounted_is_an_error(stage: Stage) -> None:
    result = stage.install(a_file("a"))
    assert result.returncode == 74
    assert "cannot open volume config" in result.stderr


def test_opens_a_volume_to_everybody(stage: Stage) -> None:
    volume = stage.volume("data")
    assert stage.install("mode data 777").returncode == 0
    assert mode_of(volume) == "drwxrwxrwx"


def test_the_group_comes_after_the_mode(stage: Stage) -> None:
    volume = stage.volume("data")
    assert stage.install(f"group data {os.getgid()}", "mode data 777").returncode == 0
    assert mode_of(volume) == "drwxrwsrwx"


def test_gives_a_volume_to_a_group_as_fs_group_does(stage: Stage) -> None:
    volume = stage.volume("data")
    volume.chmod(0o700)
    (volume / "folder").mkdir(mode=0o700)
    (volume / "folder/file").write_text("")
    (volume / "folder/file").chmod(0o100)
    (volume / "link").symlink_to("/nowhere")
    assert stage.install(f"group data {os.getgid()}").returncode == 0
    assert mode_of(volume) == mode_of(volume / "folder") == "drwxrws---"
    assert mode_of(volume / "folder/file") == "-rwxrw----"


def test_a_group_may_only_read_what_was_written_into_a_volume(stage: Stage) -> None:
    volume = stage.volume()
    assert stage.install(f"group config {os.getgid()}", a_file("a/b", mode="0400")).returncode == 0
    assert mode_of(volume / "a/b") == "-r--r-----"
    assert mode_of(volume / "a") == "drwxr-sr-x"


@pytest.mark.usefixtures("as_root")
def test_a_group_keeps_owners_and_links_targets(stage: Stage, tmp_path: Path) -> None:
    volume = stage.volume()
    (tmp_path / "outside").write_text("")
    (volume / "link").symlink_to(tmp_path / "outside")
    assert stage.install("group config 3000", a_file("a", owner="1000 2000")).returncode == 0
    assert ((volume / "a").stat().st_uid, (volume / "a").stat().st_gid) == (1000, 3000)
    assert (volume / "link").lstat().st_gid == 3000
    assert (tmp_path / "outside").stat().st_gid == 0
