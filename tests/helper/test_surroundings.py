"""What `run` prepares around the command: files, hosts, resolver, working folder, user and capabilities."""

import fcntl
import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.helper.fakes import Stage, b64, ended, eventually

STATUS = ["cat", "/proc/self/status"]


def placed(source: Path, target: Path, mode: str = "-") -> str:
    return f"place {b64(str(source))} {b64(str(target))} {mode}"


def mode_of(path: Path) -> str:
    return stat.filemode(path.lstat().st_mode)


def opened_by(process: subprocess.Popen[str]) -> set[Path]:
    """The files that it has open."""
    return {file.resolve() for file in Path(f"/proc/{process.pid}/fd").iterdir()}


def fields_of(status: str) -> dict[str, list[str]]:
    """The lines of /proc/PID/status."""
    return {line.split(":")[0]: line.split()[1:] for line in status.splitlines()}


@pytest.mark.parametrize(("mode", "expected"), [("-", "-r--r-----"), ("0755", "-rwxr-xr-x")])
def test_places_a_file_with_its_mode(mode: str, expected: str, stage: Stage, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"\0" * 40_000)
    source.chmod(0o440)
    target = tmp_path / "deep/in/target"
    assert stage.run(placed(source, target, mode), command=["cat", str(target)]).stdout == "\0" * 40_000
    assert mode_of(target) == expected
    assert mode_of(tmp_path / "deep/in") == "drwxr-xr-x"


