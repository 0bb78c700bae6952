import errno
import socket
import sys

import pytest

from app.local import loopback
from app.local.loopback import LOOPBACK, NoBlockLeft, free_ports, held_block

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere loopback is one address")


def test_a_port_is_given_once() -> None:
    assert len({*free_ports(20), *free_ports(20), *free_ports(20)}) == 60


def test_the_system_gives_these_ports_to_nobody_by_itself() -> None:
    """By Linux's default range; https://docs.kernel.org/networking/ip-sysctl.html, ip_local_port_range."""
    assert max(free_ports(100)) < 32_768


def test_a_port_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = free_ports(2)
    monkeypatch.setattr(loopback, "_PORTS", (taken, free))
    with socket.create_server((LOOPBACK, taken)):
        assert (free_ports(1), free_ports(1)) == ((free,), (free,))


def test_no_port_left_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    (taken,) = free_ports(1)
    monkeypatch.setattr(loopback, "_PORTS", range(taken, taken + 1))
    with socket.create_server((LOOPBACK, taken)), pytest.raises(OSError, match="is free"):
        free_ports(1)


@only_linux
def test_two_holders_have_different_blocks() -> None:
    with held_block() as first, held_block() as second:
        assert first != second


@only_linux
def test_a_block_is_free_again_after_its_holder() -> None:
    with held_block() as first:
        pass
    with held_block() as second:
        assert first == second


@only_linux
def test_no_block_left_names_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "_BLOCKS", range(130, 131))
    with held_block(), pytest.raises(NoBlockLeft, match="end another local stack"), held_block():
        raise AssertionError


class OneAddress(socket.socket):
    """A socket of a machine with 127.0.0.1 alone."""

    def bind(self, address: object) -> None:
        raise OSError(errno.EADDRNOTAVAIL, f"cannot assign {address}")


def test_where_loopback_is_one_address_the_first_block_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", OneAddress)
    with held_block() as first, held_block() as second:
        assert first == second == "127.77.0.0/16"
