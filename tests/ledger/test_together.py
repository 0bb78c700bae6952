"""Honoured fields together: what the ledger does not refuse translates, if all that it names is there."""

from hypothesis import assume, given
from hypothesis import settings as bounded

from app.bridge.translation.task_spec import Translated, translate
from app.fargate.eligibility import caveats, refusals
from app.model.pod import Pod
from app.model.reason import Reason
from tests.bridge.translation.builders import settings
from tests.bridge.translation.strategies import Body, material_for, replica, specs
from tests.builders import identity_of

AT_LAUNCH = {"OverridesTooLarge", "DefinitionTooLarge", "SubPathFile", "NotRoot"}
"""What only the finished task, or the image's user, shows."""


def outcome(pod: Pod) -> tuple[list[str], tuple[Reason, ...]]:
    """The codes of the translation's refusal, and its caveats where there is none."""
    answer = translate(pod, material=material_for(1), config=settings(), identity=identity_of(pod), attempt=1)
    if isinstance(answer, Translated):
        return [], answer.caveats
    return ([each.code for each in answer], ()) if isinstance(answer, tuple) else ([answer.message], ())


@given(spec=specs())
@bounded(max_examples=60)
def test_a_pod_that_the_ledger_honours_translates_with_its_caveats(spec: Body) -> None:
    pod = replica(spec, owner="ReplicaSet", number=1)
    assume(not refusals(pod))
    codes, said = outcome(pod)
    assert set(codes) <= AT_LAUNCH
    assert codes or {each.code for each in caveats(pod)} <= {each.code for each in said}
