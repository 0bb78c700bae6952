"""Each row of the ledger is proved: what is honoured shows in the task, what is refused is said by path."""

from collections.abc import Iterable

import msgspec
import pytest

from app.fargate.caveat_rules import CAVEATS
from app.fargate.eligibility import caveats, refusals, unknown
from app.fargate.ledger import ROWS
from app.fargate.support import Kind, Row
from app.model.pod import Pod
from app.model.reason import Reason
from app.webhook.warning import DIFFERENT, REFUSED, warnings_of
from scripts.lib.support_page import TEST, support_page
from tests.bridge.translation.builders import settings
from tests.builders import a_container, a_pod
from tests.fargate import test_caveats
from tests.ledger import (
    samples_container,
    samples_files,
    samples_naming,
    samples_pod,
    samples_probes,
    samples_scheduling,
    samples_security,
    samples_variables,
    samples_volumes,
)
from tests.ledger.proofs import Sample, refused_at_launch

TABLES = (
    samples_scheduling.SAMPLES,
    samples_naming.SAMPLES,
    samples_pod.SAMPLES,
    samples_container.SAMPLES,
    samples_variables.SAMPLES,
    samples_probes.SAMPLES,
    samples_security.SAMPLES,
    samples_volumes.SAMPLES,
    samples_files.SAMPLES,
)
SAMPLES: dict[str, tuple[Sample, ...]] = {name: each for table in TABLES for name, each in table.items()}


DIFFERING = tuple(msgspec.convert(sample.values[0], Pod) for sample in test_caveats.SAMPLES)


def cut(reasons: Iterable[Reason], *, prefix: str) -> list[str]:
    """The warnings that do not show the whole reason."""
    return [str(each) for each in reasons if warnings_of([each], prefix=prefix) != (f"{prefix}{each}",)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row: Row) -> None:
    samples = SAMPLES[row.name]
    assert {each.claim: each.find() for each in samples} == {each.claim: each.expected for each in samples}


def test_every_row_has_its_samples_and_no_sample_is_of_no_row() -> None:
    assert set(SAMPLES) == {row.name for row in ROWS}
    assert len(SAMPLES) == sum(map(len, TABLES))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_proved_for_what_it_says(row: Row) -> None:
    """Refused rows by a refusal, honoured ones by a task, and those that except some values by both."""
    proved = {each.refuses for each in SAMPLES[row.name]}
    assert proved == {
        *([True] if row.kind is Kind.REFUSED or row.unless else []),
        *([False] if row.kind is not Kind.REFUSED else []),
    }


def test_no_two_samples_of_a_row_claim_the_same() -> None:
    claims = {name: [each.claim for each in samples] for name, samples in SAMPLES.items()}
    assert {name: each for name, each in claims.items() if len(each) != len(set(each))} == {}


def test_what_the_helper_does_is_refused_where_there_is_none() -> None:
    pod = a_pod(containers=[a_container(lifecycle={"preStop": {"sleep": {"seconds": 5}}})])
    sample = refused_at_launch(pod, "HelperImage", config=settings(helper_image=""))
    assert sample.find() == sample.expected


def test_the_page_names_the_test_of_every_row() -> None:
    page = support_page()
    assert [row.name for row in ROWS if TEST.format(name=row.name) not in page] == []
    assert TEST.format(name="X").startswith(test_row.__name__)


PODS = tuple(each.pod for samples in SAMPLES.values() for each in samples if each.pod is not None)
OF_MACHINES = tuple(
    a_pod(metadata=metadata)
    for metadata in (
        {"ownerReferences": [{"kind": "DaemonSet", "name": "agent", "controller": True}]},
        {"annotations": {"kubernetes.io/config.mirror": "x"}},
        {"annotations": {"spillway.dev/capacity": "cheap"}},
    )
)


def test_every_refusal_of_a_sample_fits_a_warning_uncut() -> None:
    reasons = [reason for pod in (*PODS, *OF_MACHINES) for reason in refusals(pod)]
    assert {each.code for each in reasons} >= {"DaemonSet", "StaticPod", "InvalidCapacity", "HostNetwork"}
    assert cut(reasons, prefix=REFUSED) == []


def test_every_caveat_of_a_sample_fits_a_warning_uncut() -> None:
    reasons = [reason for pod in DIFFERING for reason in caveats(pod)]
    assert {each.code for each in reasons} == set(CAVEATS)
    assert cut(reasons, prefix=DIFFERENT) == []


def test_an_unknown_field_fits_a_warning_uncut() -> None:
    reasons = unknown({"initContainers": [{"livenessProbe": {"httpGet": {"portt": 80}}}]})
    assert [each.field for each in reasons] == ["spec.initContainers[0].livenessProbe.httpGet.portt"]
    assert cut(reasons, prefix=REFUSED) == []
