"""What a sample of a row claims, and how the claim is looked up: in a refusal, a translation, a decision."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation.material import Material, Unready
from app.bridge.translation.task_spec import Translated, translate
from app.fargate.eligibility import refusals
from app.model.names import OWN_PLAN_VARIABLE, PLAN_VARIABLE, RUN_VARIABLE
from app.model.pod import Pod
from app.model.reason import Reason
from tests.bridge.translation.builders import a_material, settings
from tests.builders import a_container, a_pod, identity_of


class Sample(msgspec.Struct, frozen=True):
    """One claim about a row: `find` looks it up, `expected` is what must be found.

    `refuses`: it is about a value that Fargate does not run, as in `pod`.
    """

    claim: str
    find: Callable[[], object]
    expected: object
    refuses: bool = False
    pod: Pod | None = None


Samples = Mapping[str, tuple[Sample, ...]]
"""Row → what proves it."""


def refused(pod: Pod, code: str, field: str) -> Sample:
    """The pod is refused for this alone."""
    return Sample(
        f"refused: {code} at {field}", lambda: _pairs(refusals(pod)), [(code, field)], refuses=True, pod=pod
    )


def refused_at_launch(pod: Pod, code: str, **found: Any) -> Sample:
    """The pod alone says nothing against it; what it names, or the operator's settings, do."""

    def find() -> object:
        answer = _translated(pod, **found)
        return _pairs(refusals(pod)), [each.code for each in answer] if isinstance(answer, tuple) else answer

    return Sample(f"refused at launch: {code}", find, ([], [code]), refuses=True)


def waits(pod: Pod, reason: str, **found: Any) -> Sample:
    """The pod is not launched yet, with this waiting reason."""

    def find() -> object:
        answer = _translated(pod, **found)
        return answer.reason if isinstance(answer, Unready) else answer

    return Sample(f"waits: {reason}", find, reason)


def shows(pod: Pod, *path: Any, is_: object, **found: Any) -> Sample:
    """What stands at a path of the translated pod (`view`)."""
    return Sample(f"shows {'.'.join(map(str, path))}: {is_}", lambda: _at(view(pod, **found), path), is_)


def holds(pod: Pod, *path: Any, has: object, **found: Any) -> Sample:
    """What is in the list at a path of the translated pod; the whole list, where it is not."""

    def find() -> object:
        there = _at(view(pod, **found), path)
        return has if isinstance(there, (list, tuple)) and has in there else there

    return Sample(f"{'.'.join(map(str, path))} holds {has}", find, has)


def lacks(pod: Pod, *path: Any, **found: Any) -> Sample:
    """Nothing stands at a path of the translated pod."""
    return Sample(f"lacks {'.'.join(map(str, path))}", lambda: _at(view(pod, **found), path), None)


def same(pod: Pod, plain: Pod | None = None, **found: Any) -> Sample:
    """The pod runs, and its task is that of the same pod without the field."""

    def find() -> object:
        one, other = view(pod, **found), view(plain or a_pod(), **found)
        return {key: one.get(key) for key in one.keys() | other.keys() if one.get(key) != other.get(key)}

    return Sample("the task is that of a pod without it", find, {})


def decides(claim: str, find: Callable[[], object], is_: object) -> Sample:
    """What one of the bridge's or the extender's decisions comes to."""
    return Sample(claim, find, is_)


def main(**fields: Any) -> Pod:
    """A pod with one container of these fields."""
    return a_pod(containers=[a_container(**fields)])


def view(pod: Pod, **found: Any) -> dict[str, Any]:
    """The pod's task by subject.

    `task`: the definition without its containers. Each container by its name, as ECS merges definition and
    overrides, with `environment` and `secrets` as mappings and `run`, the helper's lines. `plan`: the lines
    of both plans. `launch`: what RunTask is told besides. `caveats`: their codes.
    """
    answer = _translated(pod, **found)
    if not isinstance(answer, Translated):
        return {"answer": answer}
    body, launch = answer.launch.definition.body, answer.launch
    overrides = {each["name"]: each for each in launch.overrides["containerOverrides"]}
    containers = {
        each["name"]: _merged(each, overrides.get(each["name"], {})) for each in body["containerDefinitions"]
    }
    install = containers.get("spillway-install", {}).get("environment", {})
    plans = (install.get(PLAN_VARIABLE, ""), install.get(OWN_PLAN_VARIABLE, ""))
    return {
        **containers,
        "task": {key: value for key, value in body.items() if key != "containerDefinitions"},
        "order": list(containers),
        "plan": [line for plan in plans for line in plan.splitlines()],
        "launch": {
            "role": launch.overrides.get("taskRoleArn"),
            "groups": launch.security_groups,
            "volumes": list(launch.volumes),
        },
        "caveats": [each.code for each in answer.caveats],
    }


def _merged(definition: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    pairs = (*definition.get("environment", ()), *override.get("environment", ()))
    environment = {each["name"]: each["value"] for each in pairs}
    own = {name: value for name, value in environment.items() if name not in _OURS}
    return {
        **definition,
        **override,
        "environment": own,
        "secrets": {each["name"]: each["valueFrom"] for each in definition.get("secrets", ())},
        "run": environment.get(RUN_VARIABLE, "").splitlines(),
    }


_OURS = frozenset({"SPILLWAY_POD", "SPILLWAY_ATTEMPT", RUN_VARIABLE})


def _translated(
    pod: Pod, *, material: Material | None = None, config: TaskSettings | None = None
) -> Translated | Unready | tuple[Reason, ...]:
    return translate(
        pod,
        material=material or a_material(),
        config=config or settings(),
        identity=identity_of(pod),
        attempt=1,
    )


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step, value.get("answer"))
        elif isinstance(value, (list, tuple)):
            value = value[step] if len(value) > step else None
        else:
            return value
    return value


def _pairs(reasons: tuple[Reason, ...]) -> list[tuple[str, str]]:
    return [(reason.code, reason.field) for reason in reasons]
