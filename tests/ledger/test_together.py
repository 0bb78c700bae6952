"""Honoured fields together: what the ledger does not refuse translates, if all that it names is there."""

from hypothesis import given
from hypothesis import settings as bounded

from app.bridge.translation.task_spec import Translated, translate
from app.fargate.eligibility import caveats, refusals
from tests.bridge.translation.builders import settings
from tests.bridge.translation.strategies import Body, material_for, replica, specs
from tests.builders import identity_of

TOO_LONG = {"OverridesTooLarge", "DefinitionTooLarge"}
"""What only the finished task shows."""


@given(spec=specs())
@bounded(max_examples=150, deadline=None)
def test_a_pod_that_the_ledger_honours_translates_with_its_caveats(spec: Body) -> None:
    pod = replica(spec, owner="ReplicaSet", number=1)
    assert refusals(pod) == ()
    answer = translate(pod, material=material_for(1), config=settings(), identity=identity_of(pod), attempt=1)
    codes = [each.code for each in answer] if isinstance(answer, tuple) else []
    assert isinstance(answer, Translated) or (codes and set(codes) <= TOO_LONG), answer
    said = {each.code for each in answer.caveats} if isinstance(answer, Translated) else set()
    assert {each.code for each in caveats(pod)} <= said or codes
