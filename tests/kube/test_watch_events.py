import json
from typing import Any

import pytest

from app.kube.watch_events import Broken, Drop, LineReader, Mark, Put, Relist, Skip
from app.model.pod import Pod
from tests.builders import a_pod, wire

POD = a_pod(uid="u1")
READER = LineReader(Pod)


def a_line(kind: str, value: Any) -> bytes:
    return json.dumps({"type": kind, "object": value}).encode()


@pytest.mark.parametrize(
    ("line", "step"),
    [
        pytest.param(a_line("ADDED", wire(POD)), Put(POD), id="added"),
        pytest.param(a_line("MODIFIED", wire(POD)), Put(POD), id="modified"),
        pytest.param(a_line("DELETED", wire(POD)), Drop(metadata=POD.metadata), id="deleted"),
        pytest.param(
            a_line("DELETED", {**wire(POD), "spec": "garbage"}),
            Drop(metadata=POD.metadata),
            id="the end of an unreadable object is not missed",
        ),
        pytest.param(
            a_line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "77"}}),
            Mark("77"),
            id="bookmark",
        ),
        pytest.param(
            a_line("ERROR", {"code": 410, "reason": "Expired", "message": "too old"}),
            Relist("too old"),
            id="expired",
        ),
        pytest.param(
            a_line("ERROR", {"reason": "Gone", "message": "too old"}), Relist("too old"), id="gone, no code"
        ),
        pytest.param(
            a_line("ERROR", {"code": 500, "reason": "InternalError", "message": "etcd"}),
            Broken("500 InternalError: etcd"),
            id="other error",
        ),
    ],
)
def test_a_line_asks_for_one_step(line: bytes, step: object) -> None:
    assert READER.step(line) == step


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(a_line("ADDED", wire(POD))[:40], id="cut off"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="not an event"),
        pytest.param(b"\xff\xfe", id="not text"),
    ],
)
def test_a_broken_line_breaks_the_watch(line: bytes) -> None:
    assert isinstance(READER.step(line), Broken)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        pytest.param(
            a_line("MODIFIED", {"metadata": {"resourceVersion": "9"}, "spec": {"containers": 7}}),
            "9",
            id="unreadable object",
        ),
        pytest.param(a_line("RENAMED", {"metadata": {"resourceVersion": "9"}}), "9", id="unknown event"),
        pytest.param(a_line("ADDED", {"metadata": 7}), "", id="unreadable metadata"),
    ],
)
def test_what_cannot_be_read_is_skipped_at_its_version(line: bytes, version: str) -> None:
    step = READER.step(line)
    assert isinstance(step, Skip)
    assert step.version == version
