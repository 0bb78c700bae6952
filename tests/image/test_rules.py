"""What no step shows when it is carried out: what the image says of itself, and what it must never do."""

import re
import tomllib
from fnmatch import fnmatch

import pytest
import yaml

from tests.image.conftest import UID
from tests.image.dockerfile import Instruction, Stage, arguments
from tests.image.rehearsal import NOT_RUN, OURS, ROOT

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_CHART = yaml.safe_load((ROOT / "charts/spillway/values.yaml").read_text())
_FIXED_BASE = re.compile(r"^(scratch|[a-z0-9./-]+:\d+\.\d+[a-z0-9.-]*(@sha256:[0-9a-f]{64})?)$")


def _all(image: list[Stage], word: str) -> list[Instruction]:
    return [each for stage in image for each in stage.all(word)]


def test_every_base_image_is_named_with_a_version(image: list[Stage]) -> None:
    assert [stage.base for stage in image if not _FIXED_BASE.match(stage.base)] == []


def test_the_base_image_is_said_once_so_that_a_digest_can_stand_in_for_it(image: list[Stage]) -> None:
    assert {stage.base for stage in image} == {arguments(ROOT / "Dockerfile")["PYTHON"], "scratch"}


def test_no_stage_is_bound_to_the_platform_that_builds(image: list[Stage]) -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"--platform|BUILDPLATFORM|TARGETARCH|x86_64|aarch64", text)


def test_the_user_is_the_charts_and_a_number_so_that_kubernetes_can_tell_it_is_not_root(
    image: list[Stage],
) -> None:
    assert image[-1].all("USER")[-1].value == f"{UID}:{UID}"
    assert _CHART["podSecurityContext"]["runAsUser"] == UID


def test_nothing_is_done_after_the_user_is_set(image: list[Stage]) -> None:
    assert [each.word for each in image[-1].instructions[-2:]] == ["USER", "ENTRYPOINT"]


def test_the_entry_point_is_the_command_without_a_shell(image: list[Stage]) -> None:
    assert [each.value for each in image[-1].all("ENTRYPOINT")] == ['["spillway"]']
    assert image[-1].all("CMD") == []


def test_the_version_is_the_projects_and_the_charts(image: list[Stage]) -> None:
    chart = yaml.safe_load((ROOT / "charts/spillway/Chart.yaml").read_text())
    assert arguments(ROOT / "Dockerfile")["VERSION"] == _PROJECT["version"] == chart["appVersion"]


@pytest.mark.parametrize(
    ("label", "value"),
    [
        pytest.param("title", "spillway", id="title"),
        pytest.param("description", _PROJECT["description"], id="description"),
        pytest.param("licenses", _PROJECT["license"], id="licence"),
        pytest.param("version", "${VERSION}", id="version"),
        pytest.param("revision", "${REVISION}", id="revision"),
        pytest.param("base.name", "docker.io/library/${PYTHON}", id="base"),
    ],
)
def test_the_image_says_what_it_is(image: list[Stage], label: str, value: str) -> None:
    assert image[-1].environment("LABEL")[f"org.opencontainers.image.{label}"] == value


def test_only_folders_of_ours_are_copied_into_the_image(image: list[Stage]) -> None:
    assert [each.value for each in image[-1].all("COPY")] == [
        "/spillway-helper /spillway-helper",
        "/opt/spillway /opt/spillway",
    ]


def test_all_that_comes_from_an_index_is_held_against_the_lock(image: list[Stage]) -> None:
    asked = re.findall(r"pip (?:--python \S+ )?(?:download|install|wheel) [^&]*", _joined(image))
    assert len(asked) == 4
    assert [each for each in asked if "--no-index" not in each and "--require-hashes" not in each] == []


def test_nothing_is_compiled_from_a_source_distribution(image: list[Stage]) -> None:
    assert all("--only-binary :all:" in each for each in re.findall(r"pip download[^&]*", _joined(image)))


def test_no_step_fetches_by_other_means(image: list[Stage]) -> None:
    assert not re.search(r"\b(curl|wget|git|ADD)\b", _joined(image))
    assert _all(image, "ADD") == []


def test_no_argument_or_variable_holds_a_secret(image: list[Stage]) -> None:
    named = [each.value for word in ("ARG", "ENV") for each in _all(image, word)]
    assert not re.search(r"(?i)token|password|secret|key", " ".join(named))


def test_what_is_not_carried_out_here_is_the_distributions_packages_and_the_bases_own_python(
    image: list[Stage],
) -> None:
    left = [each.value for each in _all(image, "RUN") if each.value.startswith(NOT_RUN)]
    assert [each.split()[0] for each in left] == ["apt-get", "python"]


def test_every_absolute_path_of_a_step_that_is_carried_out_is_the_images_own(image: list[Stage]) -> None:
    run = [each.value for each in _all(image, "RUN") if not each.value.startswith(NOT_RUN)]
    paths = re.findall(r"(?<![\w./-])/[\w./-]+", " ".join(run))
    assert [path for path in paths if not path.startswith(tuple(f"/{each}" for each in OURS))] == []


def test_all_that_is_copied_from_the_tree_is_let_through_to_the_build(image: list[Stage]) -> None:
    lines = (ROOT / ".dockerignore").read_text().split()
    through = [line[1:] for line in lines if line.startswith("!")]
    sources = {
        name for each in _all(image, "COPY") if "from" not in each.flags for name in each.value.split()[:-1]
    }
    assert sources == set(through)


@pytest.mark.parametrize(
    "path", [".git/config", ".venv/bin/python", "certs/ca.key", "tests/conftest.py", "requirements-dev.lock"]
)
def test_a_build_never_sees(path: str) -> None:
    through = [line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")]
    assert not any(fnmatch(path, each) or path.startswith(f"{each}/") for each in through)


def test_the_helper_can_be_had_as_an_image_of_its_own(image: list[Stage]) -> None:
    [alone] = [stage for stage in image if stage.name == "helper"]
    assert alone.base == "scratch"
    assert alone.all("ENTRYPOINT")[0].value == '["/spillway-helper"]'


def _joined(image: list[Stage]) -> str:
    return " && ".join(each.value for each in _all(image, "RUN"))
