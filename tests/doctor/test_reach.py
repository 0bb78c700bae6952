"""The Services of webhook and extender, asked through the API server."""

import pytest

from app.doctor.finding import Level
from app.doctor.reach import check
from app.doctor.seen import Unread
from tests.doctor.look import a_look, not_ok, told

NAME = "spillway/spillway-webhook"


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        pytest.param("ok", [], id="reached"),
        pytest.param(Unread("GET /x: 503 no endpoints available"), [Level.FAIL], id="no-endpoints"),
        pytest.param(Unread("GET /x: no answer (timeout)"), [Level.FAIL], id="no-way"),
        pytest.param(Unread("GET /x: 403 forbidden"), [Level.SKIP], id="no-leave"),
        pytest.param(Unread("GET /x: 404 not found"), [Level.SKIP], id="no-such-way"),
    ],
)
def test_a_service_is_judged_by_what_the_api_server_was_told(
    answer: str | Unread, level: list[Level]
) -> None:
    assert [each for each, _ in not_ok(check, a_look(services_reached={NAME: answer}))] == level


def test_one_that_is_not_reached_names_where_its_addresses_stand() -> None:
    text = told(check, a_look(services_reached={NAME: Unread("503")}))
    assert "kubectl -n spillway get endpointslices -l kubernetes.io/service-name=spillway-webhook" in text
