import errno
import socket

import pytest

from app.wiring.listening import listening
from app.wiring.stopping import StartError


def test_a_taken_port_is_told_with_its_setting_and_the_mend() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = f"kubelet-port 127.0.0.1:{port} cannot be listened on: it is in use"
        with pytest.raises(StartError, match=told), listening("kubelet-port", f"127.0.0.1:{port}"):
            socket.create_server(("127.0.0.1", port))


def test_a_foreign_address_is_told() -> None:
    with pytest.raises(StartError, match="does not have that address"), listening("host", "192.0.2.1:1"):
        socket.create_server(("192.0.2.1", 0))


def test_other_failures_stay_what_they_are() -> None:
    with pytest.raises(OSError, match="no file"), listening("kubelet-port", "127.0.0.1:1"):
        raise OSError(errno.ENOENT, "no file")
