"""Writes examples/ci-day.csv: a day of a small team's CI beside its services, for `spillway simulate`.

.venv/bin/python -m scripts.lib.ci_day > examples/ci-day.csv
"""

from collections.abc import Iterator
from typing import Final

MIDNIGHT: Final = 1_767_571_200
"""Monday, 2026-01-05, UTC."""

HOUR: Final = 3600
SERVICES: Final = 7
PEAKS: Final = ((9.5, 38), (13.25, 30), (16.75, 44))
"""When many push at once, in hours, and how many jobs that makes within five minutes."""


def services() -> Iterator[str]:
    """What always runs: no deletion_time."""
    for number in range(SERVICES):
        yield f"api-{number},shop,1000,3584,{MIDNIGHT},"


def trickle() -> Iterator[str]:
    """A job every ten minutes of the working day."""
    for number in range(60):
        yield job("commit", number, MIDNIGHT + 8 * HOUR + number * 600 + number * 37 % 300)


def peaks() -> Iterator[str]:
    """The rushes before lunch, after it, and before everybody goes home."""
    for hour, jobs in PEAKS:
        for number in range(jobs):
            yield job(f"rush-{hour:g}h", number, MIDNIGHT + round(hour * HOUR) + number * 71 % 300)


def job(kind: str, number: int, begin: int) -> str:
    """One line: half to two cores, 3 to 18 minutes."""
    cpu_milli, memory_mib = ((500, 1024), (1000, 2048), (2000, 4096))[number % 3]
    return f"{kind}-{number},ci,{cpu_milli},{memory_mib},{begin},{begin + 180 + number * 137 % 900}"


def main() -> None:
    """Print the trace."""
    print("name,namespace,cpu_milli,memory_mib,creation_time,deletion_time")
    for line in (*services(), *trickle(), *peaks()):
        print(line)
    print(f"nightly-backup,shop,1000,2048,{MIDNIGHT + 23 * HOUR},{MIDNIGHT + 24 * HOUR}")


if __name__ == "__main__":
    main()
