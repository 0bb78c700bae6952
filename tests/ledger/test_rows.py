"""Each row of the ledger is proved: what is honoured shows in the task, what is refused is said by path."""

import pytest

from app.fargate.eligibility import refusals
from app.fargate.ledger import ROWS
from app.fargate.support import Kind, Row
from app.webhook.warning import MOST_EACH, REFUSED
from scripts.lib.support_page import TEST, support_page
from tests.bridge.translation.builders import settings
from tests.builders import a_container, a_pod
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


def test_every_refusal_fits_a_warning_beside_its_path() -> None:
    pods = [each.pod for samples in SAMPLES.values() for each in samples if each.pod is not None]
    said = [str(reason) for pod in pods for reason in refusals(pod)]
    assert [text for text in said if len(text) > MOST_EACH - len(REFUSED)] == []
