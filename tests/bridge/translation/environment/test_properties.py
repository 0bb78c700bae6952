from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.bridge.translation.environment.resolved import Resolved, resolve
from app.bridge.translation.material import Material, StoredKey, StoredObject
from app.model.objects import ConfigMap
from app.model.pod import Pod
from tests.bridge.translation.builders import a_material, settings
from tests.bridge.translation.environment import kubelet
from tests.builders import a_pod

MATERIAL: Material = a_material(
    config_maps={name: ConfigMap(data=held) for name, held in kubelet.MAPS.items()},
    secrets={
        name: StoredObject(keys={key: StoredKey(f"{name}:{key}") for key in held})
        for name, held in kubelet.SECRETS.items()
    },
)
PIECES = ("$(A)", "$(B)", "$(C)", "$(D)", "$$", "$", "(", ")", "x ", "é", "$(none)")
FIELDS = ("metadata.name", "metadata.uid", "metadata.namespace", "status.podIP")


def references(kind: str, objects: dict[str, dict[str, str]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(
        [{kind: {"name": name, "key": key}} for name, held in objects.items() for key in held]
    )


texts = st.lists(st.sampled_from(PIECES), max_size=5).map("".join)
names = st.sampled_from("ABCD")
sources = st.one_of(
    st.sampled_from(FIELDS).map(lambda path: {"fieldRef": {"fieldPath": path}}),
    references("secretKeyRef", kubelet.SECRETS),
    references("configMapKeyRef", kubelet.MAPS),
)
variables = st.one_of(
    st.fixed_dictionaries({"name": names, "value": texts}),
    st.fixed_dictionaries({"name": names, "valueFrom": sources}),
)
prefixes = st.sampled_from(["", "P_", "A"])
wholes = st.one_of(
    st.fixed_dictionaries(
        {"prefix": prefixes, "configMapRef": st.fixed_dictionaries({"name": st.sampled_from(["m1", "m2"])})}
    ),
    st.fixed_dictionaries(
        {"prefix": prefixes, "secretRef": st.fixed_dictionaries({"name": st.sampled_from(["s1", "s2"])})}
    ),
)
containers = st.fixed_dictionaries(
    {
        "name": st.just("main"),
        "image": st.just("registry.example/app:1"),
        "envFrom": st.lists(wholes, max_size=2),
        "env": st.lists(variables, max_size=6),
        "command": st.lists(texts, max_size=2),
        "args": st.lists(texts, max_size=2),
    }
)


def resolved(pod: Pod) -> Resolved:
    answer = resolve(
        pod.spec.containers[0], pod=pod, material=MATERIAL, settings=settings(), field="spec.containers[0]"
    )
    assert isinstance(answer, Resolved)
    return answer


def fields_of(pod: Pod) -> dict[str, str]:
    metadata = pod.metadata
    return dict(zip(FIELDS, (metadata.name, metadata.uid, metadata.namespace, kubelet.ADDRESS), strict=True))


@given(containers)
def test_the_command_starts_as_a_kubelet_starts_it(container: dict[str, Any]) -> None:
    pod = a_pod("web-$(A)", uid="u$$", containers=[container])
    environment, words = kubelet.kubelets(container, fields=fields_of(pod))
    assert kubelet.helpers(resolved(pod)) == ({"HOSTNAME": "web-$(A)", **environment}, words)


@given(containers)
def test_resolving_twice_is_the_same(container: dict[str, Any]) -> None:
    pod = a_pod("web-1", uid="u1", containers=[container])
    assert resolved(pod) == resolved(pod)


def shared(answer: Resolved) -> tuple[object, ...]:
    common = {name: value for name, value in answer.environment.items() if name not in answer.own}
    words = None if answer.own_command else (answer.command, answer.args)
    return (common, sorted(answer.own), answer.secrets, answer.run, words)


@given(containers)
def test_two_pods_of_a_template_share_all_that_is_not_their_own(container: dict[str, Any]) -> None:
    one = resolved(a_pod("web-1", uid="u1", containers=[container]))
    other = resolved(a_pod("web-2", uid="u2", containers=[container]))
    assert shared(one) == shared(other)
