"""Kubelet's own words about a container, which people and their tools search for."""

from app.model.pod import Pod


def named(pod: Pod) -> str:
    """The pod as kubelet's messages name it: `web-1_shop(3f1c…)`."""
    return f"{pod.metadata.name}_{pod.metadata.namespace}({pod.uid})"


def back_off_words(container: str, *, pod: str, pause: int) -> str:
    """The message of a container that waits out so many seconds of CrashLoopBackOff."""
    return f"back-off {duration(pause)} restarting failed container={container} pod={pod}"


def duration(seconds: int) -> str:
    """As Go writes it: `10s`, `1m20s`, `5m0s`."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
