"""Times as Kubernetes writes them.

https://datatracker.ietf.org/doc/html/rfc3339
"""

from datetime import UTC, datetime, timedelta


def rfc3339(moment: datetime) -> str:
    """A metav1.Time: UTC, whole seconds (`2026-01-02T03:04:05Z`); a part of a second is dropped."""
    return _in_utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(moment: datetime) -> str:
    """A metav1.MicroTime: UTC, exactly six digits after the point (`2026-01-02T03:04:05.000006Z`)."""
    return _in_utc(moment).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def later(moment: datetime, wait: timedelta) -> datetime:
    """So much later, at most the last moment there is: somebody may have written a time far in the future."""
    try:
        return moment + wait
    except OverflowError:
        return datetime.max.replace(tzinfo=moment.tzinfo)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # A few hours before the first year or after the last: whoever wrote it meant no moment.
        return moment.replace(tzinfo=UTC)
