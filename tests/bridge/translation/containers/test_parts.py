from base64 import b64encode
from typing import Any

import pytest

from app.bridge.config import TaskSettings
from app.bridge.translation.containers.parts import Part, parts_of
from app.bridge.translation.material import Unready
from app.model.pod import Pod
from tests.bridge.translation.builders import IMAGE, a_material, an_image, settings
from tests.builders import a_container, a_pod

END: dict[str, Any] = {"terminationMessagePath": "/end"}
DIGEST = "sha256:" + "a" * 64


def answer_for(
    pod: Pod,
    *,
    config: TaskSettings | None = None,
    places: dict[str, tuple[str, ...]] | None = None,
    **found: Any,
) -> Any:
    return parts_of(pod, places=places or {}, material=a_material(**found), settings=config or settings())


def part_of(pod: Pod, **fields: Any) -> Part:
    found = answer_for(pod, **fields)
    assert isinstance(found, list)
    part = found[-1]
    assert isinstance(part, Part)
    return part


def lines_of(part: Part) -> list[str]:
    assert part.run is not None
    return part.run.split("\n")


def codes_of(answer: Any) -> list[str]:
    assert isinstance(answer, tuple)
    return [each.code for each in answer]


def test_every_container_has_its_role() -> None:
    inits = [a_container("i"), a_container("s", restartPolicy="Always")]
    found = answer_for(a_pod(initContainers=inits))
    assert [(each.name, each.role) for each in found] == [("i", "init"), ("s", "sidecar"), ("main", "main")]


def test_a_plain_container_runs_without_the_helper() -> None:
    part = part_of(a_pod(containers=[a_container(command=["x"], args=["y"])]))
    assert (part.run, part.image, part.command) == (None, IMAGE, ("x", "y"))


@pytest.mark.parametrize(
    ("container", "image", "words"),
    [
        pytest.param(
            {"command": ["x"], "args": ["y"]}, an_image(command=("z",)), ("x", "y"), id="both-named"
        ),
        pytest.param({"command": ["x"]}, an_image(command=("z",)), ("x",), id="command-named"),
        pytest.param({"args": ["y"]}, an_image(command=("z",)), ("/app", "y"), id="args-named"),
        pytest.param({}, an_image(command=("z",)), ("/app", "z"), id="the-image's"),
        pytest.param({}, an_image(entry_point=(), command=("z",)), ("z",), id="the-image's-command-alone"),
        pytest.param({}, an_image(entry_point=("a", "$(B)$$")), ("a", "$(B)$$"), id="dollars-stay"),
    ],
)
def test_the_helper_starts_what_the_container_would(
    container: dict[str, Any], image: Any, words: tuple[str, ...]
) -> None:
    pod = a_pod(containers=[a_container(**END, **container)])
    assert part_of(pod, images={IMAGE: image}).command == words


