import msgspec
import pytest
import yaml

from app.kubelet.messages import Answer
from app.kubelet.told import as_status


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(400, "BadRequest", id="bad-request"),
        pytest.param(403, "Forbidden", id="forbidden"),
        pytest.param(404, "NotFound", id="not-found"),
        pytest.param(500, "InternalError", id="error"),
        pytest.param(418, "", id="another"),
    ],
)
def test_a_refusal_keeps_its_code_and_its_words(code: int, reason: str) -> None:
    told = as_status(Answer(status=code, text="no: not here", headers=(("Allow", "GET"),)))
    status = msgspec.json.decode(told.text)
    assert told.status == code
    assert (status["code"], status["reason"], status["message"]) == (code, reason, "no: not here")
    assert told.headers == (("Allow", "GET"), ("Content-Type", "application/json"))


def test_a_sentence_with_a_colon_in_it_is_read_as_the_message_even_as_yaml() -> None:
    told = as_status(Answer(status=400, text="stdin cannot be attached: attach without -i"))
    assert yaml.safe_load(told.text)["message"] == "stdin cannot be attached: attach without -i"
