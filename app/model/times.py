"""Times as Kubernetes writes them.

https://datatracker.ietf.org/doc/html/rfc3339
"""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """A metav1.Time: UTC, whole seconds (`2026-01-02T03:04:05Z`); a part of a second is dropped."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(moment: datetime) -> str:
    """A metav1.MicroTime: UTC, exactly six digits after the point (`2026-01-02T03:04:05.000006Z`)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
