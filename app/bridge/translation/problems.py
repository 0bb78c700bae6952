"""What is in the way of a launch: final reasons, or something that is not there yet."""

from collections.abc import Iterable

from app.bridge.translation.material import Unready
from app.model.reason import Reason

Problem = Reason | Unready


def judged(problems: Iterable[Problem]) -> Unready | tuple[Reason, ...] | None:
    """Every final reason, each once; without one, the first thing that is missing; None without any."""
    found = tuple(dict.fromkeys(problems))
    reasons = tuple(each for each in found if isinstance(each, Reason))
    return reasons or next((each for each in found if isinstance(each, Unready)), None)
