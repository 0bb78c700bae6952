"""What a step of the translation may answer besides its result, and how several such answers become one."""

from collections.abc import Iterable, Iterator

from app.bridge.translation.material import Unready
from app.bridge.translation.problems import Problem, judged
from app.model.reason import Reason

Refusal = Unready | tuple[Reason, ...]
"""Something is not there (yet), or every reason why Fargate cannot run it."""


def refused(answers: Iterable[object]) -> Refusal | None:
    """What the answers that are no results come to; None where all are results.

    A reason outweighs what is missing, for no waiting mends it.
    """
    return judged(problem for answer in answers for problem in _problems(answer))


def refusal_of(answers: Iterable[object]) -> Refusal:
    """The same where some answer is known to be no result."""
    refusal = refused(answers)
    if refusal is None:
        raise AssertionError("a refusal was expected among results")
    return refusal


def _problems(answer: object) -> Iterator[Problem]:
    parts = answer if isinstance(answer, tuple) else (answer,)
    return (each for each in parts if isinstance(each, Reason | Unready))
