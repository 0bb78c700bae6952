"""What containers take as the metadata endpoint shows it: Docker's statistics. Pure.

https://docs.docker.com/reference/api/engine/#tag/Container/operation/ContainerStats
"""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from app.local.fargate.protocol.wire import Json
from app.local.fargate.running.burden import Burden

_MIB: Final = 1 << 20


class Reading(NamedTuple):
    """One look at a container: epoch seconds, its burden, and the host's CPU time in nanoseconds."""

    at: float
    burden: Burden
    host: int


def described(
    reading: Reading, before: Reading | None, *, name: str, container: str, memory: int, cpus: int
) -> Json:
    """One container's statistics.

    Args:
        reading: the present look.
        before: the one before it, if any.
        name: its name.
        container: its DockerId.
        memory: its limit in MiB.
        cpus: how many the host has.
    """
    burden = reading.burden
    return {
        "id": container,
        "name": name,
        "read": _text(reading.at),
        "preread": _text(before.at) if before is not None else "0001-01-01T00:00:00Z",
        "num_procs": 0,
        "pids_stats": {"current": burden.processes},
        "cpu_stats": _cpu(reading, cpus=cpus),
        "precpu_stats": _cpu(before, cpus=cpus) if before is not None else {},
        "memory_stats": {
            "usage": burden.memory,
            "max_usage": burden.memory,
            "limit": memory * _MIB,
            "stats": {
                "active_anon": burden.memory,
                "active_file": 0,
                "inactive_anon": 0,
                "inactive_file": 0,
                "rss": burden.memory,
                "total_rss": burden.memory,
            },
        },
        "networks": {},
    }


def _cpu(reading: Reading, *, cpus: int) -> Json:
    return {
        "cpu_usage": {
            "total_usage": reading.burden.cpu,
            "usage_in_kernelmode": 0,
            "usage_in_usermode": reading.burden.cpu,
        },
        "system_cpu_usage": reading.host,
        "online_cpus": cpus,
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