def test_where_the_helper_expands_words_the_images_own_are_not_expanded() -> None:
    address = {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    pod = a_pod(containers=[a_container(env=[address], args=["--ip", "$(IP)"])])
    part = part_of(pod, images={IMAGE: an_image(entry_point=("echo", "$(IP)"))})
    assert part.command == ("echo", "$$(IP)", "--ip", "$(IP)")
    assert {"fact IP podIP", "words"} <= set(lines_of(part))


@pytest.mark.parametrize(
    ("name", "pinned"),
    [
        pytest.param("registry.example/app:1", f"registry.example/app@{DIGEST}", id="tag"),
        pytest.param("nginx", f"docker.io/library/nginx@{DIGEST}", id="short"),
    ],
)
def test_an_image_whose_entry_point_was_read_is_pulled_by_its_digest(name: str, pinned: str) -> None:
    pod = a_pod(containers=[a_container(image=name, **END)])
    assert part_of(pod, images={name: an_image()}).image == pinned


def test_an_image_keeps_its_name_where_the_pod_names_the_command() -> None:
    assert part_of(a_pod(containers=[a_container(command=["x"], **END)])).image == IMAGE


@pytest.mark.parametrize(
    ("found", "code"),
    [
        pytest.param({"images": {}}, "ImageUnknown", id="unknown"),
        pytest.param({"images": {IMAGE: an_image(entry_point=())}}, "NoCommand", id="empty"),
    ],
)
def test_a_command_that_nobody_knows_cannot_be_wrapped(found: dict[str, Any], code: str) -> None:
    assert codes_of(answer_for(a_pod(containers=[a_container(**END)]), **found)) == [code]


def test_why_an_image_could_not_be_read_is_said_with_both_mends() -> None:
    why = "the registry answered 401 to nobody"
    [reason] = answer_for(a_pod(containers=[a_container(**END)]), images={}, unread_images={IMAGE: why})
    assert (reason.code, reason.field) == ("ImageUnknown", "spec.containers[0].command")
    assert why in reason.message
    assert "name its command, or let the bridge read the registry" in reason.message


def test_an_image_that_nobody_has_to_know_need_not_be_read() -> None:
    pod = a_pod(containers=[a_container("a"), a_container("b")])
    assert [each.run for each in answer_for(pod, images={}, unread_images={IMAGE: "401"})] == [None, None]


def test_why_an_images_user_is_not_known_is_said() -> None:
    pod = a_pod(containers=[a_container(command=["x"], securityContext={"runAsGroup": 8})])
    [reason] = answer_for(pod, images={}, unread_images={IMAGE: "401"})
    assert (reason.code, "(401)" in reason.message) == ("ImageUser", True)


def test_several_containers_that_run_on_are_wrapped_where_all_commands_are_known() -> None:
    pod = a_pod(containers=[a_container("a"), a_container("b", command=["x"])])
    assert ["restart Always" in lines_of(each) for each in answer_for(pod)] == [True, True]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"images": {}}, id="a-command-is-unknown"),
        pytest.param({"config": settings(helper_image="")}, id="no-helper"),
    ],
)
def test_else_they_run_without_the_helper(fields: dict[str, Any]) -> None:
    pod = a_pod(containers=[a_container("a"), a_container("b", command=["x"])])
    assert [each.run for each in answer_for(pod, **fields)] == [None, None]


def test_single_files_are_copied_by_the_helper() -> None:
    place = f"place {b64encode(b'/a').decode()} {b64encode(b'/b').decode()} 644"
    assert place in lines_of(part_of(a_pod(), places={"main": (place,)}))


def test_single_files_are_copied_by_root_alone() -> None:
    pod = a_pod(containers=[a_container(securityContext={"runAsUser": 7})])
    assert codes_of(answer_for(pod, places={"main": ("place a b 644",)})) == ["SubPathFile"]


ALIASES: dict[str, Any] = {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}]}


def test_host_aliases_are_written_by_the_helper() -> None:
    assert "host 10.0.0.1 db" in lines_of(part_of(a_pod(**ALIASES)))


@pytest.mark.parametrize(
    "image",
    [pytest.param(an_image(user="1000"), id="number"), pytest.param(an_image(user="app"), id="name")],
)
def test_host_aliases_are_refused_where_the_image_is_not_roots(image: Any) -> None:
    assert codes_of(answer_for(a_pod(**ALIASES), images={IMAGE: image})) == ["NotRoot"]


def test_names_of_the_cluster_are_searched_by_a_variable() -> None:
    part = part_of(a_pod(), config=settings(cluster_domain="cluster.local"))
    assert part.words.environment["LOCALDOMAIN"] == "shop.svc.cluster.local svc.cluster.local cluster.local"
    assert part.words.environment["RES_OPTIONS"] == "ndots:5"


def test_a_resolvers_variable_of_the_containers_own_stays() -> None:
    pod = a_pod(containers=[a_container(env=[{"name": "RES_OPTIONS", "value": "mine"}])])
    part = part_of(pod, config=settings(cluster_domain="cluster.local"))
    assert part.words.environment["RES_OPTIONS"] == "mine"


@pytest.mark.parametrize(
    ("image", "written"),
    [pytest.param(an_image(), True, id="root"), pytest.param(an_image(user="1000"), False, id="another")],
)
def test_the_helper_writes_the_search_list_where_it_is_there_anyway(image: Any, *, written: bool) -> None:
    pod = a_pod(containers=[a_container(**END)])
    part = part_of(pod, config=settings(cluster_domain="c.local"), images={IMAGE: image})
    assert ("resolve - shop.svc.c.local,svc.c.local,c.local ndots:5" in lines_of(part)) is written


def test_every_reason_of_every_container_is_told() -> None:
    pod = a_pod(containers=[a_container("a", **END), a_container("b", **END)])
    assert codes_of(answer_for(pod, images={})) == ["ImageUnknown", "ImageUnknown"]


def test_what_is_missing_is_told_where_no_reason_outweighs_it() -> None:
    variable = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "gone", "key": "k"}}}
    assert isinstance(answer_for(a_pod(containers=[a_container(env=[variable])])), Unready)