def test_places_a_folder_wholly_into_what_is_there(stage: Stage, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub").chmod(0o750)
    (source / "sub/a").write_text("new")
    (source / "b").symlink_to("sub/a")
    target = tmp_path / "target"
    (target / "sub").mkdir(parents=True)
    (target / "sub/a").write_text("old")
    (target / "sub/kept").write_text("kept")
    assert stage.run(placed(source, target, "0600")).returncode == 0
    assert ((target / "b").read_text(), (target / "sub/kept").read_text()) == ("new", "kept")
    assert (str((target / "b").readlink()), mode_of(target / "sub/a")) == ("sub/a", "-rw-------")


@pytest.mark.usefixtures("as_root")
def test_places_files_with_their_owners(stage: Stage, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("")
    os.chown(source, 1000, 2000)
    assert stage.run(placed(source, tmp_path / "target")).returncode == 0
    assert ((tmp_path / "target").stat().st_uid, (tmp_path / "target").stat().st_gid) == (1000, 2000)


def test_a_source_that_is_not_there_ends_the_container(stage: Stage, tmp_path: Path) -> None:
    result = stage.run(placed(tmp_path / "absent", tmp_path / "target"), command=["echo", "ran"])
    assert (result.returncode, result.stdout) == (74, "")
    assert "No such file" in result.stderr


def test_copies_no_fifo(stage: Stage, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert stage.run(placed(tmp_path / "fifo", tmp_path / "target")).returncode == 74


def test_appends_hosts_once(stage: Stage) -> None:
    hosts = stage.etc / "hosts"
    hosts.write_text("127.0.0.1\tlocalhost\n10.0.0.1\ta b")
    lines = ["host 10.0.0.1 a b", "host 10.0.0.1 a", "host fd00::1 six.example.org"]
    assert stage.run(*lines).returncode == stage.run(*lines).returncode == 0
    assert hosts.read_text() == "127.0.0.1\tlocalhost\n10.0.0.1\ta b\n10.0.0.1\ta\nfd00::1\tsix.example.org\n"


THERE = "# by ECS\nnameserver 10.0.0.2\nsearch eu.compute.internal\noptions timeout:1\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("- - -", THERE, id="keeps all"),
        pytest.param(
            "10.9.0.10,fd00::a a.svc,svc ndots:5,edns0",
            "# by ECS\nnameserver 10.9.0.10\nnameserver fd00::a\nsearch a.svc svc\noptions ndots:5 edns0\n",
            id="replaces all",
        ),
        pytest.param(
            "- a.svc -",
            "# by ECS\nnameserver 10.0.0.2\noptions timeout:1\nsearch a.svc\n",
            id="replaces the search list",
        ),
    ],
)
def test_writes_the_resolver_s_configuration(line: str, expected: str, stage: Stage) -> None:
    (stage.etc / "resolv.conf").write_text(THERE)
    assert stage.run(f"resolve {line}").returncode == 0
    assert (stage.etc / "resolv.conf").read_text() == expected


def test_shortens_what_was_longer(stage: Stage) -> None:
    (stage.etc / "resolv.conf").write_text("domain example.org\n" + "nameserver 10.0.0.2\n" * 20)
    assert stage.run("resolve 10.9.0.10 a -").returncode == 0
    assert (stage.etc / "resolv.conf").read_text() == "nameserver 10.9.0.10\nsearch a\n"


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        pytest.param("hosts", "host 10.0.0.1 b", "10.0.0.1\ta\n10.0.0.1\tb\n", id="hosts"),
        pytest.param("resolv.conf", "resolve - b -", "10.0.0.1\ta\nsearch b\n", id="resolv.conf"),
    ],
)
def test_waits_for_another_container_that_writes_the_same_file(
    name: str, line: str, expected: str, stage: Stage
) -> None:
    path = stage.etc / name
    with path.open("w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        process = stage.start(line, command=["true"])
        eventually(lambda: path in opened_by(process), what="it has opened the file")
        theirs.write("10.0.0.1\ta\n")
    assert ended(process) == 0
    assert path.read_text() == expected


def test_starts_in_the_working_folder_and_makes_it(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "new/folder"
    assert stage.run(f"workdir {b64(str(folder))}", command=["pwd"]).stdout == f"{folder}\n"


def test_finds_a_relative_command_from_the_working_folder(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\necho here\n")
    (tmp_path / "tool").chmod(0o755)
    assert stage.run(f"workdir {b64(str(tmp_path))}", command=["./tool"]).stdout == "here\n"


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    ("user", "expected"),
    [
        pytest.param("1000 2000 3000,4000", ("1000", "2000", ["3000", "4000"]), id="numbers"),
        pytest.param("1000 2000 +,3000", ("1000", "2000", ["50", "60", "3000"]), id="and the image's"),
        pytest.param("1000 - -", ("1000", "1001", ["50", "60"]), id="as the image has it"),
        pytest.param("app staff -", ("1000", "60", ["50", "60"]), id="names"),
        pytest.param("7 - -", ("7", "0", []), id="unknown to the image"),
        pytest.param("7 - staff", ("7", "0", ["60"]), id="a group's name"),
        pytest.param("- 2000 3000", ("0", "2000", ["3000"]), id="groups alone"),
    ],
)
def test_the_command_runs_as_the_user(user: str, expected: tuple[str, str, list[str]], stage: Stage) -> None:
    (stage.etc / "passwd").write_text(
        "root:x:0:0::/root:/bin/sh\nbroken\napp:x:1000:1001::/srv/app:/bin/sh\n"
    )
    (stage.etc / "group").write_text("root:x:0:\naudio:x:50:bin,app\nstaff:x:60:app\nvideo:x:70:apple\n")
    status = fields_of(stage.run(f"user {user}", command=STATUS).stdout)
    assert (status["Uid"], status["Gid"], status["Groups"]) == (
        [expected[0]] * 4,
        [expected[1]] * 4,
        expected[2],
    )


@pytest.mark.usefixtures("as_root")
def test_the_user_has_no_capabilities_left(stage: Stage) -> None:
    status = fields_of(stage.run("user 1000 1000 -", command=STATUS).stdout)
    assert {status[name][0] for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")} == {"0" * 16}


@pytest.mark.parametrize("user", ["nobody-here - -", "0 nobody-here -", "0 - nobody-here"])
def test_an_unknown_name_is_refused(user: str, stage: Stage) -> None:
    result = stage.run(f"user {user}", command=["echo", "ran"])
    assert (result.returncode, result.stdout) == (126, "")
    assert "nobody-here" in result.stderr


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    ("lines", "home", "expected"),
    [
        pytest.param([], {"HOME": "/root"}, "/srv/app", id="the starting user's is replaced"),
        pytest.param([], {}, "/srv/app", id="set where there was none"),
        pytest.param([], {"HOME": "/data"}, "/data", id="the image's stays"),
        pytest.param(["known HOME"], {"HOME": "/root"}, "/root", id="the pod's stays"),
        pytest.param([f"env HOME {b64('/root')}"], {}, "/root", id="what is set here stays"),
    ],
)
def test_home_is_the_user_s(lines: list[str], home: dict[str, str], expected: str, stage: Stage) -> None:
    (stage.etc / "passwd").write_text("root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/srv/app:/bin/sh\n")
    assert stage.run("user 1000 - -", *lines, command=["printenv", "HOME"], **home).stdout == f"{expected}\n"


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(
    ("names", "gone"),
    [
        pytest.param("CHOWN", 1, id="one"),
        pytest.param("CHOWN,NET_RAW,SYS_ADMIN", 1 | 1 << 13 | 1 << 21, id="several"),
        pytest.param("ALL", (1 << 64) - 1, id="all"),
    ],
)
def test_drops_capabilities_from_every_set_and_no_others(names: str, gone: int, stage: Stage) -> None:
    before = fields_of(stage.run(command=STATUS).stdout)
    status = fields_of(stage.run(f"drop {names}", command=STATUS).stdout)
    sets = ("CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb")
    assert {name: int(status[name][0], 16) for name in sets} == {
        name: int(before[name][0], 16) & ~gone for name in sets
    }


@pytest.mark.usefixtures("as_root")
def test_drops_what_would_be_inherited(stage: Stage) -> None:
    before = ("setpriv", "--inh-caps=+chown,+kill", "--ambient-caps=+chown,+kill")
    process = stage.start("drop CHOWN", command=STATUS, before=before)
    assert process.stdout is not None
    status = fields_of(process.stdout.read())
    assert ended(process) == 0
    assert (status["CapInh"], status["CapAmb"]) == (["0000000000000020"], ["0000000000000020"])
    assert int(status["CapEff"][0], 16) & 0x21 == 0x20


@pytest.mark.usefixtures("as_root")
def test_user_groups_capabilities_and_privileges_take_effect_together(stage: Stage) -> None:
    plan = ["nonewprivileges", "drop ALL", "user 1000 2000 3000", "nonroot"]
    status = fields_of(stage.run(*plan, command=STATUS).stdout)
    assert (status["Uid"][0], status["Gid"][0], status["Groups"]) == ("1000", "2000", ["3000"])
    assert (status["NoNewPrivs"], status["CapBnd"]) == (["1"], ["0" * 16])


@pytest.mark.usefixtures("as_root")
def test_never_starts_with_more_than_was_asked_for(stage: Stage) -> None:
    inner = ["env", "SPILLWAY_RUN=drop CHOWN", str(stage.binary), "run", "inner", "--", "echo", "ran"]
    result = stage.run("drop SETPCAP", command=inner)
    assert (result.returncode, result.stdout) == (74, "")
    assert "cannot drop capability 0: Operation not permitted; it needs SETPCAP" in result.stderr


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize(("user", "code"), [("", 126), ("user 0 - -", 126), ("user 1000 - -", 0)])
def test_refuses_root_where_the_pod_does(user: str, code: int, stage: Stage) -> None:
    result = stage.run("nonroot", *filter(None, [user]))
    assert result.returncode == code


@pytest.mark.usefixtures("as_root")
def test_enters_a_folder_that_only_the_starting_user_may(stage: Stage, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    result = stage.run(
        f"workdir {b64(str(closed))}", "user 1000 1000 -", command=["readlink", "/proc/self/cwd"]
    )
    assert result.stdout == f"{closed}\n"


def test_overwrites_a_mounted_file_where_it_is(
    stage: Stage, tmp_path: Path, as_mounter: tuple[str, ...]
) -> None:
    source, mounted, target = tmp_path / "source", tmp_path / "mounted", tmp_path / "target"
    source.write_text("new")
    mounted.write_text("what was there, longer")
    target.write_text("beneath")
    before = (*as_mounter, str(mounted), str(target))
    process = stage.start(placed(source, target), command=["cat", str(target)], before=before)
    assert process.stdout is not None
    assert process.stdout.read() == "new"
    assert ended(process) == 0
    assert (mounted.read_text(), target.read_text()) == ("new", "beneath")
